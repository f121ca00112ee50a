"""Faults of the source of a job, which is changed, moved or gone before it goes on."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fault_children import run_child

from tests.data.makers import encoded, pixels

if TYPE_CHECKING:
    from fault_kinds import Trial

NEW_SEED = 99  # of an image that no source has


def replace_image(folder: Path, choices: random.Random) -> None:
    """Puts another image in the place of one."""
    path = choices.choice(_images(folder))
    path.write_bytes(encoded(pixels(NEW_SEED, 32, 32), "PNG"))


def exchange_images(folder: Path, choices: random.Random) -> None:
    """Exchanges the names of two images."""
    one, other = choices.sample(_images(folder), 2)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def truncate_image(folder: Path, choices: random.Random) -> None:
    """Cuts off the end of an image."""
    path = choices.choice(_images(folder))
    os.truncate(path, path.stat().st_size // 2)


def delete_image(folder: Path, choices: random.Random) -> None:
    """Deletes an image."""
    choices.choice(_images(folder)).unlink()


def edit_caption(folder: Path, choices: random.Random) -> None:
    """Changes a word of a caption."""
    rows = _rows(folder)
    place = choices.randrange(1, len(rows))
    rows[place] = rows[place].replace(" dog ", " cat ")
    _write_rows(folder, rows)


def remove_row(folder: Path, choices: random.Random) -> None:
    """Removes a row of the table."""
    rows = _rows(folder)
    del rows[choices.randrange(1, len(rows))]
    _write_rows(folder, rows)


def add_caption(folder: Path, choices: random.Random) -> None:
    """Adds a row with a second caption of an image."""
    rows = _rows(folder)
    rows.append(choices.choice(rows[1:]).replace(" dog ", " cat "))
    _write_rows(folder, rows)


CHANGES: tuple[Callable[[Path, random.Random], None], ...] = (
    *(replace_image, exchange_images, truncate_image, delete_image),
    *(edit_caption, remove_row, add_caption),
)


def source_changed(trial: "Trial") -> str:
    """Changes the source, which has to be named, and puts it back."""
    trial.do(lambda: trial.job.work(trial.root))
    source, original = trial.root / "source", trial.root.with_name("original")
    shutil.copytree(source, original)
    change = trial.choices.choice(CHANGES)
    change(source, trial.choices)
    outcome = run_child(lambda: trial.job.check(trial.root))
    if outcome.kind != "named":
        raise RuntimeError(f"{change.__name__} was not noticed: {outcome.value}")
    shutil.rmtree(source)
    original.rename(source)
    _require_same(trial, f"{change.__name__} and back")
    return f"named: {change.__name__}: {outcome.value}"


def source_moved(trial: "Trial") -> str:
    """Moves the source; the job goes on with its new place."""
    trial.do(lambda: trial.job.work(trial.root))
    (trial.root / "source").rename(trial.root / "moved")
    _require_same(trial, "moved")
    return "same: "


def source_gone(trial: "Trial") -> str:
    """Takes the source away, which has to be named, and brings it back."""
    trial.do(lambda: trial.job.work(trial.root))
    source, away = trial.root / "source", trial.root.with_name("away")
    source.rename(away)
    result = trial.assess()
    away.rename(source)
    _require_same(trial, "gone and back")
    return result


def _require_same(trial, what):
    """Raises a RuntimeError unless the job goes on to the undisturbed result."""
    result = trial.assess()
    if not result.startswith("same"):
        raise RuntimeError(f"{what}: {result}")


def _images(folder):
    return sorted(folder.glob("*.png"))


def _rows(folder):
    return (folder / "table.csv").read_text().splitlines()


def _write_rows(folder, rows):
    (folder / "table.csv").write_text("\n".join(rows) + "\n")
