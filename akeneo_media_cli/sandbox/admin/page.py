"""The page at `/`: what arrived, with pictures, names, sizes and times. Plain HTML, no network, no script."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote, urlencode

from ..php.text import extension_of
from ..pim import Pim
from .contents import stats_body, values

PER_PAGE = 24
"""Products, models, assets and so on shown at once."""

SHOWABLE = frozenset(("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/x-ms-bmp"))
"""Types that a browser shows and that hold no script; everything else is only offered for download."""

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Headers of the page and of the files it shows: what arrived may be hostile."""

TITLES = {
    "product": "Product",
    "product_model": "Product model",
    "asset": "Asset",
    "record": "Record",
    "reference_entity": "Reference entity",
    "category": "Category",
    "pam_asset": "PAM asset",
}

_STYLE = """
:root { color-scheme: light dark; --edge: #8884; --soft: #8882; --ink: #777; }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
h2 small, .soft, figcaption { color: var(--ink); font-weight: normal; }
p { margin: .25rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
nav a, nav b { border: 1px solid var(--edge); border-radius: 1rem; padding: .1rem .8rem;
  text-decoration: none; }
nav b { background: var(--soft); }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }
article { border: 1px solid var(--edge); border-radius: .6rem; padding: .8rem; min-width: 0; }
figure { display: flex; gap: .8rem; margin: .7rem 0 0; min-width: 0; }
figure img, figure span { border: 1px solid var(--edge); border-radius: .3rem; flex: none; height: 5rem;
  width: 5rem; object-fit: contain; background: var(--soft); }
figure span { align-items: center; display: flex; justify-content: center; text-transform: uppercase; }
figcaption { font-size: .85rem; min-width: 0; overflow-wrap: anywhere; }
figcaption a { color: inherit; font-weight: 600; }
.bad { color: #c33; font-weight: 600; }
"""


def render(pim: Pim, query: Mapping[str, str]) -> str:
    """The whole page. `query`: `type` shows one kind only, `page` counts from 1; the rest is ignored."""
    held = values(pim)
    counts = {kind: len({_who(v) for v in held if v["type"] == kind}) for kind in TITLES}
    chosen = query.get("type") if query.get("type") in TITLES else None
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for value in held:
        if chosen in (None, value["type"]):
            groups.setdefault(_who(value), []).append(value)
    ordered = sorted(groups.values(), key=lambda group: max(v["changed"] or 0 for v in group), reverse=True)
    pages = max(1, math.ceil(len(ordered) / PER_PAGE))
    page = min(max(_number(query.get("page")), 1), pages)
    shown = ordered[(page - 1) * PER_PAGE : page * PER_PAGE]
    body = "".join(_card(group) for group in shown) or '<p class="soft">Nothing has arrived yet.</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Sandbox PIM: {len(held)} files</title><style>{_STYLE}</style></head><body>"
        f"<h1>What arrived in the sandbox</h1>{_summary(pim, held)}{_kinds(counts, chosen)}"
        f"<main>{body}</main>{_pages(page, pages, chosen)}</body></html>"
    )


def _who(value: Mapping[str, Any]) -> tuple[str, ...]:
    return value["type"], value["parent"] or "", value["code"]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 1


def _summary(pim: Pim, held: list[dict[str, Any]]) -> str:
    stats = stats_body(pim, held)
    parts = [
        f"{stats['values']:,} files held",
        f"{_size(stats['bytes'])} on disk",
        f"{stats['total']:,} calls",
    ]
    bad = [
        f"{stats[key]:,} {name}"
        for key, name in (
            ("lost_values", "values lost to simultaneous saves"),
            ("swapped", "files whose bytes were swapped"),
            ("duplicates", "sent twice"),
        )
        if stats[key]
    ]
    trouble = f' · <span class="bad">{escape("; ".join(bad))}</span>' if bad else ""
    return (
        '<p class="soft">This is a sandbox on your machine, no PIM. '
        f"{escape(' · '.join(parts))} · {stats['orphans']:,} orphans{trouble} · "
        '<a href="/_sandbox/stats">all numbers</a></p>'
    )


def _kinds(counts: Mapping[str, int], chosen: str | None) -> str:
    links = [_link("All", {}, chosen is None)]
    for kind, title in TITLES.items():
        if counts[kind]:
            links.append(_link(f"{title} ({counts[kind]:,})", {"type": kind}, chosen == kind))
    return f"<nav>{''.join(links)}</nav>"


def _pages(page: int, pages: int, chosen: str | None) -> str:
    if pages == 1:
        return ""
    keep = {"type": chosen} if chosen else {}
    near = sorted({1, pages, *range(max(1, page - 3), min(pages, page + 3) + 1)})
    return f"<nav>{''.join(_link(f'{n:,}', {**keep, 'page': str(n)}, n == page) for n in near)}</nav>"


def _link(text: str, query: Mapping[str, str], here: bool) -> str:
    if here:
        return f"<b>{escape(text)}</b>"
    target = f"/?{urlencode(query)}" if query else "/"
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def _card(group: list[dict[str, Any]]) -> str:
    first = group[0]
    name = first["identifier"] or first["code"]
    parent = f" in {first['parent']}" if first["parent"] else ""
    title = escape(f"{TITLES[first['type']]}{parent}")
    figures = "".join(_figure(value) for value in sorted(group, key=_place))
    return f"<article><h2>{escape(str(name))} <small>{title}</small></h2>{figures}</article>"


def _place(value: Mapping[str, Any]) -> tuple[str, str, str]:
    return value["attribute"], value["scope"] or "", value["locale"] or ""


def _figure(value: Mapping[str, Any]) -> str:
    source = escape("/_sandbox/media/" + quote(value["media_code"]))
    name = escape(value["original_filename"])
    if value["mime_type"] in SHOWABLE:
        picture = f'<img src="{source}" alt="{name}" loading="lazy">'
    else:
        picture = f"<span>{escape(extension_of(value['original_filename'])[:5] or 'file')}</span>"
    where = " · ".join(part for part in (value["attribute"], value["scope"], value["locale"]) if part)
    when = f"<br><time>{_time(value['changed'])}</time>" if value["changed"] else ""
    return (
        f'<figure>{picture}<figcaption><a href="{source}">{name}</a><br>{escape(where)}<br>'
        f"{_size(value['size'])}, {escape(value['mime_type'])}{when}</figcaption></figure>"
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
