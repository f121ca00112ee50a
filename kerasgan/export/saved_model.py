"""A run as a SavedModel: bytes and strings in, images, words and numbers out."""

import functools

import keras
import tensorflow as tf

from kerasgan.captioning.captioner import END
from kerasgan.export.endpoints import CLASS
from kerasgan.export.graph_image_decoder import decode_square_images
from kerasgan.export.graph_text_cleaner import TextCleaner
from kerasgan.layers.ngram_logits import NgramLogits

VALID = "bool `(n,)`: whether the file is {what}; where not, the rest is 0 or empty"


def write_saved_model(stages, path):
    """Writes one SavedModel with the endpoints of all stages.

    Args:
        stages: a list of `Stage`.
        path: the directory to be written.
    """
    # Networks are not tracked: the archive finds the variables that endpoints use, and
    # leaves out what only training needs.
    archive, look_at = keras.export.ExportArchive(), functools.cache(looking)
    for stage in stages:
        look, read = look_at(stage.image_size, stage.fit), reading(stage)
        for holder in _holders_of_tables(stage, read):
            archive.track(holder)
        for endpoint in stage.endpoints:
            serve = tf.function(
                served(stage, endpoint, look, read),
                input_signature=list(stage.friendly_specs(endpoint).values()),
                autograph=False,
            )
            serve.get_concrete_function()  # once: Keras would do it twice
            archive.add_endpoint(endpoint.name, serve)
    archive.write_out(path, verbose=False)


def outputs_of(stage, endpoint):
    """`{output: what it is}` of the signature of one of a stage's endpoints."""
    if "image" not in endpoint.inputs:
        return endpoint.outputs
    what = "an image or missing" if stage.accepts_missing else "an image"
    return endpoint.outputs | {"valid": VALID.format(what=what)}


def looking(size, fit):
    """One function for all endpoints that look alike: files to images."""
    files = tf.TensorSpec((None,), tf.string)
    return tf.function(
        lambda files: decode_square_images(files, size, fit),
        input_signature=[files],
        autograph=False,
    )


def reading(stage):
    """What makes UTF-8 of any bytes, and of texts what the stage reads of them."""
    if stage.masked is not None:
        return TextCleaner(stage.masked)
    return lambda texts: tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8")


def _holders_of_tables(stage, read):
    """What an archive has to be told of; variables it finds by itself."""
    if stage.vectorizer is not None:
        stage.vectorizer(tf.constant([""]))  # once called it can be tracked
        yield stage.vectorizer
    if isinstance(read, tf.Module):
        yield read
    for network in stage.networks.values():
        yield from (one for one in network.layers if isinstance(one, NgramLogits))


def served(stage, endpoint, look, read):
    """An endpoint's network with what comes before it and after it.

    Args:
        stage: a `Stage`.
        endpoint: one of its endpoints.
        look, read: what `looking` and `reading` return.

    Returns:
        A function of a string or noise tensor for each of `endpoint.friendly_inputs`,
        to `{output: tensor}`.
    """
    words = stage.vectorizer.get_vocabulary() if endpoint.spelled else None

    def serve(*given):
        given = _checked(dict(zip(endpoint.friendly_inputs, given)))
        arrays, valid = {}, None
        if "noise" in given:
            arrays["noise"] = given["noise"]
        if endpoint.words in given:
            arrays["text"] = read(given[endpoint.words])
        if "token_ids" in endpoint.inputs:
            arrays["token_ids"] = tf.cast(
                stage.vectorizer(arrays.pop("text")), tf.int32
            )
        if "image_bytes" in given:
            arrays["image"], valid = look(given["image_bytes"])
        if stage.accepts_missing:
            arrays["has_image"] = valid
            valid |= given["image_bytes"] == b""
        found = _ask(endpoint.network, arrays)
        if CLASS in endpoint.outputs:
            best = tf.argmax(found["probabilities"], axis=-1)
            found[CLASS] = tf.gather(tf.constant(stage.labels), best)
        if endpoint.spelled:
            found[endpoint.spelled] = _spell(words, found.pop("token_ids"))
        return found if valid is None else _only(valid, found)

    return serve


def _ask(network, arrays):
    """A network's outputs; of an empty batch by way of a row that is cut off again:
    oneDNN's convolutions fail on none."""
    count = tf.shape(next(iter(arrays.values())))[0]
    more = tf.cast(count == 0, tf.int32)
    arrays = {
        name: tf.pad(array, [[0, more]] + [[0, 0]] * (array.shape.rank - 1))
        for name, array in arrays.items()
    }
    return {name: values[:count] for name, values in network(arrays).items()}


def _checked(given):
    """The same inputs, which nothing reads before they have passed: a batch must have
    as many rows of each, and noise must be finite, else any pixel would be made of it.
    """
    (name, first), *others = given.items()
    checks = [
        tf.debugging.assert_equal(
            tf.shape(first)[0],
            tf.shape(tensor)[0],
            f"{name} and {other} must have as many rows as each other.",
        )
        for other, tensor in others
    ]
    if "noise" in given:
        finite = tf.reduce_all(tf.math.is_finite(given["noise"]), axis=-1)
        rows = tf.where(~finite)[:, 0]
        message = "noise must be finite numbers; in these rows it is not:"
        checks.append(
            tf.debugging.Assert(tf.size(rows) == 0, [message, rows], summarize=10)
        )
    with tf.control_dependencies(checks):
        return {name: tf.identity(tensor) for name, tensor in given.items()}


def _spell(words, token_ids):
    """Token ids `(…, length)` to captions `(…,)`."""
    words = tf.where(token_ids == END, "", tf.gather(words, token_ids))
    return tf.strings.strip(tf.strings.reduce_join(words, axis=-1, separator=" "))


def _only(valid, found):
    """Empties the rows of what was no image, and says which they are."""
    for name, values in found.items():
        shape = [-1] + [1] * (values.shape.rank - 1)
        kept = tf.reshape(valid, shape)
        found[name] = tf.where(kept, values, tf.zeros_like(values))
    return found | {"valid": valid}
