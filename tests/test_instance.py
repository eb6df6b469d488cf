import csv
import dataclasses
import io
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from folders import TINY, edit, tiny_folder, write
from hypothesis import given, settings
from hypothesis import strategies as st

from stockpile.errors import InstanceError, UsageError
from stockpile.instance import Instance, load, save, validate
from stockpile.tables import (
    PROJECT_KINDS,
    TABLES,
    ConcentrationCap,
    Conversion,
    Demand,
    DemandClass,
    Holding,
    Material,
    Participant,
    PlantShare,
    Project,
    ProjectProduct,
    Recycling,
    Reference,
    RuleRow,
    ScenarioSettings,
    Source,
    Supply,
    columns,
)


@pytest.fixture
def folder(tmp_path):
    return tiny_folder(tmp_path)


def small():
    """An instance made in memory, with what every instance needs and no more."""
    return Instance(
        name="small",
        price_year=2025,
        horizon_months=12,
        participants=(Participant(participant="us", name="US", discount_rate_per_year=0.04),),
        classes=(DemandClass(demand_class="all", priority=1, shortage_cost_multiple=10.0),),
        materials=(
            Material(
                material="ga",
                name="Gallium",
                element="Ga",
                form="metal",
                price_usd_per_kg=500.0,
                lot_t=1.0,
            ),
        ),
        demand=(
            Demand(participant="us", material="ga", demand_class="all", demand_t_per_year=12.0),
        ),
    )


# --- Reading --------------------------------------------------------------------------------------


def test_values_are_read_from_the_cells(folder):
    instance = load(folder)
    assert (instance.name, instance.price_year, instance.horizon_months) == ("tiny", 2025, 24)
    assert instance.scenario_settings == ScenarioSettings(count=100, seed=7)
    assert instance.solve_settings.gap == 0.02
    assert instance.agreement.joint_budget_usd == 2.5e9
    assert instance.agreement.nobody_worse_off is True
    assert instance.risk.cvar_confidence == 0.95
    gallium = instance.materials[0]
    assert gallium == Material(
        material="gallium",
        name="Gallium",
        element="Ga",
        form="metal",
        price_usd_per_kg=500.0,
        lot_t=1.0,
        rotation_rate_per_year=0.1,
        shelf_life_months=60.0,
        renewal_loss=0.3,
        ref=("usgs",),
    )
    assert instance.conversions[0].yield_ == 0.85
    smelter = instance.projects[0]
    assert smelter.beneficiary_shares == (0.5, 0.4)
    assert (smelter.slip_probability, smelter.slip_months, smelter.life_years) == (0.2, 24.0, 20.0)
    assert instance.recycling[1].from_material == "dy_oxide"
    assert (instance.recycling[0].yield_, instance.recycling[0].delay_months) == (0.9, 6)
    assert instance.concentration[1].participant == ("us", "japan")
    assert instance.leads[1].lead_months == 36.5
    assert instance.plant_shares[0].share == 0.6
    assert (instance.events[-1].effect, instance.events[-1].answers) == ("price_cut", "smelter")
    assert instance.facilities[0].existing is True
    assert instance.hazards[0].targets == ("us", "japan")
    assert instance.rules[-1].demand_class == ("defense", "industry")


def test_empty_cells_are_the_defaults_of_the_format(folder):
    instance = load(folder)
    japan = instance.participants[1]
    assert japan.refill_per_month == 0.0
    assert instance.participants[0].acquisition_budget_usd is None
    dy_oxide = instance.materials[1]
    assert (dy_oxide.rotation_rate_per_year, dy_oxide.storage_kind) == (0.0, "warehouse")
    assert dy_oxide.world_supply_t_per_year is None
    assert instance.shortage[1].demand_class == ("*",)
    assert (instance.holdings[1].existing_t, instance.holdings[1].max_t) == (0.0, None)
    embargo = instance.hazards[0]
    assert (embargo.effect, embargo.demand_class) == ("supply_loss", ("*",))
    assert (embargo.follows, embargo.follow_probability, embargo.follow_delay_months) == (
        None,
        0,
        0,
    )
    assert instance.events[2].source is None
    assert instance.coverage[0].sharing == "on"
    assert (instance.coverage[0].confidence, instance.coverage[0].group) == (None, None)
    assert instance.coverage[2].material == ("*",)
    assert instance.rules[0].draw_limit_per_month == 1.0
    assert instance.facilities[1].existing is False
    recycler = instance.projects[1]
    assert (recycler.fast_track_usd, recycler.life_years, recycler.source) == (None, None, None)
    assert (recycler.ramp_months, recycler.slip_probability, recycler.slip_months) == (0, 0.0, 0.0)
    assert (dy_oxide.loss_rate_per_year, dy_oxide.shelf_life_months) == (0.0, None)
    assert dy_oxide.renewal_loss == 1.0
    assert instance.events[0].answers is None
    assert instance.hazards[0].answers is None
    assert instance.project_products[0].operating_usd_per_t is None
    collected = instance.recycling[1]
    assert instance.recycling[0].from_material is None
    assert (collected.collection_growth_per_year, collected.collection_max) == (0.0, 1.0)
    assert collected.delay_months == 0
    assert instance.concentration[0].participant == ("*",)


def test_rows_keep_the_order_of_their_tables_and_know_their_lines(folder):
    edit(folder, "participants.csv", "us,United", "\n,,,,\nus,United")
    instance = load(folder)
    assert [row.participant for row in instance.participants] == ["us", "japan"]
    assert [row.line for row in instance.participants] == [4, 5]  # Empty lines are skipped.
    assert [row.demand_class for row in instance.classes] == ["defense", "industry"]


def test_lines_are_counted_over_cells_of_several_lines(folder):
    write(folder, "sources.csv", 'source,name,note\nchina,China,"one\ntwo"\ncanada,Canada,\n')
    instance = load(folder)
    assert instance.sources[0].note == "one\ntwo"
    assert [row.line for row in instance.sources] == [2, 4]


def test_every_table_and_column_of_the_format_is_read(folder):
    instance = load(folder)
    for table, row_type in TABLES.items():
        assert getattr(instance, table), table
        assert {"ref", "note"} <= {column.name for column in columns(row_type)}


def test_only_four_tables_are_required(folder):
    for name in TINY:
        if name not in ("participants.csv", "classes.csv", "materials.csv", "demand.csv"):
            (folder / name).unlink()
    edit(folder, "materials.csv", "usgs", "")
    write(
        folder, "instance.toml", 'format = 1\nname = "x"\nprice_year = 2025\nhorizon_months = 1\n'
    )
    instance = load(folder)
    assert instance.allocation == "priority"
    assert instance.scenario_settings == ScenarioSettings(count=2000, seed=0)
    assert (instance.solve_settings.cooperation, instance.solve_settings.gap) == ("sharing", 0.01)
    assert instance.agreement.max_distinct_rules is None
    assert instance.hazards == instance.rules == ()


def test_files_that_are_no_tables_are_left_alone(folder):
    write(folder, "README.md", "# Tiny\n")
    write(folder, ".hidden.csv", "not a table")
    (folder / "sources").mkdir()
    assert load(folder).name == "tiny"


def test_a_link_within_the_folder_is_followed(folder):
    (folder / "data").mkdir()
    (folder / "demand.csv").rename(folder / "data" / "demand.csv")
    (folder / "demand.csv").symlink_to(Path("data") / "demand.csv")
    assert len(load(folder).demand) == 4


def test_the_folder_itself_may_be_a_link(folder):
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert load(link) == load(folder)


def test_reading_needs_no_heavy_package():
    code = (
        "import sys, stockpile.instance; "
        "print([name for name in ('numpy', 'pandas', 'scipy', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- Content hash ---------------------------------------------------------------------------------


def reorder_columns(text):
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        row[::-1] for row in rows
    )
    return out.getvalue()


def test_the_hash_does_not_depend_on_how_files_are_written(folder):
    before = load(folder)
    for name, text in TINY.items():
        if name.endswith(".csv"):
            write(folder, name, b"\xef\xbb\xbf" + reorder_columns(text).encode())
        else:
            write(folder, name, "# comment\r\n" + text.replace("\n", "\r\n").replace(" = ", "="))
    after = load(folder)
    assert after == before
    assert after.content_hash == before.content_hash


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("participants.csv", "japan,Japan,0.03,1e9,", "japan,Japan,3e-2,1000000000.0,0"),
        ("hazards.csv", "embargo,,china,*,us;japan,,", "embargo,supply_loss,china,,us; japan,*,"),
        ("coverage.csv", "japan,,industry,cvar", "japan,*,industry,cvar"),
        ("facilities.csv", "true", "TRUE"),
        ("facilities.csv", "900,2e6,", "900,2e6,false"),
        ("instance.toml", "joint_budget_usd = 2.5e9", "joint_budget_usd = 2_500_000_000"),
        ("instance.toml", 'allocation = "priority"\n', ""),
        ("instance.toml", "seed = 7", 'seed = 7\nsampling = "plain"'),
        ("events.csv", "24,3,1.5", "24.0,3,1.50"),
        ("materials.csv", "300,2,,,,", "300,2,,,,1"),
        ("recycling.csv", "0.02,,,0.8,", "0.02,0,1,0.80,0"),
        ("projects.csv", "12,0.2,,,,,,,", "12,0.2,,,0,0,0,,"),
    ],
)
def test_a_default_spelled_out_or_another_spelling_has_the_same_hash(folder, name, old, new):
    before = load(folder)
    edit(folder, name, old, new)
    assert load(folder) == before
    assert load(folder).content_hash == before.content_hash


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("materials.csv", "0.1,usgs", "0.1,guess"),
        ("references.csv", "Own judgement", "Our judgement"),
        ("instance.toml", "seed = 7", "seed = 8"),
        ("instance.toml", "seed = 7", 'seed = 7\nsampling = "stratified"'),
        ("instance.toml", "nations", "countries"),
        ("demand.csv", "us,gallium,defense,3", "us,gallium,defense,3.0000000000000004"),
        ("materials.csv", "usgs,60,0.3", "usgs,60,"),
        ("events.csv", "0.4,smelter", "0.4,"),
        ("recycling.csv", "0.02,,,0.8,", "0.02,0.1,,0.8,"),
        ("plant_shares.csv", "0.6", "0.7"),
        ("concentration.csv", "china,0.9", "china,0.8"),
        ("demand.csv", "us,gallium,defense,3\nus,gallium,industry,12",
         "us,gallium,industry,12\nus,gallium,defense,3"),
    ],
)  # fmt: skip
def test_any_change_of_content_changes_the_hash(folder, name, old, new):
    before = load(folder)
    edit(folder, name, old, new)
    assert load(folder) != before
    assert load(folder).content_hash != before.content_hash


def test_the_hash_of_a_given_content_stays_the_same_over_versions():
    """Results name the instance by its hash, so a change of it has to be deliberate."""
    expected = "f186f86cfca5e50e61ce76b1ee3d4fa02549bbcb0e1df541c5b4784bf1ccee9b"
    assert small().content_hash == expected


def test_tables_and_columns_that_came_later_leave_earlier_hashes_alone(folder):
    """The hash of the tiny folder without them is the one from before there were any."""
    later = ("project_products", "leads", "recycling", "concentration", "plant_shares", "outcomes")
    for name in later:
        (folder / f"{name}.csv").unlink()
    edit(folder, "materials.csv", "usgs,60,0.3", "usgs,,")
    edit(folder, "events.csv", "both,price_cut,,gallium,,,13,12,0.4,smelter\n", "")
    edit(folder, "projects.csv", "12,0.2,24,20,canada", ",,,,")
    edit(folder, "conversions.csv", "oxidation,us,gallium,dy_oxide,1.1,5,0,1000\n", "")
    expected = "4d73d1f665d687b50c11a636c88e553a287fb002bdd000fcf0be744c0f5aa32c"
    assert load(folder).content_hash == expected


def test_the_hash_takes_any_number_type():
    plain = small()
    demand = dataclasses.replace(plain.demand[0], demand_t_per_year=12)
    assert dataclasses.replace(plain, demand=(demand,)).content_hash == plain.content_hash
    demand = dataclasses.replace(plain.demand[0], demand_t_per_year=np.float64(12.0))
    changed = dataclasses.replace(plain, demand=(demand,), horizon_months=np.int64(12))
    validate(changed)
    assert changed.content_hash == plain.content_hash


# --- Frozen data ----------------------------------------------------------------------------------


def test_nothing_can_be_changed(folder):
    instance = load(folder)
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.demand[0].demand_t_per_year = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        instance.risk.cvar_confidence = 0.5
    for table, row_type in TABLES.items():
        assert isinstance(getattr(instance, table), tuple)
        assert not hasattr(getattr(instance, table)[0], "__dict__"), row_type


def test_rows_that_differ_only_in_their_line_are_equal():
    row = Source(source="china", name="China", line=3)
    assert row == Source(source="china", name="China", line=9)
    assert hash(row) == hash(Source(source="china", name="China"))
    assert "line" not in repr(row)


def test_an_instance_made_in_memory_is_validated_by_the_same_rules():
    instance = small()
    validate(instance)
    wrong = dataclasses.replace(
        instance,
        horizon_months=0,
        demand=(
            *instance.demand,
            Demand(participant="uss", material="ga", demand_class="all", demand_t_per_year=1.0),
            Demand(participant="us", material="ga", demand_class="all", demand_t_per_year=-1.0),
        ),
        supply=(Supply(participant="us", material="ga", source="china", share="much"),),
        holdings=(Participant(participant="x", name="X", discount_rate_per_year=0.0),),
        rules=[],
    )
    with pytest.raises(InstanceError) as caught:
        validate(wrong)
    text = str(caught.value)
    assert "horizon_months must be a whole number of at least 1 [months]" in text
    assert "Did you mean us?" in text
    assert "demand_t_per_year must be a number of at least 0 [t/year]\n  demand.csv, column" in text
    assert "share must be a number from 0 to 1" in text
    assert "a row of holdings must be Holding" in text
    assert "rules must be a tuple of RuleRow" in text
    assert " line " not in text  # Nothing was read from a file.
    assert len(caught.value.mistakes) == 6


@pytest.mark.parametrize(
    "row",
    [
        Reference(ref="=cmd", title="T", kind="estimate"),
        Reference(ref=" a", title="T", kind="estimate"),
        Reference(ref="a;b", title="T", kind="estimate"),
        Reference(ref="a\u200bb", title="T", kind="estimate"),
        Reference(ref="a", title="T\x1b[31m", kind="estimate"),
        Reference(ref="a", title="T ", kind="estimate"),
        Reference(ref="a", title="", kind="estimate"),
        Reference(ref="a", title="\ud800", kind="estimate"),
        Reference(ref="a", title="T", kind="estimate", year=2024.5),
        Reference(ref="a", title="T", kind="estimate", year=True),
        Reference(ref="a", title="T", kind="guess"),
        Reference(ref="a", title=None, kind="estimate"),
    ],
)
def test_a_row_that_would_not_come_back_from_a_file_is_refused(row, tmp_path):
    validate(
        dataclasses.replace(small(), references=(Reference(ref="a", title="T", kind="estimate"),))
    )
    with pytest.raises(InstanceError):
        save(dataclasses.replace(small(), references=(row,)), tmp_path / "out")
    assert not list(tmp_path.iterdir())


# --- Writing --------------------------------------------------------------------------------------


def test_what_is_saved_is_loaded_again(folder, tmp_path):
    instance = load(folder)
    copy = load(save(instance, tmp_path / "deep" / "copy"))
    assert copy == instance
    assert copy.content_hash == instance.content_hash
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["copy"]


def test_saving_writes_no_table_without_rows(tmp_path):
    folder = save(small(), tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == [
        "classes.csv", "demand.csv", "instance.toml", "materials.csv", "participants.csv",
    ]  # fmt: skip
    assert (folder / "participants.csv").read_bytes() == (
        b"participant,name,discount_rate_per_year\nus,US,0.04\n"
    )


def test_saving_into_an_empty_folder_is_possible(tmp_path):
    assert load(save(small(), tmp_path)) == small()


def test_saving_never_overwrites(folder):
    before = sorted(folder.iterdir())
    with pytest.raises(UsageError, match="not empty"):
        save(small(), folder)
    assert sorted(folder.iterdir()) == before
    with pytest.raises(UsageError, match="not a folder"):
        save(small(), folder / "demand.csv")


def test_saving_leaves_nothing_behind_when_it_fails(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left on device"):
        save(small(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


# --- Property: every instance comes back the same -------------------------------------------------

FREE_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20
).map(str.strip)
NAMES = (
    st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1)
    .map(str.strip)
    .filter(lambda name: name and name[0] not in "=+-@" and not set(name) & set(";*"))
)
POSITIVE = st.floats(min_value=1e-300, max_value=1e300)
AMOUNTS = st.floats(min_value=0.0, max_value=1e300) | st.integers(0, 10**6).map(float)
FRACTIONS = st.floats(0.0, 1.0)


def names(least, most):
    """Lists of names that no reader would mix up."""
    return st.lists(
        NAMES,
        min_size=least,
        max_size=most,
        unique_by=lambda name: unicodedata.normalize("NFC", name).casefold(),
    )


@st.composite
def instances(draw):
    participants, materials = draw(names(1, 3)), draw(names(1, 3))
    classes, sources, refs = draw(names(1, 3)), draw(names(0, 3)), draw(names(0, 2))
    projects = draw(names(0, 2))
    plants = draw(names(0, 2)) if len(materials) > 1 else []

    def some(universe):
        chosen = st.lists(st.sampled_from(universe), min_size=1, unique=True).map(tuple)
        return draw(st.just(("*",)) | chosen)

    def cited():
        ref = tuple(draw(st.lists(st.sampled_from(refs), unique=True))) if refs else ()
        return {"ref": ref, "note": draw(FREE_TEXT)}

    streams = [(c, m, k) for c in participants for m in materials for k in classes]
    label = FREE_TEXT.filter(bool)
    return Instance(
        name=draw(NAMES),
        title=draw(FREE_TEXT),
        price_year=draw(st.integers(1900, 2200)),
        horizon_months=draw(st.integers(1, 2**62)),
        allocation=draw(st.sampled_from(["priority", "pro_rata"])),
        scenario_settings=ScenarioSettings(seed=draw(st.integers(0, 2**63 - 1))),
        participants=tuple(
            Participant(
                participant=name,
                name=draw(label),
                discount_rate_per_year=draw(AMOUNTS),
                acquisition_budget_usd=draw(st.none() | AMOUNTS),
                refill_per_month=draw(FRACTIONS),
                project_budget_usd=draw(st.none() | AMOUNTS),
                **cited(),
            )
            for name in participants
        ),
        classes=tuple(
            DemandClass(demand_class=name, priority=i + 1, shortage_cost_multiple=draw(AMOUNTS))
            for i, name in enumerate(classes)
        ),
        materials=tuple(
            Material(
                material=name,
                name=draw(label),
                element=draw(label),
                form=draw(label),
                price_usd_per_kg=draw(POSITIVE),
                lot_t=draw(POSITIVE),
                world_supply_t_per_year=draw(st.none() | POSITIVE),
                storage_kind=draw(NAMES),
                loss_rate_per_year=draw(AMOUNTS),
                shelf_life_months=draw(st.none() | POSITIVE),
                renewal_loss=draw(FRACTIONS),
                **cited(),
            )
            for name in materials
        ),
        demand=tuple(
            Demand(participant=c, material=m, demand_class=k, demand_t_per_year=draw(AMOUNTS))
            for c, m, k in draw(
                st.lists(st.sampled_from(streams), min_size=1, max_size=4, unique=True)
            )
        ),
        sources=tuple(Source(source=name, name=draw(label)) for name in sources),
        supply=tuple(
            Supply(
                participant=participants[0], material=materials[0], source=name,
                share=draw(st.floats(0.0, 0.33)),
            )
            for name in sources
        ),
        holdings=tuple(
            Holding(participant=c, material=materials[0], existing_t=draw(AMOUNTS))
            for c in participants
        ),
        rules=tuple(
            RuleRow(
                rule=name,
                relation=draw(st.sampled_from([("own",), ("partner", "own"), ("*",)])),
                demand_class=some(classes),
                from_month=draw(st.integers(0, 99)),
                reserve_level=draw(FRACTIONS),
            )
            for name in draw(names(0, 2))
        ),
        projects=tuple(
            Project(
                project=name,
                kind=draw(st.sampled_from(PROJECT_KINDS)),
                material=materials[0],
                capacity_t_per_year=draw(AMOUNTS),
                beneficiaries=tuple(participants[:1]),
                beneficiary_shares=(draw(FRACTIONS),),
                funder=draw(st.sampled_from(["joint", *participants])),
                capital_usd=draw(AMOUNTS),
                operating_usd_per_t=draw(AMOUNTS),
                lead_median_months=draw(AMOUNTS),
                lead_sigma=draw(AMOUNTS),
                ramp_months=draw(st.integers(0, 99)),
                slip_probability=draw(FRACTIONS),
                slip_months=draw(POSITIVE),
                life_years=draw(st.none() | POSITIVE),
                source=draw(st.sampled_from([None, *sources])),
                **cited(),
            )
            for name in projects
        ),
        project_products=tuple(
            ProjectProduct(
                project=name,
                material=materials[-1],
                capacity_t_per_year=draw(AMOUNTS),
                operating_usd_per_t=draw(st.none() | AMOUNTS),
            )
            for name in projects
            if len(materials) > 1
        ),
        recycling=tuple(
            Recycling(
                participant=c,
                material=materials[-1],
                from_material=draw(st.sampled_from([None, *materials])),
                collection_rate=0.5 * draw(FRACTIONS),
                collection_growth_per_year=draw(AMOUNTS),
                collection_max=draw(st.floats(0.5, 1.0)),
                yield_=draw(POSITIVE),
                delay_months=draw(st.integers(0, 99)),
            )
            for c in participants
        ),
        concentration=tuple(
            ConcentrationCap(
                participant=some(participants),
                material=some(materials),
                source=some(sources),
                max_share=draw(FRACTIONS),
            )
            for _ in sources
        ),
        conversions=tuple(
            Conversion(
                conversion=name,
                participant=participants[-1],
                from_material=materials[0],
                to_material=materials[-1],
                yield_=draw(POSITIVE),
                capacity_t_per_month=draw(AMOUNTS),
                lag_months=draw(st.integers(0, 99)),
                cost_usd_per_t=draw(AMOUNTS),
            )
            for name in plants
        ),
        plant_shares=tuple(
            PlantShare(
                conversion=name,
                participant=participants[0],
                material=materials[-1],
                demand_class=classes[0],
                share=draw(FRACTIONS),
            )
            for name in plants
        ),
        references=tuple(
            Reference(
                ref=name,
                title=draw(label),
                url=draw(FREE_TEXT),
                year=draw(st.none() | st.integers(-3000, 3000)),
                kind="estimate",
            )
            for name in refs
        ),
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore::stockpile.InstanceWarning")
@given(instances())
@settings(max_examples=60, deadline=None)
def test_every_instance_comes_back_the_same(instance):
    with tempfile.TemporaryDirectory() as parent:
        copy = load(save(instance, Path(parent) / "copy"))
        assert copy == instance
        assert copy.content_hash == instance.content_hash
        again = load(save(copy, Path(parent) / "again"))
        for path in (Path(parent) / "copy").iterdir():
            assert path.read_bytes() == (Path(parent) / "again" / path.name).read_bytes()
        assert again == instance
