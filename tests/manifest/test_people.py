"""Tables as people and their programs write them, each read as a person reads it, or told."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Kind, ManifestError

from .reading import Reader

HEAD = "sku,attribute,file\n"


def codes(read: Reader, content: str | bytes, suffix: str = ".csv", **how: object) -> list[str]:
    return [row.target.code if row.target else "" for row in read(content, suffix, **how).rows]  # type: ignore[arg-type]


def problems(read: Reader, content: str | bytes, suffix: str = ".csv") -> list[str]:
    return [f"{r.problem.message} | {r.problem.hint}" for r in read(content, suffix).rows if r.problem]


# Headers of their own.


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".csv", "Artikelnummer;Bild;attribute\n00123;a.jpg;picture\n"),
        (".tsv", " artikelnummer \tBILD\tattribute\n00123\ta.jpg\tpicture\n"),
        (".json", '[{"ARTIKELNUMMER": "00123", "Bild": "a.jpg", "attribute": "picture"}]'),
        (".yaml", "defaults: {bild: a.jpg}\nuploads:\n- {Artikelnummer: 00123, attribute: picture}\n"),
        (".jsonl", '{"Artikelnummer": "00123", "Bild": "a.jpg", "attribute": "picture"}\n'),
    ],
)
def test_columns_get_the_names_that_map_gives(read: Reader, suffix: str, content: str) -> None:
    found = read(content, suffix, maps=["Artikelnummer=product", "bild = file"])
    (row,) = found.rows
    assert (row.target and row.target.code, row.file, row.problem) == ("00123", "a.jpg", None)
    assert found.notes == []
    slip = read(content, suffix, maps=["Artikelnummer=product", "bild = file", "Titel=filename"])
    assert [note.split(" |")[0] for note in slip.notes] == ["--map Titel=...: no manifest has a column Titel"]


def test_a_mapped_name_may_be_one_that_set_uses(read: Reader) -> None:
    (row,) = read(
        "sku,Bild 1\na,x.jpg\n", maps=["Bild 1=picture"], sets=["file={picture}", "attribute=picture"]
    ).rows
    assert (row.file, row.extra) == ("x.jpg", {"picture": "x.jpg"})


@pytest.mark.parametrize("bad", ["sku", "=product", "sku=", " = "])
def test_map_is_column_and_name(read: Reader, bad: str) -> None:
    from akeneo_media_cli.errors import UsageError

    with pytest.raises(UsageError, match="COLUMN=NAME"):
        read(HEAD, maps=[bad])
    with pytest.raises(UsageError, match="two names"):
        read(HEAD, maps=["a=sku", "A =file"])
    assert read(HEAD + "a,p,f\n", maps=["x=y=sku", "a=z", "A=z"]).rows


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("Artikelnummer;Bild", "--map Artikelnummer=product --map Bild=file --set attribute=CODE"),
        ("Référence;Fichier", "--map Référence=product --map Fichier=file"),
        ("Código;Imagen", "--map Código=product --map Imagen=file"),
        ("Codice articolo;Immagine", "--map 'Codice articolo=product' --map Immagine=file"),
        ("Artikelcode;Afbeelding", "--map Artikelcode=product --map Afbeelding=file"),
        ("SKU;Image", "--map Image=file --set attribute=CODE"),
        ("sku;filename;attribute", "--map filename=file"),
        (
            "Artikel-Nr.;Merkmal;Dateiname",
            "--map Artikel-Nr.=product --map Merkmal=attribute --map Dateiname=file",
        ),
    ],
)
def test_headers_in_other_languages_are_suggested_and_not_taken(
    read: Reader, header: str, options: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        read(f"{header}\n" + ";".join(["x.jpg"] * len(header.split(";"))) + "\n")
    for option in options.split(" --"):
        assert option.removeprefix("--") in caught.value.hint, caught.value.hint


def test_a_wide_table_is_told_about_the_pims_layout(read: Reader) -> None:
    with pytest.raises(ManifestError) as caught:
        read("sku,picture,picture_2,name\na,a.jpg,b.png,Shoe\nb,c.jpg,,Boot\n")
    assert "--format akeneo --columns picture,picture_2" in caught.value.hint


def test_a_target_of_its_own_name_is_suggested_with_each_row(read: Reader) -> None:
    found = read("Artikelnummer,attribute,file\n123,picture,a.jpg\n")
    assert found.kinds == [Kind.TARGET_MISSING]
    assert "--map Artikelnummer=product" in found.notes[0]
    assert found.rows[0].problem is not None and "--map Artikelnummer=product" in found.rows[0].problem.hint


# How CSV is written.


def test_cells_in_apostrophes_are_found(read: Reader) -> None:
    found = read("sku;attribute;note;file\n00123;picture;'red; blue';files/a.jpg\nb;picture;it's;b.jpg\n")
    assert [(r.file, r.extra) for r in found.rows] == [
        ("files/a.jpg", {"note": "red; blue"}),
        ("b.jpg", {"note": "it's"}),
    ]
    assert "enclosed in '" in found.notes[0]
    assert codes(read, "'sku','attribute','file'\n'a','p','f'\n") == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        "sku;attribute;file;note\na;p;'t Hooft.jpg;x\nb;p;'s-Gravenhage.jpg;y\n",
        "sku;attribute;file;note\na;p;f;'quoted'\nb;p;f;'not closed\n",
        "sku;attribute;file;note\na;p;f;\"in; quotes\"\nb;p;f;'x'\n",
    ],
)
def test_an_apostrophe_alone_encloses_nothing(read: Reader, content: str) -> None:
    found = read(content)
    assert found.notes == []
    assert codes(read, content) == ["a", "b"]


def test_quote_names_what_encloses_cells(read: Reader) -> None:
    content = "sku;attribute;file\na;p;'x;y.jpg'\n" + 'b;p;"z.jpg"\n'
    assert [r.file for r in read(content, quote="'").rows] == ["x;y.jpg", '"z.jpg"']
    assert [r.file for r in read("sku;attribute;file\na;p;~x;y.jpg~\n", quote="~").rows] == ["x;y.jpg"]
    inches = 'sku;attribute;file\na;p;"5" wide.jpg\n'
    assert [r.file for r in read(inches, quote="none").rows] == ['"5" wide.jpg']
    from akeneo_media_cli.errors import UsageError

    for bad in ("", "ab", "a", ";", "\n", "ä"):
        with pytest.raises(UsageError, match="--quote"):
            read(content, quote=bad)


def test_too_many_cells_are_never_shifted_into_columns(read: Reader) -> None:
    found = read("sku;attribute;file\na;p;x;y.jpg\n")
    assert found.kinds == [Kind.ROW_MALFORMED]
    later = "sku;note;file;attribute\n" + "a;x;f.jpg;p\n" * 9000 + "b;'red; blue';f.jpg;p\n"
    row = read(later).rows[-1]
    assert row.problem is not None and "--quote" in row.problem.hint


def test_titles_above_the_header(read: Reader) -> None:
    content = 'Spring pictures 5" wide\n\nmade by;me\nsku;attribute;file\na;p;f.jpg\n'
    found = read(content)
    assert [(r.line, r.file) for r in found.rows] == [(5, "f.jpg")]
    assert "2 lines left out: above the header, which is line 4" in found.notes[0]
    german = "Bilder\nArtikelnummer;Datei;attribute\n1;a.jpg;p\n"
    assert codes(read, german, maps=["Artikelnummer=sku", "Datei=file"]) == ["1"]


@pytest.mark.parametrize(
    "second",
    [
        "\ufeffsku,attribute,file\nb,p,g\n",
        "sku,attribute,file\nb,p,g\n",
        "\ufeffSKU, Attribute ,File\nb,p,g\n",
        "\ufefffile,sku,attribute\ng,b,p\n",
        "\ufefffile,note,sku,attribute\ng,,b,p\n",
        "\ufeffb,p,g\n",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_files_that_were_joined(read: Reader, second: str, end: str) -> None:
    if not end and ("\ufeff" not in second or "sku" not in second.lower()):
        return  # then nothing tells where one ends
    found = read(f"\ufeffsku,attribute,file\na,p,f{end}{second}")
    assert [(r.target and r.target.code, r.attribute, r.file, r.problem) for r in found.rows] == [
        ("a", "p", "f", None),
        ("b", "p", "g", None),
    ]
    if "sku" in second.lower():
        assert "1 line left out: a header again" in found.notes[0]


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\r\n\x1a\r\n", "\n\x1a\x1a"])
def test_the_end_of_a_file_as_dos_wrote_it(read: Reader, end: str) -> None:
    found = read(f"sku,attribute,file\na,p,f.jpg{end}")
    assert [(r.file, r.problem) for r in found.rows] == [("f.jpg", None)]
    assert len(read(f'[{{"sku": "a", "attribute": "p", "file": "f"}}]{end}', ".json").rows) == 1
    assert len(read(f'{{"sku": "a", "attribute": "p", "file": "f"}}{end}', ".jsonl").rows) == 1


@pytest.mark.parametrize(
    ("named", "delimiter"),
    [
        ("sep=;", ";"), ("sep=\t", "\t"), ('"sep=;"', ";"), ("SEP=|", "|"), ('"sep=\t"', "\t"),
        ("sep=,,,", ","), ("\ufeffsep=^", "^"), ("sep=\\t", "\t"), ("'sep=;'", ";"),
    ],
)  # fmt: skip
def test_excels_way_to_name_the_delimiter(read: Reader, named: str, delimiter: str) -> None:
    content = "\r\n".join([named, delimiter.join(("sku", "attribute", "file")), delimiter.join("apf"), ""])
    found = read(content)
    assert [(r.file, r.line) for r in found.rows] == [("f", 3)]


# What spreadsheets do to codes.


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("4.00638E+12", "Excel has shortened this number"),
        ('"4,00638E+12"', "Excel has shortened this number"),
        ("4.00638e+12", "Excel has shortened this number"),
        ('"=""00012"""', "how Excel keeps 00012 as text"),
        ('="00012"', "how Excel keeps 00012 as text"),
        ("#N/A", "an error in a spreadsheet"),
        ("#REF!", "an error in a spreadsheet"),
    ],
)
def test_codes_that_a_spreadsheet_changed(read: Reader, code: str, said: str) -> None:
    for more in ("", ",note\n"):
        content = f"{HEAD.strip()}{more or chr(10)}{code},p,f.jpg\n"
        (told,) = problems(read, content)
        assert said in told


@pytest.mark.parametrize("code", ["1E5", "A+B", "E+12", "=x", "#1", "1E+5x", "a-1E+12"])
def test_codes_that_only_look_so(read: Reader, code: str) -> None:
    assert problems(read, f"{HEAD}{code},p,f.jpg\n") == []


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("locale", "en_US, fr_FR"), ("locale", "en_US;fr_FR"), ("locale", "en_US fr_FR"),
        ("locale", "de_DE|fr_FR"),
        ("scope", "ecommerce, mobile"), ("attribute", "picture, picture_2"),
    ],
)  # fmt: skip
def test_a_cell_that_names_several(read: Reader, column: str, text: str) -> None:
    row = {"sku": "a", "attribute": "p", "file": "f.jpg", column: text}
    content = ",".join(row) + "\n" + ",".join(f'"{value}"' for value in row.values()) + "\n"
    (told,) = problems(read, content)
    assert f"`{column}` names 2 at once" in told


# Encodings.


@pytest.mark.parametrize(
    ("encoding", "text", "suggested"),
    [
        ("cp1250", "Příliš žluťoučký kůň", "cp1250"),
        ("iso8859-2", "żółta łódź", "iso8859_2"),
        ("cp852", "Příliš žluťoučký", "cp852"),
        ("cp1251", "Красное платье", "cp1251"),
        ("koi8-r", "Красное платье", "koi8_r"),
        ("cp1253", "Κόκκινο φόρεμα", "cp1253"),
        ("cp1254", "kırmızı şişe", "cp1254"),
        ("cp1257", "šviesiai žalią", "cp1257"),
        ("mac-roman", "Größe Übersicht", "mac_roman"),
        ("cp850", "Größe Übersicht", "cp850"),
        ("cp932", "赤いドレス", "cp932"),
        ("gbk", "红色连衣裙", "gb2312"),
        ("big5", "紅色洋裝", "big5"),
        ("cp949", "빨간 드레스", "euc_kr"),
    ],
)
def test_other_encodings_are_suggested_with_a_sample(
    read: Reader, encoding: str, text: str, suggested: str
) -> None:
    content = f"{HEAD.strip()},name\na,p,f.jpg,{text}\n".encode(encoding)
    try:
        said = read(content).notes[0]
    except ManifestError as error:  # it has bytes that Windows-1252 has not
        said = error.hint
    assert f"--encoding {suggested}" in said
    assert text.split(maxsplit=1)[0] in said
    found = read(content, encoding=encoding)
    assert (found.rows[0].extra["name"], found.notes) == (text, [])


@pytest.mark.parametrize(
    "text", ["Größe Übersicht", "l’été à Noël", "niño ¿qué?", "blå tröja", "€ 5 – ½", "ã"]
)
def test_windows_1252_is_read_as_that_and_no_other_suggested(read: Reader, text: str) -> None:
    found = read(f"{HEAD.strip()},name\na,p,f.jpg,{text}\n".encode("cp1252"))
    assert found.rows[0].extra["name"] == text
    assert "read as Windows-1252" in found.notes[0]
    assert "It may be" not in found.notes[0]


def test_an_encoding_must_be_one_and_must_fit(read: Reader) -> None:
    from akeneo_media_cli.errors import UsageError

    for bad in ("x", "", "rot13", "base64", "zip"):
        with pytest.raises(UsageError, match="--encoding"):
            read(HEAD, encoding=bad)
    with pytest.raises(ManifestError, match="line 2 is not valid"):
        read(HEAD.encode() + b"\xff,p,f\n", encoding="utf-8")
    assert codes(read, ("\ufeff" + HEAD + "ä,p,f\n").encode(), encoding="UTF-8") == ["ä"]
    assert codes(read, (HEAD + "ä,p,f\n").encode("utf-16"), encoding="utf-16") == ["ä"]
    # It is that of tables: other formats are UTF-8 by their standards.
    assert codes(read, '[{"sku": "ä", "attribute": "p", "file": "f"}]', ".json", encoding="cp1250") == ["ä"]


# Lists and numbers.


@pytest.mark.parametrize(
    ("item", "rows"),
    [
        ('"file": ["a.jpg", "b.jpg"], "attribute": ["p", "q"]', [("p", "a.jpg"), ("q", "b.jpg")]),
        ('"file": ["a.jpg", "b.jpg"], "attribute": "p_{n}"', [("p_1", "a.jpg"), ("p_2", "b.jpg")]),
        ('"file": ["a.jpg"], "attribute": "p"', [("p", "a.jpg")]),
        ('"file": ["a.jpg", "b.jpg"]', [("pic_1", "a.jpg"), ("pic_2", "b.jpg")]),
    ],
)
def test_a_list_of_files_is_that_many_rows(read: Reader, item: str, rows: list[tuple[str, str]]) -> None:
    for suffix, content in ((".json", f'[{{"sku": "a", {item}}}]'), (".yaml", f'- {{"sku": "a", {item}}}')):
        found = read(content, suffix, sets=["attribute=pic_{n}"])
        assert [(r.attribute, r.file) for r in found.rows] == rows
        assert found.kinds == [None] * len(rows)
        assert {r.line for r in found.rows} == {1}


@pytest.mark.parametrize(
    "item",
    [
        '"file": ["a.jpg", "b.jpg"], "attribute": "p"',
        '"file": ["a.jpg", "b.jpg"], "attribute": ["p"]',
        '"file": "a.jpg", "attribute": ["p", "q"]',
        '"file": [], "attribute": "p"',
        '"file": ["a.jpg", "b.jpg"]',
        '"file": [["a.jpg"]], "attribute": "p"',
        '"file": {"a": "b"}, "attribute": "p"',
    ],
)
def test_another_list_is_one_invalid_row_and_no_missing_column(read: Reader, item: str) -> None:
    found = read(f'[{{"sku": "a", {item}}}, {{"sku": "b", "file": "f", "attribute": "p"}}]', ".json")
    assert [(r.line, r.problem is None) for r in found.rows] == [(1, False), (2, True)]


def test_a_list_cannot_repeat_much_text(read: Reader) -> None:
    files = ", ".join('"f"' for _ in range(5000))
    content = f'[{{"sku": "a", "attribute": "p{{n}}", "file": [{files}], "x": "{"A" * 100_000}"}}]'
    found = read(content, ".json")
    assert found.kinds == [Kind.ROW_MALFORMED]


@pytest.mark.parametrize(
    "number", ["10.10", "1E5", "1e5", "0.00", "-0", "1.0", "12345678901234567890", "true", "1E400"]
)
def test_numbers_in_templates_are_as_they_are_written(read: Reader, number: str) -> None:
    (row,) = read(
        f'[{{"code": {number}, "attribute": "p"}}]', ".json", sets=["product={code}", "file={code}.jpg"]
    ).rows
    assert (row.target and row.target.code, row.file) == (number, f"{number}.jpg")
    # For the report it is a number.
    assert isinstance(row.extra["code"], (int, float)) or number == "1E400"
