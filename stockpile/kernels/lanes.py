"""Several numbers side by side, as a type of the compiled code: what a vector register holds.

Left to itself the compiler asks before every innermost loop whether its tables overlap, and runs
loops over a few candidates one by one. Here each operation works on :data:`VECTOR` numbers at
once, on any processor, and gives the same bits as on each of them alone.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    make_attribute_wrapper,
    models,
    register_model,
)

from stockpile.kernels.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

_intrinsic: Any = intrinsic
"""Turns a function that says types and code into one that compiled code calls; untyped itself."""
VECTOR = 8
"""Numbers side by side."""
_NUMBERS = ir.VectorType(ir.DoubleType(), VECTOR)
_BYTES = 8
"""To which numbers in tables are aligned, at least."""


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"Lanes{VECTOR}")


_LANES = _LanesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _NUMBERS)


class _RowsType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Rows")


_ROWS = _RowsType()


@register_model(_RowsType)
class _RowsModel(models.StructModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        members = [("data", types.CPointer(types.float64)), ("width", types.intp)]
        super().__init__(manager, fe_type, members)


make_attribute_wrapper(_RowsType, "width", "width")


@compiled
def empty_table(height, width):
    """Return a table whose lanes do not lie across the lines of the cache."""
    room = np.empty(height * width + VECTOR)
    begin = -(room.ctypes.data // _BYTES) % VECTOR
    return room[begin : begin + height * width].reshape((height, width))


@_intrinsic
def rows(typing_context, table):
    """Return where the rows of a table (., width) are.

    Arrays that are handed on inside a loop are counted each time, which takes longer than the
    work on a few numbers. Rows are not, so whoever takes them must keep the table.
    """

    def code(context, builder, sig, args):
        array = context.make_array(sig.args[0])(context, builder, args[0])
        made = cgutils.create_struct_proxy(_ROWS)(context, builder)
        made.data = array.data
        made.width = builder.extract_value(array.shape, 1)
        return made._getvalue()

    return _ROWS(table), code


def _provide(operation: Callable[..., Any], instruction: str) -> None:
    """Let an arithmetic operation work on lanes."""
    cases = [signature(_LANES, _LANES, _LANES)]
    infer_global(operation)(type("Operation", (ConcreteTemplate,), {"cases": cases}))

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)

    lower_builtin(operation, _LANES, _LANES)(code)


_provide(operator.add, "fadd")
_provide(operator.sub, "fsub")
_provide(operator.mul, "fmul")


def _place(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Return the address of lanes in row args[1] of rows args[0], from column args[2] on."""
    table = cgutils.create_struct_proxy(_ROWS)(context, builder, value=args[0])
    row, column = (
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(args[1:3], sig.args[1:3], strict=True)
    )
    number = builder.add(builder.mul(row, table.width), column)
    return builder.bitcast(builder.gep(table.data, [number]), _NUMBERS.as_pointer())


@_intrinsic
def load(typing_context, table, row, column):
    """Return the numbers of a row of a table from a column on."""

    def code(context, builder, sig, args):
        return builder.load(_place(context, builder, sig, args), align=_BYTES)

    return _LANES(_ROWS, row, column), code


@_intrinsic
def store(typing_context, table, row, column, lanes):
    """Write numbers into a row of a table from a column on."""

    def code(context, builder, sig, args):
        builder.store(args[3], _place(context, builder, sig, args), align=_BYTES)
        return context.get_dummy_value()

    return types.void(_ROWS, row, column, _LANES), code


@_intrinsic
def fill(typing_context, value):
    """Return a number as often as there are lanes."""

    def code(context, builder, sig, args):
        one = builder.insert_element(
            ir.Constant(_NUMBERS, ir.Undefined), args[0], ir.IntType(32)(0)
        )
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
        return builder.shuffle_vector(one, ir.Constant(_NUMBERS, ir.Undefined), everywhere)

    return _LANES(types.float64), code


def _choose(relation, builder, a, b, yes, no):
    return builder.select(builder.fcmp_ordered(relation, a, b), yes, no)


@_intrinsic
def least(typing_context, a, b):
    """Return ``a if a < b else b`` of each lane."""

    def code(context, builder, sig, args):
        return _choose("<", builder, *args, *args)

    return _LANES(_LANES, _LANES), code


@_intrinsic
def greatest(typing_context, a, b):
    """Return ``a if a > b else b`` of each lane."""

    def code(context, builder, sig, args):
        return _choose(">", builder, *args, *args)

    return _LANES(_LANES, _LANES), code


@_intrinsic
def where_at_most(typing_context, a, b, value):
    """Return ``value if a <= b else 0.0`` of each lane."""

    def code(context, builder, sig, args):
        a, b, value = args
        return _choose("<=", builder, a, b, value, ir.Constant(_NUMBERS, [0.0] * VECTOR))

    return _LANES(_LANES, _LANES, _LANES), code


@_intrinsic
def any_above_zero(typing_context, a):
    """Say whether any lane is above zero."""

    def code(context, builder, sig, args):
        above = builder.fcmp_ordered(">", args[0], ir.Constant(_NUMBERS, [0.0] * VECTOR))
        bits = builder.bitcast(above, ir.IntType(VECTOR))
        return builder.icmp_unsigned("!=", bits, ir.IntType(VECTOR)(0))

    return types.boolean(_LANES), code
