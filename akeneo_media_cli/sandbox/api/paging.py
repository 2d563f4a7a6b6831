"""Lists: what their parameters may be, and the links that pages carry
(docs/pim-behaviour.md, "Searching and paging")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ..errors import ApiError, unprocessable
from ..php.text import php_decode
from ..web.routing import Exchange

LIMIT_MAX = 100


def check_paging(query: Mapping[str, str], search_after: bool = False) -> None:
    """Raises ApiError 422 for parameters that the PIM does not take."""
    kind = query.get("pagination_type", "page")
    if kind not in ("page", "search_after"):
        raise unprocessable("Pagination type does not exist.")
    if kind == "search_after" and not search_after:
        raise unprocessable("Pagination type is not supported.")
    limit = query.get("limit")
    if limit is not None:
        if not _whole(limit) or int(limit) < 1:
            raise unprocessable(f'"{limit}" is not a valid limit number.')
        if int(limit) > LIMIT_MAX:
            raise unprocessable(f"You cannot request more than {LIMIT_MAX} items.")
    if kind == "search_after":
        return
    page = query.get("page")
    if page is not None and (not _whole(page) or int(page) < 1):
        raise unprocessable(f'"{page}" is not a valid page number.')
    count = query.get("with_count")
    if count not in (None, "true", "false"):
        raise unprocessable(
            f'Parameter "with_count" has to be a boolean. Only "true" or "false" allowed, "{count}" given.'
        )


def listing(
    exchange: Exchange,
    path: str,
    found: Sequence[Any],
    show: Callable[[Any], dict[str, Any]],
    key: str = "code",
    parameters: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One page of `found`, as HAL: `_links`, `current_page`, `items_count` where asked, `_embedded`.

    `path` is the list's, below /api/rest/v1; `show` makes an item, `key` names what its own link ends in.
    Raises ApiError 422 for parameters out of bounds.
    """
    query = exchange.query()
    check_paging(query)
    given = {
        "page": "1",
        "limit": "10",
        "with_count": "false",
        **(query if parameters is None else parameters),
    }
    page, limit = int(given["page"]), int(given["limit"])
    items = found[(page - 1) * limit : page * limit]
    links = {"self": _page_link(exchange, path, given, page), "first": _page_link(exchange, path, given, 1)}
    if page > 1:
        links["previous"] = _page_link(exchange, path, given, page - 1)
    if len(items) == limit:
        links["next"] = _page_link(exchange, path, given, page + 1)
    body: dict[str, Any] = {"_links": links, "current_page": page}
    if given["with_count"] == "true":
        body["items_count"] = len(found)
    body["_embedded"] = {"items": [_linked(exchange, path, show(item), key) for item in items]}
    return body


def after(
    exchange: Exchange,
    path: str,
    found: Sequence[tuple[str, Any]],
    show: Callable[[Any], dict[str, Any]],
    key: str,
    parameters: Mapping[str, str],
    query: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """One page by `search_after`: `found` holds (cursor, thing), in order of cursor."""
    query = exchange.query() if query is None else query
    check_paging(query, search_after=True)
    limit, cursor = int(query.get("limit", "10")), query.get("search_after")
    rest = [pair for pair in found if cursor is None or pair[0] > cursor]
    items = rest[:limit]
    links = {"first": _link(exchange, path, {**parameters})}
    links["self"] = _link(
        exchange, path, {**parameters, **({"search_after": cursor} if cursor is not None else {})}
    )
    if len(items) == limit:
        links["next"] = _link(exchange, path, {**parameters, "search_after": items[-1][0]})
    return {
        "_links": links,
        "_embedded": {"items": [_linked(exchange, path, show(item), key) for _, item in items]},
    }


def _linked(exchange: Exchange, path: str, item: dict[str, Any], key: str) -> dict[str, Any]:
    own = {"self": {"href": exchange.link(f"{path}/{quote(str(item.get(key) or ''), safe='/')}")}}
    return {"_links": {**own, **item.pop("_links", {})}, **item}


def _page_link(exchange: Exchange, path: str, given: Mapping[str, str], page: int) -> dict[str, str]:
    return _link(exchange, path, {**given, "page": str(page)})


def _link(exchange: Exchange, path: str, given: Mapping[str, str]) -> dict[str, str]:
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='/?@:!;,*')}" for name, value in given.items()
    )
    return {"href": exchange.link(f"{path}?{query}")}


def _whole(text: str) -> bool:
    try:
        return str(int(text)) == text
    except ValueError:
        return False


def criteria(exchange: Exchange, status: int = 400) -> dict[str, Any]:
    """The `search` parameter: property to its conditions. Raises ApiError `status` where it is not JSON."""
    text = exchange.query().get("search")
    if text is None:
        return {}
    found = php_decode(text.encode("utf-8", "replace"))
    if not isinstance(found, (dict, list)):
        raise ApiError(status, "Search query parameter should be valid JSON.")
    return found if isinstance(found, dict) else {str(number): item for number, item in enumerate(found)}
