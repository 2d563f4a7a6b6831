"""What tells that two rows send the same file under the same name."""

from __future__ import annotations

from pathlib import Path

from akeneo_media_cli.ledger import Share
from akeneo_media_cli.planning.contents import Contents, known_before
from akeneo_media_cli.storage.sources import Sources

from ..ledger.ledger_rows import planned


def test_contents_are_told_by_path_or_by_bytes_and_name(tmp_path: Path) -> None:
    for name, content in (("a", b"same"), ("b", b"same"), ("c", b"else")):
        (tmp_path / name).write_bytes(content)
    contents = Contents(Sources())

    def content(path: str, share: Share | None, name: str = "n.jpg") -> str | None:
        return contents.of(planned(1, path=str(tmp_path / path), name=name, share=share))

    assert content("a", None) is None
    assert content("a", Share.PATH) == content("a", Share.PATH) != content("b", Share.PATH)
    assert content("a", Share.BYTES) == content("b", Share.BYTES) != content("c", Share.BYTES)
    assert content("a", Share.BYTES) != content("b", Share.BYTES, "other.jpg")
    assert content("missing", Share.BYTES) is None
    (tmp_path / "a").write_bytes(b"read once")
    assert content("a", Share.BYTES) == content("b", Share.BYTES)


def test_what_is_known_from_before_has_the_names_that_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    here = {"path": str(tmp_path / "a"), "name": "n.jpg"}
    by_bytes = planned(1, share=Share.BYTES, media_code="c/1", sha256="x", **here)
    by_path = planned(2, share=Share.PATH, media_code="c/2", sha256="x", **here)
    undigested = planned(3, share=Share.PATH, media_code="c/3", **here)
    known = dict(known_before([undigested, by_bytes, by_path, planned(4, share=Share.PATH, **here)]))
    assert [k.code for k in known.values()] == ["c/1", "c/2"]
    assert Contents(Sources()).of(by_path) in known
