"""Damages tar files, Parquet and arrays from the inside."""

import io
import random
import tarfile
import zipfile
from collections.abc import Callable

import numpy as np
import pyarrow
import pyarrow.parquet
from fuzz_values import NASTY_TEXTS, NASTY_VALUES


def change_tar(
    random: random.Random, data: bytes, mutate: Callable[..., bytes]
) -> bytes:
    """Changes the name, type or content of a member; `mutate` changes the latter."""
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
