"""The download job: what values hold comes into the rows' files, and media files by their codes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import AccessError, Kind
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.jobs.download import (
    Download,
    code_rows,
    mark_of,
    name_in_code,
    placed_rows,
    sharing_names,
)
from akeneo_media_cli.jobs.options import DownloadOptions
from akeneo_media_cli.planning.options import ManifestOptions
from akeneo_media_cli.rows import Status

from .desk import Desk, Ended

HEAD = "product,attribute,file"
FETCH = "GET /media-files/{code}/download"
New = Callable[[], str]


def downloaded(desk: Desk, manifest: ManifestOptions, **options: Any) -> Ended:
    asked = DownloadOptions(manifest, **options)
    return desk.run("download", Download, asked, lambda note: placed_rows(manifest, io.BytesIO(), note))


def fetched(desk: Desk, to: Path, *codes: str, **options: Any) -> Ended:
    """Media files by their codes."""
    asked = DownloadOptions(ManifestOptions(()), to=to, **options)
    return desk.run("media download", Download, asked, lambda _: code_rows(codes))


def held(desk: Desk, *products: str) -> dict[str, bytes]:
    """Products get a picture each, whose file is not kept: its bytes."""
    manifest = desk.manifest(HEAD, *(f"{code},picture,{desk.file(code)}" for code in products))
    assert desk.upload(manifest).status is Exit.OK
    found = {code: (desk.folder / f"{code}.jpg").read_bytes() for code in products}
    for code in products:
        (desk.folder / f"{code}.jpg").unlink()
    return found


def test_files_come_whole_into_their_folders_once(desk: Desk, new: New) -> None:
    content = held(desk, new(), new(), new())
    manifest = desk.manifest(HEAD, *(f"{code.upper()},picture,to/{code}/a.jpg" for code in content))
    done = downloaded(desk, manifest)
    assert (done.status, done.statuses()) == (Exit.OK, {"downloaded": 3})
    assert {code: (desk.folder / f"to/{code}/a.jpg").read_bytes() for code in content} == content
    assert done.summary["bytes_received"] == sum(map(len, content.values()))
    assert [planned.sha256 for planned in done.rows] == [desk.sha256(code) for code in content]
    assert all(planned.notes for planned in done.rows), "the products are spelled otherwise in the PIM"
    with desk.counted() as made:
        again = downloaded(desk, manifest)
    assert (again.status, again.statuses()) == (Exit.OK, {"unchanged": 3})
    assert made[FETCH] == 0


def test_models_and_their_variants_come_too(desk: Desk) -> None:
    lines = ["product,product_model,attribute,file", ",m-1,picture_4,m.jpg", "v-4,,shot,v.jpg"]
    content = {f"{name}.jpg": (desk.folder / desk.file(name)).read_bytes() for name in ("m", "v")}
    manifest = desk.manifest(*lines)
    assert desk.upload(manifest).statuses() == {"uploaded": 2}
    for name in content:
        (desk.folder / name).unlink()
    assert downloaded(desk, manifest).statuses() == {"downloaded": 2}
    assert {name: (desk.folder / name).read_bytes() for name in content} == content


def test_a_file_of_other_content_is_only_replaced_where_that_is_asked_for(desk: Desk, new: New) -> None:
    content = held(desk, new(), new())
    mine, same = content
    (desk.folder / f"{mine}.jpg").write_bytes(b"mine")
    (desk.folder / f"{same}.jpg").write_bytes(content[same])
    manifest = desk.manifest(HEAD, *(f"{code},picture,{code}.jpg" for code in content))
    done = downloaded(desk, manifest)
    assert (done.status, done.statuses()) == (Exit.ROWS_FAILED, {"failed": 1, "unchanged": 1})
    assert done.kinds() == {2: Kind.FILE_EXISTS}
    assert (desk.folder / f"{mine}.jpg").read_bytes() == b"mine"
    done = downloaded(desk, manifest, overwrite=True)
    assert done.statuses() == {"downloaded": 1, "unchanged": 1}
    assert (desk.folder / f"{mine}.jpg").read_bytes() == content[mine]
    names = {path.name for path in desk.folder.iterdir()}
    assert names >= {f"{mine}.jpg", f"{same}.jpg", "manifest.csv"}
    assert not [name for name in names if name.endswith((".part", ".tmp"))]


def test_rows_that_name_no_file_or_no_place_are_told(desk: Desk, new: New) -> None:
    code = new()
    held(desk, code)
    manifest = desk.manifest(
        HEAD,
        f"{code},picture,good.jpg",
        f"{new()},picture,empty.jpg",
        "nobody,picture,b.jpg",
        f"{code},name,c.jpg",
        f"{code},picture_1,../out.jpg",
        f"{code},picture_2,https://example.com/a.jpg",
        ",picture,d.jpg",
    )
    done = downloaded(desk, manifest)
    assert done.status is Exit.ROWS_FAILED
    assert done.statuses() == {"downloaded": 1, "missing": 1, "invalid": 5}
    assert done.kinds() == {
        3: Kind.VALUE_MISSING,
        4: Kind.TARGET_UNKNOWN,
        5: Kind.ATTRIBUTE_NOT_MEDIA,
        6: Kind.OUTSIDE_ROOT,
        7: Kind.ROW_MALFORMED,
        8: Kind.TARGET_MISSING,
    }
    assert sorted(path.name for path in desk.folder.glob("*.jpg")) == ["good.jpg"]
    assert not (desk.folder.parent / "out.jpg").exists()


def test_two_values_for_one_file_do_not_take_it_from_each_other(desk: Desk, new: New) -> None:
    one, two, same = new(), new(), new()
    content = held(desk, one, two)
    value = desk.value(one)
    assert value is not None
    desk.put(same, value["media_code"])
    manifest = desk.manifest(HEAD, *(f"{code},picture,x.jpg" for code in (one, two, same)))
    with desk.counted() as made:
        done = downloaded(desk, manifest, overwrite=True, concurrency=1)
    assert [planned.status for planned in done.rows] == [Status.DOWNLOADED, Status.FAILED, Status.UNCHANGED]
    assert done.kinds() == {3: Kind.FILE_EXISTS}
    assert (desk.folder / "x.jpg").read_bytes() == content[one]
    assert made[FETCH] == 2


def test_a_file_that_is_not_as_long_as_the_pim_says_is_not_kept(desk: Desk, new: New) -> None:
    code = new()
    held(desk, code)
    value = desk.value(code)
    assert value is not None
    stored = desk.sandbox.store.media.path(value["media_code"])
    desk.sandbox.inside(lambda: stored.write_bytes(b"cut"))
    done = downloaded(desk, desk.manifest(HEAD, f"{code},picture,x.jpg"))
    assert (done.status, done.kinds()) == (Exit.ROWS_FAILED, {2: Kind.VALUE_DIFFERS})
    assert [path.name for path in desk.folder.glob("*x.jpg*")] == []


def test_a_folder_that_is_a_file_fails_its_row(desk: Desk, new: New) -> None:
    code = new()
    held(desk, code)
    (desk.folder / "taken").write_bytes(b"a file")
    done = downloaded(desk, desk.manifest(HEAD, f"{code},picture,taken/x.jpg"))
    assert (done.status, done.kinds()) == (Exit.ROWS_FAILED, {2: Kind.FILE_UNWRITABLE})


def test_trouble_is_retried_and_a_pim_that_is_down_leaves_rows_pending(desk: Desk, new: New) -> None:
    code = new()
    content = held(desk, code)
    manifest = desk.manifest(HEAD, f"{code},picture,x.jpg")
    desk.order("redirect@media-files")
    done = downloaded(desk, manifest, retries=0)
    assert (done.status, done.statuses()) == (Exit.PENDING, {"pending": 1})
    assert not (desk.folder / "x.jpg").exists()
    desk.order("429-no-retry-after=1x@media-files")
    done = downloaded(desk, manifest)
    assert (done.statuses(), done.summary["retries"]) == ({"downloaded": 1}, 1)
    assert (desk.folder / "x.jpg").read_bytes() == content[code]


def test_what_the_pim_refuses_to_look_up_fails(desk: Desk, new: New) -> None:
    manifest = desk.manifest(HEAD, f"{new()},picture,x.jpg")
    desk.order("403-html=1@/products")
    done = downloaded(desk, manifest)
    assert (done.status, done.kinds()) == (Exit.ROWS_FAILED, {2: Kind.BLOCKED})
    desk.order()
    desk.become("sightless")
    done = downloaded(desk, manifest)
    assert (done.status, done.statuses()) == (Exit.REFUSED, {"pending": 1})
    assert isinstance(done.error, AccessError)


def test_only_the_rows_of_a_part_are_placed(desk: Desk) -> None:
    lines = [f"sku-{n},picture,{n}.jpg" for n in range(20)]
    manifest = desk.manifest(HEAD, *lines)
    parts = [
        [
            row.name
            for row in placed_rows(ManifestOptions(manifest.manifests, shard=(n, 2)), io.BytesIO(), print)
        ]
        for n in (1, 2)
    ]
    assert all(parts)
    assert sorted(parts[0] + parts[1]) == sorted(f"{n}.jpg" for n in range(20))


# By code.


def test_media_files_by_code_keep_their_names_and_get_apart(desk: Desk, new: New) -> None:
    one, two, three = new(), new(), new()
    for n, code in enumerate((one, two)):
        (desk.folder / str(n)).mkdir()
        (desk.folder / f"{n}/front.jpg").write_bytes((desk.folder / desk.file(code)).read_bytes())
    lines = [
        f"{one},picture,0/front.jpg",
        f"{two},picture,1/front.jpg",
        f"{three},picture,{desk.file(three)}",
    ]
    media = [str(row.media_code) for row in desk.upload(desk.manifest(HEAD, *lines)).rows]
    to = desk.folder / "to"
    done = fetched(desk, to, *media, media[0], "no/such/code.jpg", "/")
    assert done.statuses() == {"downloaded": 3, "failed": 2}
    assert [planned.failure.kind for planned in done.rows[3:] if planned.failure] == [Kind.MEDIA_UNKNOWN] * 2
    marked = f"front-{mark_of(media[1])}.jpg"
    names = {path.name: path.read_bytes() for path in to.iterdir()}
    assert set(names) == {"front.jpg", marked, f"{three}.jpg"}
    assert names["front.jpg"] == (desk.folder / "0/front.jpg").read_bytes()
    assert names[marked] == (desk.folder / "1/front.jpg").read_bytes()
    assert f"as {to / 'front.jpg'}" in done.rows[0].notes
    assert fetched(desk, to, *media).statuses() == {"unchanged": 3}
    # The order of the codes alone decides, not which file comes first, or comes at all.
    gone = f"0/0/0/0/{'0' * 40}_front.jpg"
    other = desk.folder / "other"
    assert fetched(desk, other, gone, media[1]).statuses() == {"downloaded": 1, "failed": 1}
    assert [path.name for path in other.iterdir()] == [marked]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (f"a/b/c/d/{'0' * 40}_front.jpg", "front.jpg"),
        ("a/b/odd_front.jpg", "odd_front.jpg"),
        ("plain.jpg", "plain.jpg"),
    ],
)
def test_the_name_that_a_code_ends_in(code: str, name: str) -> None:
    assert name_in_code(code) == name


def test_codes_whose_names_an_earlier_one_has() -> None:
    one, two, other = (f"a/{n * 40}_{name}" for n, name in (("1", "x.jpg"), ("2", "X.JPG"), ("3", "y.jpg")))
    assert sharing_names([one, other, two]) == {two}
    assert sharing_names([two, one]) == {one}
    assert mark_of(one) == "11111111"
    assert len(mark_of("odd")) == 8
    assert mark_of("odd") != mark_of("even")
