"""Texts that a spreadsheet would take for formulas."""

from __future__ import annotations

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""How such texts begin; Japanese versions take the wide letters as well."""


def like_formula(text: str) -> bool:
    """Say whether a spreadsheet may take a text for a formula.

    >>> [like_formula(text) for text in ("=1+1", "-", "Gallium")]
    [True, True, False]
    """
    return text.startswith(STARTS)
