"""What the plan rests on, so that anybody can make it again: bound, seed, versions, hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.reports.amounts import money
from stockpile.reports.document import Column, Paragraph, Section, Table

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.plan import Plan
    from stockpile.reports.document import Cell, Part
    from stockpile.reports.names import Names


def certificate(plan: Plan, names: Names, say: Language) -> Section:
    """Return the section on the certificate."""
    rows: list[tuple[Cell, ...]] = [
        (say("Instance"), plan.instance_name),
        (say("Hash of its content (SHA-256)"), plan.instance_hash),
        (say("Cooperation"), plan.cooperation),
        (say("Status"), str(plan.status)),
        (say("Scenarios"), f"{plan.scenario_count:,}"),
        (say("Seed"), "-" if plan.seed is None else str(plan.seed)),
        (say("Sampling"), "-" if plan.sampling is None else plan.sampling),
    ]
    parts: list[Part] = []
    if plan.annual_cost_usd is not None and plan.bound_usd is not None and plan.gap is not None:
        rows += [
            (say("Cost [USD a year]"), f"{plan.annual_cost_usd:,.2f}"),
            (say("Proved bound [USD a year]"), f"{plan.bound_usd:,.2f}"),
            (say("Gap"), f"{100.0 * plan.gap:.4f} %"),
        ]
        parts.append(
            Paragraph(
                say(
                    "The cost of every plan from these lots and rules that keeps all promises and "
                    "limits is at least {bound} a year. Cost and bound have been computed again, "
                    "outside the solver, from the simulations themselves.",
                    bound=money(plan.bound_usd, say),
                )
            )
        )
    rows += [(name, version) for name, version in plan.versions.items()]
    parts.append(
        Table(
            "certificate",
            say("Certificate"),
            (Column(say("What"), "what"), Column(say("Value"), "value")),
            tuple(rows),
        )
    )
    bounded = plan.certificates[plan.certificates["bound_usd"].notna()]
    if len(bounded):
        unit = say("million USD a year")
        parts.append(
            Table(
                "bounds",
                say("Bounds by material"),
                (
                    Column(say("Material"), "material"),
                    Column(say("Cost"), "cost", unit, "number"),
                    Column(say("Proved bound"), "bound", unit, "number"),
                    Column(say("Gap"), "gap", kind="share"),
                    Column(say("Candidates simulated"), "simulations", kind="whole"),
                ),
                tuple(
                    (
                        names.material(row["material"]),
                        row["annual_cost_usd"] / 1e6,
                        row["bound_usd"] / 1e6,
                        row["gap"],
                        row["simulations"],
                    )
                    for row in bounded.to_dict(orient="records")
                ),
            )
        )
    return Section("certificate", say("Certificate: how to make this again"), tuple(parts))
