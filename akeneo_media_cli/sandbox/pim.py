"""The PIM itself: its catalogue, entities, files, tokens and counters, and how it saves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from .errors import crash, violations
from .options import Credentials, SandboxOptions
from .php.form import SentFile
from .rules.values import Sent, find_violations
from .stats import Call, Stats
from .store.catalogue import MEDIA_TYPES, Catalogue
from .store.default import default_catalogue
from .store.entities import MODEL, PRODUCT, Draft, Entities, Entity, ValueKey
from .store.media import FileRow, MediaStore
from .store.state import State
from .store.things import Thing, ThingKey, Things
from .store.tokens import Connection, Rights, Tokens

GONE: dict[str, Any] = {}
"""What the state keeps for a deleted entity."""
DEFAULT_CONNECTIONS = {"main": "may do everything"}


class Pim:
    """Everything behind the endpoints. It runs in one event loop; like PHP's, its saves do not lock."""

    def __init__(
        self, source: Mapping[str, Any] | None, folder: Path, options: SandboxOptions, keep: bool
    ) -> None:
        """`source` None: the catalogue that the folder was last served with, else the default one."""
        self.options = options
        self.state = State(folder / "state.sqlite3" if keep else None)
        if source is None:
            source = self.state.all("catalogue").get("") or default_catalogue()
        self.catalogue = Catalogue(source)
        self.rng = random.Random(options.seed)
        self.stats = Stats(time.monotonic)
        self.media = MediaStore(
            folder / "files",
            options.clock,
            options.code_clock_step,
            lambda code, body: self.state.put("file", code, body),
            options.php,
        )
        self.entities = Entities(self.catalogue, options.clock, self._keep_entity)
        self.things = Things(self.catalogue, options.clock, self._keep_thing)
        self.upload_max_filesize = self.catalogue.limits.get(
            "upload_max_filesize", options.upload_max_filesize
        )
        self.post_max_size = self.catalogue.limits.get("post_max_size", options.post_max_size)
        self.tokens = Tokens(self._connections(source), options.token_ttl, options.refresh_ttl, options.clock)
        self.saving_in_tree: Counter[str] = Counter()
        self.indexed_at: dict[str | ThingKey, float] = {}
        self.drafted: set[str] = set()
        """Keys of products that have a draft; its content is not kept."""
        self.started = time.monotonic()
        self._load(source)
        self.state.put("catalogue", "", source)

    def _load(self, source: Mapping[str, Any]) -> None:
        self.media.restore(iter(self.state.all("file").values()))
        for body in source.get("product_models") or []:
            self.entities.add(MODEL, body)
        for body in source.get("products") or []:
            self.entities.add(PRODUCT, body)
        for name, body in self.state.all("entity").items():
            kind, _, key = name.partition(":")
            if body == GONE:
                self.entities.forget(kind, key)
            else:
                self.entities.put(_entity_from(kind, key, body))
        for name, body in self.state.all("thing").items():
            self.things.put(Thing(ThingKey(*json.loads(name)), **_held_from(body)))

    def _keep_entity(self, entity: Entity, gone: bool) -> None:
        self.state.put("entity", f"{entity.kind}:{entity.key}", GONE if gone else _entity_body(entity))

    def _keep_thing(self, thing: Thing) -> None:
        self.state.put("thing", json.dumps(thing.key), _held_body(thing))

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

    @property
    def edition(self) -> str:
        """`ee` if the options or the catalogue say so."""
        said = (self.options.edition, self.catalogue.source.get("edition"))
        return "ee" if "ee" in said else "ce"

    @contextlib.contextmanager
    def holding_key(self, call: Call, key: str) -> Iterator[None]:
        """Counts the call as working on something, for `/_sandbox/stats`."""
        call.entity = key
        self.stats.hold(call, self.stats.entities, key)
        try:
            yield
        finally:
            self.stats.release(call, self.stats.entities)

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

        Raises ApiError 422 for violations, 500 for a deadlock after the commit. Two at once for one entity
        lose what the first one saved (docs/pim-behaviour.md, "Lost values").
        """
        found = find_violations(self.catalogue, self.media, self.things, self.entities, draft, sent)
        if found:
            raise violations(found)
        if not draft.dirty:
            return
        if call.drafts and draft.entity.kind == PRODUCT:
            self.drafted.add(draft.entity.key)
            return
        tree = self.entities.tree(draft)
        if tree:
            self.saving_in_tree[tree] += 1
        try:
            crowded = bool(tree) and self.saving_in_tree[tree or ""] > 1
            await asyncio.sleep(self.options.save_time * share)
            crowded = crowded or (bool(tree) and self.saving_in_tree[tree or ""] > 1)
            self._commit(call, draft)
        finally:
            if tree:
                self.saving_in_tree[tree] -= 1
        if crowded and self.rng.random() < self.options.deadlock:
            raise crash()

    def _commit(self, call: Call, draft: Draft) -> None:
        entity = draft.entity
        for key, data in draft.values.items():
            self._note_duplicate(entity.values.get(key), data)
        if draft.is_new:
            self.indexed_at[entity.key] = time.monotonic()
        name = f"{entity.kind}:{self.entities.identifier(entity) or entity.key}"
        for lost in self.entities.write(draft):
            self.stats.lose({"entity": name, **lost.key._asdict(), "lost": lost.was, "became": lost.became})
        changed = {
            key for key in {*draft.base, *draft.values} if draft.base.get(key) != draft.values.get(key)
        }
        changed.discard(ValueKey(self.catalogue.identifier, None, None))
        if changed and not draft.is_new and self._other_writer(call, len(changed)):
            again = self.entities.read(entity)
            again.values.update({key: draft.base.get(key) for key in changed})
            self.entities.write(again)

    def _other_writer(self, call: Call, values: int) -> bool:
        """Whether somebody who had read before this save now writes what was there before."""
        if not self.options.faults.strikes("other-writer", call.path, self.rng):
            return False
        self.stats.strike(call, "other-writer")
        self.stats.overwritten += values
        return True

    def store_file(self, call: Call, sent: SentFile, storage: str) -> FileRow:
        """Stores an upload's file; raises ApiError 500 where it collides with another of its name."""
        twin = self.stats.twin(call)
        if twin is not None and self.options.faults.strikes("collide", call.path, self.rng):
            self.stats.strike(call, "collide")
            self.media.overwrite(sent, twin)
            raise crash()
        row = self.media.store(sent, storage)
        call.code = row.code
        return row

    def drift(self) -> None:
        """Somebody else replaces one media value that was sent since the start, if there is one."""
        holders: list[Entity | Thing] = [*self.entities.all(), *self.things.all()]
        held = [
            (holder, key)
            for holder in holders
            for key in holder.changed
            if isinstance(holder.values.get(key), str) and self.media.find(holder.values[key])
        ]
        if not held:
            return
        holder, key = self.rng.choice(held)
        storage = self.media.rows[holder.values[key]].storage
        code = self.media.store(self.media.foreign_file(), storage).code
        if isinstance(holder, Entity):
            draft = self.entities.read(holder)
            draft.values[key] = code
            self.entities.write(draft)
        else:
            self.things.write(holder.key, holder.values, {**holder.values, key: code})
        self.stats.drifted += 1

    def write_thing(
        self, call: Call, key: ThingKey, base: dict[ValueKey, Any], values: dict[ValueKey, Any]
    ) -> None:
        """Writes an asset, record, category or PAM asset whole, read as `base` before."""
        known = self.things.find(key)
        before = dict(known.values) if known else {}
        if known is None:
            self.indexed_at[key] = time.monotonic()
        for value, data in values.items():
            self._note_duplicate(before.get(value), data)
        for lost in self.things.write(key, base, values):
            name = f"{key.kind}:{key.parent}/{key.code}"
            self.stats.lose(
                {"entity": name, **lost._asdict(), "lost": before[lost], "became": values.get(lost)}
            )
        changed = _changed(base, values)
        if known and changed and self._other_writer(call, len(changed)):
            now = self.things.find(key)
            held = dict(now.values) if now else {}
            self.things.write(key, held, {**held, **{value: base.get(value) for value in changed}})

    def _note_duplicate(self, was: Any, becomes: Any) -> None:
        """Counts bytes that were sent again under a new code for a value that held them already."""
        if was == becomes or not isinstance(was, str) or not isinstance(becomes, str):
            return
        old, new = self.media.find(was), self.media.find(becomes)
        if old and new and old.sha256 == new.sha256:
            self.stats.duplicates += 1

    def is_media(self, key: ValueKey) -> bool:
        """Whether a value of a product or model is a file."""
        attribute = self.catalogue.attribute(key.attribute)
        return attribute is not None and attribute["type"] in MEDIA_TYPES

    def searchable(self, entity: Entity | Thing) -> bool:
        """Whether search finds an entity, an asset or a record yet."""
        since = self.indexed_at.get(entity.key, self.started)
        return time.monotonic() - since >= self.options.search_lag


def _changed(before: Mapping[ValueKey, Any], after: Mapping[ValueKey, Any]) -> set[ValueKey]:
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def _rights(given: Any) -> Rights:
    if isinstance(given, Mapping):
        names = {field.name for field in fields(Rights)}
        return Rights(**{name: bool(value) for name, value in given.items() if name in names})
    text = str(given)
    if "may not use the API" in text:
        return Rights(False, False, False, False, False, False)
    if "not edit" in text:
        return Rights(edit_products=False, list_categories=False, edit_assets=False)
    return Rights()


def _held_body(holder: Entity | Thing) -> dict[str, Any]:
    return {
        "values": [[*key, data] for key, data in holder.values.items()],
        "created": holder.created,
        "updated": holder.updated,
        "changed": [[*key, when] for key, when in holder.changed.items()],
    }


def _held_from(body: dict[str, Any]) -> dict[str, Any]:
    def by_key(items: list[list[Any]]) -> dict[ValueKey, Any]:
        return {ValueKey(*item[:3]): item[3] for item in items}

    return {**body, "values": by_key(body["values"]), "changed": by_key(body["changed"])}


def _entity_body(entity: Entity) -> dict[str, Any]:
    return {"data": entity.data, **_held_body(entity)}


def _entity_from(kind: str, key: str, body: dict[str, Any]) -> Entity:
    return Entity(kind, key, **_held_from(body))
