"""Checks of the arguments that the public functions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stockpile.errors import UsageError
from stockpile.tables import COOPERATIONS, SAMPLINGS

if TYPE_CHECKING:
    from stockpile.instance import Instance
    from stockpile.problem import Cooperation
    from stockpile.running import Running

MOST_SCENARIOS = 100_000_000


def gap_and_world(
    instance: Instance,
    running: Running,
    *,
    gap: float | None,
    time_limit: float | None,
    cooperation: str | None,
) -> tuple[float, Cooperation]:
    """Return gap and world, those of the instance where none are given; check all arguments.

    Raises
    ------
    UsageError
        As :func:`check_arguments`.
    """
    gap = instance.solve_settings.gap if gap is None else gap
    world = cooperation or instance.solve_settings.cooperation
    check_arguments(running, gap=gap, time_limit=time_limit, cooperation=world)
    return gap, cast("Cooperation", world)


def check_arguments(
    running: Running,
    *,
    gap: float | None = None,
    time_limit: float | None = None,
    cooperation: str | None = None,
) -> None:
    """Refuse arguments that are out of range, all at once; None is always fine.

    Raises
    ------
    UsageError
        Naming every wrong argument, its value and what was expected.
    """
    scenarios, seed, sampling = running.scenarios, running.seed, running.sampling
    threads, executor, memory_gib = running.threads, running.executor, running.memory_gib
    wrong = []
    if gap is not None and not 0.0 <= gap < 1.0:
        wrong.append(f"gap is {gap!r}; expected a fraction from 0 to below 1, such as 0.01")
    if time_limit is not None and not time_limit > 0.0:
        wrong.append(f"time_limit is {time_limit!r}; expected seconds above 0")
    if cooperation is not None and cooperation not in COOPERATIONS:
        wrong.append(f"cooperation is {cooperation!r}; expected one of {', '.join(COOPERATIONS)}")
    if scenarios is not None and not 1 <= scenarios <= MOST_SCENARIOS:
        wrong.append(f"scenarios is {scenarios!r}; expected a number from 1 to {MOST_SCENARIOS:,}")
    if seed is not None and seed < 0:
        wrong.append(f"seed is {seed!r}; expected a whole number from 0 on")
    if sampling is not None and sampling not in SAMPLINGS:
        wrong.append(f"sampling is {sampling!r}; expected one of {', '.join(SAMPLINGS)}")
    if threads is not None and threads < 1:
        wrong.append(f"threads is {threads!r}; expected at least 1")
    if isinstance(executor, int) and executor < 1:
        wrong.append(f"executor is {executor!r}; expected at least 1 local process")
    if memory_gib is not None and not memory_gib > 0.0:
        wrong.append(f"memory_gib is {memory_gib!r}; expected GiB above 0, such as 4")
    if wrong:
        raise UsageError("\n".join(wrong))
