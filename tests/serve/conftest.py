"""A run of each command and an index, shared by all tests of the page."""

from types import SimpleNamespace

import pytest

from kerasgan.runs.model_files import models_digest
from kerasgan.serve.loading import load_models
from tests.data.makers import write_images
from tests.export.classifier_makers import make_classifier_run
from tests.export.makers import make_run
from tests.search.makers import make_index
from tests.serve.helpers import CAPTIONS, ignore


@pytest.fixture(scope="session")
def paths(tmp_path_factory):
    """A run of each command, and an index of the first; its last image is gone."""
    folder = tmp_path_factory.mktemp("serve")
    run = make_run(folder / "gan")
    write_images(folder / "in", ["0.jpg", "1.jpg"])
    names = [str(folder / "in" / f"{number}.jpg") for number in range(3)]
    digest = models_digest(run.models)
    make_index(
        folder / "index", CAPTIONS, names=names, run=str(run.path), models=digest
    )
    make_classifier_run(folder / "classifier")
    return SimpleNamespace(
        gan=run.path, index=folder / "index", classifier=folder / "classifier"
    )


@pytest.fixture(scope="session")
def models(paths):
    return load_models([paths.gan, paths.classifier, paths.index], ignore)
