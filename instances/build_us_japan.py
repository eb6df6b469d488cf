"""Write `us-japan`, `us-japan-one-form` and `rare-earths` from `instances/sources/us-japan`.

    python instances/build_us_japan.py           write the three folders
    python instances/build_us_japan.py --check   exit status 1 if they are out of date
    python instances/build_us_japan.py --out DIR write them below another folder

The result is the same on every run. docs/data.md describes the methods.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

INSTANCES = Path(__file__).resolve().parent
sys.path.insert(0, str(INSTANCES))

from builder.folders import FOLDERS, build  # noqa: E402
from builder.sources import read_sources  # noqa: E402


def outdated(files: dict[str, str]) -> list[str]:
    """Paths below `instances` that differ from what would be written."""
    found = {
        path.relative_to(INSTANCES).as_posix()
        for folder in FOLDERS
        for path in (INSTANCES / folder).glob("*")
    }
    changed = [
        path
        for path, text in files.items()
        if path not in found or (INSTANCES / path).read_bytes() != text.encode()
    ]
    return sorted([*changed, *(found - files.keys())])


def write(files: dict[str, str], out: Path) -> None:
    """Write every file below a folder; other files there are left alone."""
    for path, text in files.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())


def main() -> int:
    """Write the folders, or say whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, report differences")
    parser.add_argument("--out", type=Path, default=INSTANCES, help="where to write the folders")
    arguments = parser.parse_args()
    files = build(read_sources(INSTANCES / "sources" / "us-japan"))
    if not arguments.check:
        write(files, arguments.out)
        return 0
    different = outdated(files)
    for path in different:
        print(f"instances/{path} is out of date: run python instances/build_us_japan.py")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
