"""Training of one network with early stopping."""

import numpy as np
import pytest
from scipy import special

from kerasgan.classification.examples import PairExamples
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.networks import build_classifier, build_feature_branch
from kerasgan.classification.temperature import fit_temperature
from kerasgan.config.settings import ClassifierConfig
from kerasgan.errors import JobError


def make_examples(count=40):
    random = np.random.default_rng(0)
    labels = np.arange(count) % 2
    features = random.normal(size=(count, 4)).astype("float32")
    features[:, 0] += 2 * labels
    texts = [[] for _ in range(count)]
    examples = PairExamples([""] * count, features, texts, labels)
    examples.tokenize(None)
    return examples


def make_trainer(**config):
    values = {"minutes": None, "epochs": 30, "learning_rate": 0.05, "dropout": 0.0}
    config = ClassifierConfig(**values | config)
    return NetworkTrainer(
        build_classifier(2, build_feature_branch(np.eye(4), 8)), config
    )


def test_inputs_of_a_network_need_token_ids():
    examples = PairExamples(["a"], None, [["text"]], np.zeros(1, int))
    with pytest.raises(ValueError, match="Call `tokenize` first"):
        examples.inputs(make_trainer().network)


@pytest.mark.parametrize("patience", [1, 3])
def test_training_stops_after_the_patience_and_restores_the_best_epoch(patience):
    examples, trainer = make_examples(), make_trainer(patience=patience)
    # Wrong labels: the validation loss rises soon.
    examples.labels[30:] = 1 - examples.labels[30:]
    train_rows, validation_rows = np.arange(30), np.arange(30, 40)
    predictions, best_epoch = trainer.fit_with_early_stopping(
        examples, train_rows, validation_rows
    )
    losses = trainer.model.history.history["val_loss"]
    assert best_epoch == 1 + np.argmin(losses)
    assert len(losses) == best_epoch + patience + 1
    restored = trainer.predict_log_proba(examples[validation_rows])
    np.testing.assert_array_equal(predictions, restored)
    expected = -predictions[np.arange(10), examples.labels[30:]].mean()
    assert min(losses) == pytest.approx(expected)


def test_without_patience_all_epochs_are_trained():
    examples, trainer = make_examples(), make_trainer(patience=None, epochs=7)
    trainer.fit_with_early_stopping(examples, np.arange(30), np.arange(30, 40))
    assert len(trainer.model.history.history["val_loss"]) == 7
    trainer.fit_single(examples)
    assert "val_loss" not in trainer.model.history.history


def test_each_training_starts_from_the_initial_weights():
    examples, trainer = make_examples(), make_trainer(learning_rate=1e-9)
    before = trainer.predict_log_proba(examples)
    trainer.network.set_weights([w + 1 for w in trainer.network.get_weights()])
    trainer.fit(examples, np.arange(40), 1)
    np.testing.assert_allclose(trainer.predict_log_proba(examples), before, atol=1e-5)


def test_a_loss_that_is_not_finite_is_an_error():
    examples, trainer = make_examples(), make_trainer(learning_rate=1e30)
    message = "classifier, epoch .*, precision float32.: not finite: .*loss"
    with pytest.raises(JobError, match=message):
        trainer.fit(examples, np.arange(40), 5)


def test_a_single_network_is_calibrated_on_the_held_out_examples():
    examples = make_examples(400)
    flipped = np.random.default_rng(0).random(400) < 0.2
    examples.labels = np.where(flipped, 1 - examples.labels, examples.labels)
    trainer = make_trainer(validation=0.5)
    trainer.fit_single(examples)
    assert 0.2 < trainer.temperature != 1.0
    calibrated = trainer.predict_log_proba(examples)
    trainer.temperature = 1.0
    log_probabilities = trainer.predict_log_proba(examples)
    held_out = np.random.default_rng(0).permutation(400)[:200]
    expected = fit_temperature(log_probabilities[held_out], examples.labels[held_out])
    scaled = special.log_softmax(log_probabilities / expected, axis=1)
    np.testing.assert_allclose(calibrated, scaled, atol=1e-4)


def test_a_network_without_held_out_examples_has_no_temperature():
    trainer = make_trainer(patience=None, epochs=1)
    trainer.temperature = 3.0  # of an earlier training
    trainer.fit_single(make_examples())
    assert trainer.temperature == 1.0


@pytest.mark.parametrize("grouped", [False, True])
def test_whole_groups_are_held_out_for_early_stopping(monkeypatch, grouped):
    examples, trainer = make_examples(), make_trainer(epochs=1, validation=0.2)
    if grouped:
        examples.groups = np.arange(40) // 4
    divisions, fit = [], trainer.fit_with_early_stopping

    def recording_fit(examples, train_rows, validation_rows, callbacks):
        divisions.append((train_rows, validation_rows))
        return fit(examples, train_rows, validation_rows, callbacks)

    monkeypatch.setattr(trainer, "fit_with_early_stopping", recording_fit)
    held_out, predictions = trainer.fit_single(examples)
    ((train_rows, validation_rows),) = divisions
    np.testing.assert_array_equal(held_out, validation_rows)
    assert (len(train_rows), len(held_out), len(predictions)) == (32, 8, 8)
    groups = examples.groups
    assert not set(groups[train_rows]) & set(groups[held_out])
    if not grouped:
        rows = np.random.default_rng(0).permutation(40)
        np.testing.assert_array_equal(held_out, rows[:8])
        np.testing.assert_array_equal(train_rows, rows[8:])


def test_the_validation_loss_is_balanced():
    examples = make_examples()
    examples.labels[4:30] = 0
    trainer = make_trainer(epochs=1, balance=True)
    predictions, _ = trainer.fit_with_early_stopping(
        examples, np.arange(30), np.arange(30, 40)
    )
    losses = -predictions[np.arange(10), examples.labels[30:]]
    frequencies = np.bincount(examples.labels)[examples.labels[30:]]
    (loss,) = trainer.model.history.history["val_loss"]
    assert loss == pytest.approx(np.average(losses, weights=1 / frequencies))
    assert loss != pytest.approx(losses.mean(), rel=1e-3)
