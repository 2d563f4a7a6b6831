"""What is left of a defect: a file with the traceback, and a sentence that names it."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime

from ... import __version__
from ...pim.http.redact import Redactor
from ...settings import LOGIN, TOKEN
from ...wording import one_line


def keep() -> str:
    """Write the traceback of the exception at hand to a file; what to tell the user."""
    kind, error, _ = sys.exc_info()
    now = datetime.now(UTC)
    redact = Redactor()
    redact.learn(*(os.environ.get(name, "") for name in (*LOGIN, TOKEN)))
    text = f"akeneo-media {__version__}, Python {sys.version}, {now:%Y-%m-%dT%H:%M:%SZ}\n\n"
    # Values of variables are left out on purpose: they could hold a secret.
    text += redact(traceback.format_exc())
    try:
        # An unpredictable name, readable only by its owner.
        descriptor, path = tempfile.mkstemp(".log", f"akeneo-media-defect-{now:%Y%m%dT%H%M%SZ}-")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        where = f"the log is {path}"
    except OSError as trouble:
        where = f"the log could not be written: {trouble}"
    name = kind.__name__ if kind else "unknown"
    said = one_line(redact(str(error)), 500)
    return f"error: a defect of akeneo-media ({name}: {said}); {where}\n  please report it with that file"
