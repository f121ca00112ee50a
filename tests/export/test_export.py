"""From a run to models that answer as it does."""

import importlib.util
import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.errors import JobError, UserError
from kerasgan.export.example_inputs import example_inputs, read_images
from kerasgan.export.export_run import export_run, stages_of
from kerasgan.export.manifest import manifest_of
from kerasgan.export.readme import readme_of
from kerasgan.export.verification import refuse_others, verify_export
from kerasgan.export.verify_in_subprocess import ImportBlocker, compare, distance
from kerasgan.runs import new_run
from tests.data.makers import coded, pixels
from tests.export.makers import LATENT, SIZE, ask_unsaved, call, make_run
from tests.helpers import opened

ALL = ["generate", "discriminate", "caption", "caption_beam", "embed_image"]
ALL += ["embed_text", "match"]
IMAGE = coded(pixels(1))


def test_every_output_was_held_against_the_run(exported_gan):
    out, said = exported_gan
    files = [path for path in out.rglob("*") if path.is_file()]
    assert said["bytes"] == sum(path.stat().st_size for path in files)
    found = said["endpoints"]
    assert said["path"] == str(out) and list(found) == ALL
    assert found["caption_beam"]["captions"] == {"kind": "U", "off": 0}
    assert found["embed_image"]["vectors"]["off"] < 1e-5
    assert found["generate"]["images"]["off"] <= 1
    assert set(found["match"]) == {"cosine", "valid"}


def test_what_lies_in_the_directory(exported_gan):
    out, _ = exported_gan
    names = {path.name for path in out.iterdir()}
    wanted = {"saved_model.pb", "variables", "assets", "README.md", "export.json"}
    assert wanted <= names and not any("partial" in name for name in names)
    words = (out / "assets" / "vocabulary-captions.txt").read_text().split()
    assert words[0] == "[START]"
    stages = json.loads((out / "export.json").read_text())["stages"]
    assert stages["images"]["latent_dim"] == LATENT
    assert not list(out.parent.glob("*.partial"))


def test_nothing_of_training_is_inside(exported_gan):
    found = tf.train.list_variables(str(exported_gan[0] / "variables" / "variables"))
    names = " ".join(name for name, _ in found).lower()
    assert found and not re.search("optimizer|adam|momentum|seed", names)
    assert b"CudnnRNN" not in (exported_gan[0] / "saved_model.pb").read_bytes()


def test_every_signature_leaves_the_batch_free(ask_gan):
    for name in ALL:
        signature = ask_gan.model.signatures[name]
        for tensor in [*signature.inputs[:1], *signature.outputs]:
            assert tensor.shape[0] is None
        for output in signature.structured_outputs.values():
            assert output.dtype in (tf.float32, tf.uint8, tf.string, tf.bool)


def test_bad_images_spoil_no_others(ask_gan):
    good = ask_gan("caption", image_bytes=[IMAGE])
    found = ask_gan("caption", image_bytes=[b"", IMAGE, IMAGE[:-300]])
    assert found["valid"].tolist() == [False, True, False]
    assert found["caption"][1] == good["caption"][0]
    assert found["caption"][0] == b"" and found["score"][2] == 0
    found = ask_gan("match", image_bytes=[b"x", IMAGE], captions=["a dog", "a dog"])
    assert found["cosine"][0] == 0 and found["cosine"][1] != 0


def test_empty_batches_have_empty_answers(ask_gan):
    for name in ALL:
        given = ask_gan.model.signatures[name].structured_input_signature[1]
        empty = {
            key: np.zeros(
                [0, *spec.shape[1:]], "S1" if spec.dtype == tf.string else "float32"
            )
            for key, spec in given.items()
        }
        for values in ask_gan(name, **empty).values():
            assert len(values) == 0


def test_batches_of_unequal_length_are_refused(ask_gan):
    noise = np.zeros((2, LATENT), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        ask_gan("generate", noise=noise, captions=["a dog"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        ask_gan("match", image_bytes=[IMAGE, IMAGE], captions=["a dog"])


def test_noise_that_is_no_number_is_refused(ask_gan):
    for odd in (np.nan, np.inf):
        noise = np.zeros((3, LATENT), "float32")
        noise[1, 2] = odd
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"finite.*\[1\]"):
            ask_gan("generate", noise=noise, captions=["a dog"] * 3)


def test_odd_captions_have_vectors(ask_gan):
    odd = ["", " ", "word " * 2_000_000, "犬", b"\xff\xfe no UTF-8 \x80", "\0", "🙂"]
    vectors = ask_gan("embed_text", captions=odd)["vectors"]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_one_row_is_as_in_a_batch(ask_gan):
    noise = np.random.default_rng(0).standard_normal((3, LATENT)).astype("float32")
    captions = ["a red dog", "the boat", ""]
    together = ask_gan("generate", noise=noise, captions=captions)["images"]
    assert together.shape == (3, SIZE, SIZE, 3) and together.dtype == np.uint8
    alone = ask_gan("generate", noise=noise[1:2], captions=captions[1:2])["images"]
    assert np.abs(alone[0].astype(int) - together[1]).max() <= 1


def test_the_readme_runs_as_it_is_written(ask_gan, exported_gan, monkeypatch, capsys):
    out, _ = exported_gan
    text = (out / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(ALL)
    monkeypatch.chdir(out.parent)
    for name in ("one.jpg", "two.jpg"):
        (out.parent / name).write_bytes(IMAGE)
    monkeypatch.setattr(tf.saved_model, "load", {".": ask_gan.model}.__getitem__)
    for block in blocks:
        assert len(block.splitlines()) <= 10 and "import kerasgan" not in block
        exec(block, {})
    assert capsys.readouterr().out.count("'valid': array([ True,  True])") == 5
    assert opened(out.parent / "1.png").size == (SIZE, SIZE)
    requests = re.findall(r"^    (\{.*)$", text, re.MULTILINE)
    assert [json.loads(line)["signature_name"] for line in requests] == ALL
    assert "missing" not in text and "TF_CPP_MIN_LOG_LEVEL" in text


def test_the_readme_gives_the_shape_of_every_output(ask_gan, exported_gan):
    lines = (exported_gan[0] / "README.md").read_text().splitlines()
    for name in ALL:
        (row,) = (line for line in lines if line.startswith(f"| `{name}` |"))
        told = dict(re.findall(r"`(\w+)` \w+ `(\(n,.*?\))`", row.split(" | ")[-1]))
        outputs = ask_gan.model.signatures[name].structured_outputs
        assert told == {
            key: str(("n", *spec.shape[1:])).replace("'", "")
            for key, spec in outputs.items()
        }


def test_the_fresh_process_has_no_kerasgan():
    finder = ImportBlocker()
    for name in ("kerasgan", "keras.ops", "kerasgan.layers"):
        spec = finder.find_spec(name)
        with pytest.raises(ModuleNotFoundError, match="kept out"):
            importlib.util.module_from_spec(spec)
    assert finder.find_spec("tensorflow") is None


def test_an_export_that_answers_otherwise_is_found_out():
    stored = {
        "answer/match/cosine": np.array([0.5, 0.25]),
        "answer/match/caption": np.array(["a dog", "two"]),
    }
    endpoint = {"name": "match", "outputs": ["cosine", "caption", "valid"]}
    found = {"caption": np.array([b"a dog", b"two", b""]), "valid": [1, 1, 0]}
    found["valid"] = np.array(found["valid"], bool)

    def judged(cosines):
        answer = found | {"cosine": np.array(cosines, "float32")}
        given = {"image_bytes": [b"1", b"2", b"no image"]}
        results = compare(lambda *_: answer, endpoint, given, stored)
        refuse_others({"match": results}, "out")

    assert distance(np.uint8([200, 7]), np.uint8([199, 7])) == 1
    judged([0.5, 0.25 + 1e-6, 0])
    for cosines in ([0.5, 0.251, 0], [0.5, 0.25, 0.1], [0.5, np.nan, 0], [0.5, 0.25]):
        with pytest.raises(JobError, match="match: cosine is off by"):
            judged(cosines)
    found["caption"] = found["caption"][[1, 0, 2]]
    with pytest.raises(JobError, match="match: caption is off by 0.66"):
        judged([0.5, 0.25, 0])


def damaged(out, folder, **contents):
    """A copy of an export, some of whose files have other contents."""
    shutil.copytree(out, folder)
    for name, content in contents.items():
        (folder / NAMES[name]).write_bytes(content)
    said = call("export", "--check", folder, status=1).output
    assert "Traceback" not in said and 'File "' not in said
    return said


NAMES = {"manifest": "export.json", "examples": "check.npz", "graph": "saved_model.pb"}
NAMES |= {"words": "assets/vocabulary-captions.txt"}


def test_a_damaged_export_is_found_out(exported_gan, tmp_path):
    out = exported_gan[0]
    whole = (out / "export.json").read_bytes()
    for place, cut in enumerate((b"", whole[:99], b"\xff", b"[]", b"{}")):
        said = damaged(out, tmp_path / f"{place}", manifest=cut)
        assert "export.json is damaged" in said and "Export the run again" in said
    words = (out / NAMES["words"]).read_bytes()
    said = damaged(out, tmp_path / "words", words=words + b"more\n")
    assert "vocabulary-captions.txt is not what was exported" in said
    examples = (out / "check.npz").read_bytes()
    said = damaged(out, tmp_path / "examples", examples=examples[:-99])
    assert "cannot be used by itself: ValueError: check.npz is damaged" in said
    said = damaged(out, tmp_path / "graph", graph=b"no graph")
    assert "cannot be used by itself: OSError: Cannot parse" in said
    with pytest.raises(JobError, match="vocabulary-captions.txt is missing"):
        (tmp_path / "graph" / NAMES["words"]).unlink()
        verify_export(tmp_path / "graph")


def test_a_run_without_captions_in_grey(tmp_path):
    settings = {"conditional": False, "channels": "grayscale", "loss": "hinge"}
    run = make_run(tmp_path, ["images"], **settings)
    (stage,) = stages_of(run)
    generate, discriminate = stage.endpoints
    examples = example_inputs(stage, read_images())
    drawn = ask_unsaved(stage, generate, examples.noise)["images"]
    wanted = generate.answer(examples)["images"].reshape(drawn.shape)
    assert np.abs(drawn.astype(int) - wanted).max() <= 1
    judged = ask_unsaved(stage, discriminate, examples.files)["logit"]
    wanted = discriminate.answer(examples)["logit"]
    np.testing.assert_allclose(judged, wanted, atol=1e-5)
    text = readme_of([stage], manifest_of(run, [stage], "savedmodel", []))
    assert "under the loss hinge no probability" in text
    assert "`captions` string" not in text and "(n, 32, 32, 1)" in text


def test_what_cannot_be_exported(gan_run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UserError, match="is there already"):
        export_run(gan_run.path, tmp_path / "full")
    empty = new_run("train-gan", Settings(), tmp_path / "empty")
    with pytest.raises(UserError, match="has not finished"):
        export_run(empty.path, tmp_path / "out")
    other = new_run("train-other", Settings(), tmp_path / "other")
    with pytest.raises(UserError, match="a run of train-other; exported are"):
        export_run(other.path, tmp_path / "out")
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match="no images in"):
        export_run(gan_run.path, tmp_path / "out", images=tmp_path / "images")
    (tmp_path / "images" / "a.jpg").write_text("words")
    with pytest.raises(UserError, match="a.jpg: not an image"):
        export_run(gan_run.path, tmp_path / "out", images=tmp_path / "images")
    with pytest.raises(UserError, match="is no export"):
        verify_export(tmp_path)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob("*.partial"))
