"""Exports of `train-classifier` as a SavedModel."""

import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.classification.classifier import load_classifier
from kerasgan.config.settings import Settings
from kerasgan.data.images import read_square_image, strict_pillow
from kerasgan.errors import UserError
from kerasgan.export.example_inputs import build_example_inputs, read_image_files
from kerasgan.export.export_run import export_run, load_stages
from kerasgan.export.manifest import build_manifest
from kerasgan.export.readme import build_readme
from kerasgan.runs import new_run
from tests.data.makers import encoded, pixels
from tests.export.classifier_makers import LABELS, make_classifier_run
from tests.export.makers import IMAGE_SIZE, call_serving_function, run_command

IMAGE = encoded(pixels(1, 90, 70))
ONE_PIXEL = encoded(pixels(2)[:1, :1], "PNG")


@pytest.fixture(scope="module")
def classify(classifier_export):
    """The signature of the export."""
    return lambda files, texts: classifier_export.predict(
        "classify", image_bytes=files, text=texts
    )


@pytest.fixture(scope="module")
def classify_with_run(classifier_run):
    """The classifier of the run, with images that Pillow decodes."""
    classifier = load_classifier(classifier_run)

    def classify(files, texts):
        with strict_pillow():
            images = [
                read_square_image(data, IMAGE_SIZE, "crop") if data else None
                for data in files
            ]
        return classifier.classify(images, texts)

    return classify


def test_every_output_was_compared_with_the_run(classifier_export):
    results = classifier_export.result
    assert list(results) == ["classify"]
    assert results["classify"]["class"] == {"kind": "U", "difference": 0}
    assert results["classify"]["probabilities"]["difference"] < 1e-5
    examples = np.load(classifier_export.path / "check.npz")
    assert examples["input/lengths"].tolist()[-2:] == [0, len(b"no image")]
    probabilities = examples["output/classify/probabilities"].round(3)
    assert len(set(map(tuple, probabilities))) > 5


def test_the_command_verifies_in_another_process(classifier_export):
    path = classifier_export.path
    output = run_command("export", "--check", path).output
    assert re.search(r"^  classify +class +equal$", output, re.MULTILINE)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert f"{path}: {size / 1e6:.1f} MB" in output


def test_files_of_an_export(classifier_export):
    path = classifier_export.path
    assert (path / "assets" / "labels.txt").read_text().splitlines() == LABELS
    manifest = json.loads((path / "export.json").read_text())
    assert manifest["stages"]["classes"]["accepts_missing"]
    words = (path / "assets" / "vocabulary-classes.txt").read_text().split()
    assert words[0] == "[START]"
    variables = tf.train.list_variables(str(path / "variables" / "variables"))
    names = " ".join(name for name, _ in variables).lower()
    assert variables and not re.search("optimizer|adam|momentum|seed", names)
    graph = (path / "saved_model.pb").read_bytes()
    assert b"CudnnRNN" not in graph and b"TensorList" in graph  # the LSTM's loop


def test_changed_labels_are_detected(classifier_export, tmp_path):
    shutil.copytree(classifier_export.path, tmp_path / "out")
    labels = tmp_path / "out" / "assets" / "labels.txt"
    labels.write_text("".join(f"{label}\n" for label in LABELS[::-1]))
    output = run_command("export", "--check", tmp_path / "out", status=1).output
    assert f"{labels} was changed after the export" in output


def test_the_example_of_the_readme_runs(
    classifier_export, tmp_path, monkeypatch, capsys
):
    text = (classifier_export.path / "README.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(block.splitlines()) <= 10 and "kerasgan" not in block
    monkeypatch.chdir(tmp_path)
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(IMAGE)
    monkeypatch.setattr(tf.saved_model, "load", {".": classifier_export.model}.get)
    exec(block, {})
    output = capsys.readouterr().out
    assert "'valid': array([ True,  True])" in output and "'class': array([b'" in output
    (request,) = re.findall(r"^    (\{.*)$", text, re.MULTILINE)
    assert json.loads(request) == {
        "signature_name": "classify",
        "inputs": {"image_bytes": [{"b64": "…"}], "text": ["black running shoe"]},
    }


def test_the_readme_describes_missing_inputs_and_outputs(classifier_export):
    text = (classifier_export.path / "README.md").read_text()
    assert '`image_bytes` string `(n,)`, image files (`b""` if missing)' in text
    assert '`text` string `(n,)`, UTF-8 (`""` if missing)' in text
    assert "whether the file is an image or missing" in text
    assert "## Missing inputs" in text and '`{"b64": ""}`' in text
    assert "sum to 1 over the labels" in text
    assert "`class` string `(n,)`" in text
    assert f"`probabilities` float32 `(n, {len(LABELS)})`" in text


def test_image_or_text_may_be_missing(classify, classify_with_run):
    files = [IMAGE, b"", IMAGE, b"", ONE_PIXEL]
    texts = ["a red dog", "a red dog", "", "", "?!"]
    outputs = classify(files, texts)
    assert outputs["valid"].all() and outputs["probabilities"].dtype == np.float32
    expected = classify_with_run(files, texts)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    prior = [0.5, 0.3, 0.2]  # shares of the classes in training
    np.testing.assert_allclose(expected[3], prior, atol=1e-5)
    classes = [LABELS[index] for index in expected.argmax(1)]
    assert [name.decode() for name in outputs["class"]] == classes
    for row in range(5):
        rows = slice(row, row + 1)
        probabilities = classify(files[rows], texts[rows])["probabilities"]
        np.testing.assert_allclose(probabilities, expected[rows], atol=1e-5)


def test_texts_are_cleaned_as_in_training(classify, classify_with_run):
    texts = ["red &amp;amp; dog&#39;s", "caf&eacute; on gra&#115;s", "RED b\0oat", "犬"]
    texts += ["Flip-flops for the beach", "for the beach", "the blue dog &nbsp; runs"]
    files = [b""] * len(texts)
    probabilities = classify(files, texts)["probabilities"]
    expected = classify_with_run(files, texts)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    # The name of the class is masked.
    np.testing.assert_allclose(probabilities[4], probabilities[5], atol=1e-6)
    assert np.abs(probabilities[0] - probabilities[5]).max() > 1e-3


def test_invalid_images_do_not_affect_others(classify):
    huge = encoded(np.zeros((8001, 8001), np.uint8), "PNG")
    files = [b"x", IMAGE, IMAGE[:-300], huge, b""]
    outputs = classify(files, ["a dog"] * 5)
    assert outputs["valid"].tolist() == [False, True, False, False, True]
    assert not outputs["probabilities"][[0, 2, 3]].any()
    assert not any(outputs["class"][[0, 2, 3]])
    expected = classify([IMAGE], ["a dog"])["probabilities"][0]
    np.testing.assert_allclose(outputs["probabilities"][1], expected, atol=1e-5)


def test_batches(classify):
    for values in classify(np.zeros(0, "S1"), np.zeros(0, "S1")).values():
        assert len(values) == 0
    with pytest.raises(tf.errors.InvalidArgumentError, match="same number of rows"):
        classify([IMAGE, IMAGE], ["a dog"])


def test_any_bytes_are_a_text(classify):
    texts = ["", " \n", b"\xff\xfe no UTF-8 \x80", "\0", "🙂", "red dog"]
    texts += ["red dog" + " " * 10_000_000 + "after the limit"]
    probabilities = classify([b""] * len(texts), texts)["probabilities"]
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities[0], probabilities[1])
    np.testing.assert_allclose(probabilities[-1], probabilities[-2], atol=1e-6)


@pytest.mark.parametrize(
    ("modalities", "is_ensemble"),
    [
        (["image"], True),
        (["text"], False),
        (["image", "text"], False),
    ],
)
def test_classifiers_that_need_all_inputs(modalities, is_ensemble, tmp_path):
    run = make_classifier_run(tmp_path, modalities, is_ensemble)
    (stage,) = load_stages(run)
    (endpoint,) = stage.endpoints
    examples = build_example_inputs(stage, read_image_files(), include_missing=True)
    inputs = {"image": [*examples.files, b""], "text": [*examples.captions, "a dog"]}
    inputs = [inputs[modality] for modality in modalities]
    outputs = call_serving_function(stage, endpoint, *inputs)
    expected = endpoint.reference_outputs(examples)
    count = len(examples.files)
    classes = outputs["class"][:count].astype(str)
    np.testing.assert_array_equal(classes, expected["class"])
    np.testing.assert_allclose(
        outputs["probabilities"][:count], expected["probabilities"], atol=1e-5
    )
    if "image" in modalities:
        assert outputs["valid"].tolist() == [True] * count + [False]
        assert not outputs["probabilities"][-1].any()
    else:
        assert "valid" not in outputs
    text = build_readme([stage], build_manifest(run, [stage], "savedmodel", []))
    assert "missing" not in text


def test_formats_without_strings_are_rejected(classifier_run, tmp_path):
    with pytest.raises(UserError, match="needs strings.* Use --format savedmodel"):
        export_run(classifier_run.path, tmp_path / "out", "litert")
    assert not list(tmp_path.iterdir())


def test_a_run_that_has_not_finished(tmp_path):
    run = new_run("train-classifier", Settings(), tmp_path / "run")
    with pytest.raises(UserError, match="kerasgan train-classifier --resume"):
        export_run(run.path, tmp_path / "out")
