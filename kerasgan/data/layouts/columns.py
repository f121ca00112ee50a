"""Determines which columns of a table contain image names, captions and labels."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.errors import UserError

# Known names, in order of preference.
IMAGE_COLUMNS = [
    "image",
    "image_path",
    "image_file",
    "image_name",
    "filename",
    "file_name",
    "file",
    "filepath",
    "file_path",
    "path",
    "picture",
    "picture_path",
    "img",
    "img_path",
]
CAPTION_COLUMNS = [
    "caption",
    "captions",
    "text",
    "texts",
    "title",
    "sentence",
    "sentences",
    "description",
    "descriptions",
    "raw",
    "comment",
]
NUMBERED_IMAGE = re.compile(r"(image|img|picture)(_(path|file|name))?_?\d+")
NUMBERED_CAPTION = re.compile(r"(caption|text|title|sentence|description|comment)_?\d+")
LABEL_COLUMNS = ["label", "class", "category", "label_name", "class_name", "target"]


@dataclass(frozen=True)
class Columns:
    """The columns of a table that are used.

    Attributes:
        image: name of the column of image names, or None.
        captions: names of the columns of captions.
        label: name of the column of labels, or None.
        missing_values: cells that mean that there is no value.
        further_images: names of further columns of image names.
        label_separators: characters that separate labels in a cell.
    """

    image: str | None
    captions: tuple[str, ...]
    label: str | None
    missing_values: frozenset[str] = frozenset()
    further_images: tuple[str, ...] = ()
    label_separators: str = ""

    @classmethod
    def resolve(cls, config: DataConfig, names: list[str], source: Path) -> "Columns":
        """Determines the columns of a data set, which needs images and captions.

        Args:
            config: settings of the data set.
            names: names of all columns of the table.
            source: the table.

        Returns:
            The result of `infer_columns`.

        Raises:
            UserError: If the column of images is unknown, or the columns of captions
                are and the settings do not disable them.
        """
        columns = infer_columns(config, names, source)
        if columns.image is None:
            raise UserError(
                f"{source}: cannot infer the column of image file names. Received: "
                f"{_quoted(names)}. Name it with --image-column."
            )
        if not columns.captions and config.caption_columns is None:
            raise UserError(
                f"{source}: cannot infer the column of captions. Received: "
                f"{_quoted(names)}. Name it with --caption-column, or use "
                "--caption-column '' for images without captions."
            )
        return columns

    def __str__(self) -> str:
        images = ", ".join([str(self.image), *self.further_images])
        captions = ", ".join(self.captions) or "none"
        return f"columns: image {images}; captions {captions}; label {self.label}"


def infer_columns(config: DataConfig, names: list[str], source: Path) -> Columns:
    """Determines the columns from the settings, or else from their names.

    An empty name in the settings means that no such column is used. The column of
    images may be several, separated by semicolons.

    Args:
        config: settings of the data set.
        names: names of all columns of the table.
        source: the table.

    Returns:
        The columns; those that cannot be inferred are missing.

    Raises:
        UserError: If the table does not have a column that the settings name.
    """
    image, captions = config.image_column, config.caption_columns
    label = config.label_column
    if image is None:
        images = _infer_image_columns(names)
    else:
        images = [image] if image in names else image.split(";")
    for name in (*images, label, *(captions or ())):
        if name and name not in names:
            raise UserError(
                f"{source} has no column {name!r}. Available: {_quoted(names)}."
            )
    if captions is None:
        captions = _infer_caption_columns(names)
    if label is None:
        label = infer_column(LABEL_COLUMNS, names)
    missing_values = frozenset(config.missing_values)
    captions, images = tuple(filter(None, captions)), [*filter(None, images)] or [None]
    return Columns(
        images[0],
        captions,
        label or None,
        missing_values,
        tuple(images[1:]),
        config.label_separators,
    )


def check_unique_names(names: list[str], source: Path) -> None:
    """Checks that the columns of a table have different names.

    Args:
        names: names of all columns of the table.
        source: the table.

    Raises:
        UserError: If two columns have the same name.
    """
    repeated = [name for name, count in Counter(names).items() if name and count > 1]
    if repeated:
        raise UserError(
            f"{source} has several columns with the same name: {_quoted(repeated)}. "
            "Rename them, for example to caption_1, caption_2."
        )


def _normalize(name: str) -> str:
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def infer_column(known: Sequence[str], names: Sequence[str]) -> str | None:
    """Returns the column with the most preferred of some known names.

    Args:
        known: known names, in order of preference.
        names: names of all columns; case, spaces and hyphens make no difference.
    """
    normalized = {_normalize(name): name for name in reversed(names)}
    return next((normalized[name] for name in known if name in normalized), None)


def _infer_image_columns(names: list[str]) -> list[str]:
    """Returns the column with a known name, and numbered ones such as `image_2`."""
    single = infer_column(IMAGE_COLUMNS, names)
    numbered = [n for n in names if NUMBERED_IMAGE.fullmatch(_normalize(n))]
    return [*([single] if single else []), *numbered]


def _infer_caption_columns(names: list[str]) -> tuple[str, ...]:
    numbered = tuple(n for n in names if NUMBERED_CAPTION.fullmatch(_normalize(n)))
    single = infer_column(CAPTION_COLUMNS, names)
    return numbered or ((single,) if single else ())


def _quoted(names: list[str]) -> str:
    return ", ".join(map(repr, names)) or "no columns"
