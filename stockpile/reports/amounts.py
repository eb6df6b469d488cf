"""Amounts in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.languages import Language


def money(usd: float, say: Language, digits: int = 3) -> str:
    """Write an amount of money with its unit.

    Parameters
    ----------
    usd
        The amount [USD].
    say
        Language of the unit.
    digits
        Significant digits.

    >>> from stockpile.languages import language
    >>> money(1_234_567.0, language("en"))
    '1.23 million USD'
    """
    least = 1.0 - 0.5 * 10.0**-digits  # What is rounded up to a unit is written in it.

    def amount(size: float) -> str:
        return f"{usd / size:,.{digits}g}"

    if abs(usd) >= least * 1e12:
        return say("{amount} trillion USD", amount=amount(1e12))
    if abs(usd) >= least * 1e9:
        return say("{amount} billion USD", amount=amount(1e9))
    if abs(usd) >= least * 1e6:
        return say("{amount} million USD", amount=amount(1e6))
    if abs(usd) >= least * 1e3:
        return say("{amount} thousand USD", amount=amount(1e3))
    return say("{amount} USD", amount=amount(1.0))


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
