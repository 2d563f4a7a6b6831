"""Files that are converted before they are sent: remembered by their source, and by how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from akeneo_media_cli.ledger import HeldFile, InFlightMark, RowResult, Run
from akeneo_media_cli.rows import Status

from .ledger_rows import opened, planned

FITTED = {"from": {"bytes": 90}, "to": {"bytes": 7, "sha256": "sent"}, "quality": 88, "steps": []}


def converted(run: Run, name: str = "a.jpg", recipe: str | None = "r1") -> None:
    """The run's first row is converted, as the preflight finds."""
    (row,) = run.some([1])
    run.converts([replace(row, name=name, recipe=recipe)])


def test_what_was_sent_is_remembered_beside_its_source(tmp_path: Path) -> None:
    with opened(tmp_path / "l.sqlite") as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1, name="a.tif", size=90)])
        converted(run)
        run.record([RowResult(1, Status.UPLOADED, media_code="m/a.jpg", sha256="source", fitted=FITTED)])
        assert run.item(1)["fitted"] == FITTED
        assert run.item(1)["name"] == "a.jpg"
        later = ledger.start_run("upload", {})
        later.add([planned(1, name="a.tif", size=90)])
        known = later.remembered(1)
        assert known is not None
        assert (known.name, known.size, known.sha256, known.recipe) == ("a.jpg", 90, "source", "r1")
        assert known.held == HeldFile("m/a.jpg", "a.jpg", 7), "of what the PIM got"
        assert known.sent_sha256 == "sent"


def test_only_the_same_recipe_makes_a_row_unchanged(tmp_path: Path) -> None:
    with opened(tmp_path / "l.sqlite") as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1, name="a.jpg", size=90)])
        converted(run)
        run.record([RowResult(1, Status.UPLOADED, media_code="m/a.jpg", fitted=FITTED)])
        for recipe, expected in ((None, 0), ("r2", 0), ("r1", 1)):
            later = ledger.start_run("upload", {})
            later.add([planned(1, name="a.jpg", size=90, recipe=recipe)])
            assert later.expect_unchanged() == expected, recipe


def test_a_mark_in_flight_tells_how_its_file_was_converted(tmp_path: Path) -> None:
    with opened(tmp_path / "l.sqlite") as ledger:
        run = ledger.start_run("upload", {})
        run.add([planned(1, name="a.tif", size=90)])
        converted(run)
        run.mark_in_flight([InFlightMark(1, None)])
        later = ledger.start_run("upload", {})
        later.add([planned(1, name="a.tif", size=90)])
        (left,) = later.interrupted()
        assert (left.name, left.size, left.recipe) == ("a.jpg", 90, "r1")
