"""The shared callbacks, on a model of one weight."""

import json
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasgan
from kerasgan.errors import JobError
from kerasgan.training.checkpoints import load_checkpoint

X = np.ones((8, 1), "float32")


def fit(*callbacks, x=X, y=X, epochs=3, learning_rate=0.1):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(learning_rate)
    model.compile(optimizer, "mse", jit_compile=False)
    history = model.fit(
        x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=list(callbacks)
    )
    return model, history


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops_training(value):
    stop = kerasgan.callbacks.StopOnNonFinite("captions", "mixed_bfloat16")
    message = "captions, epoch 1, step 2, precision mixed_bfloat16.: not finite: loss"
    with pytest.raises(JobError, match=message):
        fit(stop, y=np.where(np.arange(8) == 5, value, X[:, 0]))


def test_a_loss_that_is_not_finite_is_noticed_within_an_epoch(monkeypatch):
    module = "kerasgan.training.callbacks.stop_on_non_finite"
    monkeypatch.setattr(f"{module}.SECONDS_BETWEEN_CHECKS", 0.0)
    stop = kerasgan.callbacks.StopOnNonFinite("images")
    with pytest.raises(JobError, match="epoch 1, step 1,"):
        fit(stop, y=np.full((8, 1), np.nan))


def test_weights_that_are_not_finite_stop_training_before_they_are_saved():
    """The loss of a step is computed before its update."""
    stop = kerasgan.callbacks.StopOnNonFinite("images")
    saved = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: pytest.fail("saved"))
    with pytest.raises(JobError, match="step 1, .*: not finite: sequential.*dense"):
        fit(stop, saved, x=X[:4], y=X[:4], learning_rate=np.inf)


def test_finite_losses_train_on():
    _, history = fit(kerasgan.callbacks.StopOnNonFinite("images"))
    assert len(history.history["loss"]) == 3


def test_the_learning_rate_falls_along_a_cosine():
    rates = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    fit(kerasgan.callbacks.TimedCosineDecay(2), Record(), epochs=2, learning_rate=1.0)
    expected = [(1 + np.cos(np.pi * share)) / 2 for share in (0, 0.25, 0.5, 0.75)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_the_learning_rate_falls_by_epochs_where_the_steps_are_unknown():
    rates = []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    pairs = tf.data.Dataset.from_tensor_slices((X, X[:, :1])).batch(4)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callbacks = [kerasgan.callbacks.TimedCosineDecay(2), Record()]
    model.fit(
        pairs.filter(lambda *_: True),
        epochs=2,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )
    # From the second epoch on, Keras knows the number of steps.
    expected = [(1 + np.cos(np.pi * share)) / 2 for share in (0, 0, 0.5, 0.75)]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_cosine_decay_stops_when_its_minutes_are_used_up():
    decay = kerasgan.callbacks.TimedCosineDecay(500, minutes=1e-9)
    _, history = fit(decay, epochs=500)
    assert len(history.history["loss"]) == 1


def test_cosine_decay_does_not_count_the_compilation(monkeypatch):
    seconds, rates = [0.0], []
    monkeypatch.setattr(time, "perf_counter", lambda: seconds[0])

    class SlowFirstStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))
            seconds[0] += 1 if seconds[0] else 3600

    decay = kerasgan.callbacks.TimedCosineDecay(500, minutes=2 / 60)
    fit(decay, SlowFirstStep(), epochs=500, learning_rate=1.0)
    np.testing.assert_allclose(rates, [1, 1, 0.5, 0], atol=0.01)


def test_a_time_limit_counts_earlier_sessions_and_stops():
    limit = kerasgan.callbacks.TimeLimit(minutes=1, elapsed=60.0, batch_size=4)
    assert limit.is_reached
    _, history = fit(limit, epochs=500)
    assert len(history.history["loss"]) == 1
    assert history.history["seconds"][0] == limit.seconds > 60
    assert history.history["images_per_second"][0] > 0


def test_without_a_limit_all_epochs_are_trained():
    limit = kerasgan.callbacks.TimeLimit()
    _, history = fit(limit)
    assert len(history.history["seconds"]) == 3 and not limit.is_reached
    assert "images_per_second" not in history.history


def test_later_callbacks_do_not_count_as_training():
    class Sleep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            time.sleep(2)

    limit = kerasgan.callbacks.TimeLimit()
    start = time.perf_counter()
    fit(limit, Sleep(), epochs=2)
    assert limit.seconds < time.perf_counter() - start - 3.5


def test_json_lines_have_fields_epochs_and_metrics(tmp_path):
    fit(kerasgan.callbacks.JsonLinesLogger(tmp_path / "log.jsonl", stage="first"))
    lines = [json.loads(x) for x in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["epoch"]) for line in lines] == [
        ("first", 1),
        ("first", 2),
        ("first", 3),
    ]
    assert lines[0]["loss"] > lines[2]["loss"]


def test_a_progress_bar_prints_each_epoch_on_standard_error(capsys):
    fit(kerasgan.callbacks.ProgressBar(["loss"]), epochs=2)
    output = capsys.readouterr()
    assert "epoch 2: loss" in output.err and not output.out
    fit(kerasgan.callbacks.ProgressBar(show=False), epochs=2)
    assert not capsys.readouterr().err


def test_epoch_checkpoints_restore_the_last_epoch(tmp_path):
    variables = []
    checkpoint = kerasgan.callbacks.EpochCheckpoint(
        tmp_path, variables, lambda: {"seconds": 4.5}
    )

    class VariableCollector(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            variables.extend(self.model.variables)

    model, _ = fit(VariableCollector(), checkpoint)
    trained = model.get_weights()
    model.set_weights([np.zeros_like(weight) for weight in trained])
    assert load_checkpoint(tmp_path, variables) == {"epoch": 3, "seconds": 4.5}
    for one, two in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(list(tmp_path.glob("*.npz"))) == 2
