"""The page on which people review captions, in a real browser if there is one."""

import csv
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.data.annotations import clean_text
from kerasgan.errors import UserError
from kerasgan.report import review_page
from kerasgan.report.review_page import save_review_page
from tests.report.makers import SCRIPT, PageReader, make_run

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run whose second test image is missing."""
    run = make_run(tmp_path / "run", tmp_path)
    ids = [f"scene-{n:06}" for n in range(8) if n != 1]
    images = {name: np.full((32, 32, 3), n, np.uint8) for n, name in enumerate(ids)}
    references = {name: [f"reference </script>{SCRIPT}", ""] for name in ids}
    split = SimpleNamespace(ids=ids, captions=list(references.values()))
    monkeypatch.setattr(review_page, "open_test_split", lambda run: split)
    monkeypatch.setattr(
        review_page, "read_images", lambda split, names: {n: images[n] for n in names}
    )
    return run


def items_of(path):
    html = path.read_text(encoding="utf-8")
    page = PageReader(html)
    assert not page.open_tags and "alert(1)" not in "".join(page.texts)
    scripts = html.split('id="items">')[1].split("</script>")
    return json.loads(scripts[0])


def test_the_page_has_all_captions_as_data(run):
    content = items_of(save_review_page(run))
    assert content["row"] == "reranked" and len(content["items"]) == 7
    captions = {item["caption"] for item in content["items"]}
    assert captions >= {"=1+1", f"{clean_text(SCRIPT)} 2"}
    reference = clean_text(f"reference </script>{SCRIPT}")
    assert all(item["references"] == [reference] for item in content["items"])
    human = items_of(save_review_page(run, row="human", count=3, seed=1))
    assert len(human["items"]) == 3 and human["digest"] != content["digest"]


def test_captions_that_cannot_be_reviewed(run):
    with pytest.raises(UserError, match="no row random. Available: reranked, human"):
        save_review_page(run, row="random")
    path = run.results / "predictions.csv"
    path.write_text(path.read_text().replace("scene-", "other-"))
    with pytest.raises(UserError, match="has a test image"):
        save_review_page(run)
    path.write_text("row,image_id\n")
    with pytest.raises(UserError, match="is damaged: columns are missing: caption"):
        save_review_page(run)
    path.unlink()
    with pytest.raises(UserError, match="Run: kerasgan evaluate"):
        save_review_page(run)


@pytest.fixture
def browser():
    """A headless Chromium; playwright brings none of its own."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("There is no Chromium or Chrome.")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


def test_a_review_in_a_browser(run, browser, tmp_path):
    path = save_review_page(run)
    items = items_of(path)["items"]
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.goto(path.as_uri())
    assert page.inner_text("#caption").split() == items[0]["caption"].split()
    assert "<script>alert(1)</script>" in page.inner_text("#references")
    page.fill("#reviewer", "Ann <1>")
    page.keyboard.press("Escape")
    for key in ("1", "3", "2"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute("[data-verdict=partly]", "aria-pressed") == "true"
    page.keyboard.press("e")
    page.fill("#correction", "=a better, caption 1")
    page.keyboard.press("Escape")
    page.reload()  # goes on where it was
    assert "image 3 of 7, 3 with a verdict" in page.inner_text("#count")
    assert page.input_value("#correction") == "=a better, caption 1"
    assert page.input_value("#reviewer") == "Ann <1>"
    page.keyboard.press("n")
    assert "image 4 of 7" in page.inner_text("#count")
    page.click("[data-verdict=wrong]")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("u")
    assert "3 with a verdict" in page.inner_text("#count")
    page.fill("#correction", "a correction alone")
    assert page.locator("[data-verdict=wrong]").bounding_box()["y"] < 750  # in view
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390  # no scrolling to the side on a phone
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "verdicts-Ann-1-.csv"
    table = tmp_path / "verdicts.csv"
    download.value.save_as(table)
    context.close()
    assert errors == []
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == ["right", "wrong", "partly", ""]
    assert [row["image_id"] for row in rows] == [item["id"] for item in items[:4]]
    assert rows[3]["correction"] == "a correction alone"
    assert rows[2]["correction"] == "'=a better, caption 1"
    arguments = ["evaluate", str(run.path), "--verdicts", str(table), "--json"]
    result = CliRunner().invoke(main, arguments)
    results = json.loads(result.stdout)
    assert results["verdicts"] == {"right": 1, "partly": 1, "wrong": 1}
    assert results["reviewers"] == {"Ann <1>": 3} and results["corrections"] == 1
    assert results["left_out"] == {"correction without a verdict": 1}
