"""Tasks on any executor: other processes of this machine, or a cluster.

A task is a function, data that many tasks need, and an argument. The data are sent to a worker
that has not got them, and kept there. Functions are pure and results come back in the order of the
arguments, so where and when tasks run changes nothing. A worker that dies loses nothing but time:
what it was doing is done again, in the end in this process.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import uuid
import warnings
from collections import OrderedDict
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from stockpile.errors import WorkerWarning
from stockpile.interrupt import stop_when
from stockpile.parallel import available_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from multiprocessing.synchronize import Event

Data = TypeVar("Data")
Result = TypeVar("Result")

MOST_TRIES = 3
"""Times that a task is given to workers; after that it is done in this process."""
MOST_KEPT_BYTES = 2**30
"""What a worker keeps of data sent to it; the last that came is kept in any case."""
WAITING = 2
"""Tasks handed over for each worker: one that runs, and one that is ready."""
LOOK_SECONDS = 0.2
"""How often it is looked whether the user has asked to stop."""


@dataclass(frozen=True, slots=True)
class Shared(Generic[Data]):
    """Data that many tasks need.

    Attributes
    ----------
    make
        Returns the data, always the same; it is called whenever a worker has not got them.
    key
        Their name at the workers; no two are the same.
    """

    make: Callable[[], Data]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)


class Tasks:
    """Runs tasks on an executor.

    Parameters
    ----------
    start
        Returns an executor: at the beginning, and again where workers have died and the executor
        with them.
    size
        Number of workers, as far as is known.
    stop
        Raised to ask tasks that look at :func:`stop_wanted` to end; None where none can be asked.
    owned
        Whether to shut the executor down in the end.
    """

    def __init__(
        self, start: Callable[[], Executor], size: int, *, stop: Event | None, owned: bool
    ) -> None:
        self.size = size
        self._start = start
        self._stop = stop
        self._owned = owned
        self._executor: Executor | None = start()

    def close(self) -> None:
        """Let go of the executor; nothing can be run any more."""
        if self._owned and self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._executor = None

    def run(
        self,
        function: Callable[..., Result],
        shared: Shared[Data],
        arguments: Sequence[tuple[Any, ...]],
        *,
        stop: Callable[[], bool] = lambda: False,
        told: Callable[[int, Result], None] = lambda _number, _result: None,
        given_up: Callable[[int], Result] | None = None,
    ) -> list[Result | None]:
        """Call ``function(data, *argument)`` for every argument.

        Parameters
        ----------
        stop
            Asked again and again whether to stop. Tasks that have not begun are not begun then, and
            their results are None; those that run are asked to end, and waited for if they can be.
        told
            Told of every task that is done, as soon as it is: which one, and its result.
        given_up
            What to say of a task that has cost :data:`MOST_TRIES` workers their lives; None does it
            in this process.

        Raises
        ------
        Exception
            What a function raises; the rest is not begun then.
        """
        return _Round(self, function, shared, arguments, stop, told, given_up).results()

    def submit(self, *arguments: Any) -> Future[Any]:
        """Hand :func:`_work` to the executor."""
        assert self._executor is not None
        return self._executor.submit(_work, *arguments)

    def restart(self) -> bool:
        """Start the executor again; say whether there is one."""
        if self._owned and self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start() if self._owned else None
        return self._executor is not None

    def ask_to_stop(self) -> bool:
        """Ask running tasks to end; say whether they can be asked."""
        if self._stop is None:
            return False
        self._stop.set()
        return True

    @property
    def works(self) -> bool:
        """Return whether there is an executor."""
        return self._executor is not None


class _Round(Generic[Data, Result]):
    """One call of :meth:`Tasks.run`."""

    def __init__(
        self,
        tasks: Tasks,
        function: Callable[..., Result],
        shared: Shared[Data],
        arguments: Sequence[tuple[Any, ...]],
        stop: Callable[[], bool],
        told: Callable[[int, Result], None],
        given_up: Callable[[int], Result] | None,
    ) -> None:
        self._tasks = tasks
        self._function = function
        self._shared = shared
        self._arguments = arguments
        self._asked_to_stop = stop
        self._told = told
        self._given_up = given_up
        self._waiting = list(range(len(arguments)))[::-1]
        self._with_data: set[int] = set()
        self._tries = [0] * len(arguments)
        self._running: dict[Future[Any], int] = {}
        self._results: list[Result | None] = [None] * len(arguments)

    def results(self) -> list[Result | None]:
        """Run all tasks and return what they return."""
        try:
            while self._waiting or self._running:
                if self._asked_to_stop():
                    self._end()
                    break
                self._hand_over()
                done, _ = wait(self._running, LOOK_SECONDS, FIRST_COMPLETED)
                for future in done:
                    # Where the executor has just broken, all that ran is being run again.
                    if future in self._running:
                        self._take(future, self._running.pop(future))
        finally:
            for future in self._running:
                future.cancel()
        return self._results

    def _hand_over(self) -> None:
        """Give tasks to the workers as long as there is room; to this process if there are none."""
        while self._waiting and len(self._running) < WAITING * self._tasks.size:
            number = self._waiting.pop()
            if self._given_up is not None and self._tries[number] >= MOST_TRIES:
                self._keep(number, self._given_up(number))
                continue
            if not self._tasks.works or self._tries[number] >= MOST_TRIES:
                self._keep(number, self._function(self._shared.make(), *self._arguments[number]))
                return
            data = pickle.dumps(self._shared.make(), 5) if number in self._with_data else None
            try:
                future = self._tasks.submit(
                    self._shared.key, data, self._function, self._arguments[number]
                )
            except RuntimeError as error:  # It is broken, or has been shut down.
                self._waiting.append(number)
                _say_lost(error)
                self._start_again()
                return
            self._running[future] = number

    def _take(self, future: Future[Any], number: int) -> None:
        """Take what a worker has sent back."""
        try:
            state, value = future.result()
        except (Exception, CancelledError) as error:  # Of the executor: functions raise nothing.
            self._waiting.append(number)
            self._tries[number] += 1
            _say_lost(error)
            if isinstance(error, BrokenExecutor):
                self._start_again()
            return
        if state is _State.MISSING:
            self._with_data.add(number)
            self._waiting.append(number)
        elif state is _State.RAISED:
            raise value
        else:
            self._keep(number, value)

    def _keep(self, number: int, value: Result) -> None:
        self._results[number] = value
        self._told(number, value)

    def _start_again(self) -> None:
        """Start the executor again; what was running is run again."""
        for number in self._running.values():
            self._tries[number] += 1
            self._waiting.append(number)
        self._running.clear()
        self._with_data.clear()
        self._waiting.sort(reverse=True)
        if not self._tasks.restart():
            _say("the executor has broken; the rest is done in this process")

    def _end(self) -> None:
        """Stop: begin nothing more, and wait for what runs if that has been told to end."""
        if not self._tasks.ask_to_stop():
            return
        for future in list(self._running):
            if not future.cancel() and future in self._running:
                self._take(future, self._running.pop(future))


class _State(Enum):
    """How a task has ended."""

    DONE = 1
    RAISED = 2
    MISSING = 3
    """It was not begun: the data are not at the worker."""


def _say(text: str) -> None:
    warnings.warn(WorkerWarning(text), stacklevel=2)


def _say_lost(error: BaseException) -> None:
    _say(f"a worker was lost ({type(error).__name__}); what it was doing is done again")


# --- At a worker ----------------------------------------------------------------------------------

_kept: OrderedDict[str, tuple[int, Any]] = OrderedDict()
_keeping = threading.Lock()
_stop: Event | None = None


def _work(
    key: str, data: bytes | None, function: Callable[..., Any], argument: tuple[Any, ...]
) -> tuple[_State, Any]:
    """Do one task at a worker."""
    if data is not None:
        value = pickle.loads(data)
        _keep_at_worker(key, len(data), value)
    else:
        kept = _kept.get(key)
        if kept is None:
            return _State.MISSING, None
        value = kept[1]
    try:
        return _State.DONE, function(value, *argument)
    except Exception as error:
        return _State.RAISED, error


def _keep_at_worker(key: str, size: int, value: Any) -> None:
    """Keep data, and forget those that came first where they get too many."""
    with _keeping:  # A worker may be several threads.
        _kept[key] = (size, value)
        while len(_kept) > 1 and sum(size for size, _ in _kept.values()) > MOST_KEPT_BYTES:
            _kept.popitem(last=False)


def _begin_process(stop: Event) -> None:
    """Make a process ready: it ends when it is told to, not by the Ctrl-C meant for its parent."""
    global _stop
    _stop = stop
    stop_when(stop_wanted)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent has died: nobody would ever ask it to."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def stop_wanted() -> bool:
    """Say, at a worker, whether the user has asked to stop."""
    return _stop is not None and _stop.is_set()


# --- Beginning ------------------------------------------------------------------------------------


@contextmanager
def tasks_on(executor: Executor | int | str | None) -> Iterator[Tasks | None]:
    """Return what runs tasks on an executor, None for None; let go of it in the end.

    Parameters
    ----------
    executor
        A number of local processes, the address of a Dask scheduler, or any executor.

    Raises
    ------
    UsageError
        If a scheduler cannot be used.
    """
    if executor is None:
        yield None
        return
    if isinstance(executor, str):
        from stockpile.cluster import connected

        with connected(executor) as (cluster, size):
            yield Tasks(lambda: cluster, size, stop=None, owned=False)
        return
    if isinstance(executor, int):
        tasks = _local_processes(executor)
    else:
        tasks = Tasks(lambda: executor, _size_of(executor), stop=None, owned=False)
    try:
        yield tasks
    finally:
        tasks.close()


def _local_processes(count: int) -> Tasks:
    context = multiprocessing.get_context("spawn")  # The only way that all systems have.
    stop = context.Event()

    def start() -> Executor:
        return ProcessPoolExecutor(count, context, _begin_process, (stop,))

    return Tasks(start, count, stop=stop, owned=True)


def _size_of(executor: Executor) -> int:
    """Return how many workers an executor has, if it says so."""
    size = getattr(executor, "_max_workers", None)
    return size if isinstance(size, int) else available_threads()
