"""Damages valid files, as they are damaged in practice and by an attacker."""

import io
import json
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import hypothesis
import numpy as np
import pyarrow
import pyarrow.parquet
from hypothesis import strategies

Mutation = Callable[[random.Random, bytes], bytes]

MAX_SIZE = 1 << 20  # bytes of a damaged file
NASTY_TEXTS = [
    *("", " ", "0", "-1", "1e999", "NaN", "null", "[]", "{}", "=1+1", '"', "'", "|"),
    *("../outside.jpg", "/etc/passwd", "..", ".", "a/../../outside.jpg", "a" * 5000),
    *("file:///etc/passwd", "https://example.com/a.jpg", "~/.bashrc", "C:\\a.jpg"),
    *("\x00", "a\x00b.jpg", "\x1b]0;x\x07", "\ufeff", "\u2028", "\u202e", "é", "犬"),
    *("%s%n", "{0.__class__}", "<script>", "!!python/object:os.system", "&a [*a]"),
    *("9" * 400, "-" + "9" * 5000, "0x10", "1_000", "²", "٣", "[" * 3000, "{" * 3000),
    *('{"a":' * 3000, "\r", "\n", "\t", "#", "#0\t", ",", ";", "link.jpg", "1.jpg"),
]
NASTY_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 1.5, -0.0, 1e308),
    *(float("nan"), float("inf"), [], {}, [[]], [None], {"": None}, [1, "a"], "a"),
    *([0] * 1000, {"id": {"id": {}}}, "\ud800", [{"raw": None}], [["a"]]),
]
NASTY_BYTES = [
    *(b"", b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80", b"\r\n"),
    *(
        b"\0" * 512,
        b"\xff" * 8,
        b"\x7f\xff\xff\xff",
        b"\xff\xff\xff\x7f",
        b"PK\x03\x04",
    ),
]


def draw_values(seed: int, count: int = 300) -> list[Any]:
    """Draws JSON values of all kinds, which `NASTY_VALUES` may lack.

    Args:
        seed: of the choice.
        count: how many.
    """
    leaves = strategies.none() | strategies.booleans() | strategies.integers()
    leaves |= strategies.floats() | strategies.text(max_size=20)
    nested = strategies.recursive(
        leaves,
        lambda inner: (
            strategies.lists(inner, max_size=4)
            | strategies.dictionaries(strategies.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )
    values: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(nested)
    def collect(value):
        values.append(value)

    collect()
    return values


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


# Archives and arrays ------------------------------------------------------------


def change_tar(random: random.Random, data: bytes) -> bytes:
    """Changes the name, type or size of a member, or the member's content."""
    target, chosen = io.BytesIO(), None
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar if m.isreg()]
    chosen = random.randrange(len(members))
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
    with tarfile.open(fileobj=target, mode="w") as tar:
        for number, (member, content) in enumerate(members):
            kind = random.randrange(4) if number == chosen else None
            if kind == 0:
                member.name = random.choice(NASTY_TEXTS).replace("\0", "") + member.name
            elif kind == 1:
                member.type, member.linkname = random.choice(kinds), "../outside.jpg"
            elif kind == 2:
                content = mutate(random, member.name, content)
                member.size = len(content)
            elif kind == 3:
                member.name = random.choice(members)[0].name
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def change_parquet(random: random.Random, data: bytes) -> bytes:
    """Replaces, renames or removes a column."""
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    column, count = random.randrange(table.num_columns), table.num_rows
    name, kind = table.column_names[column], random.randrange(3)
    if kind == 0:
        table = table.remove_column(column)
    elif kind == 1:
        new = random.choice([*table.column_names, *NASTY_TEXTS]).replace("\0", "")
        table = table.rename_columns(
            [new if n == name else n for n in table.column_names]
        )
    else:
        value = random.choice(
            [v for v in NASTY_VALUES if v != {}]
            + [b"\xff", b"", np.datetime64(0, "s"), {"bytes": b"x"}, {"bytes": 3}]
        )
        values = pyarrow.array([value] * count)
        values = random.choice((values, values.dictionary_encode))
        values = values() if callable(values) else values
        table = table.set_column(column, name, values)
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target)
    return target.getvalue()


def _changed_array(random, array):
    kind = random.randrange(6)
    if kind == 0:
        return array.astype(random.choice(("f2", "f4", "f8", "i1", "i8", "U3", "?")))
    if kind == 1:
        return array[: random.randrange(len(array) + 1)]
    if kind == 2:
        return array.reshape(
            random.choice(((-1,), (1, *array.shape), (*array.shape, 1)))
        )
    array = array.copy()
    place = random.randrange(array.size)
    array.flat[place] = random.choice((0, -1, 2**31 - 1, np.nan, np.inf, 1e30))
    return np.array([print], dtype=object) if kind == 5 else array


def change_npy(random: random.Random, data: bytes) -> bytes:
    """Changes type, shape or a value of an array."""
    target = io.BytesIO()
    np.save(target, _changed_array(random, np.load(io.BytesIO(data))))
    return target.getvalue()


def change_npz(random: random.Random, data: bytes) -> bytes:
    """Changes, renames or removes an array of an archive."""
    with np.load(io.BytesIO(data)) as archive:
        arrays = dict(archive)
    name, kind = random.choice(list(arrays)), random.randrange(5)
    array = arrays.pop(name)
    if kind == 1:
        arrays[random.choice(("x", "../x", "file", name + "1"))] = array
    elif kind > 1:
        arrays[name] = _changed_array(random, array)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for key, values in arrays.items():
            with file.open(f"{key}.npy", "w") as member:
                np.lib.format.write_array(member, values)
    return target.getvalue()


STRUCTURED: dict[str, list[Mutation]] = {  # by the suffix of a file
    ".jsonl": [change_json_line, change_json_line, *TEXT],
    ".json": [change_json, change_json, *TEXT],
    ".parquet": [change_parquet],
    ".tar": [change_tar],
    ".npz": [change_npz],
    ".npy": [change_npy],
    **dict.fromkeys((".csv", ".tsv", ".txt", ".token", ".yaml", ".cls"), TEXT),
}
