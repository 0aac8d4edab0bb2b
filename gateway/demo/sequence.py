"""A sequence picture: who called whom, in order, as SVG. Pure, so that equal traces give equal pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1d2733}.head{font-weight:600;font-size:15px}"
    ".box{fill:#eef3f8;stroke:#5b6b7c}.life{stroke:#9aa7b4;stroke-dasharray:4 4}.line{stroke:#5b6b7c;stroke-width:1.6}"
    ".tip{fill:#5b6b7c}.note{fill:#fff6d9;stroke:#c9a53a}.said{fill:#4a5866}"
    "@media(prefers-color-scheme:dark){text{fill:#e6ebf0}.box{fill:#1e2730;stroke:#7d8ea1}.life{stroke:#5b6b7c}"
    ".line{stroke:#9db0c3}.tip{fill:#9db0c3}.note{fill:#3a3212;stroke:#c9a53a}.said{fill:#b6c2ce}}"
)
_MARKER = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path class="tip" d="M0 0 10 5 0 10z"/></marker></defs>'
)
_APART, _SIDE, _TOP, _ROW = 330, 130, 70, 34
_BOX, _NOTE = 190, 230


@dataclass(frozen=True, slots=True)
class Step:
    """One call with its answer, or, where `to` is empty, something that happens at one place."""

    at: str
    to: str
    text: str
    answer: str = ""


def merged(steps: Sequence[Step]) -> list[Step]:
    """Equal steps one after another are one; how often somebody looks depends on the machine's mood."""
    return [step for place, step in enumerate(steps) if not place or step != steps[place - 1]]


def picture(title: str, actors: Sequence[str], steps: Sequence[Step]) -> str:
    """The SVG. Readable on light and dark pages; nothing is fetched from anywhere."""
    wide = 2 * _SIDE + _APART * (len(actors) - 1)
    high = _TOP + _ROW * (len(steps) + 1)
    middle = {name: _SIDE + _APART * place for place, name in enumerate(actors)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        _MARKER,
    ]
    for name, x in middle.items():
        parts.append(f'<line class="life" x1="{x}" y1="52" x2="{x}" y2="{high - 8}"/>')
        parts.append(f'<rect class="box" x="{x - _BOX // 2}" y="12" width="{_BOX}" height="40" rx="8"/>')
        parts.append(f'<text class="head" x="{x}" y="37" text-anchor="middle">{escape(name)}</text>')
    for place, step in enumerate(steps):
        parts += _drawn(step, middle, _TOP + _ROW * (place + 1))
    return "\n".join([*parts, "</svg>", ""])


def _drawn(step: Step, middle: dict[str, int], y: int) -> list[str]:
    x = middle[step.at]
    if not step.to:
        left = x - _NOTE // 2
        return [
            f'<rect class="note" x="{left}" y="{y - 19}" width="{_NOTE}" height="24" rx="4"/>',
            f'<text x="{x}" y="{y - 3}" text-anchor="middle">{escape(step.text)}</text>',
        ]
    end = middle[step.to]
    said = f'<tspan class="said"> → {escape(step.answer)}</tspan>' if step.answer else ""
    tip = end - 2 if end > x else end + 2
    return [
        f'<line class="line" x1="{x}" y1="{y}" x2="{tip}" y2="{y}" marker-end="url(#tip)"/>',
        f'<text x="{(x + end) // 2}" y="{y - 6}" text-anchor="middle">{escape(step.text)}{said}</text>',
    ]
