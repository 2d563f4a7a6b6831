"""What names say: patterns, regular expressions, and the walk through a folder."""

from __future__ import annotations

import io
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import UsageError
from akeneo_media_cli.manifest import read_manifests
from akeneo_media_cli.manifest.filters import Filter
from akeneo_media_cli.manifest.scan import Scan, Unmatched, Walk
from akeneo_media_cli.manifest.write import WRITABLE, write_rows
from akeneo_media_cli.rows import Row


def scan(folder: Path, *patterns: str, walk: dict[str, bool] | None = None, **more: Any) -> Found:
    found = Scan(patterns=patterns, note=lambda *_: None, **more)
    return Found(found, Walk(str(folder), **(walk or {})))


class Found:
    """The rows as tuples, and what did not fit."""

    def __init__(self, scan: Scan, walk: Walk) -> None:
        self.walk = walk
        self.columns = scan.columns
        self.all = list(scan.rows(walk, ""))
        self.rows = [row for row in self.all if isinstance(row, Row)]
        self.unfit = {item.path: item.reason for item in self.all if isinstance(item, Unmatched)}

    @property
    def values(self) -> list[tuple[str, str, str]]:
        return [(str(row.target), row.attribute, row.file) for row in self.rows]


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


USUAL = "{product}_{attribute}.{ext}"


def test_a_name_is_cut_at_its_last_separators(tmp_path: Path) -> None:
    found = scan(touch(tmp_path, "a_1_picture.jpg", "b.c_picture.tar.gz"), USUAL)
    assert found.values == [
        ("product a_1", "picture", "a_1_picture.jpg"),
        ("product b.c", "picture.tar", "b.c_picture.tar.gz"),
    ]


def test_folders_are_counted_from_the_file(tmp_path: Path) -> None:
    touch(tmp_path, "2026/spring/sku-1/front.jpg", "sku-2/front.jpg", "front.jpg")
    found = scan(tmp_path, "{product}/{attribute}.{ext}")
    assert [v[0] for v in found.values] == ["product sku-1", "product sku-2"]
    assert list(found.unfit) == ["front.jpg"]
    assert "no '/' after {product}" in found.unfit["front.jpg"]
    # From the top, if the pattern says so.
    found = scan(tmp_path, "/{product}/{attribute}.{ext}")
    assert [v[0] for v in found.values] == ["product sku-2"]


def test_locale_scope_and_number(tmp_path: Path) -> None:
    names = ("a_x_zh-hans-cn_mobile.jpg", "b_y_fr_FR_web.jpg", "c_z_french_web.jpg")
    found = scan(touch(tmp_path, *names), "{sku}_{attribute}_{locale}_{channel}.{ext}")
    assert [(r.locale, r.scope) for r in found.rows] == [("zh_Hans_CN", "mobile"), ("fr_FR", "web")]
    assert "no {locale} after '_'" in found.unfit[names[2]]
    sub = touch(tmp_path / "n", "a-007.jpg", "b-10.jpg", "c-00.jpg")
    numbered = scan(sub, "{product}-{n}.{ext}", sets=["attribute=picture_{n}"])
    assert [r.attribute for r in numbered.rows] == ["picture_7", "picture_10", "picture_0"]
    assert numbered.columns == ("product", "attribute", "file", "n")


def test_an_attribute_begins_with_a_letter_where_it_can(tmp_path: Path) -> None:
    touch(tmp_path, "a-1_picture_2.jpg", "b_1_picture.jpg", "c_3.jpg")
    notes: list[str] = []
    found = Scan(patterns=[USUAL], note=lambda message, hint: notes.append(message))
    rows = [row for row in found.rows(Walk(str(tmp_path)), "") if isinstance(row, Row)]
    assert [(str(r.target), r.attribute) for r in rows] == [
        ("product a-1", "picture_2"),
        ("product b_1", "picture"),
        ("product c", "3"),
    ]
    assert not notes


def test_a_name_that_may_be_cut_in_two_ways_is_told_once(tmp_path: Path) -> None:
    touch(tmp_path, "a_main_image.jpg", "b_main_image.jpg")
    notes: list[str] = []

    def note(message: str, hint: str) -> None:
        notes.append(message)

    rows = Scan(patterns=[USUAL], note=note).rows(Walk(str(tmp_path)), "")
    assert [row.attribute for row in rows if isinstance(row, Row)] == ["image", "image"]
    assert notes == ["a_main_image.jpg is ambiguous: product is taken as 'a_main', not as 'a'"]
    settled = Scan(patterns=[USUAL], renamed=["main_image=main_image"], note=note)
    rows = settled.rows(Walk(str(tmp_path)), "")
    assert [row.attribute for row in rows if isinstance(row, Row)] == ["main_image", "main_image"]
    assert len(notes) == 1


def test_map_says_where_a_name_is_cut(tmp_path: Path) -> None:
    touch(tmp_path, "a_FRONT.jpg", "a_side_view.jpg", "a_other.jpg", "a_view.jpg")
    found = scan(tmp_path, USUAL, renamed=["front=picture", "view=shot", "side_view=picture_2"])
    assert [(str(r.target), r.attribute) for r in found.rows] == [
        ("product a", "picture"),
        ("product a", "other"),
        ("product a_side", "shot"),
        ("product a", "shot"),
    ]


def test_case_matters_only_if_asked(tmp_path: Path) -> None:
    touch(tmp_path, "IMG_a_Front.JPG")
    pattern = "img_{product}_{attribute}.jpg"
    assert scan(tmp_path, pattern, renamed=["front=p"]).rows[0].attribute == "p"
    assert not scan(tmp_path, pattern, renamed=["front=p"], case=True).rows
    exact = scan(tmp_path, "IMG_{product}_{attribute}.JPG", renamed=["front=p"], case=True)
    assert exact.rows[0].attribute == "Front"


def test_patterns_are_tried_in_order_and_the_nearest_explains(tmp_path: Path) -> None:
    touch(tmp_path, "a_b.jpg", "c-d.jpg", "e.jpg")
    found = scan(tmp_path, USUAL, "{product}-{attribute}.{ext}", regexes=[r"(?P<product>q)(?P<attribute>.)"])
    assert [str(r.target) for r in found.rows] == ["product a", "product c"]
    assert found.unfit["e.jpg"] == f"no '_' after {{product}} ({USUAL})"


def test_a_field_used_twice_must_say_the_same(tmp_path: Path) -> None:
    found = scan(touch(tmp_path, "a/a_p.jpg", "a/b_p.jpg"), "{product}/{product}_{attribute}.{ext}")
    assert [v[2] for v in found.values] == ["a/a_p.jpg"]
    assert list(found.unfit) == ["a/b_p.jpg"]


def test_regular_expressions(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.front.jpg", "a.jpg")
    found = scan(
        tmp_path,
        regexes=[r"(?P<product>\w+)\.(?P<attribute>\w+)(?:\.(?P<locale>\w+))?\.jpg"],
        renamed=["front=p"],
    )
    assert found.values == [("product a", "p", "x/a.front.jpg")]
    assert found.rows[0].locale is None
    assert "does not match" in found.unfit["a.jpg"]


def test_any_target_and_columns_of_ones_own(tmp_path: Path) -> None:
    touch(tmp_path, "packshots/a-1 IMG 3.jpg")
    found = scan(
        tmp_path,
        "{asset_family}/{asset} {any}.{ext}",
        "{asset_family}/{asset}.{ext}",
        sets=["attribute=media"],
    )
    assert [str(r.target) for r in found.rows] == ["asset packshots a-1 IMG"]
    mine = scan(tmp_path, "{season}/{product} {any}.{ext}", sets=["attribute=p", "note=by {season}"])
    assert mine.rows[0].extra == {"season": "packshots", "note": "by packshots"}
    assert mine.columns == ("product", "attribute", "file", "note", "season")


def test_what_cannot_be_a_code_is_told(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/sk\xe9_p.jpg", os.O_CREAT | os.O_WRONLY))
    touch(tmp_path, "a\nb_p.jpg", " _p.jpg", "x_ p .jpg")
    found = scan(tmp_path, USUAL)
    assert [(str(r.target), r.attribute) for r in found.rows] == [("product x", "p")]
    assert "control characters" in found.unfit["a\nb_p.jpg"]
    assert "blank" in found.unfit[" _p.jpg"]
    # A name that is only a file's is no code, and goes into a manifest as it is.
    assert len(scan(tmp_path, "{any}.{ext}", sets=["product=a", "attribute=p"]).rows) == 4


def test_a_set_that_lacks_what_it_needs(tmp_path: Path) -> None:
    found = scan(touch(tmp_path, "a.jpg"), "{product}.{ext}", sets=["attribute={nothing}"])
    assert "needs `nothing`" in found.unfit["a.jpg"]


@pytest.mark.parametrize(
    ("patterns", "more", "why"),
    [
        ([], {}, "no pattern"),
        (["{product"], {}, "expected '}'"),
        (["{product}{attribute}.jpg"], {}, "there is nothing between {product} and {attribute}"),
        (["x.jpg"], {}, "no field"),
        (["{}_{product}"], {}, "a column's name"),
        (["{product!r}"], {}, "a column's name"),
        (["{file}.jpg"], {}, "what is matched"),
        (["{a}_{b}_{c}_{d}_{product}_{attribute}"], {}, "cannot be told apart"),
        (["{attribute}.jpg"], {}, "what the files are for"),
        (["{product}.jpg"], {}, "does not say the attribute"),
        ([USUAL], {"renamed": ["front"]}, "NAME=ATTRIBUTE"),
        ([USUAL], {"renamed": ["front=a", "FRONT=b"]}, "twice"),
        ([USUAL], {"sets": ["nonsense"]}, "KEY=VALUE"),
        ([], {"regexes": ["(?P<product>"]}, "not a regular expression"),
        ([], {"regexes": [r"\w+"]}, "no named group"),
        ([], {"regexes": ["(?P<product>a)(?P<sku>b)(?P<attribute>c)"]}, "two groups"),
    ],
)
def test_what_cannot_be_meant(patterns: list[str], more: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        scan(tmp_path, *patterns, **more)
    assert why in str(caught.value)


def test_a_hostile_name_costs_no_time(tmp_path: Path) -> None:
    touch(tmp_path, "a_" * 120 + "b")
    began = time.process_time()
    found = scan(tmp_path, "{product}_{attribute}_{x}_{y}_{n}.jpg")
    assert time.process_time() - began < 30
    assert found.unfit


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{product}_{attribute}_{any}_{season}_{scope}x.{ext}", "a_" * 120 + ".png"),
        ("{product}_{x1}_{x2}/{attribute}_{y1}_{y2}x.{ext}", "a_" * 100 + "/" + "a_" * 100 + ".png"),
        ("{product}S{attribute}s{any}S{season}s{scope}x.{ext}", "aS\u017f" * 60 + ".png"),
    ],
)
def test_a_name_that_could_be_cut_in_millions_of_ways(pattern: str, name: str, tmp_path: Path) -> None:
    """Five fields in one part took twenty seconds a file, three in each of two parts a minute."""
    start = time.monotonic()
    found = scan(touch(tmp_path, name, "b/a_b_c/d_e_f_x.png"), pattern)
    assert time.monotonic() - start < 5
    assert "split in more than 1,000,000 ways" in found.unfit[name]


def test_many_fields_are_no_trouble_in_ordinary_names(tmp_path: Path) -> None:
    name = "shoes_2026/en_US/a_b_c_d_picture_web_large.2.png"
    pattern = "{range}_{season}/{locale}/{product}_{attribute}_{scope}_{any}.{n}.{ext}"
    (row,) = scan(touch(tmp_path, name), pattern).rows
    assert (str(row.target), row.attribute, row.scope) == ("product a_b_c_d", "picture", "web")


def test_hidden_and_system_files_links_and_pipes_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a_p.jpg", ".h_p.jpg", "Thumbs.db", ".git/x_p.jpg", "__MACOSX/x_p.jpg", "~$a_p.jpg")
    (tmp_path / "link_p.jpg").symlink_to("a_p.jpg")
    (tmp_path / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe_p.jpg")
    found = scan(tmp_path, USUAL)
    assert [row.file for row in found.rows] == ["a_p.jpg"]
    assert not found.unfit
    assert (found.walk.links, found.walk.special) == (2, 1)


def test_links_are_followed_if_asked_and_never_in_circles(tmp_path: Path) -> None:
    inner = touch(tmp_path / "in", "a_p.jpg", "deep/b_p.jpg")
    (inner / "deep" / "back").symlink_to(inner)
    (inner / "also").symlink_to(inner / "deep")
    (inner / "gone_p.jpg").symlink_to("nowhere")
    found = scan(inner, USUAL, walk={"follow_links": True})
    assert [row.file for row in found.rows] == ["a_p.jpg", "also/b_p.jpg", "deep/b_p.jpg"]
    assert found.walk.links == 1


def test_not_below_if_not_asked(tmp_path: Path) -> None:
    touch(tmp_path, "a_p.jpg", "b/c_p.jpg")
    assert [r.file for r in scan(tmp_path, USUAL, walk={"recursive": False}).rows] == ["a_p.jpg"]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Nobody, not even root, can open a path of more than 4,096 bytes."""
    touch(tmp_path, "a_p.jpg")
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(20):
            Path("d" * 250).mkdir()
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    found = scan(tmp_path, USUAL)
    assert [r.file for r in found.rows] == ["a_p.jpg"]
    ((_, why),) = found.walk.unreadable
    assert why == "File name too long"
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "gone", USUAL)


def test_a_folder_deeper_than_any_stack(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
        Path("a_p.jpg").write_bytes(b"x")
        os.chdir(here)
        assert scan(tmp_path, USUAL).rows
    finally:
        os.chdir(here)
        # Neither pytest nor shutil could take it away.
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


# No slash or NUL: nothing that a file's name cannot be.
NAMES = st.binary(min_size=1, max_size=40).map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"_"))


@pytest.mark.parametrize("format", WRITABLE)
@given(raw=st.lists(NAMES, max_size=6))
def test_rows_of_any_names_read_back_the_same(
    format: str, raw: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("names")
    for name in raw:
        path = os.fsencode(folder) + b"/" + name.lstrip(b".") + b"_a"
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    found = scan(folder, "{product}_{attribute}", "{any}", sets=["product=p", "attribute=q"])
    assert len(found.rows) + len(found.unfit) == len(list(Walk(str(folder)).files()))
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding="utf-8", newline="")
    write_rows(found.rows, format, out, columns=found.columns)
    out.flush()
    written.seek(0)
    back = read_manifests(["-"], format=format, sets=(), stdin=written, note=lambda *_: None)
    if found.rows or format != "jsonl":  # no rows are no lines, and that is no manifest
        plain = [(r.target, r.attribute, r.locale, r.scope, r.file, r.filename) for r in back]
        assert plain == [(r.target, r.attribute, r.locale, r.scope, r.file, r.filename) for r in found.rows]


# Numbers, names of attributes, and what is left behind in folders.


def test_a_default_for_a_number_that_a_name_does_not_have(tmp_path: Path) -> None:
    touch(tmp_path, "SKU.jpg", "SKU_2.jpg", "A_1_x.jpg", "B_03.png")
    found = scan(tmp_path, "{product}_{n=1}.{ext}", sets=["attribute=picture_{n}"])
    assert found.values == [
        ("product A_1_x", "picture_1", "A_1_x.jpg"),
        ("product B", "picture_3", "B_03.png"),
        ("product SKU", "picture_1", "SKU.jpg"),
        ("product SKU", "picture_2", "SKU_2.jpg"),
    ]
    both = scan(tmp_path, "{product}_{n}.{ext}", "{product}.{ext}", sets=["n=1", "attribute=picture_{n}"])
    assert both.values == found.values
    within = scan(
        touch(tmp_path / "in", "SKU/front.jpg", "SKU/front-2.jpg"),
        "{product}/{attribute}-{n=1}.{ext}",
        renamed=["front=picture_{n}"],
    )
    assert [row.attribute for row in within.rows] == ["picture_2", "picture_1"]


@pytest.mark.parametrize(
    "pattern",
    [
        *("{product}_{locale=en}.jpg", "{n=1}_{product}.jpg", "{product}_{n=1}_{n=2}.jpg"),
        *("{product}_{n=x}.jpg", "{product}{n=1}.jpg"),
    ],
)
def test_a_default_is_for_one_number_after_some_text(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UsageError, match="--pattern"):
        scan(tmp_path, pattern, sets=["attribute=p"])


def test_map_may_name_what_the_pattern_found(tmp_path: Path) -> None:
    touch(tmp_path, "a_front_2.jpg", "a_front.jpg", "a_back_1.jpg")
    found = scan(
        tmp_path,
        "{product}_{attribute}_{n}.{ext}",
        "{product}_{attribute}.{ext}",
        renamed=["front=picture_{n}", "back=back"],
    )
    assert found.values == [
        ("product a", "back", "a_back_1.jpg"),
        ("product a", "picture_2", "a_front_2.jpg"),
    ]
    assert "needs what the name does not say: 'n'" in found.unfit["a_front.jpg"]
    for bad in ("front={", "front={n:2}", "front={n!r}", "front={}", "front={n.x}"):
        with pytest.raises(UsageError, match="--map"):
            scan(tmp_path, USUAL, renamed=[bad])


def test_a_name_that_map_knows_decides_between_patterns(tmp_path: Path) -> None:
    touch(tmp_path, "a_b-front.jpg", "c_front.jpg", "d_side.jpg")
    found = scan(tmp_path, USUAL, "{product}-{attribute}.{ext}", renamed=["front=picture"])
    assert [(str(row.target), row.attribute) for row in found.rows] == [
        ("product a_b", "picture"),
        ("product c", "picture"),
        ("product d", "side"),
    ]


LEFT_BEHIND = (
    *(
        "a_picture.jpg~",
        "a_picture.jpg.bak",
        "a_picture.tmp",
        "a_picture.jpg.part",
        "a_picture.jpg.crdownload",
    ),
    *(
        "a_picture.jpg.icloud",
        "._a_picture.jpg",
        "Thumbs.db",
        "desktop.ini",
        "Picasa.ini",
        "~$a_picture.docx",
    ),
    *(".DS_Store", "a_picture.jpg.lnk", "#a_picture.jpg#", "a_picture.xmp", "@eaDir/a_picture.jpg"),
    *("__MACOSX/a_picture.jpg", ".hidden/a_picture.jpg", "a_picture.SWP"),
)


def test_what_programs_leave_behind_is_left_out_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a_picture.jpg", *LEFT_BEHIND)
    found = scan(tmp_path, USUAL)
    assert [row.file for row in found.rows] == ["a_picture.jpg"]
    assert (found.walk.leftovers, found.unfit) == (len(LEFT_BEHIND), {})


@pytest.mark.parametrize(
    ("include", "exclude", "files"),
    [
        (["*.bak"], [], ["a_picture.bak", "a_picture.jpg", "b/c_picture.jpg"]),
        ([], ["*.jpg"], []),
        ([], ["b/"], ["a_picture.jpg"]),
        ([], ["/b/*"], ["a_picture.jpg"]),
        ([], ["/c_picture.jpg"], ["a_picture.jpg", "b/c_picture.jpg"]),
        ([], ["C_PICTURE.*"], ["a_picture.jpg"]),
        (["c_*"], ["*"], ["b/c_picture.jpg"]),
        ([], ["[!a]_*", "{x,y}*"], ["a_picture.jpg"]),
        (["d/.e/**"], ["*.jpg"], ["d/.e/f_picture.jpg"]),
    ],
)
def test_globs_decide_otherwise(
    tmp_path: Path, include: list[str], exclude: list[str], files: list[str]
) -> None:
    touch(tmp_path, "a_picture.jpg", "a_picture.bak", "b/c_picture.jpg", "d/.e/f_picture.jpg")
    walk = Walk(str(tmp_path), filter=Filter(include, exclude))
    found = Found(Scan(patterns=[USUAL], note=lambda *_: None), walk)
    assert [row.file for row in found.rows] == files
    assert walk.excluded == len([f for f in ("a_picture.jpg", "b/c_picture.jpg") if f not in files])


@pytest.mark.parametrize("bad", ["", "/", "[z-a]"])
def test_a_glob_must_be_one(bad: str) -> None:
    with pytest.raises(UsageError, match="--exclude"):
        Filter((), [bad])
