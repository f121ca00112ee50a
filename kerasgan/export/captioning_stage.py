"""The dual_encoder and the pipeline of captions, ready to be exported."""

import numpy as np
import tensorflow as tf

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import END
from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.export.endpoints import Endpoint, Stage, with_plain_names, without_cudnn

TEXT = "string `(n,)`"
SCORE = "float32 `(n,)`: log-likelihood a word"
BEAM_SCORES = (
    f"float32 `(n, {decoding.BEAM_WIDTH})`: log-likelihood over the length to the power of"
    f" {decoding.LENGTH_PENALTY}"
)
VECTORS = "float32 `(n, {dim})`: unit vectors"
COSINE = "float32 `(n,)` in [-1, 1]: the mean cosine of image and caption"


def captioning_stage(run):
    """What the captions' stage of a run trained, as a `Stage`."""
    pipeline = load_captioner(run)
    networks = {"image_encoder": with_plain_names(pipeline.image_encoder)}
    networks |= {"dual_encoder": pipeline.dual_encoder, "captioner": pipeline.captioner}
    for network in networks.values():
        without_cudnn(network)
    # The run's own pipeline answers; this one is exported.
    sent = CaptioningPipeline(*networks.values(), pipeline.vectorizer)
    return Stage(
        name="captions",
        networks=networks,
        image_size=pipeline.image_size,
        fit=run.settings.data.fit,
        vectorizer=pipeline.vectorizer,
        endpoints=(*_captions(sent, pipeline), *_vectors(sent, pipeline)),
        samples=lambda examples: _samples(pipeline, examples),
    )


def _captions(sent, pipeline):
    yield Endpoint(
        "caption",
        "Puts images into words, the likeliest word each time.",
        lambda arrays: _greedy(sent, arrays["image"]),
        ("image",),
        {"caption": TEXT, "score": SCORE},
        lambda examples: _run_says(pipeline, examples, "greedy"),
        spelled="caption",
    )
    beams = f"string `(n, {decoding.BEAM_WIDTH})`: the best first"
    yield Endpoint(
        "caption_beam",
        f"Puts images into words: {decoding.BEAM_WIDTH} captions each, by beam search.",
        lambda arrays: _beam(sent, arrays["image"]),
        ("image",),
        {"captions": beams, "scores": BEAM_SCORES},
        lambda examples: _run_says(pipeline, examples, "beam"),
        spelled="captions",
    )


def _vectors(sent, pipeline):
    dim = int(np.prod(pipeline.dual_encoder.image_encoder.output_shape[1:]))
    vectors = VECTORS.format(dim=dim)
    yield Endpoint(
        "embed_image",
        "Images to vectors, in one space with captions.",
        lambda arrays: {"vectors": _seen(sent, arrays["image"])},
        ("image",),
        {"vectors": vectors},
        lambda examples: {"vectors": _run_sees(pipeline, examples)},
    )
    yield Endpoint(
        "embed_text",
        "Captions to vectors, in one space with images.",
        lambda arrays: {"vectors": _read(sent, arrays["token_ids"])},
        ("token_ids",),
        {"vectors": vectors},
        lambda examples: {"vectors": pipeline.embed_captions(examples.captions)},
    )
    yield Endpoint(
        "match",
        "Says how well each image and its caption match.",
        lambda arrays: {"cosine": _cosines(sent, arrays)},
        ("image", "token_ids"),
        {"cosine": COSINE},
        lambda examples: {
            "cosine": np.sum(
                _run_sees(pipeline, examples)
                * pipeline.embed_captions(examples.captions),
                axis=-1,
            )
        },
    )


# In the graph ------------------------------------------------------------------


def _grid(pipeline, images):
    return pipeline.image_encoder(tf.cast(images, tf.float32), training=False)


def _greedy(pipeline, images):
    grid = _grid(pipeline, images)
    token_ids, total = decoding.greedy_search(
        pipeline.captioner, grid, _noise(pipeline, grid)
    )
    token_ids, total = token_ids[:, 0], total[:, 0]
    return {"token_ids": token_ids, "score": total / _lengths(token_ids)}


def _beam(pipeline, images):
    grid = _grid(pipeline, images)
    noise = _noise(pipeline, grid)
    token_ids, total = decoding.beam_search(pipeline.captioner, grid, noise)
    scores = total / _lengths(token_ids) ** decoding.LENGTH_PENALTY
    return {"token_ids": token_ids, "scores": scores}


def _noise(pipeline, grid):
    return tf.zeros((tf.shape(grid)[0], pipeline.captioner.noise_dim))


def _lengths(token_ids):
    """Words of each caption, the ending one counted."""
    return 1 + tf.reduce_sum(tf.cast(token_ids != END, tf.float32), axis=-1)


def _seen(pipeline, images):
    if pipeline.encodes_pixels:
        images = tf.cast(images, tf.float32)
        return _unit(pipeline.dual_encoder.image_encoder(images, training=False))
    features = tf.reduce_mean(_grid(pipeline, images), axis=(1, 2))
    return _unit(pipeline.dual_encoder.image_encoder(features, training=False))


def _read(pipeline, token_ids):
    return _unit(pipeline.dual_encoder.text_encoder(token_ids, training=False))


def _unit(vectors):
    """Members side by side, as `DualEncoder.embed` lays them."""
    members, dim = vectors.shape[1:]
    vectors = tf.reshape(tf.cast(vectors, tf.float32), (-1, members * dim))
    return vectors / members**0.5


def _cosines(pipeline, arrays):
    images = _seen(pipeline, arrays["image"])
    return tf.reduce_sum(images * _read(pipeline, arrays["token_ids"]), axis=-1)


# By the run itself -------------------------------------------------------------


def _run_says(pipeline, examples, how):
    found = pipeline.caption(pipeline.encode_images(examples.squares), None, how)
    captions = np.array([[caption for caption, _ in choices] for choices in found])
    scores = np.array([[score for _, score in choices] for choices in found])
    token_ids = np.array([[_ids(pipeline, text) for text in row] for row in captions])
    if how == "greedy":
        captions, scores, token_ids = captions[:, 0], scores[:, 0], token_ids[:, 0]
    names = ("caption", "score") if how == "greedy" else ("captions", "scores")
    return dict(zip(names, (captions, scores))) | {"token_ids": token_ids}


def _ids(pipeline, caption):
    """The token ids that a caption was spelled from."""
    ids = np.full(pipeline.captioner.caption_length - 1, END, np.int32)
    words = caption.split()
    ids[: len(words)] = [np.flatnonzero(pipeline.words == word)[0] for word in words]
    return ids


def _run_sees(pipeline, examples):
    return pipeline.embed_images(examples.squares)


def _samples(pipeline, examples):
    images = examples.squares.astype("float32")
    grid = pipeline.encode_images(examples.squares)
    seen = images if pipeline.encodes_pixels else grid.mean(axis=(1, 2))
    noise = np.zeros((len(grid), pipeline.captioner.noise_dim), np.float32)
    token_ids = examples.token_ids
    return {
        "image_encoder": {"inputs": images},
        "dual_encoder": {"image": seen, "token_ids": token_ids},
        "captioner": {
            "grid": grid,
            "token_ids": pipeline.captioner.to_output_vocabulary(token_ids)[:, None],
            "noise": noise,
        },
    }
