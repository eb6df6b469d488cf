"""The file `instance.toml`; references stand in comments behind the numbers they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.sources import assumption, refs
from builder.text import significant

if TYPE_CHECKING:
    from builder.sources import Sources

HORIZON_YEARS = 5
BILLION = 1e9
RARE_EARTHS_JAPAN, CHIP_METALS_US = "LS05", "LS03"
"""Published losses in a year of restricted Chinese exports; of the two for Japan the lower one."""
FRAMEWORK = "us_japan_framework_2025"

BASE = """\
format = 1
name = "{name}"
title = "{title}"
price_year = 2025
horizon_months = {horizon}
allocation = "priority"

[scenarios]
count = 2000
seed = 20251028

[solve]
cooperation = "sharing"
gap = {gap}
"""

GAP, CHAIN_GAP = (
    "0.01",
    "0.02  # Six stocks of the chain are searched together: 1 % takes long.",
)

COUPLINGS = """
[agreement]
# No joint_budget_usd: the framework of October 2025 names stockpiling, but no common fund. In the
# world `joint` the two budgets are one. ref: {framework}
max_distinct_rules = {rules}  # ref: {rules_ref}
nobody_worse_off = true  # Neither nation would sign otherwise.

[risk]
{risk_note}
cvar_confidence = {confidence}  # ref: {confidence_ref}
cvar_limit_usd_per_year = {limit}  # ref: {limit_ref}
"""


def settings(name: str, title: str, gap: str) -> str:
    """The settings without limits over all materials."""
    return BASE.format(name=name, title=title, horizon=12 * HORIZON_YEARS, gap=gap)


def coupling_settings(sources: Sources) -> tuple[str, set[str]]:
    """The sections `[agreement]` and `[risk]`, and the references that they name."""
    limit, limit_ref, risk_note = tail_limit(sources)
    rules_ref = assumption("max_distinct_rules")
    confidence_ref = assumption("promise_cvar_confidence")
    text = COUPLINGS.format(
        framework=FRAMEWORK,
        rules=significant(sources.assumed("max_distinct_rules")),
        rules_ref=rules_ref,
        confidence=significant(sources.assumed("promise_cvar_confidence")),
        confidence_ref=confidence_ref,
        limit=f"{limit:_.0f}",
        limit_ref=limit_ref,
        risk_note=risk_note,
    )
    return text, set(refs(FRAMEWORK, rules_ref, confidence_ref, limit_ref).split(";"))


def tail_limit(sources: Sources) -> tuple[float, str, str]:
    """Most mean shortage cost of the worst histories [USD/year], with references and a note.

    Over the whole horizon as much as published estimates give for a single year of restricted
    Chinese exports: rare earths to Japan, gallium and germanium to the United States.
    """
    japan = sources.one("losses", loss_id=RARE_EARTHS_JAPAN)
    us = sources.one("losses", loss_id=CHIP_METALS_US)
    billion = {
        "japan": -float(japan["value"]) / sources.assumed("jpy_per_usd"),
        "us": -float(us["value"]),
    }
    note = (
        f"# In {HORIZON_YEARS} years what a single year of restricted Chinese exports costs: "
        f"{significant(billion['japan'], 3)} billion USD\n"
        f"# in Japan (rare earths) and {significant(billion['us'], 3)} in the United States "
        "(gallium and germanium)."
    )
    limit = BILLION * float(significant(sum(billion.values()) / HORIZON_YEARS, 2))
    references = refs(japan["ref"], us["ref"], assumption("jpy_per_usd"), "method_risk")
    return limit, references, note
