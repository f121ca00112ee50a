"""Small things that several tests need."""

from PIL import Image


def opened(path):
    """An image file, read and closed."""
    with Image.open(path) as image:
        image.load()
    return image
