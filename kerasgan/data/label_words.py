"""The words of a text that give its class away, found by rule and taken out."""

import functools
import html
import itertools
import re
import unicodedata

LETTERS = 3  # of the shortest word that names a class
RUN = 3  # words of a text that may stand for one: "flip flop", "t - shirt s"
MAX_TEXT_LENGTH = 100_000  # characters that are read of one
MAX_PASSES = 8  # through a text, each of which may find what the one before uncovered
STOP_WORDS = frozenset("all and any for from not other others the with without".split())


def label_words(label_names):
    """The words that name a class, in the form in which they are compared.

    A name is split at all that is neither letter nor digit and where a capital
    follows a small letter: `FlipFlops` is `flip` and `flops`. Each part of at least
    three letters that is no stop word names the class, and so do neighbouring parts
    written as one, where no stop word is first or last: `flipflop`. Case, HTML
    entities, possessive `'s` and English plurals make no difference (`comparable`).
    Numbers name no class.

    Args:
        label_names: names of the classes, a sequence of str.

    Returns:
        A sorted list of str, none twice: `["FlipFlops", "T-shirts"]` gives
        `["flip", "flipflop", "flop", "shirt", "tshirt"]`.
    """
    return sorted({key for name in label_names for key in _keys(name)})


def mask_label_words(texts, words):
    """Takes the words that name a class out of texts.

    One to three neighbouring words of a text go, with what stands between them, if
    they are one of `words` when written as one: `T shirt`, `T-Shirt` and `tshirts` are
    `tshirt`. What is left is looked through again until nothing is found, at most
    `PASSES` times. Of a text the first `MAX_TEXT_LENGTH` characters are read.

    Args:
        texts: a sequence of str.
        words: what `label_words` gave, or any words.

    Returns:
        A list of str: HTML entities unescaped, runs of whitespace made one space, none
        at the ends.
    """
    keys = frozenset(comparable(_joined(word)) for word in words)
    return [_masked(text[:MAX_TEXT_LENGTH], keys) for text in texts]


@functools.lru_cache(maxsize=2**16)
def comparable(word):
    """The form of a word that is the same for its singular and its plural.

    A final `s` goes, but not that of `ss`; then a final `ie` becomes `y`, `ve` and `fe`
    become `f`, `oe` becomes `o`, and `e` goes after `ss`, `sh`, `ch`, `x` and `zz`:
    `accessor-y -ies`, `scar-f -ves`, `glo-ve -ves`, `sho-e -es`, `watch -es`,
    `dress -es`. Words of three letters stay. The form itself need be no word, and the
    form of a form is the same form. Irregular plurals (`men`, `feet`, `lenses`) are
    not known.

    Args:
        word: letters and digits.

    Returns:
        str, case-folded, composed (Unicode's NFKC).
    """
    word = unicodedata.normalize("NFKC", word).casefold()
    word = unicodedata.normalize("NFKC", word)
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 3:
        for ending, singular in (("ie", "y"), ("ve", "f"), ("fe", "f"), ("oe", "o")):
            if word.endswith(ending):
                return word[: -len(ending)] + singular
        if word.endswith(("sse", "she", "che", "xe", "zze")):
            return word[:-1]
    return word


def _keys(name):
    parts = [part for word in _words(_unescaped(name)) for part in _humps(word)]
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            joined = "".join(parts[start:end])
            ends = {parts[start].casefold(), parts[end - 1].casefold()}
            if not ends & STOP_WORDS and _letters(joined) >= LETTERS:
                yield comparable(joined)


def _letters(text):
    return sum(character.isalpha() for character in text)


def _humps(word):
    """`FlipFlops` to `Flip`, `Flops`; `TShirts` to `T`, `Shirts`."""
    start = 0
    for place in range(1, len(word)):
        before, here, after = word[place - 1], word[place], word[place + 1 : place + 2]
        if here.isupper() and (not before.isupper() or after.islower()):
            yield word[start:place]
            start = place
    yield word[start:]


def _masked(text, keys):
    for _ in range(MAX_PASSES if keys else 1):
        before = text
        text = " ".join(_once(_unescaped(text), keys).split())
        if text == before:
            break
    return text


def _once(text, keys):
    found = list(_pattern().finditer(text))
    kept, reached, place = [], 0, 0
    while place < len(found):
        length = _run(found, place, keys)
        if length:
            kept.append(text[reached : found[place].start()])
            reached = found[place + length - 1].end()
        place += length or 1
    return " ".join([*kept, text[reached:]])


def _run(found, place, keys):
    """How many words from `place` on are a key when written as one; 0: none are."""
    for length in range(min(RUN, len(found) - place), 0, -1):
        words = (match["word"] for match in found[place : place + length])
        if comparable("".join(words)) in keys:
            return length
    return 0


def _words(text):
    return [match["word"] for match in _pattern().finditer(text)]


def _joined(text):
    return "".join(_words(text))


def _unescaped(text):
    """`&amp;amp;` is `&` too: some texts were escaped more than once."""
    for _ in range(MAX_PASSES):
        before, text = text, html.unescape(text)
        if text == before:
            break
    return text


@functools.cache
def _pattern():
    """A word: letters and digits with their accents and vowel signs, and its `'s`.

    Python's regular expressions have no name for such marks. They lie in Unicode's
    first two planes, but for the last variation selectors.
    """
    everywhere = map(chr, itertools.chain(range(0x20000), range(0xE0100, 0xE01F0)))
    marks = "".join(c for c in everywhere if unicodedata.category(c)[0] == "M")
    word = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return re.compile(rf"(?P<word>{word})(?:['’][sS](?![^\W_]))?")
