"""The line of progress: on a terminal one line that is wiped, in a pipe nothing."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest

import stockpile as sp
from stockpile.progress import Progress, ProgressLine, Stage, reporter, stages

TOY = Path(__file__).parents[1] / "instances" / "toy"


def state(**changes) -> Progress:
    given = {
        "block": "dy_oxide", "done": 3, "total": 34, "incumbent": 5e7, "bound": 4.9e7,
        "gap": 0.02, "seconds": 1.0,
    }  # fmt: skip
    return Progress(**{**given, **changes})


def test_a_line_names_the_material_the_incumbent_the_bound_and_the_gap():
    assert state().line() == ("4/34 dy_oxide: incumbent 5e+07, bound 4.9e+07 USD/year, gap 2.00%")
    assert state(incumbent=math.nan, gap=math.nan).line() == "4/34 dy_oxide, 1 s"
    assert state(incumbent=math.inf, gap=math.inf).line().endswith("gap -")


def test_lines_stay_below_eighty_columns():
    longest = state(block="x" * 60, incumbent=-1.2345e-300, bound=-1.2345e-300, total=10_000)
    assert len(longest.line()) < 100
    stream = io.StringIO()
    ProgressLine(stream, interval_seconds=0.0)(longest)
    assert len(stream.getvalue().strip("\r")) < 80


def test_the_line_is_written_over_and_wiped():
    stream = io.StringIO()
    shown = ProgressLine(stream, interval_seconds=0.0)
    shown.say("getting ready")
    shown(state())
    shown.clear()
    written = stream.getvalue()
    assert "\n" not in written
    assert written.endswith("\r" + " " * len(state().line()) + "\r")


def test_nothing_is_shown_in_a_pipe(capsys):
    world = sp.load(TOY)
    plan = sp.solve(world)
    sp.respond(world, plan, sp.begun_state(world, plan), continuations=2)
    sp.replay(world, plan, "gallium_to_both", continuations=2)
    sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=1))
    assert capsys.readouterr().err == ""


def test_what_answers_from_a_plan_tells_its_stages():
    world = sp.load(TOY)
    plan = sp.solve(world, progress=False)
    told: list[Stage] = []
    sp.respond(world, plan, sp.begun_state(world, plan), continuations=2, progress=told.append)
    assert [(item.what, item.done, item.total) for item in told] == [
        ("gallium", 0, 2),
        ("dy_oxide", 1, 2),
    ]
    told.clear()
    sp.replay(world, plan, "gallium_to_both", continuations=2, progress=told.append)
    assert [item.what for item in told] == [f"month {month}" for month in range(1, 6)]
    told.clear()
    sp.schedule(world, plan, sp.ScheduleSettings(from_year=2027, years=1), progress=told.append)
    assert len(told) == told[0].total
    assert told[-1].what == "exposure with the stocks of each quarter"


def test_the_line_of_stages_is_wiped_whatever_happens(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)

    def stopped():
        with stages(True, 3) as begin:
            begin("x" * 90)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    shown = stream.getvalue().split("\r")
    assert shown[1].startswith("1/3 xxx")
    assert len(shown[1]) < 80
    assert shown[2].strip() == ""


def test_a_function_is_told_every_step():
    told = []
    plan = sp.solve(sp.load(TOY), progress=told.append)
    assert {item.block for item in told} >= {"gallium", "dy_oxide"}
    assert told[-1].done == told[-1].total == 2
    assert all(item.bound <= plan.annual_cost_usd for item in told[:-1])
    judged: list[Progress] = []
    sp.evaluate(sp.load(TOY), plan, progress=judged.append)
    assert [item.block for item in judged] == ["gallium", "dy_oxide"]


@pytest.mark.parametrize("asked", [False, None])
def test_reporting_nothing_is_the_default_away_from_a_terminal(asked):
    assert not isinstance(reporter(asked), ProgressLine)
