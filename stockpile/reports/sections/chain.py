"""The chain: what is held of each form, and what flows through the plants that join them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stockpile.assurance.flows import CASES, WORST
from stockpile.number_text import number_text
from stockpile.reports.amounts import percent
from stockpile.reports.amounts import tonnes as in_tonnes
from stockpile.reports.document import Column, Paragraph, Section, Table
from stockpile.reports.flow_chart import Box, Chain, Pipe, Ship, flow_chart, levels_of
from stockpile.reports.names import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from stockpile.assurance.flows import BlockFlows
    from stockpile.blocks import Block
    from stockpile.languages import Language
    from stockpile.problem import Problem
    from stockpile.reports.document import Cell, Figure, Part
    from stockpile.reports.names import Names

OFTEN = 0.1
"""A plant is a bottleneck that is used up in a larger part of the months with need."""
LEAST = 5e-4
"""Less than this is not shipped [t a month]."""


def chain(
    problem: Problem,
    blocks: Sequence[Block],
    flows: Sequence[BlockFlows],
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
) -> Section | None:
    """Return the section on chains; None where no plant joins materials.

    Parameters
    ----------
    flows
        Of the same blocks; none where flows are not to be shown.
    held
        What is held, in words, by participant and material.
    """
    parts: list[Part] = []
    number = 0
    for place, block in enumerate(blocks):
        if len(block.materials) > 1:
            number += 1
            of_block = flows[place] if flows else None
            parts += _of_block(number, problem, block, of_block, held, names, say)
    return Section("chain", say("The chain"), tuple(parts)) if parts else None


def words_for_tonnes(problem: Problem, lots: NDArray[np.int64]) -> dict[tuple[str, str], str]:
    """Return what is held of each stock in tonnes, in words.

    Parameters
    ----------
    lots
        (C, M).
    """
    return {
        (participant, material): in_tonnes(float(lots[c, m] * problem.lot[m]))
        for c, participant in enumerate(problem.participants)
        for m, material in enumerate(problem.materials)
    }


def _of_block(
    number: int,
    problem: Problem,
    block: Block,
    flows: BlockFlows | None,
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
) -> list[Part]:
    plants = _plants(problem, block)
    figure = _figure(number, problem, block, plants, flows, held, names, say)
    if flows is None:
        return [figure]
    calm = 1.0 - float(flows.probability[0])
    text = say(
        "{chain}: in {part} of the scenarios nothing is needed, and nothing flows. Where something "
        "is needed, it is for {months} months on average.",
        chain=names.material(block.name),
        part=percent(calm),
        months=number_text(flows.months[0], 3),
    )
    parts: list[Part] = [
        Paragraph(text),
        figure,
        Paragraph(_bottlenecks(problem, flows, names, say)),
    ]
    parts.append(_cases(number, flows, calm, say))
    shipments = _shipments(number, problem, flows, names, say)
    return parts if shipments is None else [*parts, shipments]


def _plants(problem: Problem, block: Block) -> list[int]:
    """Return the plants of a block in table order."""
    takes = problem.conversions.takes
    return [e for e in range(problem.conversions.count) if int(takes[e]) in block.materials]


def _often(flows: BlockFlows, e: int) -> bool:
    return not math.isnan(flows.full[e]) and bool(flows.full[e] > OFTEN)


def _plant(problem: Problem, e: int) -> str:
    """Return what a plant is called beside the name of its nation, with which its key may begin."""
    conversions = problem.conversions
    host = problem.participants[conversions.participant[e]]
    return readable(conversions.names[e].removeprefix(f"{host}_"))


def _bottlenecks(problem: Problem, flows: BlockFlows, names: Names, say: Language) -> str:
    hosts = [problem.participants[c] for c in problem.conversions.participant]
    found = [
        f"{names.participant(hosts[e])}, {_plant(problem, e)} ({percent(float(flows.full[e]))})"
        for e in _plants(problem, flows.block)
        if _often(flows, e)
    ]
    if not found:
        return say(
            "No plant is used up in more than {part} of the time with need.", part=percent(OFTEN)
        )
    return say(
        "Used up in more than {part} of the time with need of what they serve: {plants}.",
        part=percent(OFTEN),
        plants="; ".join(found),
    )


def _figure(
    number: int,
    problem: Problem,
    block: Block,
    plants: list[int],
    flows: BlockFlows | None,
    held: Mapping[tuple[str, str], str],
    names: Names,
    say: Language,
) -> Figure:
    conversions = problem.conversions
    form = {m: place for place, m in enumerate(block.materials)}
    arcs = [(form[int(conversions.takes[e])], form[int(conversions.makes[e])]) for e in plants]
    materials = problem.materials
    boxes = [
        Box(c, form[m], names.material(materials[m]), held[participant, materials[m]])
        for c, participant in enumerate(problem.participants)
        for m in block.materials
        if _shown(problem, plants, c, m)
    ]
    pipes = [
        Pipe(
            int(conversions.participant[e]),
            form[int(conversions.takes[e])],
            form[int(conversions.makes[e])],
            _plant(problem, e),
            _through(_monthly(problem, e), None if flows is None else flows.made[:, e], say),
            flows is not None and _often(flows, e),
        )
        for e in plants
    ]
    drawn = {(box.nation, box.form) for box in boxes}
    ships = [
        Ship(here, there, form[m], _pair(amounts))
        for (here, there, m), amounts in (flows.shipped.items() if flows else ())
        if amounts.max() >= LEAST and {(here, form[m]), (there, form[m])} <= drawn
    ]
    nations = [names.participant(name) for name in problem.participants]
    forms = flow_chart(Chain(nations, levels_of(len(form), arcs), boxes, pipes, ships))
    note = say("Boxes: what is held. Arrows: plants, with their capacity a month.")
    if flows is not None:
        note = say(
            "Boxes: what is held. Arrows: plants, with what flows through them in a month with "
            "need, on average and in the worst {worst} of the scenarios, of their capacity; red: "
            "often used up. Dashed: what is shipped, likewise.",
            worst=percent(WORST),
        )
    return forms.figure(
        f"chain-{number}",
        say("{chain}: stocks and plants", chain=names.material(block.name)),
        _columns(say, flows is not None),
        tuple(_row(problem, e, flows, names, say) for e in plants),
        say("For each nation, boxes for what is held of each form, and arrows for plants."),
        note,
    )


def _shown(problem: Problem, plants: list[int], c: int, m: int) -> bool:
    """Say whether a form matters to a nation: may be held, is in demand, or is made or taken."""
    conversions = problem.conversions
    return bool(
        problem.lots_max[c, m] > 0
        or problem.demand[c, m].any()
        or any(
            conversions.participant[e] == c and m in (conversions.takes[e], conversions.makes[e])
            for e in plants
        )
    )


def _monthly(problem: Problem, e: int) -> float:
    """Return the capacity of a plant [t/month]."""
    return float(problem.conversions.capacity[e]) * problem.period.per_month


def _through(capacity: float, made: NDArray[np.float64] | None, say: Language) -> str:
    if made is None:
        return say("{most} t a month", most=number_text(capacity, 3))
    return say("{flow} of {most} t", flow=_pair(made), most=number_text(capacity, 3))


def _pair(amounts: NDArray[np.float64]) -> str:
    """Write what flows on average and in the worst scenarios."""
    return " / ".join(number_text(amount, 2) if amount >= LEAST else "0" for amount in amounts)


def _columns(say: Language, flows: bool) -> tuple[Column, ...]:
    unit = say("t a month")
    found = [
        Column(say("Plant"), "conversion"),
        Column(say("Nation"), "participant"),
        Column(say("Takes"), "from_material"),
        Column(say("Makes"), "to_material"),
        Column(say("Capacity"), "capacity_t_per_month", unit, "number"),
    ]
    if flows:
        found += [
            Column(say("Where needed"), "need_t_per_month", unit, "number"),
            Column(say("Worst scenarios"), "worst_t_per_month", unit, "number"),
            Column(say("Time used up"), "used_up", kind="share"),
            Column(say("Bottleneck"), "bottleneck"),
        ]
    return tuple(found)


def _row(
    problem: Problem, e: int, flows: BlockFlows | None, names: Names, say: Language
) -> tuple[Cell, ...]:
    conversions = problem.conversions
    cells: list[Cell] = [
        _plant(problem, e),
        names.participant(problem.participants[conversions.participant[e]]),
        names.material(problem.materials[conversions.takes[e]]),
        names.material(problem.materials[conversions.makes[e]]),
        _monthly(problem, e),
    ]
    if flows is not None:
        cells += [float(flows.made[case, e]) for case in range(len(CASES))]
        full = float(flows.full[e])
        cells += [None if math.isnan(full) else full]
        cells += [say("yes") if _often(flows, e) else say("no")]
    return tuple(cells)


def _cases(number: int, flows: BlockFlows, calm: float, say: Language) -> Table:
    words = (say("something is needed"), say("the worst scenarios"))
    rows: list[tuple[Cell, ...]] = [(say("calm"), calm, 0.0, 0.0, 0.0)]
    rows += [
        (
            word,
            *(
                float(values[case])
                for values in (flows.probability, flows.months, flows.need, flows.short)
            ),
        )
        for case, word in enumerate(words)
    ]
    return Table(
        f"chain-{number}-cases",
        say("Scenarios"),
        (
            Column(say("Scenarios"), "case"),
            Column(say("Probability"), "probability", kind="share"),
            Column(say("Months with need"), "months", kind="number"),
            Column(say("Need"), "need_t", "t", "number"),
            Column(say("Not met"), "unserved_t", "t", "number"),
        ),
        tuple(rows),
        say("Averages over the scenarios of each row; all forms of the chain together."),
    )


def _shipments(
    number: int, problem: Problem, flows: BlockFlows, names: Names, say: Language
) -> Table | None:
    rows: list[tuple[Cell, ...]] = [
        (
            names.participant(problem.participants[here]),
            names.participant(problem.participants[there]),
            names.material(problem.materials[m]),
            *(float(amount) for amount in amounts),
        )
        for (here, there, m), amounts in sorted(flows.shipped.items())
        if amounts.max() >= LEAST
    ]
    if not rows:
        return None
    unit = say("t a month")
    return Table(
        f"chain-{number}-shipments",
        say("What is shipped in a month with need"),
        (
            Column(say("Shipped by"), "from_participant"),
            Column(say("Shipped to"), "to_participant"),
            Column(say("Material"), "material"),
            Column(say("Where needed"), "need_t_per_month", unit, "number"),
            Column(say("Worst scenarios"), "worst_t_per_month", unit, "number"),
        ),
        tuple(rows),
    )
