"""What models that train a generator have in common: `fit`, `generate`, saving."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerasgan.gan import gan_checks
from kerasgan.gan.gan_inputs import make_gan_inputs
from kerasgan.gan.image_generator import ImageGenerator, latent_dim_of, scale_images
from kerasgan.gan.moving_average import update_moving_average
from kerasgan.training.replicas import gatherable, global_batch_size
from kerasgan.training.worker_fit import WorkerFit


class GeneratorTraining(WorkerFit):
    """Trains a generator beside a counterpart: a base class beside `keras.Model`.

    The counterpart is the network that sees real images and encodes captions: a GAN's
    discriminator, or a VAE's encoder.

    A subclass sets the attributes `generator`, `vectorizer`, `ema_half_life`, `seed`
    and those of `networks`, and then calls `_add_training_state`.

    Attributes:
        networks: names of the arguments that are Keras objects: the generator, its
            counterpart and the vectorizer.
        optimizers: names of the optimizers.
        arguments: names of the other arguments, which are also attributes.
        needs_even_batches: whether the step pairs the rows of a batch.
    """

    networks: tuple[str, str, str]
    optimizers: tuple[str, ...]
    arguments: tuple[str, ...]
    needs_even_batches: bool
    generator: Any
    vectorizer: Any
    variables: Any

    def _add_training_state(self, metric_names):
        """Adds the moving average, the seed, the step and the metrics."""
        self.conditional = isinstance(self.generator.input, dict)
        self.ema_generator = keras.models.clone_model(self.generator)
        self.ema_generator.set_weights(self.generator.get_weights())
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        # int64: XLA on a GPU cannot reach int32 variables, which live on the host.
        self.step = self.add_weight(
            name="step", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        self.trackers = [keras.metrics.Mean(name=name) for name in metric_names]
        self.built = True  # as both networks are

    @property
    def latent_dim(self) -> int:
        """Size of the noise."""
        return latent_dim_of(self.generator)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the losses, and of what else is measured."""
        return self.trackers

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *,
        shuffle: bool = True,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains both networks.

        Args:
            x: a `tf.data.Dataset` as the class describes; or arrays
                `(images, captions)`; or an array of images.
            y: n captions, if `x` is an array of images.
            batch_size: of arrays; None for 32.
            shuffle: whether arrays are shuffled before each epoch.
            **kwargs: of `keras.Model.fit`, such as `epochs` or `callbacks`.

        Raises:
            ValueError: images do not fit the networks, captions are missing or have no
                vectorizer, or there are validation data, for which there is no loss.
        """
        gan_checks.reject_arguments(f"{type(self).__name__}.fit", kwargs)
        arguments = self.vectorizer, batch_size, shuffle
        image_shape = self.generator.output_shape[1:]
        x = make_gan_inputs(
            x, y, *arguments, image_shape, self.conditional, self.needs_even_batches
        )
        is_dataset = isinstance(x, tf.data.Dataset)
        kwargs["shuffle"] = shuffle and not is_dataset  # which only concerns arrays
        return super().fit(x, batch_size=batch_size, **kwargs)  # type: ignore[misc]

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Raises an error: the losses say little about generated images."""
        raise NotImplementedError(gan_checks.NO_VALIDATION)

    def image_generator(self) -> ImageGenerator:
        """Returns the `ImageGenerator` of the generator's moving average."""
        _, counterpart, vectorizer = (getattr(self, name) for name in self.networks)
        return ImageGenerator(self.ema_generator, counterpart, vectorizer)

    def generate(
        self,
        captions: Sequence[str] | None = None,
        count: int | None = None,
        seed: int = 0,
        noise: np.ndarray | None = None,
    ) -> np.ndarray:
        """Generates uint8 images with the moving average of the generator.

        Args:
            captions: n str, for a conditional model.
            count: number of images, without captions.
            seed: of the noise.
            noise: float32 `(n, latent_dim)` instead of drawn noise.
        """
        return self.image_generator().generate(captions, count, seed, noise)

    def images_seen(self, batch: tf.Tensor) -> tf.Tensor:
        """Returns the number of images of all finished steps.

        Args:
            batch: images of a replica, as many as in each step.
        """
        return ops.cast(self.step, "float32") * global_batch_size(batch)

    def training_variables(self) -> list[keras.Variable]:
        """Returns all that training needs to continue, optimizers included."""
        optimizers = (getattr(self, name) for name in self.optimizers)
        return [*self.variables, *(v for o in optimizers for v in o.variables)]

    def _unpack(self, data):
        """Images of a batch in [-1, 1], and token ids, or None without captions."""
        batch, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        batch = batch if isinstance(batch, dict) else {"image": batch}
        token_ids = batch["token_ids"] if self.conditional else None
        return scale_images(batch["image"]), token_ids

    def _end_step(self, batch, values):
        """Counts a step, moves the average, and returns the running means."""
        self.step.assign_add(1)
        self._update_moving_average(batch)
        for tracker in self.trackers:
            tracker.update_state(values[tracker.name])
        return {tracker.name: gatherable(tracker.result()) for tracker in self.trackers}

    def _update_moving_average(self, batch):
        networks = self.ema_generator, self.generator
        sizes = self.images_seen(batch), global_batch_size(batch)
        update_moving_average(*networks, *sizes, 1000 * self.ema_half_life)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            **{name: serialize(getattr(self, name)) for name in self.networks},
            **{name: getattr(self, name) for name in self.arguments},
        }

    @classmethod
    def from_config(cls, config):
        """Builds a model from `get_config`'s result."""
        networks = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in cls.networks
        }
        return cls(**{**config, **networks})

    def get_compile_config(self):
        """Returns the optimizers, or None before `compile`."""
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {name: serialize(getattr(self, name)) for name in self.optimizers}

    def compile_from_config(self, config):
        """Compiles with the optimizers of `get_compile_config`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
