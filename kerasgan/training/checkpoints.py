"""Everything that training needs to go on, in one file: all of it or nothing."""

import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from kerasgan.errors import JobError

MAX_TO_KEEP = 2


def save_checkpoint(directory, epoch, variables, **figures):
    """Writes variables after an epoch, and forgets all but the last two files.

    A file appears under its name only when it is whole and on the disk, so a process
    killed at any moment leaves the one before.

    Args:
        directory: where the files lie.
        epoch: epochs finished.
        variables: Keras variables, always in the same order.
        figures: numbers to keep beside them.
    """
    arrays = {
        f"{number:05d} {variable.path}": variable.numpy()
        for number, variable in enumerate(variables)
    }
    path = Path(directory) / f"epoch-{epoch:06d}.npz"
    scratch = path.with_suffix(".partial")
    with open(scratch, "wb") as file:
        np.savez(file, epoch=epoch, **figures, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
    for old in sorted(Path(directory).glob("epoch-*.npz"))[:-MAX_TO_KEEP]:
        old.unlink()


def load_checkpoint(directory, variables):
    """Puts the newest checkpoint into the variables.

    Returns:
        The figures saved with it, `epoch` among them, or None where there is none.

    Raises:
        JobError: when none of the files can be read, or they hold other variables.
    """
    paths = sorted(Path(directory).glob("epoch-*.npz"), reverse=True)
    problems = []
    for path in paths:
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = dict(saved)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            problems.append(f"{path}: {error}")
            continue
        return _restore(path, arrays, variables)
    if problems:
        raise JobError("No checkpoint can be read.\n" + "\n".join(problems))
    return None


def _restore(path, arrays, variables):
    names = [name for name in arrays if name[:5].isdigit()]
    shapes = [(name[6:], arrays[name].shape) for name in names]
    wanted = [(variable.path, tuple(variable.shape)) for variable in variables]
    if [shape for _, shape in shapes] != [shape for _, shape in wanted]:
        unlike = [f"{a} / {b}" for a, b in zip(shapes, wanted) if a[1] != b[1]]
        raise JobError(f"{path} holds other variables: {unlike[:3]}")
    for name, variable in zip(names, variables):
        variable.assign(arrays[name])
    return {name: arrays[name].item() for name in arrays if name not in names}
