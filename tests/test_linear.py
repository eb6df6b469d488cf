"""The linear solver as it is used here."""

from __future__ import annotations

import subprocess
import sys


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
