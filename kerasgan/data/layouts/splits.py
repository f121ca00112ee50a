"""Published splits that the names of files and folders tell."""

import re
from collections.abc import Iterable

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def published_splits(names: Iterable[str]) -> dict[str, str]:
    """Finds the split of each file or folder of a data set.

    If there is validation data but no test data, it is used for testing, because the
    test data of some data sets are published without captions.

    Args:
        names: their names, such as `train-00000-of-00002` and `captions_val2017`.

    Returns:
        Name to "train", "val" or "test". Empty unless every name contains a split, and
        there are data for training and for testing.
    """
    splits = {name: _split_of(name) for name in names}
    found = set(splits.values())
    if "train" not in found or None in found or len(found) < 2:
        return {}
    test = "test" if "test" in found else "val"
    return {
        name: "test" if split == test else split
        for name, split in splits.items()
        if split
    }


def _split_of(name: str) -> str | None:
    words = re.findall("[a-z]+", name.lower())
    found = [SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS]
    return found[-1] if found else None
