"""Generated instances: as large as asked, always the same, valid, and solvable within limits."""

from __future__ import annotations

import itertools
import time
import warnings
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stockpile as sp
from stockpile.choices import with_variant
from stockpile.cli import main
from stockpile.couplings import build_couplings
from stockpile.generator.menu import NAMES, REFERENCE
from stockpile.generator.promises import joint_groups
from stockpile.generator.reference import enough, quantile, reference_plan
from stockpile.generator.streams import preferred, rounded_up
from stockpile.limits import limit_uses
from stockpile.problem import build_problem
from stockpile.rules import default_rules, rules_from_rows
from stockpile.running import Running
from stockpile.setting import prepared
from stockpile.tables import Agreement, Risk

SMALL = {"materials": 4, "scenarios": 200, "months": 24}


@pytest.fixture(scope="module")
def many():
    """A large instance; what is drawn of it does not depend on the number of scenarios."""
    return sp.generate(materials=200, scenarios=50)


# --- Size and sameness ----------------------------------------------------------------------------


@pytest.mark.parametrize("couplings", [False, True])
def test_same_arguments_give_the_same_bytes(tmp_path, couplings):
    for name in "ab":
        sp.save(sp.generate(**SMALL, seed=5, couplings=couplings), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_another_seed_gives_other_figures():
    one, two = sp.generate(**SMALL, seed=1), sp.generate(**SMALL, seed=2)
    assert one.content_hash != two.content_hash
    assert not {row.price_usd_per_kg for row in one.materials} & {
        row.price_usd_per_kg for row in two.materials
    }


@pytest.mark.parametrize("participants", [1, 2, 3, 4])
@pytest.mark.parametrize("couplings", [False, True])
@pytest.mark.parametrize("materials", [1, 2, 7])
def test_sizes_are_as_asked_and_the_instance_is_valid(tmp_path, participants, couplings, materials):
    made = sp.generate(
        materials=materials,
        scenarios=30,
        months=7,
        participants=participants,
        seed=3,
        couplings=couplings,
    )
    assert len(made.materials) == materials
    assert len(made.participants) == participants
    assert made.scenario_settings.count == 30
    assert made.scenario_settings.seed == 3
    assert made.horizon_months == 7
    assert len(made.demand) == 3 * materials * participants
    assert len(made.transfers) == participants * (participants - 1)
    sp.validate(made)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # A note would be a cell without effect.
        again = sp.load(sp.save(made, tmp_path / "made"))
    assert again == made
    assert again.content_hash == made.content_hash


def test_one_month_is_enough():
    sp.validate(sp.generate(materials=2, scenarios=10, months=1, couplings=True))


def test_the_first_materials_do_not_depend_on_how_many_there_are(many):
    few = sp.generate(materials=20, scenarios=50)
    names = {row.material for row in few.materials}
    assert few.materials == many.materials[:20]
    assert few.sources == many.sources
    assert few.participants == many.participants
    for table in ("demand", "supply", "commercial"):
        rows = tuple(row for row in getattr(many, table) if row.material in names)
        assert getattr(few, table) == rows
    existing = [(row.participant, row.material, row.existing_t) for row in few.holdings]
    assert existing == [
        (row.participant, row.material, row.existing_t)
        for row in many.holdings
        if row.material in names
    ]
    hitting = {row.hazard: row for row in few.hazards}
    for row in many.hazards:
        hit = tuple(name for name in row.materials if name == "*" or name in names)
        if hit:
            assert hitting.pop(row.hazard) == replace(row, materials=hit)
    assert not hitting


def test_the_first_participants_do_not_depend_on_how_many_there_are():
    two, four = (sp.generate(**SMALL, participants=count) for count in (2, 4))
    names = {row.participant for row in two.participants}
    assert two.participants == four.participants[:2]
    assert two.materials == four.materials
    for table in ("demand", "supply", "holdings", "commercial"):
        rows = tuple(row for row in getattr(four, table) if row.participant in names)
        assert getattr(two, table) == rows


def test_limits_leave_everything_else_as_it_is():
    plain, coupled = (sp.generate(**SMALL, couplings=couplings) for couplings in (False, True))
    assert coupled.agreement == Agreement(max_distinct_rules=3, nobody_worse_off=True)
    assert plain.agreement == Agreement()
    assert plain.risk == Risk()
    assert not plain.facilities
    kinds = len({row.storage_kind for row in coupled.materials})
    assert len(coupled.facilities) == 2 * 3 * kinds
    assert all(row.acquisition_budget_usd > 0 for row in coupled.participants)
    joint = [row for row in coupled.coverage if row.metric == "joint_chance"]
    assert coupled.coverage == (*plain.coverage, *joint)
    for table in ("materials", "demand", "supply", "hazards", "stress", "rules"):
        assert getattr(plain, table) == getattr(coupled, table)


def test_two_hundred_materials_take_seconds():
    began = time.monotonic()
    sp.generate(materials=200)
    assert time.monotonic() - began < 30.0  # About 2 s on a quiet machine.


# --- Shape ----------------------------------------------------------------------------------------


def test_supply_is_concentrated(many):
    shares = defaultdict(list)
    for row in many.supply:
        shares[row.participant, row.material].append(row.share)
    assert len(shares) == 400
    assert all(2 <= len(row) <= 5 and sum(row) <= 1.0 and min(row) > 0 for row in shares.values())
    dominant = [max(row) > 0.5 for row in shares.values()]
    assert 0.6 < np.mean(dominant) < 0.95
    assert 8 <= sum(row.source.startswith("country") for row in many.sources) <= 12


def test_prices_and_values_are_skewed(many):
    price = {row.material: row.price_usd_per_kg for row in many.materials}
    figures = np.array(list(price.values()))
    assert figures.min() >= 1.0
    assert figures.max() <= 3000.0
    assert np.quantile(figures, 0.95) > 100 * np.quantile(figures, 0.05)
    assert figures.mean() > 2 * np.median(figures)
    used = defaultdict(float)
    for row in many.demand:
        used[row.participant, row.material] += row.demand_t_per_year
    value = np.array([1000 * price[m] * tonnes for (_, m), tonnes in used.items()])
    assert value.min() > 0.9e5
    assert value.max() < 1.1e9
    assert value.max() > 10 * np.median(value)
    log = np.log([[price[m], tonnes] for (_, m), tonnes in used.items()])
    assert np.corrcoef(log.T)[0, 1] < -0.5


def test_stocks_have_tens_to_hundreds_of_lots(many):
    problem = build_problem(many)
    assert problem.lots_max.min() >= 20
    assert problem.lots_max.max() <= 1000
    assert 50 <= np.median(problem.lots_max) <= 300
    assert np.all(problem.existing <= problem.lots_max * problem.lot)


def test_hazards_are_shared_single_and_aimed(many):
    def some(**cells):
        return [
            row
            for row in many.hazards
            if all(getattr(row, name) == value for name, value in cells.items())
        ]

    nation = (many.participants[0].participant,)
    assert some(effect="supply_loss", materials=("*",), targets=("*",))
    assert some(effect="supply_loss", targets=nation)
    assert some(effect="demand_surge", demand_class=("defense",), follows="conflict")
    assert some(effect="sharing_blocked", targets=nation)
    sizes = {len(row.materials) for row in many.hazards if row.materials != ("*",)}
    assert 1 in sizes
    assert max(sizes) > 10
    assert any(row.follows and row.effect == "supply_loss" for row in many.hazards)


def test_the_menu_is_part_of_the_built_in_one(many):
    menu = rules_from_rows(many.rules, ("defense", "civil", "industry"))
    built_in = {rule.name: rule for rule in default_rules(3)}
    assert [rule.name for rule in menu] == list(NAMES)
    assert all(rule == built_in[rule.name] for rule in menu)
    # What can be done alone can be done under every own pattern without serving partners.
    own = {rule.rows[0] for rule in menu}
    assert own == {rule.rows[0] for rule in menu if not any(rule.rows[1])}


@pytest.mark.parametrize(("materials", "sizes"), [(2, []), (3, [3]), (5, [3]), (6, [3, 3])])
def test_joint_groups_of_few_materials(materials, sizes):
    names = [f"m{i}" for i in range(materials)]
    groups = joint_groups(1, names)
    assert [min(len(group), 3) for group in groups] == sizes
    assert all(3 <= len(group) <= 5 for group in groups)
    assert len(set(itertools.chain(*groups))) == sum(map(len, groups))


# --- The reference plan and the limits ------------------------------------------------------------


def test_what_is_enough_by_hand():
    """Defense 8, civil 20, industry 100 t, and industry alone."""
    need = np.array([[8.0, 20.0, 100.0], [0.0, 0.0, 100.0]])
    # Defense: 8 / 0.4 = 20 beats (8 + 20) / 0.8 = 35 and 128.
    assert enough(need, 0, 1.0).tolist() == [20.0, 0.0]
    assert enough(need, 0, 0.5).tolist() == [10.0, 0.0]
    # Civil: (8 + 20) / 0.4 = 70 beats 128 / 0.6.
    assert enough(need, 1, 1.0).tolist() == [70.0, 0.0]
    assert enough(need, 1, 0.5).tolist() == [45.0, 0.0]


def test_a_quantile_leaves_out_what_the_confidence_allows():
    values = np.arange(1.0, 21.0)
    assert quantile(values, 0.9, exact=True) == 18.0
    assert quantile(values, 0.99, exact=True) == 20.0
    assert quantile(values, 0.0, exact=True) == 1.0
    assert quantile(values, 0.9, exact=False) == 20.0


def test_rounding():
    assert rounded_up(1234.0) == 1240.0
    assert rounded_up(1230.0) == 1230.0
    assert rounded_up(0.0) == 0.0
    assert [preferred(x) for x in (0.9, 1.3, 1.5, 3.0, 4.0, 80.0)] == [1, 1, 2, 2, 5, 100]


@given(value=st.floats(1e-6, 1e15))
def test_rounding_up_is_never_below_and_hardly_above(value):
    assert value <= rounded_up(value) <= 1.0101 * value


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), participants=st.integers(1, 3), months=st.integers(1, 60))
def test_the_reference_plan_keeps_all_promises(seed, participants, months):
    """As simulated, joint chances and all limits included, and within the lots allowed."""
    made = sp.generate(
        materials=3,
        scenarios=100,
        months=months,
        participants=participants,
        seed=seed,
        couplings=True,
    )
    lots = reference_plan(made).lots
    with prepared(made, Running(threads=1, progress=False)) as setting:
        problem = setting.problem
        assert np.all(lots <= problem.lots_max)
        rule = [rule.name for rule in problem.menu.rules].index(REFERENCE)
        rules = with_variant(np.full(participants, rule), 0)
        covered = np.ones(setting.scenarios.count, dtype=bool)
        for m, block in enumerate(setting.blocks):
            evaluator = setting.evaluator(block, sharing=True)
            assert evaluator.judge(lots[:, m], rules).met.all()
            kept = evaluator.sampling(lots[:, m], rules).covered
            covered[evaluator.needs.scenario] &= kept[0]
        assert covered.mean() >= 0.9 - 1e-9
        couplings = build_couplings(made, problem, "none", setting.scenarios)
        uses = limit_uses(
            couplings,
            [setting.evaluator(block, sharing=False) for block in setting.blocks],
            setting.scenarios,
            lots.T,
            [rules] * 3,
            np.ones(len(made.facilities), dtype=bool),
            np.zeros(0, dtype=np.int64),
        )
        assert {use.equation for use in uses} == {11, 12, 15, 18}
        assert all(use.kept for use in uses)


@pytest.mark.parametrize(("participants", "seed"), [(2, 1), (2, 2), (2, 3), (3, 1), (1, 1)])
def test_there_is_a_plan_within_the_limits_and_they_bite(participants, seed):
    made = sp.generate(**SMALL, participants=participants, seed=seed, couplings=True)
    plan = sp.solve(made, gap=0.05, progress=False)
    assert plan.status == "optimal"
    assert plan.coverage["met"].all()
    limits = plan.limits[plan.limits["limit"] != "distinct rules"]
    used = limits["used"] / limits["allowed"]
    assert used.max() > 0.9
    assert used.max() < 1.0 + 1e-6
    assert set(plan.limits["equation"]) >= {11, 12, 15, 18}


def test_limits_cost_something():
    """Proven: the bound with them is above the cost without."""
    made = sp.generate(**SMALL, seed=2, couplings=True)
    free = sp.solve(sp.generate(**SMALL, seed=2), gap=0.01, progress=False)
    limited = sp.solve(made, gap=0.05, progress=False)
    assert limited.bound_usd > free.annual_cost_usd


def test_without_limits_there_is_a_plan_too():
    plan = sp.solve(sp.generate(**SMALL), gap=0.05, progress=False)
    assert plan.status == "optimal"
    assert len(plan.limits) == 0


# --- Mistakes and the command ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("materials", 0, "from 1 to 10,000"),
        ("materials", -3, "from 1 to 10,000"),
        ("scenarios", 0, "from 1 to 100,000,000"),
        ("months", 0, "from 1 to 1,200"),
        ("participants", 0, "from 1 to 50"),
        ("participants", 51, "from 1 to 50"),
        ("seed", -1, "from 0 to 9,223,372,036,854,775,807"),
        ("seed", 2**63, "from 0 to 9,223,372,036,854,775,807"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, capsys, name, value, expected):
    with pytest.raises(sp.UsageError, match=f"{name} is {value}; expected a whole number"):
        sp.generate(**{name: value})
    assert main(["generate", f"--{name}={value}", "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert error == f"stockpile: {name} is {value}; expected a whole number {expected}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [2.5, "3", True, None])
def test_only_whole_numbers_are_taken(value):
    with pytest.raises(sp.UsageError, match=r"materials is .*; expected a whole number"):
        sp.generate(materials=value)


def test_all_wrong_numbers_are_named():
    with pytest.raises(sp.UsageError) as error:
        sp.generate(materials=0, months=-1)
    assert len(str(error.value).splitlines()) == 2


def test_the_command_writes_what_python_makes(tmp_path, capsys):
    folder = tmp_path / "made"
    options = [word for name, value in SMALL.items() for word in (f"--{name}", str(value))]
    assert main(["generate", *options, "--couplings", "--out", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"Written to {folder}. Solve it with: stockpile solve {folder}\n"
    assert sp.load(folder) == sp.generate(**SMALL, couplings=True)


def test_the_defaults_of_the_command_are_those_of_python(tmp_path):
    assert main(["generate", "--out", str(tmp_path / "made")]) == 0
    assert sp.load(tmp_path / "made") == sp.generate()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["generate", "--materials", "1", "--out", str(tmp_path)]) == 2
    assert "is not empty (mine.txt); name a new or empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("words", [["--materials", "many", "--out", "x"], [], ["--out"]])
def test_wrong_usage_is_refused(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["generate", *words])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
