"""Every mistake is reported with its place, its value, what was expected and what to do.

Each case changes one place of a valid folder into something wrong, and then into the nearest
thing that is right, which has to load: a rule must not refuse more than it means to.
"""

import dataclasses
import os
import re
from typing import NamedTuple

import pytest
from folders import TINY, edit, tiny_folder, write
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.errors import (
    PRINTED_MISTAKES,
    InstanceError,
    Mistake,
    NotBuiltError,
    ResultError,
    StockpileError,
    UsageError,
)
from stockpile.instance import load, validate


class Case(NamedTuple):
    """One mistake: ``old`` becomes ``wrong``; ``right`` in its place is valid."""

    file: str
    old: str
    wrong: str
    right: str
    line: int | None
    column: str | None
    value: str | None
    says: tuple[str, ...]


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path)


def mistakes_of(folder):
    with pytest.raises(InstanceError) as caught:
        load(folder)
    return caught.value.mistakes


def only_mistake(folder):
    """The one mistake of a folder: a mistake is reported once and causes no others."""
    mistakes = mistakes_of(folder)
    assert len(mistakes) == 1, "\n\n".join(str(mistake) for mistake in mistakes)
    return mistakes[0]


def check(folder, case):
    name = case.file
    edit(folder, name, case.old, case.wrong)
    mistake = only_mistake(folder)
    assert mistake.file == f"tiny/{name}"
    assert mistake.line == case.line
    assert mistake.column == case.column
    assert mistake.value == case.value
    text = str(InstanceError([mistake]))
    for part in (*case.says, f"tiny/{name}", *([f"line {case.line}"] if case.line else [])):
        assert part in text.replace("lines ", "line "), text
    write(folder, name, TINY[name])
    edit(folder, name, case.old, case.right)
    load(folder)


CELLS = {
    "required cell is empty": Case(
        "demand.csv", "defense,3", "defense,", "defense,0",
        2, "demand_t_per_year", "", ("must not be empty", "a number of at least 0 [t/year]"),
    ),
    "required text is blank": Case(
        "sources.csv", "canada,Canada", "canada, ", "canada,x",
        3, "name", "", ("name must not be empty", "Expected text"),
    ),
    "decimal comma": Case(
        "demand.csv", "defense,3", 'defense,"3,5"', "defense,3.5",
        2, "demand_t_per_year", "3,5", ("must be a number", "Write a decimal point: 3.5"),
    ),
    "point between thousands and decimal comma": Case(
        "demand.csv", "industry,400", 'industry,"1.400,5"', "industry,1400.5",
        5, "demand_t_per_year", "1.400,5", ("Write 1400.5",),
    ),
    "comma that could mean either": Case(
        "demand.csv", "industry,400", 'industry,"1,400"', "industry,1400",
        5, "demand_t_per_year", "1,400", ("1400 if the comma separates thousands", "1.400 if"),
    ),
    "commas between thousands": Case(
        "participants.csv", "1e9", '"1,000,000,000"', "1000000000",
        3, "acquisition_budget_usd", "1,000,000,000", ("Write 1000000000",),
    ),
    "blanks between thousands": Case(
        "participants.csv", "1e9", "1 000 000", "1000000",
        3, "acquisition_budget_usd", "1 000 000", ("Write 1000000:",),
    ),
    "number with its unit": Case(
        "demand.csv", "industry,12", "industry,12 t", "industry,12",
        3, "demand_t_per_year", "12 t", ("Write the number alone, 12",),
    ),
    "number with a currency": Case(
        "materials.csv", "Ga,metal,500", "Ga,metal,$500", "Ga,metal,500.00",
        2, "price_usd_per_kg", "$500", ("above 0 [USD/kg]", "Write the number alone, 500"),
    ),
    "percent sign": Case(
        "supply.csv", "canada,0.3", "canada,30 %", "canada,0.30",
        3, "share", "30 %", ("from 0 to 1", "never percent: write 0.3"),
    ),
    "percent without its sign": Case(
        "supply.csv", "canada,0.3", "canada,30", "canada,.3",
        3, "share", "30", ("from 0 to 1", "30 % is written 0.3"),
    ),
    "typographic minus": Case(
        "classes.csv", "industry,2,5", "industry,2,\u22125", "industry,2,+5",
        3, "shortage_cost_multiple", "\u22125", ("minus sign as on a keyboard",),
    ),
    "words for nothing": Case(
        "participants.csv", "1e9", "n/a", "",
        3, "acquisition_budget_usd", "n/a", ("Leave the cell empty",),
    ),
    "nan": Case(
        "materials.csv", "300,2,,", "300,2,NaN,", "300,2,0,",
        3, "rotation_rate_per_year", "NaN", ("must be a number", "Leave the cell empty"),
    ),
    "infinite": Case(
        "holdings.csv", "2,4,10", "2,4,inf", "2,4,1e9",
        2, "max_t", "inf", ("Only finite numbers",),
    ),
    "too large for a number": Case(
        "holdings.csv", "2,4,10", "2,4,1e999", "2,4,1e300",
        2, "max_t", "1e999", ("finite",),
    ),
    "digits that are no plain digits": Case(
        "demand.csv", "defense,3", "defense,\u0663", "defense,3",
        2, "demand_t_per_year", "\u0663", ("must be a number",),
    ),
    "negative demand": Case(
        "demand.csv", "defense,3", "defense,-3", "defense,0",
        2, "demand_t_per_year", "-3", ("of at least 0 [t/year]",),
    ),
    "negative existing stock": Case(
        "holdings.csv", "2,4,10", "-2,4,10", "0,4,10",
        2, "existing_t", "-2", ("of at least 0 [t]",),
    ),
    "price of zero": Case(
        "materials.csv", "Ga,metal,500", "Ga,metal,0", "Ga,metal,0.001",
        2, "price_usd_per_kg", "0", ("above 0 [USD/kg]",),
    ),
    "lot of zero": Case(
        "materials.csv", "oxide,300,2", "oxide,300,0", "oxide,300,0.5",
        3, "lot_t", "0", ("above 0 [t]",),
    ),
    "reserve level above one": Case(
        "rules.csv", "industry,0,0.5", "industry,0,1.5", "industry,0,1",
        4, "reserve_level", "1.5", ("from 0 to 1", "1.5 % is written 0.015"),
    ),
    "draw limit of zero": Case(
        "rules.csv", "industry,6,0.2,0.25", "industry,6,0.2,0", "industry,6,0.2,1",
        5, "draw_limit_per_month", "0", ("above 0 and at most 1",),
    ),
    "trigger of one": Case(
        "rules.csv", "0.6,,0.3", "0.6,,1", "0.6,,0.999",
        6, "trigger_loss", "1", ("of at least 0 and below 1",),
    ),
    "thrift share above one": Case(
        "commercial.csv", "20,0.2,2", "20,1.2,2", "20,1,2",
        4, "thrift_share", "1.2", ("from 0 to 1",),
    ),
    "part of a month": Case(
        "transfers.csv", "japan,1,1500", "japan,1.5,1500", "japan,1.0,1500",
        2, "lag_months", "1.5", ("a whole number of at least 0 [months]",),
    ),
    "month zero": Case(
        "events.csv", "*,,4,6,0.9", "*,,0,6,0.9", "*,,1,6,0.9",
        2, "start_month", "0", ("a whole number of at least 1 [month]",),
    ),
    "duration of zero": Case(
        "stress.csv", "canada,3,2", "canada,3,0", "canada,3,99",
        3, "duration_months", "0", ("of at least 1",),
    ),
    "whole number that no array can hold": Case(
        "stress.csv", "canada,3,2", "canada,3,1e30", "canada,3,1e9",
        3, "duration_months", "1e30", ("below 2^63",),
    ),
    "unknown relation": Case(
        "rules.csv", "tiered,partner", "tiered,partners", "tiered2,own;partner",
        6, "relation", "partners", ("own or partner", "or * for all", "Did you mean partner?"),
    ),
    "unknown metric": Case(
        "coverage.csv", "defense,fill_rate", "defense,fillrate", "defense,fill_rate",
        2, "metric", "fillrate", ("joint_chance", "Did you mean fill_rate?"),
    ),
    "unknown effect": Case(
        "events.csv", "embargo,supply_loss", "embargo,Supply loss", "embargo,",
        2, "effect", "Supply loss", ("demand_surge", "Did you mean supply_loss?"),
    ),
    "unknown kind of project": Case(
        "projects.csv", "smelter,separation", "smelter,separator", "smelter,metal",
        2, "kind", "separator", ("recycling", "Did you mean separation?"),
    ),
    "unknown kind of reference": Case(
        "references.csv", "assumption", "guess", "assumption",
        3, "kind", "guess", ("reported, derived, estimate or assumption",),
    ),
    "unknown sharing": Case(
        "coverage.csv", "0.8,0.95,,,on", "0.8,0.95,,,yes", "0.8,0.95,,,off",
        3, "sharing", "yes", ("on or off",),
    ),
    "yes instead of true": Case(
        "facilities.csv", "1e6,true", "1e6,yes", "1e6,True",
        2, "existing", "yes", ("true or false", "Write true."),
    ),
    "star among names": Case(
        "coverage.csv", "us;japan,gallium", "us;*,gallium", "*,gallium",
        3, "participant", "us;*", ("either * or names", "Write * alone"),
    ),
    "star where each must be named": Case(
        "materials.csv", "0.1,usgs", "0.1,*", "0.1,usgs;guess",
        2, "ref", "*", ("* is not valid here",),
    ),
    "name twice in a list": Case(
        "hazards.csv", "us;japan", "us;us", "us",
        2, "targets", "us;us", ("must not name us twice",),
    ),
    "empty name in a list": Case(
        "hazards.csv", "us;japan", "us;;japan", "us ; japan",
        2, "targets", "us;;japan", ("empty name in its list",),
    ),
    "list where one name belongs": Case(
        "supply.csv", "japan,gallium,china", "us;japan,gallium,china", "japan,gallium,canada",
        4, "participant", "us;japan", ("one name from participants.csv", "row of its own"),
    ),
    "name with a semicolon": Case(
        "facilities.csv", "annex", "annex;b", "annex b",
        3, "facility", "annex;b", ("a name without ;", "separates"),
    ),
    "name with a star": Case(
        "facilities.csv", "annex", "annex*", "annex'",
        3, "facility", "annex*", ("a name without *",),
    ),
    "name that a spreadsheet would run": Case(
        "facilities.csv", "annex", "=1+1", "1+1=2",
        3, "facility", "=1+1", ("does not begin with =", "formula"),
    ),
    "name with an invisible character": Case(
        "facilities.csv", "annex", "an\u200bnex", "annexe\u0301",
        3, "facility", "an\u200bnex", ("invisible characters", "an\\u200bnex"),
    ),
    "control character": Case(
        "facilities.csv", "annex", "an\x1b[2Jnex", "an[2Jnex",
        3, "facility", "an\x1b[2Jnex", ("control character",),
    ),
    "beneficiary share above one": Case(
        "projects.csv", "0.5;0.4", "0.5;1.4", "0.5;0.5",
        2, "beneficiary_shares", "0.5;1.4", ("from 0 to 1",),
    ),
    "shelf life of zero": Case(
        "materials.csv", "usgs,60", "usgs,0", "usgs,0.5",
        2, "shelf_life_months", "0", ("above 0 [months]",),
    ),
    "renewal that loses more than all": Case(
        "materials.csv", "usgs,60,0.3", "usgs,60,30", "usgs,60,1",
        2, "renewal_loss", "30", ("from 0 to 1", "30 % is written 0.3"),
    ),
    "project that wears out at once": Case(
        "projects.csv", "24,20,canada", "24,0,canada", "24,0.5,canada",
        2, "life_years", "0", ("above 0 [years]",),
    ),
    "list of sources for one project": Case(
        "projects.csv", "20,canada", "20,canada;china", "20,china",
        2, "source", "canada;china", ("one name from sources.csv",),
    ),
    "lead time below zero": Case(
        "leads.csv", "smelter,24", "smelter,-24", "smelter,0",
        2, "lead_months", "-24", ("of at least 0 [months]",),
    ),
    "collection in percent": Case(
        "recycling.csv", "dy_oxide,0.02", "dy_oxide,2", "dy_oxide,1",
        3, "collection_rate", "2", ("from 0 to 1", "2 % is written 0.02"),
    ),
    "recycling that yields nothing": Case(
        "recycling.csv", "0.02,,,0.8", "0.02,,,0", "0.02,,,1.2",
        3, "yield", "0", ("yield must be a number above 0 [t/t]",),
    ),
    "cap in percent": Case(
        "concentration.csv", "china,0.9", "china,90", "china,0",
        3, "max_share", "90", ("from 0 to 1", "90 % is written 0.9"),
    ),
    "share of a plant in percent": Case(
        "plant_shares.csv", "industry,0.6", "industry,60", "industry,1",
        2, "share", "60", ("from 0 to 1",),
    ),
    "output below zero": Case(
        "project_products.csv", "dy_oxide,15", "dy_oxide,-15", "dy_oxide,0",
        2, "capacity_t_per_year", "-15", ("of at least 0 [t/year]",),
    ),
    "yield of zero": Case(
        "conversions.csv", "0.85", "0", "1.2",
        2, "yield", "0", ("yield must be a number above 0 [t/t]",),
    ),
}  # fmt: skip

NAMES = {
    "unknown participant": Case(
        "demand.csv", "us,gallium,defense", "usa,gallium,defense", "japan,gallium,defense",
        2, "participant", "usa", ("a name from participants.csv", "'usa'", "Did you mean us?"),
    ),
    "unknown participant far from all": Case(
        "demand.csv", "us,gallium,defense", "korea,gallium,defense", "us,dy_oxide,defense",
        2, "participant", "korea", ("Known names in participants.csv: us, japan.",),
    ),
    "participant in other letters": Case(
        "transfers.csv", "us,japan,1", "US,japan,1", "us,japan,0",
        2, "from_participant", "US", ("Did you mean us?",),
    ),
    "unknown material": Case(
        "supply.csv", "japan,dy_oxide", "japan,dy-oxide", "us,dy_oxide",
        5, "material", "dy-oxide", ("Did you mean dy_oxide?",),
    ),
    "unknown source": Case(
        "supply.csv", "gallium,canada", "gallium,kanada", "gallium,canada",
        3, "source", "kanada", ("a name from sources.csv", "Did you mean canada?"),
    ),
    "unknown class": Case(
        "coverage.csv", "japan,,industry", "japan,,industrial", "japan,,industry;defense",
        4, "demand_class", "industrial", ("names from classes.csv", "Did you mean industry?"),
    ),
    "unknown hazard followed": Case(
        "hazards.csv", "0,embargo,0.3", "0,embargoes,0.3", "0,,",
        3, "follows", "embargoes", ("Did you mean embargo?",),
    ),
    "unknown scenario": Case(
        "events.csv", "both,,china", "boht,,china", "calm,,china",
        3, "scenario", "boht", ("a name from scenarios.csv", "Did you mean both?"),
    ),
    "unknown stress case": Case(
        "coverage.csv", "0.7,,halt", "0.7,,hault", "0.8,,halt",
        5, "stress", "hault", ("a name from stress.csv", "Did you mean halt?"),
    ),
    "unknown reference": Case(
        "materials.csv", "0.1,usgs", "0.1,usgs;gues", "0.1,usgs ; guess",
        2, "ref", "gues", ("references.csv", "Did you mean guess?"),
    ),
    "unknown participant of a facility": Case(
        "facilities.csv", "annex,us", "annex,jpn", "annex,japan",
        3, "participant", "jpn", ("Did you mean japan?",),
    ),
    "unknown material of a conversion": Case(
        "conversions.csv", "dy_oxide,gallium", "dy_oxid,gallium", "gallium,dy_oxide",
        2, "from_material", "dy_oxid", ("Did you mean dy_oxide?",),
    ),
    "unknown funder": Case(
        "projects.csv", "0.4,joint", "0.4,jont", "0.4,japan",
        2, "funder", "jont", ("a name from participants.csv or joint",),
    ),
    "unknown project that is answered": Case(
        "events.csv", "0.4,smelter", "0.4,smelters", "0.4,recycler",
        6, "answers", "smelters", ("a name from projects.csv", "Did you mean smelter?"),
    ),
    "unknown source of a project": Case(
        "projects.csv", "20,canada", "20,kanada", "20,",
        2, "source", "kanada", ("a name from sources.csv", "Did you mean canada?"),
    ),
    "unknown project of a product": Case(
        "project_products.csv", "recycler,dy", "recicler,dy", "recycler,dy",
        3, "project", "recicler", ("Did you mean recycler?",),
    ),
    "unknown scenario of a lead time": Case(
        "leads.csv", "calm,smelter", "clam,smelter", "embargo,smelter",
        2, "scenario", "clam", ("a name from scenarios.csv", "Did you mean calm?"),
    ),
    "unknown product that is collected": Case(
        "recycling.csv", "gallium,dy_oxide", "gallium,dy_oxid", "dy_oxide,gallium",
        3, "from_material", "dy_oxid", ("Did you mean dy_oxide?",),
    ),
    "unknown source of a cap": Case(
        "concentration.csv", "*,china", "*,canada;chna", "*,canada;china",
        3, "source", "chna", ("names from sources.csv", "Did you mean china?"),
    ),
    "unknown plant": Case(
        "plant_shares.csv", "oxidation,japan", "oxydation,japan", "oxidation,japan",
        2, "conversion", "oxydation", ("a name from conversions.csv", "oxidation?"),
    ),
    "names that differ by case": Case(
        "facilities.csv", "annex", "Depot", "depot2",
        2, "facility", "Depot", ("Depot and depot differ only by case",),
    ),
    "participant twice": Case(
        "participants.csv", "japan,Japan,0.03", "japan,Japan,0.03,,\njapan,Nippon,0.02",
        "japan,Nippon,0.02",
        3, "participant", "japan", ("2 rows have the same participant", "line 3 and 4"),
    ),
    "demand twice": Case(
        "demand.csv", "us,gallium,industry", "us,gallium,defense", "us,dy_oxide,defense",
        2, "demand_class", "us, gallium, defense",
        ("same participant, material, demand_class", "line 2 and 3"),
    ),
    "supply twice": Case(
        "supply.csv", "us,gallium,canada,0.3", "us,gallium,china,0.3", "us,gallium,canada,0",
        2, "source", "us, gallium, china", ("same participant, material, source",),
    ),
    "holding twice": Case(
        "holdings.csv", "japan,dy_oxide,,10,", "us,gallium,,4,10", "japan,gallium,,10,",
        2, "material", "us, gallium", ("same participant, material",),
    ),
    "transfer twice": Case(
        "transfers.csv", "japan,us,2", "us,japan,2", "japan,us,1",
        2, "to_participant", "us, japan", ("same from_participant, to_participant",),
    ),
    "scenario twice": Case(
        "scenarios.csv", "both,0.1", "both,0.05\nboth,0.05", "both,0.05\nboth2,0.05",
        4, "scenario", "both", ("2 rows have the same scenario",),
    ),
    "product twice": Case(
        "project_products.csv", "recycler,dy_oxide,2", "smelter,dy_oxide,2",
        "recycler,dy_oxide,3",
        2, "material", "smelter, dy_oxide", ("same project, material", "line 2 and 3"),
    ),
    "lead time twice": Case(
        "leads.csv", "both,smelter", "calm,smelter", "calm,recycler",
        2, "project", "calm, smelter", ("same scenario, project", "line 2 and 3"),
    ),
    "recycling twice": Case(
        "recycling.csv", "gallium,dy_oxide", "gallium,", "dy_oxide,",
        2, "from_material", "japan, gallium",
        ("same participant, material, from_material", "line 2 and 3"),
    ),
    "share of a plant twice": Case(
        "plant_shares.csv", "industry,0.6", "industry,0.3\noxidation,japan,dy_oxide,industry,0.3",
        "industry,0.3\nreduction,us,gallium,industry,0.3",
        2, "demand_class", "oxidation, japan, dy_oxide, industry",
        ("same conversion, participant, material, demand_class", "line 2 and 3"),
    ),
    "classes of the same priority": Case(
        "classes.csv", "industry,2", "industry,1", "industry,7",
        2, "priority", "1", ("defense and industry have the same priority", "line 2 and 3"),
    ),
}  # fmt: skip

MEANING = {
    "supply shares above one": Case(
        "supply.csv", "us,gallium,canada,0.3", "us,gallium,canada,0.48", "us,gallium,canada,0.4",
        2, "share", "china 0.60, canada 0.48",
        ("supply shares of gallium for us add up to 1.08, which is above 1", "line 2 and 3",
         "never disrupted", "recycling.csv"),
    ),
    "probabilities below one": Case(
        "scenarios.csv", "calm,0.7", "calm,0.6", "calm,0.70000001",
        2, "probability", "0.9 in all", ("add up to 0.9; expected 1", "line 2 to 4"),
    ),
    "loss without a source": Case(
        "events.csv", "both,,china", "both,,", "both,,canada",
        3, "source", "", ("a supply_loss needs the source",),
    ),
    "surge with a source": Case(
        "events.csv", "both,demand_surge,,*,us", "both,demand_surge,china,*,us",
        "both,demand_surge,,gallium,us",
        4, "source", "china", ("a demand_surge has no source", "Leave the cell empty"),
    ),
    "blocked sharing with a source": Case(
        "hazards.csv", "sharing_blocked,,", "sharing_blocked,china,", "sharing_blocked,,",
        4, "source", "china", ("a sharing_blocked has no source",),
    ),
    "cut price with a source": Case(
        "events.csv", "both,price_cut,,", "both,price_cut,china,", "both,price_cut,,",
        6, "source", "china", ("a price_cut has no source", "expected an empty cell"),
    ),
    "price cut by more than all": Case(
        "events.csv", "0.4,smelter", "40,smelter", "1,smelter",
        6, "severity", "40", ("severity of a price_cut must be a number from 0 to 1",
                              "40 % is written 0.4"),
    ),
    "hazard that cuts prices by more than all": Case(
        "hazards.csv", "war,demand_surge,,*,*,defense,0.02,12,0,1.5,0",
        "war,price_cut,,*,*,,0.02,12,0,150,0.1", "war,price_cut,,*,*,,0.02,12,0,0.5,0.1",
        3, "severity_mean", "150", ("severity_mean of a price_cut", "No price can fall by more"),
    ),
    "collected above the most": Case(
        "recycling.csv", "0.1,0.05,0.4", "0.5,0.05,0.4", "0.39,0.05,0.4",
        2, "collection_rate", "0.5", ("must not be above collection_max 0.4", "grows to"),
    ),
    "recycled from itself twice": Case(
        "recycling.csv", "gallium,dy_oxide", "gallium,gallium", "dy_oxide,dy_oxide",
        2, "from_material", "gallium",
        ("two rows recycle gallium of japan from itself", "line 2 and 3", "the material itself"),
    ),
    "loss above one": Case(
        "events.csv", "4,6,0.9", "4,6,90", "4,6,1",
        2, "severity", "90", ("from 0 to 1", "90 % is written 0.9"),
    ),
    "blocked in part": Case(
        "events.csv", "us,,2,3,1", "us,,2,3,0.5", "us,,2,3,1.0",
        5, "severity", "0.5", ("severity of sharing_blocked must be 1",),
    ),
    "blocked in part by a hazard": Case(
        "hazards.csv", "0.05,3,0,1,0", "0.05,3,0,0.9,0", "0.05,3,0,1,",
        4, "severity_mean", "0.9", ("severity_mean of sharing_blocked must be 1",),
    ),
    "spread too large for its mean": Case(
        "hazards.csv", "0.5,0.8,0.2", "0.5,0.8,0.4", "0.5,0.8,0.39",
        2, "severity_sd", "0.4", ("must be below 0.4", "mean 0.8", "sd^2 < mean (1 - mean)"),
    ),
    "spread of a mean above one": Case(
        "hazards.csv", "0.02,12,0,1.5,0", "0.02,12,0,1.5,0.1", "0.02,12,0,0.5,0.1",
        3, "severity_sd", "0.1", ("must be 0 where severity_mean is 1.5",),
    ),
    "hazard that follows itself": Case(
        "hazards.csv", "0,embargo,0.3", "0,war,0.3", "0,embargo,1",
        3, "follows", "war", ("a hazard cannot follow itself",),
    ),
    "hazards in a circle": Case(
        "hazards.csv", "0.8,0.2,,,", "0.8,0.2,veto,0.1,", "0.8,0.2,,0,",
        2, "follows", "veto",
        ("in a circle: embargo follows veto follows war follows embargo", "line 2 to 4"),
    ),
    "least above most": Case(
        "holdings.csv", "2,4,10", "2,14,10", "2,10,10",
        2, "min_t", "14", ("min_t must not be above max_t 10 t",),
    ),
    "shortage rows in conflict": Case(
        "shortage.csv", "japan,gallium,*,25000", "japan,gallium,defense,25000",
        "japan,gallium,,20000",
        2, "shortage_cost_usd_per_kg", "20000, 3000",
        ("name equally much", "japan gallium industry", "line 2 and 3", "Add a row"),
    ),
    "coverage level above one": Case(
        "coverage.csv", "fill_rate,0.9", "fill_rate,95", "fill_rate,1",
        2, "level", "95", ("level of fill_rate", "from 0 to 1", "95 % is written 0.95"),
    ),
    "confidence missing": Case(
        "coverage.csv", "chance,0.8,0.95", "chance,0.8,", "chance,0.8,1",
        3, "confidence", "", ("chance needs a confidence",),
    ),
    "confidence above one": Case(
        "coverage.csv", "chance,0.8,0.95", "chance,0.8,95", "chance,0.8,0",
        3, "confidence", "95", ("from 0 to 1", "95 % is written 0.95"),
    ),
    "cvar of no scenario at all": Case(
        "coverage.csv", "cvar,0.5,0.9", "cvar,0.5,1", "cvar,0.5,0.999",
        4, "confidence", "1", ("confidence of cvar must be below 1", "use chance"),
    ),
    "stress case missing": Case(
        "coverage.csv", "0.7,,halt", "0.7,,", "0.7,,halt",
        5, "stress", "", ("needs the name of a case",),
    ),
    "group missing": Case(
        "coverage.csv", "joint_chance,0.8,0.9,,magnets", "joint_chance,0.8,0.9,,",
        "joint_chance,0.8,0.9,,alloys",
        9, "group", "", ("joint_chance needs a group",),
    ),
    "joint chance with two confidences": Case(
        "coverage.csv", "joint_chance,0.8,0.9", "joint_chance,0.8,0.95", "joint_chance,0.7,0.9",
        8, "confidence", "0.9, 0.95", ("group magnets differ", "the same confidence"),
    ),
    "negative days": Case(
        "coverage.csv", "days,60", "days,-60", "days,365",
        6, "level", "-60", ("of at least 0",),
    ),
    "rule rows in conflict": Case(
        "rules.csv", "tiered,own,industry,6", "tiered,own,*,0", "tiered,own,industry,7",
        3, "from_month", "0", ("two rows for own defense from month 0", "line 3 and 5"),
    ),
    "transfer to itself": Case(
        "transfers.csv", "us,japan,1", "us,us,1", "us,japan,0",
        2, "to_participant", "us", ("cannot ship to itself",),
    ),
    "commercial rows in conflict": Case(
        "commercial.csv", "60,0,,defense", "60,0.3,,industry", "60,0.3,,defense",
        2, "thrift_share", "0.3",
        ("two rows give a thrift for gallium of us, industry", "line 2 and 3", "all classes"),
    ),
    "too few shares": Case(
        "projects.csv", "0.5;0.4", "0.5", "0;0.4",
        2, "beneficiary_shares", "0.5", ("1 beneficiary_shares are given for 2", "us, japan"),
    ),
    "shares of output above one": Case(
        "projects.csv", "0.5;0.4", "0.5;0.6", "0.5;0.5",
        2, "beneficiary_shares", "0.5;0.6", ("add up to 1.1, which is above 1",),
    ),
    "fast track without its cost": Case(
        "projects.csv", "1e6,6", ",6", "0,6",
        2, "fast_track_usd", "", ("not what the fast track costs",),
    ),
    "slip of unknown length": Case(
        "projects.csv", "12,0.2,24", "12,0.2,", "12,0.2,0.5",
        2, "slip_months", "0", ("not by how much the project slips", "above 0 [months]"),
    ),
    "first material made besides": Case(
        "project_products.csv", "smelter,dy_oxide", "smelter,gallium", "smelter,dy_oxide",
        2, "material", "gallium",
        ("gallium is what smelter makes by projects.csv", "expected another material"),
    ),
    "plant given away more than once": Case(
        "plant_shares.csv", "oxidation,japan,dy_oxide,industry,0.6",
        "reduction,us,gallium,industry,0.6\nreduction,japan,gallium,industry,0.5",
        "reduction,us,gallium,industry,0.6\nreduction,japan,gallium,industry,0.4",
        2, "share", "0.6, 0.5",
        ("shares of the plant reduction add up to 1.1, which is above 1", "line 2 and 3"),
    ),
    "conversion into itself": Case(
        "conversions.csv", "dy_oxide,gallium", "gallium,gallium", "gallium,dy_oxide",
        2, "to_material", "gallium", ("two different materials",),
    ),
}  # fmt: skip

FILES = {
    "unknown column": Case(
        "transfers.csv", "cost_usd_per_t", "colour", "note",
        1, "colour", "colour",
        ("transfers.csv has no column colour", "Known columns: cost_usd_per_t, ref, note."),
    ),
    "misspelled column": Case(
        "demand.csv", "demand_t_per_year", "demand_t_per_yaer", " demand_t_per_year ",
        1, "demand_t_per_yaer", "demand_t_per_yaer", ("Did you mean demand_t_per_year?",),
    ),
    "column in other letters": Case(
        "demand.csv", "demand_class", "Demand_Class", '"demand_class"',
        1, "Demand_Class", "Demand_Class", ("Did you mean demand_class?",),
    ),
    "column missing": Case(
        "sources.csv", "source,name\nchina,China\ncanada,Canada", "source\nchina\ncanada",
        "name,source\nChina,china\nCanada,canada",
        1, "name", None, ("the column name is missing", "holds text"),
    ),
    "column twice": Case(
        "sources.csv", "source,name\nchina,China\ncanada,Canada",
        "source,name,name\nchina,China,x\ncanada,Canada,x",
        "source,name,note\nchina,China,x\ncanada,Canada,x",
        1, "name", "name", ("the column name is there twice",),
    ),
    "column without a name": Case(
        "sources.csv", "source,name\nchina,China\ncanada,Canada",
        "source,name,\nchina,China,\ncanada,Canada,",
        "source,name,ref\nchina,China,\ncanada,Canada,",
        1, None, "source,name,", ("column 3 has no name", "take out the comma"),
    ),
    "too many cells": Case(
        "sources.csv", "china,China", "china,China, People's Republic",
        'china,"China, People\'s Republic"',
        2, None, "china,China, People's Republic", ("3 cells", "2 columns", "needs quotes"),
    ),
    "too few cells": Case(
        "holdings.csv", "japan,dy_oxide,,10,", "japan,dy_oxide,,10", "japan,dy_oxide,,,",
        3, None, "japan,dy_oxide,,10", ("4 cells", "5 columns", "a comma for each cell"),
    ),
    "quote that is not closed": Case(
        "sources.csv", "canada,Canada", 'canada,"Canada', 'canada,"Canada"',
        3, None, None, ("cannot be read as CSV", "has to be closed"),
    ),
}  # fmt: skip

SETTINGS = {
    "no TOML": Case(
        "instance.toml", "price_year = 2025", "price_year 2025", "price_year=2025",
        4, None, "price_year 2025", ("not valid TOML",),
    ),
    "text without quotes": Case(
        "instance.toml", 'name = "tiny"', "name = tiny", "name = 'tiny'",
        2, None, "name = tiny", ("not valid TOML", "needs quotes"),
    ),
    "decimal comma": Case(
        "instance.toml", "gap = 0.02", "gap = 0,02", "gap = 0",
        14, None, "gap = 0,02", ("decimal point",),
    ),
    "setting twice": Case(
        "instance.toml", "seed = 7", "seed = 7\nseed = 8", "seed = 8",
        11, None, "seed = 8", ("not valid TOML",),
    ),
    "another format": Case(
        "instance.toml", "format = 1", "format = 2", "format = 1  # the first",
        1, "format", "2", ("format must be 1", "newer version"),
    ),
    "format as text": Case(
        "instance.toml", "format = 1", 'format = "1"', "format = 1",
        1, "format", '"1"', ("a whole number equal to 1",),
    ),
    "format missing": Case(
        "instance.toml", "format = 1\n", "", "format = 1\n\n",
        None, "format", None, ("format is missing",),
    ),
    "name missing": Case(
        "instance.toml", 'name = "tiny"\n', "", 'name = "small"\n',
        None, "name", None, ("name is missing: expected a name",),
    ),
    "name with a star": Case(
        "instance.toml", '"tiny"', '"tiny*"', '"tiny-2"',
        2, "name", '"tiny*"', ("a name without *",),
    ),
    "horizon of zero": Case(
        "instance.toml", "horizon_months = 24", "horizon_months = 0", "horizon_months = 36",
        5, "horizon_months", "0", ("a whole number of at least 1 [months]",),
    ),
    "part of a month": Case(
        "instance.toml", "horizon_months = 24", "horizon_months = 24.5", "horizon_months = 24.0",
        5, "horizon_months", "24.5", ("a whole number",),
    ),
    "number as text": Case(
        "instance.toml", "horizon_months = 24", 'horizon_months = "24"', "horizon_months = 24",
        5, "horizon_months", '"24"', ("a whole number",),
    ),
    "true as a number": Case(
        "instance.toml", "count = 100", "count = true", "count = 1",
        9, "[scenarios] count", "true", ("a whole number of at least 1",),
    ),
    "number as a flag": Case(
        "instance.toml", "nobody_worse_off = true", "nobody_worse_off = 1",
        "nobody_worse_off = false",
        19, "[agreement] nobody_worse_off", "1", ("true or false",),
    ),
    "unknown allocation": Case(
        "instance.toml", '"priority"', '"prorata"', '"pro_rata"',
        6, "allocation", '"prorata"', ("priority or pro_rata", "Did you mean pro_rata?"),
    ),
    "unknown cooperation": Case(
        "instance.toml", '"sharing"', '"shared"', '"joint"',
        13, "[solve] cooperation", '"shared"', ("none, sharing or joint", "Did you mean sharing?"),
    ),
    "gap of one": Case(
        "instance.toml", "gap = 0.02", "gap = 1", "gap = 0",
        14, "[solve] gap", "1", ("of at least 0 and below 1",),
    ),
    "infinite budget": Case(
        "instance.toml", "2.5e9", "inf", "0",
        17, "[agreement] joint_budget_usd", "inf", ("finite",),
    ),
    "unknown key": Case(
        "instance.toml", "price_year = 2025", "price_year = 2025\nhorizon = 3", "price_year = 2024",
        5, "horizon", None, ("no key horizon at the top", "Did you mean horizon_months?"),
    ),
    "unknown key of a section": Case(
        "instance.toml", "seed = 7", "sede = 7", "seed = 0",
        10, "[scenarios] sede", None, ("no key sede in [scenarios]", "Did you mean seed?"),
    ),
    "key in the wrong section": Case(
        "instance.toml", "gap = 0.02\n", "gap = 0.02\nseed = 3\n", "gap = 0.03\n",
        15, "[solve] seed", None, ("no key seed in [solve]", "belongs in [scenarios]"),
    ),
    "top key below a section": Case(
        "instance.toml", "seed = 7", 'seed = 7\ntitle = "late"', "seed = 7\n",
        11, "[scenarios] title", None, ("no key title in [scenarios]", "before the first section"),
    ),
    "unknown section": Case(
        "instance.toml", "[agreement]", "[agrement]", "[ agreement ]",
        16, "[agrement]", None, ("[agrement] is no section", "Did you mean agreement?"),
    ),
    "half of the risk limit": Case(
        "instance.toml", "cvar_confidence = 0.95\n", "", "cvar_confidence = 0.5\n",
        None, "[risk] cvar_confidence", None, ("no cvar_confidence that it is for", "Give both"),
    ),
    "risk without worst cases": Case(
        "instance.toml", "cvar_confidence = 0.95", "cvar_confidence = 1.0", "cvar_confidence = 0",
        22, "[risk] cvar_confidence", "1.0", ("below 1",),
    ),
}  # fmt: skip

ALL_CASES = [
    pytest.param(case, id=f"{group}: {name}")
    for group, cases in (
        ("cell", CELLS),
        ("name", NAMES),
        ("meaning", MEANING),
        ("file", FILES),
        ("setting", SETTINGS),
    )
    for name, case in cases.items()
]


@pytest.mark.parametrize("case", ALL_CASES)
def test_a_mistake_is_reported_once_and_the_nearest_valid_input_passes(folder, case):
    check(folder, case)


def test_the_folder_that_the_cases_start_from_is_valid(folder):
    load(folder)


# --- The folder -----------------------------------------------------------------------------------


def test_missing_folder(folder):
    mistake = only_mistake(folder.parent / "tinny")
    assert "there is no such folder" in mistake.message
    assert mistake.hint == f"Did you mean {folder}?"
    assert mistake.line is None


def test_file_instead_of_a_folder(folder):
    mistake = only_mistake(folder / "instance.toml")
    assert "an instance is a folder" in mistake.message
    assert str(folder) in mistake.hint


def test_folder_without_settings(folder):
    mistake = only_mistake(folder.parent)
    assert "has no instance.toml" in mistake.message
    assert "tiny" in mistake.hint
    (folder / "instance.toml").rename(folder / "Instance.toml")
    assert only_mistake(folder).hint == "Rename Instance.toml to instance.toml."


@pytest.mark.parametrize("table", ["participants", "classes", "materials", "demand"])
def test_required_table_missing(folder, table):
    (folder / f"{table}.csv").unlink()
    mistake = only_mistake(folder)  # Nothing is said about all the rows that refer to it.
    assert mistake.file == f"tiny/{table}.csv"
    assert f"{table}.csv is missing" in mistake.message
    assert "Required columns: " in mistake.hint


def test_required_table_saved_as_a_spreadsheet(folder):
    (folder / "demand.csv").rename(folder / "demand.xlsx")
    assert only_mistake(folder).hint == "Save demand.xlsx as demand.csv."


def test_required_table_without_rows(folder):
    write(folder, "demand.csv", "participant,material,demand_class,demand_t_per_year\n")
    assert "demand.csv has no rows" in mistakes_of(folder)[0].message


def test_table_that_is_named_but_missing(folder):
    (folder / "sources.csv").unlink()
    mistakes = mistakes_of(folder)  # One for each table that names sources, not for each row.
    assert [mistake.file for mistake in mistakes] == [
        f"tiny/{name}.csv"
        for name in ("supply", "hazards", "events", "stress", "projects", "concentration")
    ]
    assert mistakes[0].value == "china, canada"
    assert "there are no rows in sources.csv" in mistakes[0].message
    assert "lines 2 to 5" in str(mistakes[0])


def test_events_without_scenarios(folder):
    (folder / "scenarios.csv").unlink()
    messages = [mistake.message for mistake in mistakes_of(folder)]
    assert any("no scenarios.csv to say which scenarios there are" in text for text in messages)


def test_lead_times_without_scenarios(folder):
    (folder / "scenarios.csv").unlink()
    (folder / "events.csv").unlink()
    mistake = only_mistake(folder)
    assert (mistake.file, mistake.column) == ("tiny/leads.csv", "scenario")
    assert "there are no rows in scenarios.csv" in mistake.message


def test_hazards_and_scenarios_may_both_be_there(folder):
    assert load(folder).hazards
    assert load(folder).scenarios


def test_unknown_table(folder):
    (folder / "holdings.csv").rename(folder / "holding.csv")
    mistake = only_mistake(folder)
    assert mistake.file == "tiny/holding.csv"
    assert "holding.csv is no table of the format" in mistake.message
    assert "Did you mean holdings.csv?" in mistake.hint


def test_required_table_under_a_wrong_name_is_reported_once(folder):
    (folder / "materials.csv").rename(folder / "Materials.CSV")
    mistake = only_mistake(folder)
    assert mistake.file == "tiny/Materials.CSV"
    assert "Did you mean materials.csv?" in mistake.hint


def test_table_outside_the_folder(folder):
    (folder / "demand.csv").rename(folder.parent / "demand.csv")
    (folder / "demand.csv").symlink_to(folder.parent / "demand.csv")
    mistake = only_mistake(folder)
    assert mistake.file == "tiny/demand.csv"
    assert "outside the folder" in mistake.message


def test_settings_outside_the_folder(folder):
    (folder / "instance.toml").rename(folder.parent / "other.toml")
    (folder / "instance.toml").symlink_to("../other.toml")
    assert "outside the folder" in only_mistake(folder).message


def test_link_to_nothing(folder):
    (folder / "demand.csv").unlink()
    (folder / "demand.csv").symlink_to("nothing.csv")
    assert "this is no file" in only_mistake(folder).message


def test_link_to_itself(folder):
    (folder / "demand.csv").unlink()
    (folder / "demand.csv").symlink_to("demand.csv")
    # Python before 3.13 tells a loop from a link to nothing.
    assert re.search("leads back to itself|this is no file", only_mistake(folder).message)


def test_pipe_instead_of_a_table(folder):
    (folder / "demand.csv").unlink()
    os.mkfifo(folder / "demand.csv")
    assert "this is no file" in only_mistake(folder).message


# --- Files that cannot be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"", None, "the file is empty"),
        (b"\n \n,,\n", None, "the file is empty"),
        (b"source,name\nchina,China\ncanada,Qu\xe9bec\n", 3, "the file is not UTF-8"),
        (b"source,name\nchina,Ch\x00ina\n", 2, "NUL byte"),
        ("source,name\nchina,China\n".encode("utf-16"), 1, "the file is UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", None, "a spreadsheet or an archive"),
        (b"source;name\nchina;China\n", 1, "separated by semicolons"),
        (b"source\tname\nchina\tChina\n", 1, "separated by tabs"),
        (b'source,name\nchina,"China" x\n', 2, "cannot be read as CSV"),
        (b"source,name\nchina," + b"x" * 200_000 + b"\n", 2, "cannot be read as CSV"),
    ],
)
def test_table_that_cannot_be_read(folder, data, line, says):
    write(folder, "sources.csv", data)
    mistake = only_mistake(folder)  # Rows that name sources are not blamed.
    assert mistake.file == "tiny/sources.csv"
    assert mistake.line == line
    assert says in mistake.message
    assert mistake.hint
    write(folder, "sources.csv", b"\xef\xbb\xbfsource,name\r\nchina,China\r\ncanada,Qu\xc3\xa9bec")
    load(folder)


def test_byte_that_is_not_utf_8_is_shown(folder):
    write(folder, "sources.csv", b"source,name\nchina,China\ncanada,Qu\xe9bec\n")
    assert only_mistake(folder).value == "canada,Qu\\xe9bec"


def test_settings_that_are_not_utf_8(folder):
    write(folder, "instance.toml", b'format = 1\ntitle = "M\xe9xico"\n')
    mistake = only_mistake(folder)
    assert (mistake.line, mistake.value) == (2, 'title = "M\\xe9xico"')
    assert mistake.hint == "Save it as UTF-8."


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_toml_that_overstrains_the_parser(folder, text):
    write(folder, "instance.toml", text)
    mistakes = mistakes_of(folder)
    assert all(mistake.file == "tiny/instance.toml" for mistake in mistakes)


def test_settings_that_cannot_be_read_do_not_hide_mistakes_in_tables(folder):
    edit(folder, "instance.toml", "format = 1", "format = ")
    edit(folder, "demand.csv", "defense,3", "defense,-3")
    files = [mistake.file for mistake in mistakes_of(folder)]
    assert files == ["tiny/instance.toml", "tiny/demand.csv"]


def test_section_written_as_a_value(folder):
    write(
        folder,
        "instance.toml",
        'format = 1\nname = "x"\nprice_year = 2025\nhorizon_months = 24\nsolve = "joint"\n',
    )
    mistake = only_mistake(folder)
    assert (mistake.line, mistake.column, mistake.value) == (5, "solve", '"joint"')
    assert "[solve] on a line of its own" in mistake.hint


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("scratch"))


JUNK = st.binary(max_size=6) | st.sampled_from(
    [b",", b";", b"*", b"\n", b'"', b"\r", b"=", b"[", b"9" * 400, b"nan", b"us", b"\xef\xbb\xbf"]
)


@pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")
@given(
    name=st.sampled_from(sorted(TINY)),
    start=st.integers(0, 400),
    length=st.integers(0, 9),
    junk=JUNK,
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_is_read_or_reported(scratch, name, start, length, junk):
    data = TINY[name].encode()
    start %= len(data)
    write(scratch, name, data[:start] + junk + data[start + length :])
    try:
        validate(load(scratch))
    except InstanceError as error:
        reported = str(error)
    else:
        reported = "valid"
    write(scratch, name, TINY[name])
    assert reported


# --- All at once, and nothing twice ---------------------------------------------------------------


def test_many_mistakes_are_reported_at_once_in_the_order_of_the_files(folder):
    edit(folder, "instance.toml", "seed = 7", "seed = -7")
    edit(folder, "transfers.csv", "us,japan,1", "us,us,1")
    edit(folder, "demand.csv", "us,gallium,industry,12", "us,galium,industry,12")
    edit(folder, "demand.csv", "defense,3", "defense,three")
    edit(folder, "materials.csv", "oxide,300,2", "oxide,-300,0")
    mistakes = mistakes_of(folder)
    assert [(mistake.file, mistake.line, mistake.column) for mistake in mistakes] == [
        ("tiny/instance.toml", 10, "[scenarios] seed"),
        ("tiny/materials.csv", 3, "price_usd_per_kg"),
        ("tiny/materials.csv", 3, "lot_t"),
        ("tiny/demand.csv", 2, "demand_t_per_year"),
        ("tiny/demand.csv", 3, "material"),
        ("tiny/transfers.csv", 2, "to_participant"),
    ]
    assert str(InstanceError(mistakes)).startswith("6 mistakes\n\n")


def test_a_name_misspelled_everywhere_is_one_mistake(folder):
    edit(folder, "sources.csv", "china,China", "chyna,China")
    mistakes = mistakes_of(folder)
    assert [(mistake.file, mistake.value) for mistake in mistakes] == [
        (f"tiny/{name}.csv", "china")
        for name in ("supply", "hazards", "events", "stress", "concentration")
    ]
    assert "tiny/supply.csv, lines 2, 4 and 5, column source: china" in str(mistakes[0])


def test_rows_are_not_blamed_for_a_wrong_row_that_they_refer_to(folder):
    edit(folder, "participants.csv", "us,United States,0.04", "us,United States,4 %")
    assert only_mistake(folder).column == "discount_rate_per_year"
    edit(folder, "participants.csv", "us,United States,4 %", "us,United States")
    assert "cells" in only_mistake(folder).message


def test_a_wrong_probability_is_not_blamed_twice(folder):
    edit(folder, "scenarios.csv", "calm,0.7", "calm,70")
    assert only_mistake(folder).column == "probability"


def test_a_wrong_demand_does_not_lower_the_limit_of_a_holding(folder):
    edit(folder, "demand.csv", "dy_oxide,industry,400", "dy_oxide,industry,400 t")
    assert only_mistake(folder).file == "tiny/demand.csv"


def test_a_wrong_horizon_does_not_blame_events(folder):
    edit(folder, "instance.toml", "horizon_months = 24", 'horizon_months = "24"')
    assert only_mistake(folder).column == "horizon_months"


def test_a_tie_is_settled_by_a_row_that_names_more(folder):
    edit(folder, "shortage.csv", "japan,gallium,*,25000\n", "")
    assert "name equally much" in only_mistake(folder).message
    edit(folder, "shortage.csv", "japan,*,,3000", "japan,*,,20000")
    load(folder)  # They agree, so it does not matter which one wins.


def test_a_tie_where_nothing_is_used_does_not_matter(folder):
    edit(folder, "shortage.csv", "japan,gallium,*,25000", "us,*,*,5\nus,gallium,,7")
    edit(folder, "shortage.csv", "japan,*,,3000", "japan,dy_oxide;gallium,,3000")
    load(folder)


# --- The text of an error -------------------------------------------------------------------------


def test_an_error_says_what_where_why_and_what_to_do(folder):
    edit(folder, "supply.csv", "us,gallium,canada,0.3", "us,gallium,canada,0.48")
    with pytest.raises(InstanceError) as caught:
        load(folder)
    assert str(caught.value) == (
        "supply shares of gallium for us add up to 1.08, which is above 1\n"
        "  tiny/supply.csv, lines 2 and 3, column share: china 0.60, canada 0.48\n"
        "  Shares are fractions of normal supply; what they leave below 1 is never disrupted.\n"
        "  Recycling that comes on top of it belongs in recycling.csv."
    )


def test_long_lists_of_mistakes_are_cut():
    mistake = Mistake("a.csv", 2, "share", "x", "share must be a number")
    text = str(InstanceError([mistake] * (PRINTED_MISTAKES + 7)))
    assert text.startswith("27 mistakes")
    assert text.count("share must be") == PRINTED_MISTAKES
    assert text.endswith("and 7 more")


def test_values_cannot_steer_a_terminal_or_flood_it():
    mistake = Mistake("a.csv", 2, "name", "\x1b[2J" + "x" * 1000, "wrong")
    text = str(mistake)
    assert "\x1b" not in text
    assert "\\x1b[2J" in text
    assert len(text) < 200


@pytest.mark.parametrize("kind", [InstanceError, NotBuiltError, ResultError, UsageError])
def test_every_error_is_a_stockpile_error(kind):
    assert issubclass(kind, StockpileError)


def test_an_instance_changed_in_memory_names_lines_of_its_file(folder):
    instance = load(folder)
    row = dataclasses.replace(instance.supply[1], share=0.9)
    supply = (instance.supply[0], row, *instance.supply[2:])
    with pytest.raises(InstanceError, match=r"supply\.csv, lines 2 and 3, column share"):
        validate(dataclasses.replace(instance, supply=supply))
