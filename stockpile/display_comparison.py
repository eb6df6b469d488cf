"""A comparison as one page of text: the answer in three sentences, then small tables."""

from __future__ import annotations

import math
import shutil
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.cooperation.obligations import SHARED
from stockpile.cooperation.tickets import ALL
from stockpile.display import PIPE_WIDTH, drawn_text, money, render_table
from stockpile.number_text import number_text
from stockpile.plan import Status
from stockpile.problem import promise_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from stockpile.cooperation.comparison import Comparison

MOST_MATERIALS, MOST_CASES, MOST_NAMES = 5, 4, 4
"""Materials, cases and participants that the page shows; the rest are in the tables."""
LONGEST_LINE = 100
"""Width of sentences; longer lines are hard to read."""
PROVED = 1e-6
"""An interval narrower than this fraction of the cost alone is called proved."""
BY_MATERIAL = ("fewer_tonnes_usd", "cheaper_place_usd", "fewer_shortages_usd")
"""Parts of the saving that are known by material."""
BECAUSE = {
    "fewer_tonnes_usd": "one stock serves several, so fewer tonnes are held",
    "cheaper_place_usd": "stocks stand where capital costs less",
    "fewer_shortages_usd": "stocks prevent more shortages",
    "facilities_usd": "fewer stores are open",
    "projects_usd": "less is spent on projects",
}
"""What the largest part of the saving means."""


def comparison_page(comparison: Comparison) -> str:
    """Say on one page what acting together saves, why, and who should pay what."""
    drawn = drawn_text(comparison.scenario_count, comparison.seed, comparison.sampling)
    unit = _unit(comparison)
    parts = [
        f"Comparison for {comparison.instance_name} ({comparison.instance_hash[:12]})\n"
        f"{drawn}, {comparison.seconds:.1f} s\n",
        "".join(map(_wrapped, _answer(comparison))),
        _worlds(comparison, unit),
        _reasons(comparison, unit),
        _payers(comparison, unit),
        _wrapped(" ".join([*_tickets(comparison), *_leaving(comparison)])),
        _default(comparison, unit),
        _wrapped(" ".join(_floors(comparison))),
        _article7(comparison, unit),
    ]
    return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Unit:
    """The unit of all tables of a page, with as many decimals as its largest cost needs."""

    usd: float
    name: str
    decimals: int

    def write(self, usd: float) -> str:
        """Write an amount of money without its unit."""
        if math.isnan(usd):
            return "-"
        # Adding 0.0 turns a rounded -0.0 into 0.0.
        return f"{round(usd / self.usd, self.decimals) + 0.0:,.{self.decimals}f}"


def _unit(comparison: Comparison) -> _Unit:
    costs = comparison.worlds["annual_cost_usd"].dropna().to_list()
    most = max(costs, default=1.0)
    for usd, name in ((1e9, "billion USD"), (1e6, "million USD"), (1e3, "thousand USD")):
        if most >= usd:
            return _Unit(usd, name, 2 if most >= 10.0 * usd else 3)
    return _Unit(1.0, "USD", 2)


def _answer(comparison: Comparison) -> list[str]:
    """Return the three sentences that matter most; fewer where they cannot be said."""
    if not comparison.plans["none"].found or comparison.agreed is None:
        return [_unknown(comparison)]
    return [
        _saving(comparison),
        *_gains(comparison, comparison.agreed),
        _split(comparison),
    ]


def _unknown(comparison: Comparison) -> str:
    """Say why the saving is not known."""
    status = comparison.plans["none"].status
    if status is Status.INFEASIBLE and comparison.agreed is not None:
        cost = money(_row(comparison.worlds, world=comparison.agreed)["annual_cost_usd"])
        return (
            "Acting alone, not all promises can be kept; acting together they can, for "
            f"{cost} a year. So there is no cost alone to measure a saving by."
        )
    if status is Status.INFEASIBLE:
        return "Not all promises can be kept, neither alone nor together."
    return "What acting together saves is not known: acting alone has no plan yet."


def _saving(comparison: Comparison) -> str:
    low, high = comparison.saving_interval_usd
    alone = _row(comparison.worlds, world="none")["annual_cost_usd"]
    proved = high - low <= PROVED * alone
    if comparison.agreed == "none":
        left = "which is proved" if proved else f"but the gaps leave up to {money(high)} a year"
        return f"Acting together saves nothing in the plans found, {left}."
    share = 100.0 * comparison.saving_usd / alone
    text = "Acting" if comparison.status is Status.OPTIMAL else "In the plans found so far, acting"
    text += f" together saves {money(comparison.saving_usd)} a year, {share:.1f} % of what "
    text += "acting alone costs"
    if proved:
        return f"{text}; this is proved."
    return f"{text}; with what the gaps leave open, {_range(low, high)}."


def _gains(comparison: Comparison, agreed: str) -> list[str]:
    """Say who gains, and why; nothing where nothing is gained."""
    if agreed == "none":
        return []
    alone = _column(comparison.borne, "participant", "total_usd", world="none")
    bears = _column(comparison.borne, "participant", "total_usd", world=agreed)
    gains = [
        f"{comparison.names[name]} {'gains' if alone[name] >= bears[name] else 'loses'} "
        f"{money(abs(alone[name] - bears[name]))}"
        for name in alone
    ]
    reasons = comparison.reasons[comparison.reasons["world"] == agreed]
    before, after = (_row(comparison.worlds, world=world) for world in ("none", agreed))
    parts = {name: float(reasons[name].sum()) for name in BY_MATERIAL}
    for name in ("facilities_usd", "projects_usd"):
        parts[name] = before[name] - after[name]
    because = BECAUSE[max(parts, key=lambda name: parts[name])]
    largest = reasons.sort_values("saving_usd", ascending=False, kind="stable").iloc[:2]
    most = [row["material"] for row in largest.to_dict(orient="records") if row["saving_usd"] > 0.0]
    where = f", most of it in {_listed(most)}" if most else ""
    return [
        f"Before side payments {_listed(gains)} a year{where}, and the main reason is that "
        f"{because}."
    ]


def _split(comparison: Comparison) -> str:
    """Say who would pay what."""
    if comparison.agreed == "none":
        return "So there is nothing to split: everybody pays what it pays alone."
    pays = {
        split: _column(comparison.splits, "participant", "pays_usd", split=split)
        for split in ("nash", "shapley")
    }
    nash, by_shapley = (
        _listed([f"{comparison.names[name]} pays {money(usd)}" for name, usd in amounts.items()])
        for amounts in pays.values()
    )
    if nash == by_shapley:
        text = f"By Nash bargaining and by the Shapley value alike, {nash} a year"
    else:
        text = f"By Nash bargaining, {nash} a year; by the Shapley value, {by_shapley}"
    return f"{text}{_payment(comparison)}."


def _payment(comparison: Comparison) -> str:
    """Say which side payment makes it so, where there is one payer and one receiver at most."""
    due = _column(comparison.splits, "participant", "side_payment_usd", split="nash")
    payers = [name for name, usd in due.items() if usd > 0.0]
    receivers = [name for name, usd in due.items() if usd < 0.0]
    if not payers:
        return ", which needs no side payment"
    if len(payers) > 1 or len(receivers) > 1:
        return ""
    payer, receiver = comparison.names[payers[0]], comparison.names[receivers[0]]
    return f", {money(due[payers[0]])} of it from {payer} to {receiver}"


def _worlds(comparison: Comparison, unit: _Unit) -> str:
    rows = [
        [
            row["world"],
            row["status"],
            unit.write(row["annual_cost_usd"]),
            unit.write(row["bound_usd"]),
            *(
                ["-"] * 4
                if row["world"] == "none"
                else [
                    unit.write(row["saving_usd"]),
                    unit.write(row["saving_lower_usd"]),
                    unit.write(row["saving_upper_usd"]),
                    _percent(row["saving_share"]),
                ]
            ),
        ]
        for row in comparison.worlds.to_dict(orient="records")
    ]
    header = ["world", "status", "cost", "bound", "saving", "least", "most", "saving %"]
    return _table(f"Worlds, {unit.name} a year", header, rows, left={0, 1})


def _reasons(comparison: Comparison, unit: _Unit) -> str:
    """Show the materials that save most, and the rest in one row."""
    world = comparison.agreed if comparison.agreed != "none" else "sharing"
    reasons = comparison.reasons[comparison.reasons["world"] == world]
    if reasons.empty:
        return ""
    reasons = reasons.sort_values("saving_usd", ascending=False, kind="stable", key=abs)
    sums = ["alone_usd", "saving_usd", *BY_MATERIAL, "shipping_usd"]
    plants = ["conver-\nsion"] if reasons["conversion_usd"].any() else []
    sums += ["conversion_usd"] if plants else []
    rows = [
        [
            _short(row["material"], 68),
            *(unit.write(row[name]) for name in sums),
            _percent(row["coincidence"], digits=0),
            row["reason"],
        ]
        for row in reasons.iloc[:MOST_MATERIALS].to_dict(orient="records")
    ]
    others = reasons.iloc[MOST_MATERIALS:]
    if len(others):
        rows.append(
            [
                f"{len(others)} others",
                *(unit.write(float(others[name].sum())) for name in sums),
                "",
                "",
            ]
        )
    header = [
        "material",
        "alone",
        "saving",
        "fewer\ntonnes",
        "cheaper\nplace",
        "better\ncover",
        "ship-\nping",
        *plants,
        "needs\nmeet %",
        "reason",
    ]
    return _table(
        f"Where it comes from, {unit.name} a year", header, rows, left={0, len(header) - 1}
    )


def _payers(comparison: Comparison, unit: _Unit) -> str:
    if comparison.splits.empty:
        return ""
    splits = list(dict.fromkeys(comparison.splits["split"]))
    nash = comparison.splits[comparison.splits["split"] == "nash"]
    pays = {
        split: _column(comparison.splits, "participant", "pays_usd", split=split)
        for split in splits
    }
    rows = [
        [
            _short(row["participant"], 69),
            unit.write(row["alone_usd"]),
            unit.write(row["borne_usd"]),
            *(unit.write(pays[split][row["participant"]]) for split in splits),
            unit.write(row["side_payment_usd"]),
        ]
        for row in nash.to_dict(orient="records")
    ]
    header = ["participant", "alone", "bears", *splits, "pays others (nash)"]
    return _table(f"Who pays, {unit.name} a year", header, rows[:MOST_NAMES], left={0})


def _tickets(comparison: Comparison) -> list[str]:
    """Say what the side payments by Nash bargaining come to as tickets."""
    tickets = comparison.tickets[comparison.tickets["split"] == "nash"]
    sentences = []
    for row in tickets[tickets["material"] == ALL].to_dict(orient="records"):
        price = row["ticket_share_per_year"]
        if not row["payment_usd_per_year"] > 0.0 or math.isnan(price):
            continue
        single = tickets[
            (tickets["holder"] == row["holder"]) & (tickets["material"] != ALL)
        ].sort_values("claim_usd", ascending=False, kind="stable")
        most = single.iloc[0]
        sentences.append(
            f"As stock tickets, {row['holder']} is paid {100.0 * price:.3g} % of their value a "
            f"year for the {number_text(row['claim_t'])} t that partners may call on: "
            f"{number_text(most['ticket_usd_per_t_year'])} USD per tonne of {most['material']}."
        )
    return sentences[:2]


def _leaving(comparison: Comparison) -> list[str]:
    """Say who would rather leave; with two participants nobody does."""
    if comparison.splits.empty or len(comparison.names) < 3:
        return []
    objections = comparison.core[comparison.core["objects"]]
    if objections.empty:
        return ["No group would pay less on its own by any of these splits."]
    worst = max(objections.to_dict(orient="records"), key=lambda row: float(row["excess_usd"]))
    group = _listed(worst["coalition"].split(";"))
    return [
        f"By {worst['split']}, {group} would pay {money(worst['excess_usd'])} a year less on their "
        "own; the table core lists all objections."
    ]


def _default(comparison: Comparison, unit: _Unit) -> str:
    if comparison.default.empty or comparison.agreed == "none":
        return ""
    bears = _column(comparison.borne, "participant", "total_usd", world=comparison.agreed or "")
    rows = [
        [
            _short(row["participant"], 69),
            unit.write(bears[row["participant"]]),
            unit.write(row["extra_shortage_usd"]),
            unit.write(row["default_total_usd"]),
            unit.write(row["alone_usd"]),
            f"{row['broken_promises']}",
            _percent(row["break_even"]),
        ]
        for row in comparison.default.to_dict(orient="records")[:MOST_NAMES]
    ]
    header = [
        "participant",
        "bears",
        "more\nshortage",
        "bears\nthen",
        "\nalone",
        "promises\nbroken",
        "joining pays up to\na default of %",
    ]
    title = f"If no partner releases anything, {unit.name} a year"
    return _table(title, header, rows, left={0})


def _floors(comparison: Comparison) -> list[str]:
    """Say which promises break in a default, and what it costs to make them safe."""
    if comparison.agreed in (None, "none") or comparison.default.empty:
        return []
    if comparison.floors.empty:
        return ["No promise rests on partners: all hold if no partner releases anything."]
    rows = comparison.floors.to_dict(orient="records")
    worst = max(rows, key=lambda row: float(row["short_by"]))
    words = promise_in_words({**worst, "sharing": "on"})
    text = [
        f"{len(rows)} of the promises break then. Furthest off is {words}, which reaches "
        f"{worst['without_partners']:.3g}."
    ]
    if comparison.floored is None:
        return text
    if not comparison.floored.found:
        return [*text, "What they cost as floors (sharing = off) is not known."]
    cost = comparison.floors_cost_usd
    low, high = comparison.floors_interval_usd
    more = f"{money(cost)} a year more" if cost > 0.0 else "no more than the plan above"
    return [
        *text,
        f"As floors (sharing = off) they would make joining safe, and cost {more}; with what the "
        f"gaps leave open, {_range(low, high)}.",
    ]


def _article7(comparison: Comparison, unit: _Unit) -> str:
    """Show who owes and who receives in each case, all materials together by value."""
    table = comparison.article7
    if table.empty:
        return ""
    cases = list(dict.fromkeys(table["case"]))
    rows = [_case(case, table[table["case"] == case], unit) for case in cases[:MOST_CASES]]
    header = ["case", "shared", "owes", "receives", "net", "largest flow"]
    title = f"Sharing in an emergency (Article 7), {unit.name} of material a month"
    return _table(title, header, rows, left={0, 2, 3, 5})


def _case(case: str, table: pd.DataFrame, unit: _Unit) -> list[str]:
    """Return the row of a case: how many materials are shared, who owes, and the largest flow."""
    shared = table[table["sharing"] == SHARED].to_dict(orient="records")
    net: dict[str, float] = {}
    flows: dict[str, tuple[float, float]] = {}
    for row in shared:
        net[row["participant"]] = net.get(row["participant"], 0.0) + row["balance_usd_per_month"]
        if row["balance_t_per_month"] > 0.0:
            usd, tonnes = flows.get(row["material"], (0.0, 0.0))
            flows[row["material"]] = (
                usd + row["balance_usd_per_month"],
                tonnes + row["balance_t_per_month"],
            )
    number = f"{len({row['material'] for row in shared})} of {table['material'].nunique()}"
    if not flows:
        return [_short(case, 57), number, "-", "-", "-", "-"]
    most = max(flows, key=lambda material: flows[material])
    return [
        _short(case, 57),
        number,
        _short(", ".join(name for name, usd in net.items() if usd < 0.0), 75),
        _short(", ".join(name for name, usd in net.items() if usd > 0.0), 72),
        unit.write(math.fsum(usd for usd in net.values() if usd > 0.0)),
        f"{number_text(flows[most][1])} t {_short(most, 68)}",
    ]


def _row(frame: pd.DataFrame, **where: str) -> dict[str, float]:
    """Return the figures of the one row with some names."""
    for column, name in where.items():
        frame = frame[frame[column] == name]
    return {str(key): value for key, value in frame.iloc[0].items()}


def _column(frame: pd.DataFrame, key: str, value: str, **where: str) -> dict[str, float]:
    """Return one column by the names in another, of the rows with some names."""
    for column, name in where.items():
        frame = frame[frame[column] == name]
    return {str(name): float(figure) for name, figure in zip(frame[key], frame[value], strict=True)}


def _range(low: float, high: float) -> str:
    return f"{money(low)} to {money(high)}"


def _listed(items: Sequence[str]) -> str:
    """Join words as in a sentence, not too many of them."""
    if len(items) > MOST_NAMES:
        items = [*items[: MOST_NAMES - 1], f"{len(items) - MOST_NAMES + 1} others"]
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _percent(fraction: float, digits: int = 1) -> str:
    return "-" if math.isnan(fraction) else f"{100.0 * fraction:.{digits}f}"


def _short(name: str, others: int) -> str:
    """Cut a name to what the other columns of a table leave of the width."""
    most = _width() - others
    return name if len(name) <= most else f"{name[: most - 2]}.."


def _width() -> int:
    """Return the columns of the terminal, or what suits a pipe."""
    return max(80, shutil.get_terminal_size((PIPE_WIDTH, 24)).columns)


def _wrapped(text: str) -> str:
    return "".join(f"{line}\n" for line in textwrap.wrap(text, min(_width(), LONGEST_LINE)))


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]], left: set[int]) -> str:
    """Lay out a table without blank lines, of which a page has no room for."""
    # The title stands outside: inside it would be wrapped to the width of the table.
    lines = [title, *render_table("", header, rows, left).splitlines()]
    return "".join(f"{line}\n" for line in lines if line.strip())
