import keras
import numpy as np
import pytest

from kerasgan.errors import JobError
from kerasgan.training.checkpoints import load_checkpoint, save_checkpoint


def variables(value, shape=(2, 3)):
    return [keras.Variable(np.full(shape, value, "float32"), name="kernel")]


def test_round_trip(tmp_path):
    save_checkpoint(tmp_path, 3, variables(1.5), seconds=2.5)
    target = variables(0.0)
    assert load_checkpoint(tmp_path, target) == {"epoch": 3, "seconds": 2.5}
    assert (np.asarray(target[0]) == 1.5).all()


def test_nothing_there(tmp_path):
    assert load_checkpoint(tmp_path, variables(0.0)) is None


def test_a_damaged_last_file_falls_back_to_the_one_before(tmp_path):
    save_checkpoint(tmp_path, 1, variables(1.0))
    save_checkpoint(tmp_path, 2, variables(2.0))
    last = tmp_path / "epoch-000002.npz"
    last.write_bytes(last.read_bytes()[:100])
    target = variables(0.0)
    assert load_checkpoint(tmp_path, target)["epoch"] == 1
    (tmp_path / "epoch-000001.npz").write_bytes(b"")
    with pytest.raises(JobError, match="No checkpoint can be read"):
        load_checkpoint(tmp_path, target)


def test_a_half_written_file_is_not_seen(tmp_path):
    save_checkpoint(tmp_path, 1, variables(1.0))
    (tmp_path / "epoch-000002.partial").write_bytes(b"half")
    assert load_checkpoint(tmp_path, variables(0.0))["epoch"] == 1


def test_only_two_are_kept(tmp_path):
    for epoch in range(1, 5):
        save_checkpoint(tmp_path, epoch, variables(1.0))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch-000003.npz", "epoch-000004.npz"]


def test_other_networks_are_rejected(tmp_path):
    save_checkpoint(tmp_path, 1, variables(1.0))
    with pytest.raises(JobError, match="other variables"):
        load_checkpoint(tmp_path, variables(0.0, shape=(2, 4)))


@pytest.mark.parametrize("values", [{}, {"epoch": "x"}, {"epoch": [1, 2]}])
def test_other_values_are_rejected(tmp_path, values):
    arrays = {"00000 kernel": np.ones((2, 3), "float32")}
    np.savez(tmp_path / "epoch-000001.npz", **arrays, **values)
    target = variables(0.0)
    with pytest.raises(JobError, match="epoch-000001.npz (holds|does not say)"):
        load_checkpoint(tmp_path, target)
    assert not np.asarray(target[0]).any()
