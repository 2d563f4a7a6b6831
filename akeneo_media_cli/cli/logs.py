"""Where log lines go: standard error and `--log-file`, with nothing secret in them."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from ..errors import UsageError

LOGGER = logging.getLogger("akeneo_media_cli")


def set_up(*, verbose: int, quiet: bool, log_file: Path | None) -> None:
    """`-v` shows info, `-vv` every request, `-q` only errors; the file gets info at least.

    Raises UsageError where the file cannot be written.
    """
    level = logging.ERROR if quiet else (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    form = logging.Formatter("%(asctime)sZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    LOGGER.handlers.clear()
    LOGGER.propagate = False
    LOGGER.setLevel(min(level, logging.INFO) if log_file else level)
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(form)
    screen.setLevel(level)
    LOGGER.addHandler(screen)
    if log_file is not None:
        try:
            file = logging.FileHandler(log_file, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(
                f"--log-file {log_file}: {error.strerror}", "name a file in a folder that can be written"
            ) from None
        file.setFormatter(form)
        LOGGER.addHandler(file)
