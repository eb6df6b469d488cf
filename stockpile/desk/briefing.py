"""One page for those who decide: situation, orders, run-out dates, what-ifs, certainty."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.desk.alternatives import FOLLOW, OWN_ONLY, THRIFT, WAIT
from stockpile.desk.runouts import soonest
from stockpile.errors import UsageError
from stockpile.folders import write_file
from stockpile.languages import language
from stockpile.number_text import number_text
from stockpile.periods import MONTH
from stockpile.reports.amounts import money
from stockpile.reports.document import Column, Document, Paragraph, Section, Table
from stockpile.reports.names import Names, readable
from stockpile.reports.timeline_chart import timeline

if TYPE_CHECKING:
    import os

    import pandas as pd

    from stockpile.desk.response import Response
    from stockpile.instance import Instance
    from stockpile.languages import Language
    from stockpile.reports.document import Figure

PAGES = ("html", "pdf")
"""Ways of writing a briefing that need the extra ``report``."""
FORMATS = (*PAGES, "md")
"""All ways, which are the endings of its files."""
MOST_ORDERS, MOST_STOCKS = 14, 10
"""Rows of the page; the result folder has them all."""
WHAT_IFS = 3
"""Alternatives on the page besides following the rules."""
SOON = 12
"""Months within which a stock that runs out is pressing."""
NEXT = (2, 3)
"""Months, or weeks, whose releases are foretold, counted from 1 as the current one."""
LIKELY = 0.5
"""They are where they are as likely as this."""
MILLION = 1e6


def write_briefing(
    found: Response,
    instance: Instance,
    path: str | os.PathLike[str],
    *,
    lang: str = "en",
) -> Path:
    """Write a briefing.

    Parameters
    ----------
    found
        As :func:`stockpile.respond` returns it.
    instance
        What was solved: it knows the full names.
    path
        File to write; its ending says how: ``.html``, ``.pdf`` or ``.md``. A file that is there is
        replaced.
    lang
        ``en`` or ``ja``.

    Raises
    ------
    UsageError
        If the ending or the language is not known, or a package is missing.
    OSError
        If the file cannot be written; an earlier one is still there then.
    """
    file = Path(path)
    form = briefing_form(file)
    document = briefing(found, instance, lang=lang)
    from stockpile.reports.report import written_as  # It takes long to load.

    write_file(file, written_as(document, form))
    return file


def briefing_form(file: Path) -> str:
    """Return how a briefing is written, by the ending of its file.

    Raises
    ------
    UsageError
        If the ending is not known.
    """
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"{file}: a briefing ends with one of {endings}")
    return form


def briefing(found: Response, instance: Instance, *, lang: str = "en") -> Document:
    """Return the parts of a briefing; see :func:`write_briefing`."""
    say = language(lang)
    names = Names(
        {row.participant: row.name for row in instance.participants},
        {row.material: row.name for row in instance.materials},
        {row.source: row.name for row in instance.sources},
    )
    when = (
        say("month {month} of the plan", month=found.month)
        if _monthly(found)
        else say("week {week} of the plan", week=found.month)
    )
    if found.date:
        when = f"{found.date}, {when}"
    return Document(
        title=found.title or say("Crisis briefing"),
        subtitle=say(
            "Crisis briefing, {when}; plan {name} ({hash})",
            when=when,
            name=found.instance_name,
            hash=found.instance_hash[:12],
        ),
        lead=_lead(found, names, say),
        picture=_picture(found, names, say),
        sections=(
            _orders(found, names, say),
            _what_ifs(found, names, say),
            _certainty(found, say),
        ),
        language=lang,
        brief=True,
    )


def _monthly(found: Response) -> bool:
    """Say whether the instance is in months; else it is in weeks."""
    return found.period == MONTH.name


def _step(found: Response, number: int, say: Language) -> str:
    """Name a month or a week of the plan."""
    return (
        say("month {month}", month=number) if _monthly(found) else say("week {week}", week=number)
    )


# --- The answer -----------------------------------------------------------------------------------


def _lead(found: Response, names: Names, say: Language) -> tuple[str, ...]:
    return (
        *_situation(found, names, say),
        _first_orders(found, names, say),
        _pressing(found, names, say),
    )


def _situation(found: Response, names: Names, say: Language) -> list[str]:
    if not len(found.events):
        return [say("Nothing is going on.")]
    sentences = []
    for row in _records(found.events):
        targets = row["targets"].split(";")
        whom = (
            say("All nations")
            if targets == ["*"]
            else ", ".join(names.participant(key) for key in targets)
        )
        lasts = say(
            "It goes on for 6 more months with a probability of {six}, for 12 with {twelve}.",
            six=_share(row["chance_6_more_months"]),
            twelve=_share(row["chance_12_more_months"]),
        )
        since = _step(found, row[f"start_{found.period}"], say)
        sentences.append(f"{_event(row, whom, since, names, say)} {lasts}")
    return sentences


def _event(row: dict[str, Any], whom: str, since: str, names: Names, say: Language) -> str:
    """Say what an event does, to whom, since when."""
    if row["effect"] == "demand_surge":
        return say(
            "Demand is {severity} higher since {start}: {whom}.",
            severity=_share(row["severity"]),
            start=since,
            whom=whom,
        )
    if row["effect"] == "sharing_blocked":
        return say(
            "Nothing may be shipped to partners since {start}: {whom}.",
            start=since,
            whom=whom,
        )
    what = names.source(row["source"]) if row["source"] else readable(row["event"])
    return say(
        "{what}: {severity} of the supply is lost since {start}; hit: {whom}.",
        what=what,
        severity=_share(row["severity"]),
        start=since,
        whom=whom,
    )


def _first_orders(found: Response, names: Names, say: Language) -> str:
    if len(found.orders):
        owners = ", ".join(names.participant(key) for key in dict.fromkeys(found.orders["owner"]))
        materials = len(set(found.orders["material"]))
        missing = int((found.needed["unserved_t"] > 1e-9).sum())
        text = (
            say(
                "Orders of this month: {owners}. Materials: {materials}.",
                owners=owners,
                materials=materials,
            )
            if _monthly(found)
            else say(
                "Orders of this week: {owners}. Materials: {materials}.",
                owners=owners,
                materials=materials,
            )
        )
        if missing:
            return text + say(" {count} needs are not served in full.", count=missing)
        if _monthly(found):
            return text + say(" All needs of this month are served.")
        return text + say(" All needs of this week are served.")
    if len(found.needed):
        count = len(found.needed)
        return (
            say(
                "Nothing is released this month, though {count} needs are not served: stocks are "
                "empty, or rules keep them.",
                count=count,
            )
            if _monthly(found)
            else say(
                "Nothing is released this week, though {count} needs are not served: stocks are "
                "empty, or rules keep them.",
                count=count,
            )
        )
    coming = found.ahead[found.ahead["chance"] >= LIKELY]
    if not len(coming):
        return _nothing(found, say)
    first = _step(found, found.month + int(coming[found.period].min()) - 1, say)
    return (
        say(
            "Nothing has to be released this month: firms' own stocks cover what is missing. "
            "Releases are to be expected from {first} on.",
            first=first,
        )
        if _monthly(found)
        else say(
            "Nothing has to be released this week: firms' own stocks cover what is missing. "
            "Releases are to be expected from {first} on.",
            first=first,
        )
    )


def _nothing(found: Response, say: Language) -> str:
    return (
        say("Nothing has to be released this month.")
        if _monthly(found)
        else say("Nothing has to be released this week.")
    )


def _pressing(found: Response, names: Names, say: Language) -> str:
    there = found.runouts[found.runouts["stock_t"] > found.runouts["least_t"]]
    soon = there[there[f"chance_in_{SOON}_months"] > 0.0]
    kept, promises = int(found.outlook["kept"].sum()), len(found.outlook)
    kept_text = say(
        "{kept} of {promises} promises are still to be expected to be kept.",
        kept=kept,
        promises=promises,
    )
    if not promises:
        kept_text = ""
    if not len(soon):
        return say("Under the rules no stock runs out within a year. ") + kept_text
    first = max(_records(soon), key=lambda row: float(row[f"chance_in_{SOON}_months"]))
    return (
        say(
            "Most pressing: the stock of {material} in {participant} runs out within a year with "
            "a probability of {chance}. ",
            material=names.material(str(first["material"])),
            participant=names.participant(str(first["participant"])),
            chance=_share(float(first[f"chance_in_{SOON}_months"])),
        )
        + kept_text
    )


# --- Stocks and run-out dates ---------------------------------------------------------------------


def _picture(found: Response, names: Names, say: Language) -> Figure | None:
    table = found.runouts[found.runouts["chance"] > 0.0]
    table = soonest(table).head(MOST_STOCKS)
    if not len(table):
        return None
    last = found.months
    series = (
        say("left in 9 of 10 continuations"),
        say("left in half of them"),
        say("left in 1 of 10"),
    )
    rows: list[dict[str, Any]] = []
    for row in _records(table):
        label = (
            f"{names.material(row['material'])}, {names.participant(row['participant'])}: "
            f"{number_text(row['stock_t'])} t"
        )
        begin = 1.0
        for name, part in zip(series, (10, 50, 90), strict=True):
            runs_out = row[f"{found.period}_{part}"]
            end = last + 1.0 if math.isnan(runs_out) else min(runs_out, last) + 1.0
            if end > begin:
                rows.append({"label": label, "series": name, "first": begin, "after": end})
                begin = end
    order = list(dict.fromkeys(row["label"] for row in rows))
    forms = timeline(
        rows,
        (),
        axis=say("months from now, 1 is this month")
        if _monthly(found)
        else say("weeks from now, 1 is this week"),
        order=order,
        series=series,
        last=last,
    )
    return forms.figure(
        "stocks",
        say("How long stocks last under the rules"),
        (
            Column(say("What"), "what"),
            Column(say("State"), "state"),
            *(
                (
                    Column(say("From month"), "first_month", kind="whole"),
                    Column(say("To month"), "last_month", kind="whole"),
                )
                if _monthly(found)
                else (
                    Column(say("From week"), "first_week", kind="whole"),
                    Column(say("To week"), "last_week", kind="whole"),
                )
            ),
        ),
        tuple((row["label"], row["series"], row["first"], row["after"] - 1.0) for row in rows),
        say("Bars over time for the stocks that run out first: how long they last, how surely."),
    )


# --- Orders ---------------------------------------------------------------------------------------


def _orders(found: Response, names: Names, say: Language) -> Section:
    """Return what is to be released of each stock, now and next."""
    releases = _releases(found)
    if not releases:
        nothing = Paragraph(_nothing(found, say))
        return Section("orders", say("Orders"), (nothing,))
    coming = [step for step in NEXT if step <= found.months]
    rows = tuple(
        (
            names.participant(row["owner"]),
            names.material(row["material"]),
            row["stock_t"],
            row["own_t"],
            row["partner_t"],
            *(row[step] for step in coming),
            row["rule"],
        )
        for row in releases
    )
    more = len(rows) - MOST_ORDERS
    note = say("Who gets what, class by class, and the line of each rule stand in orders.csv.")
    if more > 0:
        note += say(" {count} more stocks are drawn on.", count=more)
    table = Table(
        "orders",
        say("Orders of this month, and releases to be expected")
        if _monthly(found)
        else say("Orders of this week, and releases to be expected"),
        (
            Column(say("Owner"), "owner"),
            Column(say("Material"), "material"),
            Column(say("Stock now"), "stock_t", "t", "number"),
            Column(say("Release to own needs"), "own_t", "t", "number"),
            Column(say("Release to partners"), "partner_t", "t", "number"),
            *(
                Column(
                    say("Month {month}", month=found.month + step - 1)
                    if _monthly(found)
                    else say("Week {week}", week=found.month + step - 1),
                    f"{found.period}_{step}_t",
                    "t",
                    "number",
                )
                for step in coming
            ),
            Column(say("Rule"), "rule"),
        ),
        rows[:MOST_ORDERS],
        note=note,
    )
    return Section("orders", say("Orders"), (table,))


def _releases(found: Response) -> list[dict[str | int, Any]]:
    """Return releases by stock: ordered now, likely next; the heaviest first."""
    by_stock: dict[tuple[str, str], dict[str | int, Any]] = {}
    stock = {(row["participant"], row["material"]): row for row in _records(found.runouts)}

    def of(owner: str, material: str) -> dict[str | int, Any]:
        fresh: dict[str | int, Any] = {"owner": owner, "material": material, "rule": ""}
        fresh |= {"own_t": 0.0, "partner_t": 0.0} | dict.fromkeys(NEXT, math.nan)
        row = by_stock.setdefault((owner, material), fresh)
        row["stock_t"] = stock[owner, material]["stock_t"]
        return row

    for order in _records(found.orders):
        row = of(order["owner"], order["material"])
        own = order["owner"] == order["beneficiary"]
        row["own_t" if own else "partner_t"] += order["taken_t"]
        row["rule"] = order["rule"]
    for coming in _records(found.ahead):
        step = coming[found.period]
        if step in NEXT and coming["chance"] >= LIKELY:
            of(coming["owner"], coming["material"])[step] = coming["taken_t"]

    def part(row: dict[str | int, Any]) -> float:
        taken = row["own_t"] + row["partner_t"]
        taken += sum(row[step] for step in NEXT if not math.isnan(row[step]))
        return float(taken / max(row["stock_t"], 1e-300))

    return sorted(by_stock.values(), key=part, reverse=True)


# --- What if --------------------------------------------------------------------------------------


def _what_ifs(found: Response, names: Names, say: Language) -> Section:
    table = _alternatives(found)
    if not table:
        return Section("what-ifs", say("What if"), (Paragraph(say("Nothing is needed.")),))
    rows = tuple(
        (
            _in_words(found, name, names, say),
            table[name]["cost_usd"] / MILLION,
            table[name]["change_usd"] / MILLION,
            _interval(table[name], say),
            int(table[name]["promises_kept"]),
        )
        for name in (FOLLOW, *_chosen(table))
    )
    advised = found.advice[found.advice["advised"]]
    gain = float(advised.drop_duplicates("materials")["gain_usd"].sum())
    advice = (
        say(
            "Other rules are advised for {count} materials: they break no promise and save "
            "{gain} in all. They stand in advice.csv.",
            count=advised["materials"].nunique(),
            gain=money(gain, say),
        )
        if len(advised)
        else say("No change of rules is advised: none saves money outside the interval.")
    )
    return Section(
        "what-ifs",
        say("What if"),
        (
            Table(
                "what-ifs",
                say("What if: cost from now on"),
                (
                    Column(say("What is done"), "alternative"),
                    Column(say("Cost"), "cost", say("million USD"), "number"),
                    Column(say("Change"), "change", say("million USD"), "number"),
                    Column(say("95 % interval"), "interval"),
                    Column(say("Promises kept"), "promises_kept", kind="whole"),
                ),
                rows,
                note=say("All on the same continuations. What thrift costs firms is not counted."),
            ),
            Paragraph(advice),
        ),
    )


def _alternatives(found: Response) -> dict[str, dict[str, Any]]:
    return {str(row["alternative"]): dict(row) for row in _records(found.alternatives)}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.to_dict(orient="records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _chosen(table: dict[str, dict[str, Any]]) -> list[str]:
    """Return the what-ifs of the page: the worst default, waiting or own needs only, and thrift."""
    defaults = [name for name in table if name.endswith("_defaults")]
    worst = sorted(defaults, key=lambda name: -float(table[name]["change_usd"]))[:1]
    second = WAIT if float(table[WAIT]["change_usd"]) > 0.0 else OWN_ONLY
    return [*worst, second, THRIFT][:WHAT_IFS]


def _in_words(found: Response, name: str, names: Names, say: Language) -> str:
    words = {
        FOLLOW: say("The agreed rules are followed"),
        OWN_ONLY: say("Everybody serves own needs only"),
        WAIT: say("Releases wait for a month")
        if _monthly(found)
        else say("Releases wait for a week"),
        THRIFT: say("Firms do without 10 % more of the last class"),
    }
    if name in words:
        return words[name]
    partner = names.participant(name.removesuffix("_defaults"))
    return say("{partner} does not help its partners", partner=partner)


def _interval(row: dict[str, Any], say: Language) -> str:
    low, high = float(row["change_low_usd"]) / MILLION, float(row["change_high_usd"]) / MILLION
    if low == high == 0.0:
        return ""
    return say("{low} to {high}", low=f"{low:,.4g}", high=f"{high:,.4g}")


# --- Certainty ------------------------------------------------------------------------------------


def _certainty(found: Response, say: Language) -> Section:
    return Section(
        "certainty",
        say("How sure this is"),
        (
            Paragraph(
                say(
                    "The orders follow from the agreed rules, today's stocks and what is known "
                    "today; they are the same however things go on. All else is told from {count} "
                    "continuations of {time}, drawn from the instance's hazards given what has "
                    "been observed (seed {seed}).",
                    count=f"{found.continuations:,}",
                    time=say("{months} months", months=found.months)
                    if _monthly(found)
                    else say("{weeks} weeks", weeks=found.months),
                    seed=found.seed,
                )
            ),
            Paragraph(
                say(
                    "Not counted: other ways of helping oneself than thrift, what prices do "
                    "meanwhile, and hazards that nobody has written down."
                )
            ),
        ),
    )


def _share(value: float) -> str:
    return f"{100.0 * value:.3g} %"
