"""Compares the captioner's decoders after equal processor time.

    python tools/compare_decoders.py RUN --minutes 3

Trains a captioner with each decoder by maximum likelihood, on the features and captions
of a run of `train-gan`, and captions its validation images by beam search. The time is
that of all cores together, so that other programs matter little.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np

from kerasgan.captioning.caption_data import (
    build_caption_data,
    data_for_captions,
    encoder_image_size,
)
from kerasgan.captioning.configured_networks import build_configured_captioner
from kerasgan.captioning.teacher_forcing import CLIP_NORM, caption_batches
from kerasgan.captioning.tokens import detokenize
from kerasgan.data import load_data
from kerasgan.encoders.feature_cache import cached_views
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.encoders.precision import dtype_policy_scope, to_float32
from kerasgan.encoders.stored_features import SelectedRows
from kerasgan.evaluation.caption_metrics import corpus_bleu
from kerasgan.evaluation.cider import cider_d
from kerasgan.runs import open_run
from kerasgan.training.clipped_adam import ClippedAdam


class ProcessorTimeLimit(keras.callbacks.Callback):
    """Lowers the learning rate along half a cosine, over processor time.

    The time begins after the first step, which is compiled.

    Args:
        seconds: after which training stops.
    """

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds, self.steps = seconds, 0

    def on_train_begin(self, logs=None):
        """Remembers the initial learning rate."""
        self.rate = float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        """Sets the learning rate of the next step."""
        self.steps += 1
        if self.steps == 1:
            self.start = time.process_time()
        progress = min((time.process_time() - self.start) / self.seconds, 1)
        self.model.optimizer.learning_rate = self.rate * math.cos(
            progress * math.pi / 2
        )
        self.model.stop_training = progress == 1


class Comparison:
    """The data of a run, on which captioners are trained and tested.

    Args:
        run_dir: a run of `train-gan` with a pretrained image encoder.
        max_images: validation images that are captioned.
    """

    def __init__(self, run_dir: Path, max_images: int):
        run = open_run(run_dir)
        self.config = run.settings.captions
        split = load_data(data_for_captions(run.settings), progress=False).train
        self.data = build_caption_data(run.settings, run, split)
        backbone = self.config.backbone
        encoder = build_image_encoder(backbone, encoder_image_size(run.settings))
        self.views = cached_views(encoder, backbone, split)
        self.max_images = max_images

    def measure(self, decoder: str, minutes: float, learning_rate: float) -> dict:
        """Trains a captioner and scores its captions of validation images.

        Args:
            decoder: name of the decoder.
            minutes: processor time.
            learning_rate: initial learning rate.
        """
        config, data = self.config.model_copy(update={"decoder": decoder}), self.data
        rows, shape = data.train_rows, self.views[0].shape[1:]
        keras.utils.set_random_seed(0)
        with dtype_policy_scope(config.precision):
            captioner = build_configured_captioner(
                config, shape, data.vocabulary_size, int(data.token_ids[rows[0], 0, 0])
            )
        token_ids = captioner.to_output_vocabulary(data.token_ids)
        views = [SelectedRows(view, rows) for view in self.views]
        sizes = config.noise_dim, config.batch_size
        limit = ProcessorTimeLimit(60 * minutes)
        optimizer = ClippedAdam(learning_rate, clipnorm=CLIP_NORM)
        captioner.compile(optimizer, jit_compile=False)
        batches = caption_batches(views, token_ids[rows], *sizes)
        captioner.fit(batches, epochs=10_000, verbose=0, callbacks=[limit])
        captioner = to_float32(captioner)
        captioner.compile(jit_compile=False)
        validation = [SelectedRows(self.views[0], data.validation_rows)]
        token_ids = token_ids[data.validation_rows]
        loss = captioner.evaluate(
            caption_batches(validation, token_ids, *sizes), verbose=0
        )
        return {
            "learning_rate": learning_rate,
            "parameters": captioner.count_params(),
            "epochs": limit.steps / len(batches),
            "validation_loss": loss,
            **self._score(captioner, np.asarray(validation[0][: self.max_images])),
        }

    def _score(self, captioner, features):
        start = time.process_time()
        token_ids, _ = captioner.generate_token_ids(features, "beam")
        seconds = time.process_time() - start
        words = np.array(self.data.vectorizer.get_vocabulary())
        captions = [detokenize(ids[0], words) for ids in token_ids]
        rows = self.data.validation_rows[: len(features)]
        references = [self.data.split.captions[row] for row in rows]
        return {
            "bleu_4": corpus_bleu(captions, references)["bleu_4"],
            "cider_d": cider_d(captions, references),
            "decoding_seconds": seconds,
        }


def main() -> None:
    """Prints one JSON line for each decoder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=3, help="of a processor")
    parser.add_argument("--decoders", nargs="+", default=["lstm", "transformer"])
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--max-images", type=int, default=1000)
    options = parser.parse_args()
    comparison = Comparison(options.run, options.max_images)
    for decoder in options.decoders:
        result = comparison.measure(decoder, options.minutes, options.learning_rate)
        print(json.dumps({"decoder": decoder, **result}), flush=True)


if __name__ == "__main__":
    main()
