"""Whatever bytes a manifest has: rows or a `ManifestError`, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akeneo_media_cli.errors import ManifestError
from akeneo_media_cli.storage import FileRoots, check_file

from .reading import Reader

SEEDS = {
    "csv": b'product,attribute,file,locale\na,p,f,"x"\n;|\t\r\n',
    "tsv": b"sku\tattribute\tfile\na\tp\tf\n",
    "yaml": b"defaults: &d {attribute: p}\nroot: x\nuploads:\n- {<<: *d, product: 1, file: 'f'}\n- ? [a]\n",
    "json": b'{"defaults": {"a": 1e5}, "root": null, "uploads": [{"product": "\\ud800", "file": "f"}, []]}',
    "jsonl": b'{"product": "a", "attribute": true, "file": "file:%FF%00"}\n[1]\n',
}


def pieces(seed: bytes) -> st.SearchStrategy[bytes]:
    """Mixtures of what the format's own grammar knows with anything at all."""
    words = [seed[i : i + n] for n in (1, 3, 8) for i in range(0, len(seed), n)]
    noise = st.one_of(
        st.sampled_from(words), st.binary(max_size=4), st.sampled_from([b"\xff\xfe", b"\xef\xbb\xbf", b"\0"])
    )
    return st.one_of(
        st.binary(max_size=64),
        st.lists(noise, max_size=40).map(b"".join),
        st.tuples(st.integers(0, len(seed)), st.lists(noise, max_size=4).map(b"".join)).map(
            lambda cut: seed[: cut[0]] + cut[1] + seed[cut[0] :]
        ),
    )


@pytest.mark.fuzz
@pytest.mark.parametrize("format", sorted(SEEDS))
@given(data=st.data())
def test_any_bytes(format: str, data: st.DataObject) -> None:
    content = data.draw(pieces(SEEDS[format]))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = Reader(Path(folder))(content, f".{format}", sets=["attribute={stem}"])
        except ManifestError as error:
            assert error.message
            str(error).encode("utf-8")
            return
        roots = FileRoots()
        for row in found.rows:
            # What a row says is shown, stored and compared with the file system.
            check_file(row, roots)
            assert row.problem is not None or (row.target is not None and row.file)
            for text in (row.target and row.target.code, row.attribute, row.locale, row.scope, row.filename):
                (text or "").encode("utf-8")
        assert [row.line for row in found.rows] == sorted({row.line for row in found.rows})
