"""Amounts in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.languages import Language


def money(usd: float, say: Language) -> str:
    """Write an amount of money with three significant digits and its unit.

    >>> from stockpile.languages import language
    >>> money(1_234_567.0, language("en"))
    '1.23 million USD'
    """
    for size, text in (
        (1e9, say("{amount} billion USD", amount=_digits(usd / 1e9))),
        (1e6, say("{amount} million USD", amount=_digits(usd / 1e6))),
        (1e3, say("{amount} thousand USD", amount=_digits(usd / 1e3))),
    ):
        if abs(usd) >= 0.9995 * size:
            return text
    return say("{amount} USD", amount=_digits(usd))


def percent(fraction: float) -> str:
    """Write a fraction in percent; almost all is not all, and almost nothing not nothing.

    >>> percent(0.2), percent(0.99999), percent(0.00001)
    ('20 %', 'almost 100 %', '0.001 %')
    """
    if 0.9995 <= fraction < 1.0:
        return f"{100.0 * fraction:.4g} %" if fraction < 0.99995 else "almost 100 %"
    return f"{100.0 * fraction:.3g} %"


def tonnes(value: float) -> str:
    """Write tonnes."""
    return f"{value:,.0f} t" if value >= 100.0 else f"{value:.3g} t"


def _digits(value: float) -> str:
    if abs(value) >= 1000.0:
        return f"{value:,.0f}"
    return f"{value:.3g}"
