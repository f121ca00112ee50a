"""The images of an index as a page on which people review its captions."""

import json
import os

import pytest

from kerasgan.data.annotations import clean_text
from tests.cli.test_train_gan import call
from tests.data import makers
from tests.report.makers import SCRIPT
from tests.report.test_review_page import items_of
from tests.search.makers import make_index

NAMES = ["0.jpg", "1.jpg", "2  two.jpg", "3.jpg", "4.jpg"]
CAPTIONS = ["a red dog runs", "the blue boat", f"a dog {SCRIPT}", "a boat", "=1+1"]


@pytest.fixture
def index(tmp_path):
    """An index of a table with captions, and of a table that is gone."""
    folder = (tmp_path / "in").resolve()
    makers.write_images(folder, NAMES)
    rows = ["image,caption", "0.jpg,one dog", "0.jpg,one  dog", "0.jpg,", '3.jpg,"a,b"']
    tables = makers.table(folder, rows), folder / "gone.csv"
    sources = [{"path": str(folder)}, *({"source": str(table)} for table in tables)]
    names = [str(folder / name) for name in NAMES]
    index = make_index(
        tmp_path / "index", CAPTIONS, names=names, current=True, sources=sources
    )
    return index.path


def test_captions_are_reviewed_beside_references(index, tmp_path):
    result = call("review", index, "--out", tmp_path / "page.html")
    assert "gone.csv does not exist: its captions are not shown." in result.stderr
    content = items_of(tmp_path / "page.html")
    assert content["row"] == "greedy"
    items = {os.path.basename(item["id"]): item for item in content["items"]}
    assert {name: items[name]["caption"] for name in NAMES} == dict(
        zip(NAMES, map(clean_text, CAPTIONS), strict=True)
    )
    assert items["0.jpg"]["references"] == ["one dog"]
    assert items["3.jpg"]["references"] == ["a,b"] and not items["1.jpg"]["references"]
    assert items["1.jpg"]["image"].startswith("data:image/jpeg;base64,")
    call("review", index, "--out", tmp_path / "two.html", "--count", 2, "--seed", 1)
    assert len(items_of(tmp_path / "two.html")["items"]) == 2


def test_images_that_are_not_what_was_captioned_are_left_out(index, tmp_path):
    folder = tmp_path / "in"
    (folder / "0.jpg").unlink()
    makers.write_images(folder, ["1.jpg"], first_seed=9)
    status = os.stat(folder / "3.jpg")
    (folder / "3.jpg").write_bytes(b"\xff" * status.st_size)
    os.utime(folder / "3.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    result = call("review", index, "--out", tmp_path / "page.html")
    for line in ("deleted since it was indexed", "changed since it was", "not an imag"):
        assert f"Skipped: 1 × {line}" in result.stderr
    assert len(items_of(tmp_path / "page.html")["items"]) == 2
    for name in NAMES[1:]:
        (folder / name).unlink()
    result = call("review", index, "--out", tmp_path / "none.html", status=2)
    assert "None of the images" in result.output
    assert not (tmp_path / "none.html").exists()


def test_verdicts_on_an_index_are_counted(index, tmp_path):
    call("review", index, "--out", tmp_path / "page.html")
    items = items_of(tmp_path / "page.html")["items"]
    table = tmp_path / "ann.csv"
    verdicts = [f'"{item["id"]}",right,greedy' for item in items]
    makers.table(tmp_path, ["image_id,verdict,row", *verdicts, "x,wrong,"], "ann.csv")
    results = json.loads(call("evaluate", index, "--verdicts", table, "--json").stdout)
    assert results["verdicts"] == {"right": 5, "partly": 0, "wrong": 0}
    assert results["left_out"] == {"verdict on an unknown image": 1}
    text = call("evaluate", index, "--verdicts", table).stdout
    assert text.startswith("Verdicts on 5 images: right 5 (100%)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Name the page about an index: --out review.html"),
        (["--out=x.pdf"], "must end in .html"),
        (["--out=x.html", "--row=human"], "--row is for a run"),
        (["--out=x.html", "--data-dir=/x"], "--data-dir is for a run"),
    ],
)
def test_options_that_do_not_fit(index, options, message):
    assert message in call("review", index, *options, status=2).output
