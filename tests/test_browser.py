"""The report of the real instance in a browser: charts, tables, and nothing from outside.

Needs Chromium and the extra ``browser``; without them these tests are skipped.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import stockpile as sp

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

US_JAPAN = Path(__file__).parents[1] / "instances" / "us-japan-one-form"
NASTY = '<img src=x onerror="document.title=1"><script>document.title = "pwned"</script>'
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, TABLET, PHONE = (1280, 900), (820, 1100), (390, 844)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of us-japan-one-form, on few scenarios, one material of a malicious name."""
    instance = sp.load(US_JAPAN)
    first, *others = instance.materials
    instance = replace(instance, materials=(replace(first, name=NASTY), *others))
    plan = sp.solve(instance, gap=0.1, scenarios=200, progress=False)
    assert plan.found
    path = tmp_path_factory.mktemp("browser") / "report.html"
    return sp.report(plan, path, instance=instance, scenarios=200, progress=False)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(params=[DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def page(request, browser, report):
    """The report at one width, with all that went wrong and all that was asked for."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    shown = context.new_page()
    shown.errors, shown.requests = [], []
    shown.on("console", lambda m: shown.errors.append(m.text) if m.type == "error" else None)
    shown.on("pageerror", lambda error: shown.errors.append(str(error)))
    shown.on("request", lambda asked: shown.requests.append(asked.url))
    shown.goto(report.as_uri(), wait_until="load")
    yield shown
    context.close()


def test_it_opens_without_errors_and_asks_nobody_for_anything(page, report):
    assert page.errors == []
    assert page.requests == [report.as_uri()]
    assert report.stat().st_size < 3 * 2**20


def test_it_fits_the_width(page):
    """Nothing but a table may be wider than the screen, and that scrolls by itself."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_every_chart_shows_marks_in_one_of_its_forms(page):
    figures = page.locator("figure")
    assert figures.count() >= 12
    for number in range(figures.count()):
        drawings = figures.nth(number).locator("svg:visible")
        assert drawings.count() == 1
        marks = drawings.first.locator(
            "[class~=role-mark] path[d], [class~=role-mark] line, [class~=role-mark] rect"
        )
        assert marks.count() > 0
        box = drawings.first.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 50


def test_labels_of_charts_do_not_overlap(page):
    """No two labels of an axis lie on each other."""
    overlaps = page.evaluate(
        """() => {
          const found = [];
          for (const axis of document.querySelectorAll("svg .role-axis-label")) {
            const boxes = [...axis.querySelectorAll("text")]
              .filter((text) => text.getAttribute("opacity") !== "0" && text.textContent)
              .map((text) => [text.textContent, text.getBoundingClientRect()])
              .filter(([, box]) => box.width > 0);
            for (let i = 1; i < boxes.length; i++) {
              const [a, b] = [boxes[i - 1][1], boxes[i][1]];
              const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
              const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
              if (wide > 2 && high > 3) found.push(boxes[i - 1][0] + " / " + boxes[i][0]);
            }
          }
          return found;
        }"""
    )
    assert overlaps == []


def test_text_in_names_stays_text(page):
    assert page.title() != "pwned"
    assert page.title() != "1"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.get_by_text("<script>", exact=False).count() > 0


def test_tables_sort_by_a_click_and_sums_stay_last(page):
    table = page.locator("#table-costs table")
    heading = table.locator("th button", has_text="Total")

    def column():
        return [
            float(cell)
            for cell in table.locator("tbody tr:not(.total) td:last-child").evaluate_all(
                "cells => cells.map((cell) => cell.dataset.value)"
            )
        ]

    heading.click()
    assert column() == sorted(column())
    assert heading.locator("xpath=..").get_attribute("aria-sort") == "ascending"
    heading.click()
    assert column() == sorted(column(), reverse=True)
    assert "total" in table.locator("tbody tr").last.get_attribute("class")


def test_long_tables_unfold(page):
    folded = page.locator("#table-holdings details")
    assert folded.locator("tbody").is_hidden()
    folded.locator("summary").click()
    assert folded.locator("tbody").is_visible()
    assert folded.locator("tbody tr").count() == 2 * 34 + 1


def test_data_are_downloaded_from_the_page_itself(page, tmp_path):
    with page.expect_download() as started:
        page.locator("#figure-purchases a.data").click()
    saved = tmp_path / "data.csv"
    started.value.save_as(saved)
    assert saved.read_text(encoding="utf-8-sig").startswith("material,participant,")


def test_dark_screens_get_a_dark_page(browser, report):
    context = browser.new_context(color_scheme="dark")
    shown = context.new_page()
    shown.goto(report.as_uri())
    colours = shown.evaluate(
        "[getComputedStyle(document.body).backgroundColor, "
        "getComputedStyle(document.querySelector('svg .role-axis-label text')).fill]"
    )
    background, label = (
        sum(int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
        for colour in colours
    )
    assert background < 150
    assert label > 450
    context.close()
