"""How stocks, releases and needs that nobody serves run through every stress case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpile.periods import MONTH, PERIODS
from stockpile.reports.amounts import money, percent
from stockpile.reports.charts import SERIES, WARNING, lines, month_bars
from stockpile.reports.document import Column, Figure, Paragraph, Section, Table
from stockpile.reports.names import readable

if TYPE_CHECKING:
    import pandas as pd

    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.periods import Period
    from stockpile.reports.document import Part
    from stockpile.reports.evidence import Evidence
    from stockpile.reports.names import Names

PER_KG = 1000.0
AFTER = 6
"""Months shown after the last need: stocks are being filled again."""
WORST_SHOWN = 8


def stress(evidence: Evidence, names: Names, say: Language) -> Section | None:
    """Return the section on stress cases; None where there are none."""
    runs, instance = evidence.stress, evidence.instance
    if runs is None or instance is None or runs.needs.empty:
        return None
    by_month = PERIODS[instance.period] == MONTH
    parts: list[Part] = [
        Paragraph(
            say(
                "Each case is simulated month by month with the holdings and rules of the plan. "
                "Materials are added up at their normal prices."
            )
            if by_month
            else say(
                "Each case is simulated week by week with the holdings and rules of the plan. "
                "Materials are added up at their normal prices."
            )
        )
    ]
    price = {row.material: PER_KG * row.price_usd_per_kg for row in instance.materials}
    for number, case in enumerate(dict.fromkeys(runs.needs["stress"]), start=1):
        needs = runs.needs[runs.needs["stress"] == case]
        stocks = runs.stocks[runs.stocks["stress"] == case]
        parts += _case(number, case, needs, stocks, price, instance, names, say)
    return Section("stress", say("How the plan stands the cases of the past"), tuple(parts))


def _case(
    number: int,
    case: str,
    needs: pd.DataFrame,
    stocks: pd.DataFrame,
    price: dict[str, float],
    instance: Instance,
    names: Names,
    say: Language,
) -> list[Part]:
    valued = needs.assign(usd=needs["material"].map(price))
    total = float((valued["need_t"] * valued["usd"]).sum())
    served = {
        column: float((valued[column] * valued["usd"]).sum())
        for column in ("own_t", "partner_t", "unserved_t")
    }
    notes = [row.note for row in instance.stress if row.stress == case and row.note]
    case = readable(case)
    period = PERIODS[instance.period]
    last = int(needs[period.name].max())
    text = say(
        "{case}: a need of {total} over {time}; {own} is met from own stocks, {partner} "
        "by partners, and {unserved} is not met.",
        case=case,
        total=money(total, say),
        time=say("{months} months", months=last)
        if period == MONTH
        else say("{weeks} weeks", weeks=last),
        own=percent(served["own_t"] / total),
        partner=percent(served["partner_t"] / total),
        unserved=percent(served["unserved_t"] / total),
    )
    parts: list[Part] = [Paragraph(text if not notes else f"{text} {notes[0]}")]
    parts.append(_needs(number, case, valued, period, say))
    parts.append(_stocks(number, case, needs, stocks, price, period, names, say))
    worst = _worst(number, case, valued, names, say)
    return parts if worst is None else [*parts, worst]


def _needs(number: int, case: str, valued: pd.DataFrame, period: Period, say: Language) -> Figure:
    words = {
        "own_t": say("met from own stock"),
        "partner_t": say("met by partners"),
        "unserved_t": say("not met"),
    }
    by_month = period == MONTH
    last = int(valued[period.name].max())
    rows: list[dict[str, Any]] = []
    for place, (column, word) in enumerate(words.items()):
        amounts = (valued[column] * valued["usd"]).groupby(valued[period.name]).sum() / 1e6
        rows += [
            {
                "month": step,
                "series": word,
                "place": place,
                "value": float(amounts.get(step, 0.0)),
            }
            for step in range(1, last + 1)
        ]
    forms = month_bars(
        rows,
        x=say("month") if by_month else say("week"),
        y=say("need, million USD a month") if by_month else say("need, million USD a week"),
        series=list(words.values()),
        colours=(SERIES[0], SERIES[2], WARNING),
    )
    title = say("{case}: needs and who meets them", case=case)
    text = (
        say("Bars for every month: what is met from own stock, by partners, and not met.")
        if by_month
        else say("Bars for every week: what is met from own stock, by partners, and not met.")
    )
    return forms.figure(
        f"stress-{number}-needs",
        title,
        (
            _step_column(period, say),
            Column(say("Need"), "part"),
            Column(say("Amount"), "million_usd", say("million USD"), "number"),
        ),
        tuple((row["month"], row["series"], row["value"]) for row in rows),
        text,
    )


def _stocks(
    number: int,
    case: str,
    needs: pd.DataFrame,
    stocks: pd.DataFrame,
    price: dict[str, float],
    period: Period,
    names: Names,
    say: Language,
) -> Figure:
    """Draw what is left of the stocks of the materials concerned, by nation."""
    last = int(needs[period.name].max()) + period.whole(AFTER)
    concerned = stocks[stocks[period.name] <= last]
    step = concerned[period.name]
    usd = concerned["material"].map(price)
    rows: list[dict[str, Any]] = []
    nations = []
    for key in dict.fromkeys(concerned["participant"]):
        own = concerned["participant"] == key
        state = (concerned["state_t"] * usd)[own].groupby(step[own]).sum()
        full = (concerned["holding_t"] * usd)[own].groupby(step[own]).sum()
        if not float(full.max()):
            continue
        nations.append(names.participant(key))
        rows += [
            {"month": int(at), "series": nations[-1], "value": float(state[at] / full[at])}
            for at in state.index
        ]
    forms = lines(
        rows,
        x=say("month") if period == MONTH else say("week"),
        y=say("stock left, of its value"),
        series=nations,
        percent=True,
    )
    title = say("{case}: what is left of the stocks", case=case)
    text = say("Lines for every nation: the value of the stocks of the materials concerned.")
    return forms.figure(
        f"stress-{number}-stocks",
        title,
        (
            _step_column(period, say),
            Column(say("Nation"), "participant"),
            Column(say("Stock left"), "share", kind="share"),
        ),
        tuple((row["month"], row["series"], row["value"]) for row in rows),
        text,
    )


def _step_column(period: Period, say: Language) -> Column:
    """Return the column that counts steps of time."""
    return Column(say("Month") if period == MONTH else say("Week"), period.name, kind="whole")


def _worst(
    number: int, case: str, valued: pd.DataFrame, names: Names, say: Language
) -> Table | None:
    """Return what is met worst; None where everything is met."""
    keys = ["participant", "material", "demand_class"]
    sums = valued.groupby(keys, sort=False)[["need_t", "own_t", "partner_t", "unserved_t"]].sum()
    sums = sums[sums["unserved_t"] > 1e-9 * sums["need_t"]]
    if sums.empty:
        return None
    sums["share"] = sums["unserved_t"] / sums["need_t"]
    sums = sums.sort_values("share", ascending=False, kind="stable").head(WORST_SHOWN)
    rows = tuple(
        (
            names.material(key[1]),
            names.participant(key[0]),
            key[2],
            *(float(value) for value in values),
        )
        for key, values in zip(
            sums.index, sums[["need_t", "unserved_t", "share"]].to_numpy(), strict=True
        )
    )
    return Table(
        f"stress-{number}-unmet",
        say("{case}: needs met worst", case=case),
        (
            Column(say("Material"), "material"),
            Column(say("Nation"), "participant"),
            Column(say("Class"), "demand_class"),
            Column(say("Need"), "need_t", "t", "number"),
            Column(say("Not met"), "unserved_t", "t", "number"),
            Column(say("Part not met"), "share", kind="share"),
        ),
        rows,
    )
