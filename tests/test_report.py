"""Reports: what they say is what results say, and nothing gets in or out."""

from __future__ import annotations

import errno
import html.parser
import io
import json
import os
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

import stockpile as sp
from stockpile.cli import main
from stockpile.errors import ResultError, UsageError
from stockpile.languages import language
from stockpile.redaction import BANDS, band, band_names, rounded
from stockpile.reports.document import Column, Figure, Table, written
from stockpile.reports.evidence import gather
from stockpile.reports.markdown import markdown
from stockpile.reports.page import page, paper
from stockpile.reports.plan_report import plan_report
from stockpile.reports.report import report_document, written_as
from stockpile.reports.saved import SavedComparison, read_result
from stockpile.tables import Project

TOY = Path(__file__).parents[1] / "instances" / "toy"


def pdf_possible():
    """Say whether WeasyPrint finds its libraries, which are not part of a package."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


PDF = pdf_possible()
NASTY = '<script>alert("x")</script>=1+1|*`[a](b)&amp;'


@pytest.fixture(scope="module")
def toy():
    instance = sp.load(TOY)
    return instance, sp.solve(instance, gap=0.0, progress=False)


@pytest.fixture(scope="module")
def results(toy, tmp_path_factory):
    """Folders of a plan and a comparison."""
    folder = tmp_path_factory.mktemp("results")
    instance, plan = toy
    plan.save(folder / "plan")
    sp.compare(instance, progress=False).save(folder / "comparison")
    return folder


@pytest.fixture(scope="module")
def document(toy, results):
    instance, plan = toy
    comparison = read_result(results / "comparison")
    return report_document(plan, instance=instance, comparison=comparison, progress=False)


@pytest.fixture(scope="module")
def html_page(document):
    return page(document)


class Seen(html.parser.HTMLParser):
    """Remembers the elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))


def section(document, name):
    return next(item for item in document.sections if item.name == name)


def table(document, name):
    return next(item for item in document.tables if item.name == name)


# --- What is said ---------------------------------------------------------------------------------


def test_the_answer_is_that_of_the_toy_by_hand(document):
    """docs/toy.md: 16 t for 11 million USD, 440,600 USD a year, 119,400 saved of 560,000."""
    said = " ".join(document.lead)
    assert "hold 16 t of 2 materials" in said
    assert "buy 16 t of it, for 11 million USD" in said
    assert "keeps 4 of 4 promises" in said
    assert "a cost of 441 thousand USD a year" in said
    assert "no plan from the same rules and lots costs less" in said
    assert "saves 119 thousand USD a year, 21.3 % of what acting alone costs" in said


def test_every_number_of_the_plan_is_in_a_table(document, toy):
    _, plan = toy
    rows = table(document, "holdings").body
    assert [row[3] for row in rows] == plan.holdings["holding_t"].tolist()
    assert [row[6] for row in rows] == pytest.approx(plan.holdings["days_of_cover"].tolist())
    total = table(document, "costs").rows[-1]
    assert total[-1] * 1e6 == pytest.approx(plan.annual_cost_usd)


def test_the_sections_are_there_in_order(document):
    assert [item.name for item in document.sections] == [
        "holdings",
        "rules",
        "coverage",
        "stress",
        "cost",
        "cooperation",
        "sensitivity",
        "offices",
        "supply",
        "certificate",
    ]


def test_the_ladder_says_who_is_served_in_which_order(document):
    """The rule `shared` serves everybody from the whole stock: own before partners."""
    steps = next(part for part in section(document, "rules").parts if isinstance(part, Table))
    assert [row[1] for row in steps.rows] == [
        "own defense",
        "partner's defense",
        "own industry",
        "partner's industry",
    ]
    assert {row[4] for row in steps.rows} == {"nothing"}


def test_the_split_is_that_of_the_comparison(document, results):
    splits = read_result(results / "comparison").tables["splits"]
    shown = table(document, "splits").rows
    assert [row[3] for row in shown] == pytest.approx((splits["pays_usd"] / 1e6).tolist())


def test_the_frontier_is_shown_saved_or_not(toy, tmp_path):
    """Cost against budget, but for the point without any budget, and what one step more costs."""
    instance, plan = toy
    curve = sp.frontier(instance, vary="budget", values=[0.9, 1.0], progress=False)
    steps = sp.marginals(instance, progress=False)
    curve.save(tmp_path / "frontier", steps)
    saved = read_result(tmp_path / "frontier")
    for given in ({"frontier": saved}, {"frontier": curve, "marginals": steps}):
        document = report_document(plan, **given)
        rows = table(document, "frontier").rows
        points = [point for point in curve.points if point.plan and point.parameter is not None]
        assert len(points) == 2
        assert [row[1] * 1e6 for row in rows] == pytest.approx(
            [point.annual_cost_usd for point in points]
        )
        shown = table(document, "marginals").rows
        assert len(shown) == int(steps.table["change_usd_per_year"].notna().sum())
        assert 'id="frontier"' in page(document)


def test_charts_have_axes_with_units_and_the_numbers_behind_them(document):
    figures = [
        part for item in document.sections for part in item.parts if isinstance(part, Figure)
    ]
    figures.append(document.picture)
    assert len(figures) >= 8
    for figure in figures:
        assert figure.data.rows
        titles = json.dumps(figure.wide)
        assert re.search(r"USD|days|%|share|month", titles), figure.name


def test_a_plan_without_its_instance_says_less_and_simulates_nothing(toy):
    _, plan = toy
    document = report_document(plan)
    names = [item.name for item in document.sections]
    assert names == ["holdings", "rules", "coverage", "cost", "certificate"]
    assert "us and japan should hold" in document.lead[0]


def test_what_is_infeasible_is_reported_as_such(toy):
    instance, _ = toy
    coverage = tuple(replace(row, level=1e6) for row in instance.coverage if row.metric == "days")
    instance = replace(instance, coverage=coverage)
    document = report_document(sp.solve(instance, progress=False), instance=instance)
    assert "Not all promises and limits can be kept." in document.lead[0]
    assert "out of reach" in page(document)


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "No coverage is promised"), ("ja", "約束はなく")]
)
def test_without_promises_none_are_counted(toy, lang, words):
    instance = replace(toy[0], coverage=())
    plan = sp.solve(instance, progress=False)
    document = report_document(plan, instance=instance, lang=lang)
    assert words in " ".join(document.lead)
    assert "0 of 0" not in page(document)
    assert "0件中" not in page(document)


def test_fresh_scenarios_are_told_where_there_are_any():
    instance = sp.generate(materials=2, scenarios=150, months=24)
    plan = sp.solve(instance, gap=0.05, progress=False)
    document = report_document(plan, instance=instance, scenarios=400, progress=False)
    assert "on 400 fresh ones" in document.lead[1]
    assert "95 % interval" in [c.title for c in table(document, "coverage").columns]


# --- Pages ----------------------------------------------------------------------------------------


def test_a_page_holds_everything_and_asks_for_nothing(html_page):
    seen = Seen(html_page).elements
    for tag, attributes in seen:
        assert tag not in {"link", "img", "iframe", "object", "embed", "video", "audio"}
        assert "src" not in attributes
        if tag == "a":
            assert attributes["href"].startswith(("#", "data:text/csv"))
    assert "@import" not in html_page
    assert "url(http" not in html_page
    assert sum(tag == "svg" for tag, _ in seen) >= 16  # Every chart for two widths.
    policy = next(a["content"] for t, a in seen if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


def test_names_within_drawings_are_not_used_twice(html_page):
    names = [a["id"] for _, a in Seen(html_page).elements if "id" in a]
    assert len(names) == len(set(names))


def test_text_in_names_stays_text(toy):
    instance, _ = toy
    nasty = replace(
        instance,
        materials=(replace(instance.materials[0], name=NASTY), *instance.materials[1:]),
        title=NASTY,
    )
    plan = sp.solve(nasty, progress=False)
    document = report_document(plan, instance=nasty, progress=False)
    for text in (page(document), paper(document)):
        scripts = [a for tag, a in Seen(text).elements if tag == "script"]
        assert len(scripts) == 1
        assert "<script>alert" not in text
    plain = markdown(document)
    assert "<script>" not in plain
    assert "\\|\\*\\`\\[a\\](b)" in plain
    book = openpyxl.load_workbook(io.BytesIO(written_as(document, "xlsx")))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


def test_the_data_behind_a_chart_are_in_the_page(html_page, document):
    import base64

    links = [a for tag, a in Seen(html_page).elements if tag == "a" and "download" in a]
    by_name = {a["download"]: a["href"] for a in links}
    text = base64.b64decode(by_name["purchases.csv"].split(",", 1)[1]).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0] == "material,participant,outlay_million_usd"
    assert len(lines) == 1 + len(document.picture.data.rows)


def test_the_same_results_give_the_same_bytes(toy, document):
    instance, plan = toy
    again = report_document(plan, instance=instance, comparison=None, progress=False)
    once = report_document(plan, instance=instance, comparison=None, progress=False)
    for form in ("html", "md", "xlsx"):
        assert written_as(again, form) == written_as(once, form)


def test_every_way_of_writing_is_of_its_kind(toy, tmp_path):
    _, plan = toy
    if PDF:
        assert sp.report(plan, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert zipfile.is_zipfile(sp.report(plan, tmp_path / "a.xlsx"))
    assert sp.report(plan, tmp_path / "a.md").read_text().startswith("# toy")
    assert sp.report(plan, tmp_path / "a.html").read_text().startswith("<!doctype html>")
    with pytest.raises(UsageError, match="ends with one of"):
        sp.report(plan, tmp_path / "a.docx")


def test_japanese_has_words_for_all_that_is_said(toy, results):
    instance, plan = toy
    comparison = read_result(results / "comparison")
    document = report_document(
        plan, instance=instance, comparison=comparison, lang="ja", progress=False
    )
    for item in document.sections:
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", item.title)
    for shown in document.tables:
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", shown.title)
    assert 'lang="ja"' in page(document)


def test_plans_side_by_side(toy):
    instance, plan = toy
    alone = sp.solve(instance, gap=0.0, cooperation="none", progress=False)
    document = report_document({"together": plan, "alone": alone}, instance=instance)
    assert "together costs least, 441 thousand USD a year" in document.lead[0]
    assert "alone most, 560 thousand USD a year" in document.lead[0]
    assert "119 thousand USD a year of the difference is proved" in document.lead[1]
    rows = table(document, "holdings-of-plans").rows
    assert rows[0] == ("Gallium", "United States", 3.0, 6.0)
    assert "together" in page(document)


# --- Wrong input ----------------------------------------------------------------------------------


def test_results_of_something_else_are_refused(toy, results, tmp_path):
    instance, plan = toy
    other = replace(instance, horizon_months=13)
    with pytest.raises(ResultError, match="made from toy"):
        gather(plan, instance=other)
    comparison = read_result(results / "comparison")
    wrong = SavedComparison({**comparison.summary, "instance": {"name": "x", "hash": "0" * 64}}, {})
    with pytest.raises(ResultError, match="about another instance"):
        gather(plan, comparison=wrong)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "plan.json").unlink(), "is not a result"),
        (lambda f: (f / "plan.json").write_text("{"), "is damaged"),
        (lambda f: (f / "holdings.csv").write_text("x\n"), "has the columns x"),
        (lambda f: (f / "costs.csv").unlink(), "cannot be read"),
        (
            lambda f: (f / "plan.json").write_text(
                (f / "plan.json").read_text().replace('"format": 1', '"format": 2')
            ),
            "format 2 is not known",
        ),
    ],
)
def test_damaged_results_are_named_in_one_line(toy, tmp_path, capsys, spoil, words):
    _, plan = toy
    plan.save(tmp_path / "plan")
    spoil(tmp_path / "plan")
    assert main(["report", str(tmp_path / "plan"), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_missing_result_and_a_batch_are_named(tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    sp.batch(TOY, tmp_path / "batch", progress=False)
    assert main(["report", str(tmp_path / "batch")]) == 2
    assert "name runs in it" in capsys.readouterr().err


def test_the_command_writes_whole_folders_and_leaves_others_alone(results, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = [str(results / "plan"), str(results / "comparison"), "--instance", str(TOY)]
    assert main(["report", *arguments, "--md", "--xlsx", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["report.md", "report.xlsx"]
    assert "Acting together saves" in capsys.readouterr().out
    assert main(["report", *arguments, "--md", "--out", str(out)]) == 0
    assert [path.name for path in out.iterdir()] == ["report.md"]
    (out / "mine.txt").write_text("precious")
    assert main(["report", *arguments, "--md", "--out", str(out)]) == 2
    assert (out / "mine.txt").exists()


def test_two_comparisons_and_changes_without_an_instance_are_refused(results, tmp_path, capsys):
    comparison = str(results / "comparison")
    other = str(shutil.copytree(comparison, tmp_path / "other"))
    assert main(["report", str(results / "plan"), comparison, other]) == 2
    assert "name one at most" in capsys.readouterr().err
    assert main(["report", str(results / "plan"), "--set", "horizon_months=3"]) == 2
    assert "name it with --instance" in capsys.readouterr().err
    assert main(["report", comparison]) == 2
    assert "no result is a plan" in capsys.readouterr().err


def test_folders_that_cannot_be_written_are_named_in_one_line(
    results, tmp_path, capsys, monkeypatch
):
    (tmp_path / "file").write_text("precious")
    arguments = ["report", str(results / "plan"), "--md", "--out"]
    assert main([*arguments, str(tmp_path / "file" / "out")]) == 2
    error = capsys.readouterr().err
    assert "cannot be made in it" in error
    assert len(error.splitlines()) == 1

    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main([*arguments, str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err.splitlines()
    assert "No space left on device" in error[-1]
    assert not (tmp_path / "out").exists()


# --- Numbers --------------------------------------------------------------------------------------


def test_numbers_are_written_with_the_digits_that_matter():
    number, share = Column("a", "a", kind="number"), Column("a", "a", kind="share")
    assert written(None, number) == "-"
    assert written(float("nan"), number) == "-"
    assert written(1234567.8, number) == "1,234,568"
    assert written(0.000123456, number) == "0.000123"
    assert written(1.0, share) == "100 %"
    assert written(0.999999, share) != "100 %"


# --- Redaction ------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path):
    """An instance of large and unmistakable numbers, laid over from a private folder.

    Its project is so cheap that it is funded.
    """
    folder = tmp_path / "public"
    made = sp.generate(materials=3, scenarios=100, months=24)
    rows = tuple(replace(row, existing_t=0.0) for row in made.holdings)
    project = Project(
        project="smelter",
        kind="metal",
        material=made.materials[0].material,
        capacity_t_per_year=4129.7,
        beneficiaries=(made.participants[0].participant,),
        beneficiary_shares=(1.0,),
        funder=made.participants[0].participant,
        capital_usd=47591.3,
        operating_usd_per_t=1000.0 * made.materials[0].price_usd_per_kg + 1.37,
        lead_median_months=1.0,
        lead_sigma=0.0,
    )
    made = replace(made, holdings=rows, name="public", projects=(project,))
    sp.save(made, folder)
    private = tmp_path / "private"
    private.mkdir()
    lines = ["participant,material,existing_t"]
    for number, row in enumerate(rows):
        lines.append(f"{row.participant},{row.material},{7919.0 + 104.729 * number}")
    (private / "holdings.csv").write_text("\n".join(lines) + "\n")
    return folder, private


def content(folder):
    """Return all that can be read in files, inside archives and compressed streams too."""
    import zlib

    found = []
    for path in Path(folder).rglob("*"):
        data = path.read_bytes()
        found.append(data.decode("utf-8", "replace"))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found += [
                    archive.read(name).decode("utf-8", "replace") for name in archive.namelist()
                ]
        for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
            try:
                text = zlib.decompress(stream).decode("latin-1")
                # Where objects begin says nothing, though it may look like any number.
                found.append(re.sub(r"^[\d\s]+", "", text))
            except zlib.error:
                continue
        for link in re.findall(r"base64,([A-Za-z0-9+/=]+)", found[0] if found else ""):
            import base64

            found.append(base64.b64decode(link).decode("utf-8", "replace"))
    return "\n".join(found)


def forms(value):
    """Return how a number may be written."""
    texts = {repr(float(value)), f"{value:g}", f"{value:.10g}", f"{value:,.0f}", f"{value:.0f}"}
    texts |= {f"{value:,.1f}", f"{value:.1f}", f"{value / 1e6!r}", f"{value / 1e6:.3g}"}
    return {text for text in texts if len(text.strip("0.")) >= 4}


def test_no_hidden_number_is_anywhere_in_the_output(secret, tmp_path, capsys):
    folder, private = map(str, secret)
    instance = sp.load(folder, overlay=private)
    plan = sp.solve(instance, gap=0.05, progress=False)
    plan.save(tmp_path / "full")
    capsys.readouterr()
    more = ["--overlay", private, "--redact", "holdings,existing"]
    assert main(["solve", folder, "--gap", "0.05", *more, "--out", str(tmp_path / "shown")]) == 0
    assert main(["solve", folder, "--gap", "0.05", *more, "--json"]) == 0
    kinds = ["--html", "--md", "--xlsx", *(["--pdf"] if PDF else [])]
    arguments = [str(tmp_path / "full"), "--instance", folder, *more, *kinds]
    assert main(["report", *arguments, "--out", str(tmp_path / "report")]) == 0
    said = capsys.readouterr()
    text = content(tmp_path / "shown") + content(tmp_path / "report") + said.out + said.err
    held = plan.holdings
    hidden = {
        *held["existing_t"],
        *held["holding_t"],
        *held["buy_t"],
        *held["days_of_cover"],
        *held["outlay_usd"],
        *held["annual_holding_cost_usd"],
        *held["lots"],
        *plan.costs["holding"],
        *plan.costs["shortage"],
        float(held["outlay_usd"].sum()),
        plan.annual_cost_usd,
        plan.bound_usd,
        *plan.projects["capital_usd"],
        *plan.projects["capital_usd_per_year"],
        *plan.projects["support_usd_per_year"],
        *plan.projects["output_t_per_year"],
    }
    assert plan.projects["funded"].all()
    tried = {form for value in hidden if value == value for form in forms(value)}
    assert len(tried) > 40
    full = content(tmp_path / "full")
    assert sum(form in full for form in tried) > 20  # They would be found where they are.
    for form in tried:
        assert not re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d])", text), form
    assert instance.content_hash not in text
    assert instance.content_hash[:12] not in text
    assert set(band_names()) & set(re.findall(r"over 365|\d+ to \d+|up to 30|none", text))


def test_no_number_of_one_nation_is_in_a_plan_for_its_partner(secret, tmp_path):
    folder, private = map(str, secret)
    instance = sp.load(folder, overlay=private)
    plan = sp.solve(instance, gap=0.05, progress=False)
    plan.save(tmp_path / "full")
    asked = ["redact", folder, str(tmp_path / "full"), "--overlay", private, "--of", "nation_2"]
    assert main([*asked, "--out", str(tmp_path / "shown")]) == 0
    text = content(tmp_path / "shown")
    held = plan.holdings[plan.holdings["participant"] == "nation_2"]
    other = plan.holdings[plan.holdings["participant"] != "nation_2"]
    columns = ("existing_t", "holding_t", "buy_t", "outlay_usd", "annual_holding_cost_usd")
    known = {*other["existing_t"], *other["holding_t"]}
    tried = {
        form
        for column in (*columns, "days_of_cover")
        for value in held[column]
        if value == value and value not in known
        for form in forms(value)
    }
    assert len(tried) > 10
    for form in tried:
        assert not re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d])", text), form
    assert instance.content_hash not in text
    assert any(f"{tonnes:.10g} t" in text for tonnes in other["holding_t"])


def test_what_is_not_hidden_is_shown(secret, tmp_path):
    folder, private = map(str, secret)
    instance = sp.load(folder, overlay=private)
    plan = sp.solve(instance, gap=0.05, progress=False)
    document = report_document(plan, instance=instance, redact=["existing"])
    text = markdown(document)
    for tonnes in plan.holdings["holding_t"]:
        assert f"{tonnes:.10g} t" in text
    assert "7919" not in text


def test_bands_are_of_days_of_cover():
    for days, expected in (
        (0.0, "none"),
        (0.5, "up to 30"),
        (30.0, "up to 30"),
        (30.1, "30 to 60"),
        (365.0, "180 to 365"),
        (366.0, "over 365"),
    ):
        assert band(days, 2.0 * days) == expected
    assert band(None, 5.0) == "some"
    assert len(band_names()) == len(BANDS) + 2


def test_sums_of_money_keep_two_digits():
    assert rounded(123_456.0) == 120_000.0
    assert rounded(0.0) == 0.0
    assert rounded(None) is None
    assert rounded(-98_765.0) == -99_000.0


def test_what_cannot_be_hidden_is_refused(results, capsys):
    assert main(["report", str(results / "plan"), "--redact", "holding"]) == 2
    assert "Did you mean holdings?" in capsys.readouterr().err
    assert main(["report", str(results / "plan"), "--redact", "holdings"]) == 2
    assert "the instance is needed" in capsys.readouterr().err


def test_the_report_in_english_is_what_plan_report_makes(toy):
    instance, plan = toy
    evidence = gather(plan, instance=instance)
    assert plan_report(evidence, language("en")).lead[0].startswith("United States and Japan")
