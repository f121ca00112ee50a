"""Damages valid files, as they are damaged in practice and by an attacker."""

import json
import random
import re
from collections.abc import Callable

from fuzz_containers import change_npy, change_npz, change_parquet, change_tar
from fuzz_values import NASTY_BYTES, NASTY_TEXTS, NASTY_VALUES

Mutation = Callable[[random.Random, bytes], bytes]

MAX_SIZE = 1 << 20  # bytes of a damaged file


def mutate(random: random.Random, name: str, data: bytes) -> bytes:
    """Damages a file once or a few times.

    Args:
        random: makes all choices.
        name: of the file, whose suffix says what it holds.
        data: its content.

    Returns:
        Another content, of at most `MAX_SIZE` bytes.
    """
    structured = next(
        (found for suffix, found in STRUCTURED.items() if name.endswith(suffix)), []
    )
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        kinds = structured if structured and random.random() < 0.6 else BYTES
        try:
            data = random.choice(kinds)(random, data)
        except Exception:  # it is damaged already, or has nothing to choose from
            data = insert(random, data)
    return data[:MAX_SIZE]


# Bytes --------------------------------------------------------------------------


def _span(random, data, longest=64):
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.randrange(1, longest))


def flip_bit(random: random.Random, data: bytes) -> bytes:
    """Flips one bit."""
    content = bytearray(data)
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


def truncate(random: random.Random, data: bytes) -> bytes:
    """Cuts off the end."""
    return data[: random.randrange(len(data) + 1)]


def insert(random: random.Random, data: bytes) -> bytes:
    """Inserts random or nasty bytes."""
    place = random.randrange(len(data) + 1)
    noise = random.choice((random.choice(NASTY_BYTES), random.randbytes(8)))
    return data[:place] + noise + data[place:]


def overwrite(random: random.Random, data: bytes) -> bytes:
    """Replaces some bytes."""
    place, noise = random.randrange(len(data) + 1), random.choice(NASTY_BYTES)
    return data[:place] + noise + data[place + len(noise) :]


def duplicate(random: random.Random, data: bytes) -> bytes:
    """Repeats some bytes, elsewhere or in place."""
    start, end = _span(random, data, 4096)
    place = random.choice((end, random.randrange(len(data) + 1)))
    return data[:place] + data[start:end] * random.choice((1, 1, 20)) + data[place:]


def remove(random: random.Random, data: bytes) -> bytes:
    """Leaves out some bytes."""
    start, end = _span(random, data)
    return data[:start] + data[end:]


BYTES: list[Mutation] = [flip_bit, truncate, insert, overwrite, duplicate, remove]

# Text ---------------------------------------------------------------------------

TOKEN = re.compile(r"[^\s,;|:\"{}\[\]#]+")


def _encoded(text):
    return text.encode("utf-8", "surrogatepass")


def replace_token(random: random.Random, data: bytes) -> bytes:
    """Replaces a word, number or cell by a nasty one."""
    text = data.decode()
    found = random.choice(list(TOKEN.finditer(text)))
    value = random.choice(NASTY_TEXTS)
    return _encoded(text[: found.start()] + value + text[found.end() :])


def change_lines(random: random.Random, data: bytes) -> bytes:
    """Repeats, removes, exchanges or adds a line."""
    lines = data.decode().split("\n")
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        lines.insert(second, lines[first])
    elif kind == 1:
        del lines[first]
    elif kind == 2:
        lines[first], lines[second] = lines[second], lines[first]
    else:
        lines.insert(first, random.choice(NASTY_TEXTS))
    return _encoded("\n".join(lines))


def change_encoding(random: random.Random, data: bytes) -> bytes:
    """Writes the same text in another encoding, or with other line ends."""
    text = data.decode()
    codec = random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"))
    text = random.choice((text, text.replace("\n", "\r\n"), text.replace("\n", "\r")))
    return text.encode(codec)


TEXT: list[Mutation] = [replace_token, replace_token, change_lines, change_encoding]

# JSON ---------------------------------------------------------------------------


def _containers(value):
    """All lists and dicts in a JSON value that hold something."""
    found, pending = [], [value]
    while pending:
        item = pending.pop()
        if isinstance(item, (list, dict)) and item:
            found.append(item)
            pending += item.values() if isinstance(item, dict) else item
    return found


def _change(random, value):
    """Changes one entry of a JSON value in place."""
    container = random.choice(_containers(value))
    keys = list(container) if isinstance(container, dict) else range(len(container))
    key, kind = random.choice(keys), random.randrange(8)
    nasty = random.choice(NASTY_VALUES + NASTY_TEXTS)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, list):
        container.insert(key, container[key])
    elif kind == 1:
        container[random.choice(NASTY_TEXTS)] = container.pop(key)
    elif kind == 2:
        container[key] = [container[key]]
    elif kind == 3:
        container[key] = random.choice(_containers(value) or [nasty])
        json.dumps(value)  # raises ValueError for a value that contains itself
    else:
        container[key] = nasty


def change_json(random: random.Random, data: bytes) -> bytes:
    """Changes an entry of a JSON file."""
    value = json.loads(data)
    if random.random() < 0.05:
        return json.dumps(random.choice(NASTY_VALUES)).encode()
    _change(random, value)
    return _encoded(json.dumps(value, ensure_ascii=random.random() < 0.5))


def change_json_line(random: random.Random, data: bytes) -> bytes:
    """Changes an entry in a line of JSON."""
    lines = data.decode().split("\n")
    number = random.choice([n for n, line in enumerate(lines) if line])
    lines[number] = change_json(random, lines[number].encode()).decode()
    return _encoded("\n".join(lines))


STRUCTURED: dict[str, list[Mutation]] = {  # by the suffix of a file
    ".jsonl": [change_json_line, change_json_line, *TEXT],
    ".json": [change_json, change_json, *TEXT],
    ".parquet": [change_parquet],
    ".tar": [lambda random, data: change_tar(random, data, mutate)],
    ".npz": [change_npz],
    ".npy": [change_npy],
    **dict.fromkeys((".csv", ".tsv", ".txt", ".token", ".yaml", ".cls"), TEXT),
}
