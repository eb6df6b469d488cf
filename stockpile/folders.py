"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def check_target(folder: Path, replaceable: Collection[str] = ()) -> str | None:
    """Say why a folder cannot be written, or return None if it can.

    Parameters
    ----------
    replaceable
        Names of files that an earlier folder of the same kind may hold. A folder that holds
        nothing else is replaced; any other that is not empty is left alone.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return f"{folder} exists and is not a folder; name a folder that does not exist yet"
    if folder.is_dir():
        foreign = sorted(item.name for item in folder.iterdir() if item.name not in replaceable)
        if foreign:
            return (
                f"{folder} is not empty ({', '.join(foreign[:3])}"
                f"{', ...' if len(foreign) > 3 else ''}); name a new or empty folder"
            )
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        return f"{existing} is not a folder, so {folder} cannot be made in it"
    return None


def write_whole(folder: Path, files: Mapping[str, str], replaceable: Collection[str] = ()) -> None:
    """Write text files into a folder so that it appears whole or not at all.

    The files are written to a temporary sibling, which is then renamed.

    Raises
    ------
    UsageError
        If there is something in the way.
    OSError
        If the folder cannot be written; nothing is left behind then.
    """
    reason = check_target(folder, replaceable)
    if reason is not None:
        raise UsageError(reason)
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        for name, text in files.items():
            (new / name).write_bytes(text.encode("utf-8"))
        if folder.exists():
            old = Path(scratch) / "old"
            folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                old.rename(folder)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            new.rename(folder)
