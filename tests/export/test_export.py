"""Exports of `train-gan` as a SavedModel, and their verification."""

import dataclasses
import importlib.util
import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasgan.config.settings import Settings
from kerasgan.errors import JobError, UserError
from kerasgan.export.example_inputs import build_example_inputs, read_image_files
from kerasgan.export.export_run import export_run, load_stages
from kerasgan.export.manifest import build_manifest
from kerasgan.export.readme import build_readme
from kerasgan.export.verification import check_differences, verify_export
from kerasgan.export.verify_in_subprocess import (
    ImportBlocker,
    compare_outputs,
    max_difference,
)
from kerasgan.runs import new_run
from kerasgan.runs.model_files import models_digest
from tests.data.makers import encoded, pixels
from tests.export.makers import (
    IMAGE_SIZE,
    LATENT_DIM,
    call_serving_function,
    export_in_process,
    make_run,
    run_command,
)
from tests.helpers import opened

SIGNATURES = ["generate", "discriminate", "caption", "caption_beam", "embed_image"]
SIGNATURES += ["embed_text", "match"]
IMAGE = encoded(pixels(1))


def test_every_output_was_compared_with_the_run(gan_export):
    files = [path for path in gan_export.path.rglob("*") if path.is_file()]
    report = gan_export.result
    assert report["bytes"] == sum(path.stat().st_size for path in files)
    assert report["path"] == str(gan_export.path)
    results = report["endpoints"]
    assert list(results) == SIGNATURES
    assert results["caption_beam"]["captions"] == {"kind": "U", "difference": 0}
    assert results["embed_image"]["vectors"]["difference"] < 1e-5
    assert results["generate"]["images"]["difference"] <= 1
    assert set(results["match"]) == {"cosine", "valid"}


def test_files_of_an_export(gan_run, gan_export):
    path = gan_export.path
    names = {file.name for file in path.iterdir()}
    expected = {"saved_model.pb", "variables", "assets", "README.md", "export.json"}
    assert expected <= names and not any("partial" in name for name in names)
    words = (path / "assets" / "vocabulary-captions.txt").read_text().split()
    assert words[0] == "[START]"
    stages = json.loads((path / "export.json").read_text())["stages"]
    assert stages["images"]["latent_dim"] == LATENT_DIM
    assert stages["captions"]["models"] == models_digest(gan_run.models)
    assert not list(path.parent.glob("*.partial"))


def test_nothing_that_only_training_needs_is_exported(gan_export):
    prefix = str(gan_export.path / "variables" / "variables")
    variables = tf.train.list_variables(prefix)
    names = " ".join(name for name, _ in variables).lower()
    assert variables and not re.search("optimizer|adam|momentum|seed", names)
    assert b"CudnnRNN" not in (gan_export.path / "saved_model.pb").read_bytes()


def test_signatures_accept_any_batch_size(gan_export):
    for name in SIGNATURES:
        signature = gan_export.model.signatures[name]
        for tensor in [*signature.inputs[:1], *signature.outputs]:
            assert tensor.shape[0] is None
        for output in signature.structured_outputs.values():
            assert output.dtype in (tf.float32, tf.uint8, tf.string, tf.bool)


def test_invalid_images_do_not_affect_others(gan_export):
    predict = gan_export.predict
    expected = predict("caption", image_bytes=[IMAGE])
    outputs = predict("caption", image_bytes=[b"", IMAGE, IMAGE[:-300]])
    assert outputs["valid"].tolist() == [False, True, False]
    assert outputs["caption"][1] == expected["caption"][0]
    assert outputs["caption"][0] == b"" and outputs["score"][2] == 0
    outputs = predict("match", image_bytes=[b"x", IMAGE], captions=["a dog", "a dog"])
    assert outputs["cosine"][0] == 0 and outputs["cosine"][1] != 0


def test_empty_batches_have_empty_outputs(gan_export):
    for name in SIGNATURES:
        signature = gan_export.model.signatures[name]
        inputs = {
            key: np.zeros(
                [0, *spec.shape[1:]], "S1" if spec.dtype == tf.string else "float32"
            )
            for key, spec in signature.structured_input_signature[1].items()
        }
        for values in gan_export.predict(name, **inputs).values():
            assert len(values) == 0


def test_different_numbers_of_rows_are_rejected(gan_export):
    predict = gan_export.predict
    noise = np.zeros((2, LATENT_DIM), "float32")
    with pytest.raises(tf.errors.InvalidArgumentError, match="same number of rows"):
        predict("generate", noise=noise, captions=["a dog"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="same number of rows"):
        predict("match", image_bytes=[IMAGE, IMAGE], captions=["a dog"])


def test_noise_that_is_not_finite_is_rejected(gan_export):
    for value in (np.nan, np.inf):
        noise = np.zeros((3, LATENT_DIM), "float32")
        noise[1, 2] = value
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"finite.*\[1\]"):
            gan_export.predict("generate", noise=noise, captions=["a dog"] * 3)


def test_any_caption_has_a_vector(gan_export):
    captions = ["", " ", "word " * 2_000_000, "犬", b"\xff\xfe no UTF-8 \x80", "\0"]
    captions += ["🙂"]
    vectors = gan_export.predict("embed_text", captions=captions)["vectors"]
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_a_row_does_not_depend_on_the_batch(gan_export):
    noise = np.random.default_rng(0).standard_normal((3, LATENT_DIM)).astype("float32")
    captions = ["a red dog", "the boat", ""]

    def generate(rows):
        inputs = {"noise": noise[rows], "captions": captions[rows]}
        return gan_export.predict("generate", **inputs)["images"]

    images = generate(slice(0, 3))
    assert images.shape == (3, IMAGE_SIZE, IMAGE_SIZE, 3) and images.dtype == np.uint8
    (image,) = generate(slice(1, 2))
    assert np.abs(image.astype(int) - images[1]).max() <= 1


def test_the_examples_of_the_readme_run(gan_export, monkeypatch, capsys):
    folder = gan_export.path.parent
    text = (gan_export.path / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == len(SIGNATURES)
    monkeypatch.chdir(folder)
    for name in ("one.jpg", "two.jpg"):
        (folder / name).write_bytes(IMAGE)
    monkeypatch.setattr(tf.saved_model, "load", {".": gan_export.model}.__getitem__)
    for block in blocks:
        assert len(block.splitlines()) <= 10 and "import kerasgan" not in block
        exec(block, {})
    assert capsys.readouterr().out.count("'valid': array([ True,  True])") == 5
    assert opened(folder / "1.png").size == (IMAGE_SIZE, IMAGE_SIZE)
    requests = re.findall(r"^    (\{.*)$", text, re.MULTILINE)
    assert [json.loads(line)["signature_name"] for line in requests] == SIGNATURES
    assert "missing" not in text and "TF_CPP_MIN_LOG_LEVEL" in text


def test_the_readme_has_the_shape_of_every_output(gan_export):
    lines = (gan_export.path / "README.md").read_text().splitlines()
    for name in SIGNATURES:
        (row,) = (line for line in lines if line.startswith(f"| `{name}` |"))
        shapes = dict(re.findall(r"`(\w+)` \w+ `(\(n,.*?\))`", row.split(" | ")[-1]))
        outputs = gan_export.model.signatures[name].structured_outputs
        assert shapes == {
            key: str(("n", *spec.shape[1:])).replace("'", "")
            for key, spec in outputs.items()
        }


def test_kerasgan_cannot_be_imported_during_verification():
    finder = ImportBlocker()
    for name in ("kerasgan", "keras.ops", "kerasgan.layers"):
        spec = finder.find_spec(name)
        with pytest.raises(ModuleNotFoundError, match="is blocked"):
            importlib.util.module_from_spec(spec)
    assert finder.find_spec("tensorflow") is None


def test_different_outputs_are_detected():
    examples = {
        "output/match/cosine": np.array([0.5, 0.25]),
        "output/match/caption": np.array(["a dog", "two"]),
    }
    endpoint = {"name": "match", "outputs": ["cosine", "caption", "valid"]}
    inputs = {"image_bytes": [b"1", b"2", b"no image"]}

    def verify(cosines, captions=(b"a dog", b"two", b"")):
        outputs = {
            "cosine": np.array(cosines, "float32"),
            "caption": np.array(captions),
            "valid": np.array([True, True, False]),
        }
        results = compare_outputs(lambda *_: outputs, endpoint, inputs, examples)
        check_differences({"match": results}, "out")

    assert max_difference(np.uint8([200, 7]), np.uint8([199, 7])) == 1
    verify([0.5, 0.25 + 1e-6, 0])
    for cosines in ([0.5, 0.251, 0], [0.5, 0.25, 0.1], [0.5, np.nan, 0], [0.5, 0.25]):
        with pytest.raises(JobError, match="match: cosine differs by"):
            verify(cosines)
    with pytest.raises(JobError, match="match: caption differs by 0.66"):
        verify([0.5, 0.25, 0], captions=(b"two", b"a dog", b""))


DAMAGED_FILES = {
    "manifest": "export.json",
    "examples": "check.npz",
    "graph": "saved_model.pb",
    "vocabulary": "assets/vocabulary-captions.txt",
}


def verify_damaged(export, path, **contents):
    """Copies an export, replaces the contents of files, and returns the output."""
    shutil.copytree(export, path)
    for name, content in contents.items():
        (path / DAMAGED_FILES[name]).write_bytes(content)
    output = run_command("export", "--check", path, status=1).output
    assert "Traceback" not in output and 'File "' not in output
    return output


def test_damaged_exports_are_detected(gan_export, tmp_path):
    export = gan_export.path
    manifest = (export / "export.json").read_bytes()
    damaged_manifests = (b"", manifest[:99], b"\xff", b"[]", b"{}")
    for index, content in enumerate(damaged_manifests):
        output = verify_damaged(export, tmp_path / f"{index}", manifest=content)
        assert "export.json is damaged" in output and "Export the run again" in output
    words = (export / DAMAGED_FILES["vocabulary"]).read_bytes()
    output = verify_damaged(export, tmp_path / "words", vocabulary=words + b"more\n")
    assert "vocabulary-captions.txt was changed after the export" in output
    examples = (export / "check.npz").read_bytes()
    output = verify_damaged(export, tmp_path / "examples", examples=examples[:-99])
    assert "check.npz was changed after the export" in output
    output = verify_damaged(export, tmp_path / "graph", graph=b"no graph")
    assert "saved_model.pb was changed after the export" in output
    (tmp_path / "graph" / DAMAGED_FILES["vocabulary"]).unlink()
    with pytest.raises(JobError, match="vocabulary-captions.txt is missing"):
        verify_export(tmp_path / "graph")


def test_a_grayscale_run_without_captions(tmp_path):
    settings = {"conditional": False, "channels": "grayscale", "loss": "hinge"}
    run = make_run(tmp_path, ["images"], **settings)
    (stage,) = load_stages(run)
    generate, discriminate = stage.endpoints
    examples = build_example_inputs(stage, read_image_files())
    images = call_serving_function(stage, generate, examples.noise)["images"]
    expected = generate.reference_outputs(examples)["images"].reshape(images.shape)
    assert np.abs(images.astype(int) - expected).max() <= 1
    logits = call_serving_function(stage, discriminate, examples.files)["logit"]
    expected = discriminate.reference_outputs(examples)["logit"]
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    text = build_readme([stage], build_manifest(run, [stage], "savedmodel", []))
    assert "not a probability with the loss hinge" in text
    assert "`captions` string" not in text and "(n, 32, 32, 1)" in text


@pytest.mark.parametrize("format", ["savedmodel", "litert"])
def test_captions_of_a_transformer(tmp_path, monkeypatch, format):
    run = make_run(tmp_path / "run", ["captions"], decoder="transformer")
    (stage,) = load_stages(run)
    beam = [endpoint for endpoint in stage.endpoints if endpoint.name == "caption_beam"]
    stage = dataclasses.replace(stage, endpoints=tuple(beam))
    monkeypatch.setattr("kerasgan.export.export_run.load_stages", lambda run: [stage])
    path = tmp_path / "exported"
    exported = export_in_process(lambda: export_run(run.path, path, format))
    results = exported.result["caption_beam"]
    assert results["scores"]["difference"] < 1e-4 and len(results) > 1


def test_what_cannot_be_exported(gan_run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UserError, match="already exists"):
        export_run(gan_run.path, tmp_path / "full")
    with pytest.raises(UserError, match="must be one of .* Received: 'jax'"):
        export_run(gan_run.path, tmp_path / "out", "jax")
    empty = new_run("train-gan", Settings(), tmp_path / "empty")
    with pytest.raises(UserError, match="has not finished"):
        export_run(empty.path, tmp_path / "out")
    other = new_run("train-other", Settings(), tmp_path / "other")
    with pytest.raises(UserError, match="Only runs of train-gan.*a run of train-other"):
        export_run(other.path, tmp_path / "out")
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match="no images in"):
        export_run(gan_run.path, tmp_path / "out", images=tmp_path / "images")
    (tmp_path / "images" / "a.jpg").write_text("words")
    with pytest.raises(UserError, match="a.jpg: not an image"):
        export_run(gan_run.path, tmp_path / "out", images=tmp_path / "images")
    with pytest.raises(UserError, match="is not an export"):
        verify_export(tmp_path)
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob("*.partial"))
