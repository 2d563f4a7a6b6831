"""The files that one call names: none of them may be written over another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import UsageError
from ...frozen import frozen
from ...settings import expanded
from ...wording import one_line

_STREAM = "-"


@frozen
class NamedFiles:
    """What a call reads (manifests, settings) and what it writes beside reports."""

    manifests: Sequence[str] = ()
    env_file: Path | None = None
    output: str | None = None
    log_file: Path | None = None
    metrics_file: Path | None = None
    rejects: Path | None = None
    state: Path | None = None

    def check_reports(self, reports: Sequence[str]) -> None:
        """Raise UsageError for reports that cannot be written, or would be in the place of another file."""
        from ...report import check_destinations

        if reports:
            others = {path: f"the file of {option}" for option, path in self._written()}
            check_destinations(reports, inputs=self.manifests, others={**others, **self._read()})

    def check(self) -> None:
        """Raise UsageError for anything else that would be written over a file of the call."""
        if self.rejects is not None:
            from .rejects import check_rejects

            check_rejects(self.rejects)
        from ...report import file_identity, unwritable

        for option, path in (("--rejects", self.rejects), ("--metrics-file", self.metrics_file)):
            if path is not None and _may_be_replaced(str(path)) and (problem := unwritable(path)):
                raise UsageError(
                    f"{option} {one_line(path, 200)}: {problem}",
                    "Name another file, in a folder that exists and may be written to.",
                )
        read = {**dict.fromkeys(self.manifests, "a manifest of this run"), **self._read()}
        taken = {file_identity(path): what for path, what in read.items() if _may_be_replaced(path)}
        problems = []
        for option, name in self._written():
            place = file_identity(name)
            if place in taken:
                problems.append(f"{option} {one_line(name, 200)}: is {taken[place]}")
            taken.setdefault(place, f"the file of {option}")
        if problems:
            raise UsageError("\n".join(problems), "name another file: this one would be written over")

    def _read(self) -> dict[str, str]:
        return {str(expanded(self.env_file or Path(".env"))): "the file of the settings"}

    def _written(self) -> Iterator[tuple[str, str]]:
        state = expanded(self.state) if self.state else None
        for option, path in (
            ("-o", self.output),
            ("--state", state),
            ("--metrics-file", self.metrics_file),
            ("--rejects", self.rejects),
            ("--log-file", self.log_file),
        ):
            if path is not None and _may_be_replaced(str(path)):
                yield option, str(path)


def _may_be_replaced(path: str) -> bool:
    """Is a file there, or nothing yet? What goes to a device or a pipe replaces nothing."""
    try:
        return path != _STREAM and (Path(path).is_file() or not Path(path).exists())
    except (OSError, ValueError):  # told of by who opens it
        return False
