"""Old and new picture side by side."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from akeneo_media_cli.report.changes import changes, in_words
from akeneo_media_cli.report.items import Report
from akeneo_media_cli.report.page.gallery import gallery

from .samples import item
from .samples import report as report_of


def picture(colour: str) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(out, "PNG")
    return out.getvalue()


def changing(tmp_path: Path) -> Report:
    (tmp_path / "new.png").write_bytes(picture("red"))
    before = {"media_code": "a/b_old.png", "name": "old.png", "size": 100}
    manual = {"media_code": "a/b_old.pdf", "name": "old.pdf", "size": 100}
    items = [
        item(1, "planned", change="replace", before=before, file="new.png"),
        item(2, "planned", change="new", before=None, file="new.png"),
        item(3, "planned", change="replace", before=manual, file="<b>.pdf"),
        item(4, "unchanged", change="none", before=before),
    ]

    def earlier(one: Mapping[str, Any], code: str) -> bytes | None:
        return picture("blue") if code.endswith(".png") else b"%PDF-1.7"

    return replace(
        report_of(*items),
        preview=500,
        earlier=earlier,
        locate=lambda one: str(tmp_path / "new.png") if one["file"] == "new.png" else None,
    )


def test_each_change_shows_what_was_and_what_will_be(tmp_path: Path) -> None:
    page = "".join(gallery(changing(tmp_path)))
    assert page.count("<article") == 3
    assert page.count("data:image/webp;base64,") == 3
    assert page.count("300 x 200") == 3
    assert page.count(">empty</span>") == 1
    assert page.count(">PDF</span>") == 2, "what is no picture is shown by its type"
    assert "<b>.pdf" not in page.replace("<b>&lt;b&gt;.pdf</b>", ""), "names are escaped"


def test_more_than_asked_for_is_counted_not_shown(tmp_path: Path) -> None:
    page = "".join(gallery(replace(changing(tmp_path), preview=1)))
    assert page.count("<article") == 1
    assert "2 more rows not shown" in page
    assert "".join(gallery(replace(changing(tmp_path), preview=0))) == ""


def test_changes_are_counted_in_words(tmp_path: Path) -> None:
    counts = changes(changing(tmp_path))
    assert in_words(counts, planned=True) == "1 new, 2 to replace, 1 unchanged"
