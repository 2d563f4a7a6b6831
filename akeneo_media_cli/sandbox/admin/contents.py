"""What the sandbox reports about itself: `/_sandbox/values` and `/_sandbox/stats`."""

from __future__ import annotations

from typing import Any

from ..pim import Pim
from ..store.entities import PRODUCT
from ..store.media import CATALOG
from ..store.things import ASSET, RECORD


def values(pim: Pim) -> list[dict[str, Any]]:
    """Every media value there is, with what is on disk for it, so that tests can compare it with their files.

    `code` names the entity (a product's UUID), `changed` is in seconds, `sha256` and `size` are of
    the bytes on disk.
    """
    out = []
    for entity in pim.entities.all():
        identifier = pim.entities.identifier(entity) if entity.kind == PRODUCT else None
        for key, code in entity.values.items():
            if pim.is_media(key) and pim.media.find(code):
                who = {"type": entity.kind, "code": entity.key, "identifier": identifier, "parent": None}
                out.append(
                    {**who, **key._asdict(), "changed": entity.changed.get(key), **file_facts(pim, code)}
                )
    for thing in pim.things.all():
        for key, code in thing.values.items():
            if isinstance(code, str) and pim.media.find(code):
                kind, parent, name = thing.key
                who = {"type": kind, "code": name, "identifier": None, "parent": parent or None}
                out.append(
                    {**who, **key._asdict(), "changed": thing.changed.get(key), **file_facts(pim, code)}
                )
    return out


def file_facts(pim: Pim, code: str) -> dict[str, Any]:
    """What is known of a file and of its bytes on disk."""
    row = pim.media.rows[code]
    return {
        "media_code": code,
        "original_filename": row.original_filename,
        "mime_type": row.mime_type,
        "size": pim.media.sizes.get(code, 0),
        "sha256": pim.media.digest(code),
        "storage": row.storage,
    }


def stats_body(pim: Pim, held: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The answer of `/_sandbox/stats`, which docs/sandbox.md describes; `held` is what `values` returns."""
    stats, media = pim.stats, pim.media
    held = values(pim) if held is None else held
    linked = {value["media_code"] for value in held}
    return {
        "calls": {key: dict(counter) for key, counter in sorted(stats.calls.items())},
        "total": stats.total,
        "token_requests": stats.token_requests,
        "in_flight": stats.flying.now["all"],
        "most_in_flight": stats.flying.most,
        "most_in_flight_per_entity": stats.entities.most,
        "most_in_flight_entity": stats.entities.most_key,
        "most_in_flight_per_name": stats.names.most,
        "most_in_flight_name": stats.names.most_key,
        "lost_values": stats.lost_values,
        "lost": list(stats.lost),
        "overwritten": stats.overwritten,
        "drifted": stats.drifted,
        "duplicates": stats.duplicates,
        "collisions": media.collisions,
        "swapped": len(media.swapped()),
        "ghosts": stats.ghosts,
        "defects": stats.defects,
        "faults": dict(stats.faults),
        "orphans": sum(code not in linked for code in media.on_disk),
        "media_files": sum(row.storage == CATALOG for row in media.rows.values()),
        "rows": len(media.rows),
        "files_on_disk": len(media.on_disk),
        "bytes": sum(media.sizes.values()),
        "bytes_received": stats.bytes_received,
        "values": len(held),
        "products": len(pim.entities.products),
        "product_models": len(pim.entities.models),
        "assets": sum(thing.key.kind == ASSET for thing in pim.things.all()),
        "records": sum(thing.key.kind == RECORD for thing in pim.things.all()),
    }
