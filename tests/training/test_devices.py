"""Which device and strategy training takes."""

import types

import keras
import pytest
import tensorflow as tf

from kerasgan.config.settings import TrainingConfig
from kerasgan.errors import UserError
from kerasgan.training import devices
from kerasgan.training.devices import (
    can_jit_compile,
    describe_devices,
    device_kind,
    distribution_strategy,
    use_device,
)


def test_the_default_is_the_one_processor():
    strategy = use_device(TrainingConfig())
    assert strategy.num_replicas_in_sync == 1 and device_kind(strategy) == "CPU"
    assert device_kind(tf.distribute.get_strategy()) == "CPU"
    assert describe_devices(strategy) == "Device: CPU, replicas: 1, XLA: off"
    mirrored = distribution_strategy(strategy="mirrored")
    assert isinstance(mirrored, tf.distribute.MirroredStrategy)
    assert distribution_strategy(strategy="mirrored") is mirrored


def test_a_device_that_is_missing_is_an_error():
    with pytest.raises(UserError, match="finds no GPU"):
        distribution_strategy("gpu")
    with pytest.raises(UserError, match="No TPU can be reached"):
        distribution_strategy("tpu")
    with pytest.raises(UserError, match="device=cpu, training.strategy=tpu"):
        distribution_strategy("cpu", "tpu")
    with pytest.raises(UserError, match="device=tpu, training.strategy=mirrored"):
        distribution_strategy("tpu", "mirrored")


def test_xla_compiles_on_a_gpu_what_it_can(monkeypatch):
    strategy = types.SimpleNamespace(num_replicas_in_sync=1)
    monkeypatch.setattr(devices, "device_kind", lambda strategy: "GPU")
    dense = keras.Sequential([keras.Input((3, 1)), keras.layers.Dense(1)])
    recurrent = keras.Sequential([dense, keras.layers.LSTM(1)])
    assert can_jit_compile(strategy, dense) and can_jit_compile(strategy, recurrent)
    recurrent.layers[1].supports_jit = False  # as Keras sets it where cuDNN is used
    assert not can_jit_compile(strategy, dense, recurrent)
    strategy.num_replicas_in_sync = 2
    assert not can_jit_compile(strategy, dense)
