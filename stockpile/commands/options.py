"""Options that several commands share, and checks of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection

    from stockpile.instance import Instance

OF_INSTANCE = "of the instance"


def add_instance(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add ``INSTANCE``, or several, and what changes it: ``--overlay`` and ``--set``."""
    if several:
        parser.add_argument(
            "instances", metavar="INSTANCE", type=Path, nargs="+", help="instance folders"
        )
    else:
        parser.add_argument("instance", metavar="INSTANCE", type=Path, help="instance folder")
    add_changes(parser)


def add_changes(parser: argparse.ArgumentParser, also: str = "") -> None:
    """Add what changes an instance: ``--overlay`` and ``--set``; ``also`` says what that takes."""
    parser.add_argument(
        "--overlay",
        metavar="DIR",
        type=Path,
        help="lay the tables of a folder over the instance, such as stock levels that are secret",
    )
    parser.add_argument(
        "--set",
        metavar="PLACE=VALUE",
        action="append",
        default=[],
        help=f"change the instance: {also}coverage[metric=days].level=60, "
        "materials.price_usd_per_kg=*1.2, agreement.joint_budget_usd=4e9",
    )


def instance_of(options: argparse.Namespace) -> Instance:
    """Read the instance with its changes.

    Raises
    ------
    StockpileError
        If it, the overlay or a change is wrong.
    """
    from stockpile.instance import load

    return load(options.instance, overlay=options.overlay, changes=options.set)


def add_language(parser: argparse.ArgumentParser) -> None:
    """Add ``--lang``."""
    parser.add_argument(
        "--lang",
        choices=("en", "ja"),
        default="en",
        help="language of headings and sentences (en)",
    )


def add_redaction(parser: argparse.ArgumentParser) -> None:
    """Add ``--redact``."""
    parser.add_argument(
        "--redact",
        metavar="WHAT",
        help="hide holdings, existing or both (holdings,existing): bands in place of quantities, "
        "and nothing from which they could be worked out",
    )


def add_world(parser: argparse.ArgumentParser, default: str = OF_INSTANCE) -> None:
    """Add ``--cooperation``; ``default`` says in words whose it is otherwise."""
    parser.add_argument(
        "--cooperation",
        choices=("none", "sharing", "joint"),
        help=f"each alone, rules may serve partners, or one budget as well (default: {default})",
    )


def add_drawing(parser: argparse.ArgumentParser, default: str = OF_INSTANCE) -> None:
    """Add what says how scenarios are drawn, and ``--threads``; see :func:`add_world`."""
    parser.add_argument(
        "--scenarios",
        metavar="N",
        type=int,
        help=f"number of scenarios to draw (default: {default})",
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, help=f"seed of the scenarios (default: {default})"
    )
    add_sampling(parser, default)
    parser.add_argument("--threads", metavar="N", type=int, help="threads (default: all)")


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Add ``--workers`` and ``--scheduler``."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        metavar="N",
        type=int,
        help="processes of this machine to work in besides (default: none)",
    )
    where.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers do the work, such as tcp://10.0.0.5:8786 (needs "
        "stockpile[cluster])",
    )


def add_memory(parser: argparse.ArgumentParser) -> None:
    """Add ``--memory``."""
    parser.add_argument(
        "--memory",
        metavar="GIB",
        type=float,
        help="memory to stay within, in GiB (default: no limit)",
    )


def executor_of(options: argparse.Namespace) -> int | str | None:
    """Return where to work, as the public functions take it.

    Raises
    ------
    UsageError
        If there is to be less than one process.
    """
    from stockpile.errors import UsageError

    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers is {options.workers}; expected at least 1")
    where: int | str | None = options.scheduler if options.workers is None else options.workers
    return where


def add_sampling(parser: argparse.ArgumentParser, default: str = OF_INSTANCE) -> None:
    """Add ``--sampling``; ``default`` as in :func:`add_world`."""
    parser.add_argument(
        "--sampling",
        choices=("plain", "stratified"),
        help="draw every scenario by itself, or all spread evenly over what can happen "
        f"(default: {default})",
    )


def require_target(folder: Path | None, mark: str = "", replaceable: Collection[str] = ()) -> None:
    """Refuse a folder that cannot be written to: found out before the work, not after it.

    See :func:`stockpile.folders.check_target`. None is always fine.

    Raises
    ------
    UsageError
        Saying why.
    """
    from stockpile.errors import UsageError
    from stockpile.folders import check_target

    reason = None if folder is None else check_target(folder, mark, replaceable)
    if reason is not None:
        raise UsageError(f"--out: {reason}")
