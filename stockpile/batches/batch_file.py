"""``batch.toml``: a batch as a file, so that it can be kept, shared and run again."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stockpile.batches.runs import Variant, as_text
from stockpile.errors import UsageError, printable, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEYS = ("instances", "overlay", "set", "sweep", "variants")
_VARIANT_KEYS = ("name", "overlay", "set")
_SCALARS = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class BatchFile:
    """What a ``batch.toml`` says; folders are meant as seen from the file.

    Attributes
    ----------
    instances, overlay, changes, sweep, variants
        Arguments of :func:`stockpile.batch`.
    """

    instances: tuple[Path, ...]
    overlay: Path | None = None
    changes: tuple[str, ...] = ()
    sweep: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    variants: tuple[Variant, ...] = ()


def read_batch_file(path: Path) -> BatchFile:
    """Read a ``batch.toml``.

    Raises
    ------
    UsageError
        Naming everything in it that is wrong.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    wrong: list[str] = []
    _report_unknown(document, _KEYS, "", wrong)
    instances = document.get("instances")
    if isinstance(instances, str):
        instances = [instances]
    if not _is_list_of(instances, str) or not instances:
        wrong.append('instances is missing or wrong; expected folders: instances = ["us-japan"]')
        instances = []
    changes = _changes(document.get("set", {}), "[set]", wrong)
    sweep: dict[str, tuple[object, ...]] = {}
    given = document.get("sweep", {})
    if not isinstance(given, dict):
        wrong.append("[sweep] is not a section; expected places with lists of values")
        given = {}
    for place, values in _flat(given):
        if not isinstance(values, list) or not values:
            wrong.append(f"[sweep] {printable(place)}: expected a list, such as [0.9, 0.95]")
        else:
            sweep[place] = tuple(values)
    variants = _variants(document.get("variants", []), path, wrong)
    overlay = _folder(document.get("overlay"), path, "overlay", wrong)
    if wrong:
        raise UsageError("\n".join(f"{path}: {text}" for text in wrong))
    return BatchFile(
        instances=tuple(path.parent / item for item in instances),
        overlay=overlay,
        changes=changes,
        sweep=sweep,
        variants=variants,
    )


def _variants(given: object, path: Path, wrong: list[str]) -> tuple[Variant, ...]:
    if not isinstance(given, list) or not _is_list_of(given, dict):
        wrong.append("variants are wrong; expected [[variants]], and its name and set after it")
        return ()
    variants = []
    for number, item in enumerate(given, start=1):
        where = f"variant {number}"
        _report_unknown(item, _VARIANT_KEYS, f"{where}: ", wrong)
        name = item.get("name")
        if not isinstance(name, str) or not name or not name.isprintable():
            wrong.append(f"{where}: name is missing or no text")
            name = ""
        variants.append(
            Variant(
                name,
                _changes(item.get("set", {}), f"{where}: set", wrong),
                _folder(item.get("overlay"), path, f"{where}: overlay", wrong),
            )
        )
    return tuple(variants)


def _changes(given: object, where: str, wrong: list[str]) -> tuple[str, ...]:
    if not isinstance(given, dict):
        wrong.append(f"{where} is wrong; expected places and values")
        return ()
    changes = []
    for place, value in _flat(given):
        if isinstance(value, list) or not isinstance(value, _SCALARS):
            wrong.append(f"{where} {printable(place)}: expected one value; lists are for [sweep]")
        else:
            changes.append(f"{place}={as_text(value)}")
    return tuple(changes)


def _flat(given: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Return places and values; TOML reads ``coverage.level`` as a key in a key."""
    found: list[tuple[str, Any]] = []
    for key, value in given.items():
        place = f"{before}.{key}" if before else key
        found += _flat(value, place) if isinstance(value, dict) else [(place, value)]
    return found


def _folder(given: object, path: Path, where: str, wrong: list[str]) -> Path | None:
    if given is None:
        return None
    if not isinstance(given, str) or not given:
        wrong.append(f"{where} is wrong; expected a folder")
        return None
    return path.parent / given


def _is_list_of(given: object, kind: type) -> bool:
    return isinstance(given, list) and all(isinstance(item, kind) for item in given)


def _report_unknown(
    given: Mapping[str, Any], known: tuple[str, ...], where: str, wrong: list[str]
) -> None:
    wrong += [
        f"{where}there is no key {printable(key)}. {suggestion(key, list(known), 'keys')}"
        for key in given
        if key not in known
    ]
