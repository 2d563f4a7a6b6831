"""Lines over rows as SVG, both axes logarithmic: what grows linearly is a straight line with slope one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

FILE = str(Path(__file__).resolve().parent / "growth.svg")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 360, 260, 56, 40, 28
Series = tuple[str, Sequence[tuple[float, float]]]


def write(path: Path, series: Sequence[Series]) -> None:
    """One figure beside another, one for each series."""
    parts = [_chart(n * _WIDTH, *each) for n, each in enumerate(series)]
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH * len(series)} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n",
        encoding="utf-8",
    )


def _chart(shift: float, unit: str, points: Sequence[tuple[float, float]]) -> str:
    across = _axis([x for x, _ in points], _LEFT, _WIDTH - 20)
    upward = _axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    placed = [(across(x), upward(y), y) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in placed)
    base = _HEIGHT - _BOTTOM
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#06c"/>'
        f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{value:.3g}</text>'
        for x, y, value in placed
    )
    ticks = "".join(
        f'<text x="{across(x):.1f}" y="{base + 16}" text-anchor="middle">{x:,.0f}</text>' for x, _ in points
    )
    return (
        f'<g transform="translate({shift},0)">'
        f'<path d="M{_LEFT} {_TOP}V{base}H{_WIDTH - 10}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="1.5"/>{dots}{ticks}'
        f'<text x="{_LEFT}" y="16">{unit} over rows</text></g>'
    )


def _axis(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    """A scale in whole decades around the values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.01)
    return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start)


def over_time(path: Path, minutes: Sequence[float], charts: Mapping[str, Sequence[float]]) -> None:
    """One figure below another, each from 0 up to its highest value, over minutes from the start."""
    width, height = 720, 110
    last = max(minutes, default=1.0) or 1.0
    parts = []
    for n, (name, values) in enumerate(charts.items()):
        highest = max(values, default=0) or 1
        points = " ".join(
            f"{60 + at / last * (width - 80):.1f},{height - 20 - value / highest * (height - 45):.1f}"
            for at, value in _thinned(list(zip(minutes, values, strict=True)))
        )
        parts.append(
            f'<g transform="translate(0,{n * height})">'
            f'<text x="60" y="16">{name}, at most {highest:,.4g}</text>'
            f'<path d="M60 22V{height - 20}H{width - 10}" fill="none" stroke="#888"/>'
            f'<polyline points="{points}" fill="none" stroke="#06c"/>'
            f'<text x="{width - 10}" y="{height - 6}" text-anchor="end">{last:.0f} min</text></g>'
        )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height * len(charts)}" '
        f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n",
        encoding="utf-8",
    )


def _thinned(points: list[tuple[float, float]], most: int = 600) -> list[tuple[float, float]]:
    return points[:: max(1, len(points) // most)]
