"""The options that commands share, declared once: `from .. import options as o`, then `o.Connection`."""

from .command import command
from .connection import Calls, Connection, EnvFile, Sandbox, Settings, Timeout
from .fitting import Conversion, Fitting
from .manifest import (
    AllowMismatch,
    Format,
    LinkAccess,
    ManifestInput,
    Manifests,
    RowSelection,
    Set,
    output_file,
    output_format,
)
from .reporting import LedgerFile, Ledgers, LogForm, Logging, Progress, ProgressMode, Report, Reporting
from .running import (
    Carrier,
    DryRun,
    Limits,
    MaxDuration,
    Overwrite,
    Skip,
    Uploading,
    Verify,
    Yes,
    check_carrier,
    run_fields,
    seconds,
)
from .values import Values
from .variables import OPTION_VARIABLES, PAIRS, option, paths

__all__ = [
    "OPTION_VARIABLES",
    "PAIRS",
    "AllowMismatch",
    "Calls",
    "Carrier",
    "Connection",
    "Conversion",
    "DryRun",
    "EnvFile",
    "Fitting",
    "Format",
    "LedgerFile",
    "Ledgers",
    "Limits",
    "LinkAccess",
    "LogForm",
    "Logging",
    "ManifestInput",
    "Manifests",
    "MaxDuration",
    "Overwrite",
    "Progress",
    "ProgressMode",
    "Report",
    "Reporting",
    "RowSelection",
    "Sandbox",
    "Set",
    "Settings",
    "Skip",
    "Timeout",
    "Uploading",
    "Values",
    "Verify",
    "Yes",
    "check_carrier",
    "command",
    "option",
    "output_file",
    "output_format",
    "paths",
    "run_fields",
    "seconds",
]
