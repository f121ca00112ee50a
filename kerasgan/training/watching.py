"""What is seen of training while it runs: a bar, images, figures, warnings."""

import contextlib
import time

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from kerasgan.errors import JobError
from kerasgan.files import write_json
from kerasgan.training.image_grids import save_image_grid

D_WINS = 0.99  # accuracy of D on real and generated images
PATIENCE = 3  # epochs
COLLAPSED = 0.35  # spread of generated images over that of real ones


class Watch(contextlib.ExitStack):
    """Runs epochs and writes what they gave into the run directory.

    Args:
        settings: a `Settings`.
        run: a `Run`.
        image_generator: draws the grids, from the generator's moving average.
        show: the `Split` whose images, and captions where G takes some, the grids
            show.
        seconds: training time of earlier sessions.
        progress: shows a bar and messages on standard error.
    """

    def __init__(self, settings, run, image_generator, show, seconds, progress):
        super().__init__()
        self.training = settings.training
        self.run, self.image_generator = run, image_generator
        self.seconds = seconds
        self.limit = 60 * (self.training.minutes or float("inf"))
        self.losing = 0
        # A critic's logits have no threshold that it could be right or wrong about.
        self.has_critic = settings.gan.loss == "wasserstein-gp"
        side = self.training.grid
        self.captions, self.reals = None, _tile(show.images[: side * side], side)
        if image_generator.conditional:
            picked = [index for index, group in enumerate(show.captions) if group][
                :side
            ]
            self.captions = [show.captions[index][0] for index in picked]
            self.reals = show.images[picked][:, None]
            write_json(run.images / "captions.json", self.captions)
        self.noise = image_generator.noise(
            side if image_generator.conditional else side * side, seed=0
        )
        self.console = Console(stderr=True, quiet=not progress)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )
        self.enter_context(self.bar)
        self.task = self.bar.add_task("starting", total=None)
        self.writer = tf.summary.create_file_writer(str(run.tensorboard))
        self.callback(self.writer.close)
        save_image_grid(run.images / "reals.png", self.reals, self.captions)

    @property
    def time_is_up(self):
        return self.seconds >= self.limit

    def fit(self, gan, batches, epoch):
        """Trains one epoch, and shows and writes what came of it."""
        steps = int(batches.cardinality())
        title = f"epoch {epoch}/{self.training.epochs}"
        self.bar.reset(self.task, total=steps, description=title)
        ticker = Ticker(self, title)
        start = time.perf_counter()
        history = gan.fit(
            batches,
            initial_epoch=epoch - 1,
            epochs=epoch,
            verbose=0,
            shuffle=False,
            callbacks=[ticker],
        ).history
        seconds = time.perf_counter() - start
        self.seconds += seconds
        figures = {
            name: float(np.ravel(values[-1])[0]) for name, values in history.items()
        }
        wrong = [name for name, figure in figures.items() if not np.isfinite(figure)]
        if wrong:
            raise JobError(
                f"Training broke in epoch {epoch}: {', '.join(wrong)} is no number. The"
                " epoch before is kept; a lower training.learning_rate may help."
            )
        figures["images_per_second"] = ticker.steps * gan.batch_size / seconds
        figures["seconds"] = self.seconds
        if epoch == 1 or epoch % self.training.grid_every == 0:
            figures["spread"] = self._draw(epoch)
        self._write(epoch, figures)
        self._warn(figures)

    def _draw(self, epoch):
        """Writes the grid; how far its images differ, over how far real ones do."""
        captions = noise = None
        if self.captions is None:
            images = _tile(
                self.image_generator.generate(noise=self.noise), self.training.grid
            )
        else:
            side = len(self.noise)
            captions = [text for text in self.captions for _ in range(side)]
            noise = np.tile(self.noise, (len(self.captions), 1))
            images = self.image_generator.generate(captions, noise=noise)
            images = images.reshape(-1, side, *images.shape[1:])
        path = self.run.images / f"epoch-{epoch:04d}.png"
        beside = images
        if self.captions is not None and self.reals.shape[-1] == images.shape[-1]:
            beside = np.concatenate([self.reals, images], axis=1)
        save_image_grid(path, beside, self.captions)
        with self.writer.as_default():
            sheet = keras.utils.img_to_array(keras.utils.load_img(path)) / 255
            tf.summary.image("images", sheet[None], step=epoch)
        real = _spread(self.reals)
        return _spread(images) / real if real else 1.0

    def _write(self, epoch, figures):
        self.run.append_metrics({"epoch": epoch, **figures})
        with self.writer.as_default():
            for name, figure in figures.items():
                tf.summary.scalar(name, figure, step=epoch)
        self.writer.flush()
        self.console.print(
            f"epoch {epoch}: " + ", ".join(f"{k} {v:.3g}" for k, v in figures.items()),
            highlight=False,
        )

    def _warn(self, figures):
        wins = min(figures["d_real"], figures["d_generated"]) > D_WINS
        self.losing = self.losing + 1 if wins and not self.has_critic else 0
        if self.losing >= PATIENCE:
            self.console.print(
                f"[yellow]D has condition nearly everything apart for {self.losing} epochs:"
                " G learns little. Try augmentation, a larger gan.r1, more images."
            )
        spread = figures.get("spread", 1)
        if spread < COLLAPSED:
            self.console.print(
                f"[yellow]Generated images differ {spread:.2f} times as much as real"
                " ones: the generator may be collapsing."
            )


class Ticker(keras.callbacks.Callback):
    """Moves the bar, and stops when the time is up."""

    def __init__(self, watch, title):
        super().__init__()
        self.watch, self.epoch, self.title = watch, title, title
        self.start = self.shown = time.perf_counter()
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        now = time.perf_counter()
        if now - self.shown > 0.5:  # reading figures waits for the device
            self.shown = now
            g, d, v = (np.ravel(logs[n])[0] for n in ("g_loss", "d_loss", "value"))
            self.title = f"{self.epoch}  G {g:.2f}  D {d:.2f}  V {v:.2f}"
        self.watch.bar.update(self.watch.task, advance=1, description=self.title)
        if self.watch.seconds + now - self.start >= self.watch.limit:
            self.model.stop_training = True


def _tile(images, side):
    """Images `(n, …)` to rows of `side`; what fills no row is left out."""
    side = max(1, min(side, len(images)))
    rows = len(images) // side
    return images[: rows * side].reshape(rows, side, *images.shape[1:])


def _spread(rows):
    """Mean distance of all pairs of images of a grid, in grey levels (RMS)."""
    flat = rows.reshape(rows.shape[0] * rows.shape[1], -1).astype("float32")
    squares = (flat**2).sum(1)
    distances = squares[:, None] + squares[None] - 2 * flat @ flat.T
    pairs = np.sqrt(np.maximum(distances, 0) / flat.shape[1])
    return float(pairs.sum() / max(1, len(flat) * (len(flat) - 1)))
