"""The examples run, and draw what the plan says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import stockpile as sp

matplotlib = pytest.importorskip("matplotlib")
ROOT = Path(__file__).parent.parent
TOY = ROOT / "instances" / "toy"


@pytest.fixture(scope="module")
def paper_figure():
    matplotlib.use("Agg")
    path = ROOT / "examples" / "paper_figure.py"
    spec = importlib.util.spec_from_file_location("paper_figure", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figure_shows_the_days_and_the_money_of_the_toy(paper_figure):
    toy = sp.load(TOY)
    plan = sp.solve(toy, progress=False)
    days, money = paper_figure.draw(plan, toy).axes
    drawn = {line.get_label(): list(line.get_xdata()) for line in days.lines}
    # Dysprosium below gallium: 4 of 24 t and 6 of 48 t a year, 3 of 36 t each.
    assert drawn == {
        "United States": pytest.approx([365 * 4 / 24, 365 * 3 / 36]),
        "Japan": pytest.approx([365 * 6 / 48, 365 * 3 / 36]),
    }
    assert [text.get_text() for text in days.get_yticklabels()] == ["Dy (oxide)", "Ga (metal)"]
    assert money.lines[0].get_ydata() == pytest.approx([0, 2.75, 5.5, 8.25, 11])


@pytest.mark.parametrize("ending", [".pdf", ".svg", ".png"])
def test_the_script_writes_the_file(paper_figure, tmp_path, capsys, ending):
    target = tmp_path / f"figure{ending}"
    paper_figure.main(str(TOY), str(target))
    assert target.stat().st_size > 5000
    assert str(target) in capsys.readouterr().out
