"""The extensive form in linopy, solved by HiGHS."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import linopy
import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from foresight_peers.monthly import Months


def solve(model: Months) -> tuple[float, float]:
    """Return the optimum, and the moment at which the model stood."""
    data, C = model.data, model.data.lower.size
    m = linopy.Model()
    owners = pd.RangeIndex(C, name="owner")
    places = pd.RangeIndex(model.need_of.size, name="r")
    needs = pd.RangeIndex(model.need.size, name="need")
    hold = m.add_variables(
        lower=xr.DataArray(data.lower, coords=[owners]),
        upper=xr.DataArray(data.upper, coords=[owners]),
        name="hold",
    )
    release = m.add_variables(lower=0.0, coords=[places], name="release")
    unserved = m.add_variables(lower=0.0, coords=[needs], name="unserved")
    by_need = xr.DataArray(model.need_of, coords=[places], name="need")
    by_stock = xr.DataArray(model.stock_of, coords=[places], name="stock")
    served = (1.0 * release).groupby(by_need).sum()
    m.add_constraints(served + unserved == xr.DataArray(model.need, coords=[needs]), name="needs")
    used = np.unique(model.stock_of)
    held = hold.sel(owner=xr.DataArray(used % C, coords=[pd.Index(used, name="stock")]))
    m.add_constraints((1.0 * release).groupby(by_stock).sum() - held <= 0.0, name="stocks")
    for n, least in enumerate(data.pooled):
        of_pool = xr.DataArray(data.pool[n].astype(np.float64), coords=[owners])
        m.add_constraints((of_pool * hold).sum() >= least, name=f"pool{n}")
    m.add_objective(
        (xr.DataArray(data.holding_cost, coords=[owners]) * hold).sum()
        + (xr.DataArray(model.expected_release_cost, coords=[places]) * release).sum()
        + (xr.DataArray(model.expected_need_cost, coords=[needs]) * unserved).sum()
    )
    built = time.perf_counter()
    m.solve("highs", io_api="direct", output_flag=False, threads=1)
    return float(m.objective.value), built
