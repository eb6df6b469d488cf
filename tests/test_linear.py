"""Linear programs: what grows row by row, against what is solved anew."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from stockpile.model.linear import GrowingProgram, LinearModel, solve_linear


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_program_that_grows_has_the_same_optima_as_one_begun_anew(seed):
    rng = np.random.default_rng(seed)
    variables, rows = int(rng.integers(1, 5)), int(rng.integers(2, 12))
    size = 10.0 ** rng.uniform(-3, 6)
    matrix = rng.uniform(-1.0, 1.0, (rows, variables)) * size
    lower = (matrix @ rng.uniform(0.0, 5.0, variables)) - rng.uniform(0.0, 1.0, rows) * size
    cost = rng.uniform(-1.0, 1.0, variables)

    def first(count):
        return LinearModel(
            cost=cost,
            lower=np.zeros(variables),
            upper=np.full(variables, 10.0),
            integer=np.zeros(variables, dtype=np.bool_),
            matrix=csr_array(matrix[:count]),
            row_lower=lower[:count],
            row_upper=np.full(count, np.inf),
        )

    growing = GrowingProgram(first(1))
    for count in range(1, rows + 1):
        if count > 1:
            growing.add_row(matrix[count - 1], float(lower[count - 1]))
        warm, cold = growing.solve(), solve_linear(first(count))
        assert warm.status == cold.status == "optimal"
        assert warm.objective == pytest.approx(cold.objective, rel=1e-8, abs=1e-8)
        assert warm.row_duals.size == count
        # Strong duality: the duals price the rows in their own units.
        reduced = cost - warm.row_duals @ matrix[:count]
        dual = warm.row_duals @ lower[:count] + 10.0 * np.minimum(reduced, 0.0).sum()
        assert dual == pytest.approx(cold.objective, rel=1e-7, abs=1e-7)


def test_the_solver_says_nothing():
    """Standard output is for results; version 1.16 prints its name when it is first made."""
    code = (
        "import numpy as np\n"
        "from scipy.sparse import csr_array\n"
        "from stockpile.model.linear import LinearModel, solve_linear\n"
        "one = np.ones(1)\n"
        "for whole in (False, True):\n"
        "    model = LinearModel(cost=one, lower=0 * one, upper=9 * one,\n"
        "                        integer=np.array([whole]), matrix=csr_array(np.ones((1, 1))),\n"
        "                        row_lower=1.5 * one, row_upper=8 * one)\n"
        "    assert solve_linear(model).objective == 1.5 + 0.5 * whole\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
