"""Release rules: the built-in menu, the words of a rule, and its numbers by age of the event."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from stockpile.rules import (
    OWN,
    PARTNER,
    RELATIONS,
    Rule,
    StreamRule,
    default_rules,
    describe,
    rule_menu,
    rules_from_rows,
)
from stockpile.tables import RuleRow

CLASSES = ("defense", "essential", "industry", "other")
NUMBERS_OF_CLASSES = [1, 2, 3, 4]


def patterns(num_classes, relation):
    """What the menu says to one relation, each different pattern once."""
    return {rule.rows[relation] for rule in default_rules(num_classes)}


def menu_rows(num_classes):
    return [
        row
        for rule in default_rules(num_classes)
        for relation in rule.rows
        for rows in relation
        for row in rows
    ]


# --- The built-in menu --------------------------------------------------------------------------


@pytest.mark.parametrize("num_classes", [number for number in NUMBERS_OF_CLASSES if number > 1])
def test_the_menu_offers_at_least_four_patterns_for_owners_and_four_for_partners(num_classes):
    assert len(patterns(num_classes, OWN)) >= 4
    assert len(patterns(num_classes, PARTNER)) >= 4


def test_with_one_class_there_is_nobody_to_keep_own_stock_for_but_partners():
    assert len(patterns(1, OWN)) == 1
    assert len(patterns(1, PARTNER)) >= 4


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_no_two_rules_of_the_menu_say_the_same(num_classes):
    rules = default_rules(num_classes)
    assert len({rule.rows for rule in rules}) == len(rules)


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_no_two_rules_of_the_menu_have_the_same_name_or_words(num_classes):
    rules = default_rules(num_classes)
    assert len({rule.name for rule in rules}) == len(rules)
    different = {rule.rows for rule in rules}
    assert len({describe(rule, CLASSES[:num_classes]) for rule in rules}) == len(different)


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_every_own_pattern_is_there_without_any_release_to_partners(num_classes):
    closed = {rule.rows[OWN] for rule in default_rules(num_classes) if not any(rule.rows[PARTNER])}
    assert closed == patterns(num_classes, OWN)


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_the_menu_combines_every_own_pattern_with_partner_patterns_of_each_kind(num_classes):
    own_patterns = patterns(num_classes, OWN)
    with_sharing = {
        own: sum(
            any(rule.rows[PARTNER]) for rule in default_rules(num_classes) if rule.rows[OWN] == own
        )
        for own in own_patterns
    }
    assert min(with_sharing.values()) >= 3


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_all_numbers_of_the_menu_are_in_the_ranges_of_the_format(num_classes):
    for row in menu_rows(num_classes):
        assert 0.0 <= row.reserve_level <= 1.0
        assert 0.0 < row.draw_limit <= 1.0
        assert 0.0 <= row.trigger_loss < 1.0
        assert row.from_month >= 0
        assert isinstance(row.from_month, int)


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_rows_of_the_menu_are_in_the_order_of_their_ages(num_classes):
    for rule in default_rules(num_classes):
        for relation in rule.rows:
            assert len(relation) == num_classes
            for rows in relation:
                ages = [row.from_month for row in rows]
                assert ages == sorted(set(ages))


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_the_menu_keeps_no_more_for_a_class_of_higher_priority_than_for_a_lower_one(num_classes):
    """At any age a class that comes first may draw the stock down at least as far."""
    for rule in default_rules(num_classes):
        for relation in RELATIONS:
            for age in range(30):
                levels = [level_of(rule, relation, k, age)[0] for k in range(num_classes)]
                assert levels == sorted(levels), rule.name


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_some_rule_serves_everybody_from_the_whole_stock(num_classes):
    everything = ((StreamRule(),),) * num_classes
    assert any(rule.rows == (everything, everything) for rule in default_rules(num_classes))


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_names_of_the_menu_are_names_that_the_format_would_take(num_classes):
    for rule in default_rules(num_classes):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)


# --- From rows of rules.csv ---------------------------------------------------------------------


def row(rule, relation, demand_class, *numbers):
    names = ("from_month", "reserve_level", "draw_limit_per_month", "trigger_loss")
    cells = dict(zip(names, numbers, strict=False))
    return RuleRow(rule=rule, relation=relation, demand_class=demand_class, **cells)


def test_rows_become_rules_in_the_order_in_which_their_names_appear():
    rules = rules_from_rows(
        [
            row("late", ("own",), ("industry",)),
            row("early", ("own",), ("*",)),
            row("late", ("partner",), ("defense",)),
        ],
        ("defense", "industry"),
    )
    assert [rule.name for rule in rules] == ["late", "early"]
    free = (StreamRule(),)
    assert rules[0].rows == (((), free), (free, ()))
    assert rules[1].rows == ((free, free), ((), ()))


def test_stars_and_lists_of_relations_and_classes_are_spelled_out():
    classes = ("defense", "essential", "industry")
    one = rules_from_rows([row("r", ("*",), ("essential", "industry"), 2, 0.5, 0.25, 0.3)], classes)
    same = rules_from_rows(
        [
            row("r", ("own", "partner"), ("industry",), 2, 0.5, 0.25, 0.3),
            row("r", ("partner",), ("essential",), 2, 0.5, 0.25, 0.3),
            row("r", ("own",), ("essential",), 2, 0.5, 0.25, 0.3),
        ],
        classes,
    )
    assert one == same
    number = (StreamRule(2, 0.5, 0.25, 0.3),)
    assert one[0].rows == (((), number, number), ((), number, number))


def test_rows_for_several_ages_are_sorted_by_age():
    (rule,) = rules_from_rows(
        [row("r", ("own",), ("defense",), month) for month in (6, 0, 12)], ("defense",)
    )
    assert [item.from_month for item in rule.rows[OWN][0]] == [0, 6, 12]


# --- Words --------------------------------------------------------------------------------------


def rule(own, partner):
    return Rule("r", (tuple(map(tuple, own)), tuple(map(tuple, partner))))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            rule([[StreamRule()], []], [[], []]),
            "Own need: defense from the whole stock; industry never. Partners: never.",
        ),
        (
            rule([[], []], [[], []]),
            "Own need: defense never; industry never. Partners: never.",
        ),
        (
            rule(
                [[StreamRule()], [StreamRule(0, 0.5, 0.1, 0.3)]],
                [[StreamRule(0, 0.25)], []],
            ),
            "Own need: defense from the whole stock; industry until 50% of the holding is left, "
            "at most 10% of the holding a month, only if the loss is 30% or more. "
            "Partners: defense until 25% of the holding is left; industry never.",
        ),
        (
            rule(
                [[StreamRule()], [StreamRule(0, 0.5), StreamRule(6, 0.25), StreamRule(12)]],
                [[], []],
            ),
            "Own need: defense from the whole stock; industry until 50% of the holding is left, "
            "after 6 months until 25% of the holding is left, "
            "after 12 months from the whole stock. Partners: never.",
        ),
        (
            rule([[StreamRule()], [StreamRule(3, 0.125)]], [[], []]),
            "Own need: defense from the whole stock; industry only after 3 months of a gap, "
            "until 12.5% of the holding is left. Partners: never.",
        ),
        (
            rule([[StreamRule()], [StreamRule(0), StreamRule(6, 1.0)]], [[StreamRule(0, 1.0)], []]),
            "Own need: defense from the whole stock; industry from the whole stock, "
            "after 6 months never. Partners: defense never; industry never.",
        ),
        (
            rule([[StreamRule(0, 0.0, 0.05, 0.0)], []], [[], [StreamRule(0, 0.0, 1.0, 0.15)]]),
            "Own need: defense from the whole stock, at most 5% of the holding a month; "
            "industry never. "
            "Partners: defense never; industry from the whole stock, "
            "only if the loss is 15% or more.",
        ),
    ],
    ids=["own only", "nobody", "all numbers", "by age", "later on", "level of 1", "limits"],
)
def test_a_rule_is_said_in_words(said, words):
    assert describe(said, ("defense", "industry")) == words


def test_the_words_name_every_number_that_is_not_the_default():
    said = rule([[StreamRule(7, 0.37, 0.11, 0.29)]], [[StreamRule(9, 0.61, 0.13, 0.41)]])
    words = describe(said, ("defense",))
    for number in ("7", "37%", "11%", "29%", "9", "61%", "13%", "41%"):
        assert number in words
    assert words.count("\n") == 0


# --- Numbers by age -----------------------------------------------------------------------------


def level_of(rule, relation, demand_class, age):
    """Level, limit and trigger at an age: the row with the largest from_month up to it."""
    started = [
        row for row in rule.rows[RELATIONS.index(relation)][demand_class] if row.from_month <= age
    ]
    if not started:
        return 1.0, 1.0, np.inf  # Never served.
    latest = max(started, key=lambda row: row.from_month)
    return latest.reserve_level, latest.draw_limit, latest.trigger_loss


def assert_menu_says_what_the_rules_say(rules, num_classes, ages):
    menu = rule_menu(rules, num_classes)
    assert menu.breakpoints[0] == 0
    assert np.all(np.diff(menu.breakpoints) > 0)
    assert menu.names == tuple(rule.name for rule in rules)
    for r, one in enumerate(rules):
        for relation in RELATIONS:
            for k in range(num_classes):
                for age in ages:
                    segment = max(a for a, start in enumerate(menu.breakpoints) if start <= age)
                    at = r, RELATIONS.index(relation), k, segment
                    level, limit, trigger = level_of(one, relation, k, age)
                    assert menu.trigger[at] == trigger
                    if np.isfinite(trigger):
                        assert menu.level[at] == level
                        assert menu.limit[at] == limit


@pytest.mark.parametrize("num_classes", NUMBERS_OF_CLASSES)
def test_the_built_in_menu_has_the_numbers_of_its_rules_at_every_age(num_classes):
    assert_menu_says_what_the_rules_say(default_rules(num_classes), num_classes, range(20))


@pytest.mark.parametrize("seed", range(40))
def test_a_menu_has_the_numbers_of_its_rules_at_every_age(seed):
    rng = random.Random(seed)
    num_classes = rng.randint(1, 3)

    def rows():
        ages = rng.sample(range(10), rng.choice([0, 1, 1, 2, 3]))
        return [
            StreamRule(age, rng.random(), 1.0 - rng.random(), 0.9 * rng.random())
            for age in sorted(ages)
        ]

    rules = [
        Rule(
            f"rule{i}",
            (
                tuple(tuple(rows()) for _ in range(num_classes)),
                tuple(tuple(rows()) for _ in range(num_classes)),
            ),
        )
        for i in range(rng.randint(1, 4))
    ]
    assert_menu_says_what_the_rules_say(rules, num_classes, range(12))


def test_before_its_first_age_a_class_is_never_served():
    menu = rule_menu([rule([[StreamRule(3, 0.5)]], [[]])], 1)
    assert menu.breakpoints.tolist() == [0, 3]
    assert menu.trigger[0, OWN, 0].tolist() == [np.inf, 0.0]
    assert menu.trigger[0, PARTNER, 0].tolist() == [np.inf, np.inf]


def test_nobody_can_change_a_menu():
    menu = rule_menu(default_rules(2), 2)
    for array in (menu.breakpoints, menu.level, menu.limit, menu.trigger):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
