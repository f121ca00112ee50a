"""The dual encoder and the captioner of a run, prepared for export."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from kerasgan.captioning import decoding
from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.captioning.tokens import END
from kerasgan.export.endpoints import Endpoint, Stage
from kerasgan.export.example_inputs import ExampleInputs
from kerasgan.export.networks import disable_cudnn, with_valid_layer_names
from kerasgan.runs import Run
from kerasgan.runs.model_files import models_digest

CAPTION = "string `(n,)`"
SCORE = "float32 `(n,)`: log-likelihood per word"
BEAM_CAPTIONS = f"string `(n, {decoding.BEAM_WIDTH})`: the best first"
BEAM_SCORES = (
    f"float32 `(n, {decoding.BEAM_WIDTH})`: log-likelihood divided by the length to the"
    f" power of {decoding.LENGTH_PENALTY}"
)
VECTORS = "float32 `(n, {dim})`: unit vectors"
COSINE = "float32 `(n,)` in [-1, 1]: mean cosine similarity of image and caption"


def captioning_stage(run: Run) -> Stage:
    """Prepares the captions stage of a run of `train-gan` for export.

    Args:
        run: a run whose captions stage has finished.

    Returns:
        The `Stage` with the endpoints `caption`, `caption_beam`, `embed_image`,
        `embed_text` and `match`.

    Raises:
        UserError: the run has no trained captioner.
    """
    pipeline = load_captioner(run)
    networks = {
        "image_encoder": with_valid_layer_names(pipeline.image_encoder),
        "dual_encoder": pipeline.dual_encoder,
        "captioner": pipeline.captioner,
    }
    for network in networks.values():
        disable_cudnn(network)
    # `pipeline` computes the reference outputs, `exported` is exported.
    exported = CaptioningPipeline(**networks, vectorizer=pipeline.vectorizer)
    return Stage(
        name="captions",
        networks=networks,
        image_size=pipeline.image_size,
        fit=run.settings.data.fit,
        vectorizer=pipeline.vectorizer,
        endpoints=(
            *_caption_endpoints(exported, pipeline),
            *_embedding_endpoints(exported, pipeline),
        ),
        network_inputs=lambda examples: _network_inputs(pipeline, examples),
        models_digest=models_digest(run.models),
    )


def _caption_endpoints(
    exported: CaptioningPipeline, pipeline: CaptioningPipeline
) -> Iterator[Endpoint]:
    yield Endpoint(
        name="caption",
        description="Captions images by greedy search.",
        predict=lambda inputs: _greedy_search(exported, inputs["image"]),
        inputs=("image",),
        outputs={"caption": CAPTION, "score": SCORE},
        reference_outputs=lambda examples: _reference_captions(
            pipeline, examples, "greedy"
        ),
        text_output="caption",
    )
    yield Endpoint(
        name="caption_beam",
        description=f"Captions images by beam search: {decoding.BEAM_WIDTH} captions"
        " per image.",
        predict=lambda inputs: _beam_search(exported, inputs["image"]),
        inputs=("image",),
        outputs={"captions": BEAM_CAPTIONS, "scores": BEAM_SCORES},
        reference_outputs=lambda examples: _reference_captions(
            pipeline, examples, "beam"
        ),
        text_output="captions",
    )


def _embedding_endpoints(
    exported: CaptioningPipeline, pipeline: CaptioningPipeline
) -> Iterator[Endpoint]:
    dim = int(np.prod(pipeline.dual_encoder.image_encoder.output_shape[1:]))
    vectors = VECTORS.format(dim=dim)
    yield Endpoint(
        name="embed_image",
        description="Embeds images in the space that they share with captions.",
        predict=lambda inputs: {"vectors": _embed_images(exported, inputs["image"])},
        inputs=("image",),
        outputs={"vectors": vectors},
        reference_outputs=lambda examples: {
            "vectors": pipeline.embed_images(examples.images)
        },
    )
    yield Endpoint(
        name="embed_text",
        description="Embeds captions in the space that they share with images.",
        predict=lambda inputs: {"vectors": _embed_text(exported, inputs["token_ids"])},
        inputs=("token_ids",),
        outputs={"vectors": vectors},
        reference_outputs=lambda examples: {
            "vectors": pipeline.embed_captions(examples.captions)
        },
    )
    yield Endpoint(
        name="match",
        description="Computes how well each image and its caption match.",
        predict=lambda inputs: {"cosine": _cosine_similarity(exported, inputs)},
        inputs=("image", "token_ids"),
        outputs={"cosine": COSINE},
        reference_outputs=lambda examples: {
            "cosine": _reference_cosine_similarity(pipeline, examples)
        },
    )


# Exported: in the graph --------------------------------------------------------


def _encode_images(pipeline, images):
    return pipeline.image_encoder(tf.cast(images, tf.float32), training=False)


def _greedy_search(pipeline, images):
    grid = _encode_images(pipeline, images)
    token_ids, log_likelihood = decoding.greedy_search(
        pipeline.captioner, grid, _zero_noise(pipeline, grid)
    )
    token_ids, log_likelihood = token_ids[:, 0], log_likelihood[:, 0]
    return {
        "token_ids": token_ids,
        "score": log_likelihood / _caption_lengths(token_ids),
    }


def _beam_search(pipeline, images):
    grid = _encode_images(pipeline, images)
    noise = _zero_noise(pipeline, grid)
    token_ids, log_likelihood = decoding.beam_search(pipeline.captioner, grid, noise)
    length = _caption_lengths(token_ids) ** decoding.LENGTH_PENALTY
    return {"token_ids": token_ids, "scores": log_likelihood / length}


def _zero_noise(pipeline, grid):
    return tf.zeros((tf.shape(grid)[0], pipeline.captioner.noise_dim))


def _caption_lengths(token_ids):
    """Counts the words of each caption and the end token."""
    return 1 + tf.reduce_sum(tf.cast(token_ids != END, tf.float32), axis=-1)


def _embed_images(pipeline, images):
    if pipeline.encodes_pixels:
        features = tf.cast(images, tf.float32)
    else:
        features = tf.reduce_mean(_encode_images(pipeline, images), axis=(1, 2))
    vectors = pipeline.dual_encoder.image_encoder(features, training=False)
    return _concatenate_members(vectors)


def _embed_text(pipeline, token_ids):
    vectors = pipeline.dual_encoder.text_encoder(token_ids, training=False)
    return _concatenate_members(vectors)


def _concatenate_members(vectors):
    """Concatenates the vectors of all members, as `DualEncoder` does."""
    num_members, dim = vectors.shape[1:]
    vectors = tf.reshape(tf.cast(vectors, tf.float32), (-1, num_members * dim))
    return vectors / num_members**0.5


def _cosine_similarity(pipeline, inputs):
    image_vectors = _embed_images(pipeline, inputs["image"])
    text_vectors = _embed_text(pipeline, inputs["token_ids"])
    return tf.reduce_sum(image_vectors * text_vectors, axis=-1)


# References: by the pipeline of the run ----------------------------------------


def _reference_captions(
    pipeline: CaptioningPipeline, examples: ExampleInputs, method: str
) -> dict[str, np.ndarray]:
    grids = pipeline.encode_images(examples.images)
    candidates = pipeline.caption(grids, None, method)
    captions = np.array([[caption for caption, _ in row] for row in candidates])
    scores = np.array([[score for _, score in row] for row in candidates])
    token_ids = np.array(
        [[_token_ids(pipeline, caption) for caption in row] for row in captions]
    )
    if method == "greedy":
        captions, scores, token_ids = captions[:, 0], scores[:, 0], token_ids[:, 0]
        return {"caption": captions, "score": scores, "token_ids": token_ids}
    return {"captions": captions, "scores": scores, "token_ids": token_ids}


def _token_ids(pipeline, caption):
    """Returns the token ids from which a caption was detokenized."""
    vocabulary = pipeline.vectorizer.get_vocabulary()
    token_ids = np.full(pipeline.captioner.caption_length - 1, END, np.int32)
    words = caption.split()
    token_ids[: len(words)] = [vocabulary.index(word) for word in words]
    return token_ids


def _reference_cosine_similarity(pipeline, examples):
    image_vectors = pipeline.embed_images(examples.images)
    text_vectors = pipeline.embed_captions(examples.captions)
    return np.sum(image_vectors * text_vectors, axis=-1)


def _network_inputs(pipeline, examples):
    images = examples.images.astype("float32")
    grid = pipeline.encode_images(examples.images)
    features = images if pipeline.encodes_pixels else grid.mean(axis=(1, 2))
    noise = np.zeros((len(grid), pipeline.captioner.noise_dim), np.float32)
    token_ids = examples.token_ids
    return {
        "image_encoder": {"inputs": images},
        "dual_encoder": {"image": features, "token_ids": token_ids},
        "captioner": {
            "features": grid,
            "token_ids": pipeline.captioner.to_output_vocabulary(token_ids)[:, None],
            "noise": noise,
        },
    }
