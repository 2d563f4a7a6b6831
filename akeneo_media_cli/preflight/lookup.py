"""Products, models, assets and records by code, up to a hundred in one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..pim.client import PimClient
from ..rows import TargetType, folded

LONGEST_LIST = 2_000
"""Characters of attribute codes that a search is limited to: more would make a path that servers refuse."""


class _Kind(NamedTuple):
    """How entities of one kind are asked for; `parent` is the asset family or reference entity."""

    search: Callable[[PimClient, str, Sequence[str], Sequence[str]], list[Any]]
    get: Callable[[PimClient, str, str], Any]
    code: Callable[[Any], str | None]


_KINDS: Mapping[TargetType, _Kind] = {
    TargetType.PRODUCT: _Kind(
        lambda client, _, codes, attributes: client.search_products(codes, attributes=attributes),
        lambda client, _, code: client.get_product(code),
        lambda product: product.identifier,
    ),
    TargetType.PRODUCT_UUID: _Kind(
        lambda client, _, codes, attributes: client.search_products_by_uuid(codes, attributes=attributes),
        lambda client, _, code: client.get_product_by_uuid(code),
        lambda product: product.uuid,
    ),
    TargetType.PRODUCT_MODEL: _Kind(
        lambda client, _, codes, attributes: client.search_product_models(codes, attributes=attributes),
        lambda client, _, code: client.get_product_model(code),
        lambda model: model.code,
    ),
    TargetType.ASSET: _Kind(
        lambda client, parent, codes, _: client.search_assets(parent, codes),
        lambda client, parent, code: client.get_asset(parent, code),
        lambda asset: asset.code,
    ),
    TargetType.RECORD: _Kind(
        lambda client, parent, codes, _: client.search_records(parent, codes),
        lambda client, parent, code: client.get_record(parent, code),
        lambda record: record.code,
    ),
}


CATALOG = (TargetType.PRODUCT, TargetType.PRODUCT_UUID, TargetType.PRODUCT_MODEL)
"""The kinds whose attributes are those of the catalogue."""


def searchable(kind: TargetType) -> bool:
    """Can a hundred entities of this kind be read in one request?"""
    return kind in _KINDS


def limited(attributes: Iterable[str]) -> Sequence[str]:
    """The attributes that a search is limited to; none where their list would be too long."""
    named = sorted(set(attributes))
    return named if len(",".join(named)) <= LONGEST_LIST else ()


def find(
    client: PimClient,
    kind: TargetType,
    codes: Iterable[str],
    *,
    parent: str = "",
    attributes: Sequence[str] = (),
) -> dict[str, Any]:
    """The entities that the search finds, by folded code. Raises as the client does.

    `attributes` limits the values that come along; all must exist. The search lags: what was just created may
    be missing (docs/pim-behaviour.md, "Searching and paging").
    """
    how = _KINDS[kind]
    wanted = {folded(code): code for code in codes}
    found = how.search(client, parent, list(wanted.values()), attributes) if wanted else []
    return {folded(code): entity for entity in found if (code := how.code(entity))}


def find_all(
    client: PimClient,
    kind: TargetType,
    codes: Iterable[str],
    *,
    parent: str = "",
    attributes: Sequence[str] = (),
) -> dict[str, Any]:
    """As `find`; what the search does not find is read by itself, None if it does not exist."""
    wanted = {folded(code): code for code in codes}
    found = find(client, kind, wanted.values(), parent=parent, attributes=attributes)
    for fold, code in wanted.items():
        if fold not in found:
            found[fold] = get(client, kind, code, parent=parent)
    return found


def get(client: PimClient, kind: TargetType, code: str, *, parent: str = "") -> Any:
    """One entity by a read that never lags; None if it does not exist. Raises as the client does."""
    return _KINDS[kind].get(client, parent, code)
