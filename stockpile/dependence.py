"""Whether a plan replaces one dependency by another; section 9 of the formulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.plan import Plan

DOMINANT_SHARE = 0.5
"""A source with more than this share of a supply is one to depend on."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A source that comes to supply more than a share, and did not before.

    Attributes
    ----------
    participant, material
        Whose supply of what.
    replaced
        The largest source that shrinks; empty where none does.
    source, share
        Which one grows, and what share it then has.
    """

    participant: str
    material: str
    replaced: str
    source: str
    share: float


def replacements(plan: Plan, share: float = DOMINANT_SHARE) -> list[Replacement]:
    """Return where a source comes to supply more than a share that did not before.

    Parameters
    ----------
    share
        Share of a participant's supply of a material above which it depends on a source.
    """
    found = []
    table = plan.dependence
    for (participant, material), rows in table.groupby(["participant", "material"], sort=False):
        shrunk = rows[rows["share_after"] < rows["share_before"]]
        before = shrunk.sort_values("share_before", ascending=False, kind="stable")
        replaced = str(before["source"].iloc[0]) if len(before) else ""
        found += [
            Replacement(
                str(participant), str(material), replaced, row["source"], row["share_after"]
            )
            for row in rows.to_dict(orient="records")
            if row["share_before"] <= share < row["share_after"]
        ]
    return found


def new_dependences(plan: Plan, share: float = DOMINANT_SHARE) -> list[str]:
    """Say so in words; see :func:`replacements`."""
    return [
        f"{new.participant}, {new.material}: this plan replaces "
        f"{new.replaced or 'undisrupted supply'} by {new.source}, which then supplies "
        f"{100.0 * new.share:.0f} %"
        for new in replacements(plan, share)
    ]
