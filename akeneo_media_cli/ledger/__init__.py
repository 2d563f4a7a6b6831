"""The ledger: the only state that outlives a process. One SQLite file a PIM.

It holds the plan of the current run (every row and its result) and what is known of earlier runs (what
was last put into which value, and what was in flight when a process died).
"""

from __future__ import annotations

from .beside import SetBeside, SetLink, SetValue, Whole
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
    PlannedBatch,
    PlannedRow,
    Remembered,
    RowResult,
    RunInfo,
    Settled,
    Share,
    Touched,
    same_path,
    value_key,
    value_keys,
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
    "PlannedBatch",
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
    "Whole",
    "default_path",
    "open_ledger",
    "same_path",
    "value_key",
    "value_keys",
]
