"""Shared by all tests: how hypothesis looks for examples.

At a desk it looks at new examples in every run. Where ``CI`` is set it takes the same ones each
time, so that a build fails for what has changed and for nothing else.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
