"""Sources of images: files that annotations name, and drawn scenes.

A source loads its images one by one, in any order and in any thread.
"""

import contextlib
import functools
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import AnnotatedImage, Annotations
from kerasgan.data.file_names import spellings
from kerasgan.data.images import (
    BadImage,
    check_file_status,
    encode_image,
    prepare_image,
)
from kerasgan.errors import UserError


@dataclass(frozen=True)
class LoadedImage:
    """One checked image.

    Attributes:
        id: id of the image.
        data: encoded bytes (JPEG or BMP) of a square RGB image.
        digest: SHA-256 of the original file, equal for identical files.
        captions: captions of the image.
        labels: names of its classes.
    """

    id: str
    data: bytes
    digest: str
    captions: list[str]
    labels: tuple[str, ...]


class ImageFile(NamedTuple):
    """A file that exists.

    Attributes:
        path: its path, without links where the name has some.
        status: of the file that links lead to.
    """

    path: str
    status: os.stat_result


@dataclass
class FileImages:
    """The images that annotations name, in the folder of images.

    Attributes:
        annotations: the annotations.
        config: settings of the data set.
        files: path and status of each file that can be read, by id.
        errors: reason why an image cannot be read, by id.
    """

    annotations: Annotations
    config: DataConfig
    files: dict[str, ImageFile] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.ids = list(self.annotations.images)
        for name in self.ids:
            try:
                root = self.annotations.image_root
                self.files[name] = find_image(root, name)
            except BadImage as error:
                self.errors[name] = str(error)

    @property
    def label_names(self) -> list[str] | None:
        """Class names in the order of their numbers, or None."""
        return self.annotations.label_names

    def state(self) -> list:
        """Returns a JSON value that changes if any of the images changes."""
        return [
            [name, self.errors.get(name), *_file_state(self.files.get(name))]
            for name in self.ids
        ]

    def load(self, name: str) -> LoadedImage:
        """Reads, checks and squares one image.

        Args:
            name: id of the image.

        Returns:
            A `LoadedImage`.

        Raises:
            BadImage: If the image cannot be used. The message is the reason.
        """
        if name in self.errors:
            raise BadImage(self.errors[name])
        annotation = self.annotations.images[name]
        return load_image(annotation, self._read(name), self.config)

    def _read(self, name: str) -> bytes:
        found = self.files[name]
        try:
            with open(found.path, "rb") as file:
                now = ImageFile(found.path, os.fstat(file.fileno()))
                if _file_state(now) != _file_state(found):
                    raise BadImage("changed while reading")
                return file.read()
        except OSError as error:
            raise BadImage("unreadable file") from error


def load_image(
    annotation: AnnotatedImage, data: bytes, config: DataConfig
) -> LoadedImage:
    """Checks and squares an image.

    Args:
        annotation: name, captions and labels of the image.
        data: content of its file.
        config: settings of the data set.

    Returns:
        A `LoadedImage`.

    Raises:
        BadImage: If the image cannot be used. The message is the reason.
    """
    prepared = prepare_image(data, config.image_size, config.fit)
    digest = hashlib.sha256(data).hexdigest()
    labels = tuple(annotation.labels)
    return LoadedImage(annotation.name, prepared, digest, annotation.captions, labels)


def _file_state(file: ImageFile | None) -> tuple:
    if file is None:
        return ()
    status = file.status
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def find_image(root: Path, name: str) -> ImageFile:
    """Finds an image file.

    Where no file has this name, its other `spellings` are tried.

    Args:
        root: the folder of images, resolved.
        name: path of the image, relative to `root`.

    Returns:
        An `ImageFile`.

    Raises:
        BadImage: If the file is missing, too large, a URL, outside `root` or not a
            regular file.
    """
    try:
        return _locate_image(root, name)
    except BadImage as error:
        for spelling in spellings(name)[1:]:
            with contextlib.suppress(BadImage):
                return _locate_image(root, spelling)
        raise error


def _locate_image(root: Path, name: str) -> ImageFile:
    if os.path.isabs(name):
        raise BadImage("absolute path")
    # Strings instead of paths for speed: this runs for every image, also if the data
    # set is prepared already.
    top, (folder, base) = str(root), os.path.split(name)
    try:
        path = os.path.join(_resolve_folder(os.path.join(top, folder)), base)
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) or base in ("", "..", "."):
            path = os.path.realpath(path)
            status = os.stat(path)
        inside = is_inside(path, top)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        if "://" in name:
            raise BadImage("URL instead of a file") from None
        inside = is_inside(os.path.normpath(os.path.join(top, name)), top)
        reason = "missing file" if inside else "outside the image folder"
        raise BadImage(reason) from None
    if not inside:
        raise BadImage("outside the image folder")
    check_file_status(status)
    return ImageFile(path, status)


def read_file(root: Path, name: str) -> bytes:
    """Reads a file inside a folder; links are followed.

    Args:
        root: the folder, resolved.
        name: path of the file, relative to `root`.

    Returns:
        The content of the file.

    Raises:
        BadImage: If it cannot be read or is outside `root`, see `find_image`.
    """
    path = find_image(root, name).path
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadImage("unreadable file") from error


def is_inside(path: str, root: str) -> bool:
    """Returns whether a resolved path is inside the folder `root`."""
    return path.startswith(os.path.join(root, ""))


@functools.lru_cache(maxsize=4096)
def _resolve_folder(folder: str) -> str:
    return os.path.realpath(folder)


class DrawnScenes:
    """The scenes that the package draws itself, by number.

    Args:
        config: settings of the data set.

    Raises:
        UserError: the images are too small to show anything.
    """

    annotations = None

    def __init__(self, config: DataConfig):
        from kerasgan.data.scenes import MIN_SIZE

        if config.image_size < MIN_SIZE:
            raise UserError(
                f"The drawn scenes need images of at least {MIN_SIZE} pixels."
                f" Received: data.image_size={config.image_size}"
            )
        self.config = config
        self.ids = [f"scene-{index:06d}" for index in range(config.num_images)]

    @property
    def label_names(self) -> list[str]:
        """Class names in the order of their numbers."""
        from kerasgan.data.scenes import LABELS

        return list(LABELS)

    def state(self) -> list:
        """Returns an empty list: scenes depend on the settings only."""
        return []

    def load(self, name: str) -> LoadedImage:
        """Draws one scene.

        Args:
            name: id of the scene.

        Returns:
            A `LoadedImage`.
        """
        from PIL import Image

        from kerasgan.data.scenes import draw_scene

        index = int(name.removeprefix("scene-"))
        scene = draw_scene(index, self.config.image_size, self.config.seed)
        data = encode_image(Image.fromarray(scene.image))
        digest = hashlib.sha256(data).hexdigest()
        return LoadedImage(name, data, digest, list(scene.captions), (scene.label,))
