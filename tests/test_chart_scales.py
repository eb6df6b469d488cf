"""Scales of charts and numbers in pictures, where values lie far apart."""

import pytest

from stockpile.number_text import number_text
from stockpile.reports.charts import dumbbells

ROWS = [
    {"label": "metal", "series": "us", "before": 0.0, "after": 2648.0},
    {"label": "oxide", "series": "us", "before": 12.0, "after": 53.0},
]


def test_a_logarithmic_scale_has_ticks_up_to_the_largest_value_and_none_beyond():
    forms = dumbbells(ROWS, axis="days", order=["metal", "oxide"], logarithmic=True)
    for spec in (forms.wide, forms.narrow):
        for layer in spec["layer"]:
            x = layer["encoding"]["x"]
            assert x["scale"]["type"] == "symlog"
            assert x["axis"]["values"] == [0, 10, 30, 100, 300, 1000]


def test_other_charts_keep_their_linear_scale():
    forms = dumbbells(ROWS, axis="days", order=["metal", "oxide"])
    assert all("scale" not in layer["encoding"]["x"] for layer in forms.wide["layer"])


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [(110.3, 2, "110"), (12345.0, 3, "12,345"), (0.126, 2, "0.13"), (2_500_000.0, 2, "2,500,000")],
)
def test_amounts_in_pictures_are_never_powers_of_ten(amount, digits, text):
    assert number_text(amount, digits) == text
