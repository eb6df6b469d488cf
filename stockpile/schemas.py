"""JSON Schemas of ``plan.json`` and of the tables of an instance.

Those of tables follow from the declarations of their columns (`stockpile.tables`): a table is a
list of rows, a row an object, a list cell a list. What a schema cannot say, such as that a name
stands in another table, is said in its descriptions and left to `stockpile.validate`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from stockpile.cells import (
    ALL,
    LONGEST_TEXT,
    Choice,
    Flag,
    KeyOf,
    Name,
    NameList,
    Number,
    NumberList,
    Text,
    Whole,
)
from stockpile.errors import UsageError, suggestion
from stockpile.plan import FORMAT, SUMMARY, Status
from stockpile.plan import TABLES as RESULT_TABLES
from stockpile.tables import COOPERATIONS, SAMPLINGS, TABLES, columns

if TYPE_CHECKING:
    from stockpile.cells import Cell
    from stockpile.instance import Instance
    from stockpile.tables import Column

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLAN = "plan"
NAMES = (PLAN, *TABLES)
"""What there are schemas of."""

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_CONTROL_BUT_LINES = r"\u0000-\u0008\u000b-\u001f\u007f-\u009f"
_INVISIBLE = (  # Of what Python does not print: unusual blanks, marks of direction, private use.
    r"\u00a0\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u3000\ue000-\uf8ff\ufeff\ufff9-\ufffb"
)
_PLAIN = {"pattern": rf"^[^{_CONTROL}{_INVISIBLE}]*$"}
_NO_BLANK_ENDS = {"not": {"pattern": r"^\s|\s$"}}
_JSON_TYPES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``plan`` or of a table of an instance.

    Parameters
    ----------
    name
        ``plan``, or the name of a table, such as ``materials``.

    Raises
    ------
    UsageError
        If there is no schema of that name.
    """
    if name == PLAN:
        return _plan_schema()
    if name not in TABLES:
        raise UsageError(f"there is no schema of {name}. {suggestion(name, NAMES, 'schemas')}")
    return _table_schema(name)


def table_objects(instance: Instance, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table as plain objects, as its schema describes them.

    Cells without a value are left out.
    """
    declared = columns(TABLES[table])
    return [
        {
            column.name: list(value) if isinstance(value, tuple) else value
            for column in declared
            if (value := getattr(row, column.attribute)) is not None
        }
        for row in getattr(instance, table)
    ]


# --- Tables ---------------------------------------------------------------------------------------


def _table_schema(table: str) -> dict[str, Any]:
    row_type = TABLES[table]
    described = _attributes(row_type)
    return {
        "$schema": DIALECT,
        "title": f"{table}.csv",
        "description": _first_line(row_type),
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                column.name: _column_schema(column, described.get(column.attribute, ""))
                for column in columns(row_type)
            },
            "required": [column.name for column in columns(row_type) if column.required],
            "additionalProperties": False,
        },
    }


def _column_schema(column: Column, described: str) -> dict[str, Any]:
    """Say what a cell may be; one that may be empty may also be null."""
    text = f"{described} Expected: {column.cell.expected}.".strip()
    cell = _cell_schema(column.cell)
    if column.required:
        least = {"minLength": 1} if isinstance(column.cell, Text) else {}
        return {"description": text, **cell, **least}
    default = list(column.default) if isinstance(column.default, tuple) else column.default
    return {"description": text, "default": default, "anyOf": [cell, {"type": "null"}]}


def _cell_schema(cell: Cell) -> dict[str, Any]:
    match cell:
        case Text():
            return {
                "type": "string",
                "maxLength": LONGEST_TEXT,
                "pattern": f"^[^{_CONTROL_BUT_LINES}]*$",
                **_NO_BLANK_ENDS,
            }
        case Name():
            return {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_TEXT,
                "pattern": rf"^[^=+\-@;*{_CONTROL}{_INVISIBLE}][^;*{_CONTROL}{_INVISIBLE}]*$",
                **_NO_BLANK_ENDS,
            }
        case KeyOf():
            return {"type": "string", "minLength": 1, "pattern": "^[^;]+$", "not": {"const": ALL}}
        case NameList():
            return _list_schema(cell)
        case Choice():
            return {"enum": list(cell.options)}
        case Flag():
            return {"type": "boolean"}
        case NumberList():
            return {"type": "array", "minItems": 1, "items": _cell_schema(cell.number)}
        case Number():
            return _number_schema(cell)
    raise AssertionError(cell)


def _list_schema(cell: NameList) -> dict[str, Any]:
    item: dict[str, Any] = (
        {"type": "string", "minLength": 1, "pattern": "^[^;]*$", **_NO_BLANK_ENDS}
        if cell.table
        else {"enum": list(cell.options)}
    )
    named = {
        "type": "array",
        "items": {"allOf": [item, {"not": {"const": ALL}}]},
        "uniqueItems": True,
        "minItems": 1 if cell.star else 0,
    }
    return {"anyOf": [{"const": [ALL]}, named]} if cell.star else named


def _number_schema(number: Number) -> dict[str, Any]:
    ends = {
        "minimum": number.at_least,
        "exclusiveMinimum": number.above,
        "maximum": number.at_most,
        "exclusiveMaximum": number.below,
    }
    found: dict[str, Any] = {key: end for key, end in ends.items() if end is not None}
    if not isinstance(number, Whole):
        return {"type": "number", **found}
    found = {key: int(end) if end == int(end) else end for key, end in found.items()}
    return {"type": "integer", "minimum": 1 - 2**63, "maximum": 2**63 - 1, **found}


def _first_line(declared: type) -> str:
    lines = (declared.__doc__ or "").strip().splitlines()
    return lines[0].replace("``", "") if lines else ""


def _attributes(declared: type) -> dict[str, str]:
    """Return what the docstrings of a row type, and of those before it, say of each attribute."""
    found: dict[str, str] = {}
    for base in declared.__mro__:
        for name, text in _documented(base.__doc__ or "").items():
            elsewhere = re.fullmatch(r"As in `(\w+)`\.", text)
            if elsewhere:
                kind = next(kind for kind in TABLES.values() if kind.__name__ == elsewhere[1])
                found.setdefault(name, _attributes(kind)[name])
            found.setdefault(name, text)
    return found


def _documented(docstring: str) -> dict[str, str]:
    """Read the section of attributes of a docstring in the style of numpydoc."""
    _, _, section = docstring.partition("Attributes\n    ----------\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if re.match(r"    \S", line):
            names = [name.strip() for name in line.split(",")]
            found |= dict.fromkeys(names, "")
        else:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: text.replace("``", "") for name, text in found.items()}


# --- plan.json ------------------------------------------------------------------------------------


def _plan_schema() -> dict[str, Any]:
    """Say what ``plan.json`` holds; ``stockpile solve --json`` adds the tables to it."""
    from stockpile.plan import Plan

    described = _attributes(Plan)
    words: dict[str, dict[str, Any]] = {
        "status": {"enum": [str(status) for status in Status]},
        "cooperation": {"enum": list(COOPERATIONS)},
        "sampling": {"enum": [*SAMPLINGS, None]},
        "versions": {"additionalProperties": {"type": "string", **_PLAIN}},
        "conflicts": {"items": {"type": "string", **_PLAIN}},
    }
    properties: dict[str, Any] = {
        "format": {"description": "Version of the result format.", "const": FORMAT},
        "instance": {
            "description": "Name and content hash of the instance that was solved.",
            "type": "object",
            "properties": {key: {"type": "string", **_PLAIN} for key in ("name", "hash")},
            "required": ["name", "hash"],
        },
    }
    for key, kinds in SUMMARY.items():
        types = {_JSON_TYPES[kind]: None for kind in kinds}  # In order, each once.
        if "number" in types:
            types.pop("integer", None)
        of_key: dict[str, Any] = {"type": list(types) if len(types) > 1 else next(iter(types))}
        properties[key] = {"description": described.get(key, ""), **of_key, **words.get(key, {})}
    return {
        "$schema": DIALECT,
        "title": "plan.json",
        "description": "The summary of a plan; solve --json prints its tables with it.",
        "type": "object",
        "properties": {
            **properties,
            **{name: _result_schema(name, described.get(name, "")) for name in RESULT_TABLES},
        },
        # Results from before there was a choice have no sampling.
        "required": ["format", "instance", *(key for key in SUMMARY if key != "sampling")],
    }


def _result_schema(table: str, described: str) -> dict[str, Any]:
    """Say what a table of a plan holds; a number that is not there is null."""
    cells = {
        column: {"type": ["number", "null"]} if kind is float else {"type": _JSON_TYPES[kind]}
        for column, kind in RESULT_TABLES[table].items()
    }
    return {
        "description": described,
        "type": "array",
        "items": {
            "type": "object",
            "properties": cells,
            "required": list(cells),
            "additionalProperties": False,
        },
    }
