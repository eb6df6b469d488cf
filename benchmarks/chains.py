"""The box search in several dimensions: chains of forms that two nations hold.

    python benchmarks/chains.py [--forms N ...] [--seconds N ...] [--scenarios N] [--lots N]
                                [--out DIR]

An invented chain, oxide to metal to magnet, with plants in both nations that can make less than is
needed, and transfers both ways. Each nation may hold up to so many lots of every form, and follows
one of twelve rules: with two forms 144 pairs of rules and 49^4 lots each, with three 49^6. The
table says which gap is proved after so many seconds of the search, the presolve included, and how
many candidates have been simulated until then. The scenarios are drawn and the kernels compiled
before.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import add_out, show, write

import stockpile as sp
from stockpile.blocks import build_blocks
from stockpile.boxsearch import BoxSearch
from stockpile.evaluator import Evaluator
from stockpile.parallel import Workers
from stockpile.presolve import presolve
from stockpile.problem import build_problem
from stockpile.rules import RELATIONS, default_rules
from stockpile.scenarios import scenario_set, stress_cases
from stockpile.tables import (
    Conversion,
    Demand,
    DemandClass,
    Hazard,
    Holding,
    Material,
    Participant,
    RuleRow,
    ScenarioSettings,
    Source,
    Supply,
    Transfer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NATIONS = ("us", "japan")
CLASSES = ("defense", "industry")
FORMS = (("oxide", 250.0, 120.0, 0.9), ("metal", 400.0, 60.0, 0.8), ("magnet", 700.0, 240.0, 0.7))
"""Name, price [USD/kg], yearly need of a nation [t], share of supply from China."""
RULES = tuple(
    f"{own}-{partner}"
    for own in ("open", "tiered", "guarded")
    for partner in ("closed", "surplus", "solidarity", "equal")
)


def chain(forms: int, *, lots: int, scenarios: int) -> sp.Instance:
    """Make the instance, with the last so many forms of the chain."""
    chosen = FORMS[-forms:]
    names = [name for name, *_ in chosen]
    instance = sp.Instance(
        name=f"chain of {forms}",
        price_year=2025,
        horizon_months=60,
        participants=(
            Participant(
                participant="us", name="us", discount_rate_per_year=0.04, refill_per_month=0.05
            ),
            Participant(
                participant="japan", name="japan", discount_rate_per_year=0.03, refill_per_month=0.1
            ),
        ),
        classes=(
            DemandClass(demand_class="defense", priority=1, shortage_cost_multiple=30.0),
            DemandClass(demand_class="industry", priority=2, shortage_cost_multiple=4.0),
        ),
        materials=tuple(
            Material(
                material=name,
                name=name,
                element="Dy",
                form=name,
                price_usd_per_kg=price,
                lot_t=need / 24.0,
                storage_usd_per_t_year=1000.0,
            )
            for name, price, need, _ in chosen
        ),
        demand=tuple(
            Demand(
                participant=c,
                material=name,
                demand_class=k,
                demand_t_per_year=need * (1.0 + 0.5 * (c == "japan")) * (0.2, 0.8)[place],
            )
            for c in NATIONS
            for name, _, need, _ in chosen
            for place, k in enumerate(CLASSES)
        ),
        sources=(Source(source="china", name="china"), Source(source="others", name="others")),
        supply=tuple(
            Supply(participant=c, material=name, source=source, share=part)
            for c in NATIONS
            for name, _, _, share in chosen
            for source, part in (("china", share), ("others", 1.0 - share))
        ),
        holdings=tuple(
            Holding(participant=c, material=name, max_t=lots * need / 24.0)
            for c in NATIONS
            for name, _, need, _ in chosen
        ),
        transfers=tuple(
            Transfer(from_participant=a, to_participant=b, lag_months=1, cost_usd_per_t=2000.0)
            for a, b in (NATIONS, NATIONS[::-1])
        ),
        conversions=tuple(
            Conversion(
                conversion=f"{made} {c}",
                participant=c,
                from_material=taken,
                to_material=made,
                yield_=0.9,
                capacity_t_per_month=(8.0 if c == "us" else 14.0),
                lag_months=1,
                cost_usd_per_t=30_000.0,
            )
            for taken, made in itertools.pairwise(names)
            for c in NATIONS
        ),
        hazards=(
            *(
                Hazard(
                    hazard=f"control of {name}",
                    source="china",
                    materials=(name,),
                    events_per_year=0.1,
                    duration_median_months=4.0,
                    duration_sigma=0.6,
                    severity_mean=0.5,
                    severity_sd=0.2,
                )
                for name in names
            ),
            Hazard(
                hazard="embargo",
                source="china",
                targets=("japan",),
                events_per_year=0.05,
                duration_median_months=8.0,
                duration_sigma=0.5,
                severity_mean=0.8,
                severity_sd=0.15,
            ),
            Hazard(
                hazard="breakdown",
                source="others",
                events_per_year=0.1,
                duration_median_months=3.0,
                duration_sigma=0.4,
                severity_mean=0.4,
                severity_sd=0.2,
            ),
        ),
        rules=tuple(_rules()),
        scenario_settings=ScenarioSettings(count=scenarios, seed=1),
    )
    sp.validate(instance)
    return instance


def _rules() -> Iterator[RuleRow]:
    """Yield the rows of twelve rules of the built-in menu."""
    for rule in default_rules(len(CLASSES)):
        for relation, of_relation in zip(RELATIONS, rule.rows, strict=True):
            for demand_class, rows in zip(CLASSES, of_relation, strict=True):
                for row in rows if rule.name in RULES else ():
                    yield RuleRow(
                        rule=rule.name,
                        relation=(relation,),
                        demand_class=(demand_class,),
                        from_month=row.from_month,
                        reserve_level=row.reserve_level,
                        draw_limit_per_month=row.draw_limit,
                        trigger_loss=row.trigger_loss,
                    )


def measured(instance: sp.Instance, seconds: list[float]) -> Iterator[dict[str, Any]]:
    """Yield a row for each time at which the search is looked at."""
    problem = build_problem(instance)
    block = build_blocks(problem)[0]
    drawn, stress = scenario_set(instance, problem), stress_cases(instance, problem)
    with Workers() as workers:
        evaluator = Evaluator(problem, block, drawn, stress, workers, sharing=True)
        evaluator.scores(np.zeros((1, block.num_stocks), np.int64), np.zeros((1, 3), np.int64))
        began = time.monotonic()
        space, judge = presolve(evaluator)
        search = BoxSearch(judge, space, 0.001)
        for moment in seconds:
            while not search.finished and time.monotonic() - began < moment:
                search.advance()
            found = search.certificate()
            yield {
                "forms": len(block.materials),
                "stocks": block.num_stocks,
                "steps": block.steps.count,
                "pairs of rules": len(space.rule),
                "after seconds": f"{moment:g}",
                "seconds": f"{time.monotonic() - began:.1f}",
                "cost": f"{found.incumbent:.6g}",
                "gap": f"{found.gap:.2%}",
                "simulations": found.simulations,
                "load": f"{os.getloadavg()[0]:.1f}",
            }


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forms", type=int, nargs="+", default=[2, 3], choices=(1, 2, 3))
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0, 10.0, 30.0, 60.0])
    parser.add_argument("--scenarios", type=int, default=2000)
    parser.add_argument("--lots", type=int, default=48)
    add_out(parser)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for forms in options.forms:
        instance = chain(forms, lots=options.lots, scenarios=options.scenarios)
        for row in measured(instance, options.seconds):
            rows.append(row)
            show(row, first=len(rows) == 1)
    write(options.out, "chains", rows, "forms", "after seconds")


if __name__ == "__main__":
    main()
