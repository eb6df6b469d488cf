"""The runs of a batch: every instance in every variant, with every combination that is swept."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockpile.errors import UsageError, printable, suggestion
from stockpile.overrides import parse_override, split_place
from stockpile.tables import COOPERATIONS, SAMPLINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stockpile.instance import Instance

LONGEST_NAME = 100
"""Characters of the name of a run."""
MOST_RUNS = 10_000
"""Runs of a batch; more are a slip of the keyboard."""

_OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {
    "gap": (float, "a fraction, such as 0.01"),
    "time_limit": (float, "seconds"),
    "cooperation": (str, f"one of {', '.join(COOPERATIONS)}"),
    "scenarios": (int, "a whole number"),
    "seed": (int, "a whole number"),
    "sampling": (str, f"one of {', '.join(SAMPLINGS)}"),
}
"""Arguments of a solve that a run may have, and what is expected."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A change of every instance of a batch, under a name.

    Attributes
    ----------
    name
        Part of the names of its runs.
    changes
        As ``PLACE=VALUE``: places of :mod:`stockpile.overrides`, and ``gap``, ``time_limit``,
        ``cooperation``, ``scenarios``, ``seed`` and ``sampling``.
    overlay
        Folder whose tables are laid over the instance; None for none.
    """

    name: str
    changes: tuple[str, ...] = ()
    overlay: Path | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One solve of a batch.

    Attributes
    ----------
    name
        Name of its folder, unlike all others of the batch.
    instance
        Folder of the instance, or the instance.
    overlay
        Folder whose tables are laid over it; None for none.
    changes
        Changes of the instance, made in this order.
    options
        Arguments of the solve.
    swept
        What is swept in this batch, and the value here.
    """

    name: str
    instance: Path | Instance
    overlay: Path | None
    changes: tuple[str, ...]
    options: Mapping[str, Any]
    swept: Mapping[str, str]


def all_runs(
    instances: Sequence[Path | Instance],
    *,
    overlay: Path | None = None,
    changes: Sequence[str] = (),
    sweep: Mapping[str, Sequence[object]] | None = None,
    variants: Sequence[Variant] = (),
) -> tuple[Run, ...]:
    """Return the runs of a batch in order: instances, then variants, then what is swept.

    Parameters
    ----------
    instances
        Instances, or their folders.
    overlay
        Laid over every instance, before that of a variant.
    changes
        Of every run, before those of a variant.
    sweep
        Places, and the values that each takes in turn.
    variants
        None: the instances as they are.

    Raises
    ------
    UsageError
        Naming everything that cannot be understood.
    """
    wrong: list[str] = []
    axes = {place: [as_text(value) for value in values] for place, values in (sweep or {}).items()}
    wrong += [f"{printable(place)}: no values to sweep" for place in axes if not axes[place]]
    if not instances:
        wrong.append("no instance to solve")
    variants = variants or (Variant(""),)
    number = len(instances) * len(variants)
    for values in axes.values():
        number *= len(values)
    if number > MOST_RUNS:
        raise UsageError(f"the batch has {number:,} runs; expected at most {MOST_RUNS:,}")
    combinations = [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())
    ]
    runs = []
    bases = list(zip(instances, _base_names(instances), strict=True))
    for (instance, base), variant, swept in itertools.product(bases, variants, combinations):
        written = (*changes, *variant.changes, *(f"{k}={v}" for k, v in swept.items()))
        options, places, refused = _divided(written)
        wrong += refused
        if overlay is not None and variant.overlay is not None:
            wrong.append(f"variant {variant.name}: there is an overlay for all runs already")
        name = _name([base, variant.name, *(f"{k}={v}" for k, v in swept.items())])
        over = variant.overlay or overlay
        if over is not None and not isinstance(instance, Path):
            wrong.append("an overlay needs an instance folder to be laid over")
        runs.append(Run(name, instance, over, places, options, swept))
    names = [run.name.casefold() for run in runs]  # Some systems do not tell the cases apart.
    twice = sorted({name for name in names if names.count(name) > 1}) if runs else []
    wrong += [
        f"two runs would be called {name}; give variants names of their own" for name in twice
    ]
    if wrong:
        raise UsageError("\n".join(dict.fromkeys(wrong)))
    return tuple(runs)


def as_text(value: object) -> str:
    """Write a value as a table would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ";".join(as_text(item) for item in value)
    return str(value)


def _base_names(instances: Sequence[Path | Instance]) -> list[str]:
    """Return by which name the runs of each instance begin; the second of one name gets a 2."""
    names: list[str] = []
    for instance in instances:
        name = getattr(instance, "name", "") or "instance"
        if isinstance(instance, Path):
            name = instance.resolve().name
        same = sum(other == name or other.startswith(f"{name}+") for other in names)
        names.append(f"{name}+{same + 1}" if same else name)
    return names


def _divided(
    written: Iterable[str],
) -> tuple[dict[str, Any], tuple[str, ...], list[str]]:
    """Divide changes into arguments of the solve, places of the instance, and what is wrong."""
    options: dict[str, Any] = {}
    places: list[str] = []
    wrong = []
    for text in written:
        place, value = split_place(text) or ("", "")
        if place in _OPTIONS:
            kind, expected = _OPTIONS[place]
            try:
                options[place] = kind(value)
                if place in _CHOICES and value not in _CHOICES[place]:
                    raise ValueError
            except ValueError:
                hint = suggestion(value, _CHOICES[place], "words") if place in _CHOICES else ""
                wrong.append(
                    f"{place} is {printable(value)!r}; expected {expected}. {hint}".rstrip()
                )
            continue
        try:
            places.append(parse_override(text).text)
        except UsageError as error:
            wrong.append(str(error))
    return options, tuple(places), wrong


_CHOICES = {"cooperation": COOPERATIONS, "sampling": SAMPLINGS}


def _name(parts: Sequence[str]) -> str:
    """Return a name for a folder, readable and never the same for other parts."""
    full = "--".join(part for part in parts if part)
    # Of a place only its column, and of the rest only what every system takes in a name.
    short = "--".join(re.sub(r"^\w+(\[.*?\])?\.(?=\w+=)", "", part) for part in parts if part)
    plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", short).strip("-.")[:LONGEST_NAME] or "run"
    if plain == full:
        return plain
    return f"{plain[: LONGEST_NAME - 7]}-{hashlib.sha256(full.encode()).hexdigest()[:6]}"
