"""CSV and TSV as spreadsheets and people write them."""

from __future__ import annotations

import pytest

from akeneo_media_cli.errors import Kind, ManifestError
from akeneo_media_cli.rows import Target, TargetType

from .reading import Reader

LONGEST = 16 * 1024 * 1024


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(read: Reader, delimiter: str) -> None:
    header = delimiter.join(("product", "attribute", "file", "note"))
    row = delimiter.join(("sku-1", "picture", '"a,b;c|d\te.jpg"', "x"))
    (found,) = read(f"{header}\n{row}\n").rows
    assert (found.target, found.attribute, found.file) == (
        Target(TargetType.PRODUCT, "sku-1"),
        "picture",
        "a,b;c|d\te.jpg",
    )
    assert found.extra == {"note": "x"}
    assert found.problem is None


def test_a_delimiter_in_a_quoted_header_does_not_mislead(read: Reader) -> None:
    (row,) = read('"note, with, many, commas";product;attribute;file\nx;a;p;f.jpg\n').rows
    assert row.file == "f.jpg"
    assert row.extra == {"note, with, many, commas": "x"}


def test_one_column_needs_no_delimiter(read: Reader) -> None:
    rows = read("file\na.jpg\nb;c.jpg\n", sets=["product={stem}", "attribute=p"]).rows
    assert [row.file for row in rows] == ["a.jpg", "b;c.jpg"]


def test_excel_may_name_the_delimiter_itself(read: Reader) -> None:
    (row,) = read("sep=|\nproduct|attribute|file\na|p|f.jpg\n").rows
    assert (row.file, row.line) == ("f.jpg", 3)


def test_tsv_is_tabs_whatever_else_is_in_the_header(read: Reader) -> None:
    (row,) = read("product\ta,b,c,file,attribute\tattribute\tfile\na\tx\tp\tf.jpg\n", ".tsv").rows
    assert row.extra == {"a,b,c,file,attribute": "x"}


def test_a_line_is_the_first_of_its_record(read: Reader) -> None:
    rows = read('product,attribute,file,n\na,p,f,"1\n2\n3"\n\n   \nb,p,f,\n,,,\nc,p,f,\r\nd,p,f,\n').rows
    assert [(row.file, row.line) for row in rows] == [("f", 2), ("f", 7), ("f", 9), ("f", 10)]


@pytest.mark.parametrize("sets", [[], ["note=x"]])
def test_lines_that_are_all_delimiters_are_blank(read: Reader, sets: list[str]) -> None:
    rows = read("product,attribute,file\n,,\na,p,f\n , ,\n", sets=sets).rows
    assert [row.line for row in rows] == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(read: Reader, end: str) -> None:
    rows = read(end.join(("product,attribute,file", "a,p,f", "b,p,g", ""))).rows
    assert [(row.line, row.file) for row in rows] == [(2, "f"), (3, "g")]


def test_cells_are_trimmed_and_empty_ones_are_null(read: Reader) -> None:
    (row,) = read(
        " SKU , Attribute,FILE,Channel,locale,filename,Note\n a , p,\u00a0f.jpg,  ,, x.jpg , n \n"
    ).rows
    assert (row.target, row.attribute, row.file) == (Target(TargetType.PRODUCT, "a"), "p", "f.jpg")
    assert (row.scope, row.locale, row.filename) == (None, None, "x.jpg")
    assert row.extra == {"Note": "n "}  # what has no meaning is not ours to trim


@pytest.mark.parametrize(
    ("column", "target"),
    [
        ("identifier", Target(TargetType.PRODUCT, "x")),
        ("uuid", Target(TargetType.PRODUCT_UUID, "x")),
        ("Product UUID", Target(TargetType.PRODUCT_UUID, "x")),
        ("product-model", Target(TargetType.PRODUCT_MODEL, "x")),
        ("category", Target(TargetType.CATEGORY, "x")),
        ("pam_asset", Target(TargetType.PAM_ASSET, "x")),
        ("reference_entity", Target(TargetType.RECORD, "", "x")),
    ],
)
def test_targets_of_one_column(read: Reader, column: str, target: Target) -> None:
    (row,) = read(f"{column},attribute,file\nx,p,f\n").rows
    assert row.target == target
    assert row.problem is None


def test_targets_of_two_columns(read: Reader) -> None:
    rows = read("asset_family,asset,attribute,file\npack,a,media,f\npack,,media,f\n,a,media,f\n").rows
    assert rows[0].target == Target(TargetType.ASSET, "a", "pack")
    assert [row.problem and row.problem.message for row in rows[1:]] == [
        "the row names `asset_family` but no `asset`",
        "the row names `asset` but no `asset_family`",
    ]
    (record,) = read("reference_entity,record,attribute,file\nbrand,acme,logo,f\n").rows
    assert record.target == Target(TargetType.RECORD, "acme", "brand")
    (lost,) = read("record,attribute,file\nacme,logo,f\n").rows
    assert lost.problem is not None and lost.problem.kind is Kind.TARGET_MISSING


def test_what_belongs_to_no_attribute_needs_none(read: Reader) -> None:
    rows = read("reference_entity,record,pam_asset,file\nbrand,,,f\n,,a,f\nbrand,r,,f\n").rows
    assert [row.problem and row.problem.message for row in rows] == [None, None, "the row has no `attribute`"]


def test_rows_that_name_too_little_or_too_much(read: Reader) -> None:
    found = read(
        "product,product_model,attribute,file\n"
        "a,,p,f\n,m,p,f\na,m,p,f\n,,p,f\na,,,f\na,,p,\na\na,,p,f,more\na,,p,f,,\n"
    )
    assert found.kinds == [
        None,
        None,
        Kind.TARGET_AMBIGUOUS,
        Kind.TARGET_MISSING,
        Kind.ROW_MALFORMED,
        Kind.ROW_MALFORMED,
        Kind.ROW_MALFORMED,
        Kind.ROW_MALFORMED,
        None,
    ]
    problems = [row.problem.message for row in found.rows if row.problem]
    assert problems[0] == "the row names more than one target: product, product_model"
    assert problems[2:] == [
        "the row has no `attribute`",
        "the row has no `file`",
        "the row has no `file` and `attribute`",
        "the line has 5 cells, the header 4",
    ]
    assert all(row.problem.hint for row in found.rows if row.problem)


def test_a_slip_of_a_column_is_told_once(read: Reader) -> None:
    found = read("product,atribute,file,local,season\n" + "a,p,f,fr_FR,spring\n" * 3)
    assert len(found.notes) == 2
    assert "`atribute`" in found.notes[0] and "Did you mean `attribute`?" in found.notes[0]
    assert "`local`" in found.notes[1] and "Did you mean `locale`?" in found.notes[1]
    assert found.rows[0].extra == {"atribute": "p", "local": "fr_FR", "season": "spring"}
    assert found.rows[0].problem is not None
    assert "Did you mean `attribute` by `atribute`?" in found.rows[0].problem.hint


def test_a_slip_beside_the_right_column_is_told_too(read: Reader) -> None:
    found = read("sku,attribute,locale,file,local,atribute,season\na,p,,f,fr_FR,q,spring\n")
    assert found.kinds == [None]
    assert [note.partition(" | ")[2] for note in found.notes] == [
        "Did you mean `locale`? There is `locale` as well.",
        "Did you mean `attribute`? There is `attribute` as well.",
    ]
    (note,) = read('[{"product": "a", "attribute": "p", "file": "f", "produkt": 1}]', ".json").notes
    assert "`produkt`" in note and "There is `product` as well." in note


def test_unnamed_and_repeated_columns_are_carried(read: Reader) -> None:
    (row,) = read("product,,attribute,note,file,note,,\na,x,p,1,f,2,,\n").rows
    assert row.problem is None
    assert row.extra == {"column 2": "x", "note": "1", "note (6)": "2"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("product,sku,file\na,b,c\n", "`product` and `sku` both mean `product`"),
        ("product,attribute\na,b\n", "no column `file` (columns found: product, attribute)"),
        ("product,attribute,flie\na,p,f\n", "Did you mean `file` by `flie`?"),
        ("\n \n;;;\n", "no column `file`"),
        ("\n  \n", "is empty"),
        (",,,\n", "is empty"),
        ('product,attribute,file\na,p,"never closed\nb,p,f\n', "line 3: unexpected end of data"),
        ('product,attribute,file\na,p,"x" y\n', "line 2: "),
        (
            "sep=;\nproduct;attribute;file\na;p;" + "x" * (LONGEST + 1),
            "line 3: the record that begins there has more than",
        ),
        (
            "product,attribute,file," + "x" * (LONGEST + 1) + "\n",
            "line 1: the record that begins there has more than",
        ),
    ],
    ids=range(10),
)
def test_csv_that_cannot_be_used(read: Reader, content: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read(content)
    assert said in str(caught.value)
    assert caught.value.exit_status == 3
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["x" * (LONGEST - 100), "prose, with commas,\nand lines\n" * 10_000], ids=["longest", "prose"]
)
def test_a_long_cell_of_another_column_is_carried(read: Reader, text: str) -> None:
    found = read(f'product,attribute,file,description\na,p,f,"{text}"\nb,p,f,\n')
    assert found.kinds == [None, None]
    assert found.rows[0].extra == {"description": text}


OPENED = 'product,attribute,file,note\na,p,f,\nb,p,f,"inch\n'
SWALLOWED = "".join(f"sku-{n},picture,images/{n}.jpg,none\n" for n in range(6000))


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        # A second quote makes one cell of it all: nobody would miss the rows in it.
        (SWALLOWED + 'c,p,f,inch"\nd,p,f,\n', "line 6004: a cell"),
        (SWALLOWED + 'c,p,f,"x"\n', "line 6004: "),
        (SWALLOWED, "line 6003: unexpected end"),
        (SWALLOWED * 120, "line 3: the record that begins there has more than"),
    ],
    ids=["closed", "closed within a line", "never closed", "too long"],
)
def test_a_quote_that_is_not_closed_is_told_with_the_line_of_its_row(
    read: Reader, rest: str, said: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        read(OPENED + rest)
    assert said in caught.value.message
    assert "a quote" in caught.value.hint
    assert "from line 3 on" in caught.value.hint


def test_a_header_alone_is_nothing_to_do(read: Reader) -> None:
    found = read("product,attribute,file\n")
    assert found.rows == []
    assert "has no rows" in found.notes[0]


def test_file_names_that_text_cannot_carry(read: Reader) -> None:
    (row,) = read("product,attribute,file\na,p,file:caf%E9/%20x%0A.jpg\n").rows
    assert row.file == "caf\udce9/ x\n.jpg"
    (absolute,) = read("product,attribute,file\na,p,file:///srv/a%20b.jpg\n").rows
    assert absolute.file == "/srv/a b.jpg"


def test_control_characters_of_a_filename(read: Reader) -> None:
    (row,) = read('product,attribute,file,filename\na,p,f,"x\ny\x7f.jpg"\n').rows
    assert row.filename == "x_y_.jpg"


def test_the_short_way_and_the_long_way_agree(read: Reader) -> None:
    content = (
        "asset_family,asset,attribute,locale,scope,file,filename,note\n"
        " fam ,a, p,fr_FR,,x/y.jpg,,1\nfam,b,p,,web,file:%41,n\tm.jpg,\nfam,,p,,,f,,\n"
    )
    short, long = read(content).rows, read(content, sets=["filler=x"]).rows
    for row in long:
        assert row.extra.pop("filler") == "x"
    assert short == long
