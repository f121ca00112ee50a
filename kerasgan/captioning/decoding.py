"""Captions from a captioner, word by word, inside the graph.

All functions take a `Captioner`, the grid `(n, height, width, channels)` of n images
and noise `(n, noise_dim)`. They stop when every caption has ended, and return token
ids `(n, k, caption_length - 1)` int32, without the opening one, and log-likelihoods
`(n, k)` float32 of k captions an image. None says a word again at once or after one
other, as in "a black black dog" or "a hat and hat".
"""

import tensorflow as tf

from kerasgan.captioning.captioner import END, NEVER, UNKNOWN

BEAM_WIDTH = 5  # of beams
LENGTH_PENALTY = 0.7
TOP_P_CANDIDATES = 256  # the likeliest words, among which top-p chooses
# When this share of images still has open captions, the others are left behind.
SHRINK_SHARES = (0.5, 0.5, 0.0)


def greedy_search(captioner, grid, noise):
    """One caption an image: the likeliest word each time."""

    def choose(chances, word):
        return tf.argmax(chances, axis=-1, output_type=tf.int32)

    return _decode(captioner, grid, noise, 1, choose)


def sample_captions(
    captioner, grid, noise, count=5, top_p=1.0, temperature=1.0, seed=0
):
    """Words drawn by their chances.

    Args:
        count: captions an image.
        top_p: only the likeliest words that make up this share are drawn from
            (Holtzman et al. 2020, https://arxiv.org/abs/1904.09751).
        temperature: below 1 prefers likely words.
        seed: int, or an int32 scalar tensor. What is drawn depends on which images
            come together.
    """

    def choose(chances, word):
        key = tf.stack([tf.cast(seed, tf.int32), word])
        chances = chances / temperature
        if top_p == 1:
            return _gumbel_argmax(chances, key)
        chances, ids = tf.math.top_k(chances, min(TOP_P_CANDIDATES, chances.shape[-1]))
        before = tf.cumsum(tf.nn.softmax(chances), axis=-1, exclusive=True)
        place = _gumbel_argmax(tf.where(before < top_p, chances, NEVER), key)
        return tf.gather(ids, place, batch_dims=2)

    return _decode(captioner, grid, noise, count, choose)


def _gumbel_argmax(chances, key):
    """Gumbel's trick: an index for each row of unnormalised log-chances."""
    uniform = tf.random.stateless_uniform(tf.shape(chances), key, 1e-20, 1.0)
    chances -= tf.math.log(-tf.math.log(uniform))
    return tf.argmax(chances, axis=-1, output_type=tf.int32)


def _decode(captioner, grid, noise, count, choose):
    memory, state = captioner.encode(grid, noise)
    page = _empty_token_ids(captioner, memory, count)

    def write(memory, word, tokens, total, page, *state):
        chances, state, _ = captioner.step(tokens, state, memory)
        ended = (tokens == END) & (word > 0)
        open_to = chances + _repetition_penalty(page, word, captioner.vocabulary_size)
        tokens = tf.where(ended, END, choose(open_to, word))
        gained = tf.gather(chances, tokens, batch_dims=2)
        total += tf.where(ended, 0.0, gained)
        return word + 1, tokens, total, _write_tokens(page, word, tokens), *state

    total = tf.zeros(tf.shape(page)[:2])
    return _decoding_loop(
        captioner, write, memory, total, page, _repeat_state(state, count)
    )


def beam_search(
    captioner, grid, noise, width=BEAM_WIDTH, length_penalty=LENGTH_PENALTY
):
    """Keeps the `width` likeliest beginnings.

    Args:
        width: captions kept, and returned, an image.
        length_penalty: captions are ranked by log-likelihood over their length to
            this power (Wu et al. 2016, https://arxiv.org/abs/1609.08144): 0 prefers
            short ones.

    Returns:
        As the others, the best caption first.
    """
    memory, state = captioner.encode(grid, noise)
    page = _empty_token_ids(captioner, memory, width)
    most = min(width, captioner.vocabulary_size)
    only_end = tf.one_hot(END, captioner.vocabulary_size, 0.0, NEVER)

    def write(memory, word, tokens, total, page, *state):
        chances, state, _ = captioner.step(tokens, state, memory)
        chances += _repetition_penalty(page, word, captioner.vocabulary_size)
        ended = (tokens == END) & (word > 0)
        chances = tf.where(ended[..., None], only_end, chances) + total[..., None]
        # Each beginning has at most `width` heirs among the best.
        heirs, words = tf.math.top_k(chances, most)
        total, place = tf.math.top_k(tf.reshape(heirs, [-1, width * most]), width)
        tokens = tf.gather(tf.reshape(words, [-1, width * most]), place, batch_dims=1)
        parents = place // most
        page, *state = (
            tf.gather(part, parents, batch_dims=1) for part in (page, *state)
        )
        return word + 1, tokens, total, _write_tokens(page, word, tokens), *state

    # All beginnings are alike at first: one of them counts.
    total = tf.tile(tf.one_hot([0], width, 0.0, NEVER), [tf.shape(memory)[0], 1])
    ids, total = _decoding_loop(
        captioner, write, memory, total, page, _repeat_state(state, width)
    )
    length = 1 + tf.reduce_sum(tf.cast(ids != END, tf.float32), axis=-1)
    order = tf.argsort(total / length**length_penalty, direction="DESCENDING")
    return tf.gather(ids, order, batch_dims=1), tf.gather(total, order, batch_dims=1)


def _empty_token_ids(captioner, memory, count):
    return tf.fill([tf.shape(memory)[0], count, captioner.caption_length - 1], END)


def _repeat_state(state, count):
    return [tf.repeat(part[:, None], count, axis=1) for part in state]


def _repetition_penalty(page, word, vocabulary_size):
    """`NEVER` for the last two words of each caption, 0 for the others."""
    places = tf.maximum(word - tf.range(1, 3), 0)
    said = tf.gather(page, places, axis=-1)
    said = tf.where(said == END, UNKNOWN, said)  # an end may follow an end
    return tf.reduce_min(tf.one_hot(said, vocabulary_size, NEVER, 0.0), axis=-2)


def _write_tokens(page, word, tokens):
    here = tf.range(page.shape[-1]) == word
    # `tokens[..., None]` is what LiteRT cannot do where no size is known.
    return tf.where(here, tf.expand_dims(tokens, -1), page)


def _decoding_loop(captioner, write, memory, total, page, state):
    """Word after word until all captions have ended. Most are short and some are long:
    where half of the images have all of theirs, the others go on alone."""
    tokens = tf.fill(tf.shape(total), captioner.start_id)
    word, rows, found = 0, tf.range(tf.shape(total)[0]), []
    everyone = tf.shape(page)

    def unended(tokens):
        return tf.reduce_any(tokens != END, axis=-1)

    for least in SHRINK_SHARES:

        def goes_on(word, tokens, *_):
            share = tf.reduce_mean(tf.cast(unended(tokens), tf.float32))
            return (word < page.shape[-1]) & ((word == 0) | (share > least))

        def go(*parts):
            return write(memory, *parts)

        word, tokens, total, page, *state = tf.while_loop(
            goes_on, go, (word, tokens, total, page, *state)
        )
        goes = unended(tokens) if least else tf.zeros_like(rows, tf.bool)
        found.append([tf.boolean_mask(x, ~goes) for x in (rows, page, total)])
        rows, memory, tokens, total, page, *state = (
            tf.boolean_mask(x, goes)
            for x in (rows, memory, tokens, total, page, *state)
        )
    rows, pages, totals = (tf.concat(parts, axis=0) for parts in zip(*found))
    rows = tf.expand_dims(rows, -1)
    totals = tf.scatter_nd(rows, totals, everyone[:2])
    return tf.scatter_nd(rows, pages, everyone), totals
