"""Reads tensors from PyTorch files of the kind before 1.6, without PyTorch."""

import math
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of PyTorch's files before 1.6
MAX_MEMO = 1_000_000
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the tensors of a PyTorch file of the kind before 1.6.

    Its parts: a magic number, the protocol, the writer's type sizes, the tensors with
    the names of their storages, these names in order, and each storage as its length
    and its little-endian values.

    Args:
        path: of the file.

    Returns:
        `{name: array}`.

    Raises:
        pickle.UnpicklingError: the file refers to anything but ordered dicts and
            tensors, is damaged, or is of another kind.
    """
    try:
        return _read_tensors(path)
    except (pickle.UnpicklingError, OSError):
        raise
    except Exception as error:  # pickle raises any of them on malformed bytes
        raise pickle.UnpicklingError(f"{path} is damaged: {error!r}") from error


def _read_tensors(path):
    with open(path, "rb") as file:
        header = [_load(file) for _ in range(3)]
        if header[:2] != [MAGIC, PROTOCOL] or not header[2]["little_endian"]:
            raise pickle.UnpicklingError(f"{path} is not an old PyTorch file.")
        tensors = _load(file)
        storages = {}
        for key in _load(file):
            dtype, length = _dtype_and_length(tensors, key, path)
            is_longer = length * dtype.itemsize > os.path.getsize(path)
            if is_longer or int.from_bytes(file.read(8), "little") != length:
                raise pickle.UnpicklingError(f"{path} is damaged at storage {key}.")
            storages[key] = np.frombuffer(file.read(length * dtype.itemsize), dtype)
    return {name: tensor.of(storages[tensor.key]) for name, tensor in tensors.items()}


def _load(file):
    """Unpickles tensors; places in the memo, which it allocates, are limited."""
    start = file.tell()
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name.endswith("PUT") and int(argument) > MAX_MEMO:
            raise pickle.UnpicklingError(f"{argument} is no place in a memo.")
    file.seek(start)
    return _TensorUnpickler(file).load()


def _dtype_and_length(tensors, key, path):
    for tensor in tensors.values():
        if tensor.key == key:
            return tensor.dtype, tensor.length
    raise pickle.UnpicklingError(f"{path} has a storage {key} that no tensor uses.")


class _Tensor:
    """A tensor's place in its storage, as `_rebuild_tensor_v2` of PyTorch describes."""

    def __init__(self, storage, offset, shape, strides, *_):
        (self.dtype, self.key, self.length), self.offset = storage, offset
        self.shape, self.strides = shape, strides

    def of(self, values):
        reach = sum(
            (n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)
        )
        if math.prod(self.shape) > len(values):  # strides of 0 would repeat values
            raise pickle.UnpicklingError("A tensor exceeds its storage.")
        inside = 0 <= self.offset <= self.offset + reach < len(values)
        if not inside or min(self.strides, default=0) < 0:
            raise pickle.UnpicklingError("A tensor exceeds its storage.")
        strides = [step * self.dtype.itemsize for step in self.strides]
        view = np.lib.stride_tricks.as_strided(
            values[self.offset :], self.shape, strides, writeable=False
        )
        return np.ascontiguousarray(view).reshape(self.shape)


class _TensorUnpickler(pickle.Unpickler):
    """An unpickler that only allows ordered dicts and tensors."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(
            f"The file asks for {module}.{name}; only tensors are allowed."
        )

    def persistent_load(self, reference):
        kind, dtype, key, _device, length, _view = reference
        if kind != "storage" or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(f"Not a tensor's storage: {kind!r}")
        return dtype, key, length
