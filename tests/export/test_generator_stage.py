"""The images stage of a VAE; that of a GAN is in `test_export.py`."""

import numpy as np
import pytest

from kerasgan.export.example_inputs import build_example_inputs, read_image_files
from kerasgan.export.export_run import export_run, load_stages
from tests.export.makers import (
    call_serving_function,
    export_in_process,
    make_run,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return make_run(path, ["images"], model="vae")


def test_a_vae_encodes_and_generates(run):
    (stage,) = load_stages(run)
    generate, encode = stage.endpoints
    examples = build_example_inputs(stage, read_image_files())
    for endpoint, first in ((generate, examples.noise), (encode, examples.files)):
        arrays = first, examples.captions
        outputs = call_serving_function(stage, endpoint, *arrays)
        for name, expected in endpoint.reference_outputs(examples).items():
            tolerance = 1 if expected.dtype == "uint8" else 1e-5
            difference = outputs[name].astype("float64") - expected
            assert abs(difference).max() <= tolerance
    assert set(encode.outputs) == {"mean", "log_variance"}
    assert np.ptp(outputs["mean"], axis=0).min() > 0


def test_the_networks_of_a_vae_are_exported(run, tmp_path):
    path = tmp_path / "out"
    results = export_in_process(lambda: export_run(run.path, path, "keras")).result
    assert set(results) == {"generator", "encoder", "preprocessing.py"}
    assert all(output["difference"] < 1e-5 for output in results["encoder"].values())
