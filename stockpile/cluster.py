"""A Dask cluster as an executor, for those who outgrow one machine; needs the extra ``cluster``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from stockpile.errors import UsageError
from stockpile.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Executor

CONNECT_SECONDS = 10
"""How long a scheduler has to answer."""
LARGEST_MESSAGE = "1GiB"
"""Dask warns of tasks with much data from 10 MB on; what many tasks need is sent only once."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to a Dask scheduler; return an executor, and how many tasks its workers take at once.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.5:8786``.

    Raises
    ------
    UsageError
        If Dask is not installed, nobody answers, there are no workers, or theirs are other versions
        of Python or of packages: results would not be the same bytes.
    """
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            f"a scheduler needs Dask, which is not installed ({error}).\n"
            '  Install it with: pip install "stockpile[cluster]"'
        ) from None
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGEST_MESSAGE}):
        try:
            client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {address!r}: {str(error) or type(error).__name__}.\n"
                "  Start one with: dask scheduler, and workers with: dask worker ADDRESS"
            ) from None
        with client:
            workers = client.scheduler_info(n_workers=-1)["workers"]
            if not workers:
                raise UsageError(
                    f"the scheduler at {address} has no workers.\n"
                    f"  Start one with: dask worker {address}"
                )
            require_same_versions(client.run(versions, on_error="return"))
            yield (
                client.get_executor(pure=False),
                sum(worker["nthreads"] for worker in workers.values()),
            )


def require_same_versions(found: Mapping[str, dict[str, str] | BaseException]) -> None:
    """Refuse workers of other versions.

    Parameters
    ----------
    found
        For each worker its versions, or why it could not tell.

    Raises
    ------
    UsageError
        Naming every worker and what differs.
    """
    here = versions()
    wrong = []
    for worker, there in found.items():
        if not isinstance(there, dict):
            wrong.append(f"{worker} cannot import stockpile: {there}")
            continue
        wrong += [
            f"{worker} has {name} {there.get(name)}, this process {version}"
            for name, version in here.items()
            if there.get(name) != version
        ]
    if wrong:
        raise UsageError(
            "the workers of the scheduler are not like this process:\n  "
            + "\n  ".join(wrong)
            + "\n  Install the same versions everywhere, or results would not be the same bytes."
        )
