"""Materials that age, recycling, projects and concentration without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpile.cells import ALL
from stockpile.tables import names_of
from stockpile.validation.places import expand, row_mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stockpile.errors import Mistake
    from stockpile.instance import Instance


def _renewal(instance: Instance) -> Iterator[Mistake]:
    for row in instance.materials:
        if row.shelf_life_months is None and row.renewal_loss != 1.0:
            yield row_mistake(
                "materials",
                row,
                "renewal_loss",
                row.renewal_loss,
                "renewal_loss is ignored: without shelf_life_months nothing has to be renewed",
            )


def _recycling(instance: Instance) -> Iterator[Mistake]:
    used = in_use(instance)
    for row in instance.recycling:
        product = row.from_material or row.material
        for column, material in (("from_material", product), ("material", row.material)):
            if (row.participant, material) not in used:
                yield row_mistake(
                    "recycling",
                    row,
                    column,
                    material,
                    f"nothing is recycled: {row.participant} has no use of {material} "
                    "in demand.csv",
                )
                break
        grows = row.collection_growth_per_year > 0.0
        if grows and row.collection_rate == row.collection_max:
            yield row_mistake(
                "recycling",
                row,
                "collection_growth_per_year",
                row.collection_growth_per_year,
                "collection_growth_per_year is ignored: the rate is at collection_max already",
            )
        if row.delay_months > 0 and not grows:
            yield row_mistake(
                "recycling",
                row,
                "delay_months",
                row.delay_months,
                "delay_months is ignored: the rate does not grow",
                "What is collected now comes back from the first month on.",
            )


def _projects(instance: Instance) -> Iterator[Mistake]:
    for row in instance.projects:
        if row.slip_months > 0.0 and row.slip_probability == 0.0:
            yield row_mistake(
                "projects",
                row,
                "slip_months",
                row.slip_months,
                "slip_months is ignored: slip_probability is 0",
            )
        if row.fast_track_usd is not None and row.fast_track_months == 0.0:
            yield row_mistake(
                "projects",
                row,
                "fast_track_usd",
                row.fast_track_usd,
                "the fast track is never taken: it saves no months",
            )


def _concentration(instance: Instance) -> Iterator[Mistake]:
    """Look for caps of what no source can have."""
    used = in_use(instance)
    participants = names_of("participants", instance.participants)
    materials = names_of("materials", instance.materials)
    # A project without a source is one of its own, which only * means.
    supplied = {(row.participant, row.material, row.source) for row in instance.supply}
    makes = [(row, row.material) for row in instance.projects]
    by_name = {row.project: row for row in instance.projects}
    makes += [(by_name[row.project], row.material) for row in instance.project_products]
    for project, material in makes:
        for beneficiary in expand(project.beneficiaries, participants):
            supplied.add((beneficiary, material, project.source or ""))
    for row in instance.concentration:
        markets = {
            (c, m)
            for c in expand(row.participant, participants)
            for m in expand(row.material, materials)
            if (c, m) in used
        }
        capped = any(
            (c, m) in markets and (row.source == (ALL,) or g in row.source) for c, m, g in supplied
        )
        if row.max_share == 1.0 or not capped:
            why = "it allows everything" if row.max_share == 1.0 else "no such supply is used"
            yield row_mistake(
                "concentration",
                row,
                "max_share" if row.max_share == 1.0 else "source",
                row.max_share if row.max_share == 1.0 else ";".join(row.source),
                f"the cap has no effect: {why}",
            )


def in_use(instance: Instance) -> set[tuple[str, str]]:
    """Return the participants and materials of which there is normal demand."""
    return {
        (row.participant, row.material) for row in instance.demand if row.demand_t_per_year > 0.0
    }


LOOKS = (_renewal, _recycling, _projects, _concentration)
