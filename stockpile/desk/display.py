"""The answer of the crisis desk as text for a terminal or a pipe; never simulates anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.desk.alternatives import BEST, FOLLOW, HOLD, OWN_ONLY, RELEASE, THRIFT, WAIT
from stockpile.desk.runouts import soonest
from stockpile.display import money, render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.desk.order_sheet import OrderSheet
    from stockpile.desk.response import Response

MOST_ROWS = 12
"""Rows of tables of which only the most pressing are printed."""
LIKELY = 0.5
"""Releases of the coming months are printed where they are as likely as this."""
MILLION = 1e6
ALTERNATIVE_WORDS = {
    FOLLOW: "follow the agreed rules",
    HOLD: "hold everything",
    RELEASE: "release to all at once",
    OWN_ONLY: "own needs only",
    BEST: "follow the rules advised below",
    THRIFT: "ask firms for 10 points more thrift",
}


def response_text(found: Response) -> str:
    """Print orders, run-out dates, what is to be expected, and alternatives."""
    when = f"{found.period} {found.month}" + (f", {found.date}" if found.date else "")
    head = (
        f"Crisis desk for {found.instance_name} ({found.instance_hash[:12]}), cooperation "
        f"{found.cooperation}, {when}\n"
        f"  {found.title or 'no title'}\n"
        f"  {found.continuations:,} continuations of {found.months} {found.period}s, "
        f"seed {found.seed}\n\n"
    )
    parts = [_events(found), _orders(found), _unserved(found), _ahead(found), _runouts(found)]
    parts += [_outlook(found), _alternatives(found), _advice(found)]
    return head + "\n".join(part for part in parts if part)


def _events(found: Response) -> str:
    if not len(found.events):
        return "Nothing is going on.\n"
    rows = [
        [
            row["event"],
            row["source"] or "-",
            row["targets"].replace(";", ", ").replace("*", "all"),
            f"{row[f'start_{found.period}']}",
            f"{100.0 * row['severity']:.3g} %",
            *(f"{100.0 * row[f'chance_{more}_more_months']:.0f} %" for more in (3, 6, 12)),
        ]
        for row in found.events.to_dict(orient="records")
    ]
    header = ["event", "source", "hits", f"since\n{found.period}", "severity"]
    header += ["3 more\nmonths", "6 more", "12 more"]
    return render_table("What is going on, and how likely it lasts", header, rows, left={0, 1, 2})


def _orders(found: Response) -> str:
    if not len(found.orders):
        if len(found.needed):
            return (
                f"Nothing is to be released this {found.period}, though not all is served: stocks "
                "are empty, or rules keep them.\n"
            )
        return (
            f"Nothing is to be released this {found.period}: nothing is missing beyond firms' own "
            "stocks.\n"
        )
    rows = [
        [
            row["owner"],
            row["beneficiary"],
            row["material"],
            row["demand_class"] + (f", as {row['needed']}" if row["plants"] else ""),
            number_text(row["taken_t"]),
            number_text(row["left_t"]),
            row["line"],
        ]
        for row in found.orders.to_dict(orient="records")
    ]
    header = ["owner", "releases\nto", "material", "class", "t", "left, t", "line of the rule"]
    return render_table(
        f"Orders of this {found.period}", header, rows, left={0, 1, 2, 3, 6}, wrapped={3, 6}
    )


def side_text(found: OrderSheet) -> str:
    """Print the order sheet of one nation, and say what is shared and what is not."""
    bands = []
    if found.left_in_bands:
        bands.append(f"what is left of the stocks of {', '.join(found.left_in_bands)}")
    if found.agreed_in_bands:
        bands.append(f"what {', '.join(found.agreed_in_bands)} is agreed to hold")
    known = "  Known in tonnes: all stocks and what is agreed to be held.\n"
    if bands:
        known = (
            f"  Known in tonnes: what {found.participant} has and is agreed to hold. Known as "
            f"bands of days of cover:\n  {' and '.join(bands)}. Wherever it lies in its bands, "
            "the orders lie between\n  the least and the most; they may lie closer together than "
            "these.\n"
        )
    head = (
        f"Order sheet of {found.participant}, {found.period} {found.month}\n{known}"
        "  Shared by all: the rules, which projects are funded, and what is going on.\n"
        "  To be shown to partners: what is released to them. Not to be shown: this sheet, for "
        "what is released to\n  own needs tells of stocks. stockpile redact and stockpile state "
        "--redact write what may be.\n\n"
    )
    if not len(found.orders):
        return head + f"Nothing is to be released this {found.period}.\n"
    rows = [
        [
            row["beneficiary"],
            row["material"],
            row["demand_class"] + (f", as {row['needed']}" if row["plants"] else ""),
            number_text(row["taken_least_t"]),
            number_text(row["taken_most_t"]),
            row["line"],
        ]
        for row in found.orders.to_dict(orient="records")
    ]
    header = ["releases\nto", "material", "class", "at least\nt", "at most\nt", "line of the rule"]
    return head + render_table(
        f"Orders of this {found.period}", header, rows, left={0, 1, 2, 5}, wrapped={2, 5}
    )


def _unserved(found: Response) -> str:
    short = found.needed[found.needed["unserved_t"] > 1e-9]
    if not len(short):
        return ""
    rows = [
        [
            row["participant"],
            row["material"],
            row["demand_class"],
            number_text(row["need_t"]),
            number_text(row["unserved_t"]),
        ]
        for row in short.to_dict(orient="records")
    ]
    header = ["participant", "material", "class", "needed, t", "unserved, t"]
    return render_table(f"What nobody serves this {found.period}", header, rows, left={0, 1, 2})


def _ahead(found: Response) -> str:
    """Print what is to be released in the next periods, those materials first that come first."""
    coming = [step for step in (2, 3, 4, 5, 6) if step <= found.months]
    table = found.ahead[found.ahead[found.period].isin(coming) & (found.ahead["chance"] >= LIKELY)]
    if not len(table):
        return ""
    taken = table.pivot_table(
        index=["owner", "material"], columns=found.period, values="taken_t", sort=False
    )
    rows = [
        [*taken.index[place], *(number_text(values.get(step, math.nan)) for step in coming)]
        for place, values in enumerate(taken.to_dict(orient="records"))
    ]
    header = ["owner", "material", *(f"{found.period} {step}" for step in coming)]
    return render_table(
        "Releases to be expected, t: means of those at least as likely as not",
        header,
        rows,
        left={0, 1},
    )


def _runouts(found: Response) -> str:
    table = found.runouts[found.runouts["chance"] > 0.0]
    if not len(table):
        return "No stock runs out in any continuation.\n"
    table = soonest(table)
    rows = [
        [
            row["participant"],
            row["material"],
            number_text(row["stock_t"]),
            *(f"{100.0 * row[f'chance_in_{within}_months']:.0f} %" for within in (3, 6, 12)),
            f"{100.0 * row['chance']:.0f} %",
            _step(row[f"{found.period}_10"]),
            _step(row[f"{found.period}_50"]),
        ]
        for row in table.head(MOST_ROWS).to_dict(orient="records")
    ]
    header = ["participant", "material", "stock, t", "within 3\nmonths", "6", "12"]
    header += ["ever", f"1 in 10\nby {found.period}", f"1 in 2\nby {found.period}"]
    return render_table(
        f"When stocks run out under the rules{_of(len(table))}", header, rows, left={0, 1}
    )


def _step(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.0f}"


def _of(count: int) -> str:
    return f": {MOST_ROWS} of {count}" if count > MOST_ROWS else ""


def _outlook(found: Response) -> str:
    if not len(found.outlook):
        return ""
    broken = found.outlook[~found.outlook["kept"]]
    kept = len(found.outlook) - len(broken)
    text = f"{kept} of {len(found.outlook)} promises are still to be expected from now on.\n"
    if not len(broken):
        return text
    rows = [
        [
            row["participant"],
            row["material"],
            row["demand_class"],
            row["metric"],
            number_text(row["confidence"] if row["metric"] == "chance" else row["level"]),
            number_text(row["expected"]),
        ]
        for row in broken.head(MOST_ROWS).to_dict(orient="records")
    ]
    header = ["participant", "material", "class", "metric", "promised", "expected"]
    return text + render_table(
        f"Promises that are not{_of(len(broken))}", header, rows, left={0, 1, 2, 3}
    )


def alternative_in_words(name: str, period: str) -> str:
    """Say in a few words what an alternative is."""
    if name == WAIT:
        return f"wait for a {period}"
    if name in ALTERNATIVE_WORDS:
        return ALTERNATIVE_WORDS[name]
    return f"{name.removesuffix('_defaults')} does not help its partners"


def _alternatives(found: Response) -> str:
    if not len(found.alternatives):
        return ""
    rows = [
        [
            alternative_in_words(row["alternative"], found.period),
            number_text(row["cost_usd"] / MILLION),
            *(_signed(row[f"change{part}_usd"]) for part in ("", "_low", "_high")),
            "-"
            if row["alternative"] == THRIFT
            else number_text(max(row["regret_usd"], 0.0) / MILLION),
            f"{100.0 * row['worse_chance']:.0f} %",
            f"{row['promises_kept']}",
        ]
        for row in found.alternatives.to_dict(orient="records")
    ]
    header = ["alternative", "M USD from\nnow on", "change", "95 % from", "to"]
    header += ["regret", "worse\nwith", "promises\nkept"]
    return render_table(
        "Alternatives on the same continuations; what thrift costs firms is not counted",
        header,
        rows,
        left={0},
        wrapped={0},
    )


def _signed(usd: float) -> str:
    if abs(usd) < 1.0:
        return "0"
    return f"{'+' if usd > 0.0 else ''}{number_text(usd / MILLION)}"


def _advice(found: Response) -> str:
    advised = found.advice[found.advice["advised"]]
    if not len(advised):
        return "No change of rules is advised: none saves money outside the interval.\n"
    advised = advised.sort_values("gain_usd", ascending=False, kind="stable")
    rows = [
        [
            row["materials"].replace("+", ", "),
            row["participant"],
            row["rule"],
            row["best_rule"],
            money(row["gain_usd"]),
            money(row["gain_low_usd"]),
            money(row["gain_high_usd"]),
        ]
        for row in advised.head(MOST_ROWS).to_dict(orient="records")
    ]
    header = ["materials", "participant", "rule now", "better", "saves", "95 % from", "to"]
    return render_table(
        f"Rules that would be better from here, and break no promise{_of(len(advised))}",
        header,
        rows,
        left={0, 1, 2, 3},
        wrapped={0},
    )
