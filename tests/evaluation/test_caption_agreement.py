"""Whether images agree with the captions that they were generated from."""

import json

import numpy as np
import pytest

from kerasgan.captioning import pipeline as pipeline_module
from kerasgan.config.settings import Settings
from kerasgan.evaluation import evaluate_folders as folders_module
from kerasgan.evaluation.caption_agreement import caption_agreement
from kerasgan.runs import new_run
from tests.cli.test_train_gan import call
from tests.data.makers import encoded, table

NUMBERS = [str(number) for number in range(12)]


class Pipeline:
    """Sees the number of an image in its brightness, and reads that of a caption."""

    image_size = 16
    words = np.array(["", "[UNK]", "number", *NUMBERS])

    def embed_images(self, images):
        return np.eye(12)[np.round(images.mean(axis=(1, 2, 3)) / 20).astype(int)]

    def embed_captions(self, captions):
        return np.eye(12)[[int(caption.split()[1]) for caption in captions]]


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """Twelve images, whose captions are right but for two; a judge, and real images."""
    for folder in ("generated", "real"):
        (tmp_path / folder).mkdir()
        for number in range(12):
            image = np.full((24, 24, 3), number * 20, np.uint8)
            (tmp_path / folder / f"{number:05}.png").write_bytes(encoded(image, "PNG"))
    captions = [f"{number:05}.png,number {number}" for number in range(12)]
    captions[3], captions[4] = captions[3][:-1] + "4", captions[4][:-1] + "3"
    captions[11] = "00011.png,zebra 犬"
    table(tmp_path, ["image,caption", *captions, "x.png,number 1"], "images.csv")
    new_run("train-gan", Settings(), tmp_path / "run")
    monkeypatch.setattr(pipeline_module, "load_captioner", lambda run: Pipeline())
    features = np.random.default_rng(0).normal(size=(12, 6))
    monkeypatch.setattr(folders_module, "pooled_features", lambda *_: features)
    return ["--images", tmp_path / "generated", "--references", tmp_path / "real"]


def test_ranks_of_captions():
    cosines = np.array([[0.9, 0.1, 0.0], [0.5, 0.4, 0.1], [0.2, 0.2, 0.2]])
    scores = caption_agreement(cosines, np.eye(3), ["a dog", "a boat", "a tree"])
    third = pytest.approx(1 / 3)
    assert scores["matched"] == {
        **{"r_precision": third, "median_rank": 2.0, "chance": third, "images": 3}
    }
    # The second caption, which is nearer, has the same words and is no distractor.
    cosines[0] = 0.5, 0.6, 0.0
    scores = caption_agreement(cosines, np.eye(3), ["a dog", "A dog!", "a tree"])
    assert scores["matched"]["r_precision"] == pytest.approx(2 / 3)
    assert scores["matched"]["chance"] == pytest.approx((1 / 2 + 1 / 2 + 1 / 3) / 3)
    assert caption_agreement(cosines, np.eye(3), ["a dog", "a dog", "A dog"]) is None


def test_images_are_judged_by_the_dual_encoder_of_a_run(setup, tmp_path):
    options = "--captions", tmp_path / "images.csv", "--dual-encoder", tmp_path / "run"
    results = json.loads(call("evaluate", *setup, *options, "--json").stdout)
    rows = results["agreement"]["rows"]
    assert rows["generated"]["images"] == rows["real"]["images"] == 11
    assert rows["generated"]["r_precision"] == pytest.approx(9 / 11)
    assert rows["shuffled"]["r_precision"] < 0.3
    assert results["agreement"]["left_out"] == {
        "unknown image": 1,
        "caption without a known word": 1,
    }
    (tmp_path / "run" / "models" / "generator.keras").touch()
    text = call("evaluate", *setup, *options).stdout
    assert "R-precision" in text and "Skipped: 1 × unknown image: x.png" in text
    assert "it must not judge its own" in text


def test_what_agreement_needs(setup, tmp_path):
    captions = table(tmp_path, ["image,caption", "00001.png,number 1"], "one.csv")
    options = "--dual-encoder", tmp_path / "run"
    result = call("evaluate", *setup, *options, status=2)
    assert "--captions and --dual-encoder need each other" in result.output
    result = call("evaluate", *setup, *options, "--captions", captions, status=2)
    assert "need at least two captions" in result.output
    captions = table(tmp_path, ["image,label", "00001.png,one"], "labels.csv")
    result = call("evaluate", *setup, *options, "--captions", captions, status=2)
    assert "labels.csv has no captions" in result.output
    captions = table(tmp_path, ["image,caption", "other.png,number 1"], "other.csv")
    result = call("evaluate", *setup, *options, "--captions", captions, status=2)
    assert "None of the 1 images of" in result.output
