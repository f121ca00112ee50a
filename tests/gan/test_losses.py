import numpy as np
import pytest

from kerasgan.gan.losses import LOSSES, value_function
from kerasgan.gan.pair_losses import contrastive_loss

REAL = np.array([-5.0, 1.4, 12.5, 2.7], "float32")
FAKE = np.array([10.0, 4.4, -5.5, 3.6], "float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype("float64")))


EXPECTED = {  # (generator, discriminator), by the papers' formulas, in numpy
    "minimax": (
        np.log(1 - sigmoid(FAKE)).mean(),
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
    ),
    "non-saturating": (
        -np.log(sigmoid(FAKE)).mean(),
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
    ),
    "hinge": (-FAKE.mean(), 1.5 + (11 + 5.4 + 0 + 4.6) / 4),
    "least-squares": (
        0.5 * (FAKE**2).mean(),
        0.5 * (((REAL - 1) ** 2).mean() + ((FAKE + 1) ** 2).mean()),
    ),
    "wasserstein-gp": (-3.125, 3.125 - 2.9),
    "relativistic": (
        -np.log(sigmoid(FAKE - REAL)).mean(),
        -np.log(sigmoid(REAL - FAKE)).mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_have_their_papers_values(name):
    generator, discriminator = EXPECTED[name]
    loss = LOSSES[name]
    assert float(loss.of_generator(REAL, FAKE)) == pytest.approx(generator, abs=1e-5)
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(
        discriminator, abs=1e-5
    )


def test_literal_values():
    """So that a mistake made twice alike is seen as well."""
    assert float(LOSSES["hinge"].discriminator(REAL, FAKE)) == pytest.approx(6.75)
    assert float(LOSSES["minimax"].generator(np.zeros(3, "float32"))) == pytest.approx(
        -0.693147
    )


def test_losses_do_not_overflow():
    huge = np.array([1e4, -1e4], "float32")
    for loss in LOSSES.values():
        assert np.isfinite(loss.of_generator(-huge, huge))
        assert np.isfinite(loss.discriminator(huge, -huge))


def test_value_is_minus_log_four_where_d_is_at_a_loss():
    zeros = np.zeros(4, "float32")
    assert float(value_function(zeros, zeros)) == pytest.approx(-np.log(4), abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_has_its_value(name):
    v = np.log(sigmoid(REAL)).mean() + np.log(1 - sigmoid(FAKE)).mean()
    expected = 2.9 - 3.125 if name == "wasserstein-gp" else v
    assert float(LOSSES[name].value(REAL, FAKE)) == pytest.approx(expected, abs=1e-5)


def test_contrast_against_naive_softmax():
    random = np.random.default_rng(0)
    images, captions = random.standard_normal((2, 5, 3)).astype("float32")
    targets = np.array([2, 0, 0, 4, 1])
    token_ids = np.array([[2, 3], [2, 4], [2, 5], [2, 3], [2, 6]])  # 0 and 3 alike
    expected = []
    for image, target in zip(images, targets, strict=True):
        cosines = captions @ image / np.linalg.norm(captions, axis=1)
        logits = cosines / np.linalg.norm(image) / 0.1
        others = [row for row in range(5) if {row, target} != {0, 3}]
        expected.append(np.log(np.exp(logits[others]).sum()) - logits[target])
    loss = float(contrastive_loss(images, captions, targets, token_ids))
    assert loss == pytest.approx(np.mean(expected), abs=1e-5)
