"""On what and where an instance is worked on: the arguments that all long calls share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from stockpile.progress import Progress


@dataclass(frozen=True, slots=True)
class Running:
    """Arguments as of :func:`stockpile.solve`; None always means the default."""

    scenarios: int | None = None
    seed: int | None = None
    sampling: str | None = None
    threads: int | None = None
    executor: Executor | int | str | None = None
    memory_gib: float | None = None
    progress: bool | Callable[[Progress], None] | None = None
