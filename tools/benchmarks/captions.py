"""Greedy captions from features: in the graph, and by `predict` for each word.

Without `--run` the captioner is not trained, and writes captions of full length.
"""

from collections.abc import Callable
from types import SimpleNamespace

import keras
import numpy as np

from kerasgan.captioning.captioner import Captioner, build_captioner
from kerasgan.captioning.pipeline import load_captioner
from kerasgan.captioning.tokens import END
from kerasgan.captioning.train_captions import data_for_captions
from kerasgan.data import load_data
from kerasgan.encoders.feature_cache import cached_features
from kerasgan.runs import open_run

FEATURE_SHAPE = (7, 7, 1280)  # of EfficientNet-Lite0 at 224 px
VOCABULARY_SIZE, START = 1500, 2
COUNT, COUNT_OF_LOOP = 1024, 2  # images of a call


def captioner_and_features(options: SimpleNamespace) -> tuple[Captioner, np.ndarray]:
    """Returns a captioner, and features of images.

    Args:
        options: of `bench.py`; `run` is a run of `train-gan` with captions.
    """
    if options.run:
        pipeline, settings = load_captioner(options.run), open_run(options.run).settings
        test = load_data(data_for_captions(settings), progress=False).test
        if settings.captions.backbone == "conv":
            features = pipeline.encode_images(test.images[:COUNT])
        else:
            encoder, backbone = pipeline.image_encoder, settings.captions.backbone
            features = cached_features(encoder, backbone, test)[:COUNT]
        return pipeline.captioner, np.asarray(features, np.float32)
    keras.utils.set_random_seed(0)
    shape, dim, count = FEATURE_SHAPE, 256, COUNT
    if options.tiny:
        shape, dim, count = (2, 2, 8), 8, 4
    captioner = build_captioner(shape, VOCABULARY_SIZE, START, dim=dim)
    features = np.random.default_rng(0).random((count, *shape), dtype=np.float32)
    return captioner, features


def kerasgan_captions(options: SimpleNamespace) -> Callable[[], int]:
    """Generates captions in batches, in one graph.

    Args:
        options: of `bench.py`.
    """
    captioner, features = captioner_and_features(options)

    def run():
        captioner.generate_token_ids(features, "greedy")
        return len(features)

    return run


def predict_per_word(options: SimpleNamespace) -> Callable[[], int]:
    """Generates captions as tutorials do.

    The caption so far goes through `model.predict`, and the likeliest next word is put
    behind it.

    Args:
        options: of `bench.py`.
    """
    captioner, features = captioner_and_features(options)
    length = captioner.caption_length
    inputs = {
        "features": keras.Input((None, None, captioner.channels), name="features"),
        "token_ids": keras.Input((1, length), dtype="int32", name="token_ids"),
        "noise": keras.Input((captioner.noise_dim,), name="noise"),
    }
    model = keras.Model(inputs, captioner.log_probabilities(captioner(inputs)))
    model.compile(jit_compile=False)
    noise = np.zeros((1, captioner.noise_dim), np.float32)

    def generate(image):
        token_ids = np.zeros((1, 1, length), np.int32)
        token_ids[..., 0] = captioner.start_id
        for position in range(length - 1):
            batch = {"features": image[None], "token_ids": token_ids, "noise": noise}
            log_probabilities = model.predict(batch, verbose=0)
            token_ids[..., position + 1] = log_probabilities[0, 0, position].argmax()
            if token_ids[0, 0, position + 1] == END:
                break

    def run():
        for image in features[:COUNT_OF_LOOP]:
            generate(image)
        return COUNT_OF_LOOP

    return run
