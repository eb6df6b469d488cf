"""Shared by all tests: how hypothesis looks for examples, and what a test starts from.

At a desk it looks at new examples in every run. Where ``CI`` is set it takes the same ones each
time, so that a build fails for what has changed and for nothing else.
"""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings


def pytest_addoption(parser):
    """Let a batch be killed more often: ``pytest tests/test_batch.py --kills 20``."""
    parser.addoption("--kills", type=int, default=4, help="times that a batch is killed (4)")
    parser.addoption(
        "--thorough", action="store_true", help="random instances in full numbers, which takes long"
    )


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked ``thorough``, unless ``--thorough`` asks for it."""
    if not config.getoption("--thorough"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason="only with --thorough"))


settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # As in a job in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if "PYTEST_XDIST_WORKER" in os.environ:  # Tests side by side write to a pipe as wide as any.
    os.environ.pop("COLUMNS", None)
