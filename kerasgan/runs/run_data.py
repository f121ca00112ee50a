"""Whether data are those that a run was started with."""

from typing import TYPE_CHECKING

from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.runs.run import Run

KEYS = {"train_ids": list, "test_ids": list}


def require_same_data(run: "Run", info: dict) -> None:
    """Raises a UserError if a run was started with other images, captions or labels.

    Args:
        run: the run; one that has read no data yet takes any.
        info: `Pairs.info`.
    """
    if not (run.path / "data.json").is_file():
        return
    stored = run.read("data.json", KEYS)
    for key in (*KEYS, "content"):
        if stored.get(key, info.get(key)) != info.get(key, stored.get(key)):
            raise UserError(
                f"{run.path} was started with other images: {key} in its data.json and"
                f" in {info.get('source') or info['dataset']} differ. Use the original"
                " source, or train anew."
            )
