// A round of node-akeneo-api: list, PATCH, batch PATCH, upload. Arguments: what `sandbox --json` prints, a file.
const fs = require("fs");
const akeneo = require("node-akeneo-api");

const told = JSON.parse(process.argv[2]);
const quiet = { info() {}, error() {}, debug() {} };

async function round() {
  akeneo.setLogger(quiet);
  akeneo.setBaseUrl(told.url);
  akeneo.setClientId(told.client_id);
  akeneo.setSecret(told.client_secret);
  akeneo.setUsername(told.username);
  akeneo.setPassword(told.password);
  const name = { name: [{ locale: null, scope: null, data: "by node-akeneo-api" }] };
  await akeneo.patch("/api/rest/v1/products/shoe_1", { values: name });
  await akeneo.patchVndAkeneoCollection("/api/rest/v1/products", [{ identifier: "shoe_2", values: name }]);
  const place = { identifier: "shoe_1", attribute: "picture", locale: null, scope: null };
  await akeneo.postMultipartFormData("/api/rest/v1/media-files", fs.createReadStream(process.argv[3]), place);
  const products = await akeneo.get("/api/rest/v1/products?pagination_type=search_after&limit=5");
  const named = products.filter((product) => product.values.name && product.values.name[0].data === name.name[0].data);
  const media = await akeneo.get("/api/rest/v1/media-files?limit=100");
  console.log(
    JSON.stringify({
      products: products.length,
      named: named.map((product) => product.identifier),
      options: (await akeneo.get("/api/rest/v1/attributes/size/options?limit=100")).map((option) => option.code),
      media: media.map((file) => file.original_filename),
    }),
  );
}

round().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
