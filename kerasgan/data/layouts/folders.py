"""Finds annotation files and folders of images below a directory."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from kerasgan.data.file_names import is_hidden, spellings
from kerasgan.data.image_sources import is_inside
from kerasgan.data.images import IMAGE_SUFFIXES
from kerasgan.errors import UserError

MAX_DEPTH = 3  # levels of folders below the source that are searched
NUM_PROBES = 50  # images that are looked up in each folder


def list_folders(source: Path) -> list[tuple[Path, list[str]]]:
    """Lists the folders at and below a directory, up to `MAX_DEPTH` levels.

    Args:
        source: a directory, or a file, which is then the only one that is listed.

    Returns:
        Folders with the names of their files, by depth and then by name, without
        hidden ones.
    """
    if not source.is_dir():
        return [(source.parent, [source.name])]
    entries = []
    for folder, folders, files in os.walk(source):
        depth = len(Path(folder).relative_to(source).parts)
        shown = [] if depth >= MAX_DEPTH else folders
        folders[:] = [name for name in shown if not is_hidden(name)]
        files = [name for name in files if not is_hidden(name)]
        entries.append((depth, Path(folder), files))
    entries.sort(key=lambda entry: entry[:2])
    return [(folder, files) for _, folder, files in entries]


def find_file(
    folders: list[tuple[Path, list[str]]], condition: Callable[[str], object]
) -> Path | None:
    """Finds the first file whose name fulfils a condition.

    Args:
        folders: the result of `list_folders`.
        condition: called with the name of a file.

    Returns:
        The path of the file, or None.
    """
    for folder, files in folders:
        for name in sorted(files):
            if condition(name):
                return folder / name
    return None


def find_images(
    root: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES
) -> Iterator[str]:
    """Finds the files of images in a folder and all folders below it, by their suffix.

    Hidden files and folders are left out, such as the `._a.jpg` that macOS writes
    beside `a.jpg`. Links to folders are not followed. A link to a folder inside `root`
    is ignored, because its images have another name already. A link that leads outside
    and a folder that cannot be listed are yielded, so that `find_image` rejects them.

    Args:
        root: the folder, resolved.
        suffixes: of the files, in lowercase.

    Yields:
        Paths relative to `root`, sorted.

    Raises:
        UserError: If the folder cannot be read.
    """
    pending = [""]
    while pending:
        name = pending.pop()
        path = os.path.join(root, name)
        if name and os.path.islink(path) and os.path.isdir(path):
            if not is_inside(os.path.realpath(path), str(root)):
                yield name
        elif os.path.isdir(path):
            try:
                children = sorted(os.listdir(path), reverse=True)
            except OSError as error:
                if not name:
                    raise UserError(f"Cannot read {root}: {error.strerror}") from error
                yield name
            else:
                pending += [
                    os.path.join(name, child)
                    for child in children
                    if not is_hidden(child)
                ]
        elif name.lower().endswith(suffixes):
            yield name


def find_image_root(names: Iterable[str], image_root: str | None, source: Path) -> Path:
    """Finds the folder of images.

    Args:
        names: file names of the images.
        image_root: the folder, or None to search below `source` for the folder with
            most of the first images; of equals the first one in the order of
            `list_folders`.
        source: a directory, or an annotation file in it.

    Returns:
        The folder, resolved.

    Raises:
        UserError: If there is no such folder.
    """
    if image_root is not None:
        return resolve_folder(image_root)
    directory = source if source.is_dir() else source.parent
    probes = [name for name in names if _stays_inside(name)][:NUM_PROBES]
    folders = list_folders(directory)
    candidates = [folder for folder, _ in folders]
    counts = [sum(_is_file(c, name) for name in probes) for c in candidates]
    if probes and max(counts) == 0:
        archive = find_file(folders, lambda name: name.endswith(".zip"))
        hint = f" If {archive} contains them, unpack it first." if archive else ""
        raise UserError(
            f"None of the images ({', '.join(probes[:3])} …) was found in {directory} "
            f"or up to {MAX_DEPTH} folders below it.{hint} Name their folder with "
            "--image-root DIR."
        )
    return candidates[counts.index(max(counts))].resolve()


def _stays_inside(name):
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _is_file(folder, name):
    return any(os.path.isfile(folder / spelling) for spelling in spellings(name))


def resolve_folder(folder: str) -> Path:
    """Resolves the value of --image-root.

    Args:
        folder: path of a folder.

    Returns:
        The absolute path without links.

    Raises:
        UserError: If it is not a directory.
    """
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise UserError(f"--image-root {path} is not a directory")
    return path
