"""Charts as Vega-Lite specifications; what they look like is decided here and nowhere else.

Colours are variables of the page that a chart stands in, so that the same drawing is right on a
light and on a dark page. Every chart comes in two widths: text in a drawing that is made smaller
for a phone could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile.reports.document import Figure, Table

if TYPE_CHECKING:
    from stockpile.reports.document import Cell, Column

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

WIDE, NARROW = 660, 250
"""Width of the plotting area of both forms."""
SERIES = tuple(f"var(--series-{number})" for number in range(1, 8))
"""Colours of series, which can be told apart whatever colours one sees."""
INK, GRID, WARNING, QUIET = "currentColor", "var(--grid)", "var(--warning)", "var(--quiet)"
LIGHT: dict[str, str] = {
    "var(--series-1)": "#1f5f99",
    "var(--series-2)": "#d1670a",
    "var(--series-3)": "#1d8a6b",
    "var(--series-4)": "#8a4f9e",
    "var(--series-5)": "#b3872b",
    "var(--series-6)": "#4d9fcf",
    "var(--series-7)": "#8c8c8c",
    "var(--grid)": "#dfe3e8",
    "var(--warning)": "#b3261e",
    "var(--quiet)": "#a3adb8",
    "currentColor": "#1b2430",
}
"""What the variables stand for where there is no page: on paper."""
BAR_STEP = 17
LINEAR = 10
"""Up to here logarithmic scales are nearly linear."""
FONT = "Arial, Helvetica, Liberation Sans, Noto Sans CJK JP, sans-serif"
"""These are equally wide, so that what draws and what shows agree on the room that texts take."""
PLAIN = ",.4~r"
"""Numbers with four digits at most."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Both forms of a chart."""

    wide: Spec
    narrow: Spec

    def figure(
        self,
        name: str,
        title: str,
        columns: tuple[Column, ...],
        rows: tuple[tuple[Cell, ...], ...],
        text: str,
        note: str = "",
    ) -> Figure:
        """Return the chart as a part of a document, with the numbers behind it as a table."""
        data = Table(name, title, columns, rows)
        return Figure(name, title, self.wide, self.narrow, data, text, note)


def _config(*, narrow: bool) -> Spec:
    return {
        "background": "transparent",
        "font": FONT,
        "padding": {"left": 12, "right": 14, "top": 4, "bottom": 4},
        "view": {"stroke": None},
        "axis": {
            "labelColor": INK,
            "titleColor": INK,
            "titleFontWeight": "normal",
            "titleFontSize": 12,
            "labelFontSize": 11,
            "gridColor": GRID,
            "domainColor": GRID,
            "tickColor": GRID,
            "labelLimit": 110 if narrow else 230,
            "labelPadding": 6,
            "tickCount": 4 if narrow else 7,
        },
        "axisX": {"labelFlush": False, "labelOverlap": "greedy", "labelSeparation": 8},
        "axisY": {"titlePadding": 8},
        "legend": {
            "orient": "top",
            "labelColor": INK,
            "titleColor": INK,
            "title": None,
            "labelFontSize": 11,
            "symbolType": "square",
            "labelLimit": 240,
            "columnPadding": 16,
            "columns": 2 if narrow else 0,
        },
        "header": {"labelColor": INK, "title": None, "labelFontSize": 12, "labelFontWeight": 600},
    }


def both_forms(make: Callable[[int], Spec]) -> Forms:
    """Return both forms of what a function makes of a width."""
    specs = []
    for narrow in (False, True):
        spec = make(NARROW if narrow else WIDE)
        spec["$schema"] = "https://vega.github.io/schema/vega-lite/v6.json"
        spec["config"] = _config(narrow=narrow)
        specs.append(spec)
    return Forms(*specs)


def _labels(order: Sequence[str], axis: Spec | None = None) -> Spec:
    """Return the axis of labels, one below the other."""
    bare = {"ticks": False, "domain": False, "grid": False}
    return {
        "field": "label",
        "type": "nominal",
        "sort": list(order),
        "title": None,
        "axis": {**bare, **(axis or {})},
    }


def _colour(domain: Sequence[str], colours: Sequence[str] = SERIES, symbol: str = "square") -> Spec:
    """Return the colours of series, with a legend where there is more than one."""
    return {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": list(domain), "range": list(colours[: len(domain)])},
        "legend": {"symbolType": symbol} if len(domain) > 1 else None,
    }


def bars(
    rows: Rows,
    *,
    axis: str,
    series: Sequence[str],
    order: Sequence[str],
    colours: Sequence[str] = SERIES,
) -> Forms:
    """Draw one bar for each label, divided into series.

    Parameters
    ----------
    rows
        label, series, value.
    axis
        Title of the axis of values, with its unit.
    series, order
        Series and labels in the order to show them.
    """

    def make(width: int) -> Spec:
        return {
            "width": width,
            "height": {"step": BAR_STEP},
            "data": {"values": list(rows)},
            "mark": {"type": "bar", "cornerRadiusEnd": 1},
            "encoding": {
                "y": _labels(order),
                "x": {
                    "field": "value",
                    "type": "quantitative",
                    "title": axis,
                    "stack": "zero",
                    "axis": {"format": PLAIN},
                },
                "color": _colour(series, colours),
                "order": {"field": "place", "type": "quantitative"},
            },
        }

    return both_forms(make)


def dumbbells(rows: Rows, *, axis: str, order: Sequence[str], logarithmic: bool = False) -> Forms:
    """Draw from where to where something goes, one line for each label and series.

    Parameters
    ----------
    rows
        label, series, before, after.
    axis
        Title of the axis of values, with its unit.
    order
        Labels in the order to show them.
    logarithmic
        Whether values beyond :data:`LINEAR` are drawn on a logarithmic scale.
    """
    names = list(dict.fromkeys(row["series"] for row in rows))
    y = _labels(order, {"grid": True})
    scale: Spec = {"axis": {"format": PLAIN}}
    if logarithmic:
        most = max(max(row["before"], row["after"]) for row in rows)
        steps = [LINEAR * part * 10**power for power in range(9) for part in (1, 3)]
        scale["scale"] = {"type": "symlog", "constant": LINEAR, "nice": False}
        scale["axis"]["values"] = [0, *(step for step in steps if step <= most)]
    offset = {"field": "series", "type": "nominal", "sort": names}
    colour = _colour(names)

    def make(width: int) -> Spec:
        def layer(mark: Spec, end: str, more: Spec) -> Spec:
            x = {"field": end, "type": "quantitative", "title": axis, **scale}
            return {"mark": mark, "encoding": {"y": y, "yOffset": offset, "x": x, **more}}

        point = {"type": "point", "size": 34, "opacity": 1, "strokeWidth": 1.5}
        return {
            "width": width,
            "height": {"step": 22, "for": "position"},
            "data": {"values": list(rows)},
            "layer": [
                layer(
                    {"type": "rule", "strokeWidth": 2, "opacity": 0.6},
                    "before",
                    {"x2": {"field": "after"}, "color": colour},
                ),
                layer({**point, "fill": "var(--page)"}, "before", {"stroke": colour}),
                layer({**point, "filled": True}, "after", {"color": colour}),
            ],
        }

    return both_forms(make)


def dots(rows: Rows, *, axis: str, order: Sequence[str], bands: Sequence[str]) -> Forms:
    """Draw in which band something lies, one mark for each label and series.

    Parameters
    ----------
    rows
        label, series, band.
    order, bands
        Labels and bands in the order to show them.
    """
    names = list(dict.fromkeys(row["series"] for row in rows))

    def make(width: int) -> Spec:
        return {
            "width": width,
            "height": {"step": 22, "for": "position"},
            "data": {"values": list(rows)},
            "mark": {"type": "point", "size": 46, "filled": True, "opacity": 1},
            "encoding": {
                "y": _labels(order, {"grid": True}),
                "yOffset": {"field": "series", "type": "nominal", "sort": names},
                "x": {
                    "field": "band",
                    "type": "ordinal",
                    "scale": {"domain": list(bands)},
                    "title": axis,
                    "axis": {"labelAngle": -40 if width == NARROW else 0, "grid": True},
                },
                "color": _colour(names),
            },
        }

    return both_forms(make)


def lines(
    rows: Rows, *, x: str, y: str, series: Sequence[str], percent: bool = False, height: int = 170
) -> Forms:
    """Draw how values run over months, or other steps of time.

    Parameters
    ----------
    rows
        month (number of the step), series, value.
    x, y
        Titles of the axes, with units.
    series
        Series in order.
    percent
        Whether values are fractions, and the axis runs to 1.
    """

    def make(width: int) -> Spec:
        return {
            "width": width,
            "height": height,
            "data": {"values": list(rows)},
            "mark": {"type": "line", "strokeWidth": 2, "interpolate": "linear"},
            "encoding": {
                "x": {
                    "field": "month",
                    "type": "quantitative",
                    "title": x,
                    "axis": {"grid": False},
                },
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": y,
                    "axis": {"format": ".0%" if percent else PLAIN, "tickCount": 4},
                    "scale": {"domain": [0, 1]} if percent else {"zero": True},
                },
                "color": _colour(series, symbol="stroke"),
            },
        }

    return both_forms(make)


def month_bars(
    rows: Rows, *, x: str, y: str, series: Sequence[str], colours: Sequence[str], height: int = 170
) -> Forms:
    """Draw what a need is made of, month by month, or by other steps of time.

    Parameters
    ----------
    rows
        month (number of the step), series, value, place (of the series, from the bottom).
    """
    last = max((row["month"] for row in rows), default=1)

    def make(width: int) -> Spec:
        return {
            "width": width,
            "height": height,
            "data": {"values": list(rows)},
            "mark": {"type": "bar", "width": max(1.5, 0.8 * width / max(last, 1))},
            "encoding": {
                "x": {
                    "field": "month",
                    "type": "quantitative",
                    "title": x,
                    "scale": {"domain": [0.4, last + 0.6], "nice": False},
                    "axis": {"grid": False, "format": "d", "tickMinStep": 1},
                },
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": y,
                    "stack": "zero",
                    "axis": {"format": PLAIN, "tickCount": 4},
                },
                "color": _colour(series, colours),
                "order": {"field": "place", "type": "quantitative"},
            },
        }

    return both_forms(make)


def tornado(rows: Rows, *, axis: str, order: Sequence[str], series: Sequence[str]) -> Forms:
    """Draw how far a cost moves to both sides, the widest bar on top.

    Parameters
    ----------
    rows
        label, series (down or up, in words), value.
    """

    def make(width: int) -> Spec:
        return {
            "width": width,
            "height": {"step": 30},
            "layer": [
                {
                    "data": {"values": list(rows)},
                    "mark": {"type": "bar", "height": 16},
                    "encoding": {
                        "y": _labels(order),
                        "x": {
                            "field": "value",
                            "type": "quantitative",
                            "title": axis,
                            "stack": None,
                            "axis": {"format": "+,.3~r"},
                        },
                        "color": _colour(series),
                    },
                },
                {
                    "data": {"values": [{"value": 0}]},
                    "mark": {"type": "rule", "color": INK},
                    "encoding": {"x": {"field": "value", "type": "quantitative"}},
                },
            ],
        }

    return both_forms(make)


def margins(rows: Rows, *, axis: str, order: Sequence[str], series: Sequence[str]) -> Forms:
    """Draw by how much promises are more than kept, one mark each, and the line of just kept.

    Parameters
    ----------
    rows
        label, series (kept or not, in words), value [fraction].
    """

    def make(width: int) -> Spec:
        inside = width == NARROW  # There is no room beside the marks for what they are about.
        labels: Spec = {"ticks": False, "domain": False, "grid": True, "labelLimit": 420}
        if inside:
            labels |= {"labelAlign": "left", "labelOffset": -13, "labelPadding": 0, "grid": False}
        return {
            "width": width if inside else width - 210,
            "height": {"step": 38 if inside else 24},
            "layer": [
                {
                    "data": {"values": list(rows)},
                    "mark": {"type": "tick", "thickness": 1.6, "opacity": 0.65, "height": 13},
                    "encoding": {
                        "y": _labels(order, labels),
                        "x": {
                            "field": "value",
                            "type": "quantitative",
                            "title": axis,
                            "axis": {"format": "+.0%"},
                        },
                        "color": _colour(series, (SERIES[0], WARNING)),
                    },
                },
                {
                    "data": {"values": [{"value": 0}]},
                    "mark": {"type": "rule", "color": INK, "strokeDash": [3, 2]},
                    "encoding": {"x": {"field": "value", "type": "quantitative"}},
                },
            ],
        }

    return both_forms(make)


def band(rows: Rows, *, x: str, y: str, words: Mapping[str, str]) -> Forms:
    """Draw a curve with the room that is left below it.

    Parameters
    ----------
    rows
        x, low, high.
    words
        What ``low`` and ``high`` are called.
    """
    ends = [
        {"x": row["x"], "value": row[end], "series": words[end]} for row in rows for end in words
    ]

    def make(width: int) -> Spec:
        height = {"type": "quantitative", "title": y, "scale": {"zero": False}}
        position = {"field": "x", "type": "quantitative", "title": x, "scale": {"zero": False}}
        return {
            "width": width,
            "height": 240,
            "layer": [
                {
                    "data": {"values": list(rows)},
                    "mark": {"type": "area", "opacity": 0.25, "color": SERIES[0]},
                    "encoding": {
                        "x": position,
                        "y": {"field": "low", **height},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "data": {"values": ends},
                    "mark": {"type": "line", "point": {"size": 30}, "strokeWidth": 2},
                    "encoding": {
                        "x": position,
                        "y": {"field": "value", **height},
                        "color": _colour([words["high"], words["low"]], (SERIES[0], QUIET)),
                    },
                },
            ],
        }

    return both_forms(make)
