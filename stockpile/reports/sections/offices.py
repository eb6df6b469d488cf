"""The tables that offices expect, as they know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.document import Section
from stockpile.reports.office_tables import office_tables

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.evidence import Evidence


def offices(evidence: Evidence, say: Language) -> Section | None:
    """Return the section with tables for offices; None where the instance is not known."""
    if evidence.instance is None:
        return None
    tables = office_tables(evidence.plan, evidence.instance, lang=say.code)
    return Section("offices", say("Tables for offices"), tables)
