"""`--sandbox`: a throw-away local PIM that has every product, model and attribute that the manifest names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from ...errors import UsageError
from ...pim.connection import Connection
from ...secret import Secret

if TYPE_CHECKING:
    from ...planning.options import ManifestOptions
    from ...rows import Row

MISSING = "the sandbox needs the extra `sandbox`"
HOW_TO_INSTALL = (
    "install it: pip install 'akeneo-media-cli[sandbox]' (or pipx inject, uv tool install --with)"
)


def needs(options: ManifestOptions, stdin: IO[bytes]) -> list[Any]:
    """What the manifests name that a PIM must have. Raises ManifestError."""
    from ...link import is_link, link_name
    from ...planning.manifests import rows_of
    from ...sandbox import Need

    found: dict[Any, None] = {}
    rows = rows_of(options, stdin, lambda *_: None)
    for row in rows:
        if row.target is None or row.problem is not None:
            continue
        name = row.filename or (link_name(row.file) if is_link(row.file) else row.file)
        extension = name.rpartition(".")[2]
        found[
            Need(
                row.target.type.value,
                row.target.code,
                row.target.parent,
                row.attribute,
                row.locale,
                row.scope,
                extension,
            )
        ] = None
        found.update(dict.fromkeys(_beside_needs(row)))
    if "-" in options.manifests:
        stdin.seek(0)
    return list(found)


_LOCALE = re.compile(r"[a-z]{2,3}(_[A-Za-z0-9]+)*_[A-Z]{2}")


def _beside_needs(row: Row) -> Iterator[Any]:
    """What a row says beside its file: types are guessed, as only a real PIM tells them."""
    from ...manifest.beside import beside
    from ...sandbox import Need

    said, target = beside(row), row.target
    if said is None or target is None:
        return
    for value in said.values:
        locale = next((place for place in value.places if _LOCALE.fullmatch(place)), None)
        scope = next((place for place in value.places if place != locale), None)
        many = isinstance(value.data, list)
        kind = "multiple_options" if many else "boolean" if isinstance(value.data, bool) else "text"
        options = tuple(str(each) for each in value.data) if many else ()
        yield Need(
            target.type.value,
            target.code,
            target.parent,
            value.attribute,
            locale,
            scope,
            type=kind,
            options=options,
        )
    if said.link is not None:
        link = said.link
        yield Need(
            link.target.type.value,
            link.target.code,
            target.parent,
            link.attribute,
            link.locale,
            link.scope,
            type="pim_catalog_asset_collection",
        )


@contextmanager
def throw_away_pim(options: ManifestOptions, stdin: IO[bytes]) -> Iterator[Any]:
    """Serve it, a `RunningSandbox`, for as long as the block lasts.

    Raises ManifestError, and UsageError without the extra.
    """
    from ...sandbox import SandboxMissing, invent, start_sandbox

    try:
        with start_sandbox(invent(needs(options, stdin))) as sandbox:
            yield sandbox
    except SandboxMissing:
        raise UsageError(MISSING, HOW_TO_INSTALL) from None


def connection_to(sandbox: Any) -> Connection:
    """How to reach a running sandbox."""
    who = sandbox.credentials
    return Connection(
        sandbox.url,
        who.client_id,
        Secret(who.client_secret),
        who.username,
        Secret(who.password),
        direct=True,
    )
