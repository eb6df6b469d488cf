"""A picture of a chain: stocks as boxes, plants and shipments as arrows.

Everything is placed here and drawn by Vega-Lite like the other charts, so that texts are escaped
and colours follow the page. On a page forms stand from left to right, one row of boxes for each
nation; on a phone from top to bottom, one nation after the other, without shipments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile.reports.charts import INK, NARROW, QUIET, SERIES, WARNING, WIDE, both_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.reports.charts import Forms, Spec

BOX, HEAD, ROOM, LINE = 42, 24, 34, 13
"""Heights of a box, of the name of a nation, between nations, and of a line of text."""
WIDEST_BOX = 160
MARGIN, ASIDE = 6, 36
"""Room between an arrow and its box, and between arrows side by side."""


@dataclass(frozen=True, slots=True)
class Box:
    """A stock: of a nation, of a form (a number in the order of the levels), and two lines."""

    nation: int
    form: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Pipe:
    """A plant of a nation, from a form to a form; ``full`` marks it as a bottleneck."""

    nation: int
    takes: int
    makes: int
    title: str
    text: str
    full: bool


@dataclass(frozen=True, slots=True)
class Ship:
    """What one nation ships to another of a form."""

    here: int
    there: int
    form: int
    text: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What is drawn.

    Attributes
    ----------
    nations
        Names, in order.
    levels
        Level of each form, from 0.
    boxes, pipes, ships
        The parts.
    """

    nations: Sequence[str]
    levels: Sequence[int]
    boxes: Sequence[Box]
    pipes: Sequence[Pipe]
    ships: Sequence[Ship]


def levels_of(count: int, arcs: Sequence[tuple[int, int]]) -> list[int]:
    """Return the level of each of so many forms: one more than those that it is made from.

    An arc that closes a ring is left out.

    >>> levels_of(3, [(0, 1), (1, 2), (2, 0)])
    [0, 1, 2]
    """
    kept: list[tuple[int, int]] = []

    def leads(a: int, b: int) -> bool:
        return a == b or any(leads(y, b) for x, y in kept if x == a)

    for a, b in arcs:
        if not leads(b, a):
            kept.append((a, b))
    levels = [0] * count
    for _ in range(count):
        for a, b in kept:
            levels[b] = max(levels[b], levels[a] + 1)
    return levels


def flow_chart(chain: Chain) -> Forms:
    """Draw a chain."""

    def make(width: int) -> Spec:
        return (_tall if width == NARROW else _broad)(chain)

    return both_forms(make)


@dataclass(slots=True)
class _Canvas:
    """Marks with their places, from the upper left corner [pixels]."""

    boxes: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    texts: list[dict[str, Any]]

    def box(self, x: float, y: float, width: float, box: Box) -> None:
        colour = SERIES[box.nation % len(SERIES)]
        self.boxes.append(
            {"x": x, "y": y, "x2": x + width, "y2": y + BOX, "colour": colour, "limit": width - 8}
        )
        middle = x + width / 2
        self.text(middle, y + 13, box.title, width - 8)
        self.text(middle, y + 30, box.text, width - 8, weight="bold")

    def arrow(
        self, start: tuple[float, float], end: tuple[float, float], colour: str, dash: bool
    ) -> None:
        angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
        self.lines.append(
            {
                "x": start[0],
                "y": start[1],
                "x2": end[0],
                "y2": end[1],
                "colour": colour,
                "angle": angle + 90.0,
                "dash": dash,
            }
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        limit: float,
        *,
        weight: str = "normal",
        align: str = "center",
        colour: str = INK,
    ) -> None:
        self.texts.append(
            {
                "x": x,
                "y": y,
                "text": text,
                "limit": limit,
                "weight": weight,
                "align": align,
                "colour": colour,
            }
        )

    def spec(self, width: float, height: float) -> Spec:
        """Return everything as layers: lines below boxes below texts."""

        def place(row: str, size: float, *, flip: bool = False) -> Spec:
            domain = [size, 0] if flip else [0, size]
            scale = {"domain": domain, "nice": False, "zero": False}
            return {"field": row, "type": "quantitative", "axis": None, "scale": scale}

        x, y = place("x", width), place("y", height, flip=True)
        both = {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
        layers: list[Spec] = []
        for dash in (True, False):
            lines = [row for row in self.lines if row["dash"] is dash]
            for colour in dict.fromkeys(row["colour"] for row in lines):
                values = [row for row in lines if row["colour"] == colour]
                rule: Spec = {"type": "rule", "color": colour, "strokeWidth": 1.6}
                if dash:
                    rule |= {"strokeDash": [4, 3], "strokeWidth": 1.2}
                layers.append({"data": {"values": values}, "mark": rule, "encoding": both})
                tip = {"type": "point", "shape": "triangle", "filled": True, "size": 42}
                ends = {"x": {**x, "field": "x2"}, "y": {**y, "field": "y2"}}
                angle = {"field": "angle", "type": "quantitative", "scale": None}
                layers.append(
                    {
                        "data": {"values": values},
                        "mark": {**tip, "color": colour, "opacity": 1},
                        "encoding": {**ends, "angle": angle},
                    }
                )
        for colour in dict.fromkeys(row["colour"] for row in self.boxes):
            values = [row for row in self.boxes if row["colour"] == colour]
            mark = {"type": "rect", "fill": "var(--page)", "stroke": colour, "strokeWidth": 1.5}
            layers.append({"data": {"values": values}, "mark": mark, "encoding": both})
        looks = ("limit", "weight", "align", "colour")
        for look in dict.fromkeys(tuple(row[name] for name in looks) for row in self.texts):
            values = [row for row in self.texts if tuple(row[name] for name in looks) == look]
            limit, weight, align, colour = look
            mark = {
                "type": "text",
                "fontSize": 11,
                "limit": limit,
                "fontWeight": weight,
                "align": align,
                "baseline": "middle",
                "color": colour,
            }
            text = {"field": "text", "type": "nominal"}
            layers.append(
                {
                    "data": {"values": values},
                    "mark": mark,
                    "encoding": {"x": x, "y": y, "text": text},
                }
            )
        return {"width": width, "height": height, "layer": layers}


def _ordered(chain: Chain, nation: int) -> dict[int, tuple[int, int]]:
    """Return level, and place within the level, of each form of a nation that has a box."""
    taken: dict[int, int] = {}
    found = {}
    for box in chain.boxes:
        if box.nation == nation:
            level = chain.levels[box.form]
            found[box.form] = (level, taken.get(level, 0))
            taken[level] = taken.get(level, 0) + 1
    return found


def _alike(chain: Chain) -> dict[Pipe, tuple[int, int]]:
    """Return the place of each plant among those alike, and how many these are."""
    groups: dict[tuple[int, int, int], list[Pipe]] = {}
    for pipe in chain.pipes:
        groups.setdefault((pipe.nation, pipe.takes, pipe.makes), []).append(pipe)
    return {
        pipe: (place, len(pipes)) for pipes in groups.values() for place, pipe in enumerate(pipes)
    }


def _broad(chain: Chain) -> Spec:
    """Place a chain on a page: forms from left to right."""
    canvas = _Canvas([], [], [])
    count = max(chain.levels) + 1
    wide = min(WIDEST_BOX, WIDE / (2 * count - 1))
    gap = (WIDE - count * wide) / max(count - 1, 1)
    alike = _alike(chain)
    at: dict[tuple[int, int], tuple[float, float]] = {}
    top = 0.0
    for nation, name in enumerate(chain.nations):
        order = _ordered(chain, nation)
        own = [pipe for pipe in chain.pipes if pipe.nation == nation]
        most = max([1, *(alike[pipe][1] for pipe in own)])
        row = max(BOX + 10.0, ASIDE * most + 10.0)
        colour = SERIES[nation % len(SERIES)]
        canvas.text(0, top + 9, name, WIDE, weight="bold", align="left", colour=colour)
        for form, (level, place) in order.items():
            at[nation, form] = (level * (wide + gap), top + HEAD + place * row + (row - BOX) / 2)
        top += HEAD + row * max([1, *(place + 1 for _, place in order.values())]) + ROOM
    for ship in chain.ships:
        _broad_ship(canvas, at, ship, wide)
    for box in chain.boxes:
        canvas.box(*at[box.nation, box.form], wide, box)
    for pipe in chain.pipes:
        place, most = alike[pipe]
        _broad_pipe(canvas, at, pipe, wide, (place - (most - 1) / 2) * ASIDE)
    return canvas.spec(WIDE, max(top - ROOM, BOX))


def _broad_ship(
    canvas: _Canvas, at: dict[tuple[int, int], tuple[float, float]], ship: Ship, wide: float
) -> None:
    (x, y), (_, other) = at[ship.here, ship.form], at[ship.there, ship.form]
    down = other > y
    aside = x + wide * (0.6 if down else 0.85)
    start, end = (y + BOX, other - MARGIN) if down else (y, other + BOX + MARGIN)
    canvas.arrow((aside, start), (aside, end), QUIET, dash=True)
    # Near the end, where lines that go on cross no text, and clear of the name of the nation.
    place = (aside - 5, end - HEAD - 9) if down else (aside + 5, end + 14)
    canvas.text(*place, ship.text, WIDE, align="right" if down else "left")


def _broad_pipe(
    canvas: _Canvas,
    at: dict[tuple[int, int], tuple[float, float]],
    pipe: Pipe,
    wide: float,
    aside: float,
) -> None:
    (x, y), (x2, y2) = at[pipe.nation, pipe.takes], at[pipe.nation, pipe.makes]
    forward = x2 > x
    half = BOX / 2
    start = (x + wide if forward else x, y + half + aside)
    end = (x2 - MARGIN if forward else x2 + wide + MARGIN, y2 + half + aside)
    if not forward:
        start, end = (start[0], start[1] + 14), (end[0], end[1] + 14)
    colour = WARNING if pipe.full else INK
    canvas.arrow(start, end, colour, dash=False)
    middle, height = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    room = abs(end[0] - start[0]) - 4
    below = 0 if forward else 26
    canvas.text(middle, height - 8 + below, pipe.title, room, colour=colour)
    weight = "bold" if pipe.full else "normal"
    canvas.text(middle, height + 9 + below, pipe.text, room + 12, weight=weight, colour=colour)


def _tall(chain: Chain) -> Spec:
    """Place a chain on a phone: nations one after the other, forms from top to bottom."""
    canvas = _Canvas([], [], [])
    top = 0.0
    for nation, name in enumerate(chain.nations):
        order = _ordered(chain, nation)
        own = [pipe for pipe in chain.pipes if pipe.nation == nation]
        colour = SERIES[nation % len(SERIES)]
        canvas.text(0, top + 9, name, NARROW, weight="bold", align="left", colour=colour)
        top += HEAD
        at: dict[int, tuple[float, float, float]] = {}
        for level in sorted({level for level, _ in order.values()}):
            forms = [form for form, (own_level, _) in order.items() if own_level == level]
            wide = min(120.0, (NARROW - 8.0 * (len(forms) - 1)) / len(forms))
            for place, form in enumerate(forms):
                at[form] = (place * (wide + 8), top, wide)
            after = [pipe for pipe in own if chain.levels[pipe.takes] == level]
            top += BOX + (18 + (2 * LINE + 2) * len(after) if after else 10)
        for box in chain.boxes:
            if box.nation == nation:
                x, y, wide = at[box.form]
                canvas.box(x, y, wide, box)
        for number, pipe in enumerate(own):
            before = sum(
                chain.levels[other.takes] == chain.levels[pipe.takes] for other in own[:number]
            )
            _tall_pipe(canvas, at, pipe, before)
        top += ROOM
    return canvas.spec(NARROW, max(top - ROOM, BOX))


def _tall_pipe(
    canvas: _Canvas, at: dict[int, tuple[float, float, float]], pipe: Pipe, before: int
) -> None:
    (x, y, wide), (x2, y2, wide2) = at[pipe.takes], at[pipe.makes]
    down = y2 > y
    aside = 10.0 + 12.0 * before
    start = (x + min(aside, wide), y + BOX if down else y)
    end = (x2 + min(aside, wide2), y2 - MARGIN if down else y2 + BOX + MARGIN)
    colour = WARNING if pipe.full else INK
    canvas.arrow(start, end, colour, dash=False)
    left = aside + 40.0
    height = y + BOX + 14 + (2 * LINE + 2) * before
    weight = "bold" if pipe.full else "normal"
    canvas.text(left, height, pipe.title, NARROW - left, align="left", colour=colour)
    canvas.text(
        left, height + LINE, pipe.text, NARROW - left, weight=weight, align="left", colour=colour
    )
