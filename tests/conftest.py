"""What every test may lean on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("quick"), max_examples=2000)
settings.load_profile("quick")


def pytest_make_parametrize_id(val: object) -> str | None:
    """A file's content is no name for a test, nor is its length: what packs it may put the time into it."""
    if isinstance(val, bytes) and len(val) > 40:
        return "bytes"
    return "long text" if isinstance(val, str) and len(val) > 400 else None


@pytest.fixture(scope="session", autouse=True)
def _signals_heard() -> None:
    """A suite run behind `&` or `nohup` inherits ignored signals, and so would the commands it interrupts."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (getattr(signal, "SIGHUP", None), signal.SIG_DFL),
    ):
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the user's own settings, PIM or ledgers reaches a test, nor the other way round."""
    for name in list(os.environ):
        if name.startswith("AKENEO") or name in (
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "NO_COLOR",
            "FORCE_COLOR",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The installed console script, as a user runs it."""
    script = Path(sys.executable).with_name("akeneo-media")
    assert script.exists(), "the package is not installed beside this Python"
    return [str(script)]
