"""How needs are assured: flows, ways and times against the oracle and by hand, and in reports."""

from __future__ import annotations

import collections
import html.parser
import json
from dataclasses import replace
from pathlib import Path

import chain_steps
import numpy as np
import project_oracle
import pytest
from random_chains import write_chain_instance
from test_chain_enumeration import chosen

import stockpile as sp
from stockpile.assurance.assurance import ANSWERS, PROJECT, RECYCLING, UNMET, assurance
from stockpile.assurance.timeline import reserves, starts
from stockpile.quantiles import weighted_quantile
from stockpile.reports.document import Bullets, Figure, Paragraph
from stockpile.reports.flow_chart import levels_of
from stockpile.reports.markdown import markdown
from stockpile.reports.page import page, paper
from stockpile.reports.report import report_document
from stockpile.tables import ConcentrationCap

MAGNETS = Path(__file__).parents[1] / "instances" / "magnets"
ANNUITY = 0.05 / (1.0 - 1.05**-20)
NASTY = '<script>alert("x")</script>=1+1|*`[a](b)&amp;'
SEEDS = (0, 1, 2, 4, 5, 10, 13, 21)


@pytest.fixture(scope="module")
def magnets():
    instance = sp.load(MAGNETS)
    return instance, sp.solve(instance, progress=False)


@pytest.fixture(scope="module")
def found(magnets):
    return assurance(*magnets)


@pytest.fixture(scope="module")
def document(magnets):
    instance, plan = magnets
    return report_document(plan, instance=instance, progress=False)


class Ids(html.parser.HTMLParser):
    """Remembers the names of the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, _, attributes):
        self.found += [value for key, value in attributes if key == "id"]


def section(document, name):
    return next(item for item in document.sections if item.name == name)


def table(document, name):
    return next(item for item in document.tables if item.name == name)


def way(found, participant, kind, item=""):
    (one,) = [
        way
        for way in found.ways
        if (found.problem.participants[way.participant], way.kind, way.item)
        == (participant, kind, item)
    ]
    return one


# --- Flows ----------------------------------------------------------------------------------------


def oracle_flows(inst, block, plan, sharing):
    """Releases, tonnes made, months with need, and months in which a plant is full, by hand."""
    states, rules = plan.projects, plan.rules["+".join(block)]
    pools = chain_steps.pools(inst, chain_steps.step_list(inst, block, sharing))
    number = {plant["name"]: i for i, plant in enumerate(inst["plants"])}
    released, made, full = collections.Counter(), collections.Counter(), collections.Counter()
    asked, months = collections.Counter(), 0.0
    for s, p in inst["probability"].items():
        needs = {m: project_oracle.needs(inst, m, s, states) for m in block}
        log = chain_steps.simulate(inst, block, s, plan.lots, rules, states, sharing=sharing)
        for t, month in enumerate(log):
            need = {(b, m, k) for m in block for (b, k), n in needs[m][t]["need"].items() if n > 0}
            months += float(p) * bool(need)
            used = collections.Counter()
            for stock, stream, plants, tonnes in month["releases"]:
                released[stock, stream, plants] += float(p) * tonnes
                amount = tonnes
                for n in reversed(range(len(plants))):
                    i = number[plants[n]]
                    made[i] += float(p) * amount
                    used[i, stream, tuple(number[x] for x in plants[n + 1 :])] += amount
                    amount /= float(inst["plants"][i]["yield"])
            for i in {i for (i, stream, _), most in pools.items() if most and stream in need}:
                asked[i] += float(p)
                full[i] += float(p) * any(
                    used[key] >= float(most) * (1 - 1e-9)
                    for key, most in pools.items()
                    if key[0] == i and most
                )
    return released, made, months, asked, full


@pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_flows_are_those_of_the_oracle(seed, tmp_path):
    inst, cooperation = write_chain_instance(tmp_path, seed)
    instance = sp.load(tmp_path)
    plan = sp.solve(instance, gap=0.2, progress=False)
    if not plan.found:
        pytest.skip("no plan keeps the limits of this instance")
    found = assurance(instance, plan)
    names = [plant["name"] for plant in inst["plants"]]
    for flows in found.flows:
        block = tuple(found.problem.materials[m] for m in flows.block.materials)
        released, made, months, asked, full = oracle_flows(
            inst, block, chosen(plan, inst), cooperation != "none"
        )
        total = 12.0 / inst["horizon"] * sum(released.values())
        assert flows.released.sum() == pytest.approx(total, abs=1e-9)
        assert flows.probability[0] * flows.months[0] == pytest.approx(months)
        for e, name in enumerate(found.problem.conversions.names):
            i = names.index(name)
            expected = made[i] / months if months else 0.0
            assert flows.made[0, e] == pytest.approx(expected, abs=1e-9)
            if asked[i]:
                assert flows.full[e] == pytest.approx(full[i] / asked[i], abs=1e-9)


@pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_ways_add_up_to_the_need(seed, tmp_path):
    """What stocks serve, and what is left, is the oracle's need with the projects of the plan."""
    inst, _ = write_chain_instance(tmp_path, seed)
    instance = sp.load(tmp_path)
    plan = sp.solve(instance, gap=0.2, progress=False)
    if not plan.found:
        pytest.skip("no plan keeps the limits of this instance")
    found = assurance(instance, plan)
    states = chosen(plan, inst).projects
    parts, rest = collections.Counter(), collections.Counter()
    for one in found.ways:
        key = found.problem.participants[one.participant], found.problem.materials[one.material]
        parts[key] += one.part
        if one.kind not in (PROJECT, ANSWERS, RECYCLING):
            rest[key] += one.served
    needs = collections.Counter()
    for material in inst["materials"]:
        for s, p in inst["probability"].items():
            total = project_oracle.total_needs(inst, material, s, states)
            for (b, _), tonnes in total.items():
                needs[b, material] += 12.0 / inst["horizon"] * float(p) * float(tonnes)
    assert any(needs.values())
    for key in {*needs, *rest}:
        assert rest[key] == pytest.approx(needs[key], abs=1e-9)
        part = parts[key] if key in rest else 1.0
        assert np.isnan(part) or part == pytest.approx(1.0)  # Nan: only answers bring any need.


def test_cases_of_magnets_by_hand(found):
    """Cut off for 3, 8, 8 and 8 months with probability 0.15, 0.1, 0.05 and 0.1; the worst is
    ``late_works``: both nations need 18 t for eight months, and no project is there.
    """
    (flows,) = found.flows
    assert flows.probability == pytest.approx([0.4, 0.05])
    assert flows.months == pytest.approx([(0.15 * 3 + 0.25 * 8) / 0.4, 8.0])
    assert flows.need[1] == pytest.approx(18.0 * 8)
    # 10 t of Japanese metal and 15 t of American oxide make at most 55 t in all of it.
    assert flows.made[1, 1] * 8 == pytest.approx(55.0)
    assert flows.short[1] == pytest.approx(144.0 - 55.0 - 40.0 - 20.0)


# --- Ways -----------------------------------------------------------------------------------------


def test_cost_per_tonne_year_by_hand(found):
    held = 80_000.0 * (0.05 + 12 / 60 * 0.2) + 400.0
    assert way(found, "us", "held").cost == pytest.approx(held)
    oxide = way(found, "us", "converted", "oxide")
    assert oxide.cost == pytest.approx((60_000.0 * 0.05 + 100.0) / (0.8 * 2.5))
    # Metal for a tonne of magnets, magnets, oxide to Japan and magnets back.
    assert oxide.use == pytest.approx(8000.0 / 2.5 + 20_000.0 + 1000.0 / 2.0 + 1000.0)
    metal = way(found, "japan", "converted", "metal")
    assert metal.cost == pytest.approx((90_000.0 * (0.05 + 12 / 24 * 0.1) + 400.0) / 2.5)
    months = 0.85 * 28.5 + 0.05 * 16.5 + 0.1 * 22.5
    works = 3.1e6 * ANNUITY + 2000.0 * 10.5 * months / 3.0
    assert way(found, "us", PROJECT, "us_works").cost == pytest.approx(works / 126.0)
    # Not funded, so without the fast track that it lacks; made at its price.
    assert way(found, "japan", PROJECT, "japan_recycling").cost == pytest.approx(
        3e6 * ANNUITY / 24.0
    )
    cheapest = [one for one in found.ways if one.cheapest]
    assert [(one.kind, one.item) for one in cheapest] == [
        ("converted", "oxide"),
        ("partner converted", "oxide"),
    ]


def test_what_a_project_serves_by_hand(found):
    """The works end the need of ``long_cut`` and ``next_year``: 64 t each, with probability 0.1."""
    works = way(found, "us", PROJECT, "us_works")
    assert works.served == pytest.approx(0.2 * 64.0 / 3.0)
    assert works.part == pytest.approx(12.8 / (0.15 * 24 + 0.25 * 64))
    assert way(found, "japan", PROJECT, "japan_recycling").served == 0.0
    assert np.isnan(way(found, "us", UNMET).cost)


# --- Times ----------------------------------------------------------------------------------------


def test_starts_and_reserves_by_hand(found):
    """Fast, the works start in month 7, in month 13 with probability 0.1 and 19 with 0.05."""
    problem, (lots, _, states) = found.problem, found.decisions
    works, recycling = starts(problem, found.scenarios, states)
    assert (works.early, works.median, works.late, works.full) == (7, 7, 13, 10)
    assert (works.funded, works.fast, recycling.funded) == (True, True, False)
    assert (recycling.early, recycling.median, recycling.full) == (7, 7, 8)
    us, japan = reserves(problem, (works, recycling), lots)
    assert (us.source, us.supplied, us.output, us.run_down) == ("china", 8.0, 10.5, 10)
    assert (japan.source, japan.supplied, japan.output, japan.run_down) == (
        "china",
        10.0,
        0.0,
        None,
    )


def test_quantiles_of_weighted_values():
    values, weight = np.array([5, 1, 3]), np.array([0.1, 0.8, 0.1])
    assert [weighted_quantile(values, weight, part) for part in (0.1, 0.8, 0.9, 1.0)] == [
        1,
        1,
        3,
        5,
    ]


# --- Reports --------------------------------------------------------------------------------------


def test_the_sections_are_there_where_there_is_something_to_say(document):
    assert [item.name for item in document.sections][:6] == [
        "holdings",
        "rules",
        "chain",
        "assurance",
        "projects",
        "dependence",
    ]
    toy = sp.load(MAGNETS.with_name("toy"))
    plain = report_document(sp.solve(toy, progress=False), instance=toy, progress=False)
    new = {"chain", "assurance", "projects", "dependence"}
    assert not new & {item.name for item in plain.sections}


def test_the_picture_shows_stocks_plants_and_bottlenecks(document):
    figure = next(part for part in section(document, "chain").parts if isinstance(part, Figure))
    rows = {row[0]: row for row in figure.data.rows}
    assert rows["Magnet making"][4] == 12.0
    assert rows["Magnet making"][-1] == "yes"
    assert rows["Metal making"][-1] == "no"
    for form in (figure.wide, figure.narrow):
        texts = [
            row["text"]
            for layer in form["layer"]
            for row in layer["data"]["values"]
            if "text" in row
        ]
        assert {"15 t", "10 t", "40 t", "20 t", "Didymium oxide", "Japan"} <= set(texts)
        assert "3.7 / 6.9 of 12 t" in texts
        red = [layer for layer in form["layer"] if layer["mark"].get("color") == "var(--warning)"]
        drawn = {row["text"] for layer in red for row in layer["data"]["values"] if "text" in row}
        assert drawn == {"Magnet making", "3.7 / 6.9 of 12 t"}
        xs = [row["x"] for layer in form["layer"] for row in layer["data"]["values"]]
        assert min(xs) >= 0
        assert max(xs) <= form["width"]
    said = [part.text for part in section(document, "chain").parts if isinstance(part, Paragraph)]
    assert any("Magnet making (36.7 %)" in text for text in said)


def test_shares_caps_and_warnings_are_in_the_table(magnets):
    instance, plan = magnets
    cap = ConcentrationCap(
        participant=("us",), material=("magnet",), source=("china",), max_share=0.9
    )
    capped = replace(instance, concentration=(cap,))
    document = report_document(
        replace(plan, instance_hash=capped.content_hash), instance=capped, progress=False
    )
    rows = table(document, "dependence").rows
    assert [row[:3] for row in rows] == [
        ("Magnets", "United States", "China"),
        ("Magnets", "United States", "Us works"),
    ]
    after = (8 / 20.5, 10.5 / 20.5)
    index = after[0] ** 2 + after[1] ** 2
    assert rows[0][3:] == pytest.approx((0.8, after[0], 0.9, 0.64, index))
    assert rows[1][5] is None
    assert (*rows[1][3:5], *rows[1][6:]) == pytest.approx((0.0, after[1], 0.64, index))
    (warned,) = [
        part for part in section(document, "dependence").parts if isinstance(part, Bullets)
    ]
    assert "replaces China by Us works, which then supplies 51.2 %" in warned.items[0]


def test_dependence_is_shown_without_the_instance(magnets):
    names = [item.name for item in report_document(magnets[1]).sections]
    assert "dependence" in names
    assert not {"chain", "assurance", "projects"} & set(names)


def test_the_same_is_on_paper_and_on_pages_and_names_stay_text(magnets):
    instance, plan = magnets
    oxide, *others = instance.materials
    nasty = replace(instance, materials=(replace(oxide, name=NASTY), *others))
    plan = replace(plan, instance_hash=nasty.content_hash)
    document = report_document(plan, instance=nasty, progress=False)
    for text in (page(document), paper(document)):
        assert "<script>alert" not in text
        ids = Ids(text).found
        assert {"chain", "assurance", "projects", "dependence", "figure-chain-1"} <= set(ids)
        assert len(ids) == len(set(ids))
    assert "var(--" not in paper(document).split("</style>")[1]


def test_japanese_has_words_for_all_of_it(magnets):
    instance, plan = magnets
    document = report_document(plan, instance=instance, lang="ja", progress=False)
    titles = {item.name: item.title for item in document.sections}
    for name in ("chain", "assurance", "projects", "dependence"):
        assert not titles[name].isascii()


def test_what_tells_of_stocks_is_hidden(magnets):
    """Bands in place of tonnes, capacities in place of flows, and no word on what serves how much.

    The holdings are 10, 15, 20 and 40 t; 15 t are there already.
    """
    instance, plan = magnets
    document = report_document(plan, instance=instance, redact=["holdings", "existing"])
    names = [item.name for item in document.sections]
    assert {"chain", "projects"} <= set(names)
    assert not {"assurance", "dependence"} & set(names)
    of_projects = [column.key for column in table(document, "projects").columns]
    assert of_projects[:3] == ["project", "funded", "start_month_early"]
    figures = [
        part for item in document.sections for part in item.parts if isinstance(part, Figure)
    ]
    drawn = [json.dumps([figure.wide, figure.narrow]) for figure in figures]
    for text in (markdown(document), *drawn):
        for tonnes in (10, 15, 20, 40):
            assert f" {tonnes} t" not in text
            assert f'"{tonnes} t' not in text
    chain = next(figure for figure in figures if figure.name == "chain-1")
    assert [column.key for column in chain.data.columns][-1] == "capacity_t_per_month"
    assert "4 t a month" in drawn[figures.index(chain)]
    assert "90 to 180 days" in drawn[figures.index(chain)]  # 40 t of 120 t a year.


def test_levels_follow_plants_and_a_ring_ends_somewhere():
    assert levels_of(3, [(0, 1), (1, 2)]) == [0, 1, 2]
    assert levels_of(3, [(0, 1), (0, 2)]) == [0, 1, 1]
    assert levels_of(3, [(0, 2), (1, 2)]) == [0, 0, 1]
    assert levels_of(2, [(0, 1), (1, 0)]) == [0, 1]
