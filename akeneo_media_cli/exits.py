"""The exit statuses that scripts rely on."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller; a change here is a breaking change."""

    OK = 0
    """Every row is in the PIM, or the dry run found nothing wrong."""
    ROWS_FAILED = 1
    """At least one row is invalid or failed; the rest were done."""
    USAGE = 2
    """Wrong usage or configuration; nothing sent."""
    MANIFEST = 3
    """The manifest as a whole cannot be used; nothing sent."""
    REFUSED = 4
    """The PIM refused the credentials or the permission."""
    PENDING = 5
    """Only temporary trouble: rows are pending and none failed; the same command resumes."""
    LOCKED = 6
    """Another run holds this PIM's ledger."""
    DEFECT = 70
    """A defect of this program."""
    INTERRUPTED = 130
    """Ctrl-C, after finishing what was in flight."""
    TERMINATED = 143
    """SIGTERM, after finishing what was in flight."""


_RANK = (
    Exit.DEFECT,
    Exit.LOCKED,
    Exit.USAGE,
    Exit.MANIFEST,
    Exit.REFUSED,
    Exit.INTERRUPTED,
    Exit.TERMINATED,
    Exit.ROWS_FAILED,
    Exit.PENDING,
    Exit.OK,
)


def worst(*statuses: Exit) -> Exit:
    """The one to exit with where several apply; `Exit.OK` when there are none."""
    return min(statuses, key=_RANK.index, default=Exit.OK)
