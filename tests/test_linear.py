"""The linear solver as it is used here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from scipy.sparse import csr_array

from stockpile.model.linear import LinearModel, solve_linear


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


def market_split(size, seed):
    """Equations of random whole numbers, half of each sum: hard for branch and bound."""
    rng = np.random.default_rng(seed)
    m, n = size, 10 * (size - 1)
    numbers = rng.integers(0, 100, (m, n)).astype(float)
    half = np.floor(numbers.sum(axis=1) / 2.0)
    return LinearModel(
        cost=np.concatenate([np.zeros(n), np.ones(2 * m)]),
        lower=np.zeros(n + 2 * m),
        upper=np.concatenate([np.ones(n), np.full(2 * m, 1e4)]),
        integer=np.concatenate([np.ones(n), np.zeros(2 * m)]).astype(bool),
        matrix=csr_array(np.hstack([numbers, np.eye(m), -np.eye(m)])),
        row_lower=half,
        row_upper=half,
    )


def test_ctrl_c_ends_a_search_that_can_be_stopped():
    """This one would take for hours (Cornuejols and Dawande, 1999)."""
    began = time.monotonic()
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        solve_linear(market_split(6, 0), stoppable=True)
    timer.join()
    assert time.monotonic() - began < 20.0


def test_a_search_that_can_be_stopped_finds_the_same():
    model = market_split(3, 1)
    one, other = (solve_linear(model, stoppable=stoppable) for stoppable in (False, True))
    assert one.status == other.status == "optimal"
    assert one.objective == other.objective
    assert one.values.tolist() == other.values.tolist()
