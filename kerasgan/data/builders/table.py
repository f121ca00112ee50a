"""The builder of images that a table names."""

from kerasgan.data.builders.base import PairBuilder


class Table(PairBuilder):
    """Images with captions and labels from a CSV, TSV, JSONL or Parquet file."""

    name = "table"
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Pass the path of the table as `source`."
