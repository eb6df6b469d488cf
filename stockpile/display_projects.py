"""Projects of a plan, and who supplies whom then, as text for a terminal or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.dependence import new_dependences
from stockpile.display import money, render_table
from stockpile.number_text import number_text

if TYPE_CHECKING:
    from stockpile.plan import Plan


def projects_line(plan: Plan) -> list[str]:
    """Say how many projects are funded and what that costs; nothing where there are none."""
    if plan.projects.empty:
        return []
    yearly = plan.projects[["capital_usd_per_year", "support_usd_per_year"]].to_numpy().sum()
    number = f"{int(plan.projects['funded'].sum())} of {len(plan.projects)}"
    at_once = money(float(plan.projects["capital_usd"].sum()))
    return [
        f"  projects    {number} funded for {at_once} at once, {money(float(yearly))} a year, "
        "which is part of the cost"
    ]


def projects_text(plan: Plan) -> str:
    """Show which projects are funded, and how that changes who supplies whom."""
    rows = [
        [
            row["project"],
            row["kind"],
            row["funder"],
            ("fast" if row["fast_track"] else "yes") if row["funded"] else "no",
            number_text(row["capital_usd"] / 1e6) if row["funded"] else "-",
            number_text(row["capital_usd_per_year"] / 1e6) if row["funded"] else "-",
            number_text(row["support_usd_per_year"] / 1e6) if row["funded"] else "-",
            number_text(row["start_month_median"], digits=0),
            number_text(row["output_t_per_year"]),
        ]
        for row in plan.projects.to_dict(orient="records")
    ]
    header = [
        "project",
        "kind",
        "funder",
        "funded",
        "capital\nM USD",
        "capital\nM USD/year",
        "support\nM USD/year",
        "first month\n(median)",
        "output\nt/year",
    ]
    text = render_table("Projects", header, rows, left={0, 1, 2, 3})
    changed = plan.dependence[
        (plan.dependence["share_before"] - plan.dependence["share_after"]).abs() > 5e-4
    ]
    if len(changed):
        rows = [
            [
                row["material"],
                row["participant"],
                row["source"],
                f"{100.0 * row['share_before']:.1f} %",
                f"{100.0 * row['share_after']:.1f} %",
                f"{row['hhi_before']:.3f}",
                f"{row['hhi_after']:.3f}",
            ]
            for row in changed.to_dict(orient="records")
        ]
        header = ["material", "participant", "source", "before", "after", "HHI before", "HHI after"]
        text += "\n" + render_table(
            "Who supplies whom, where projects change it", header, rows, left={0, 1, 2}
        )
    for warning in new_dependences(plan):
        text += f"Warning: {warning}\n"
    return text
