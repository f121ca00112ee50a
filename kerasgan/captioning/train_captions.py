"""Paper A's second generator: from settings to a run that puts images into words."""

import json
import time
from dataclasses import dataclass

import keras
import numpy as np
import rich.console

from kerasgan.captioning.adversarial import train_adversarially
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.captioning.pipeline import (
    VOCABULARY_FILE,
    CaptioningPipeline,
    load_captioner,
)
from kerasgan.captioning.reranking import CaptionStore, inverse_document_frequencies
from kerasgan.captioning.teacher_forcing import caption_batches, train_teacher_forcing
from kerasgan.captioning.train_dual_encoder import dual_encoder_for, train_dual_encoder
from kerasgan.config.settings import Settings
from kerasgan.data import load_data
from kerasgan.data.pipeline import Split
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.encoders.feature_cache import average_pool, cached_features, encode_images
from kerasgan.encoders.image_encoder import BACKBONE_IMAGE_SIZE, build_image_encoder
from kerasgan.encoders.precision import (
    dtype_policy_scope,
    resolve_precision,
    to_float32,
)
from kerasgan.errors import UserError
from kerasgan.files import write_text
from kerasgan.runs import Run, run_for
from kerasgan.training.allocator import retain_freed_memory

MAX_CAPTIONS = 5  # of an image that are learnt from


def train_captions(
    settings: Settings | None = None, run: Run | None = None, progress=True
):
    """Trains dual_encoder and captioner, by likelihood and then against a discriminator.

    What a stage has finished is kept in the run's `models/` and not trained again.

    Args:
        settings: everything that can be chosen; None: the run's, or the defaults.
        run: a run directory; its images stage is not needed. None makes the next
            under `runs/`.
        progress: shows messages on standard error.

    Returns:
        The trained `CaptioningPipeline`; the same is in the run directory.

    Raises:
        UserError: when the data have too few captions.
    """
    settings, run = run_for("train-gan", settings, run)
    retain_freed_memory()
    if (run.models / "caption-store.npz").is_file():
        return load_captioner(run)
    chosen = {"captions.precision": resolve_precision(settings.captions.precision)}
    run.write_options("train-gan", settings, run.chosen | chosen)
    keras.utils.set_random_seed(settings.training.seed)
    pairs = load_data(data_for_captions(settings), progress=progress)
    run.write_data(pairs.info)
    material = _caption_data(settings, run, pairs.train)
    lines = EpochLogger(run, progress)
    image_encoder, dual_encoder, seen, looks = _trained_dual_encoder(
        settings, run, material, lines
    )
    captioner = _trained_captioner(settings, run, material, looks, lines)
    fit, kept, token_ids = material.fit, material.validation, material.token_ids
    size = material.vectorizer.vocabulary_size()
    vectors = dual_encoder.embed("image", seen)
    idf = inverse_document_frequencies(token_ids[fit], size, captioner.start_id)
    memory = CaptionStore(vectors[fit], token_ids[fit], idf)
    pipeline = CaptioningPipeline(
        image_encoder, dual_encoder, captioner, material.vectorizer, memory
    )
    pipeline.fit_reranker(looks[0][kept], vectors[kept], token_ids[kept])
    pipeline.save(run)
    return pipeline


@dataclass
class CaptionData:
    """What is learnt from.

    Attributes:
        split: the training images, a `Split`.
        fit, validation: its rows that are learnt from, and those that choose.
        vectorizer: words to token ids.
        token_ids: of all its captions, `(n, k, length)`; see `padded_ids`.
    """

    split: Split
    fit: np.ndarray
    validation: np.ndarray
    vectorizer: keras.layers.TextVectorization
    token_ids: np.ndarray


def _caption_data(settings, run, split):
    options = settings.captions
    fit, validation = validation_rows(split, options.validation, settings)
    vectorizer = stored_vectorizer(
        run.models / VOCABULARY_FILE,
        options.vocabulary_size,
        options.caption_length,
        [text for row in fit for text in split.captions[row]],
    )
    token_ids = padded_ids(vectorizer, split.captions)
    return CaptionData(split, fit, validation, vectorizer, token_ids)


def _trained_dual_encoder(settings, run, material, lines):
    """Eye and dual_encoder, what the dual_encoder saw of all images, and the image_encoder's grids of
    them: as they are and mirrored."""
    options, split, token_ids = settings.captions, material.split, material.token_ids
    trains_eye = options.backbone == "conv"
    dual_encoder = _stored(run, "dual_encoder")
    with dtype_policy_scope(options.precision if trains_eye else "float32"):
        image_encoder = (
            _stored(run, "image_encoder") if dual_encoder else None
        )  # else it was not finished
        image_encoder = image_encoder or build_image_encoder(
            options.backbone, encoder_image_size(settings)
        )
    if trains_eye:
        seen = [split.images]
    else:
        looks = [
            cached_features(image_encoder, options.backbone, split, mirrored=mirrored)
            for mirrored in (False, True)
        ]
        seen = [average_pool(look) for look in looks]
    if dual_encoder is None:
        with dtype_policy_scope(options.precision):
            dual_encoder = train_dual_encoder(
                options,
                stack_views(seen, token_ids, material.fit),
                (seen[0][material.validation], token_ids[material.validation]),
                sizes={
                    "vocabulary_size": material.vectorizer.vocabulary_size(),
                    "caption_length": options.caption_length,
                },
                image_encoder=image_encoder if trains_eye else None,
                callbacks=[lines.of("dual_encoder")],
            )
        dual_encoder = to_float32(dual_encoder)
        image_encoder = to_float32(image_encoder) if trains_eye else image_encoder
        run.save_network("image_encoder", image_encoder)
        run.save_network(
            "dual_encoder", dual_encoder
        )  # last: it says that both are there
    if trains_eye:
        looks = [
            encode_images(image_encoder, split.images, mirrored, np.float16)
            for mirrored in (False, True)
        ]
    return image_encoder, dual_encoder, seen[0], looks


def _trained_captioner(settings, run, material, looks, lines):
    """The captioner after adversarial training; the one before it is stored."""
    options, fit, kept = settings.captions, material.fit, material.validation
    start_id = int(material.token_ids[fit[0], 0, 0])
    spoken = min(options.output_vocabulary_size, material.vectorizer.vocabulary_size())
    with dtype_policy_scope(options.precision):
        captioner = _new_captioner(options, looks[0].shape[1:], spoken, start_id)
    token_ids = captioner.to_output_vocabulary(material.token_ids)
    train = [look[fit] for look in looks], token_ids[fit]
    likeliest = _stored(run, "captioner-likelihood")
    if likeliest is None:
        train_teacher_forcing(
            captioner,
            options,
            train,
            ([looks[0][kept]], token_ids[kept]),
            callbacks=[lines.of("likelihood")],
        )
        run.save_network("captioner-likelihood", to_float32(captioner))
    else:
        captioner.set_weights(likeliest.get_weights())
    if options.adversarial_epochs:
        feed = caption_batches(*train, options.noise_dim, options.batch_size)
        cider_reward = CiderReward(token_ids[fit], spoken)
        seed = settings.training.seed
        train_adversarially(
            captioner, options, feed, cider_reward, [lines.of("adversarial")], seed
        )
    return to_float32(captioner)


def stack_views(looks, token_ids, rows):
    """Some images, in all their looks one after the other, with their captions."""
    images = np.concatenate([look[rows] for look in looks])
    return images, np.tile(token_ids[rows], (len(looks), 1, 1))


def untrained_networks(settings):
    """Matcher and captioner before training, with as many words as there may be.

    Raises:
        UserError: when the image_encoder's weights or the images' size do not allow them.
    """
    options, size = settings.captions, settings.captions.vocabulary_size
    image_encoder = build_image_encoder(options.backbone, encoder_image_size(settings))
    sizes = {"vocabulary_size": size, "caption_length": options.caption_length}
    seen = image_encoder if options.backbone == "conv" else None
    dual_encoder = dual_encoder_for(
        options, sizes, image_encoder.output_shape[-1], seen
    )
    spoken = min(options.output_vocabulary_size, size)
    captioner = _new_captioner(
        options, image_encoder.output_shape[1:], spoken, start_id=2
    )
    return dual_encoder, captioner


def _new_captioner(options, grid_shape, vocabulary_size, start_id):
    return build_captioner(
        grid_shape,
        vocabulary_size,
        start_id,
        caption_length=options.caption_length,
        dim=options.dim,
        noise_dim=options.noise_dim,
        dropout=options.dropout,
    )


def encoder_image_size(settings):
    """Side in pixels of the images that the image_encoder looks at."""
    conv = settings.captions.backbone == "conv"
    return settings.data.image_size if conv else BACKBONE_IMAGE_SIZE


def data_for_captions(settings):
    """The data settings with the size of image that the image_encoder wants."""
    return settings.data.model_copy(update={"image_size": encoder_image_size(settings)})


def validation_rows(split, share, settings):
    """Rows of the training images with captions: those learnt from, and a part kept
    for choosing epochs and thresholds; seeded."""
    rows = np.array([row for row, texts in enumerate(split.captions) if any(texts)])
    kept = max(2, int(round(share * len(rows))))
    if min(kept, len(rows) - kept) < 2:
        raise UserError(
            "Captions are learnt from at least four images that have some. Received:"
            f" {len(rows)}"
        )
    order = np.random.default_rng(settings.data.seed).permutation(rows)
    return np.sort(order[kept:]), np.sort(order[:kept])


def padded_ids(vectorizer, groups):
    """Token ids `(n, k, length)` of each image's captions, zero beyond the last."""
    groups = [[text for text in texts if text][:MAX_CAPTIONS] for texts in groups]
    counts = np.array([len(texts) for texts in groups])
    token_ids = tokenize(vectorizer, [text for texts in groups for text in texts])
    found = np.zeros((len(groups), counts.max(), token_ids.shape[1]), np.int32)
    found[np.arange(counts.max()) < counts[:, None]] = token_ids
    return found


def _stored(run, name):
    there = (run.models / f"{name}.keras").is_file()
    return run.load_network(name) if there else None


class EpochLogger:
    """Writes a line an epoch, to `captions.jsonl` and to standard error."""

    def __init__(self, run, progress):
        self.path = run.path / "captions.jsonl"
        self.console = rich.console.Console(stderr=True, quiet=not progress)

    def of(self, stage):
        """The Keras callback for one stage; an interrupted one's lines are dropped."""
        if self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if f'"stage": "{stage}"' not in line]
            write_text(self.path, "".join(f"{line}\n" for line in kept))
        return _StageLogger(self, stage)


class _StageLogger(keras.callbacks.Callback):
    def __init__(self, lines, stage):
        super().__init__()
        self.lines, self.stage = lines, stage
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        figures = {name: float(figure) for name, figure in (logs or {}).items()}
        line = {"stage": self.stage, "epoch": epoch + 1, **figures}
        line["seconds"] = time.perf_counter() - self.start
        with open(self.lines.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        shown = ", ".join(f"{name} {x:.3g}" for name, x in figures.items())
        self.lines.console.print(
            f"{self.stage}, epoch {epoch + 1}: {shown}, {line['seconds']:.0f} s",
            highlight=False,
        )
