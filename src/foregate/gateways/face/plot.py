"""The error rates as a picture: limits across, rates upwards, each step a tenth of the one above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from foregate.gateways.face.evaluation import AtLimit, Evaluation

WIDTH, HEIGHT = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 60
DECADES: Final = 5  # from 1 down to 1e-5
CURVES: Final = (
    ("single", "fmr", "somebody else passes, one picture", "#b3261e", "6 4"),
    ("single", "fnmr", "the right person does not, one picture", "#0b57d0", "6 4"),
    ("fused", "fmr", "somebody else passes, fused", "#b3261e", ""),
    ("fused", "fnmr", "the right person does not, fused", "#0b57d0", ""),
)
STYLE: Final = """
text { font: 13px sans-serif; fill: #1f1f1f } .paper { fill: #fff } .line { stroke: #d0d0d0 } .limit { stroke: #555 }
@media (prefers-color-scheme: dark) { text { fill: #e3e3e3 } .paper { fill: #1b1b1b } .line { stroke: #444 }
.limit { stroke: #aaa } }
"""


def as_svg(found: Evaluation) -> str:
    """Draw the error rates. What never happened is drawn on the lowest line."""
    every = found.fused or found.single
    across = [at.limit for at in every] or [30, 70]
    x = _scale(across[0], across[-1], LEFT, WIDTH - RIGHT)
    y = _scale(0, DECADES, TOP, HEIGHT - BOTTOM)
    title = f"Error rates of {found.people} people, {found.pictures} pictures"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">',
        f'<title id="t">{escape(title)}</title><style>{STYLE}</style>',
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/><text x="{LEFT}" y="24">{escape(title)}</text>',
    ]
    for decade in range(DECADES + 1):
        at = y(decade)
        parts.append(f'<line class="line" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{_percent(decade)}</text>')
    for limit in across:
        parts.append(f'<text x="{x(limit):.1f}" y="{HEIGHT - 38}" text-anchor="middle">{limit / 100:.2f}</text>')
    at = x(found.default_limit)
    parts.append(f'<line class="limit" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    row = 0
    for series, rate, name, colour, dashes in CURVES:
        points = [(x(point.limit), y(_decades(getattr(point, rate).share))) for point in _series(found, series)]
        if points:
            parts += _curve(points, name, colour, dashes, row)
            row += 1
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" text-anchor="middle">limit of the cosine</text></svg>')
    return "\n".join(parts) + "\n"


def _series(found: Evaluation, name: str) -> Sequence[AtLimit]:
    return found.fused if name == "fused" else found.single


def _curve(points: Sequence[tuple[float, float]], name: str, colour: str, dashes: str, row: int) -> list[str]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
    top = TOP + 14 + 18 * row
    return [
        f'<polyline points="{line}" {look}/>',
        f'<line x1="{WIDTH - 330}" x2="{WIDTH - 300}" y1="{top - 4}" y2="{top - 4}" {look}/>',
        f'<text x="{WIDTH - 292}" y="{top}">{escape(name)}</text>',
    ]


def _scale(low: float, high: float, start: float, end: float) -> _Scale:
    return _Scale(low, start, (end - start) / max(high - low, 1e-9))


class _Scale:
    def __init__(self, low: float, start: float, factor: float) -> None:
        self.low, self.start, self.factor = low, start, factor

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) * self.factor


def _decades(share: float) -> float:
    return min(float(DECADES), -math.log10(share)) if share > 0 else float(DECADES)


def _percent(decade: int) -> str:
    return f"{100 * 10**-decade:g} %" if decade < DECADES else "0"
