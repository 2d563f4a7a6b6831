"""Every shared exchange with a real PIM is answered as that PIM answered it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from akeneo_media_cli.sandbox import start_sandbox

PLACES = [up / "shared" / "pim-exchanges" for up in Path(__file__).parents[2].parents]
SHARED = next((place for place in PLACES if place.is_dir()), None)


@pytest.mark.skipif(SHARED is None, reason="the recorded exchanges are not beside this checkout")
def test_every_recorded_exchange_is_answered_the_same() -> None:
    assert SHARED is not None
    catalog = json.loads((SHARED / "catalog.json").read_text(encoding="utf-8"))
    with start_sandbox(catalog) as sandbox:
        main = sandbox.credentials.as_dict()
        command = [sys.executable, str(SHARED / "replay.py"), "--url", sandbox.url]
        for name, value in main.items():
            command += [f"--{name.replace('_', '-')}", value]
        for name, known in sandbox.connections.items():
            if name != "main":
                command += ["--connection", f"{name}={':'.join(known.as_dict().values())}"]
        played = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.strip() == "177 of 177 exchanges answered as the PIM answers"
