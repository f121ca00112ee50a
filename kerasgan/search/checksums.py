"""The checksums of the files of an index."""

from pathlib import Path

from kerasgan.errors import UserError
from kerasgan.files import file_checksum, read_json, write_json
from kerasgan.search.index_files import damaged

CHECKSUMS = "checksums.json"


def write_checksums(folder: Path) -> None:
    """Writes the checksums of all files in a folder.

    Args:
        folder: whose files are complete.
    """
    checksums = {path.name: file_checksum(path) for path in sorted(folder.iterdir())}
    write_json(folder / CHECKSUMS, checksums, checksum=True)


def check_files(folder: Path) -> None:
    """Compares all files in a folder with their checksums.

    Args:
        folder: of the models or the data of an index; those of earlier versions have
            no checksums.

    Raises:
        UserError: a file is missing or damaged.
    """
    try:
        checksums = read_json(folder / CHECKSUMS, {})
    except FileNotFoundError:
        return
    except UserError as error:
        raise damaged(folder / CHECKSUMS, error) from error
    for name, checksum in checksums.items():
        path = folder / Path(name).name
        try:
            found = file_checksum(path)
        except OSError as error:
            raise damaged(path, error.strerror) from error
        if found != checksum:
            raise damaged(path, "it has another checksum")
