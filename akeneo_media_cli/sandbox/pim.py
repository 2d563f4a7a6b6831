"""The PIM itself: its catalogue, entities, files, tokens and counters, and how it saves."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .catalogue import MEDIA_TYPES, Catalogue
from .entities import MODEL, PRODUCT, Draft, Entities, Entity, ValueKey
from .errors import crash, violations
from .media import CATALOG, MediaStore
from .options import Credentials, SandboxOptions
from .rules import Sent, find_violations
from .state import State
from .stats import Call, Stats
from .tokens import Connection, Rights, Tokens

DEFAULT_CONNECTIONS = {"main": "may do everything"}


class Pim:
    """Everything behind the endpoints. One event loop only; it is no safer than PHP's processes are."""

    def __init__(self, source: Mapping[str, Any], folder: Path, options: SandboxOptions, keep: bool) -> None:
        self.options = options
        self.state = State(folder / "state.sqlite3" if keep else None)
        self.catalogue = Catalogue(source)
        self.rng = random.Random(options.seed)
        self.stats = Stats(time.monotonic)
        self.media = MediaStore(
            folder / "files",
            options.clock,
            options.code_clock_step,
            lambda code, body: self.state.put("file", code, body),
        )
        self.entities = Entities(self.catalogue, options.clock, self._keep_entity)
        self.upload_max_filesize = self.catalogue.limits.get(
            "upload_max_filesize", options.upload_max_filesize
        )
        self.post_max_size = self.catalogue.limits.get("post_max_size", options.post_max_size)
        self.tokens = Tokens(self._connections(source), options.token_ttl, options.refresh_ttl, options.clock)
        self.saving_in_tree: Counter[str] = Counter()
        self.indexed_at: dict[str, float] = {}
        self.started = time.monotonic()
        self._load(source)

    def _load(self, source: Mapping[str, Any]) -> None:
        self.media.restore(iter(self.state.all("file").values()))
        for body in source.get("product_models") or []:
            self.entities.add(MODEL, body)
        for body in source.get("products") or []:
            self.entities.add(PRODUCT, body)
        for body in self.state.all("entity").values():
            self.entities.put(_entity_from(body))

    def _keep_entity(self, entity: Entity, gone: bool) -> None:
        self.state.put("entity", f"{entity.kind}:{entity.key}", None if gone else _entity_body(entity))

    def _connections(self, source: Mapping[str, Any]) -> dict[str, Connection]:
        known = self.state.all("connection")
        connections = {}
        for number, (name, given) in enumerate((source.get("connections") or DEFAULT_CONNECTIONS).items(), 1):
            body = given if isinstance(given, Mapping) else {}
            kept = known.get(name) or {
                "client_id": str(body.get("client_id") or f"{number}_{secrets.token_hex(12)}"),
                "client_secret": str(body.get("client_secret") or secrets.token_hex(12)),
                "username": str(body.get("username") or f"{name}_{secrets.randbelow(9000) + 1000}"),
                "password": str(body.get("password") or secrets.token_hex(8)),
            }
            self.state.put("connection", name, kept)
            connections[name] = Connection(name, Credentials(**kept), _rights(given))
        return connections

    @property
    def main(self) -> Connection:
        """The connection that may do everything, or the first there is."""
        known = self.tokens.connections
        return known.get("main") or next(iter(known.values()))

    @contextlib.contextmanager
    def holding(self, call: Call, entity: Entity) -> Iterator[None]:
        """Counts the call as working on an entity, for `/_sandbox/stats`."""
        self.hold_entity(call, entity)
        try:
            yield
        finally:
            self.stats.release(call, self.stats.entities)

    def hold_entity(self, call: Call, entity: Entity) -> None:
        """Counts the call as working on an entity until the call ends."""
        call.entity = f"{entity.kind}:{self.entities.identifier(entity) or entity.key}"
        self.stats.hold(call, self.stats.entities, f"{entity.kind}:{entity.key}")

    async def save(self, call: Call, draft: Draft, sent: dict[ValueKey, Sent], share: float = 1.0) -> None:
        """Validates a draft and writes it whole after `save_time` times `share`.

        Raises ApiError 422 for violations, 500 for a deadlock after the commit. Two at once for one entity lose
        what the first one saved (pim-facts A1).
        """
        found = find_violations(self.catalogue, self.media, self.entities, draft, sent)
        if found:
            raise violations(found)
        if not draft.dirty:
            return
        tree = self.entities.tree(draft)
        if tree:
            self.saving_in_tree[tree] += 1
        try:
            crowded = bool(tree) and self.saving_in_tree[tree or ""] > 1
            await asyncio.sleep(self.options.save_time * share)
            crowded = crowded or (bool(tree) and self.saving_in_tree[tree or ""] > 1)
            self._commit(draft)
        finally:
            if tree:
                self.saving_in_tree[tree] -= 1
        if crowded and self.rng.random() < self.options.deadlock:
            raise crash()

    def _commit(self, draft: Draft) -> None:
        entity = draft.entity
        for key, data in draft.values.items():
            was = entity.values.get(key)
            if data != was and self._is_media(key) and self._sha(data) and self._sha(data) == self._sha(was):
                self.stats.duplicates += 1
        if draft.is_new:
            self.indexed_at[entity.key] = time.monotonic()
        for lost in self.entities.write(draft):
            self.stats.lost.append(
                {
                    "entity": f"{entity.kind}:{self.entities.identifier(entity) or entity.key}",
                    **lost.key._asdict(),
                    "lost": lost.was,
                    "became": lost.became,
                }
            )

    def _is_media(self, key: ValueKey) -> bool:
        attribute = self.catalogue.attribute(key.attribute)
        return attribute is not None and attribute["type"] in MEDIA_TYPES

    def _sha(self, code: Any) -> str | None:
        row = self.media.find(code) if isinstance(code, str) else None
        return row.sha256 if row else None

    def searchable(self, entity: Entity) -> bool:
        """Whether search has heard of an entity yet."""
        since = self.indexed_at.get(entity.key, self.started)
        return time.monotonic() - since >= self.options.search_lag

    def values(self) -> list[dict[str, Any]]:
        """Every media value there is, with what lies on disk for it: for tests to compare with their files."""
        out = []
        for entity in self.entities.all():
            for key, code in entity.values.items():
                if not self._is_media(key) or self.media.find(code) is None:
                    continue
                out.append(
                    {
                        "type": entity.kind,
                        "code": entity.key,
                        "identifier": self.entities.identifier(entity) if entity.kind == PRODUCT else None,
                        **key._asdict(),
                        "changed": entity.changed.get(key),
                        **self.file_facts(code),
                    }
                )
        return out

    def file_facts(self, code: str) -> dict[str, Any]:
        """What is known of a file and of its bytes on disk."""
        row = self.media.rows[code]
        return {
            "media_code": code,
            "original_filename": row.original_filename,
            "mime_type": row.mime_type,
            "size": self.media.sizes.get(code, 0),
            "sha256": self.media.on_disk.get(code) or row.sha256,
            "storage": row.storage,
        }

    def linked(self) -> set[str]:
        """Media codes that some value holds."""
        return {value["media_code"] for value in self.values()}

    def stats_body(self) -> dict[str, Any]:
        """The answer of `/_sandbox/stats`."""
        stats, linked = self.stats, self.linked()
        orphans = [code for code in self.media.on_disk if code not in linked]
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
            "lost_values": len(stats.lost),
            "lost": stats.lost[-100:],
            "duplicates": stats.duplicates,
            "collisions": self.media.collisions,
            "swapped": len(self.media.swapped()),
            "ghosts": stats.ghosts,
            "faults": dict(stats.faults),
            "orphans": len(orphans),
            "media_files": sum(row.storage == CATALOG for row in self.media.rows.values()),
            "rows": len(self.media.rows),
            "files_on_disk": len(self.media.on_disk),
            "bytes": sum(self.media.sizes.values()),
            "bytes_received": stats.bytes_received,
            "products": len(self.entities.products),
            "product_models": len(self.entities.models),
            "values": len(linked),
        }


def _rights(given: Any) -> Rights:
    if isinstance(given, Mapping):
        names = ("api", "edit_products", "list_categories", "edit_assets", "list_products", "list_attributes")
        return Rights(**{name: bool(given[name]) for name in names if name in given})
    text = str(given)
    if "may not use the API" in text:
        return Rights(False, False, False, False, False, False)
    if "not edit" in text:
        return Rights(edit_products=False, list_categories=False, edit_assets=False)
    return Rights()


def _entity_body(entity: Entity) -> dict[str, Any]:
    return {
        "kind": entity.kind,
        "key": entity.key,
        "data": entity.data,
        "values": [[*key, data] for key, data in entity.values.items()],
        "created": entity.created,
        "updated": entity.updated,
        "changed": [[*key, when] for key, when in entity.changed.items()],
    }


def _entity_from(body: dict[str, Any]) -> Entity:
    values = {ValueKey(*item[:3]): item[3] for item in body["values"]}
    changed = {ValueKey(*item[:3]): item[3] for item in body["changed"]}
    return Entity(body["kind"], body["key"], body["data"], values, body["created"], body["updated"], changed)
