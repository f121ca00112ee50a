import base64
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest

from kerasgan.data.images import BadImage
from kerasgan.data.layouts import shard_members
from kerasgan.data.layouts.shard_members import read_cell

# Two rows of lists, with one bit of the metadata of their column inverted.
DAMAGED = base64.b64decode(
    "UEFSMRUAFTYVNiwVBhUAFQYVBhw2ACgBYxgBYRERAAAAAgAAAAMCAgAAAAYDAQAAAGEBAAAAYgEAAABj"
    "FQAVIBUgLBUEFQAVBhUGHDYAKAF5GAF4EREAAAACAAAABAEBAAAAeAEAAAB5FQQZXDUAGAZzY2hlbWEV"
    "BAA0AhgFaW1hZ2UVAhUGTDwAAAA1BBgEbGlzdBUCABUMJQIYB2VsZW1lbnQAFQwlAhgEdGV4dCUATBwA"
    "AAAWBBkcGSwmABwVDBklBgAZOAVpbWFnZQRsaXN0B2VsZW1lbnQVABYGFnAWcCYIPDYAKAFjGAFhEREA"
    "GRwVABUAFQIAPBYGGSYEAhlGAAAABgAAACYAHBUMGSUGABkYBHRleHQVABYEFloWWiZ4PDYAKAF5GAF4"
    "EREAGRwVABUAFQIAPBYEGQYZJgAEAAAAFsoBFgQmCBbKAQAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNp"
    "b24gMjYuMC4xGSwcAAAcAAAAEQEAAFBBUjE="
)
READ = """
import sys
from pathlib import Path
from kerasgan.data.images import BadImage
from kerasgan.data.layouts.shard_members import read_cell
try:
    read_cell(Path(sys.argv[1]), ("image.list.element",), 0, 0, "image", 0)
except BadImage as error:
    print(error)
"""


def test_damaged_metadata_of_a_column_does_not_end_the_process(tmp_path):
    """Arrow 26 aborts when it is asked for them."""
    path = tmp_path / "damaged.parquet"
    path.write_bytes(DAMAGED)
    command = [sys.executable, "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "unreadable file\n"


def test_a_row_group_of_many_bytes_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "large.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"image": [b"x" * 1000]}), path)
    assert read_cell(path, ("image",), 0, 0, "image") == b"x" * 1000
    shard_members._read_row_group.cache_clear()
    monkeypatch.setattr(shard_members, "MAX_ROW_GROUP_BYTES", 999)
    with pytest.raises(BadImage, match="row group too large"):
        read_cell(path, ("image",), 0, 0, "image")
