"""Whether a plan replaces one dependency by another; section 9 of the formulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpile.plan import Plan

DOMINANT_SHARE = 0.5
"""A source with more than this share of a supply is one to depend on."""


def new_dependences(plan: Plan, share: float = DOMINANT_SHARE) -> list[str]:
    """Say where a source comes to supply more than a share that did not before, in words.

    Parameters
    ----------
    share
        Share of a participant's supply of a material above which it depends on a source.
    """
    warnings = []
    table = plan.dependence
    for (participant, material), rows in table.groupby(["participant", "material"], sort=False):
        shrunk = rows[rows["share_after"] < rows["share_before"]]
        for row in rows.to_dict(orient="records"):
            if not row["share_before"] <= share < row["share_after"]:
                continue
            before = shrunk.sort_values("share_before", ascending=False, kind="stable")
            replaced = before["source"].iloc[0] if len(before) else "undisrupted supply"
            warnings.append(
                f"{participant}, {material}: this plan replaces {replaced} by {row['source']}, "
                f"which then supplies {100.0 * row['share_after']:.0f} %"
            )
    return warnings
