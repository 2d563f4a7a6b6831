"""The ledger: the only state that outlives a process. One SQLite file a PIM.

It is the plan of the run that goes on (every row and what became of it) and the memory of those before (what
was last put into which value, and what was on its way when a process died).
"""

from __future__ import annotations

from .beside import SetBeside, SetLink, SetValue
from .ledger import Ledger
from .model import (
    UNKNOWN,
    AtWork,
    Before,
    BorrowedValue,
    HeldBefore,
    HeldFile,
    InFlightMark,
    InFlightState,
    Interrupted,
    PlannedRow,
    Remembered,
    RowResult,
    RunInfo,
    Settled,
    Share,
    Touched,
    same_path,
    value_key,
)
from .opening import default_path, open_ledger
from .record import RunRecord
from .run import Run

__all__ = [
    "UNKNOWN",
    "AtWork",
    "Before",
    "BorrowedValue",
    "HeldBefore",
    "HeldFile",
    "InFlightMark",
    "InFlightState",
    "Interrupted",
    "Ledger",
    "PlannedRow",
    "Remembered",
    "RowResult",
    "Run",
    "RunInfo",
    "RunRecord",
    "SetBeside",
    "SetLink",
    "SetValue",
    "Settled",
    "Share",
    "Touched",
    "default_path",
    "open_ledger",
    "same_path",
    "value_key",
]
