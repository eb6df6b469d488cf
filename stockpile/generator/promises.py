"""What is promised: a handful of rows that hold for all, and the cases of stress they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.generator.places import countries, participant_name
from stockpile.generator.streams import stream
from stockpile.tables import CoverageTarget, StressEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpile.generator.size import Size

SHARP_MONTHS, LASTING_MONTHS = 6, 12
VITAL = 0.15
"""Part of the materials whose defense use is promised at 0.99; the first one is always one."""
FEWEST_JOINT, MOST_JOINT = 3, 5
"""Materials in a joint chance group."""
JOINT_GROUPS = 2
JOINT_CONFIDENCE = 0.9


def stress(size: Size) -> tuple[StressEvent, ...]:
    """Return one case for each participant: an embargo of the largest country against it alone.

    Nothing comes at first, and less than usual for another year, as far as the horizon reaches.
    """
    source = countries(size.seed)[0].source
    found = []
    for c in range(size.participants):
        parts = [(1, SHARP_MONTHS, 0.9), (SHARP_MONTHS + 1, LASTING_MONTHS, 0.3)]
        found += [
            StressEvent(
                stress=f"embargo_{participant_name(c)}",
                source=source,
                targets=(participant_name(c),),
                start_month=start,
                duration_months=months,
                severity=severity,
            )
            for start, months, severity in parts
            if start <= size.months
        ]
    return tuple(found)


def coverage(
    size: Size, materials: Sequence[str], *, couplings: bool
) -> tuple[CoverageTarget, ...]:
    """Return the promises; with couplings also the joint chance groups."""
    vital = tuple(
        name
        for m, name in enumerate(materials)
        if m == 0 or stream(size.seed, "vital", m).random() < VITAL
    )
    found = [
        CoverageTarget(metric="days", level=45.0),
        CoverageTarget(demand_class=("defense",), metric="days", level=180.0),
        _chance("defense", 0.9, 0.95),
        _chance("civil", 0.75, 0.9),
        _chance("defense", 0.95, 0.99, material=vital),
        # A floor: this much of it without any partner.
        _chance("defense", 0.9, 0.9, sharing="off"),
    ]
    for c in range(size.participants):
        name = participant_name(c)
        found += [
            CoverageTarget(
                participant=(name,),
                demand_class=(demand_class,),
                metric="stress",
                level=level,
                stress=f"embargo_{name}",
            )
            for demand_class, level in (("defense", 1.0), ("civil", 0.8))
        ]
    if couplings:
        for number, group in enumerate(joint_groups(size.seed, materials), start=1):
            found.append(
                CoverageTarget(
                    material=group,
                    demand_class=("defense", "civil"),
                    metric="joint_chance",
                    level=0.8,
                    confidence=JOINT_CONFIDENCE,
                    group=f"product_line_{number}",
                )
            )
    return tuple(found)


def _chance(
    demand_class: str,
    level: float,
    confidence: float,
    material: tuple[str, ...] = ("*",),
    sharing: str = "on",
) -> CoverageTarget:
    return CoverageTarget(
        material=material,
        demand_class=(demand_class,),
        metric="chance",
        level=level,
        confidence=confidence,
        sharing=sharing,
    )


def joint_groups(seed: int, materials: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return what is needed at once: the first materials, and those after them.

    A group has three to five materials. There are fewer groups where there are too few materials.
    """
    groups: list[tuple[str, ...]] = []
    at = 0
    for number in range(JOINT_GROUPS):
        wanted = int(stream(seed, "joint", number).integers(FEWEST_JOINT, MOST_JOINT + 1))
        # The first group leaves enough for the second where it can.
        left = len(materials) - at - FEWEST_JOINT * (JOINT_GROUPS - 1 - number)
        count = max(FEWEST_JOINT, min(wanted, left))
        if at + count <= len(materials):
            groups.append(tuple(materials[at : at + count]))
            at += count
    return tuple(groups)
