"""One run of a batch, solved in this process or at a worker; whatever happens, it is told."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stockpile.errors import CheckError, StockpileError
from stockpile.overrides import with_overrides
from stockpile.solver import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stockpile.instance import Instance
    from stockpile.plan import Plan
    from stockpile.progress import Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has come of a run.

    Attributes
    ----------
    plan
        The plan, with or without a solution; None where it failed.
    error
        Why it failed.
    lost
        Whether the processes that worked on it have died.
    """

    plan: Plan | None = None
    error: str | None = None
    lost: bool = False


def solve_run(
    instances: Sequence[Instance],
    number: int,
    changes: Sequence[str],
    options: Mapping[str, Any],
    threads: int | None,
    memory_gib: float | None,
    progress: bool | Callable[[Progress], None] = False,
) -> Outcome:
    """Solve the instance of that number with changes; no error gets out of here."""
    try:
        plan = solve(
            with_overrides(instances[number], changes),
            **options,
            threads=threads,
            memory_gib=memory_gib,
            progress=progress,
        )
    except CheckError as error:
        return Outcome(error=f"bug found: {error}")
    except StockpileError as error:
        return Outcome(error=str(error))
    except MemoryError:
        return Outcome(error="not enough memory; try fewer scenarios or fewer rules")
    except Exception as error:  # One run that fails must not stop the others.
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.name}, line {where.lineno}"
        return Outcome(error=f"bug found: {type(error).__name__}: {error} ({place})")
    return Outcome(plan=plan)
