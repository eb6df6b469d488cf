"""From a specification to a drawing: SVG made on this machine, without a browser or a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stockpile.errors import UsageError
from stockpile.reports.charts import LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_WHITE = {"var(--page)": "#ffffff"}


def drawing(spec: Mapping[str, Any], name: str) -> str:
    """Return the SVG of a chart.

    Parameters
    ----------
    spec
        Vega-Lite.
    name
        Unlike that of any other chart of the page: what the drawing refers to in itself bears it.

    Raises
    ------
    UsageError
        If what draws is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise UsageError(
            f"charts need vl-convert, which is not installed ({error}).\n"
            '  Install it with: pip install "stockpile[report]"'
        ) from None
    svg: str = vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=[])
    # What draws numbers on from one drawing to the next; here each begins anew, under its name.
    known = dict.fromkeys(re.findall(r'\bid="([^"]*)"', svg))
    for number, old in enumerate(known, start=1):
        svg = svg.replace(f'id="{old}"', f'id="{name}-{number}"')
        svg = svg.replace(f"url(#{old})", f"url(#{name}-{number})")
    return svg


def on_paper(svg: str) -> str:
    """Return a drawing with colours in place of the variables of a page."""
    for variable, colour in {**LIGHT, **PAGE_WHITE}.items():
        svg = svg.replace(variable, colour)
    return svg
