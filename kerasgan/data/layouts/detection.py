"""Tells from names and headers which data set a file or folder is."""

from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import numbered_lines, read_text
from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.data.layouts import coco, flickr30k
from kerasgan.data.layouts.columns import infer_columns
from kerasgan.data.layouts.embedded_images import find_embedded
from kerasgan.data.layouts.flickr import PIPE_HEADER
from kerasgan.data.layouts.folders import find_file, find_images, list_folders
from kerasgan.data.layouts.image_folder import metadata_files
from kerasgan.data.layouts.img2dataset import STATUS_COLUMNS, find_shards
from kerasgan.data.layouts.table import READERS, open_table
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError

EXPECTED = (
    "a table (.csv, .tsv, .jsonl, .parquet), a folder of images, COCO's or Karpathy's"
    " JSON, tar files, Flickr30k or Flickr8k"
)


def detect_dataset(source: Path) -> tuple[str, Path]:
    """Tells which data set a file or folder is.

    Args:
        source: the file or directory.

    Returns:
        The name for `DataConfig.dataset`, and its source, which is a table in the
        directory if that has one.

    Raises:
        UserError: If it does not exist or is no known data set.
    """
    if not source.exists():
        raise UserError(f"{source} does not exist")
    found = _detect_folder(source) if source.is_dir() else _detect_file(source)
    if found is None:
        raise UserError(f"{source} is no data set that is known. Expected {EXPECTED}.")
    return found


def _detect_file(source: Path) -> tuple[str, Path] | None:
    suffix = source.suffix.lower()
    if source.name == "Flickr8k.token.txt":
        return "flickr8k", source
    if suffix == ".token" or _is_kaggle(source):
        return "flickr30k", source
    names = {".json": "coco", ".tar": "webdataset", **dict.fromkeys(READERS, "table")}
    return (names[suffix], source) if suffix in names else None


def _is_kaggle(path: Path) -> bool:
    """Returns whether it is Kaggle's results.csv, not another table of that name."""
    if path.name != "results.csv":
        return False
    header = next(numbered_lines(read_text(path, ReadReport())))[1]
    return [name.strip() for name in header.split("|")] == PIPE_HEADER


def _detect_folder(source: Path) -> tuple[str, Path] | None:
    name = (
        _detect_annotations(source)
        or _detect_shards(source)
        or ("folder" if metadata_files(source) else None)
    )
    if name is not None:
        return name, source
    table = _only_table(source)
    if table is not None:
        return "table", table
    has_images = any(
        path.lower().endswith(IMAGE_SUFFIXES) for path in find_images(source.resolve())
    )
    return ("folder", source) if has_images else None


def _detect_annotations(source: Path) -> str | None:
    folders = list_folders(source)
    if find_file(folders, lambda name: name == "Flickr8k.token.txt"):
        return "flickr8k"
    for layout, is_layout_file, _ in flickr30k.READERS:
        path = find_file(folders, is_layout_file)
        if path is None or (path.name == "results.csv" and not _is_kaggle(path)):
            continue
        if layout == "Kaggle captions.txt":  # of both
            return "flickr8k" if "8k" in str(path).lower() else "flickr30k"
        if layout != "Entities sentences" or path.parent.name == "Sentences":
            return "flickr30k"
    return "coco" if coco.annotation_files(source) else None


def _detect_shards(source: Path) -> str | None:
    """Tells apart shards of img2dataset, other tar files and Parquet with images."""
    shards = find_shards(source)
    if any(shard.metadata for shard in shards):
        return "coyo"
    if any(shard.kind == "webdataset" for shard in shards):
        return "webdataset"
    embedded = find_embedded(DataConfig(dataset="table"), source)
    if not embedded:
        return None
    names, _ = open_table(embedded[0].path, ReadReport())
    return "coyo" if set(names) >= STATUS_COLUMNS else "table"


def _only_table(source: Path) -> Path | None:
    """Returns the table in the first folder with any, if it is one that has images."""
    for folder, names in list_folders(source):
        tables = [name for name in names if Path(name).suffix.lower() in READERS]
        if len(tables) > 1:
            return None
        if tables:
            path = folder / tables[0]
            names, _ = open_table(path, ReadReport())
            config = DataConfig(dataset="table")
            return path if infer_columns(config, names, path).image else None
    return None
