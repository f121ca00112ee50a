"""Warnings about the failures that GANs are known for."""

import keras
from rich.console import Console

WINNING_ACCURACY = 0.99  # of D on real and on generated images
PATIENCE = 3  # epochs
MIN_DIVERSITY = 0.35  # of generated images, relative to real ones


class GanDiagnostics(keras.callbacks.Callback):
    """Warns when D wins, and when the generated images become alike (mode collapse).

    A model without a discriminator has no accuracies of it in its logs.

    Args:
        console: where warnings are printed; None: standard error.
        has_critic: whether D is a critic (`wasserstein-gp`), whose values have no
            threshold and therefore no accuracy.
    """

    def __init__(self, console: Console | None = None, has_critic: bool = False):
        super().__init__()
        self.console = console or Console(stderr=True)
        self.has_critic = has_critic
        self.epochs_won = 0

    def on_epoch_end(self, epoch, logs=None):
        """Checks D's accuracies and the diversity of the image grid."""
        accuracies = logs.get("d_real", 0), logs.get("d_generated", 0)
        wins = min(accuracies) > WINNING_ACCURACY and not self.has_critic
        self.epochs_won = self.epochs_won + 1 if wins else 0
        if self.epochs_won >= PATIENCE:
            self.console.print(
                "[yellow]The discriminator has classified nearly all images correctly"
                f" for {self.epochs_won} epochs, so that the generator learns little."
                " Try augmentation, a larger r1, or more images."
            )
        diversity = logs.get("diversity", 1)
        if diversity < MIN_DIVERSITY:
            self.console.print(
                f"[yellow]Generated images differ {diversity:.2f} times as much as real"
                " ones: the generator may be collapsing."
            )
