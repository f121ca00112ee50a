"""What computes in which precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning import precision_check
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders import precision
from kerasgan.encoders.precision import dtype_policy_scope, to_float32

RANDOM = np.random.default_rng(0)


def policies(network):
    return {layer.dtype_policy.name for layer in network._flatten_layers()}


@pytest.mark.parametrize("multiplies", [True, False])
def test_auto_takes_what_is_faster(monkeypatch, multiplies):
    monkeypatch.setattr(precision, "supports_bfloat16", lambda: multiplies)
    with dtype_policy_scope("auto"):
        policy = keras.config.dtype_policy().name
    assert policy == ("mixed_bfloat16" if multiplies else "float32")
    assert keras.config.dtype_policy().name == "float32"


def test_auto_is_float32_on_a_gpu(monkeypatch):
    monkeypatch.setattr(precision, "supports_bfloat16", lambda: True)
    monkeypatch.setattr(precision.tf.config, "get_visible_devices", lambda kind: [1])
    assert precision.resolve_precision("auto") == "float32"


def test_auto_is_checked_by_a_few_steps(monkeypatch):
    token_ids = np.full((20, 2, 6), 3, "int32")
    config = CaptionsConfig(dim=4)
    monkeypatch.setattr(precision, "supports_bfloat16", lambda: True)
    assert precision_check.checked_precision(config, token_ids) == "mixed_bfloat16"
    # A rate with which the weights are infinite after a step.
    diverging = config.model_copy(update={"learning_rate": 1e38})
    assert precision_check.checked_precision(diverging, token_ids) == "float32"
    chosen = config.model_copy(update={"precision": "mixed_bfloat16"})
    assert precision_check.checked_precision(chosen, None) == "mixed_bfloat16"


def test_an_lstm_computes_in_float32_where_cudnn_does(monkeypatch):
    """The other layers of the captioner keep their precision."""
    lists = {"GPU": ["gpu"]}
    monkeypatch.setattr(precision.tf.config, "list_logical_devices", lists.get)
    with dtype_policy_scope("mixed_bfloat16"):
        assert precision.recurrent_precision() == "float32"
        monkeypatch.undo()
        captioner = build_captioner((2, 2, 8), 20, 2, caption_length=6, noise_dim=4)
        captioner.decoder.lstm.dtype_policy = "float32"
        captioner.decoder.lstm.cell.dtype_policy = "float32"
    captioner.compile(keras.optimizers.Adam(), jit_compile=False)
    grids = RANDOM.normal(size=(3, 2, 2, 8)).astype("float32")
    token_ids = RANDOM.integers(3, 20, (3, 2, 6)).astype("int32")
    batch = {"features": grids, "token_ids": token_ids}
    loss = captioner.fit(tf.data.Dataset.from_tensors(batch), verbose=0).history["loss"]
    generated, _ = captioner.generate_token_ids(grids, "beam")
    assert np.isfinite(loss).all() and generated.shape[0] == 3


def test_float32_copies_have_equal_outputs():
    grids = RANDOM.normal(size=(3, 2, 2, 8)).astype("float32")
    token_ids = RANDOM.integers(3, 20, (3, 2, 6)).astype("int32")
    pairs = {"image": grids.mean((1, 2)), "token_ids": token_ids}
    inputs = {"features": grids, "token_ids": token_ids, "noise": np.zeros((3, 4), "f")}
    with dtype_policy_scope("mixed_bfloat16"):
        dual_encoder = build_dual_encoder(20, 6, feature_dim=8, joint_dim=16)
        dual_encoder.adapt(5 + 3 * grids.mean((1, 2)))
        captioner = build_captioner((2, 2, 8), 20, 2, caption_length=6, noise_dim=4)
    captioner.compile(keras.optimizers.Adam())
    for network, given in ((dual_encoder, pairs), (captioner, inputs)):
        with dtype_policy_scope("mixed_bfloat16"):
            copy = to_float32(network)
        assert not copy.compiled
        assert "mixed_bfloat16" in policies(network) and policies(copy) == {"float32"}
        for here, there in zip(
            *(keras.tree.flatten(one(given)) for one in (network, copy)), strict=True
        ):
            here, there = (np.asarray(x, "float32") for x in (here, there))
            np.testing.assert_allclose(here, there, atol=0.02)
            assert np.isfinite(there).all()
    assert dual_encoder.embed_images(pairs["image"]).dtype == np.float32
