"""What the numbers of a result depend on besides the instance."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("stockpile", "numpy", "numba", "scipy", "pandas", "highspy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # Run from a source tree that is not installed.
            found[package] = "not installed"
    return found
