"""Checkpoints: everything that training needs to continue, in one file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from kerasgan.errors import JobError
from kerasgan.files import load_arrays, open_partial

MAX_TO_KEEP = 2


def save_checkpoint(
    directory: str | Path,
    epoch: int,
    variables: Iterable[keras.Variable],
    **values: float,
) -> None:
    """Writes variables after an epoch and deletes all but the last two files.

    A file appears under its name only when it is complete and on the disk. A process
    killed at any moment leaves the previous checkpoint.

    Args:
        directory: where the files lie.
        epoch: number of finished epochs.
        variables: always in the same order.
        **values: numbers to store beside them.
    """
    arrays = {
        f"{number:05d} {variable.path}": variable.numpy()
        for number, variable in enumerate(variables)
    }
    path = Path(directory) / f"epoch-{epoch:06d}.npz"
    with open_partial(path) as file:
        np.savez(file, epoch=epoch, **values, **arrays)  # type: ignore[arg-type]
    for old in sorted(Path(directory).glob("epoch-*.npz"))[:-MAX_TO_KEEP]:
        old.unlink()


def load_checkpoint(
    directory: str | Path, variables: Sequence[keras.Variable]
) -> dict | None:
    """Assigns the newest readable checkpoint to the variables.

    Args:
        directory: where the files lie.
        variables: in the order in which they were saved.

    Returns:
        The values saved with it, `epoch` among them; None where there is no checkpoint.

    Raises:
        JobError: none of the files can be read, or they hold other variables.
    """
    paths = sorted(Path(directory).glob("epoch-*.npz"), reverse=True)
    problems = []
    for path in paths:
        try:
            arrays = load_arrays(path)
        except ValueError as error:
            problems.append(f"{path}: {error}")
            continue
        return _restore(path, arrays, variables)
    if problems:
        raise JobError("No checkpoint can be read.\n" + "\n".join(problems))
    return None


def _restore(path, arrays, variables):
    names = [name for name in arrays if name[:5].isdigit()]
    stored = [(name[6:], arrays[name].shape) for name in names]
    expected = [(variable.path, tuple(variable.shape)) for variable in variables]
    if [shape for _, shape in stored] != [shape for _, shape in expected]:
        different = [
            f"{a} / {b}" for a, b in zip(stored, expected, strict=False) if a[1] != b[1]
        ]
        raise JobError(
            f"{path} holds other variables: {len(stored)} instead of {len(expected)}."
            f" Shapes that differ: {', '.join(different[:3]) or 'none'}"
        )
    values = {name: arrays[name] for name in arrays if name not in names}
    numbers = [*values.values(), *(arrays[name] for name in names)]
    is_valid = all(array.dtype.kind in "biufV" for array in numbers)
    if not is_valid or any(array.size != 1 for array in values.values()):
        raise JobError(f"{path} holds other values: {', '.join(values)}")
    if "epoch" not in values:
        raise JobError(f"{path} does not say after which epoch it was written.")
    for name, variable in zip(names, variables, strict=True):
        variable.assign(arrays[name])
    return {name: array.item() for name, array in values.items()}
