"""Exports on the page, beside the runs that they are of."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from kerasgan.data.images import read_square_image
from kerasgan.errors import UserError
from kerasgan.export.export_run import export_run, load_stages
from kerasgan.runs import open_run
from kerasgan.serve.app import create_app
from kerasgan.serve.exports import OUTPUTS, Export
from kerasgan.serve.loading import load_models
from tests.data.makers import encoded, pixels
from tests.export.makers import make_run
from tests.search.makers import make_index
from tests.serve.helpers import BAD_UPLOADS, CAPTIONS, JPEG, ignore, read, upload

RUNS = {"images": "gan", "captions": "gan", "classes": "classifier"}
TEXT = "red on water"


def export_stage(run, name, path):
    """Exports the signatures of a stage that the page calls, without comparing them."""
    (stage,) = (stage for stage in load_stages(run) if stage.name == name)
    called = [each for each in stage.endpoints if each.name in OUTPUTS[name]]
    stage = dataclasses.replace(stage, endpoints=tuple(called))
    results = {"load_stages": [stage], "add_reference_outputs": {}, "verify_export": {}}
    with pytest.MonkeyPatch.context() as patch:
        for function, result in results.items():
            patch.setattr(
                f"kerasgan.export.export_run.{function}",
                lambda *arguments, result=result: result,
            )
        export_run(run, path)


@pytest.fixture(scope="module")
def exports(paths, tmp_path_factory):
    """`{stage: directory}` of an export of each stage."""
    folder = tmp_path_factory.mktemp("exports")
    for stage, run in RUNS.items():
        export_stage(open_run(getattr(paths, run)), stage, folder / stage)
    return {stage: folder / stage for stage in RUNS}


@pytest.fixture(scope="module")
def served(exports):
    """`{stage: Models}` of each export by itself."""
    return {stage: load_models([path], ignore) for stage, path in exports.items()}


def largest_difference(images, expected):
    difference = np.array(images, "int32") - np.array(expected, "int32")
    return np.abs(difference).max()


def actions(models):
    page = read(create_app(models).test_client().get("/"))
    return [form["action"] for form in page.all("form")]


def test_the_images_of_the_run_are_drawn(served, models):
    assert actions(served["images"]) == ["/draw"]
    images, note = served["images"].draw("a red zebra", seed=3)
    expected, expected_note = models.draw("a red zebra", seed=3)
    assert note == expected_note == "Unknown words are ignored: zebra"
    assert len(images) == 8 and largest_difference(images, expected) <= 1
    with pytest.raises(UserError, match="no words"):
        served["images"].draw("?!", seed=3)


def test_images_without_captions_are_drawn(tmp_path):
    settings = {"conditional": False, "channels": "grayscale"}
    run = make_run(tmp_path / "run", ["images"], **settings)
    export_stage(run, "images", tmp_path / "exported")
    images, expected = (
        load_models([tmp_path / name], ignore).draw("", seed=1)[0]
        for name in ("exported", "run")
    )
    assert len(images) == 8 and largest_difference(images, expected) <= 1


def test_a_photograph_is_captioned_as_by_the_run(served, models):
    assert actions(served["captions"]) == ["/describe"]
    caption, vector = served["captions"].captioner.describe(JPEG)
    pipeline = models.captioner.pipeline
    image = read_square_image(JPEG, pipeline.image_size, "crop")[None]
    ((best, *_),) = pipeline.caption(pipeline.encode_images(image), None, "beam")
    assert caption == best[0]
    np.testing.assert_allclose(vector, pipeline.embed_images(image)[0], atol=1e-5)


def test_a_photograph_is_classified_as_by_the_run(served, models):
    assert actions(served["classes"]) == ["/describe"]
    exported, classifier = served["classes"].classifier, models.classifier
    assert exported.label_names == classifier.label_names
    for data, text in ((JPEG, TEXT), (None, TEXT), (JPEG, "")):
        probabilities = exported.classify(data, text)
        expected = classifier.classify(data, text)
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    client = create_app(served["classes"]).test_client()
    page = read(client.post("/describe", data=upload(JPEG, text=TEXT)))
    assert "probability" in page.texts and exported.label_names[0] in page.texts
    assert "probability" in read(client.post("/describe", data={"text": TEXT})).texts


@pytest.mark.parametrize(("data", "message"), BAD_UPLOADS)
def test_bad_uploads_are_named_before_the_graph_sees_them(
    served, monkeypatch, data, message
):
    monkeypatch.setattr(Export, "predict", None)
    client = create_app(served["classes"]).test_client()
    page = read(client.post("/describe", data=upload(data)), status=400)
    assert any(message in text for text in page.texts)


def test_formats_that_the_graph_does_not_decode_are_converted(served):
    data = encoded(pixels(7), "WEBP", lossless=True)
    expected = encoded(pixels(7), "PNG")
    classify = served["classes"].classifier.classify
    np.testing.assert_array_equal(classify(data, ""), classify(expected, ""))


def test_exports_are_served_beside_runs_and_an_index(exports, paths, models, tmp_path):
    mixed = load_models([exports["captions"], paths.classifier, paths.index], ignore)
    assert actions(mixed) == ["/describe", "/search"]
    found, expected = (each.describe(JPEG, TEXT) for each in (mixed, models))
    assert found.nearest.rows == expected.nearest.rows and found.classes
    assert mixed.index.load_pipeline() is mixed.captioner
    vectors = mixed.captioner.embed_captions(CAPTIONS)
    expected = models.captioner.embed_captions(CAPTIONS)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    beside_run = load_models([exports["classes"], paths.gan], ignore)
    assert actions(beside_run) == ["/draw", "/describe"]
    with pytest.raises(UserError, match="Two of a kind"):
        load_models([paths.gan, exports["images"]], ignore)
    make_index(tmp_path / "other", CAPTIONS)
    with pytest.raises(UserError, match="built with other models than .*captions"):
        load_models([exports["captions"], tmp_path / "other"], ignore)


DAMAGES = {  # what replaces the manifest's values, or a file, and the message
    "format": ({"format": "litert"}, "format 'litert', which takes arrays. Name"),
    "version": ({"versions": {"kerasgan": "0.1.0"}}, "written by kerasgan 0.1.0"),
    "stages": ({"stages": {"captions": {"fit": "pad"}}}, "no signature caption_beam"),
    "no stages": ({"stages": None}, "export.json is damaged"),
    "graph": ({"sha256": {}, "saved_model.pb": b"no graph"}, "cannot be loaded"),
    "no manifest": ({"export.json": None}, "does not contain export.json. Make one"),
    "no graph": ({"saved_model.pb": None}, "saved_model.pb is missing. Export the run"),
    "words": ({"assets/vocabulary-images.txt": b"a\n"}, "was changed after the export"),
}


@pytest.mark.parametrize(("changes", "message"), DAMAGES.values(), ids=DAMAGES)
def test_damaged_exports_are_refused(exports, tmp_path, changes, message):
    path = tmp_path / "damaged"
    shutil.copytree(exports["images"], path)
    manifest = json.loads((path / "export.json").read_text())
    values = {key: value for key, value in changes.items() if key in manifest}
    (path / "export.json").write_text(json.dumps(manifest | values))
    for name in changes.keys() - manifest.keys():
        if changes[name] is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(changes[name])
    with pytest.raises(UserError, match=message):
        load_models([path], ignore)
