"""Which columns of a table hold the image, the captions and the label."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.errors import UserError

# Names in the order in which they are preferred.
IMAGE = (
    "image image_path image_file image_name filename file_name file filepath file_path"
    " path picture picture_path img img_path"
).split()
CAPTION = (
    "caption captions text texts title sentence sentences description descriptions"
    " raw comment"
).split()
NUMBERED = re.compile(r"(caption|text|title|sentence|description|comment)_?\d+")
LABEL = "label class category label_name class_name target".split()


@dataclass(frozen=True)
class Columns:
    """The columns that are used."""

    image: str | None
    captions: tuple[str, ...]
    label: str | None

    @classmethod
    def choose(cls, config: DataConfig, names: list[str], source: Path) -> "Columns":
        """As `find`; UserError without an image's column, or without a caption's
        unless the settings want none."""
        found = cls.find(config, names, source)
        if found.image is None:
            raise UserError(
                f"{source}: none of its columns is plainly the image's file name "
                f"({_list(names)}). Name it with --image-column."
            )
        if not found.captions and config.caption_columns is None:
            raise UserError(
                f"{source}: none of its columns is plainly a caption "
                f"({_list(names)}). Name it with --caption-column, or give "
                "--caption-column '' for images without captions."
            )
        return found

    @classmethod
    def find(cls, config: DataConfig, names: list[str], source: Path) -> "Columns":
        """Those that the settings name, else the obvious ones, if there are any.

        An empty name in the settings means that no such column is used.
        """
        for name in (
            config.image_column,
            config.label_column,
            *(config.caption_columns or ()),
        ):
            if name and name not in names:
                raise UserError(f"{source} has no column {name!r}, only {_list(names)}")
        image, captions = config.image_column, config.caption_columns
        label = config.label_column
        if image is None:
            image = guess(IMAGE, names)
        if captions is None:
            captions = _guess_captions(names)
        if label is None:
            label = guess(LABEL, names)
        return cls(image or None, tuple(filter(None, captions)), label or None)

    def __str__(self) -> str:
        captions = ", ".join(self.captions) or "none"
        return f"columns: image {self.image}; captions {captions}; label {self.label}"


def refuse_repeated(names: list[str], source: Path) -> None:
    """UserError if two columns have one name: which of them is meant?"""
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise UserError(
            f"{source} has several columns of one name: {_list(repeated)}. Rename them,"
            " say to caption_1, caption_2."
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def guess(known: list[str], names: list[str]) -> str | None:
    """The first of the `known` names that is there, however it is spelt."""
    plain = {_plain(name): name for name in reversed(names)}
    return next((plain[word] for word in known if word in plain), None)


def _guess_captions(names: list[str]) -> tuple[str, ...]:
    numbered = tuple(name for name in names if NUMBERED.fullmatch(_plain(name)))
    single = guess(CAPTION, names)
    return numbered or ((single,) if single else ())


def _list(names: list[str]) -> str:
    return ", ".join(map(repr, names)) or "none at all"
