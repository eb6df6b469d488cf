"""Several plans side by side: what each costs, holds and keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stockpile.plan import COST_PARTS
from stockpile.reports.amounts import money
from stockpile.reports.charts import SERIES, bars
from stockpile.reports.document import Column, Document, Figure, Section, Table
from stockpile.reports.names import Names
from stockpile.reports.sections.certificate import certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Cell


def side_by_side(plans: Mapping[str, Plan], instance: Instance | None, say: Language) -> Document:
    """Return a document on several plans.

    Parameters
    ----------
    plans
        Plans by the names to show, at least two.
    instance
        Gives names to materials and participants; None for their keys.
    """
    found = {name: plan for name, plan in plans.items() if plan.found}
    names = Names.of(next(iter(found.values()), next(iter(plans.values()))), instance)
    sections = [Section("plans", say("The plans"), (_overview(plans, say),))]
    if found:
        sections.append(
            Section("holdings", say("What each would hold"), (_holdings(found, names, say),))
        )
    for number, (name, plan) in enumerate(plans.items(), start=1):
        one = certificate(plan, names, say)
        title = say("Certificate of {name}", name=name)
        parts = tuple(part for part in one.parts if not _is_table(part, "bounds"))
        parts = tuple(_renamed(part, f"certificate-{number}") for part in parts)
        sections.append(Section(f"certificate-{number}", title, parts))
    return Document(
        title=say("{count} plans side by side", count=len(plans)),
        subtitle=", ".join(plans),
        lead=_lead(plans, found, say),
        picture=_picture(found, say) if found else None,
        sections=tuple(sections),
        language=say.code,
    )


def _is_table(part: Any, name: str) -> bool:
    return isinstance(part, Table) and part.name == name


def _renamed(part: Any, name: str) -> Any:
    return replace(part, name=name) if isinstance(part, Table) else part


def _lead(plans: Mapping[str, Plan], found: Mapping[str, Plan], say: Language) -> tuple[str, ...]:
    if not found:
        return (say("None of {count} results has a plan.", count=len(plans)),)
    costs = {name: float(plan.annual_cost_usd or 0.0) for name, plan in found.items()}
    least, most = min(costs, key=costs.__getitem__), max(costs, key=costs.__getitem__)
    sentences = [
        say(
            "Of {count} plans, {least} costs least, {low} a year, and {most} most, {high} a year.",
            count=len(found),
            least=least,
            low=money(costs[least], say),
            most=most,
            high=money(costs[most], say),
        )
    ]
    bounds = {name: float(plan.bound_usd or 0.0) for name, plan in found.items()}
    if len(found) > 1 and bounds[most] > costs[least]:
        sentences.append(
            say(
                "At least {amount} a year of the difference is proved.",
                amount=money(bounds[most] - costs[least], say),
            )
        )
    missing = len(plans) - len(found)
    if missing:
        sentences.append(say("{count} results have no plan.", count=missing))
    return tuple(sentences)


def _picture(found: Mapping[str, Plan], say: Language) -> Figure:
    words = {
        "holding": say("holding"),
        "shortage": say("expected shortage"),
        "shipping": say("shipping"),
        "conversion": say("conversion"),
        "facilities": say("stores"),
    }
    rows: list[dict[str, Any]] = []
    for name, plan in found.items():
        sums = {part: float(plan.costs[part].sum()) for part in COST_PARTS}
        sums["facilities"] = _stores(plan)
        rows += [
            {"label": name, "series": words[part], "place": place, "value": sums[part] / 1e6}
            for place, part in enumerate(words)
            if sums[part] or part in ("holding", "shortage", "shipping")
        ]
    shown = [word for word in words.values() if any(row["series"] == word for row in rows)]
    forms = bars(
        rows, axis=say("million USD a year"), series=shown, order=list(found), colours=SERIES
    )
    text = say("Bars for every plan, divided by what is paid for.")
    title = say("What each costs")
    return forms.figure(
        "costs-of-plans",
        title,
        (
            Column(say("Plan"), "plan"),
            Column(say("Paid for"), "part"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in rows),
        text,
    )


def _stores(plan: Plan) -> float:
    open_ = plan.facilities["open"].to_numpy(dtype=bool)
    return float(plan.facilities["fixed_cost_usd_per_year"].to_numpy()[open_].sum())


def _overview(plans: Mapping[str, Plan], say: Language) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, plan in plans.items():
        kept = f"{int(plan.coverage['met'].sum())}/{len(plan.coverage)}" if plan.found else ""
        rows.append(
            (
                name,
                plan.cooperation,
                str(plan.status),
                None if plan.annual_cost_usd is None else plan.annual_cost_usd / 1e6,
                None if plan.bound_usd is None else plan.bound_usd / 1e6,
                plan.gap,
                float(plan.holdings["outlay_usd"].sum()) / 1e6 if plan.found else None,
                kept,
            )
        )
    return Table(
        "plans",
        say("The plans"),
        (
            Column(say("Plan"), "plan"),
            Column(say("Cooperation"), "cooperation"),
            Column(say("Status"), "status"),
            Column(say("Cost"), "cost", say("million USD a year"), "number"),
            Column(say("Proved bound"), "bound", say("million USD a year"), "number"),
            Column(say("Gap"), "gap", kind="share"),
            Column(say("Purchases"), "outlay", say("million USD"), "number"),
            Column(say("Promises kept"), "promises_kept"),
        ),
        tuple(rows),
    )


def _holdings(found: Mapping[str, Plan], names: Names, say: Language) -> Table:
    held: dict[tuple[str, str], dict[str, float]] = {}
    for name, plan in found.items():
        for row in plan.holdings.to_dict(orient="records"):
            key = (row["material"], row["participant"])
            held.setdefault(key, {})[name] = float(row["holding_t"])
    return Table(
        "holdings-of-plans",
        say("Holdings by material and nation"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            *(
                Column(name, f"plan_{number}_t", "t", "number")
                for number, name in enumerate(found, start=1)
            ),
        ),
        tuple(
            (names.material(key[0]), names.participant(key[1]), *(of.get(name) for name in found))
            for key, of in held.items()
        ),
    )
