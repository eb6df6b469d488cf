"""What conflicts where limits on projects cannot be kept: by hand, and by trying every funding."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from project_instances import EMBARGO, instance, lost, project, solve

import stockpile as sp
from stockpile import cli
from stockpile.infeasibility.explain import find_conflicts
from stockpile.infeasibility.feasibility import CAP, PROJECT_BUDGET
from stockpile.infeasibility.loosening import ACCURACY
from stockpile.infeasibility.project_requirements import ProjectBudget, project_requirements
from stockpile.problem import LEVEL_TOLERANCE
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import world_couplings
from stockpile.tables import Agreement, ConcentrationCap, CoverageTarget


def capped(most, **tables):
    """9 of 10 t/month come from ``g``; the project would make 2 t/month more for 1,000 USD."""
    return instance(
        scenarios=EMBARGO,
        share=0.9,
        projects=(project(output=2.0, capital=1000.0),),
        concentration=(ConcentrationCap(source=("g",), max_share=most),),
        **tables,
    )


def test_a_cap_that_no_project_can_keep_names_the_least_share(tmp_path, capsys):
    """With the project 9 of 12 t come from ``g``: 0.75."""
    sp.save(capped(0.74), tmp_path / "capped")
    assert cli.main(["solve", str(tmp_path / "capped")]) == 3
    said = " ".join("".join(capsys.readouterr()).split())
    assert "this alone cannot be kept" in said.lower()
    assert "concentration.csv line 2: raise max_share of g for us in m" in said
    assert "from 0.74 to at least 0.75" in said


def test_a_cap_and_a_project_budget():
    """Without the project 9 of 10 t come from ``g``, and it costs 1,000 USD."""
    plan = solve(capped(0.8, budgets={"us": 999.0}))
    assert plan.status == "infeasible"
    assert plan.conflicts[1:] == (
        "These 2 conflict; it is enough if one of them gives way:",
        "participants.csv: raise project_budget_usd of us from 999 to at least 1,000 USD",
        "concentration.csv: raise max_share of g for us in m from 0.8 to at least 0.9",
    )


def test_a_promise_that_needs_a_project_and_a_joint_project_budget():
    """All of 10 t is served by the project, for 1,000 USD; nothing can be held."""
    promise = CoverageTarget(demand_class=("class0",), metric="fill_rate", level=0.5)
    plan = solve(
        instance(
            scenarios=EMBARGO,
            projects=(project(output=10.0, capital=1000.0),),
            coverage=(promise,),
            agreement=Agreement(joint_project_budget_usd=250.0),
        )
    )
    assert plan.status == "infeasible"
    assert plan.conflicts[1] == "These 2 conflict; it is enough if one of them gives way:"
    assert plan.conflicts[2] == (
        "instance.toml: raise joint_project_budget_usd from 250 to at least 1,000 USD"
    )
    assert plan.conflicts[3].startswith("coverage.csv (")
    assert plan.conflicts[3].endswith("leave it out; no level can be kept")


def test_budgets_that_are_one_are_named_together():
    promise = CoverageTarget(
        participant=("us",), demand_class=("class0",), metric="fill_rate", level=0.5
    )
    plan = solve(
        instance(
            scenarios=EMBARGO,
            participants=("us", "japan"),
            projects=(project(output=10.0, capital=1000.0),),
            coverage=(promise,),
            budgets={"us": 500.0, "japan": 400.0},
        ),
        cooperation="joint",
    )
    assert plan.conflicts[2] == (
        "participants.csv: raise project_budget_usd of us and japan together "
        "from 900 to at least 1,000 USD"
    )


# --- Random projects, caps and budgets, judged by trying every funding ----------------------------

NORMAL = 10.0
"""Normal supply of each nation [t/month]."""
NATIONS = ("us", "japan")


def random_world(seed):
    """Four projects without stocks, with caps and budgets that may not be kept together."""
    rng = np.random.default_rng(seed)
    projects, made = [], []
    for n in range(4):
        c = int(rng.integers(2))
        output, capital = float(rng.integers(1, 6)), 100.0 * float(rng.integers(1, 10))
        source = "g" if rng.random() < 0.25 else None
        projects.append(
            project(
                f"p{n}",
                output=output,
                capital=capital,
                funder=NATIONS[c],
                beneficiaries=(NATIONS[c],),
                source=source,
            )
        )
        made.append((c, output, capital, source))
    share = float(rng.choice([0.6, 0.9]))
    rows = [
        ConcentrationCap(
            participant=(nation,),
            source=("g",),
            max_share=round(float(rng.uniform(0.35, 0.95)), 3),
        )
        for nation in NATIONS
    ]
    if rng.random() < 0.5:  # Projects of their own are sources, too.
        rows.append(ConcentrationCap(max_share=round(float(rng.uniform(0.2, 0.9)), 3)))
    budgets = {nation: 100.0 * float(rng.integers(0, 12)) for nation in NATIONS}
    joint = 100.0 * float(rng.integers(0, 20))
    world = instance(
        scenarios=[(0.9, []), (0.1, [lost(6)])],
        participants=NATIONS,
        projects=tuple(projects),
        share=share,
        concentration=tuple(rows),
        budgets=budgets,
        agreement=Agreement(joint_project_budget_usd=joint),
    )
    return world, made, share, rows


def shares(made, share, funded, c):
    """What part of a nation's supply each source makes."""
    of, total = {"g": share * NORMAL}, NORMAL
    for n, ((owner, output, _, source), is_funded) in enumerate(zip(made, funded, strict=True)):
        if is_funded and owner == c:
            name = source or f"p{n}"
            of[name] = of.get(name, 0.0) + output
            total += output
    return {name: amount / total for name, amount in of.items()}


class Judge:
    """Tries every funding, in plain Python."""

    def __init__(self, made, share, rows):
        self.made, self.share, self.rows = made, share, rows

    def possible(self, asked):
        """Say whether limits (their key, and value) can be kept at once."""
        return any(
            all(self.keeps(funded, key, value) for key, value in asked)
            for funded in itertools.product([False, True], repeat=len(self.made))
        )

    def keeps(self, funded, key, value):
        kind, c, number = key
        if kind == PROJECT_BUDGET:
            paid = sum(
                capital
                for (owner, _, capital, _), is_funded in zip(self.made, funded, strict=True)
                if is_funded and c in (-1, owner)
            )
            return paid <= value * (1.0 + LEVEL_TOLERANCE)
        assert kind == CAP
        row = self.rows[number]
        whom = range(2) if row.participant == ("*",) else [NATIONS.index(row.participant[0])]
        for nation in whom:
            of = shares(self.made, self.share, funded, nation)
            only = of.values() if row.source == ("*",) else [of.get(row.source[0], 0.0)]
            if max(only) > value + LEVEL_TOLERANCE:
                return False
        return True


@pytest.mark.parametrize("seed", range(40))
def test_conflicts_of_random_limits(seed):
    """Conflicts conflict, nobody in them can be spared, values suffice, and less does not."""
    world, made, share, rows = random_world(seed)
    judge = Judge(made, share, rows)
    with prepared(world, Running(threads=1, progress=False)) as setting:
        couplings = world_couplings(setting, "sharing", gap=0.0, deadline=np.inf)
        asked = [
            (member.key, member.current)
            for member in project_requirements(setting.instance, setting.problem, couplings)
        ]
        if judge.possible(asked):
            pytest.skip("a plan keeps all")
        found = find_conflicts(setting, couplings, sharing=True, deadline=np.inf)
    assert found
    for conflict in found:
        members = {member.key: member.current for member in conflict.members}
        assert conflict.smallest
        assert not judge.possible(list(members.items()))
        for way in conflict.ways:
            key = way.requirement.key
            others = [(other, value) for other, value in members.items() if other != key]
            assert judge.possible(others)
            if way.enough and len(found) == 1:
                others = [(other, value) for other, value in asked if other != key]
            value = way.loosening.value
            room = ACCURACY * (value if isinstance(way.requirement, ProjectBudget) else 1.0)
            assert way.loosening.tight
            assert judge.possible([*others, (key, value)])
            if way.enough and len(found) == 1:
                assert not judge.possible([*others, (key, value - room - 1e-6)])


def test_most_random_limits_conflict():
    """Tries that skip show nothing."""
    conflicting = 0
    for seed in range(40):
        world, made, share, rows = random_world(seed)
        budgets = [
            ((PROJECT_BUDGET, c, -1), row.project_budget_usd)
            for c, row in enumerate(world.participants)
        ]
        budgets.append(((PROJECT_BUDGET, -1, -1), world.agreement.joint_project_budget_usd))
        caps = [((CAP, -1, number), row.max_share) for number, row in enumerate(rows)]
        conflicting += not Judge(made, share, rows).possible([*budgets, *caps])
    assert conflicting >= 20
