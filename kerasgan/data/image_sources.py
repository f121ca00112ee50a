"""Where images come from: files that annotations name, or a drawing program.

Both are images that can be made one by one, in any order and in any thread.
"""

import functools
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from kerasgan.config.settings import DataConfig
from kerasgan.data import images
from kerasgan.data.annotations import AnnotatedImage, Annotations
from kerasgan.data.images import BadImage

MAX_FILE_BYTES = 1 << 28  # bytes


@dataclass(frozen=True)
class LoadedImage:
    """One checked image.

    Attributes:
        image: encoded bytes (JPEG or BMP), size × size RGB.
        digest: of the image's file, so that byte-equal images are known.
    """

    id: str
    image: bytes
    digest: str
    captions: list[str]
    label: str | None


@dataclass
class FileImages:
    """The images that annotations name, below the folder of images."""

    annotations: Annotations
    config: DataConfig
    found: dict[str, os.stat_result] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # id to reason

    def __post_init__(self):
        self.ids = list(self.annotations.images)
        for name in self.ids:
            try:
                self.found[name] = locate_images(self.annotations.image_root, name)
            except BadImage as reason:
                self.missing[name] = str(reason)

    @property
    def label_names(self) -> list[str] | None:
        return self.annotations.label_names

    def state(self) -> list:
        """What changes when any of the images does."""
        return [
            [name, self.missing.get(name), *_state(self.found.get(name))]
            for name in self.ids
        ]

    def make(self, name: str) -> LoadedImage:
        """Reads, checks and squares one image; BadImage with the reason."""
        if name in self.missing:
            raise BadImage(self.missing[name])
        image = self.annotations.images[name]
        return load_image(image, self._read(name), self.config)

    def _read(self, name: str) -> bytes:
        try:
            with open(os.path.join(self.annotations.image_root, name), "rb") as file:
                if _state(os.fstat(file.fileno())) != _state(self.found[name]):
                    raise BadImage("changed while it was read")
                return file.read()
        except OSError as error:
            raise BadImage("unreadable") from error


def load_image(
    annotation: AnnotatedImage, data: bytes, config: DataConfig
) -> LoadedImage:
    """Checks and squares an image from its file's bytes; BadImage if it is bad."""
    image = images.prepare_image(data, config.image_size, config.fit)
    digest = hashlib.sha256(data).hexdigest()
    return LoadedImage(
        annotation.name, image, digest, annotation.captions, annotation.label
    )


def _state(found: os.stat_result | None) -> tuple:
    if found is None:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def locate_images(root: Path, name: str) -> os.stat_result:
    """Status of the file `name` below `root`, which is resolved already.

    Raises:
        BadImage: not there, an address, not a file, too large, or outside `root`.
    """
    if os.path.isabs(name):
        raise BadImage("absolute name")
    # Strings, not paths: this runs for every image, also of a prepared data set.
    top, (folder, base) = str(root), os.path.split(name)
    try:
        path = os.path.join(_real(os.path.join(top, folder)), base)
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode) or base in ("", "..", "."):
            path = os.path.realpath(path)
            found = os.stat(path)
        inside = inside_root(path, top)
    except (OSError, ValueError):  # ValueError: a NUL in the name
        if "://" in name:
            raise BadImage("an address, not a file") from None
        inside = inside_root(os.path.normpath(os.path.join(top, name)), top)
        raise BadImage("missing" if inside else "outside the folder") from None
    if not inside:
        raise BadImage("outside the folder")
    if not stat.S_ISREG(found.st_mode):
        raise BadImage("not a file")
    if found.st_size > MAX_FILE_BYTES:
        raise BadImage("file too large")
    return found


def read_file(root: Path, name: str) -> bytes:
    """A file that lies below `root`, which is resolved already; links are followed.

    Raises:
        BadImage: it does not lie there, see `locate`, or cannot be read.
    """
    locate_images(root, name)
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise BadImage("unreadable") from error


def inside_root(path: str, top: str) -> bool:
    """Whether a real path lies inside the folder `top`."""
    return path.startswith(os.path.join(top, ""))


@functools.lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


class DrawnScenes:
    """The images that the package draws, by number."""

    annotations = None

    def __init__(self, config: DataConfig):
        self.config = config
        self.ids = [f"scene-{index:06d}" for index in range(config.num_images)]

    @property
    def label_names(self) -> list[str]:
        from kerasgan.data.scenes import LABELS

        return list(LABELS)

    def state(self) -> list:
        return []  # the settings say it all

    def make(self, name: str) -> LoadedImage:
        """Draws one scene."""
        from PIL import Image

        from kerasgan.data.scenes import draw_scene

        index = int(name.removeprefix("scene-"))
        scene = draw_scene(index, self.config.image_size, self.config.seed)
        image = images.encode_image(Image.fromarray(scene.image))
        digest = hashlib.sha256(image).hexdigest()
        return LoadedImage(name, image, digest, list(scene.captions), scene.label)
