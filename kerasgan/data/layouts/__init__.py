"""Reads the annotations of each data set, in whichever layout they lie there."""

from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations
from kerasgan.errors import UserError


def read_annotations(config: DataConfig, source: Path) -> Annotations:
    """The annotations that lie in `source`, a directory or a file.

    Raises:
        UserError: nothing there, or nothing that is known.
    """
    if not source.exists():
        raise UserError(f"--source {source} does not exist")
    if config.dataset == "flickr30k":
        from kerasgan.data.layouts.flickr30k import read
    elif config.dataset == "flickr8k":
        from kerasgan.data.layouts.flickr8k import read
    elif config.dataset == "table":
        from kerasgan.data.layouts.table import read
    elif config.dataset == "coyo":
        from kerasgan.data.layouts.coyo import read
    else:
        raise UserError(f"Data set {config.dataset!r} has no annotations")
    annotations = read(config, source)
    if not annotations.images:
        annotations.ledger.refuse_beyond(config.max_bad)
        raise UserError(
            f"{annotations.files[0]} has no rows below its header that can be used"
        )
    return annotations
