"""A local PIM that behaves like the real one, races and faults included.

It imports nothing of the rest of the package but how PHP finds a file's type, so that it can be trusted as a
counterpart. Starlette and uvicorn are imported only when one is started. docs/sandbox.md shows how to use it.
"""

from .faults import FaultPlan, parse_faults
from .invent import Need, invent
from .options import Credentials, SandboxMissing, SandboxOptions
from .running import RunningSandbox, serve, start_sandbox
from .store.catalogue import CatalogueError
from .store.default import default_catalogue

__all__ = [
    "CatalogueError",
    "Credentials",
    "FaultPlan",
    "Need",
    "RunningSandbox",
    "SandboxMissing",
    "SandboxOptions",
    "default_catalogue",
    "invent",
    "parse_faults",
    "serve",
    "start_sandbox",
]
