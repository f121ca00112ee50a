"""Paper A's second generator: from settings to a run that puts pictures into words."""

import json
import time
from dataclasses import dataclass

import keras
import numpy as np
import rich.console

from kerasgan.config import Settings
from kerasgan.data import load_data
from kerasgan.data.pipeline import Split
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.models.captioner import build_captioner
from kerasgan.models.eye import BACKBONE_SIZE, build_eye
from kerasgan.models.precision import chosen_precision, computed_in, in_float32
from kerasgan.runs import Run, run_for, write_text
from kerasgan.training.agreement import Agreement
from kerasgan.training.caption_forger import (
    VOCABULARY,
    CaptionForger,
    load_captioner,
)
from kerasgan.training.caption_game import play
from kerasgan.training.captioning import batches, train_likelihood
from kerasgan.training.choosing import Memory, idf_of
from kerasgan.training.matching import new_matcher, train_matcher
from kerasgan.training.memory import keep_memory
from kerasgan.training.seeing import cached_grids, grids_of, pooled

MOST_CAPTIONS = 5  # of a picture that are learnt from


def train_captions(
    settings: Settings | None = None, run: Run | None = None, progress=True
):
    """Trains matcher and captioner, by likelihood and then against a judge.

    What a stage has finished is kept in the run's `models/` and not trained again.

    Args:
        settings: everything that can be chosen; None: the run's, or the defaults.
        run: a run directory; its pictures stage is not needed. None makes the next
            under `runs/`.
        progress: shows messages on standard error.

    Returns:
        The trained `CaptionForger`; the same is in the run directory.

    Raises:
        UserError: when the data have too few captions.
    """
    settings, run = run_for("train-gan", settings, run)
    keep_memory()
    if (run.models / "memory.npz").is_file():
        return load_captioner(run)
    chosen = {"captions.precision": chosen_precision(settings.captions.precision)}
    run.write_options("train-gan", settings, run.chosen | chosen)
    keras.utils.set_random_seed(settings.training.seed)
    pairs = load_data(data_for_captions(settings), progress=progress)
    run.write_data(pairs.info)
    material = _material(settings, run, pairs.train)
    lines = Lines(run, progress)
    eye, matcher, seen, looks = _trained_matcher(settings, run, material, lines)
    captioner = _trained_captioner(settings, run, material, looks, lines)
    fit, kept, token_ids = material.fit, material.validation, material.token_ids
    size = material.vectorizer.vocabulary_size()
    vectors = matcher.embed("picture", seen)
    idf = idf_of(token_ids[fit], size, captioner.start_id)
    memory = Memory(vectors[fit], token_ids[fit], idf)
    forger = CaptionForger(eye, matcher, captioner, material.vectorizer, memory)
    forger.learn_to_choose(looks[0][kept], vectors[kept], token_ids[kept])
    forger.save(run)
    return forger


@dataclass
class Material:
    """What is learnt from.

    Attributes:
        split: the training pictures, a `Split`.
        fit, validation: its rows that are learnt from, and those that choose.
        vectorizer: words to token ids.
        token_ids: of all its captions, `(n, k, length)`; see `padded_ids`.
    """

    split: Split
    fit: np.ndarray
    validation: np.ndarray
    vectorizer: keras.layers.TextVectorization
    token_ids: np.ndarray


def _material(settings, run, split):
    options = settings.captions
    fit, validation = validation_rows(split, options.validation, settings)
    vectorizer = stored_vectorizer(
        run.models / VOCABULARY,
        options.vocabulary_size,
        options.caption_length,
        [text for row in fit for text in split.captions[row]],
    )
    token_ids = padded_ids(vectorizer, split.captions)
    return Material(split, fit, validation, vectorizer, token_ids)


def _trained_matcher(settings, run, material, lines):
    """Eye and matcher, what the matcher saw of all pictures, and the eye's grids of
    them: as they are and mirrored."""
    options, split, token_ids = settings.captions, material.split, material.token_ids
    trains_eye = options.backbone == "conv"
    matcher = _stored(run, "matcher")
    with computed_in(options.precision if trains_eye else "float32"):
        eye = _stored(run, "eye") if matcher else None  # else it was not finished
        eye = eye or build_eye(options.backbone, eye_size(settings))
    if trains_eye:
        seen = [split.images]
    else:
        looks = [
            cached_grids(eye, options.backbone, split, mirrored=mirrored)
            for mirrored in (False, True)
        ]
        seen = [pooled(look) for look in looks]
    if matcher is None:
        with computed_in(options.precision):
            matcher = train_matcher(
                options,
                together(seen, token_ids, material.fit),
                (seen[0][material.validation], token_ids[material.validation]),
                sizes={
                    "vocabulary_size": material.vectorizer.vocabulary_size(),
                    "caption_length": options.caption_length,
                },
                eye=eye if trains_eye else None,
                callbacks=[lines.of("matcher")],
            )
        matcher = in_float32(matcher)
        eye = in_float32(eye) if trains_eye else eye
        run.save_network("eye", eye)
        run.save_network("matcher", matcher)  # last: it says that both are there
    if trains_eye:
        looks = [
            grids_of(eye, split.images, mirrored, np.float16)
            for mirrored in (False, True)
        ]
    return eye, matcher, seen[0], looks


def _trained_captioner(settings, run, material, looks, lines):
    """The captioner after the game; the one before it is stored."""
    options, fit, kept = settings.captions, material.fit, material.validation
    start_id = int(material.token_ids[fit[0], 0, 0])
    spoken = min(options.spoken, material.vectorizer.vocabulary_size())
    with computed_in(options.precision):
        captioner = _new_captioner(options, looks[0].shape[1:], spoken, start_id)
    token_ids = captioner.hear(material.token_ids)
    train = [look[fit] for look in looks], token_ids[fit]
    likeliest = _stored(run, "captioner-likelihood")
    if likeliest is None:
        train_likelihood(
            captioner,
            options,
            train,
            ([looks[0][kept]], token_ids[kept]),
            callbacks=[lines.of("likelihood")],
        )
        run.save_network("captioner-likelihood", in_float32(captioner))
    else:
        captioner.set_weights(likeliest.get_weights())
    if options.game_epochs:
        feed = batches(*train, options.noise_dim, options.batch_size)
        agreement = Agreement(token_ids[fit], spoken)
        seed = settings.training.seed
        play(captioner, options, feed, agreement, [lines.of("game")], seed)
    return in_float32(captioner)


def together(looks, token_ids, rows):
    """Some pictures, in all their looks one after the other, with their captions."""
    pictures = np.concatenate([look[rows] for look in looks])
    return pictures, np.tile(token_ids[rows], (len(looks), 1, 1))


def untrained_networks(settings):
    """Matcher and captioner before training, with as many words as there may be.

    Raises:
        UserError: when the eye's weights or the pictures' size do not allow them.
    """
    options, size = settings.captions, settings.captions.vocabulary_size
    eye = build_eye(options.backbone, eye_size(settings))
    sizes = {"vocabulary_size": size, "caption_length": options.caption_length}
    seen = eye if options.backbone == "conv" else None
    matcher = new_matcher(options, sizes, eye.output_shape[-1], seen)
    spoken = min(options.spoken, size)
    captioner = _new_captioner(options, eye.output_shape[1:], spoken, start_id=2)
    return matcher, captioner


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


def eye_size(settings):
    """Side in pixels of the pictures that the eye looks at."""
    conv = settings.captions.backbone == "conv"
    return settings.data.image_size if conv else BACKBONE_SIZE


def data_for_captions(settings):
    """The data settings with the size of picture that the eye wants."""
    return settings.data.model_copy(update={"image_size": eye_size(settings)})


def validation_rows(split, share, settings):
    """Rows of the training pictures with captions: those learnt from, and a part kept
    for choosing epochs and thresholds; seeded."""
    rows = np.array([row for row, texts in enumerate(split.captions) if any(texts)])
    kept = max(2, int(round(share * len(rows))))
    if min(kept, len(rows) - kept) < 2:
        raise UserError(
            "Captions are learnt from at least four pictures that have some. Received:"
            f" {len(rows)}"
        )
    order = np.random.default_rng(settings.data.seed).permutation(rows)
    return np.sort(order[kept:]), np.sort(order[:kept])


def padded_ids(vectorizer, groups):
    """Token ids `(n, k, length)` of each picture's captions, zero beyond the last."""
    groups = [[text for text in texts if text][:MOST_CAPTIONS] for texts in groups]
    counts = np.array([len(texts) for texts in groups])
    token_ids = tokenize(vectorizer, [text for texts in groups for text in texts])
    found = np.zeros((len(groups), counts.max(), token_ids.shape[1]), np.int32)
    found[np.arange(counts.max()) < counts[:, None]] = token_ids
    return found


def _stored(run, name):
    there = (run.models / f"{name}.keras").is_file()
    return run.load_network(name) if there else None


class Lines:
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
        return _Line(self, stage)


class _Line(keras.callbacks.Callback):
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
