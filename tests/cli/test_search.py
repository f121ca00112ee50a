import csv
import hashlib
import json

import pytest

from kerasgan.search import approximate
from tests.cli.test_train_gan import call
from tests.data import makers
from tests.search.makers import make_index, unit_vectors

EVIL = "=cmd('x')\x1b[31m<script>"
CAPTIONS = ["a red dog runs", "the blue boat", "a dog on the beach", EVIL]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    names = ["0.jpg", "1.jpg", "2.jpg", "=\x1b]0;x\x07<b>.jpg"]
    makers.write_images(folder / "in", names)
    names = [str(folder / "in" / name) for name in names]
    vectors = unit_vectors(4)
    vectors[3] = vectors[0]
    return make_index(folder / "index", CAPTIONS, vectors, names).path


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_results_for_programs_and_for_people(index):
    found = lines(call("search", index, "red dog", "--by", "words", "--json"))
    assert [row["caption"] for row in found] == [CAPTIONS[0], CAPTIONS[2]]
    keys = {"query", "rank", "score", "image", "caption", "state"}
    assert set(found[0]) == keys and found[0]["rank"] == 1
    result = call("search", index, "red zebra", "--top", 2)
    assert result.stdout.startswith("red zebra\n    1  ")
    assert len(result.stdout.splitlines()) == 3
    assert "unknown words are ignored: zebra" in result.stderr


def test_nothing_controls_the_terminal_the_page_or_a_spreadsheet(index, tmp_path):
    page, table = tmp_path / "page.html", tmp_path / "found.csv"
    result = call("search", index, "dog", "--html", page, "--out", table)
    assert not result.stdout
    printed = (
        call("search", index, "dog").stdout
        + call("search", index, "dog", "--json").stdout
    )
    assert printed.count("<script>") == 2 and "\x1b" not in printed + page.read_text()
    assert "<script>" not in page.read_text() and "\x07" not in printed
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert {row["caption"][0] for row in rows} == {"a", "t", "'"}
    assert not any("\x1b" in value for row in rows for value in row.values())


def test_a_search_writes_nothing(index, tmp_path):
    def state():
        paths = sorted(index.rglob("*"))
        return [(path, path.stat().st_mtime_ns) for path in paths]

    before = state()
    call("search", index, "dog", "--html", tmp_path / "page.html")
    call("search", index, "--duplicates")
    assert state() == before


def test_several_queries(index, tmp_path):
    queries = tmp_path / "queries.txt"
    queries.write_text("red dog\n\nzebra\n犬\n")
    found = lines(call("search", index, "--queries", queries, "--by=words", "--json"))
    assert [row["query"] for row in found] == ["red dog", "red dog", "zebra", "犬"]
    assert "none of the words zebra" in found[2]["error"]
    assert "no caption in the index" in found[3]["error"]
    queries.write_text("zebra\n")
    result = call("search", index, "--queries", queries, status=1)
    assert "Nothing can be found" in result.stdout


@pytest.fixture
def image(index):
    """A file in the index: its content has the digest of the record."""
    path = index.parent / "in" / "0.jpg"
    records = index / "data-00001" / "records.jsonl"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    records.write_text(records.read_text().replace(f"{0:064x}", digest))
    return path


def test_images_that_are_alike(index, image):
    found = lines(call("search", index, "--image", image, "--json", "--top", 2))
    assert [row["score"] for row in found] == [1.0, 1.0]
    found = lines(call("search", index, "--image", image, "--by=words", "--json"))
    assert found[0]["caption"] == CAPTIONS[0] and CAPTIONS[0] in found[0]["query"]


def test_an_engine_is_opened_once(index, image, tmp_path, monkeypatch):
    calls = []

    class Engine:
        def __init__(self, index, message):
            calls.append("open")
            self.index = index

        def rank(self, text, count):
            calls.append(text)
            return self.index.rank(text, "embedding", count)

        def rank_alike(self, vector, count):
            calls.append("alike")
            return self.index.rank_alike(vector, count)

    monkeypatch.setattr(approximate, "ApproximateIndex", Engine)
    queries = tmp_path / "queries.txt"
    queries.write_text("red dog\nzebra\nblue boat\n")
    call("search", index, "--queries", queries, "--engine=usearch")
    assert calls == ["open", "red dog", "blue boat"]
    call("search", index, "--image", image, "--engine=usearch")
    assert calls[3:] == ["open", "alike"]


def test_duplicates(index):
    found = lines(call("search", index, "--duplicates", "--json"))
    assert [(row["group"], row["score"]) for row in found] == [(1, 1.0), (1, 1.0)]
    assert "2 similar images" in call("search", index, "--duplicates").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Pass one of QUERY"),
        (["dog", "--duplicates"], "Pass one of QUERY"),
        ([""], "The query has no words"),
        (["zebra 猫"], "none of the words zebra, 猫"),
        (["dog", "--out=x.txt"], "must end in .jsonl or .csv"),
        (["dog", "--by=words", "--engine=usearch"], "needs --by embedding"),
        (["--image=x.jpg", "--by=blend"], "needs --by embedding or words"),
        (["--image=/absent.jpg"], "Cannot read /absent.jpg"),
        (["--queries=/absent.txt"], "Cannot read /absent.txt"),
        (["dog", "--rerank=5", "--by=words"], "needs a query, and --by embedding"),
        (["--image=x.jpg", "--rerank=5"], "--rerank needs a query"),
        (["--duplicates", "--rerank=5"], "--rerank needs a query"),
        (["dog", "--rerank=0"], "1<=x<=200"),
        (["dog", "--rerank=5"], "There is no run at /no/run"),
    ],
)
def test_mistakes_exit_with_2(index, arguments, message):
    assert message in call("search", index, *arguments, status=2).output


def test_an_index_of_a_run_that_is_gone(index, tmp_path):
    image = tmp_path / "new.jpg"
    makers.write_images(tmp_path, ["new.jpg"], first_seed=9)
    result = call("search", index, "--image", image, status=2)
    assert "There is no run at /no/run" in result.output
