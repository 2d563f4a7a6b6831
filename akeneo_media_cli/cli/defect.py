"""What is left of a defect: a file with the traceback, and a sentence that names it."""

from __future__ import annotations

import sys
import tempfile
import traceback
from datetime import datetime, timezone
from pathlib import Path

from .. import __version__


def keep() -> str:
    """Write the traceback of the exception at hand to a file; what to tell the user."""
    kind, error, _ = sys.exc_info()
    now = datetime.now(timezone.utc)
    text = f"akeneo-media {__version__}, Python {sys.version}, {now:%Y-%m-%dT%H:%M:%SZ}\n\n"
    # Values of variables are left out on purpose: they could hold a secret.
    text += traceback.format_exc()
    path = Path(tempfile.gettempdir()) / f"akeneo-media-defect-{now:%Y%m%dT%H%M%SZ}.log"
    try:
        path.write_text(text, encoding="utf-8", errors="replace")
        path.chmod(0o600)
        where = f"the log is {path}"
    except OSError as trouble:
        where = f"the log could not be written: {trouble}"
    name = kind.__name__ if kind else "unknown"
    return f"error: a defect of akeneo-media ({name}: {error}); {where}\n  please report it with that file"
