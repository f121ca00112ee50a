"""Runs a command of kerasgan, and ends the process after its first training step.

python -m benchmarks.first_step train-gan
"""

import os

import wrapt

import kerasgan.cli


@wrapt.when_imported("kerasgan.training.callbacks.stop_on_non_finite")
def end_after_first_step(module):
    """Replaces what the callback of all trainings does after a step."""

    def end(self, batch, logs=None):
        os._exit(0)

    module.StopOnNonFinite.on_train_batch_end = end


if __name__ == "__main__":
    kerasgan.cli.main()
