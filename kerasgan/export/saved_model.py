"""Export to a SavedModel, with preprocessing and decoding of captions inside."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from kerasgan.captioning.tokens import END
from kerasgan.export.endpoints import CLASS_OUTPUT, Endpoint, Stage
from kerasgan.export.graph_image_decoder import decode_square_images
from kerasgan.export.graph_text_cleaner import TextCleaner
from kerasgan.layers.ngram_logits import NgramLogits


def write_saved_model(stages: Sequence[Stage], path: Path) -> None:
    """Writes one SavedModel with the endpoints of all stages as signatures.

    Args:
        stages: the stages to export.
        path: the directory to write.
    """
    # The networks are not tracked: the archive finds the variables that the endpoints
    # use, and leaves out those that only training needs.
    archive = keras.export.ExportArchive()
    image_decoder = functools.cache(build_image_decoder)
    for stage in stages:
        decode_images = image_decoder(stage.image_size, stage.fit)
        clean_texts = build_text_cleaner(stage)
        for layer in _layers_with_tables(stage, clean_texts):
            archive.track(layer)
        for endpoint in stage.endpoints:
            serve = tf.function(
                build_serving_function(stage, endpoint, decode_images, clean_texts),
                input_signature=list(stage.serving_specs(endpoint).values()),
                autograph=False,
            )
            serve.get_concrete_function()  # otherwise Keras traces it twice
            archive.add_endpoint(endpoint.name, serve)
    archive.write_out(path, verbose=False)


def build_image_decoder(
    image_size: int, fit: str
) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Builds the decoder of image files, which endpoints with the same size share.

    Args:
        image_size: width and height of the images in pixels.
        fit: see `kerasgan.data.images.prepare_image`.

    Returns:
        A `tf.function`, see `decode_square_images`.
    """
    files = tf.TensorSpec((None,), tf.string)
    return tf.function(
        lambda files: decode_square_images(files, image_size, fit),
        input_signature=[files],
        autograph=False,
    )


def build_text_cleaner(stage: Stage) -> Callable[[tf.Tensor], tf.Tensor]:
    """Builds the function that prepares texts for the vectorizer of a stage.

    Args:
        stage: a stage.

    Returns:
        A function from strings `(n,)` of any bytes to valid UTF-8 strings `(n,)`,
        without masked words if the stage has any.
    """
    if stage.masked_words is not None:
        return TextCleaner(stage.masked_words)
    return lambda texts: tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")


def _layers_with_tables(stage, clean_texts):
    """Yields what an archive must track: it finds variables, but not lookup tables."""
    if stage.vectorizer is not None:
        stage.vectorizer(tf.constant([""]))  # it can be tracked once it was called
        yield stage.vectorizer
    if isinstance(clean_texts, tf.Module):
        yield clean_texts
    for network in stage.networks.values():
        yield from (x for x in network.layers if isinstance(x, NgramLogits))


def build_serving_function(
    stage: Stage,
    endpoint: Endpoint,
    decode_images: Callable,
    clean_texts: Callable,
) -> Callable[..., dict[str, tf.Tensor]]:
    """Combines an endpoint with its preprocessing and postprocessing.

    Args:
        stage: a stage.
        endpoint: one of its endpoints.
        decode_images: the result of `build_image_decoder`.
        clean_texts: the result of `build_text_cleaner`.

    Returns:
        A function that takes a tensor for each of `endpoint.serving_inputs` and returns
        `{output: tensor}`.
    """
    vocabulary = stage.vectorizer.get_vocabulary() if endpoint.text_output else None

    def serve(*tensors):
        inputs = dict(zip(endpoint.serving_inputs, tensors, strict=True))
        inputs = validate_inputs(inputs)
        arrays, valid = {}, None
        if "noise" in inputs:
            arrays["noise"] = inputs["noise"]
        if endpoint.text_input in inputs:
            arrays["text"] = clean_texts(inputs[endpoint.text_input])
        if "token_ids" in endpoint.inputs:
            token_ids = stage.vectorizer(arrays.pop("text"))
            arrays["token_ids"] = tf.cast(token_ids, tf.int32)
        if "image_bytes" in inputs:
            arrays["image"], valid = decode_images(inputs["image_bytes"])
        if stage.accepts_missing:
            arrays["has_image"] = valid
            valid |= inputs["image_bytes"] == b""
        outputs = _predict(endpoint.predict, arrays)
        if CLASS_OUTPUT in endpoint.outputs:
            best = tf.argmax(outputs["probabilities"], axis=-1)
            outputs[CLASS_OUTPUT] = tf.gather(tf.constant(stage.label_names), best)
        if endpoint.text_output:
            token_ids = outputs.pop("token_ids")
            outputs[endpoint.text_output] = detokenize(vocabulary, token_ids)
        return outputs if valid is None else mask_invalid_rows(outputs, valid)

    return serve


def _predict(predict, inputs):
    """Calls a network, with one row of zeros if the batch is empty.

    The convolutions of oneDNN fail on empty batches. The row is removed again.
    """
    batch_size = tf.shape(next(iter(inputs.values())))[0]
    num_added = tf.cast(batch_size == 0, tf.int32)
    inputs = {
        name: tf.pad(tensor, [[0, num_added]] + [[0, 0]] * (tensor.shape.rank - 1))
        for name, tensor in inputs.items()
    }
    return {name: output[:batch_size] for name, output in predict(inputs).items()}


def validate_inputs(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Checks that all inputs have the same number of rows, and that noise is finite.

    A generator would make some image of infinite noise or NaN.

    Args:
        inputs: `{name: tensor}`.

    Returns:
        The same inputs, which are not used before the checks have passed. A failed
        check raises `tf.errors.InvalidArgumentError` when the graph runs.
    """
    (name, first), *others = inputs.items()
    checks = [
        tf.debugging.assert_equal(
            tf.shape(first)[0],
            tf.shape(tensor)[0],
            f"{name} and {other} must have the same number of rows.",
        )
        for other, tensor in others
    ]
    if "noise" in inputs:
        is_finite = tf.reduce_all(tf.math.is_finite(inputs["noise"]), axis=-1)
        rows = tf.where(~is_finite)[:, 0]
        message = "noise must be finite. Rows with other values:"
        checks.append(
            tf.debugging.Assert(tf.size(rows) == 0, [message, rows], summarize=10)
        )
    with tf.control_dependencies(checks):
        return {name: tf.identity(tensor) for name, tensor in inputs.items()}


def detokenize(vocabulary: Sequence[str], token_ids: tf.Tensor) -> tf.Tensor:
    """Converts token ids to captions, in the graph.

    Args:
        vocabulary: words in the order of their ids.
        token_ids: integers `(..., length)`.

    Returns:
        Strings `(...,)`.
    """
    words = tf.where(token_ids == END, "", tf.gather(vocabulary, token_ids))
    return tf.strings.strip(tf.strings.reduce_join(words, axis=-1, separator=" "))


def mask_invalid_rows(
    outputs: dict[str, tf.Tensor], valid: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Replaces the rows of invalid images by 0 or empty strings.

    Args:
        outputs: `{name: tensor}`.
        valid: bool `(n,)`.

    Returns:
        The outputs, and `valid` as another one.
    """
    masked = {}
    for name, values in outputs.items():
        mask = tf.reshape(valid, [-1] + [1] * (values.shape.rank - 1))
        masked[name] = tf.where(mask, values, tf.zeros_like(values))
    return masked | {"valid": valid}
