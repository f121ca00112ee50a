"""The classifier as a model of its own."""

import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.classification.classifier import load_classifier
from kerasgan.config.settings import Settings
from kerasgan.data.images import decode_image, prepare_image, strict_pillow
from kerasgan.errors import UserError
from kerasgan.export.example_inputs import example_inputs, read_images
from kerasgan.export.export_run import export_run, stages_of
from kerasgan.export.manifest import manifest_of
from kerasgan.export.readme import readme_of
from kerasgan.runs import new_run
from tests.data.makers import coded, pixels
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import SIZE, ask_unsaved, call

IMAGE = coded(pixels(1, 90, 70))
TINY = coded(pixels(2)[:1, :1], "PNG")


@pytest.fixture(scope="module")
def classify(ask_classifier):
    return lambda files, texts: ask_classifier(
        "classify", image_bytes=files, text=texts
    )


@pytest.fixture(scope="module")
def own(classifier_run):
    """What the run itself says, whose images Pillow decoded."""
    classifier = load_classifier(classifier_run)

    def own(files, texts):
        with strict_pillow():
            images = [
                np.asarray(decode_image(prepare_image(data, SIZE, "crop"))[0])
                if data
                else None
                for data in files
            ]
        return classifier.classify(images, texts)

    return own


def test_every_output_was_held_against_the_run(exported_classifier):
    out, results = exported_classifier
    assert list(results) == ["classify"]
    assert results["classify"]["class"] == {"kind": "U", "off": 0}
    assert results["classify"]["probabilities"]["off"] < 1e-5
    stored = np.load(out / "check.npz")
    assert stored["input/lengths"].tolist()[-2:] == [0, len(b"no image")]
    assert len(set(map(tuple, stored["answer/classify/probabilities"].round(3)))) > 5


def test_the_command_tries_it_in_a_fresh_process(exported_classifier):
    out, _ = exported_classifier
    said = call("export", "--check", out).output
    assert re.search(r"^  classify +class +equal$", said, re.MULTILINE)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert f"{out}: {size / 1e6:.1f} MB" in said


def test_what_lies_in_the_directory(exported_classifier):
    out, _ = exported_classifier
    assert (out / "assets" / "labels.txt").read_text().splitlines() == LABELS
    words = (out / "assets" / "vocabulary-classes.txt").read_text().split()
    assert words[0] == "[START]"
    found = tf.train.list_variables(str(out / "variables" / "variables"))
    names = " ".join(name for name, _ in found).lower()
    assert found and not re.search("optimizer|adam|momentum|seed", names)
    graph = (out / "saved_model.pb").read_bytes()
    assert b"CudnnRNN" not in graph and b"TensorList" in graph  # the LSTM's loop


def test_other_labels_are_found_out(exported_classifier, tmp_path):
    shutil.copytree(exported_classifier[0], tmp_path / "out")
    labels = tmp_path / "out" / "assets" / "labels.txt"
    labels.write_text("".join(f"{label}\n" for label in LABELS[::-1]))
    said = call("export", "--check", tmp_path / "out", status=1).output
    assert f"{labels} is not what was exported" in said


def test_the_readme_runs_as_it_is_written(
    exported_classifier, ask_classifier, tmp_path, monkeypatch, capsys
):
    text = (exported_classifier[0] / "README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(block.splitlines()) <= 10 and "kerasgan" not in block
    monkeypatch.chdir(tmp_path)
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(IMAGE)
    monkeypatch.setattr(tf.saved_model, "load", {".": ask_classifier.model}.get)
    exec(block, {})
    said = capsys.readouterr().out
    assert "'valid': array([ True,  True])" in said and "'class': array([b'" in said
    (request,) = re.findall(r"^    (\{.*)$", text, re.MULTILINE)
    assert json.loads(request) == {
        "signature_name": "classify",
        "inputs": {"image_bytes": [{"b64": "…"}], "text": ["black running shoe"]},
    }
    assert '`image_bytes` string `(n,)`, files (`b""` if missing)' in text
    assert '`text` string `(n,)`, UTF-8 (`""` if missing)' in text
    assert "whether the file is an image or missing" in text
    assert "## What may be missing" in text and '`{"b64": ""}`' in text
    assert "sum to 1 over the labels" in text
    assert "`class` string `(n,)`" in text
    assert f"`probabilities` float32 `(n, {len(LABELS)})`" in text


def test_either_side_may_be_missing(classify, own):
    files = [IMAGE, b"", IMAGE, b"", TINY]
    texts = ["a red dog", "a red dog", "", "", "?!"]
    found = classify(files, texts)
    assert found["valid"].all() and found["probabilities"].dtype == np.float32
    wanted = own(files, texts)
    np.testing.assert_allclose(found["probabilities"], wanted, atol=1e-5)
    np.testing.assert_allclose(wanted[3], [0.5, 0.3, 0.2], atol=1e-5)  # the shares
    best = [LABELS[number] for number in wanted.argmax(1)]
    assert [name.decode() for name in found["class"]] == best
    for row in range(5):
        alone = classify(files[row : row + 1], texts[row : row + 1])["probabilities"]
        np.testing.assert_allclose(alone, wanted[row : row + 1], atol=1e-5)


def test_texts_are_read_as_in_training(classify, own):
    texts = ["red &amp;amp; dog&#39;s", "caf&eacute; on gra&#115;s", "RED b\0oat", "犬"]
    texts += ["Flip-flops for the beach", "for the beach", "the blue dog &nbsp; runs"]
    files = [b""] * len(texts)
    found = classify(files, texts)["probabilities"]
    np.testing.assert_allclose(found, own(files, texts), atol=1e-5)
    np.testing.assert_allclose(found[4], found[5], atol=1e-6)  # the class is masked
    assert np.abs(found[0] - found[5]).max() > 1e-3


def test_bad_images_spoil_no_others(classify):
    huge = coded(np.zeros((8001, 8001), np.uint8), "PNG")
    files = [b"x", IMAGE, IMAGE[:-300], huge, b""]
    found = classify(files, ["a dog"] * 5)
    assert found["valid"].tolist() == [False, True, False, False, True]
    assert not found["probabilities"][[0, 2, 3]].any() and not any(found["class"][:1])
    alone = classify([IMAGE], ["a dog"])
    np.testing.assert_allclose(
        found["probabilities"][1], alone["probabilities"][0], atol=1e-6
    )


def test_batches(classify):
    for values in classify(np.zeros(0, "S1"), np.zeros(0, "S1")).values():
        assert len(values) == 0
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many rows"):
        classify([IMAGE, IMAGE], ["a dog"])


def test_any_bytes_are_a_text(classify):
    odd = ["", " \n", b"\xff\xfe no UTF-8 \x80", "\0", "🙂", "red dog"]
    odd += ["red dog" + " " * 10_000_000 + "unread"]
    found = classify([b""] * len(odd), odd)["probabilities"]
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[-1], found[-2], atol=1e-6)


@pytest.mark.parametrize(
    ("sides", "ensemble"),
    [
        (["image"], True),
        (["text"], False),
        (["image", "text"], False),
    ],
)
def test_classifiers_that_need_all_they_take(sides, ours, tmp_path):
    run = make_classifier_run(tmp_path, sides, ours)
    (stage,) = stages_of(run)
    (endpoint,) = stage.endpoints
    examples = example_inputs(stage, read_images(), missing=True)
    given = {"image": [*examples.files, b""], "text": [*examples.captions, "a dog"]}
    found = ask_unsaved(stage, endpoint, *(given[side] for side in sides))
    wanted = endpoint.answer(examples)
    count = len(examples.files)
    np.testing.assert_array_equal(found["class"][:count].astype(str), wanted["class"])
    np.testing.assert_allclose(
        found["probabilities"][:count], wanted["probabilities"], atol=1e-5
    )
    if "image" in sides:
        assert found["valid"].tolist() == [True] * count + [False]
        assert not found["probabilities"][-1].any()
    else:
        assert "valid" not in found
    text = readme_of([stage], manifest_of(run, [stage], "savedmodel", []))
    assert "missing" not in text


def test_formats_without_strings_are_refused(classifier_run, tmp_path):
    with pytest.raises(UserError, match="holds no strings. Use --format savedmodel"):
        export_run(classifier_run.path, tmp_path / "out", "litert")
    assert not list(tmp_path.iterdir())


def test_a_run_that_has_not_finished(tmp_path):
    run = new_run("train-classifier", Settings(), tmp_path / "run")
    with pytest.raises(UserError, match="kerasgan train-classifier --resume"):
        export_run(run.path, tmp_path / "out")
