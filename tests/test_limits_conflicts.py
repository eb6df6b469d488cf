"""What conflicts where limits cannot all be kept: random instances judged by the oracle, and texts.

Of every conflict it is checked that it is one, that no member of it can be spared, that each value
proposed suffices, and that one which loosens less by more than the accuracy does not.
"""

import json
import shutil
from pathlib import Path

import coupled_oracle
import numpy as np
import pytest
from random_coupled import write_coupled_instance

import stockpile as sp
from stockpile.cli import main
from stockpile.infeasibility.explain import find_conflicts
from stockpile.infeasibility.limit_requirements import limit_requirements
from stockpile.infeasibility.loosening import ACCURACY
from stockpile.infeasibility.promise_requirements import promise_requirements
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.solver import world_couplings

TOY = Path(__file__).parents[1] / "instances" / "toy"
CASES = [
    *[(seed, ["budget"]) for seed in (24, 27, 34, 62, 78)],
    *[(seed, ["joint_budget"]) for seed in (13, 20, 55, 59)],
    *[(seed, ["storage"]) for seed in (2, 7, 43, 49)],
    *[(seed, ["joint_chance"]) for seed in (0, 26, 31, 50)],
    *[(seed, ["cvar"]) for seed in (14, 74, 89)],
    (2008, ["max_rules", "joint_chance", "budget"]),
    (2010, ["joint_chance", "cvar", "joint_budget"]),
    (2013, ["cvar", "budget", "joint_chance", "storage", "joint_budget"]),
    (2024, ["joint_budget", "nobody_worse_off", "max_rules", "storage", "budget"]),
    (2051, ["joint_chance", "max_rules", "cvar"]),
    (2058, ["budget", "cvar", "joint_chance"]),
    (2062, ["max_rules", "joint_chance", "cvar", "joint_budget"]),
    (2070, ["budget", "cvar", "nobody_worse_off", "storage", "joint_chance"]),
    (2083, ["nobody_worse_off", "max_rules"]),
    (2093, ["cvar", "max_rules", "storage", "budget", "joint_chance"]),
    (2103, ["max_rules", "storage"]),
    (2112, ["joint_chance", "storage"]),
    (2187, ["storage", "nobody_worse_off"]),
    (2192, ["joint_budget", "budget", "joint_chance", "storage"]),
]


class Judge:
    """Says whether requirements can be kept together, by the oracle's complete search."""

    def __init__(self, inst, cooperation, requirements):
        self.inst = inst
        self.cooperation = cooperation
        self.coupled = coupled_oracle.couplings(inst, cooperation)
        self.requirements = requirements
        self.instances = {}

    def possible(self, kept, value_of=None):
        """Whether all that is kept can be kept, one of it at another value."""
        kept = {member.key for member in kept}
        coupled, levels, least = self.coupled, {}, {}
        for member in self.requirements:
            value = member.current if member.key in kept else member.loosest
            if value_of and value_of[0].key == member.key:
                value = value_of[1]
            kind, c, item = member.key
            if value == member.current:
                continue
            if kind == "promise":
                levels[item] = value
            elif kind == "holding":
                pair = self.inst["participants"][c], self.inst["materials"][item]
                least[pair] = round(value) * self.inst["lot"][pair[1]]
            else:
                coupled = self.limit(coupled, member, value)
        inst = self.changed(levels, least)
        menus = [
            coupled_oracle.undominated(
                coupled_oracle.candidates(inst, coupled, self.cooperation, material)
            )
            for material in inst["materials"]
        ]
        return bool(coupled_oracle.search(inst, coupled, menus))

    def changed(self, levels, least):
        """The instance with other levels of coverage rows and other least holdings."""
        key = tuple(sorted(levels.items())), tuple(sorted(least.items()))
        if key not in self.instances:
            coverage = [
                {**row, "level": repr(levels[i])} if i in levels else row
                for i, row in enumerate(self.inst["coverage"])
            ]
            kept = {k: v for k, v in self.inst["cache"].items() if k[0] != "evaluations"}
            if not (levels or least):
                kept = self.inst["cache"]
            self.instances[key] = {
                **self.inst,
                "coverage": coverage,
                "min_t": {**self.inst["min_t"], **least},
                "cache": kept,
            }
        return self.instances[key]

    def limit(self, coupled, member, value):
        """The couplings with another value of a limit."""
        kind, c, item = member.key
        names = self.inst["participants"]
        if kind in ("budget", "share"):
            name = {
                "budget": f"budget of {names[c]}" if c >= 0 else "joint budget",
                "share": f"cost share of {names[c]}",
            }[kind]
            assert any(limit.name == name for limit in coupled.limits)
            return coupled._replace(
                limits=[
                    limit._replace(most=value) if limit.name == name else limit
                    for limit in coupled.limits
                ]
            )
        if kind == "storage":
            return coupled._replace(
                rooms=[self.room(room, member, value) for room in coupled.rooms]
            )
        if kind == "cover":
            groups = list(coupled.groups)
            groups[item] = groups[item]._replace(confidence=value)
            return coupled._replace(groups=groups)
        if kind == "rules":
            return coupled._replace(max_rules=round(value))
        assert kind == "tail"
        if not np.isfinite(value):
            return coupled._replace(cvar=None)
        mass, _, probability = coupled.cvar
        return coupled._replace(cvar=(mass, value, probability))

    def room(self, room, member, value):
        """A room with more space, if it is the one."""
        _, c, _ = member.key
        whose = tuple(self.inst["participants"]) if c < 0 else (self.inst["participants"][c],)
        if room.participants != whose or not member.what.startswith(f"{room.kind} room"):
            return room
        more = value - member.current
        return room._replace(
            openings=[(cost, capacity + more, names) for cost, capacity, names in room.openings]
        )


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[1][0]}-{case[0]}")
def found(request, tmp_path_factory):
    """Conflicts of a random instance without a plan, all that is asked of it, and the judge."""
    folder = tmp_path_factory.mktemp("instance")
    inst, cooperation = write_coupled_instance(folder, *request.param)
    with prepared(sp.load(folder), Running(threads=1, progress=False)) as setting:
        couplings = world_couplings(setting, cooperation, gap=0.0, deadline=np.inf)
        sharing = cooperation != "none"
        conflicts = find_conflicts(setting, couplings, sharing=sharing, deadline=np.inf)
        limits = asked(setting, couplings)
    return conflicts, limits, Judge(inst, cooperation, limits)


def asked(setting, couplings):
    """All that is asked of a plan."""
    away = setting.scenarios.rounded_away
    return [
        *limit_requirements(setting.instance, setting.problem, couplings, away),
        *promise_requirements(setting.instance, setting.problem),
    ]


def without(members, *left_out):
    keys = {member.key for member in left_out}
    return [member for member in members if member.key not in keys]


def test_the_members_conflict_and_none_can_be_spared(found):
    conflicts, _, judge = found
    assert conflicts
    for conflict in conflicts:
        assert conflict.smallest
        assert not judge.possible(conflict.members)
        for member in conflict.members:
            assert judge.possible(without(conflict.members, member)), member.title()


def test_conflicts_have_nothing_in_common(found):
    conflicts, _, _ = found
    keys = [member.key for conflict in conflicts for member in conflict.members]
    assert len(keys) == len(set(keys))


def test_each_value_suffices_and_less_does_not(found):
    """With all else but earlier conflicts where it is said to be enough, else in the conflict."""
    conflicts, everything, judge = found
    for number, conflict in enumerate(conflicts):
        rest = without(everything, *(m for c in conflicts[:number] for m in c.members))
        assert len(conflict.ways) == len(conflict.members)
        for way in conflict.ways:
            member, value = way.requirement, way.loosening.value
            assert way.loosening.tight
            others = without(rest if way.enough else conflict.members, member)
            assert judge.possible(others, (member, value)), str(way.loosening)
            sign = 1.0 if member.falls else -1.0
            less = value + sign * max(1.01 * ACCURACY * member.size(value), member.step)
            if (less - member.current) * sign < 0.0:
                assert not judge.possible(others, (member, less)), str(way.loosening)


def test_what_is_not_enough_alone_is_not(found):
    """Where other limits conflict as well, all else cannot be kept whatever the member is."""
    conflicts, everything, judge = found
    for number, conflict in enumerate(conflicts):
        rest = without(everything, *(m for c in conflicts[:number] for m in c.members))
        for way in conflict.ways:
            if not way.enough:
                assert not judge.possible(without(rest, way.requirement))


# --- By hand --------------------------------------------------------------------------------------

COVERAGE = "participant,material,demand_class,metric,level,confidence,stress,group,sharing\n"
BUDGET = {"instance.toml": "[agreement]\njoint_budget_usd = 1e6\n"}


def toy_with(folder, files):
    """The toy instance with other files; what is given of instance.toml comes on top."""
    shutil.copytree(TOY, folder)
    for name, text in files.items():
        if name == "instance.toml":
            text = (folder / name).read_text(encoding="utf-8") + "\n" + text
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_budget_and_days_of_cover(tmp_path):
    """30 days of 36 t a year are 2.96 t: 3 lots each, 6 t at 0.5 million USD.

    For 1 million USD each can hold 1 t, which is 365 / 36 = 10.14 days.
    """
    plan = sp.solve(sp.load(toy_with(tmp_path / "toy", BUDGET)), progress=False)
    assert plan.status == "infeasible"
    assert plan.conflicts[1:] == (
        "These 2 conflict; it is enough if one of them gives way:",
        "instance.toml: raise joint_budget_usd from 1 to at least 3 million USD",
        "coverage.csv line 2 (*, gallium, *: days 30 without partners): "
        "lower level from 30 to at most 10.13",
    )


def test_a_warehouse_and_a_floor(tmp_path):
    """3 t are to be held and 2 t have room, which are 2 / 36 * 365 = 20.28 days."""
    stores = (
        "facility,participant,storage_kind,capacity_t,fixed_cost_usd_per_year,existing\n"
        "old,us,warehouse,1,0,true\nnew,us,warehouse,1,1000,false\n"
    )
    folder = toy_with(tmp_path / "toy", {"facilities.csv": stores})
    assert sp.solve(sp.load(folder), progress=False).conflicts[1:] == (
        "These 2 conflict; it is enough if one of them gives way:",
        "facilities.csv: open 1 t more of warehouse room in us, besides 2 t",
        "coverage.csv line 2 (*, gallium, *: days 30 without partners): "
        "lower level from 30 to at most 20.27",
    )


def test_joint_confidence_and_a_budget(tmp_path):
    """Each scenario but calm has probability 0.1, so that 0.95 means all of them.

    The halt of dysprosium takes 3 t in the us and 6 t in japan: 5 lots of 2 t for 8 million USD.
    An embargo takes 6 t of gallium, which may lie anywhere, for 3 million USD. Without the halt 0.9
    is left. The other row is no part of it: 6 t of gallium keep it.
    """
    coverage = "*,*,industry,joint_chance,1,0.95,,all,\n*,gallium,*,days,30,,,,\n"
    folder = toy_with(
        tmp_path / "toy",
        {
            "coverage.csv": COVERAGE + coverage,
            "instance.toml": "[agreement]\njoint_budget_usd = 6e6\n",
        },
    )
    assert sp.solve(sp.load(folder), progress=False).conflicts[1:] == (
        "These 2 conflict; it is enough if one of them gives way:",
        "instance.toml: raise joint_budget_usd from 6 to at least 11 million USD",
        "coverage.csv line 2: lower the confidence of group all from 0.95 to at most 0.9",
    )


def test_rules_and_two_promises(tmp_path):
    """One rule serves defense only, the other industry only, and two materials need one each."""
    coverage = (
        "us,gallium,defense,stress,0.5,,gallium_to_both,,\n"
        "us,dy_oxide,industry,chance,0.5,0.95,,,\n"
    )
    folder = toy_with(
        tmp_path / "toy",
        {
            "rules.csv": "rule,relation,demand_class\nmilitary,own,defense\ncivil,own,industry\n",
            "coverage.csv": COVERAGE + coverage,
            "instance.toml": "[agreement]\nmax_distinct_rules = 1\n",
        },
    )
    assert sp.solve(sp.load(folder), progress=False).conflicts[1:] == (
        "These 3 conflict; it is enough if one of them gives way:",
        "instance.toml: allow 2 distinct rules instead of 1 (max_distinct_rules)",
        "coverage.csv line 2 (us, gallium, defense: stress 0.5 in gallium_to_both): "
        "leave it out; no level can be kept",
        "coverage.csv line 3 (us, dy_oxide, industry: chance 0.5 at confidence 0.95): "
        "leave it out; no level can be kept",
    )


def test_a_limit_on_the_tail_that_no_stock_can_keep(tmp_path):
    """Nothing of dysprosium may be held; the halt takes 9 t at 5 * 0.8 = 4 million USD/t.

    It is the whole tail of 0.1, and gallium for the others can be held.
    """
    folder = toy_with(
        tmp_path / "toy",
        {
            "holdings.csv": "participant,material,max_t\nus,dy_oxide,0\njapan,dy_oxide,0\n",
            "instance.toml": "[risk]\ncvar_confidence = 0.9\ncvar_limit_usd_per_year = 1e6\n",
        },
    )
    assert sp.solve(sp.load(folder), progress=False).conflicts[1:] == (
        "This alone cannot be kept:",
        "instance.toml: raise cvar_limit_usd_per_year from 1 to at least 36 million USD/year",
    )


def test_a_least_holding_and_a_budget(tmp_path):
    """3 t at 0.5 million USD, and 1 million: 2 t."""
    files = {
        "coverage.csv": COVERAGE,
        "holdings.csv": "participant,material,min_t\nus,gallium,3\n",
        **BUDGET,
    }
    folder = toy_with(tmp_path / "toy", files)
    assert sp.solve(sp.load(folder), progress=False).conflicts[1:] == (
        "These 2 conflict; it is enough if one of them gives way:",
        "instance.toml: raise joint_budget_usd from 1 to at least 1.5 million USD",
        "holdings.csv line 2 (us, gallium): lower min_t from 3 to at most 2 t",
    )


def test_the_command_names_them_saves_them_and_ends_with_3(tmp_path, capsys):
    folder = toy_with(tmp_path / "toy", BUDGET)
    assert main(["solve", str(folder), "--out", str(tmp_path / "result")]) == 3
    told = capsys.readouterr().err
    assert "raise joint_budget_usd from 1 to at least 3 million USD" in told
    saved = json.loads((tmp_path / "result" / "plan.json").read_text(encoding="utf-8"))
    assert saved["status"] == "infeasible"
    assert all(f"  {line}\n" in told for line in saved["conflicts"])
    assert main(["show", str(tmp_path / "result")]) == 0
    assert "lower level from 30 to at most 10.13" in capsys.readouterr().out


@pytest.mark.parametrize("files", [BUDGET], ids=["budget"])
def test_threads_change_nothing(tmp_path, files):
    instance = sp.load(toy_with(tmp_path / "toy", files))
    first, second = (sp.solve(instance, threads=n, progress=False) for n in (1, 2))
    assert first.conflicts == second.conflicts


def test_without_time_the_limits_are_named_all_the_same(tmp_path):
    """A deadline in the past: nothing is found out, and it is said so."""
    instance = sp.load(toy_with(tmp_path / "toy", BUDGET))
    with prepared(instance, Running(threads=1, progress=False)) as setting:
        couplings = world_couplings(setting, "sharing", gap=0.0, deadline=np.inf)
        (conflict,) = find_conflicts(setting, couplings, sharing=True, deadline=-np.inf)
    assert not conflict.smallest
    assert conflict.ways == []
    assert [member.title() for member in conflict.members] == [
        "instance.toml: joint_budget_usd, 1 million USD"
    ]
