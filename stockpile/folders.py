"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from stockpile.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST_NAME = 200
"""Bytes of a folder's name; the usual limit is 255, and a temporary sibling needs some."""


def check_target(folder: Path, mark: str = "", replaceable: Collection[str] = ()) -> str | None:
    """Say why a folder cannot be written, or return None if it can.

    Parameters
    ----------
    mark
        Name of the file by which an earlier folder of the same kind is known.
    replaceable
        Names of all files that such a folder may hold. It is replaced; any other folder that is
        not empty is left alone.
    """
    try:
        return _obstacle(folder, mark, replaceable)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"


def _obstacle(folder: Path, mark: str, replaceable: Collection[str]) -> str | None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return f"{folder} exists and is not a folder; name a folder that does not exist yet"
    if Path.cwd().is_relative_to(folder.absolute().resolve()):
        return f"{folder} is where you are; name a folder inside it"
    if folder.is_dir():
        names = sorted(item.name for item in folder.iterdir())
        foreign = names if mark not in names else [n for n in names if n not in replaceable]
        if foreign:
            return (
                f"{folder} is not empty ({', '.join(foreign[:3])}"
                f"{', ...' if len(foreign) > 3 else ''}); name a new or empty folder"
            )
    existing = folder.absolute().parent
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        return f"{existing} is not a folder, so {folder} cannot be made in it"
    with tempfile.TemporaryDirectory(dir=existing, prefix=".stockpile-"):
        pass  # Only a try tells whether it can be written.
    if len(os.fsencode(folder.name)) > LONGEST_NAME:
        return f"the name of {folder} is too long"
    return None


def write_whole(
    folder: Path,
    files: Mapping[str, str | bytes],
    mark: str = "",
    replaceable: Collection[str] = (),
) -> None:
    """Write files, of text (UTF-8) or bytes, into a folder so that it appears whole or not at all.

    The files are written to a temporary sibling, which is then renamed. See :func:`check_target`
    for ``mark`` and ``replaceable``.

    Raises
    ------
    UsageError
        If there is something in the way.
    OSError
        If the folder cannot be written; nothing is left behind then.
    """
    reason = check_target(folder, mark, replaceable)
    if reason is not None:
        raise UsageError(reason)
    folder = folder.absolute()
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name[:80]}-") as near:
            new, old = Path(near) / "new", Path(near) / "old"
            new.mkdir()
            for name, data in files.items():
                (new / name).write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
            _swap(new, folder, old)
    except BaseException:
        for parent in made:  # The innermost first.
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def write_file(file: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all; what was there is replaced.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left behind then.
    """
    near = file.with_name(f".stockpile-{file.name[:80]}")
    try:
        near.write_bytes(data)
        near.replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            near.unlink()
        raise


def _swap(new: Path, folder: Path, old: Path) -> None:
    """Put ``new`` where ``folder`` is or should be; what was there goes to ``old``."""
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
