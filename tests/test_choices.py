"""Rows of whole numbers told apart by one number each."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockpile.choices import numbered

ROWS = st.tuples(st.integers(0, 12), st.integers(1, 4))


@given(st.data(), st.sampled_from([3, 1000, 2**40]))
def test_rows_have_the_same_number_exactly_where_they_are_the_same(data, most):
    """Also where the numbers of all kinds of rows would not fit into one whole number."""
    shape = data.draw(ROWS)
    rows = data.draw(arrays(np.int64, shape, elements=st.integers(0, most)))
    number = numbered(rows)
    assert number.shape == (len(rows),)
    by_number = sorted(zip(number.tolist(), rows.tolist(), strict=True))
    assert [row for _, row in by_number] == sorted(rows.tolist())
    for i, row in enumerate(rows.tolist()):
        same = [row == other for other in rows.tolist()]
        assert (number == number[i]).tolist() == same
