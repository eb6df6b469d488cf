"""What was exported, and how another solver compares, as text for a terminal or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.display import drawn_text, money

if TYPE_CHECKING:
    from stockpile.export import ExportedModel, SolverAnswer

_TITLES = {"plan": "Selection model", "foresight": "Foresight model"}
_OURS = {
    "plan": ("the plan that a solve has found", "no plan from this menu costs less"),
    "foresight": ("our holdings, with the best releases", "no release policy costs less"),
}


def exported_text(name: str, exported: ExportedModel) -> str:
    """Say in a few lines what was written, and what is known of its optimum.

    Parameters
    ----------
    name
        Of the instance.
    """
    drawn = drawn_text(exported.scenario_count, exported.seed, exported.sampling)
    title = f"{_TITLES[exported.model]} of {name}, cooperation {exported.cooperation}, {drawn}"
    if exported.path is None:
        return f"{title}\n  status      {exported.status}: there is no model to write\n"
    ours, bound = _OURS[exported.model]
    lines = [title]
    if exported.columns:
        lines.append(f"  columns     {exported.columns:,} candidates to choose from")
    if exported.status != "optimal":
        lines.append(f"  status      {exported.status}: the columns found so far")
    lines += [
        f"  cost        {money(exported.cost_usd)} a year: {ours}",
        f"  bound       {money(exported.bound_usd)} a year; {bound}",
    ]
    if exported.answer is not None:
        lines.append(_answer(exported, exported.answer))
    return "\n".join(lines) + "\n"


def _answer(exported: ExportedModel, answer: SolverAnswer) -> str:
    head = f"  {answer.solver:<10}  {answer.status}"
    if answer.status != "optimal":
        verdict = "which cannot be, for our own solution keeps all limits"
        return f"{head}, {verdict}" if exported.contradicts else head
    ours, theirs = exported.cost_usd, answer.objective_usd
    part = 100.0 * abs(theirs - ours) / abs(ours) if ours else 0.0
    if exported.contradicts:
        verdict = f"{part:.4f} % below our cost and below our bound: one of the two is wrong"
    elif not exported.agrees:
        verdict = f"{part:.4f} % above our cost: it stopped early, or is wrong"
    elif part < 5e-5:
        verdict = "the same as ours"
    else:
        verdict = f"{part:.4f} % below our cost, and within our gap"
    return f"{head}, {money(theirs)} a year: {verdict}"
