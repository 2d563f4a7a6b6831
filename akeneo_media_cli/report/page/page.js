"use strict";
(() => {
  // A row: [number, status, manifest, line, file, target, size, seconds, tries, kind, message, hint, picture]
  const STATUS = 1, FILE = 4, KIND = 9, MESSAGE = 10, HINT = 11, PICTURE = 12;
  const NUMBERS = new Set([0, 3, 6, 7, 8]);
  const PAGE = 100, PRINTED = 2000;
  const $ = (id) => document.getElementById(id);
  const rows = JSON.parse($("data").textContent);
  const haystacks = rows.map((row) => row.slice(0, PICTURE).join("\n").toLowerCase());
  const classes = { uploaded: "good", held: "good", downloaded: "good", removed: "good", restored: "good", failed: "bad", invalid: "bad", pending: "wait" };
  let found = [], page = 0, length = PAGE, column = null, down = false;

  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === null || a === "") return 1;
    if (b === null || b === "") return -1;
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  };

  const search = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = $("status").value, kind = $("kind").value;
    found = [];
    rows.forEach((row, i) => {
      if ((!status || row[STATUS] === status) && (!kind || row[KIND] === kind) &&
          words.every((word) => haystacks[i].includes(word))) found.push(row);
    });
    if (column !== null) {
      found.sort((a, b) => (down ? -1 : 1) * compare(a[column], b[column]) || a[0] - b[0]);
    }
    page = 0;
    draw();
  };

  const cell = (text, index) => {
    const td = document.createElement("td");
    if (NUMBERS.has(index)) td.className = "number";
    td.textContent = text === null ? "" : typeof text === "number" ? text.toLocaleString("en") : text;
    return td;
  };

  const draw = () => {
    const body = document.createDocumentFragment();
    for (const row of found.slice(page * length, (page + 1) * length)) {
      const tr = document.createElement("tr");
      for (let i = 0; i < MESSAGE; i++) {
        const td = cell(row[i], i);
        if (i === STATUS) td.classList.add(classes[row[i]] || "plain");
        if (i === FILE && row[PICTURE]) {
          const picture = document.createElement("img");
          picture.src = row[PICTURE];
          picture.alt = "";
          td.prepend(picture);
        }
        tr.append(td);
      }
      const last = cell(row[MESSAGE], MESSAGE);
      if (row[HINT]) {
        const hint = document.createElement("span");
        hint.className = "hint";
        hint.textContent = row[HINT];
        last.append(hint);
      }
      tr.append(last);
      body.append(tr);
    }
    $("rows").replaceChildren(body);
    const pages = Math.max(1, Math.ceil(found.length / length));
    $("count").textContent = `${found.length.toLocaleString("en")} rows, page ${page + 1} of ${pages}`;
    $("back").disabled = page === 0;
    $("next").disabled = page + 1 >= pages;
  };

  const turn = (by) => {
    page += by;
    draw();
  };

  document.querySelectorAll("th button").forEach((button) => {
    button.addEventListener("click", () => {
      const index = Number(button.dataset.column);
      down = column === index && !down;
      column = index;
      document.querySelectorAll("#table th").forEach((th) => th.removeAttribute("aria-sort"));
      button.parentElement.setAttribute("aria-sort", down ? "descending" : "ascending");
      search();
    });
  });
  document.querySelectorAll("button.more").forEach((button) => {
    button.addEventListener("click", () => {
      $("search").value = $("status").value = "";
      $("kind").value = button.dataset.kind;
      search();
      $("all").scrollIntoView();
      $("kind").focus();
    });
  });
  let typing = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(search, 150);
  });
  $("status").addEventListener("change", search);
  $("kind").addEventListener("change", search);
  $("back").addEventListener("click", () => turn(-1));
  $("next").addEventListener("click", () => turn(1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select")) {
      event.preventDefault();
      $("search").focus();
    }
  });
  window.addEventListener("beforeprint", () => {
    length = PRINTED;
    turn(-page);
  });
  window.addEventListener("afterprint", () => {
    length = PAGE;
    turn(-page);
  });
  if ($("change")) {
    $("change").addEventListener("change", () => {
      const wanted = $("change").value;
      document.querySelectorAll("#gallery article").forEach((card) => {
        card.hidden = wanted !== "" && card.dataset.change !== wanted;
      });
    });
    $("filter").hidden = false;
  }
  $("tools").hidden = false;
  search();
})();
