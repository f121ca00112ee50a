"""One small run of each command and its export, shared by all tests of exports."""

import json

import keras
import pytest

from kerasgan.export.export_run import export_run
from tests.data.makers import write_images
from tests.export.classifier_makers import make_classifier_run
from tests.export.makers import export_in_process, make_run, run_command


@pytest.fixture(autouse=True, scope="session")
def seeded():
    """Sets the seed once: with a new seed TensorFlow prepares all graphs again."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("export")


@pytest.fixture(scope="session")
def gan_run(folder):
    return make_run(folder / "gan")


@pytest.fixture(scope="session")
def gan_export(gan_run, folder):
    """An export by the command, verified with given images."""
    path, photographs = folder / "exported-gan", folder / "photographs"
    write_images(photographs, ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"])
    arguments = ["--out", path, "--images", photographs, "--json"]
    exported = export_in_process(
        lambda: run_command("export", gan_run.path, *arguments).output
    )
    exported.path, exported.result = path, json.loads(exported.result)
    return exported


@pytest.fixture(scope="session")
def classifier_run(folder):
    return make_classifier_run(folder / "classifier")


@pytest.fixture(scope="session")
def classifier_export(classifier_run, folder):
    path = folder / "exported-classifier"
    exported = export_in_process(lambda: export_run(classifier_run.path, path))
    exported.path = path
    return exported
