"""Finds and removes the words of a text that name its class, by rules."""

import functools
import html
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence

MIN_LETTERS = 3  # of a word that names a class
MAX_JOINED_WORDS = 3  # that may stand for one: "flip flop", "t - shirt s"
MAX_TEXT_LENGTH = 100_000  # characters of a text that are read
MAX_PASSES = 8  # over a text; each may uncover what the next one finds
STOP_WORDS = frozenset(
    [
        "all",
        "and",
        "any",
        "for",
        "from",
        "not",
        "other",
        "others",
        "the",
        "with",
        "without",
    ]
)


def label_words(label_names: Sequence[str]) -> list[str]:
    """Returns the words that name a class, in their normalized form.

    A name is split at all characters that are neither letter nor digit, and where an
    upper-case letter follows a lower-case letter: `FlipFlops` is `flip` and `flops`.
    Each part of at least three letters that is not a stop word names the class, and so
    do neighboring parts joined to one word if a stop word is neither first nor last:
    `flipflop`. Case, HTML entities, possessive `'s` and English plurals make no
    difference (see `normalize_word`). Numbers do not name a class.

    Args:
        label_names: names of the classes.

    Returns:
        A sorted list without duplicates: `["FlipFlops", "T-shirts"]` gives
        `["flip", "flipflop", "flop", "shirt", "tshirt"]`.
    """
    return sorted({key for name in label_names for key in _label_keys(name)})


def mask_label_words(texts: Sequence[str], words: Sequence[str]) -> list[str]:
    """Removes the words that name a class from texts.

    One to three neighboring words are removed, with the characters between them, if
    joined they are one of `words`: `T shirt`, `T-Shirt` and `tshirts` are `tshirt`.
    This is repeated on the remaining text until nothing is found, at most `MAX_PASSES`
    times. Only the first `MAX_TEXT_LENGTH` characters of a text are read.

    Args:
        texts: the texts.
        words: the result of `label_words`, or any words.

    Returns:
        The texts without these words, with HTML entities unescaped and white space
        normalized to single spaces.
    """
    keys = frozenset(normalize_word(_join_words(word)) for word in words)
    return [_mask(text[:MAX_TEXT_LENGTH], keys) for text in texts]


@functools.lru_cache(maxsize=2**16)
def normalize_word(word: str) -> str:
    """Returns a form that is the same for the singular and the plural of a word.

    A final `s` is removed, but not that of `ss`. Then a final `ie` becomes `y`, `ve`
    and `fe` become `f`, `oe` becomes `o`, and `e` is removed after `ss`, `sh`, `ch`,
    `x` and `zz`: `accessor-y -ies`, `scar-f -ves`, `glo-ve -ves`, `sho-e -es`,
    `watch -es`, `dress -es`. Words of three letters are unchanged. The form is not
    always a word, and normalizing it again does not change it. Irregular plurals
    (`men`, `feet`, `lenses`) are not known.

    Args:
        word: letters and digits.

    Returns:
        The form, case-folded and composed (Unicode's NFKC).
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


def _label_keys(name: str) -> Iterator[str]:
    words = _split_words(_unescape(name))
    parts = [part for word in words for part in _split_camel_case(word)]
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            joined = "".join(parts[start:end])
            ends = {parts[start].casefold(), parts[end - 1].casefold()}
            if not ends & STOP_WORDS and _num_letters(joined) >= MIN_LETTERS:
                yield normalize_word(joined)


def _num_letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def _split_camel_case(word: str) -> Iterator[str]:
    """Splits `FlipFlops` into `Flip`, `Flops`, and `TShirts` into `T`, `Shirts`."""
    start = 0
    for index in range(1, len(word)):
        previous, current = word[index - 1], word[index]
        following = word[index + 1 : index + 2]
        if current.isupper() and (not previous.isupper() or following.islower()):
            yield word[start:index]
            start = index
    yield word[start:]


def _mask(text: str, keys: frozenset[str]) -> str:
    for _ in range(MAX_PASSES if keys else 1):
        before = text
        text = " ".join(_mask_once(_unescape(text), keys).split())
        if text == before:
            break
    return text


def _mask_once(text: str, keys: frozenset[str]) -> str:
    matches = list(_word_pattern().finditer(text))
    kept, position, index = [], 0, 0
    while index < len(matches):
        length = _match_key(matches, index, keys)
        if length:
            kept.append(text[position : matches[index].start()])
            position = matches[index + length - 1].end()
        index += length or 1
    return " ".join([*kept, text[position:]])


def _match_key(matches: list[re.Match], index: int, keys: frozenset[str]) -> int:
    """Returns how many words from `index` on, joined, are a key; 0 if none are."""
    for length in range(min(MAX_JOINED_WORDS, len(matches) - index), 0, -1):
        words = (match["word"] for match in matches[index : index + length])
        if normalize_word("".join(words)) in keys:
            return length
    return 0


def _split_words(text: str) -> list[str]:
    return [match["word"] for match in _word_pattern().finditer(text)]


def _join_words(text: str) -> str:
    return "".join(_split_words(text))


def _unescape(text: str) -> str:
    """Unescapes HTML entities repeatedly: some texts are escaped more than once."""
    for _ in range(MAX_PASSES):
        before, text = text, html.unescape(text)
        if text == before:
            break
    return text


@functools.cache
def _word_pattern() -> re.Pattern:
    """Matches a word: letters and digits with combining marks, and a final `'s`.

    Python's regular expressions have no class for combining marks. They are in
    Unicode's first two planes, except for the last variation selectors.
    """
    characters = map(chr, itertools.chain(range(0x20000), range(0xE0100, 0xE01F0)))
    marks = "".join(c for c in characters if unicodedata.category(c)[0] == "M")
    word = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return re.compile(rf"(?P<word>{word})(?:['’][sS](?![^\W_]))?")
