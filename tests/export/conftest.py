"""One small run of each kind, and one export of each, for all tests of exports."""

import json

import keras
import pytest

from kerasgan.export.export_run import export_run
from tests.data.makers import write_images
from tests.export.classifier_makers import make_classifier_run
from tests.export.makers import call, export_here, make_run


@pytest.fixture(autouse=True, scope="session")
def seeded():
    """Not before each test: a new seed makes TensorFlow prepare all graphs anew."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="session")
def gan_run(folder):
    return make_run(folder / "gan")


@pytest.fixture(scope="session")
def gan(gan_run, folder):
    """By the command, from images that are given: where it lies, what the command
    said, and a function that asks."""
    out, photographs = folder / "exported-gan", folder / "photographs"
    write_images(photographs, ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"])
    arguments = ["--out", out, "--images", photographs, "--json"]
    said, ask = export_here(lambda: call("export", gan_run.path, *arguments).output)
    return out, json.loads(said), ask


@pytest.fixture(scope="session")
def exported_gan(gan):
    return gan[:2]


@pytest.fixture(scope="session")
def ask_gan(gan):
    return gan[2]


@pytest.fixture(scope="session")
def classifier_run(folder):
    return make_classifier_run(folder / "classifier")


@pytest.fixture(scope="session")
def classifier(classifier_run, folder):
    out = folder / "exported-classifier"
    return out, *export_here(lambda: export_run(classifier_run.path, out))


@pytest.fixture(scope="session")
def exported_classifier(classifier):
    return classifier[:2]


@pytest.fixture(scope="session")
def ask_classifier(classifier):
    return classifier[2]
