"""The installed command against a PIM on a real socket."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from akeneo_media_cli.sandbox import RunningSandbox, SandboxOptions, start_sandbox

JPEG = (
    bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043000101")
    + b"\x01" * 60
    + bytes.fromhex("ffd9")
)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def jpeg(seed: int | str, size: int = 2000) -> bytes:
    """Bytes that begin as a JPEG does and are like no others."""
    filler = hashlib.sha256(str(seed).encode()).digest() * (size // 32 + 1)
    return JPEG[:-2] + filler[: max(0, size - len(JPEG))] + JPEG[-2:]


def catalogue(products: int = 200, **more: Any) -> dict[str, Any]:
    """Simple products `p-1` and so on, a tree of models with variants, media attributes of every sort."""
    media = [{"code": f"picture_{n}", "type": "pim_catalog_image"} for n in range(1, 9)]
    attributes = [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "name", "type": "pim_catalog_text"},
        {"code": "size", "type": "pim_catalog_simpleselect", "options": [str(n) for n in range(40)]},
        {"code": "picture", "type": "pim_catalog_image"},
        {
            "code": "front",
            "type": "pim_catalog_image",
            "allowed_extensions": ["jpg", "png"],
            "max_file_size": "0.01",
        },
        {"code": "manual", "type": "pim_catalog_file", "localizable": True, "scopable": True},
        {"code": "shop", "type": "pim_catalog_image", "scopable": True},
        {"code": "label", "type": "pim_catalog_image", "localizable": True},
        {"code": "french", "type": "pim_catalog_image", "localizable": True, "available_locales": ["fr_FR"]},
        {"code": "shot", "type": "pim_catalog_image"},
        {"code": "stray", "type": "pim_catalog_image"},
        *media,
    ]
    codes = [a["code"] for a in attributes if a["code"] != "stray"]
    return {
        "attributes": attributes,
        "families": [{"code": "shoes", "attributes": codes}],
        "family_variants": {
            "shoes": [
                {
                    "code": "by_size",
                    "variant_attribute_sets": [
                        {"level": 1, "axes": ["size"], "attributes": ["sku", "size", "shot"]}
                    ],
                }
            ]
        },
        "channels": [
            {"code": "ecommerce", "locales": ["en_US", "fr_FR"], "category_tree": "master"},
            {"code": "mobile", "locales": ["en_US"], "category_tree": "master"},
        ],
        "locales": [
            {"code": "en_US", "enabled": True},
            {"code": "fr_FR", "enabled": True},
            {"code": "de_DE", "enabled": False},
        ],
        "categories": [{"code": "master", "parent": None}],
        "products": [
            *({"identifier": f"p-{n}", "family": "shoes"} for n in range(1, products + 1)),
            *(
                {
                    "identifier": f"v-{n}",
                    "family": "shoes",
                    "parent": "m-1",
                    "values": {"size": [{"locale": None, "scope": None, "data": str(n)}]},
                }
                for n in range(1, 21)
            ),
        ],
        "product_models": [{"code": "m-1", "family": "shoes", "family_variant": "by_size"}],
        **more,
    }


@dataclass
class Done:
    """What one call of the command came to."""

    status: int
    out: str
    err: str
    report: dict[str, Any] = field(default_factory=dict)

    def statuses(self) -> dict[str, int]:
        return {k: v for k, v in self.report["summary"].items() if v and k in _STATUSES}

    def item(self, line: int) -> dict[str, Any]:
        (found,) = [i for i in self.report["items"] if i["line"] == line]
        return found

    def kinds(self) -> dict[int, str]:
        return {i["line"]: i["error"]["kind"] for i in self.report["items"] if i["error"]}


_STATUSES = ("total", "uploaded", "unchanged", "planned", "invalid", "failed", "pending")


@dataclass
class Bench:
    """A folder with manifests and files, a PIM, and the command."""

    command: list[str]
    folder: Path
    sandbox: RunningSandbox

    @property
    def environ(self) -> dict[str, str]:
        who = self.sandbox.credentials
        return {
            **os.environ,
            "AKENEO_URL": self.sandbox.url,
            "AKENEO_CLIENT_ID": who.client_id,
            "AKENEO_CLIENT_SECRET": who.client_secret,
            "AKENEO_USERNAME": who.username,
            "AKENEO_PASSWORD": who.password,
        }

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return name

    def manifest(self, lines: list[str], name: str = "manifest.csv") -> str:
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, **popen: Any
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env={**self.environ, **(env or {})},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **popen,
        )

    def run(
        self,
        *arguments: str,
        env: dict[str, str] | None = None,
        stdin: str | None = None,
        report: bool = True,
        cwd: Path | None = None,
    ) -> Done:
        """Run the command to its end, by default with a JSON report that is read back."""
        where = self.folder / "report.json"
        where.unlink(missing_ok=True)
        extra = ("--report", str(where)) if report else ()
        done = subprocess.run(
            [*self.command, *arguments, *extra],
            cwd=cwd or self.folder,
            env={**self.environ, **(env or {})},
            input=stdin,
            text=True,
            capture_output=True,
            timeout=110,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        found = json.loads(where.read_text("utf-8")) if where.exists() else {}
        return Done(done.returncode, done.stdout, done.stderr, found)

    def memory(self, *arguments: str) -> int:
        """Run the command, which must end well; the most memory that it had, in bytes, without coverage."""
        program = (
            "import resource, subprocess, sys\n"
            "status = subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL).returncode\n"
            "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, *self.command, *arguments],
            cwd=self.folder,
            env={k: v for k, v in self.environ.items() if not k.startswith("COV")},
            text=True,
            capture_output=True,
            check=True,
        )
        status, most = done.stdout.split()[-2:]
        assert status == "0"
        return int(most)

    def upload(self, *arguments: str, **more: Any) -> Done:
        return self.run("upload", *arguments, **more)

    def held(self) -> dict[tuple[str, str, str | None, str | None], dict[str, Any]]:
        """Every media value of the PIM, by entity, attribute, locale and scope."""
        return {
            (v["identifier"] or v["code"], v["attribute"], v["locale"], v["scope"]): v
            for v in self.sandbox.values()
        }


Bencher = Callable[..., Bench]


@pytest.fixture
def bench(command: list[str], tmp_path: Path) -> Iterator[Bencher]:
    """Sets up a bench; its PIM is stopped at the end."""
    running: list[RunningSandbox] = []

    def make(catalog: dict[str, Any] | None = None, **options: Any) -> Bench:
        sandbox = start_sandbox(catalog or catalogue(), options=SandboxOptions(**options))
        running.append(sandbox)
        folder = tmp_path / f"work{len(running)}"
        folder.mkdir()
        return Bench(command, folder, sandbox)

    yield make
    for sandbox in running:
        sandbox.stop()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
