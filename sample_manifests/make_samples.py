"""Draws the sample pictures again (needs Pillow); the files it makes are part of the repository."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).parent
SIZE = (960, 640)
SOLE = [(150, 470), (820, 470), (832, 500), (800, 522), (180, 522), (150, 500)]
UPPER = [
    *((160, 470), (165, 330), (200, 280), (270, 272), (330, 290), (400, 300), (470, 330)),
    *((560, 380), (680, 405), (780, 420), (815, 470)),
]


def backdrop(light: str, dark: str) -> Image.Image:
    """A soft gradient from top to bottom."""
    mask = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, dark), Image.new("RGB", SIZE, light), mask)


def shoe(colour: str, accent: str, light: str, dark: str) -> Image.Image:
    """A sneaker from the side, with its shadow."""
    shadow = Image.new("L", SIZE, 0)
    ImageDraw.Draw(shadow).ellipse((140, 500, 840, 560), fill=130)
    picture = backdrop(light, dark)
    picture.paste("#1c1c24", mask=shadow.filter(ImageFilter.GaussianBlur(14)))
    # Drawn four times as large and reduced, for smooth edges.
    big = picture.resize((SIZE[0] * 4, SIZE[1] * 4))
    draw = ImageDraw.Draw(big)

    def scaled(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
        return [(x * 4, y * 4) for x, y in points]

    draw.polygon(scaled(UPPER), fill=colour)
    draw.polygon(scaled([(160, 470), (165, 330), (200, 280), (235, 276), (262, 470)]), fill=accent)
    draw.polygon(scaled([(690, 470), (700, 408), (780, 420), (815, 470)]), fill=accent)
    draw.polygon(scaled([(330, 470), (470, 350), (510, 368), (400, 470)]), fill=accent)
    draw.polygon(scaled(SOLE), fill="#f6f4ef")
    draw.line(scaled([(150, 500), (832, 500)]), fill="#d3cfc6", width=16)
    for x, y in ((345, 300), (390, 312), (435, 330), (480, 350)):
        draw.line(scaled([(x, y + 34), (x + 44, y - 6)]), fill="#ffffff", width=30)
    return big.resize(SIZE, Image.Resampling.LANCZOS)


def pdf(path: Path, title: str, lines: list[str]) -> None:
    """A one-page PDF with real text, that any reader opens."""
    text = ["BT /F1 26 Tf 72 740 Td", f"({title}) Tj", "/F1 12 Tf 0 -40 Td 18 TL"]
    text += [f"({line}) Tj T*" for line in lines] + ["ET"]
    stream = "\n".join(text).encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(out)


def main() -> None:
    images, manuals = HERE / "images", HERE / "manuals"
    for folder in (images, images / "banners", manuals):
        folder.mkdir(parents=True, exist_ok=True)
    red = shoe("#c8372d", "#8e1f1a", "#fdf1ea", "#f0c9b4")
    blue = shoe("#2c5fb3", "#173a78", "#eef4fd", "#b9d0f0")
    green = shoe("#3c8f5a", "#1f5c38", "#f0faf2", "#bfe3ca")
    for name, picture in (("red", red), ("blue", blue), ("green", green)):
        picture.save(images / f"runner-{name}-side.jpg", quality=88)
        back = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        back.save(images / f"runner-{name}-back.webp", quality=82)
    small = [picture.resize((320, 213)) for picture in (red, blue, green)]
    group = Image.new("RGB", (960, 213))
    for place, picture in enumerate(small):
        group.paste(picture, (place * 320, 0))
    group.quantize(128).save(images / "runner-family.png", optimize=True)
    red.resize((480, 320)).quantize(128).save(images / "runner-red-detail.png", optimize=True)
    for locale, words in (("en_US", "RUN FURTHER"), ("fr_FR", "COURS PLUS LOIN")):
        banner = blue.crop((0, 140, 960, 600))
        ImageDraw.Draw(banner).text((40, 24), words, fill="#173a78", font_size=56)
        banner.save(images / "banners" / f"banner-{locale}.jpg", quality=86)
    pdf(
        manuals / "runner-care.pdf",
        "Caring for your Runner",
        ["1. Brush off dry mud.", "2. Wash by hand at 30 degrees Celsius.", "3. Let it dry in the air."],
    )
    pdf(
        manuals / "runner-entretien.pdf",
        "Entretenir votre Runner",
        ["1. Brosser la boue seche.", "2. Laver a la main a 30 degres.", "3. Laisser secher."],
    )


if __name__ == "__main__":
    main()
