"""When projects start, and until when stocks are needed, as bars over months."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.charts import INK, NARROW, QUIET, SERIES, both_forms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.reports.charts import Forms, Rows, Spec


def timeline(
    rows: Rows, marks: Rows, *, axis: str, order: Sequence[str], series: Sequence[str], last: int
) -> Forms:
    """Draw bars from a month to a month, and marks at a month.

    Parameters
    ----------
    rows
        label, series, first, after: the bar ends where month ``after`` begins.
    marks
        label, month.
    order, series
        Labels and series in the order to show them.
    last
        Last month of the axis.
    """

    def make(width: int) -> Spec:
        scale = {"domain": [1, last + 1], "nice": False, "zero": False}
        month = {"type": "quantitative", "title": axis, "scale": scale, "axis": {"format": "d"}}
        inside = width == NARROW  # There is no room beside the bars for what they are about.
        labels: Spec = {"ticks": False, "domain": False, "grid": False, "labelLimit": 250}
        if inside:
            labels |= {"labelAlign": "left", "labelOffset": -15, "labelPadding": 0}
        y = {
            "field": "label",
            "type": "nominal",
            "sort": list(order),
            "title": None,
            "axis": labels,
        }
        colours = [SERIES[1], SERIES[0], QUIET]
        return {
            "width": width,
            "height": {"step": 38 if inside else 24},
            "layer": [
                {
                    "data": {"values": list(rows)},
                    "mark": {"type": "bar", "height": 11},
                    "encoding": {
                        "y": y,
                        "x": {"field": "first", **month},
                        "x2": {"field": "after"},
                        "color": {
                            "field": "series",
                            "type": "nominal",
                            "scale": {"domain": list(series), "range": colours},
                            "legend": {"columns": 1 if inside else 0},
                        },
                    },
                },
                {
                    "data": {"values": list(marks)},
                    "mark": {"type": "tick", "color": INK, "thickness": 2.5, "height": 17},
                    "encoding": {"y": y, "x": {"field": "month", **month}},
                },
            ],
        }

    return both_forms(make)
