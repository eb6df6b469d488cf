"""Exit status of every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.plan import Status

EXIT_OK, EXIT_OTHER, EXIT_WRONG_INPUT, EXIT_INFEASIBLE, EXIT_NO_PLAN = 0, 1, 2, 3, 4


def exit_status(status: Status, *, complete: bool) -> int:
    """Return the exit status of a command that has solved several plans.

    Parameters
    ----------
    status
        How the solves ended, all in one.
    complete
        Whether every plan is there.
    """
    from stockpile.plan import Status  # Who asks for help need not wait for it.

    if status is Status.INFEASIBLE:
        return EXIT_INFEASIBLE
    if status is Status.INTERRUPTED:
        return EXIT_OTHER
    return EXIT_OK if complete else EXIT_NO_PLAN
