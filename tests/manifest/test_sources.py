"""Where manifests come from, their encodings, and what is no manifest."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from akeneo_media_cli.errors import ManifestError, UsageError
from akeneo_media_cli.manifest import Reading, read_manifests
from akeneo_media_cli.rows import Row

from .reading import Reader
from .sheets.test_sheets import rows_in

TEXT = "product,attribute,file,note\nä,p,œ.jpg,€\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"], ids=str
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_encodings(read: Reader, encoding: str, way: str) -> None:
    content = TEXT.encode(encoding)
    found = read(content) if way == "file" else read.files("-", format="csv", stdin=content)
    (row,) = found.rows
    assert (row.target and row.target.code, row.file, row.extra) == ("ä", "œ.jpg", {"note": "€"})
    assert bool(found.notes) is (encoding == "cp1252")
    if found.notes:
        assert "line 2 is not UTF-8" in found.notes[0] and "Windows-1252" in found.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".yaml", "- {product: ä, attribute: p, file: f}\n"),
        (".json", '[{"product": "ä", "attribute": "p", "file": "f"}]'),
        (".jsonl", '{"product": "ä", "attribute": "p", "file": "f"}\n'),
    ],
)
def test_encodings_of_other_formats(read: Reader, encoding: str, suffix: str, content: str) -> None:
    (row,) = read(content.encode(encoding), suffix).rows
    assert row.target is not None and row.target.code == "ä"


def test_one_odd_byte_far_down_makes_the_whole_windows_1252(read: Reader) -> None:
    lines = [f"s{i},p,f{i}.jpg" for i in range(60_000)] + ["s,p,caf\u00e9.jpg"]
    found = read("\n".join(["product,attribute,file", *lines]).encode("cp1252"))
    assert found.rows[-1].file == "café.jpg"
    assert "line 60002 is not UTF-8" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not text"),
        (b"PK\x03\x04\x14\0\0\0", "save the sheet as CSV"),
        (b"product,attribute,file\na,p,f\n" * 5000 + b"\0", "is not text"),
        (b"product,attribute,file\na\x81,p,f\n", "line 2 is neither UTF-8 nor Windows-1252"),
        ("product,attribute,file\na,p,f".encode("utf-16") + b"x", "line 2 is not valid UTF-16"),
        (b"\xff\xfea\0\0\0b\0", "is not text"),
    ],
)
def test_bytes_that_are_no_manifest(read: Reader, content: bytes, said: str) -> None:
    for way in (lambda: read(content), lambda: read.files("-", format="csv", stdin=content)):
        with pytest.raises(ManifestError) as caught:
            way()
        assert said in str(caught.value)


def test_a_manifest_that_is_not_there_names_the_nearest(read: Reader) -> None:
    (read.folder / "spring.csv").touch()
    with pytest.raises(ManifestError, match="no such file") as caught:
        read.files(str(read.folder / "sprng.csv"))
    assert "spring.csv" in caught.value.hint
    with pytest.raises(ManifestError) as caught:
        read.files(str(read.folder / "nowhere" / "x.csv"))
    assert "nowhere" in caught.value.hint and "does not exist either" in caught.value.hint
    with pytest.raises(ManifestError) as caught:
        read.files(str(read.folder / "qqqqqq"))
    assert caught.value.hint == "Check the path."


def test_a_folder_is_no_manifest(read: Reader) -> None:
    with pytest.raises(ManifestError, match="is a folder") as caught:
        read.files(str(read.folder))
    assert "scan" in caught.value.hint


def test_a_name_that_no_file_has(read: Reader) -> None:
    with pytest.raises(ManifestError, match="no file can have this name"):
        read.files("a\0b.csv")


def test_what_the_system_refuses(read: Reader) -> None:
    with pytest.raises(ManifestError, match="cannot be read: "):
        read.files(str(read.folder / ("x" * 300 + ".csv")))


def test_a_socket_is_no_manifest(tmp_path: Path, read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.csv")
        with pytest.raises(ManifestError, match="cannot be read"):
            read.files("s.csv")


def test_the_format_must_be_known(read: Reader) -> None:
    with pytest.raises(ManifestError, match="cannot infer the format"):
        read("x", ".numbers")
    with pytest.raises(UsageError, match="unknown format 'xml'"):
        read("x", format="xml")
    with pytest.raises(UsageError, match="named twice"):
        read.files("-", "-", format="csv")
    (row,) = read("product;attribute;file\na;p;f\n", ".weird", format="csv").rows
    assert row.file == "f"


def test_a_pipe_is_a_manifest(read: Reader) -> None:
    """As the shell makes one of `<(scan ...)`; a mapping needs it twice."""
    path = read.folder / "pipe.yaml"
    os.mkfifo(path)
    content = "uploads: [{product: a, file: f}]\ndefaults: {attribute: p}\n"
    writer = threading.Thread(target=path.write_text, args=(content,))
    writer.start()
    found = read.files(str(path))
    writer.join()
    assert found.rows[0].attribute == "p" and found.rows[0].problem is None


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_device_is_refused_and_not_copied(read: Reader) -> None:
    with pytest.raises(ManifestError, match="is not text"):
        read.files("/dev/zero", format="csv")


def test_several_manifests_are_one_stream(read: Reader) -> None:
    first, second = read.folder / "a.csv", read.folder / "b.json"
    first.write_text("product,attribute,file\na,p,f\n")
    second.write_text('{"root": "media", "uploads": [{"product": "b", "attribute": "p", "file": "g"}]}')
    found = read.files(str(first), str(second))
    assert [(row.manifest, row.line, row.root) for row in found.rows] == [
        (str(first), 2, None),
        (str(second), 1, str(read.folder / "media")),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "product,attribute,file\na,p,f\n",
        '\n"SKU"\tattribute\tfile\na\tp\tf\n',
        "sep=;\nproduct;attribute;file\na;p;f\n",
        '[{"product": "a", "attribute": "p", "file": "f"}]',
        ' {"uploads": [{"product": "a", "attribute": "p", "file": "f"}]}',
        '{\n "defaults": {"attribute": "p"},\n "uploads": [{"product": "a", "file": "f"}]}',
        '{"product": "a", "attribute": "p", "file": "f"}\n',
        '{"product": "a", "attribute": "p", "file": "f"}\n' * 20_000,
        "- product: a\n  attribute: p\n  file: f\n",
        "-\n  product: a\n  attribute: p\n  file: f\n",
        "# pictures\n\nuploads:\n- {product: a, attribute: p, file: f}\n",
        "---\n[{product: a, attribute: p, file: f}]\n",
        "%YAML 1.1\n---\n- {product: a, attribute: p, file: f}\n",
        "defaults: {attribute: p}\nuploads: [{product: a, file: f}]\n",
        "root: .\nuploads: [{product: a, attribute: p, file: f}]\n",
        rows_in([["product", "attribute", "file"], ["a", "p", "f"]]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_standard_input_tells_its_format(read: Reader, content: str | bytes, encoding: str) -> None:
    written = content if isinstance(content, bytes) else content.encode(encoding)
    row = read.files("-", stdin=written).rows[0]
    assert (row.target and row.target.code, row.attribute, row.file, row.problem) == ("a", "p", "f", None)


@pytest.mark.parametrize(
    "content", [b"hello world\n", b"a,b,c\n1,2,3\n", b"<html>\n", b" \n\n", b"version: 1\n"]
)
def test_standard_input_that_tells_nothing(read: Reader, content: bytes) -> None:
    with pytest.raises(UsageError, match="the format of standard input cannot be recognized") as caught:
        read.files("-", stdin=content)
    assert "--format csv" in caught.value.hint


def test_a_mistake_in_standard_input_is_told_in_its_own_format(read: Reader) -> None:
    with pytest.raises(ManifestError, match="line 1, column 12: "):
        read.files("-", stdin=b'{"product" "a"}\n{"product": "a"}\n')
    with pytest.raises(ManifestError, match="Did you mean `file` by `fle`"):
        read.files("-", stdin=b"atribute,fle,x\na,b,c\n")
    with pytest.raises(ManifestError, match="is empty"):
        read.files("-")
    with pytest.raises(ManifestError, match="line 2, column 1: "):
        read.files("-", stdin=b"- {a\n")
    with pytest.raises(ManifestError, match="old spreadsheet"):
        read.files("-", stdin=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def test_a_sheet_of_standard_input(read: Reader) -> None:
    """Whether a sheet can be named is known when the format is."""

    def rows(stdin: bytes) -> list[Row]:
        return list(
            read_manifests(
                ["-"],
                format=None,
                sets=(),
                stdin=io.BytesIO(stdin),
                note=lambda *_: None,
                how=Reading(sheet="Bilder"),
            )
        )

    assert len(rows(rows_in([["product", "attribute", "file"], ["a", "p", "f"]]))) == 1
    with pytest.raises(UsageError, match="no manifest is a spreadsheet"):
        rows(b"product,attribute,file\na,p,f\n")


def test_standard_input_is_named_by_its_dash(read: Reader) -> None:
    (row,) = read.files("-", format="jsonl", stdin=b'{"product": "a", "attribute": "p", "file": "f"}\n').rows
    assert row.manifest == "-"
    (row,) = read.files(
        "-", format="yaml", stdin=b"root: media\nuploads: [{product: a, attribute: p, file: f}]"
    ).rows
    assert row.root == "media"


def test_a_manifest_that_changes_under_the_reader(read: Reader) -> None:
    path = read.folder / "m.csv"
    path.write_text("product,attribute,file\n" + "a,p,f\n" * 100_000)
    seen: list[Row] = []
    rows = read_manifests([str(path)], format=None, sets=[], stdin=sys.stdin.buffer, note=lambda m, h: None)
    seen.append(next(rows))
    with path.open("r+b") as file:
        file.seek(500_000)
        file.write(b"\xff\xff\xff")
    with pytest.raises(ManifestError, match="changed while it was read"):
        seen.extend(rows)


def test_slow_libraries_are_loaded_only_for_their_format(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("product,attribute,file\na,p,f\n")
    program = (
        "import sys\nfrom akeneo_media_cli.manifest import read_manifests\nimport akeneo_media_cli.storage\n"
        "list(read_manifests(['m.csv'], format=None, sets=[], stdin=sys.stdin.buffer, note=print))\n"
        "sys.exit(bool({'yaml', 'filetype', 'requests', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert done.returncode == 0


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    """Peak memory of a process that reads ten times as many rows is the same."""
    program = (
        "import resource, sys\nfrom akeneo_media_cli.manifest import read_manifests\n"
        "rows = read_manifests([sys.argv[1]], format=None, sets=['x=y'], stdin=None, note=print)\n"
        "print(sum(1 for _ in rows), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = {}
    for suffix, head, line, tail in (
        (".csv", "product,attribute,file\n", "sku-{},p,images/front-{}.jpg\n", ""),
        (".jsonl", "", '{{"product":"sku-{}","attribute":"p","file":"images/front-{}.jpg"}}\n', ""),
        (".json", "[", '{{"product":"sku-{}","attribute":"p","file":"images/front-{}.jpg"}},\n', "0]"),
        (".yaml", "", "- {{product: sku-{}, attribute: p, file: images/front-{}.jpg}}\n", ""),
    ):
        for count in (1_000, 20_000):
            path = tmp_path / f"m{count}{suffix}"
            path.write_text(head + "".join(line.format(i, i) for i in range(count)) + tail)
            done = subprocess.run(
                [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
            )
            rows, peaks[count] = map(int, done.stdout.split())
            assert rows >= count
        assert peaks[20_000] < peaks[1_000] + 3_000, suffix  # kilobytes
