"""What is known of a run that has ended: ``run.json``, which lies beside its result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stockpile.errors import ResultError
from stockpile.plan import FILES as PLAN_FILES
from stockpile.records import json_text, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMAT = 1
RECORD = "run.json"
FILES = (RECORD, *PLAN_FILES)
"""Files of the folder of a run."""
FAILED = "failed"
"""Status of a run without a result, besides those of plans."""
_KEYS: dict[str, tuple[type, ...]] = {
    "run": (str,),
    "key": (str,),
    "instance": (dict,),
    "changes": (list,),
    "options": (dict,),
    "status": (str,),
    "error": (str, type(None)),
    "seed": (int, type(None)),
    "seconds": (int, float),
    "versions": (dict,),
    "summary": (dict,),
    "files": (dict,),
}


@dataclass(frozen=True, slots=True)
class Record:
    """How a run has ended.

    Attributes
    ----------
    run
        Its name.
    key
        Hash of what was asked for: the instance with its changes, and the options.
    instance_name, instance_hash
        Of the instance with its changes; empty where it could not be read.
    changes, options
        Of the run.
    status
        How the solve ended, or ``failed``.
    error
        Why it failed; None otherwise.
    seed
        Of the scenarios; None where the instance gives them, or nothing was solved.
    seconds
        Of the solve.
    versions
        Of Python and of the packages that the numbers depend on.
    summary
        Its row of the summary.
    files
        SHA-256 of every file of the result.
    """

    run: str
    key: str
    instance_name: str
    instance_hash: str
    changes: tuple[str, ...]
    options: Mapping[str, Any]
    status: str
    error: str | None
    seed: int | None
    seconds: float
    versions: Mapping[str, str]
    summary: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Return whether the run has no result."""
        return self.status == FAILED

    def to_json(self) -> str:
        """Return the text of ``run.json``."""
        return json_text(
            {
                "format": FORMAT,
                "run": self.run,
                "key": self.key,
                "instance": {"name": self.instance_name, "hash": self.instance_hash},
                "changes": list(self.changes),
                "options": dict(self.options),
                "status": self.status,
                "error": self.error,
                "seed": self.seed,
                "seconds": round(self.seconds, 3),
                "versions": dict(self.versions),
                "summary": dict(self.summary),
                "files": dict(self.files),
            }
        )


def key_of(instance_hash: str, options: Mapping[str, Any]) -> str:
    """Return the hash of what a run is asked for."""
    content = json.dumps([instance_hash, dict(options)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def hashes_of(files: Mapping[str, str]) -> dict[str, str]:
    """Return the SHA-256 of every file."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}


def read_record(folder: Path) -> Record | None:
    """Read how a run has ended; None where it has not.

    Raises
    ------
    ResultError
        If the record, or a file of the result, is not as it was written.
    """
    path = folder / RECORD
    if not path.exists():
        return None
    data = read_json(path)
    if data.get("format") != FORMAT:
        raise ResultError(f"{path} is damaged, or of another version of stockpile")
    wrong = [
        key
        for key, kinds in _KEYS.items()
        if not isinstance(data.get(key), kinds) or isinstance(data.get(key), bool)
    ]
    if wrong or not {"name", "hash"} <= set(data["instance"]):
        raise ResultError(
            f"{path} is damaged: {', '.join(wrong or ['instance'])} is not as expected"
        )
    for name, expected in data["files"].items():
        file = folder / name
        if name not in PLAN_FILES:
            raise ResultError(f"{path} is damaged: {name!r} is no file of a result")
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != expected:
            raise ResultError(f"{file} is not as it was written")
    return Record(
        run=data["run"],
        key=data["key"],
        instance_name=data["instance"]["name"],
        instance_hash=data["instance"]["hash"],
        changes=tuple(data["changes"]),
        options=data["options"],
        status=data["status"],
        error=data["error"],
        seed=data["seed"],
        seconds=float(data["seconds"]),
        versions=data["versions"],
        summary=data["summary"],
        files=data["files"],
    )
