"""Throughput and rows in flight over a run, as SVG."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..wording import duration, size

_BUCKETS = 120
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 170, 70, 24, 8


def seconds_of(stamp: object) -> float | None:
    """An ISO 8601 time as seconds since the epoch; None for what is none."""
    try:
        return datetime.fromisoformat(str(stamp)).timestamp()
    except ValueError:
        return None


class Timeline:
    """Collects rows in buckets of equal length, so that memory does not grow with rows."""

    def __init__(self, started_at: str, seconds: float) -> None:
        self._start = seconds_of(started_at)
        self._seconds = max(seconds, 0.001)
        self._sent = [0.0] * _BUCKETS
        self._busy = [0.0] * _BUCKETS
        self._any = False

    def add(self, item: Mapping[str, Any]) -> None:
        """Count a row that took time: its bytes and its time, spread from its start to its end."""
        end = seconds_of(item.get("finished_at"))
        if end is None or self._start is None:
            return
        begin = seconds_of(item.get("started_at"))
        if begin is None:
            begin = end - (item.get("duration_seconds") or 0.0)
        self._any = True
        width = self._seconds / _BUCKETS
        # Clocks step: what falls outside the run counts at its edge.
        first, last = (min(max((t - self._start) / width, 0.0), _BUCKETS - 1e-6) for t in (begin, end))
        spread = max(last - first, 1e-6)
        # No try: the row took the media file that another one sent.
        moved = item.get("status") in ("uploaded", "downloaded") and item.get("attempts")
        sent = (item.get("size") or 0) if moved else 0
        for bucket in range(int(first), int(max(first, last)) + 1):
            share = min(bucket + 1, first + spread) - max(bucket, first)
            self._sent[bucket] += sent * share / spread
            self._busy[bucket] += share

    def charts(self) -> str:
        """Two figures as HTML; empty where no row tells when it was sent."""
        if not self._any:
            return ""
        width = self._seconds / _BUCKETS
        rates = [sent / width for sent in self._sent]
        return (
            f'<div class="charts">{self._chart("Throughput", rates, lambda v: size(v) + "/s")}'
            f"{self._chart('Rows in flight', self._busy, lambda v: f'{v:.1f}')}</div>"
        )

    def _chart(self, name: str, values: list[float], label: Callable[[float], str]) -> str:
        top = max(values) or 1.0
        inner = _HEIGHT - _BOTTOM - _TOP
        step = (_WIDTH - _LEFT) / _BUCKETS
        wide = step + 0.2  # a little into the next bar: no seams
        base = _HEIGHT - _BOTTOM
        bars = "".join(
            f"M{_LEFT + n * step:.1f} {base}v{-value / top * inner:.1f}h{wide:.2f}V{base}z"
            for n, value in enumerate(values)
            if value > 0
        )
        about = html.escape(f"{name}: at most {label(top)}, on average {label(sum(values) / _BUCKETS)}")
        return (
            f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{about}">'
            f'<path class="bar" d="{bars}"/>'
            f'<path class="axis" d="M{_LEFT} {_TOP}V{base}H{_WIDTH}" fill="none"/>'
            f'<text x="{_LEFT - 6}" y="{_TOP + 10}" text-anchor="end">{html.escape(label(top))}</text>'
            f'<text x="{_LEFT - 6}" y="{base}" text-anchor="end">0</text>'
            f'<text x="{_LEFT}" y="{_HEIGHT - 6}">0</text>'
            f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{duration(self._seconds)}</text>'
            f"</svg><figcaption>{about}</figcaption></figure>"
        )
