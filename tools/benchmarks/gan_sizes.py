"""Sizes of the networks and batches of the GAN's step, in every framework."""

from types import SimpleNamespace

LATENT_DIM = 100
LEARNING_RATE = 4e-4


def gan_sizes(tiny: bool, has_gpu: bool) -> SimpleNamespace:
    """Returns image size, filters, batch size and the steps of a call.

    Args:
        tiny: whether it should only be seen that everything runs.
        has_gpu: whether there is a GPU, which needs larger batches.
    """
    if tiny:
        return SimpleNamespace(
            image_size=16, min_filters=2, max_filters=4, batch_size=4, steps=2
        )
    batch_size, steps = (256, 100) if has_gpu else (64, 8)
    return SimpleNamespace(
        image_size=64,
        min_filters=32,
        max_filters=256,
        batch_size=batch_size,
        steps=steps,
    )
