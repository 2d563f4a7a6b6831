"""Where reports go, and that a bad place costs no other report."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.errors import ReportError, UsageError
from akeneo_media_cli.exits import Exit
from akeneo_media_cli.report import check_destinations, write_reports

from .samples import item, long_report, report


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_good_destinations_pass(tmp_path: Path) -> None:
    names = [str(tmp_path / f"r{suffix}") for suffix in (".json", ".JSONL", ".csv", ".xml", ".md", ".html")]
    check_destinations([*names, "-"], inputs=[str(tmp_path / "manifest.csv"), "-"])


def test_every_bad_destination_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "same.json").symlink_to("real.json")
    bad = {
        str(tmp_path / "report.pdf"): "no report format has the suffix .pdf",
        str(tmp_path / "report"): "(none)",
        str(tmp_path / "folder.json"): "is a folder",
        str(tmp_path / "pipe.json"): "is not a regular file",
        str(tmp_path / "none" / "r.json"): "there is no folder",
        str(tmp_path / "manifest.csv"): "is a manifest of this run",
        "nul\0.json": "cannot be used",
    }
    with pytest.raises(UsageError) as caught:
        check_destinations(
            [*bad, str(tmp_path / "real.json"), str(tmp_path / "same.json"), "-", "-"],
            inputs=[str(tmp_path / "manifest.csv")],
        )
    lines = caught.value.message.splitlines()
    assert len(lines) == len(bad) + 2
    for line, reason in zip(
        lines, [*bad.values(), "the place of another report", "named twice"], strict=True
    ):
        assert reason in line
    assert ".html" in caught.value.hint
    assert caught.value.exit_status is Exit.USAGE


def test_a_missing_folder_is_no_matter_of_formats(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check_destinations([str(tmp_path / "none" / "r.json")])
    assert "folder" in caught.value.hint


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.json").symlink_to("loop.json")
    with pytest.raises((UsageError, ReportError)):
        check_destinations([str(tmp_path / "loop.json")])
        write_reports([str(tmp_path / "loop.json")], report(), stdout=io.StringIO())


def test_a_read_only_folder_is_found_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(UsageError, match="may not be written to"):
        check_destinations([str(tmp_path / "r.json")])


def test_a_new_report_has_the_mode_of_a_new_file(tmp_path: Path, umask: None) -> None:
    write_reports([str(tmp_path / "r.json")], report(), stdout=io.StringIO())
    assert stat.S_IMODE((tmp_path / "r.json").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_replaced_report_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to("real.json")
    write_reports([str(link)], report(item()), stdout=io.StringIO())
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert json.loads(real.read_text())["items"]


def test_a_name_as_long_as_names_get(tmp_path: Path) -> None:
    name = "r" * 250 + ".json"
    write_reports([str(tmp_path / name)], report(), stdout=io.StringIO())
    assert (tmp_path / name).exists()


class Breaks:
    """Rows that end in an exception, as often as they are asked for."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self) -> Iterator[dict[str, Any]]:
        yield item()
        raise self.error


def test_nothing_is_left_of_a_report_that_broke(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("the last one")
    broken = report(items=Breaks(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(ReportError, match="No space left on device"):
        write_reports([str(path)], broken, stdout=io.StringIO())
    assert path.read_text() == "the last one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["r.json"]


def test_an_interruption_leaves_no_half_report(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_reports(
            [str(tmp_path / "r.csv")], report(items=Breaks(KeyboardInterrupt())), stdout=io.StringIO()
        )
    assert list(tmp_path.iterdir()) == []


def test_one_failure_keeps_no_other_report_from_being_written(tmp_path: Path) -> None:
    gone = tmp_path / "gone" / "r.json"
    good = tmp_path / "r.csv"
    out = io.StringIO()
    with pytest.raises(ReportError, match=r"gone/r\.json: No such file") as caught:
        write_reports([str(gone), str(good), "-"], report(item()), stdout=out)
    assert caught.value.exit_status is Exit.ROWS_FAILED
    assert "runs show 20261123T101500Z-3f2a" in caught.value.hint
    assert good.exists()
    assert json.loads(out.getvalue())["items"]


def test_a_defect_in_one_format_is_told_after_the_others_are_written(tmp_path: Path) -> None:
    rows = [item(target="not a mapping")]
    with pytest.raises(AttributeError):
        write_reports(
            [str(tmp_path / "r.csv"), str(tmp_path / "r.json")], report(*rows), stdout=io.StringIO()
        )
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_full_disk(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full, pytest.raises(ReportError, match="No space left"):
        write_reports(["-"], report(item()), stdout=full)


def test_a_closed_standard_output() -> None:
    out = io.StringIO()
    out.close()
    with pytest.raises(ReportError, match="closed"):
        write_reports(["-"], report(), stdout=out)


def test_a_reader_that_goes_away_does_not_change_the_exit_status() -> None:
    code = """
import sys
from tests.report.samples import long_report
from akeneo_media_cli.errors import ReportError
from akeneo_media_cli.report import write_reports
try:
    write_reports(["-"], long_report(5000), stdout=sys.stdout)
except ReportError as error:
    sys.exit(7)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout and run.stderr
        run.stdout.read(1)
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait() == 7


def test_each_format_loads_only_when_it_is_written() -> None:
    code = """
import sys
import akeneo_media_cli.report
bad = {"rich", "requests", "yaml", "PIL", "akeneo_media_cli.report.page.html", "xml.sax"} & set(sys.modules)
sys.exit(str(bad) if bad else 0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_long_report_streams() -> None:
    out = io.StringIO()
    write_reports(["-"], long_report(3000), stdout=out)
    assert len(json.loads(out.getvalue())["items"]) == 3000
