"""Numbers as people read them, on screens and in pictures."""

from __future__ import annotations

import math


def number_text(value: float, digits: int = 4) -> str:
    """Write a number with thousands separators and about so many significant digits."""
    if value is None or math.isnan(value):
        return "-"
    if digits == 0 or abs(value) >= 10.0 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"
