"""Decoding: captions from a captioner, token by token, inside the graph.

All functions take a `Captioner`, the features `(n, height, width, channels)` of n
images and noise `(n, noise_dim)`. They stop when every caption has ended, and return
token ids int32 `(n, k, caption_length - 1)`, without the start token, and
log-likelihoods float32 `(n, k)` of k captions an image. No function generates a word
that is one of the last two words, as in "a black black dog" or "a hat and hat".
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import tensorflow as tf

from kerasgan.captioning.tokens import END, MASKED_LOGIT, UNKNOWN
from kerasgan.training.replicas import draw_rows

if TYPE_CHECKING:
    from kerasgan.captioning.captioner import Captioner

BEAM_WIDTH = 5
LENGTH_PENALTY = 0.7
TOP_P_CANDIDATES = 256  # the likeliest words, among which top-p sampling chooses
# When only this share of the images has unfinished captions, the finished ones are
# removed from the batch.
SHRINK_SHARES = (0.5, 0.5, 0.0)


def greedy_search(
    captioner: "Captioner", features: tf.Tensor, noise: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Generates one caption an image, from the likeliest word at each position.

    Args:
        captioner: the model.
        features: of n images, `(n, height, width, channels)`.
        noise: `(n, noise_dim)`.

    Returns:
        Token ids `(n, 1, caption_length - 1)` and log-likelihoods `(n, 1)`.
    """

    def choose(log_probabilities, position, rows):
        return tf.argmax(log_probabilities, axis=-1, output_type=tf.int32)

    return _decode(captioner, features, noise, 1, choose)


def sample_captions(
    captioner: "Captioner",
    features: tf.Tensor,
    noise: tf.Tensor,
    count: int = 5,
    top_p: float = 1.0,
    temperature: float = 1.0,
    seed: int | tf.Tensor = 0,
    is_static: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples captions: words are drawn by their probabilities.

    Args:
        captioner: the model.
        features: of n images, `(n, height, width, channels)`.
        noise: `(n, noise_dim)`.
        count: captions an image.
        top_p: share of the probability from which is drawn: only the likeliest words
            that make it up (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751).
        temperature: below 1 prefers likely words.
        seed: int, or an int32 scalar tensor. The captions of an image also depend on
            its place in the batch over all replicas.
        is_static: whether the batch keeps its shape to the end, which XLA needs.

    Returns:
        Token ids `(n, count, caption_length - 1)` and log-likelihoods `(n, count)`.
    """
    num_images = tf.shape(features)[0]

    def sample(logits, position, rows):
        key = tf.stack([tf.cast(seed, tf.int32), position])

        def draw(images):
            shape = tf.concat([[images], tf.shape(logits)[1:]], axis=0)
            # This algorithm is the same on all devices, and under XLA.
            return tf.random.stateless_uniform(shape, key, 1e-20, 1.0, alg="philox")

        # For all images: those of one do not depend on which others have ended.
        uniform = draw_rows(draw, num_images)
        uniform = uniform if rows is None else tf.gather(uniform, rows)
        return _gumbel_argmax(logits, uniform)

    def choose(log_probabilities, position, rows):
        logits = log_probabilities / temperature
        if top_p == 1:
            return sample(logits, position, rows)
        logits, token_ids = tf.math.top_k(
            logits, min(TOP_P_CANDIDATES, logits.shape[-1])
        )
        cumulative = tf.cumsum(tf.nn.softmax(logits), axis=-1, exclusive=True)
        logits = tf.where(cumulative < top_p, logits, MASKED_LOGIT)
        index = sample(logits, position, rows)
        return tf.gather(token_ids, index, batch_dims=2)

    return _decode(captioner, features, noise, count, choose, is_static)


def beam_search(
    captioner: "Captioner",
    features: tf.Tensor,
    noise: tf.Tensor,
    width: int = BEAM_WIDTH,
    length_penalty: float = LENGTH_PENALTY,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Generates captions by beam search, which keeps the `width` likeliest beginnings.

    Args:
        captioner: the model.
        features: of n images, `(n, height, width, channels)`.
        noise: `(n, noise_dim)`.
        width: captions that are kept, and returned, an image.
        length_penalty: captions are ranked by their log-likelihood divided by their
            length to this power (Wu et al. 2016, https://arxiv.org/abs/1609.08144); 0
            prefers short captions.

    Returns:
        Token ids `(n, width, caption_length - 1)` and log-likelihoods `(n, width)`, the
        best caption first.
    """
    memory, states = captioner.encode(features, noise)
    generated = _empty_token_ids(captioner, memory, width)
    num_words = min(width, captioner.vocabulary_size)
    only_end = tf.one_hot(END, captioner.vocabulary_size, 0.0, MASKED_LOGIT)

    def step(memory, rows, position, tokens, total, generated, *states):
        log_probabilities, states, _ = captioner.step(tokens, position, states, memory)
        log_probabilities += _repetition_penalty(
            generated, position, captioner.vocabulary_size
        )
        has_ended = (tokens == END) & (position > 0)
        log_probabilities = tf.where(has_ended[..., None], only_end, log_probabilities)
        log_probabilities += total[..., None]
        # At most `width` continuations of a beam are among the best.
        scores, words = tf.math.top_k(log_probabilities, num_words)
        total, index = tf.math.top_k(tf.reshape(scores, [-1, width * num_words]), width)
        words = tf.reshape(words, [-1, width * num_words])
        tokens = tf.gather(words, index, batch_dims=1)
        parents = index // num_words
        generated, *states = (
            tf.gather(tensor, parents, batch_dims=1) for tensor in (generated, *states)
        )
        generated = _write_tokens(generated, position, tokens)
        return position + 1, tokens, total, generated, *states

    # All beams are equal at first, so only one of them counts.
    total = tf.one_hot([0], width, 0.0, MASKED_LOGIT)
    total = tf.tile(total, [tf.shape(memory)[0], 1])
    token_ids, total = _decoding_loop(
        captioner, step, memory, total, generated, _repeat_states(states, width)
    )
    length = 1 + tf.reduce_sum(tf.cast(token_ids != END, tf.float32), axis=-1)
    order = tf.argsort(total / length**length_penalty, direction="DESCENDING")
    return (
        tf.gather(token_ids, order, batch_dims=1),
        tf.gather(total, order, batch_dims=1),
    )


def _decode(captioner, features, noise, count, choose: Callable, is_static=False):
    """Decodes `count` captions an image, where `choose` picks the next tokens.

    It is called with log-probabilities, the position in the caption, and which images
    of the batch remain, or None for all.
    """
    memory, states = captioner.encode(features, noise)
    generated = _empty_token_ids(captioner, memory, count)

    def step(memory, rows, position, tokens, total, generated, *states):
        log_probabilities, states, _ = captioner.step(tokens, position, states, memory)
        has_ended = (tokens == END) & (position > 0)
        allowed = log_probabilities + _repetition_penalty(
            generated, position, captioner.vocabulary_size
        )
        tokens = tf.where(has_ended, END, choose(allowed, position, rows))
        chosen = tf.gather(log_probabilities, tokens, batch_dims=2)
        total += tf.where(has_ended, 0.0, chosen)
        generated = _write_tokens(generated, position, tokens)
        return position + 1, tokens, total, generated, *states

    total = tf.zeros(tf.shape(generated)[:2])
    arguments = memory, total, generated, _repeat_states(states, count)
    if is_static:
        return _static_loop(captioner, step, *arguments)
    return _decoding_loop(captioner, step, *arguments)


def _gumbel_argmax(logits, uniform):
    """Samples an index from each row of logits, by the Gumbel-max trick."""
    logits -= tf.math.log(-tf.math.log(uniform))
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _empty_token_ids(captioner, memory, count):
    return tf.fill([tf.shape(memory)[0], count, captioner.caption_length - 1], END)


def _repeat_states(states, count):
    return [tf.repeat(state[:, None], count, axis=1) for state in states]


def _repetition_penalty(generated, position, vocabulary_size):
    """Returns `MASKED_LOGIT` for the last two words of a caption, 0 for the others."""
    positions = tf.maximum(position - tf.range(1, 3), 0)
    last_words = tf.gather(generated, positions, axis=-1)
    # The end token may follow itself.
    last_words = tf.where(last_words == END, UNKNOWN, last_words)
    return tf.reduce_min(
        tf.one_hot(last_words, vocabulary_size, MASKED_LOGIT, 0.0), axis=-2
    )


def _write_tokens(generated, position, tokens):
    is_position = tf.range(generated.shape[-1]) == position
    # LiteRT cannot compute `tokens[..., None]` where no size is known.
    return tf.where(is_position, tf.expand_dims(tokens, -1), generated)


def _static_loop(captioner, step, memory, total, generated, states):
    """Repeats `step` until all captions have ended, with all of them to the end."""
    num_positions = captioner.caption_length - 1

    def should_continue(position, tokens, *_):
        has_unfinished = (position == 0) | tf.reduce_any(tokens != END)
        return (position < num_positions) & has_unfinished

    _, _, total, generated, *_ = tf.while_loop(
        should_continue,
        lambda *variables: step(memory, None, *variables),
        (0, tf.fill(tf.shape(total), captioner.start_id), total, generated, *states),
    )
    return generated, total


def _decoding_loop(captioner, step, memory, total, generated, states):
    """Repeats `step` until all captions have ended.

    Most captions are short and some are long. Where half of the images have finished
    all of their captions, decoding continues with the others alone.
    """
    tokens = tf.fill(tf.shape(total), captioner.start_id)
    position, rows, finished = 0, tf.range(tf.shape(total)[0]), []
    shape, num_positions = tf.shape(generated), captioner.caption_length - 1

    def is_unfinished(tokens):
        return tf.reduce_any(tokens != END, axis=-1)

    for shrink_share in SHRINK_SHARES:

        def should_continue(position, tokens, *_, min_share=shrink_share):
            share = tf.reduce_mean(tf.cast(is_unfinished(tokens), tf.float32))
            return (position < num_positions) & ((position == 0) | (share > min_share))

        remaining_rows = rows if finished else None

        def continue_decoding(*variables, memory=memory, rows=remaining_rows):
            return step(memory, rows, *variables)

        position, tokens, total, generated, *states = tf.while_loop(
            should_continue,
            continue_decoding,
            (position, tokens, total, generated, *states),
        )
        remaining = (
            is_unfinished(tokens) if shrink_share else tf.zeros_like(rows, tf.bool)
        )
        finished.append(
            [tf.boolean_mask(x, ~remaining) for x in (rows, generated, total)]
        )
        rows, memory, tokens, total, generated, *states = (
            tf.boolean_mask(x, remaining)
            for x in (rows, memory, tokens, total, generated, *states)
        )
    rows, token_ids, totals = (
        tf.concat(parts, axis=0) for parts in zip(*finished, strict=True)
    )
    rows = tf.expand_dims(rows, -1)
    return tf.scatter_nd(rows, token_ids, shape), tf.scatter_nd(rows, totals, shape[:2])
