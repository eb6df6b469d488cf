"""Memory that is limited: courses are dropped and made again, and nothing else changes."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

import stockpile as sp
from stockpile import memory
from stockpile.courses import CourseStore, Owner
from stockpile.errors import UsageError
from stockpile.memory import GIB, Memory


class Fake:
    """Courses of a stated size."""

    def __init__(self, size: int) -> None:
        self.bytes = size


def test_courses_used_longest_ago_are_dropped_first():
    store, owners = CourseStore(100), [Owner() for _ in range(3)]
    made = []

    def get(number: int) -> None:
        store.get(owners[number], lambda: made.append(number) or Fake(40))

    for number in (0, 1, 0, 2, 0, 1, 2):  # 2 drops 1, as 0 was used since; then 1 drops 2.
        get(number)
    assert made == [0, 1, 2, 1, 2]
    assert store.bytes == 80


def test_courses_larger_than_all_memory_are_kept_alone():
    store, owners = CourseStore(10), [Owner(), Owner()]
    for owner in owners:
        store.get(owner, lambda: Fake(40))
    assert store.bytes == 40


def test_courses_go_with_their_owner():
    store, owner = CourseStore(), Owner()
    store.get(owner, lambda: Fake(40))
    del owner
    gc.collect()
    assert store.bytes == 0


@pytest.mark.parametrize("couplings", [False, True])
def test_plans_with_hardly_any_memory_are_the_same(couplings, monkeypatch):
    instance = sp.generate(materials=3, scenarios=80, months=24, couplings=couplings)
    plan = sp.solve(instance, gap=0.05, progress=False)
    short = Memory(CourseStore(0), 1)
    monkeypatch.setattr(Memory, "within", staticmethod(lambda _gib: short))
    again = sp.solve(instance, gap=0.05, progress=False, memory_gib=1.0)
    # Materials apart are searched one after the other, each with its own courses.
    assert short.courses.made > 6 if couplings else short.courses.made == 3
    assert replace(plan, seconds=0.0).to_json() == replace(again, seconds=0.0).to_json()


def test_memory_is_divided(monkeypatch):
    monkeypatch.setattr(memory, "peak_bytes", lambda: GIB)
    allowed = Memory.within(3.0)
    assert allowed.batch_bytes == 256 * 2**20  # An eighth of what is left.
    assert Memory.within(1.5).batch_bytes == 64 * 2**20
    with pytest.raises(UsageError, match=r"alone take 1\.00 GiB; allow at least 1\.34"):
        Memory.within(1.2)
    Memory.within(1.34)


@pytest.mark.parametrize("gib", [0.0, -1.0, float("nan")])
def test_memory_must_be_above_nothing(gib):
    with pytest.raises(UsageError, match="expected GiB above 0"):
        sp.solve(sp.load("instances/toy"), memory_gib=gib)


def test_too_little_memory_is_said_before_the_work():
    with pytest.raises(UsageError, match=r"memory_gib is 0\.01"):
        sp.solve(sp.load("instances/toy"), memory_gib=0.01)
