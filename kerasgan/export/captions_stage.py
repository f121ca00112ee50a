"""The matcher and the forger of captions, ready to be exported."""

import numpy as np
import tensorflow as tf

from kerasgan.export.endpoints import (
    Endpoint,
    Stage,
    with_plain_names,
    without_cudnn,
)
from kerasgan.models import decoding
from kerasgan.models.captioner import END
from kerasgan.training.caption_forger import CaptionForger, load_captioner

TEXT = "string `(n,)`"
SCORE = "float32 `(n,)`: log-likelihood a word"
BEAM_SCORES = (
    f"float32 `(n, {decoding.WIDTH})`: log-likelihood over the length to the power of"
    f" {decoding.LENGTH_PENALTY}"
)
VECTORS = "float32 `(n, {dim})`: unit vectors"
COSINE = "float32 `(n,)` in [-1, 1]: the mean cosine of picture and caption"


def captions_stage(run):
    """What the captions' stage of a run trained, as a `Stage`."""
    forger = load_captioner(run)
    networks = {"eye": with_plain_names(forger.eye)}
    networks |= {"matcher": forger.matcher, "captioner": forger.captioner}
    for network in networks.values():
        without_cudnn(network)
    # The run's own forger answers; this one is exported.
    sent = CaptionForger(*networks.values(), forger.vectorizer)
    return Stage(
        name="captions",
        networks=networks,
        image_size=forger.image_size,
        fit=run.settings.data.fit,
        vectorizer=forger.vectorizer,
        endpoints=(*_captions(sent, forger), *_vectors(sent, forger)),
        samples=lambda examples: _samples(forger, examples),
    )


def _captions(sent, forger):
    yield Endpoint(
        "caption",
        "Puts pictures into words, the likeliest word each time.",
        lambda arrays: _greedy(sent, arrays["picture"]),
        ("picture",),
        {"caption": TEXT, "score": SCORE},
        lambda examples: _run_says(forger, examples, "greedy"),
        spelled="caption",
    )
    beams = f"string `(n, {decoding.WIDTH})`: the best first"
    yield Endpoint(
        "caption_beam",
        f"Puts pictures into words: {decoding.WIDTH} captions each, by beam search.",
        lambda arrays: _beam(sent, arrays["picture"]),
        ("picture",),
        {"captions": beams, "scores": BEAM_SCORES},
        lambda examples: _run_says(forger, examples, "beam"),
        spelled="captions",
    )


def _vectors(sent, forger):
    dim = int(np.prod(forger.matcher.see.output_shape[1:]))
    vectors = VECTORS.format(dim=dim)
    yield Endpoint(
        "embed_image",
        "Pictures to vectors, in one space with captions.",
        lambda arrays: {"vectors": _seen(sent, arrays["picture"])},
        ("picture",),
        {"vectors": vectors},
        lambda examples: {"vectors": _run_sees(forger, examples)},
    )
    yield Endpoint(
        "embed_text",
        "Captions to vectors, in one space with pictures.",
        lambda arrays: {"vectors": _read(sent, arrays["token_ids"])},
        ("token_ids",),
        {"vectors": vectors},
        lambda examples: {"vectors": forger.embed_captions(examples.captions)},
    )
    yield Endpoint(
        "match",
        "Says how well each picture and its caption match.",
        lambda arrays: {"cosine": _cosines(sent, arrays)},
        ("picture", "token_ids"),
        {"cosine": COSINE},
        lambda examples: {
            "cosine": np.sum(
                _run_sees(forger, examples) * forger.embed_captions(examples.captions),
                axis=-1,
            )
        },
    )


# In the graph ------------------------------------------------------------------


def _grid(forger, pictures):
    return forger.eye(tf.cast(pictures, tf.float32), training=False)


def _greedy(forger, pictures):
    grid = _grid(forger, pictures)
    token_ids, total = decoding.greedy(forger.captioner, grid, _noise(forger, grid))
    token_ids, total = token_ids[:, 0], total[:, 0]
    return {"token_ids": token_ids, "score": total / _lengths(token_ids)}


def _beam(forger, pictures):
    grid = _grid(forger, pictures)
    noise = _noise(forger, grid)
    token_ids, total = decoding.beam(forger.captioner, grid, noise)
    scores = total / _lengths(token_ids) ** decoding.LENGTH_PENALTY
    return {"token_ids": token_ids, "scores": scores}


def _noise(forger, grid):
    return tf.zeros((tf.shape(grid)[0], forger.captioner.noise_dim))


def _lengths(token_ids):
    """Words of each caption, the ending one counted."""
    return 1 + tf.reduce_sum(tf.cast(token_ids != END, tf.float32), axis=-1)


def _seen(forger, pictures):
    if forger.matches_pixels:
        pictures = tf.cast(pictures, tf.float32)
        return _unit(forger.matcher.see(pictures, training=False))
    features = tf.reduce_mean(_grid(forger, pictures), axis=(1, 2))
    return _unit(forger.matcher.see(features, training=False))


def _read(forger, token_ids):
    return _unit(forger.matcher.read(token_ids, training=False))


def _unit(vectors):
    """Members side by side, as `Matcher.embed` lays them."""
    members, dim = vectors.shape[1:]
    vectors = tf.reshape(tf.cast(vectors, tf.float32), (-1, members * dim))
    return vectors / members**0.5


def _cosines(forger, arrays):
    pictures = _seen(forger, arrays["picture"])
    return tf.reduce_sum(pictures * _read(forger, arrays["token_ids"]), axis=-1)


# By the run itself -------------------------------------------------------------


def _run_says(forger, examples, how):
    found = forger.caption(forger.see(examples.squares), None, how)
    captions = np.array([[caption for caption, _ in choices] for choices in found])
    scores = np.array([[score for _, score in choices] for choices in found])
    token_ids = np.array([[_ids(forger, text) for text in row] for row in captions])
    if how == "greedy":
        captions, scores, token_ids = captions[:, 0], scores[:, 0], token_ids[:, 0]
    names = ("caption", "score") if how == "greedy" else ("captions", "scores")
    return dict(zip(names, (captions, scores))) | {"token_ids": token_ids}


def _ids(forger, caption):
    """The token ids that a caption was spelled from."""
    ids = np.full(forger.captioner.caption_length - 1, END, np.int32)
    words = caption.split()
    ids[: len(words)] = [np.flatnonzero(forger.words == word)[0] for word in words]
    return ids


def _run_sees(forger, examples):
    return forger.embed_pictures(examples.squares)


def _samples(forger, examples):
    pictures = examples.squares.astype("float32")
    grid = forger.see(examples.squares)
    seen = pictures if forger.matches_pixels else grid.mean(axis=(1, 2))
    noise = np.zeros((len(grid), forger.captioner.noise_dim), np.float32)
    token_ids = examples.token_ids
    return {
        "eye": {"inputs": pictures},
        "matcher": {"picture": seen, "token_ids": token_ids},
        "captioner": {
            "grid": grid,
            "token_ids": forger.captioner.hear(token_ids)[:, None],
            "noise": noise,
        },
    }
