"""Drawn scenarios as the tables of an instance, so that single events can be changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from stockpile.tables import EFFECTS, Event, Lead, Scenario

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


def spelled_out(instance: Instance, problem: Problem, drawn: ScenarioSet) -> Instance:
    """Return the instance with drawn scenarios as given ones: the same events and lead times.

    The ``note`` of each event names the hazard that it was drawn from. An instance that gives its
    scenarios is returned as it is, with notes that are empty.
    """
    if instance.scenarios:
        return replace(instance, events=tuple(replace(row, note="") for row in instance.events))
    names = [f"s{number}" for number in range(drawn.count)]
    scenario = np.repeat(np.arange(drawn.count), np.diff(drawn.first))
    events = []
    for e in range(drawn.start.size):
        hazard = instance.hazards[int(drawn.scope[e])]
        events.append(
            Event(
                scenario=names[int(scenario[e])],
                effect=EFFECTS[int(drawn.effect[e])],
                source=hazard.source,
                materials=hazard.materials,
                targets=hazard.targets,
                demand_class=hazard.demand_class,
                start_month=int(drawn.start[e]) + 1,
                duration_months=int(drawn.end[e] - drawn.start[e]),
                severity=float(drawn.severity[e]),
                answers=hazard.answers,
                note=hazard.hazard,
            )
        )
    return replace(
        instance,
        scenarios=tuple(
            Scenario(scenario=name, probability=float(p))
            for name, p in zip(names, drawn.probability, strict=True)
        ),
        events=tuple(events),
        leads=tuple(
            Lead(scenario=name, project=project, lead_months=float(drawn.lead[s, n]))
            for s, name in enumerate(names)
            for n, project in enumerate(problem.projects.names)
        ),
    )
