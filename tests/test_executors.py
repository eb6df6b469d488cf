"""Work done elsewhere: the same results, whatever happens to the workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

import stockpile as sp
from stockpile import executors
from stockpile.cluster import require_same_versions
from stockpile.errors import CheckError, UsageError, WorkerWarning
from stockpile.executors import Shared, Tasks, tasks_on
from stockpile.versions import versions


@pytest.fixture(scope="module")
def apart():
    """Four materials that nothing joins."""
    return sp.generate(materials=4, scenarios=120, months=24)


@pytest.fixture(scope="module")
def joined():
    """Three materials that limits join."""
    return sp.generate(materials=3, scenarios=100, months=24, couplings=True)


@pytest.fixture
def everything_is_sent(monkeypatch):
    """Small simulations are sent to workers as well."""
    monkeypatch.setattr("stockpile.evaluator.WORTH_SENDING", 0)


def same(plan: sp.Plan, other: sp.Plan) -> bool:
    """Say whether two plans are the same bytes but for the seconds."""
    return replace(plan, seconds=0.0).to_json() == replace(other, seconds=0.0).to_json()


# Functions of tasks have to be importable where the tasks run.


def times(factor: int, number: int) -> int:
    return factor * number


def fail(_data: object, number: int) -> int:
    raise CheckError(f"task {number}")


def wait_until_stopped(_data: object, number: int) -> int:
    while not executors.stop_wanted():
        time.sleep(0.01)
    return number


def die_once(folder: str, number: int) -> int:
    """End the process the first time that the task is tried."""
    path = os.path.join(folder, str(number))
    if number % 3 == 0 and not os.path.exists(path):
        with open(path, "w"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return number


class Forgetful(Executor):
    """Loses every second task; breaks for good after some."""

    def __init__(self, breaks_after: int | None = None) -> None:
        self._left = breaks_after
        self._count = 0

    def submit(self, function, /, *arguments, **options):
        future: Future = Future()
        self._count += 1
        if self._left is not None and self._count > self._left:
            future.set_exception(BrokenExecutor("gone"))
        elif self._count % 2:
            future.set_exception(OSError("connection lost"))
        else:
            future.set_result(function(*arguments, **options))
        return future


def test_results_come_in_the_order_of_the_arguments():
    with ThreadPoolExecutor(3) as pool, tasks_on(pool) as tasks:
        arguments = [(number,) for number in range(50)]
        assert tasks.run(times, Shared(lambda: 7), arguments) == [
            7 * number for number in range(50)
        ]
        assert tasks.run(times, Shared(lambda: 2), []) == []


def test_data_are_sent_once_and_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(executors, "_kept", type(executors._kept)())
    monkeypatch.setattr(executors, "MOST_KEPT_BYTES", 2000)
    first, second = Shared(lambda: b"x" * 1500), Shared(lambda: b"y" * 1500)
    with ThreadPoolExecutor(1) as pool, tasks_on(pool) as tasks:
        for shared in (first, second):
            assert tasks.run(lambda data: data[:1], shared, [()]) == [shared.make()[:1]]
        assert list(executors._kept) == [second.key]
        assert tasks.run(lambda data: data[:1], first, [()]) == [b"x"]


def test_what_a_function_raises_is_raised():
    with ThreadPoolExecutor(2) as pool, tasks_on(pool) as tasks:  # noqa: SIM117
        with pytest.raises(CheckError, match="task 1"):
            tasks.run(fail, Shared(lambda: None), [(1,)])


@pytest.mark.parametrize("breaks_after", [None, 0, 5])
def test_lost_tasks_are_done_again(breaks_after):
    said = pytest.warns(WorkerWarning, match="was lost|has broken")
    with tasks_on(Forgetful(breaks_after)) as tasks, said:
        arguments = [(number,) for number in range(9)]
        assert tasks.run(times, Shared(lambda: 3), arguments) == [3 * number for number in range(9)]


def test_local_processes_that_die_are_replaced(tmp_path):
    arguments = [(number,) for number in range(5)]
    said = pytest.warns(WorkerWarning, match="lost")
    with tasks_on(2) as tasks, said:
        assert tasks.run(die_once, Shared(lambda: str(tmp_path)), arguments) == list(range(5))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "3"]


def test_running_tasks_are_asked_to_stop():
    """Those that run end when asked to; the others are not begun."""
    began = threading.Event()
    with tasks_on(2) as tasks:
        threading.Timer(1.0, began.set).start()
        results = tasks.run(
            wait_until_stopped, Shared(lambda: None), [(n,) for n in range(20)], stop=began.is_set
        )
    assert results[-1] is None
    assert all(result in (None, number) for number, result in enumerate(results))


def test_blocks_searched_elsewhere_make_the_same_plan(apart):
    here = sp.solve(apart, gap=0.01, progress=False)
    told = []
    with ThreadPoolExecutor(2) as pool:
        there = sp.solve(apart, gap=0.01, executor=pool, progress=told.append)
    assert same(here, there)
    assert {progress.block for progress in told} >= set(apart.materials[0].material.split())


def test_candidates_simulated_elsewhere_make_the_same_plan(joined, everything_is_sent):
    here = sp.solve(joined, gap=0.05, progress=False)
    with ThreadPoolExecutor(2) as pool:
        there = sp.solve(joined, gap=0.05, executor=pool, progress=False)
    assert same(here, there)


def test_a_time_limit_holds_elsewhere(apart, everything_is_sent):
    with ThreadPoolExecutor(2) as pool:
        plan = sp.solve(apart, gap=0.0, executor=pool, time_limit=5.0, progress=False)
    assert plan.found
    assert plan.bound_usd <= plan.annual_cost_usd


def test_what_is_infeasible_here_is_infeasible_elsewhere(apart):
    """Blocks behind an infeasible one are only begun, wherever they are searched."""
    row = next(row for row in apart.coverage if row.metric == "days")
    none = tuple(
        replace(held, max_t=0.0) if held.material == apart.materials[1].material else held
        for held in apart.holdings
    )
    instance = replace(apart, coverage=(*apart.coverage, replace(row, level=1e6)), holdings=none)
    here = sp.solve(instance, progress=False)
    with ThreadPoolExecutor(2) as pool:
        there = sp.solve(instance, executor=pool, progress=False)
    assert here.status is sp.Status.INFEASIBLE
    assert same(here, there)


def test_comparisons_and_frontiers_elsewhere_are_the_same(apart):
    small = replace(apart, scenario_settings=replace(apart.scenario_settings, count=50))
    here = sp.compare(small, gap=0.05, progress=False, price_floors=False)
    curve = sp.frontier(small, "coverage", points=2, gap=0.05, progress=False)
    with ThreadPoolExecutor(2) as pool:
        there = sp.compare(small, gap=0.05, executor=pool, progress=False, price_floors=False)
        again = sp.frontier(small, "coverage", points=2, gap=0.05, executor=pool, progress=False)
    assert here.savings.equals(there.savings)
    for point, other in zip(curve.points, again.points, strict=True):
        assert same(point.plan, other.plan)


@pytest.mark.parametrize("sampling", ["plain", "stratified"])
def test_plans_judged_elsewhere_are_judged_the_same(joined, sampling):
    plan = sp.solve(joined, gap=0.1, progress=False)
    asked = {"scenarios": 500, "sampling": sampling, "progress": False}
    here = sp.evaluate(joined, plan, **asked)
    with ThreadPoolExecutor(2) as pool:
        there = sp.evaluate(joined, plan, executor=pool, **asked)
    assert here.annual_cost_usd == there.annual_cost_usd
    assert (here.low_usd, here.high_usd) == (there.low_usd, there.high_usd)
    assert here.coverage.equals(there.coverage)
    assert here.limits.equals(there.limits)


@pytest.mark.parametrize("executor", [0, -1])
def test_processes_below_one_are_refused(apart, executor):
    with pytest.raises(UsageError, match="at least 1 local process"):
        sp.solve(apart, executor=executor)


def test_an_executor_is_not_shut_down():
    with ThreadPoolExecutor(1) as pool:
        with tasks_on(pool) as tasks:
            assert isinstance(tasks, Tasks)
        assert pool.submit(int, "3").result() == 3


# --- Dask -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


@pytest.mark.filterwarnings("ignore")  # Dask's own, of workers that die.
def test_a_worker_of_a_cluster_that_dies_loses_nothing(apart, cluster):
    here = sp.solve(apart, gap=0.0, progress=False)
    killed = []

    def kill_one(progress):
        if progress.total and 0 < progress.done < progress.total and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    there = sp.solve(apart, gap=0.0, executor=cluster.scheduler_address, progress=kill_one)
    assert killed
    assert same(here, there)


def test_a_scheduler_that_does_not_answer_is_said(apart, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("stockpile.cluster.CONNECT_SECONDS", 1)
    for address in ("tcp://127.0.0.1:1", "nonsense:address"):
        with pytest.raises(UsageError, match=f"no Dask scheduler answers at '{address}'"):
            sp.solve(apart, executor=address)


def test_workers_of_other_versions_are_refused():
    here = versions()
    require_same_versions({"tcp://a:1": here})
    found = {
        "tcp://a:1": here,
        "tcp://b:2": {**here, "numpy": "0.1"},
        "tcp://c:3": ModuleNotFoundError("No module named 'stockpile'"),
    }
    with pytest.raises(UsageError) as caught:
        require_same_versions(found)
    text = str(caught.value)
    assert f"tcp://b:2 has numpy 0.1, this process {here['numpy']}" in text
    assert "tcp://c:3 cannot import stockpile: No module named 'stockpile'" in text
    assert "tcp://a:1" not in text
