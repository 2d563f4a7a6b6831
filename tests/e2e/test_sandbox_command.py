"""`akeneo-media sandbox` and `demo`, as people and pipelines start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import jpeg


@contextmanager
def serving(command: list[str], folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*command, "sandbox", *arguments],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_one_line_of_json_is_all_that_a_pipeline_needs(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "m.csv").write_text("product,attribute,file\nx,front,a.jpg\n")
    with serving(
        command, tmp_path, "--json", "--from", "m.csv", "--data", "kept", "--save-time", "1ms"
    ) as process:
        assert process.stdout is not None
        who = json.loads(process.stdout.readline())
        environ = {f"AKENEO_{k.upper()}": v for k, v in who.items() if isinstance(v, str)}
        done = subprocess.run(
            [*command, "upload", "m.csv"],
            cwd=tmp_path,
            env={**os.environ, **environ},
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        page = urllib.request.urlopen(who["url"] + "/").read().decode()
        assert "a.jpg" in page
    with serving(command, tmp_path, "--json", "--data", "kept") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        values = json.load(urllib.request.urlopen(url + "/_sandbox/values"))
        assert [v["original_filename"] for v in values["values"]] == ["a.jpg"], "what was kept is there again"


def test_what_it_prints_goes_into_the_environment(command: list[str], tmp_path: Path) -> None:
    with serving(
        command, tmp_path, "--fault", "429=0.5,500=2x@media-files", "--edition", "ee", "--pam"
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        assert lines[0].startswith("# A sandbox, no PIM: http://127.0.0.1:")
        script = "".join(lines) + '\necho "$AKENEO_URL $AKENEO_PASSWORD"'
        out = subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=True).stdout.split()
        assert out[0].startswith("http://127.0.0.1:")
        assert len(out) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "explode=1"], "explode"),
        (["--edition", "xx"], "xx"),
        (["--catalog", "none.json"], "none.json"),
        (["--catalog", "bad.json"], "JSON"),
        (["--catalog", "odd.json"], "docs/sandbox.md"),
        (["--catalog", "odd.json", "--from", "m.csv"], "--from"),
        (["--host", "203.0.113.7"], "203.0.113.7"),
        (["--latency", "soon"], "soon"),
    ],
)
def test_what_cannot_be_served_is_told(
    command: list[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "odd.json").write_text('{"products": 5}')
    done = subprocess.run(
        [*command, "sandbox", *arguments],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_demo_without_samples_says_where_they_should_be(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*command, "demo"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert "--samples" in done.stderr


def test_a_kept_demo_can_be_looked_at_until_it_is_interrupted(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(1))
    (tmp_path / "m.csv").write_text(
        "product,attribute,file\n" + "".join(f"x{n},front,a.jpg\n" for n in range(60))
    )
    process = subprocess.Popen(
        [*command, "demo", "--samples", ".", "--keep"], cwd=tmp_path, text=True, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if "The sandbox's page" in line:
            break
    assert "and 20 more" in seen
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
