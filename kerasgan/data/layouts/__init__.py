"""Reads the annotations of each data set, in any of its known layouts."""

from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations
from kerasgan.errors import UserError


def read_annotations(config: DataConfig, source: Path) -> Annotations:
    """Reads the annotations of a data set.

    Args:
        config: settings of the data set.
        source: the directory or file that is read.

    Returns:
        `Annotations` with at least one image.

    Raises:
        UserError: If the source does not exist or has no known layout, or if no row
            can be used.
    """
    if not source.exists():
        raise UserError(f"--source {source} does not exist")
    if config.dataset == "flickr30k":
        from kerasgan.data.layouts.flickr30k import read
    elif config.dataset == "flickr8k":
        from kerasgan.data.layouts.flickr8k import read
    elif config.dataset == "table":
        from kerasgan.data.layouts.table import read
    elif config.dataset == "folder":
        from kerasgan.data.layouts.image_folder import read
    elif config.dataset == "coco":
        from kerasgan.data.layouts.coco import read
    elif config.dataset == "webdataset":
        from kerasgan.data.layouts.webdataset import read
    elif config.dataset == "coyo":
        from kerasgan.data.layouts.coyo import read
    else:
        raise UserError(f"The data set {config.dataset!r} has no annotations")
    annotations = read(config, source)
    if not annotations.images:
        annotations.report.check_bad_rows(config.max_bad)
        file = (annotations.files or [source])[0]
        raise UserError(f"{file} has no rows that can be used")
    return annotations
