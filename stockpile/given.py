"""What it takes to simulate any block of an instance, in this process or at a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stockpile.evaluator import Evaluator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stockpile.blocks import Block
    from stockpile.parallel import Workers
    from stockpile.problem import Problem
    from stockpile.scenarios import ScenarioSet


@dataclass(frozen=True, slots=True)
class Given:
    """Arrays, blocks and scenarios of an instance; they can be sent to other processes."""

    problem: Problem
    blocks: tuple[Block, ...]
    scenarios: ScenarioSet
    stress: ScenarioSet

    def evaluator(
        self,
        number: int,
        workers: Workers,
        *,
        sharing: bool,
        states: NDArray[np.bool_] | None = None,
    ) -> Evaluator:
        """Return the evaluator of a block by its number; ``states`` as in :class:`Evaluator`."""
        return Evaluator(
            self.problem,
            self.blocks[number],
            self.scenarios,
            self.stress,
            workers,
            sharing=sharing,
            states=states,
        )
