"""A tiny valid instance folder with every table of the format, and ways to change it."""

from pathlib import Path

TINY = {
    "instance.toml": """\
format = 1
name = "tiny"
title = "Two nations, two materials"
price_year = 2025
horizon_months = 24
allocation = "priority"

[scenarios]
count = 100
seed = 7

[solve]
cooperation = "sharing"
gap = 0.02

[agreement]
joint_budget_usd = 2.5e9
max_distinct_rules = 3
nobody_worse_off = true

[risk]
cvar_confidence = 0.95
cvar_limit_usd_per_year = 1e9
""",
    "participants.csv": """\
participant,name,discount_rate_per_year,acquisition_budget_usd,refill_per_month
us,United States,0.04,,0.05
japan,Japan,0.03,1e9,
""",
    "classes.csv": """\
demand_class,priority,shortage_cost_multiple
defense,1,50
industry,2,5
""",
    "materials.csv": """\
material,name,element,form,price_usd_per_kg,lot_t,rotation_rate_per_year,ref,\
shelf_life_months,renewal_loss
gallium,Gallium,Ga,metal,500,1,0.1,usgs,60,0.3
dy_oxide,Dysprosium oxide,Dy,oxide,300,2,,,,
""",
    "demand.csv": """\
participant,material,demand_class,demand_t_per_year
us,gallium,defense,3
us,gallium,industry,12
japan,gallium,industry,90
japan,dy_oxide,industry,400
""",
    "shortage.csv": """\
participant,material,demand_class,shortage_cost_usd_per_kg
*,gallium,*,20000
japan,*,,3000
japan,gallium,*,25000
""",
    "sources.csv": """\
source,name
china,China
canada,Canada
""",
    "supply.csv": """\
participant,material,source,share
us,gallium,china,0.6
us,gallium,canada,0.3
japan,gallium,china,0.9
japan,dy_oxide,china,1
""",
    "holdings.csv": """\
participant,material,existing_t,min_t,max_t
us,gallium,2,4,10
japan,dy_oxide,,10,
""",
    "hazards.csv": """\
hazard,effect,source,materials,targets,demand_class,events_per_year,duration_median_months,\
duration_sigma,severity_mean,severity_sd,follows,follow_probability,follow_delay_months
embargo,,china,*,us;japan,,0.1,6,0.5,0.8,0.2,,,
war,demand_surge,,*,*,defense,0.02,12,0,1.5,0,embargo,0.3,2
veto,sharing_blocked,,gallium,us,,0.05,3,0,1,0,war,0.5,1
""",
    "scenarios.csv": """\
scenario,probability
calm,0.7
embargo,0.2
both,0.1
""",
    "events.csv": """\
scenario,effect,source,materials,targets,demand_class,start_month,duration_months,severity,answers
embargo,supply_loss,china,gallium,*,,4,6,0.9,
both,,china,*,*,*,1,12,1,
both,demand_surge,,*,us,defense,24,3,1.5,
both,sharing_blocked,,*,us,,2,3,1,
both,price_cut,,gallium,,,13,12,0.4,smelter
""",
    "stress.csv": """\
stress,source,start_month,duration_months,severity
halt,china,1,12,1
halt,canada,3,2,0.5
""",
    "outcomes.csv": """\
stress,month,outcome
halt,2,"Plants stop, says the press"
""",
    "coverage.csv": """\
participant,material,demand_class,metric,level,confidence,stress,group,sharing
*,*,defense,fill_rate,0.9,,,,
us;japan,gallium,*,chance,0.8,0.95,,,on
japan,,industry,cvar,0.5,0.9,,,off
*,*,*,stress,0.7,,halt,,
japan,dy_oxide,,days,60,,,,off
*,gallium,*,days,30,,,pool,
us,*,defense,joint_chance,0.9,0.9,,magnets,
japan,*,defense,joint_chance,0.8,0.9,,magnets,
""",
    "rules.csv": """\
rule,relation,demand_class,from_month,reserve_level,draw_limit_per_month,trigger_loss
open,*,*,,,,
tiered,own,defense,0,0,1,0
tiered,own,industry,0,0.5,0.25,0.1
tiered,own,industry,6,0.2,0.25,0.1
tiered,partner,defense;industry,,0.6,,0.3
""",
    "transfers.csv": """\
from_participant,to_participant,lag_months,cost_usd_per_t
us,japan,1,1500
japan,us,2,1500
""",
    "commercial.csv": """\
participant,material,industry_days,thrift_share,thrift_after_months,demand_class
us,gallium,30,0.1,3,industry
us,gallium,60,0,,defense
japan,gallium,20,0.2,2,*
""",
    "facilities.csv": """\
facility,participant,storage_kind,capacity_t,fixed_cost_usd_per_year,existing
depot,us,warehouse,500,1e6,true
annex,us,warehouse,900,2e6,
""",
    "projects.csv": """\
project,kind,material,capacity_t_per_year,beneficiaries,beneficiary_shares,funder,capital_usd,\
operating_usd_per_t,lead_median_months,lead_sigma,fast_track_usd,fast_track_months,\
ramp_months,slip_probability,slip_months,life_years,source
smelter,separation,gallium,40,us;japan,0.5;0.4,joint,2e8,100000,30,0.4,1e6,6,12,0.2,24,20,canada
recycler,recycling,gallium,5,us,1,us,1e7,200000,12,0.2,,,,,,,
""",
    "project_products.csv": """\
project,material,capacity_t_per_year,operating_usd_per_t
smelter,dy_oxide,15,
recycler,dy_oxide,2,50000
""",
    "leads.csv": """\
scenario,project,lead_months
calm,smelter,24
both,smelter,36.5
""",
    "recycling.csv": """\
participant,material,from_material,collection_rate,collection_growth_per_year,collection_max,\
yield,delay_months
japan,gallium,,0.1,0.05,0.4,0.9,6
japan,gallium,dy_oxide,0.02,,,0.8,
""",
    "concentration.csv": """\
participant,material,source,max_share
*,gallium,*,0.95
us;japan,*,china,0.9
""",
    "conversions.csv": """\
conversion,participant,from_material,to_material,yield,capacity_t_per_month,lag_months,cost_usd_per_t
reduction,japan,dy_oxide,gallium,0.85,10,1,20000
oxidation,us,gallium,dy_oxide,1.1,5,0,1000
""",
    "plant_shares.csv": """\
conversion,participant,material,demand_class,share
oxidation,japan,dy_oxide,industry,0.6
""",
    "references.csv": """\
ref,title,url,year,kind
usgs,Mineral Commodity Summaries,https://example.org/mcs,2025,reported
guess,Own judgement,,,assumption
""",
}
"""Text of each file. Dysprosium does not become gallium, but two materials are enough to read."""


def tiny_folder(parent):
    """Write the tiny instance into a new folder of ``parent`` and return the folder."""
    folder = Path(parent) / "tiny"
    folder.mkdir()
    for name, text in TINY.items():
        write(folder, name, text)
    return folder


def write(folder, name, text):
    """Write a file of a folder, text as UTF-8 and bytes as they are."""
    data = text.encode("utf-8") if isinstance(text, str) else text
    (folder / name).write_bytes(data)


def edit(folder, name, old, new):
    """Replace the one place of a file that reads ``old``."""
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
    write(folder, name, text.replace(old, new))
