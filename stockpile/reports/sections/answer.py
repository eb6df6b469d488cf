"""The answer in three sentences and one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.plan import COST_PARTS
from stockpile.reports.amounts import money, percent, tonnes
from stockpile.reports.charts import bars
from stockpile.reports.document import Column, Figure

if TYPE_CHECKING:
    from stockpile.languages import Language
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

PROVED = 1e-9
"""A gap below this is rounding."""
SHOWN = 14
"""Materials that the picture names; the others are one bar."""


def lead(evidence: Evidence, names: Names, say: Language) -> tuple[str, ...]:
    """Return the answer in a few sentences."""
    plan = evidence.plan
    if not plan.found or plan.annual_cost_usd is None or plan.gap is None:
        return _no_plan(evidence, say)
    held, buy = plan.holdings["holding_t"].sum(), plan.holdings["buy_t"].sum()
    who = _listed(
        [names.participant(key) for key in dict.fromkeys(plan.holdings["participant"])], say
    )
    first = say(
        "{who} should hold {held} of {count} materials. They have to buy {buy} of it, for "
        "{outlay}.",
        who=who,
        held=tonnes(held),
        count=plan.holdings["material"].nunique(),
        buy=tonnes(buy),
        outlay=money(float(plan.holdings["outlay_usd"].sum()), say),
    )
    second = _promises(evidence, say)
    if plan.gap < PROVED:
        second += say(
            ", at a cost of {cost} a year. It is proved that no plan from the same rules and lots "
            "costs less.",
            cost=money(plan.annual_cost_usd, say),
        )
    else:
        second += say(
            ", at a cost of {cost} a year. It is proved that no plan from the same rules and lots "
            "saves more than {gap} of that.",
            cost=money(plan.annual_cost_usd, say),
            gap=percent(plan.gap),
        )
    return (first, second, *_third(evidence, names, say))


def _promises(evidence: Evidence, say: Language) -> str:
    """Say how many promises the plan keeps; the beginning of a sentence."""
    coverage = evidence.plan.coverage
    if coverage.empty:
        return say("No coverage is promised: shortages count by what they cost")
    text = say(
        "This keeps {kept} of {promises} promises in the scenarios planned on",
        kept=int(coverage["met"].sum()),
        promises=len(coverage),
    )
    fresh = evidence.assessment
    if fresh is None or fresh.seed is None:
        return text
    return text + say(
        " and {kept} of {promises} on {count} fresh ones",
        kept=int(fresh.coverage["met"].sum()),
        promises=len(fresh.coverage),
        count=f"{fresh.scenario_count:,}",
    )


def _third(evidence: Evidence, names: Names, say: Language) -> tuple[str, ...]:
    comparison = evidence.comparison
    plan = evidence.plan
    if comparison is not None and comparison.summary.get("saving_usd") is not None:
        worlds = comparison.tables["worlds"]
        alone = float(worlds.loc[worlds["world"] == "none", "annual_cost_usd"].iloc[0])
        saving = float(comparison.summary["saving_usd"])
        return (
            say(
                "Acting together saves {saving} a year, {share} of what acting alone costs.",
                saving=money(saving, say),
                share=percent(saving / alone) if alone else "0 %",
            ),
        )
    most = plan.costs.groupby("material", sort=False)[list(COST_PARTS)].sum().sum(axis=1)
    total = float(most.sum())
    if not total:
        return ()
    top = most.sort_values(ascending=False, kind="stable")
    half = int((top.cumsum() < 0.5 * total).sum()) + 1
    return (
        say(
            "Half of the cost is due to {count} of {all} materials: {materials}.",
            count=half,
            all=len(most),
            materials=_listed([names.material(str(key)) for key in top.index[:half]], say),
        ),
    )


def _no_plan(evidence: Evidence, say: Language) -> tuple[str, ...]:
    conflicts = evidence.plan.conflicts
    if conflicts:
        return (say("Not all promises and limits can be kept."), *conflicts[:2])
    return (say("The solve ended before there was a plan."),)


def picture(evidence: Evidence, names: Names, say: Language) -> Figure | None:
    """Return the picture of the answer: what to buy, where the money goes."""
    plan = evidence.plan
    if not plan.found or not plan.holdings["outlay_usd"].sum():
        return None
    spent = plan.holdings.groupby("material", sort=False)["outlay_usd"].sum()
    order = spent[spent > 0].sort_values(ascending=False, kind="stable")
    shown = list(order.index[:SHOWN]) if len(order) > SHOWN + 1 else list(order.index)
    others = say("{count} others", count=len(order) - len(shown))
    nations = [names.participant(key) for key in dict.fromkeys(plan.holdings["participant"])]
    rows: dict[tuple[str, str], float] = {}
    for row in plan.holdings.to_dict(orient="records"):
        if row["outlay_usd"] > 0:
            key = row["material"]
            label = names.material(key) if key in shown else others
            nation = names.participant(row["participant"])
            rows[label, nation] = rows.get((label, nation), 0.0) + row["outlay_usd"] / 1e6
    labels = [names.material(key) for key in shown]
    labels += [others] if len(order) > len(shown) else []
    drawn: list[dict[str, Any]] = [
        {
            "label": label,
            "series": nation,
            "place": nations.index(nation),
            "value": rows[label, nation],
        }
        for label in labels
        for nation in nations
        if (label, nation) in rows
    ]
    forms = bars(drawn, axis=say("purchases, million USD"), series=nations, order=labels)
    text = say(
        "Purchases by material and nation; most for {material}, {amount}.",
        material=labels[0],
        amount=money(float(order.iloc[0]), say),
    )
    return forms.figure(
        "purchases",
        say("Where the money goes"),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Purchases"), "outlay_million_usd", say("million USD"), "number"),
        ),
        tuple((row["label"], row["series"], row["value"]) for row in drawn),
        text,
    )


def _listed(names: list[str], say: Language) -> str:
    if len(names) < 2:
        return "".join(names)
    return say("{first} and {last}", first=", ".join(names[:-1]), last=names[-1])
