import hashlib
import shutil

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.search import search_index
from kerasgan.search.search_index import SearchIndex
from tests.search.makers import make_index, set_manifest, unit_vectors

CAPTIONS = ["a red dog runs", "the blue boat", "a dog on the beach", "the the"]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return make_index(tmp_path_factory.mktemp("search") / "index", CAPTIONS)


@pytest.fixture
def copy(index, tmp_path):
    return shutil.copytree(index.path, tmp_path / "copy")


def test_rankings(index):
    rows, scores = index.rank("red dog", "words")
    assert rows.tolist() == [0, 2] and scores[0] > scores[1] > 0
    query = index.embed("red dog")
    expected = index.data.vectors(slice(None)) @ query - index.data.hubness
    rows, embedding = index.rank("red dog", "embedding")
    np.testing.assert_allclose(embedding, np.sort(expected)[::-1], atol=1e-6)
    words = np.zeros(4)
    words[[0, 2]] = scores
    rows, blend = index.rank("red dog")
    np.testing.assert_allclose(blend, (words + expected)[rows] / 2, atol=1e-6)
    assert len(index.rank("red dog", "blend", 2)[0]) == 2
    assert index.rank_alike(index.data.vectors([2])[0], 1)[0] == [2]


def test_queries_that_find_nothing(index):
    for query in ("", "  ", "!?", "\x1b"):
        with pytest.raises(UserError, match="no words"):
            index.rank(query)
    many = " ".join(f"zebra{number}" for number in range(100_000))
    for query in ("zebra 猫", "собака " * 10_000, many):
        with pytest.raises(UserError, match="have none of the words"):
            index.rank(query, "embedding")
    assert index.check_query("a zebra, zebra dog") == ["zebra"]
    assert not len(index.rank("犬", "words")[0])  # known, but in no caption
    assert len(index.rank("dog zebra " * 10_000)[0]) == 4


def test_files_are_compared_with_the_index(tmp_path):
    names = [str(tmp_path / f"{n}.jpg") for n in range(4)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    index = make_index(tmp_path / "index", CAPTIONS, names=names)
    (tmp_path / "0.jpg").unlink()
    (tmp_path / "1.jpg").write_bytes(b"xy")
    states = [found.get("state") for found in index.results([0, 1, 2], [3, 2, 1])]
    assert states == ["deleted", "changed", "changed"]
    line = index.data.records([2])[0]
    records = index.data.path / "records.jsonl"
    digest = hashlib.sha256(b"x").hexdigest()
    records.write_text(records.read_text().replace(line["sha256"], digest))
    index = SearchIndex(index.path)
    found = index.results([2], [1])[0]  # another time, but the same content
    assert "state" not in found and found["rank"] == 1
    assert index.find_file(tmp_path / "3.jpg") == 2
    assert index.find_file(tmp_path / "1.jpg") is None
    with pytest.raises(UserError, match="Cannot read"):
        index.find_file(tmp_path / "0.jpg")


def test_an_update_does_not_disturb_an_open_index(copy, monkeypatch):
    index = SearchIndex(copy)
    (copy / "data-00001").rename(copy / "data-00002")
    set_manifest(copy, data="data-00002")
    assert index.results(*index.rank("boat", "words"))[0]["caption"] == CAPTIONS[1]
    manifest, read = SearchIndex(copy).manifest, []

    def read_manifest(path):
        read.append(path)
        return manifest | {"data": "data-00001" if len(read) == 1 else "data-00002"}

    monkeypatch.setattr(search_index, "read_manifest", read_manifest)
    assert len(SearchIndex(copy).data) == 4 and len(read) == 2


def test_no_index(tmp_path, copy):
    with pytest.raises(UserError, match="There is no index at"):
        SearchIndex(tmp_path / "absent")
    set_manifest(copy, data=None)
    with pytest.raises(UserError, match="half-written.*Continue with"):
        SearchIndex(copy)
    for data in ("../..", "/etc", 3, "data-00009"):
        set_manifest(copy, data=data)
        with pytest.raises(UserError, match="damaged"):
            SearchIndex(copy)
    set_manifest(copy, format=99)
    with pytest.raises(UserError, match="another version of kerasgan: format 99"):
        SearchIndex(copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        SearchIndex(copy)


def cut_header(content):
    """Leaves the parentheses of the shape open, for which NumPy has another error."""
    return content.replace(b"(4,)", b"(4,(")


@pytest.mark.parametrize(
    "values",
    [
        *({"data": "data-x"}, {"data": "../data-00001"}, {"data": 3}, {"dim": "16"}),
        *({"ranking": {}}, {"ranking": {"default": "x", "weight": 1}}, {"sources": 1}),
        *({"ranking": {"default": "blend", "weight": None}}, {"dim": 99}),
    ],
)
def test_a_damaged_manifest_is_named(copy, values):
    set_manifest(copy, **values)
    with pytest.raises(UserError, match="is damaged"):
        SearchIndex(copy)


def write_pickle(path):
    np.save(path, np.array([{}]), allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("leading.npy", lambda path: path.write_bytes(path.read_bytes()[:-9])),
        ("hubness.npy", lambda path: np.save(path, np.zeros(3, "float32"))),
        ("tails.npy", write_pickle),
        ("words-rows.npy", lambda path: path.unlink()),
        ("words-values.npy", lambda path: np.save(path, np.zeros(1, "float32"))),
        ("offsets.npy", lambda path: path.write_bytes(b"")),
        ("records.jsonl", lambda path: path.write_text("{}")),
        ("offsets.npy", lambda path: np.save(path, np.load(path)[::-1])),
        ("words-columns.npy", lambda path: np.save(path, np.load(path) * 2)),
        ("words-columns.npy", lambda path: np.save(path, np.load(path)[1:] * 0)),
        ("words-rows.npy", lambda path: np.save(path, np.load(path) / 2)),
        ("leading.npy", lambda path: np.save(path, np.load(path)[:, 1:])),
        ("tails.npy", lambda path: path.write_bytes(cut_header(path.read_bytes()))),
    ],
)
def test_damaged_files_are_named(copy, name, damage):
    damage(copy / "data-00001" / name)
    with pytest.raises(UserError, match="is damaged.*kerasgan index"):
        SearchIndex(copy)


def test_an_index_without_a_text_branch_loads_the_run(tmp_path):
    vector = unit_vectors(1, seed=9)

    class Pipeline:
        def embed_captions(self, captions):
            return vector

    made = make_index(tmp_path / "index", CAPTIONS, needs_tensorflow=True)
    index = SearchIndex(made.path, Pipeline)
    np.testing.assert_allclose(index.embed("dog"), vector[0] @ index.rotation)
