"""Holdings, costs, promises and rules."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from stockpile.cells import ALL
from stockpile.errors import Mistake
from stockpile.reading import SETTINGS_FILE, setting_name
from stockpile.tables import RELATIONS, Row, names_of
from stockpile.validation.places import TOLERANCE, expand, row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.instance import Instance
    from stockpile.reading import Gaps


def _holding_limits(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that the least that must be held is not more than the most that may be."""
    for row in instance.holdings:
        if row.max_t is not None and row.min_t > row.max_t * (1.0 + TOLERANCE):
            message = f"min_t must not be above max_t {row.max_t:g} t"
            yield row_mistake("holdings", row, "min_t", row.min_t, message)


def _shortage_ties(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check, for every need, that the rows that name most agree on its shortage cost."""
    if "shortage" in gaps.incomplete:
        return  # The row that would decide may be missing.
    rows_for: dict[tuple[str, ...], list[int]] = defaultdict(list)
    named = []
    for position, row in enumerate(instance.shortage):
        cells = (row.participant, row.material, row.demand_class)
        named.append(sum(cell != (ALL,) for cell in cells))
        for names in itertools.product(*cells):
            rows_for[names].append(position)
    reported: set[tuple[int, ...]] = set()
    for stream in instance.demand:
        need = (stream.participant, stream.material, stream.demand_class)
        choices = itertools.product(*((name, ALL) for name in need))
        matching = sorted(position for choice in choices for position in rows_for.get(choice, ()))
        most = max((named[position] for position in matching), default=0)
        deciding = tuple(position for position in matching if named[position] == most)
        rows = [instance.shortage[position] for position in deciding]
        if len({row.shortage_cost_usd_per_kg for row in rows}) > 1 and deciding not in reported:
            reported.add(deciding)
            yield row_mistake(
                "shortage",
                rows,
                "shortage_cost_usd_per_kg",
                ", ".join(f"{row.shortage_cost_usd_per_kg:g}" for row in rows),
                f"rows that name equally much differ on {' '.join(need)}; "
                "expected one shortage cost",
                "Add a row that names more, or make the rows agree.",
            )


WITH_CONFIDENCE = ("chance", "cvar", "joint_chance")


def _coverage(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a promise gives what its metric needs."""
    for row in instance.coverage:
        metric = row.metric

        def wrong(
            column: str, value: object, message: str, hint: str = "", row: Row = row
        ) -> Mistake:
            return row_mistake("coverage", row, column, value, message, hint)

        if metric != "days" and row.level > 1.0:
            hint = "Only days has levels above 1."
            if row.level <= 100.0:
                percent = f"{row.level:g} % is written {row.level / 100.0:g}."
                hint = f"Fractions are never percent: {percent}"
            message = f"level of {metric} must be a number from 0 to 1 [fraction]"
            yield wrong("level", row.level, message, hint)
        if metric in WITH_CONFIDENCE and row.confidence is None:
            yield wrong("confidence", "", f"{metric} needs a confidence, a number from 0 to 1")
        if metric == "cvar" and row.confidence == 1.0:
            hint = "For every scenario without exception, use chance with confidence 1."
            yield wrong("confidence", 1.0, "confidence of cvar must be below 1", hint)
        if metric == "stress" and row.stress is None:
            yield wrong("stress", "", "stress needs the name of a case of stress.csv")
        if metric == "joint_chance" and row.group is None:
            hint = "Rows of the same group must hold at once."
            yield wrong("group", "", "joint_chance needs a group", hint)


def _joint_groups(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that a joint chance, one promise, has one confidence and one kind of sharing."""
    rows_of: dict[str, list[Any]] = defaultdict(list)
    for row in instance.coverage:
        if row.metric == "joint_chance" and row.group is not None:
            rows_of[row.group].append(row)
    for group, rows in rows_of.items():
        for column in ("confidence", "sharing"):
            values = list(dict.fromkeys(getattr(row, column) for row in rows))
            if len(values) > 1 and None not in values:
                yield row_mistake(
                    "coverage",
                    rows,
                    column,
                    ", ".join(str(value) for value in values),
                    f"rows of the joint_chance group {group} differ; expected the same {column}",
                )


def _rule_rows(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no rule says two things to the same relation, class and age."""
    classes = names_of("classes", instance.classes)
    first_with: dict[tuple[str, str, str, int], Row] = {}
    for row in instance.rules:
        repeated = []
        for relation in expand(row.relation, RELATIONS):
            for demand_class in expand(row.demand_class, classes):
                what = (row.rule, relation, demand_class, row.from_month)
                first = first_with.setdefault(what, row)
                if first is not row:
                    repeated.append((first, relation, demand_class))
        if repeated:
            first, relation, demand_class = repeated[0]
            yield row_mistake(
                "rules",
                (first, row),
                "from_month",
                row.from_month,
                f"the rule {row.rule} has two rows for {relation} {demand_class} from month "
                f"{row.from_month}; expected one",
                "Rows for the same relation and class need different from_month.",
            )


def _transfers(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    for row in instance.transfers:
        if row.from_participant == row.to_participant:
            message = "a participant cannot ship to itself; expected two different ones"
            yield row_mistake("transfers", row, "to_participant", row.to_participant, message)


def _commercial(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    """Check that no two rows give a thrift for the same participant, material and class."""
    classes = names_of("classes", instance.classes)
    first_with: dict[tuple[str, str, str], Row] = {}
    for row in instance.commercial:
        if row.thrift_share == 0.0:
            continue
        for demand_class in expand(row.demand_class, classes):
            first = first_with.setdefault((row.participant, row.material, demand_class), row)
            if first is not row:
                yield row_mistake(
                    "commercial",
                    (first, row),
                    "thrift_share",
                    row.thrift_share,
                    f"two rows give a thrift for {row.material} of {row.participant}, "
                    f"{demand_class}; expected one",
                    "An empty demand_class means all classes.",
                )
                break


def _risk(instance: Instance, gaps: Gaps) -> Iterator[Mistake]:
    if SETTINGS_FILE in gaps.incomplete:
        return  # The confidence may have been given, and reported.
    risk = instance.risk
    if risk.cvar_limit_usd_per_year is not None and risk.cvar_confidence is None:
        yield Mistake(
            SETTINGS_FILE,
            None,
            setting_name("risk", "cvar_confidence"),
            None,
            "[risk] has a cvar_limit_usd_per_year, but no cvar_confidence that it is for",
            "Give both, or leave [risk] out for no limit.",
        )


RULES = (
    _holding_limits,
    _shortage_ties,
    _coverage,
    _joint_groups,
    _rule_rows,
    _transfers,
    _commercial,
    _risk,
)
