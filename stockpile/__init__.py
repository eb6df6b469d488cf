"""Plan national reserves of critical minerals: how much to hold, where, under which rules.

>>> import stockpile as sp
>>> plan = sp.solve(sp.load("instances/toy"), progress=False)
>>> plan.status
<Status.OPTIMAL: 'optimal'>
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # As in typing, which takes long to import.
if TYPE_CHECKING:
    from typing import Any

    from stockpile.batches.batch import Batch, BatchProgress, batch
    from stockpile.batches.runs import Variant
    from stockpile.cooperation.comparison import Comparison, compare
    from stockpile.countering import CounterMoves, counter_moves
    from stockpile.desk.briefing import write_briefing
    from stockpile.desk.order_sheet import OrderSheet
    from stockpile.desk.replay import Replay, replay
    from stockpile.desk.respond import respond
    from stockpile.desk.response import Response
    from stockpile.desk.state import State, begun_state, load_state, save_state
    from stockpile.desk.two_sided import redacted_state, side_orders
    from stockpile.effects_of_projects import ProjectEffects, project_effects
    from stockpile.errors import (
        BatchWarning,
        InstanceError,
        InstanceWarning,
        NotBuiltError,
        ResultError,
        StockpileError,
        UsageError,
        WorkerWarning,
    )
    from stockpile.export import ExportedModel, export_model
    from stockpile.foresight_bound import Foresight, foresight, foresight_gap
    from stockpile.frontier_points import Frontier, frontier
    from stockpile.generator.build import generate
    from stockpile.instance import Instance, load, save, validate
    from stockpile.marginal_costs import Marginals, marginals
    from stockpile.outofsample import Assessment, evaluate
    from stockpile.plan import Plan, Status
    from stockpile.purchasing.calendar import Schedule, schedule
    from stockpile.purchasing.settings import ScheduleSettings
    from stockpile.redacted_plans import RedactedPlan, redacted_plan
    from stockpile.reports.office_tables import office_tables
    from stockpile.reports.report import report
    from stockpile.reports.tables_folder import write_tables
    from stockpile.schemas import schema
    from stockpile.sensitivities import Sensitivity, sensitivity
    from stockpile.solver import solve
    from stockpile.stress_simulation import StressRuns, stress_runs

# Names are imported when first used: the command line must start fast.
_HOME = {
    "Assessment": "outofsample",
    "Batch": "batches.batch",
    "BatchProgress": "batches.batch",
    "BatchWarning": "errors",
    "Comparison": "cooperation.comparison",
    "CounterMoves": "countering",
    "ExportedModel": "export",
    "Foresight": "foresight_bound",
    "Frontier": "frontier_points",
    "Instance": "instance",
    "InstanceError": "errors",
    "InstanceWarning": "errors",
    "Marginals": "marginal_costs",
    "NotBuiltError": "errors",
    "OrderSheet": "desk.order_sheet",
    "Plan": "plan",
    "ProjectEffects": "effects_of_projects",
    "RedactedPlan": "redacted_plans",
    "Replay": "desk.replay",
    "Response": "desk.response",
    "ResultError": "errors",
    "Schedule": "purchasing.calendar",
    "ScheduleSettings": "purchasing.settings",
    "Sensitivity": "sensitivities",
    "State": "desk.state",
    "Status": "plan",
    "StockpileError": "errors",
    "StressRuns": "stress_simulation",
    "UsageError": "errors",
    "Variant": "batches.runs",
    "WorkerWarning": "errors",
    "batch": "batches.batch",
    "begun_state": "desk.state",
    "compare": "cooperation.comparison",
    "counter_moves": "countering",
    "evaluate": "outofsample",
    "export_model": "export",
    "foresight": "foresight_bound",
    "foresight_gap": "foresight_bound",
    "frontier": "frontier_points",
    "generate": "generator.build",
    "load": "instance",
    "load_state": "desk.state",
    "marginals": "marginal_costs",
    "office_tables": "reports.office_tables",
    "project_effects": "effects_of_projects",
    "redacted_plan": "redacted_plans",
    "redacted_state": "desk.two_sided",
    "replay": "desk.replay",
    "report": "reports.report",
    "respond": "desk.respond",
    "save": "instance",
    "save_state": "desk.state",
    "schedule": "purchasing.calendar",
    "schema": "schemas",
    "sensitivity": "sensitivities",
    "side_orders": "desk.two_sided",
    "solve": "solver",
    "stress_runs": "stress_simulation",
    "validate": "instance",
    "write_briefing": "desk.briefing",
    "write_tables": "reports.tables_folder",
}

__all__ = [
    "Assessment",
    "Batch",
    "BatchProgress",
    "BatchWarning",
    "Comparison",
    "CounterMoves",
    "ExportedModel",
    "Foresight",
    "Frontier",
    "Instance",
    "InstanceError",
    "InstanceWarning",
    "Marginals",
    "NotBuiltError",
    "OrderSheet",
    "Plan",
    "ProjectEffects",
    "RedactedPlan",
    "Replay",
    "Response",
    "ResultError",
    "Schedule",
    "ScheduleSettings",
    "Sensitivity",
    "State",
    "Status",
    "StockpileError",
    "StressRuns",
    "UsageError",
    "Variant",
    "WorkerWarning",
    "batch",
    "begun_state",
    "compare",
    "counter_moves",
    "evaluate",
    "export_model",
    "foresight",
    "foresight_gap",
    "frontier",
    "generate",
    "load",
    "load_state",
    "marginals",
    "office_tables",
    "project_effects",
    "redacted_plan",
    "redacted_state",
    "replay",
    "report",
    "respond",
    "save",
    "save_state",
    "schedule",
    "schema",
    "sensitivity",
    "side_orders",
    "solve",
    "stress_runs",
    "validate",
    "write_briefing",
    "write_tables",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOME:
        return getattr(import_module(f"stockpile.{_HOME[name]}"), name)
    raise AttributeError(f"module 'stockpile' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
