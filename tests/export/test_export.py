"""From a run to models that answer as it does."""

import importlib.util
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config import Settings
from kerasgan.errors import JobError, UserError
from kerasgan.export import export_run
from kerasgan.export.checking import check_export
from kerasgan.export.fresh import KeptOut
from kerasgan.runs import new_run
from tests.data.makers import coded, pixels
from tests.export.makers import LATENT, SIZE, make_run

ALL = ["generate", "discriminate", "caption", "caption_beam", "embed_image"]
ALL += ["embed_text", "match"]
PICTURE = coded(pixels(1))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "run"
    return make_run(path, text_branch="lstm-attention")


@pytest.fixture(scope="module")
def exported(run):
    out = run.path.parent / "exported"
    return out, export_run(run.path, out)


@pytest.fixture(scope="module")
def ask(exported):
    model = tf.saved_model.load(exported[0])

    def ask(name, **given):
        found = model.signatures[name](
            **{key: tf.constant(values) for key, values in given.items()}
        )
        return {key: values.numpy() for key, values in found.items()}

    ask.model = model
    return ask


def test_every_output_was_held_against_the_run(exported):
    _, results = exported
    assert list(results) == ALL
    assert results["caption_beam"]["captions"]["off"] == 0
    assert results["embed_image"]["vectors"]["off"] < 1e-5
    assert results["generate"]["pictures"]["off"] <= 1
    assert set(results["match"]) == {"cosine", "valid"}


def test_what_lies_in_the_directory(exported):
    out, _ = exported
    names = {path.name for path in out.iterdir()}
    wanted = {"saved_model.pb", "variables", "assets", "README.md", "export.json"}
    assert wanted <= names and not any("partial" in name for name in names)
    words = (out / "assets" / "vocabulary-captions.txt").read_text().split()
    assert words[0] == "[START]"
    stages = json.loads((out / "export.json").read_text())["stages"]
    assert stages["pictures"]["latent_dim"] == LATENT
    assert not list(out.parent.glob("*.partial"))


def test_nothing_of_training_is_inside(exported):
    found = tf.train.list_variables(str(exported[0] / "variables" / "variables"))
    names = " ".join(name for name, _ in found).lower()
    assert found and not re.search("optimizer|adam|momentum|seed", names)
    graph = (exported[0] / "saved_model.pb").read_bytes()
    assert b"CudnnRNN" not in graph and b"TensorList" in graph  # the LSTM's loop


def test_every_signature_leaves_the_batch_free(ask):
    for name in ALL:
        signature = ask.model.signatures[name]
        for tensor in [*signature.inputs[:1], *signature.outputs]:
            assert tensor.shape[0] is None
        for output in signature.structured_outputs.values():
            assert output.dtype in (tf.float32, tf.uint8, tf.string, tf.bool)


def test_bad_pictures_spoil_no_others(ask):
    good = ask("caption", image_bytes=[PICTURE])
    found = ask("caption", image_bytes=[b"", PICTURE, PICTURE[:-300]])
    assert found["valid"].tolist() == [False, True, False]
    assert found["caption"][1] == good["caption"][0]
    assert found["caption"][0] == b"" and found["score"][2] == 0
    found = ask("match", image_bytes=[b"x", PICTURE], captions=["a dog", "a dog"])
    assert found["cosine"][0] == 0 and found["cosine"][1] != 0


@pytest.mark.parametrize("name", ALL)
def test_an_empty_batch_has_an_empty_answer(ask, name):
    given = ask.model.signatures[name].structured_input_signature[1]
    shapes = {key: [0, *spec.shape[1:]] for key, spec in given.items()}
    empty = {
        key: np.zeros(shapes[key], "S1" if spec.dtype == tf.string else "float32")
        for key, spec in given.items()
    }
    for values in ask(name, **empty).values():
        assert len(values) == 0


def test_batches_of_unequal_length_are_refused(ask):
    noise = np.zeros((2, LATENT), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        ask("generate", noise=noise, captions=["a dog"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        ask("match", image_bytes=[PICTURE, PICTURE], captions=["a dog"])


def test_odd_captions_have_vectors(ask):
    odd = ["", " ", "word " * 2_000_000, "犬", b"\xff\xfe no UTF-8 \x80", "\0", "🙂"]
    vectors = ask("embed_text", captions=odd)["vectors"]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_one_row_is_as_in_a_batch(ask):
    noise = np.random.default_rng(0).standard_normal((3, LATENT)).astype("float32")
    captions = ["a red dog", "the boat", ""]
    together = ask("generate", noise=noise, captions=captions)["pictures"]
    assert together.shape == (3, SIZE, SIZE, 3) and together.dtype == np.uint8
    alone = ask("generate", noise=noise[1:2], captions=captions[1:2])["pictures"]
    assert np.abs(alone[0].astype(int) - together[1]).max() <= 1


def test_the_readme_runs_as_it_is_written(exported):
    out, _ = exported
    text = (out / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(ALL)
    assert all(len(block.splitlines()) <= 10 for block in blocks)
    (out / "photograph.jpg").write_bytes(PICTURE)
    once = (
        "import functools, tensorflow as tf\n"
        "tf.saved_model.load = functools.cache(tf.saved_model.load)\n"
    )
    tried = subprocess.run(
        [sys.executable, "-c", once + "\n".join(blocks)],
        capture_output=True, text=True, cwd=out,
    )  # fmt: skip
    (out / "photograph.jpg").unlink()
    assert tried.returncode == 0, tried.stderr
    assert tried.stdout.count("'valid': array([ True])") == 5
    requests = re.findall(r"^    (\{.*)$", text, re.MULTILINE)
    assert [json.loads(line)["signature_name"] for line in requests] == ALL


def test_the_fresh_process_has_no_kerasgan():
    finder = KeptOut()
    for name in ("kerasgan", "keras.ops", "kerasgan.models"):
        spec = finder.find_spec(name)
        with pytest.raises(ModuleNotFoundError, match="kept out"):
            importlib.util.module_from_spec(spec)
    assert finder.find_spec("tensorflow") is None


def test_an_export_that_answers_otherwise_is_found_out(exported, tmp_path):
    out, _ = exported
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in out.iterdir():
        if path.name != "check.npz":
            (copy / path.name).symlink_to(path)
    with np.load(out / "check.npz") as stored:
        stored = dict(stored)
    stored["answer/match/cosine"] = stored["answer/match/cosine"] + 1e-3
    np.savez(copy / "check.npz", **stored)
    with pytest.raises(JobError, match="match: cosine is off by 0.00"):
        check_export(copy)


@pytest.mark.parametrize("gan", [{"conditional": False}, {"channels": "grey"}])
def test_runs_of_other_kinds(tmp_path, gan):
    run = make_run(tmp_path / "run", ["pictures"], loss="hinge", **gan)
    results = export_run(run.path, tmp_path / "out")
    assert list(results) == ["generate", "discriminate"]
    text = (tmp_path / "out" / "README.md").read_text()
    assert "under the loss hinge no probability" in text
    assert ("`captions` string" in text) == (gan.get("conditional") is not False)


def test_what_cannot_be_exported(run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UserError, match="is there already"):
        export_run(run.path, tmp_path / "full")
    empty = new_run("train-gan", Settings(), tmp_path / "empty")
    with pytest.raises(UserError, match="has not finished"):
        export_run(empty.path, tmp_path / "out")
    other = new_run("train-other", Settings(), tmp_path / "other")
    with pytest.raises(UserError, match="a run of train-other; exported are"):
        export_run(other.path, tmp_path / "out")
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match="no pictures in"):
        export_run(run.path, tmp_path / "out", pictures=tmp_path / "pictures")
    (tmp_path / "pictures" / "a.jpg").write_text("words")
    with pytest.raises(UserError, match="a.jpg: not a picture"):
        export_run(run.path, tmp_path / "out", pictures=tmp_path / "pictures")
    with pytest.raises(UserError, match="is no export"):
        check_export(tmp_path)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob("*.partial"))
