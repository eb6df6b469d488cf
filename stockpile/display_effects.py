"""What projects change as one page of text: the answer, then one table by material."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.display import drawn_text, money, render_table
from stockpile.number_text import number_text
from stockpile.plan import Status

if TYPE_CHECKING:
    from typing import Any

    from stockpile.effects_of_projects import ProjectEffects

PROVED = 1e-6
"""An interval narrower than this fraction of the cost without projects is called proved."""
SAVED = ("holding_saved_usd", "shortage_saved_usd")
MOVED = ("shipping_saved_usd", "conversion_saved_usd")


def effects_page(effects: ProjectEffects) -> str:
    """Say on one page what allowing projects changes."""
    drawn = drawn_text(effects.scenario_count, effects.seed, effects.sampling)
    text = (
        f"Projects of {effects.instance_name} ({effects.instance_hash[:12]}), cooperation "
        f"{effects.cooperation}\n{drawn}, {effects.seconds:.1f} s\n\n{_answer(effects)}\n"
    )
    text += "".join(f"{line}\n" for line in _set_aside(effects))
    if effects.complete:
        text += f"\n{_materials(effects)}"
    for warning in effects.warnings:
        text += f"Warning: {warning}\n"
    return text


def _answer(effects: ProjectEffects) -> str:
    """Say what projects save, and which are funded."""
    if not effects.complete:
        if effects.with_projects.found and effects.without_projects.status is Status.INFEASIBLE:
            cost = money(effects.plans["annual_cost_usd"].iloc[1])
            return (
                "Without projects not all promises and limits can be kept; with them they can, "
                f"for {cost} a year. {_funded(effects)}"
            )
        return "What projects change is not known: there are not both plans."
    low, high = effects.saving_interval_usd
    without = float(effects.plans["annual_cost_usd"].iloc[0])
    saving = effects.saving_usd
    less = "less" if saving >= 0.0 else "more"
    text = f"With projects the plan costs {money(abs(saving))} a year {less}"
    if without > 0.0:
        text += f", {100.0 * abs(saving) / without:.1f} % of what it costs without"
    if high - low <= PROVED * abs(without):
        text += "; this is proved."
    else:
        text += f"; with what the gaps leave open, they save {money(low)} to {money(high)}."
    return f"{text} {_funded(effects)}"


def _funded(effects: ProjectEffects) -> str:
    table = effects.projects
    funded = [
        f"{row['project']}{' (fast track)' if row['fast_track'] else ''}"
        for row in table[table["funded"]].to_dict(orient="records")
    ]
    if not funded:
        return f"None of {len(table)} projects is funded."
    at_once = money(float(table["capital_usd"].sum()))
    return f"Funded are {', '.join(funded)}: {len(funded)} of {len(table)}, for {at_once} at once."


def _set_aside(effects: ProjectEffects) -> list[str]:
    """Name the limits that only projects can keep."""
    return [
        f"Set aside without projects: {row['source']} at most {100.0 * row['max_share']:.0f} % of "
        f"{row['material']} for {row['participant']}; it supplies "
        f"{100.0 * row['share_without']:.1f} %."
        for row in effects.caps.to_dict(orient="records")
    ]


def _materials(effects: ProjectEffects) -> str:
    """Show the table by material, with a line of totals."""
    table = effects.materials
    rows = [_row(row) for row in table.to_dict(orient="records")]
    sums = {str(name): float(value) for name, value in table.sum(numeric_only=True).items()}
    known_to_all = {"days_without", "days_with", "share_before", "share_after"}
    nothing = dict.fromkeys([*known_to_all, "hhi_before", "hhi_after"], math.nan)
    total = {**sums, **nothing, "material": "total", "source_before": "", "source_after": ""}
    rows.append(_row(total))
    header = [
        "material",
        "held t\nwithout",
        "held t\nwith",
        "no longer\nheld t",
        "days\nwithout",
        "days\nwith",
        "holding\nsaved",
        "shortage\nsaved",
        "ways\nsaved",
        "project\ncost",
        "largest source\nbefore",
        "largest source\nafter",
        "HHI\nbefore",
        "HHI\nafter",
    ]
    text = render_table(
        "What projects change, million USD a year", header, rows, left={0, 10, 11}, wrapped={10, 11}
    )
    return f"{text}{_rest(effects, sums)}"


def _row(row: dict[Any, Any]) -> list[str]:
    return [
        row["material"],
        number_text(row["without_t"]),
        number_text(row["with_t"]),
        _signed(row["no_longer_held_t"]),
        number_text(row["days_without"], digits=0),
        number_text(row["days_with"], digits=0),
        *(_signed(row[name] / 1e6) for name in SAVED),
        _signed(sum(row[name] for name in MOVED) / 1e6),
        number_text(row["project_cost_usd"] / 1e6),
        *(
            f"{row[f'source_{when}']} {100.0 * row[f'share_{when}']:.1f} %"
            if row[f"source_{when}"]
            else "-"
            for when in ("before", "after")
        ),
        *("-" if math.isnan(row[name]) else f"{row[name]:.3f}" for name in HHI),
    ]


HHI = ("hhi_before", "hhi_after")


def _signed(value: float) -> str:
    """Write a difference; what rounding leaves is nothing."""
    return "0" if abs(value) < 1e-9 else number_text(value)


def _rest(effects: ProjectEffects, sums: dict[str, float]) -> str:
    """Say how the totals add up to the saving."""
    facilities = effects.plans["facilities_usd"]
    moved = float(facilities.iloc[0] - facilities.iloc[1])
    stores = f", {money(moved)} less for stores" if abs(moved) >= 1.0 else ""
    return (
        "Saved: cost without projects less cost with them; ways: shipping and conversion. The "
        f"totals less the project cost are the saving{stores}.\n"
    )
