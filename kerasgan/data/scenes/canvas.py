"""Draws shapes onto a Pillow image, in thousandths of the image's side."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from kerasgan.data.scenes.shapes import FIXED_TONES, Shape

Color = tuple[int, ...]
OUTLINE_WIDTH = 9  # thousandths of the image
OUTLINED_TONES = ("base", "dark", "light")
SHADOW = (20, 16, 50, 40)  # RGBA
HIGHLIGHT = (255, 252, 240)


class Shades:
    """The colors of one object by tone: shades of its color, and the fixed tones.

    Args:
        base: RGB color of the object.
    """

    def __init__(self, base: Color):
        self._shades = {
            "base": base,
            "dark": mix(base, (30, 20, 50), 26),
            "light": mix(base, HIGHLIGHT, 42),
        }
        self.outline = mix(base, (24, 16, 40), 66)

    def __getitem__(self, tone: str) -> Color:
        return self._shades.get(tone) or FIXED_TONES[tone]


@lru_cache(maxsize=256)
def _gradient_column(height: int, upper: Color, lower: Color) -> Image.Image:
    """Returns one column of pixels that changes from one color to the other."""
    row = np.arange(height)[:, np.newaxis, np.newaxis]
    column = (np.array(upper) * (height - row) + np.array(lower) * row) // height
    return Image.fromarray(column.astype(np.uint8))


@lru_cache(maxsize=4096)
def mix(first: Color, second: Color, percent: int) -> Color:
    """Mixes two colors.

    Args:
        first: an RGB color.
        second: an RGB color.
        percent: share of the second color, in per cent.

    Returns:
        An RGB color.
    """
    return tuple(
        (a * (100 - percent) + b * percent) // 100
        for a, b in zip(first, second, strict=True)
    )


class Canvas:
    """Converts thousandths of the image's side into pixels, and draws.

    Args:
        image: the square RGB image to draw on.
    """

    def __init__(self, image: Image.Image):
        self.image = image
        self.side = image.width
        self._opaque = ImageDraw.Draw(image)
        self._translucent = ImageDraw.Draw(image, "RGBA")

    def _pixels(self, thousandths: int) -> int:
        return self.side * thousandths // 1000

    def oval(self, x: int, y: int, rx: int, ry: int, color: Color) -> None:
        """Draws an ellipse around (x, y) with the radii `rx` and `ry`."""
        self._opaque.ellipse(self._bounds(x, y, rx, ry), fill=color)

    def translucent_oval(self, x: int, y: int, rx: int, ry: int, color: Color) -> None:
        """Draws an ellipse in a translucent RGBA color."""
        self._translucent.ellipse(self._bounds(x, y, rx, ry), fill=color)

    def _bounds(self, x: int, y: int, rx: int, ry: int) -> tuple[int, ...]:
        return tuple(self._pixels(v) for v in (x - rx, y - ry, x + rx, y + ry))

    def box(self, left: int, top: int, right: int, bottom: int, color: Color) -> None:
        """Draws a filled rectangle."""
        corners = [self._pixels(v) for v in (left, top, right, bottom)]
        self._opaque.rectangle(corners, fill=color)

    def poly(self, points: tuple[int, ...], color: Color) -> None:
        """Draws a filled polygon."""
        self._opaque.polygon([self._pixels(v) for v in points], fill=color)

    def line(self, points: tuple[int, ...], width: int, color: Color) -> None:
        """Draws a line through the points."""
        pixels = [self._pixels(v) for v in points]
        self._opaque.line(pixels, color, max(1, self._pixels(width)))

    def translucent_line(
        self, points: tuple[int, ...], width: int, color: Color
    ) -> None:
        """Draws a line in a translucent RGBA color."""
        pixels = [self._pixels(v) for v in points]
        self._translucent.line(pixels, color, max(1, self._pixels(width)))

    def gradient(self, top: int, bottom: int, upper: Color, lower: Color) -> None:
        """Fills the full width from `top` to `bottom` with a gradient."""
        self.gradient_box(0, top, 1000, bottom, upper, lower)

    def gradient_box(
        self, left: int, top: int, right: int, bottom: int, upper: Color, lower: Color
    ) -> None:
        """Fills a rectangle with a vertical gradient."""
        x, y = self._pixels(left), self._pixels(top)
        size = self._pixels(right) - x, self._pixels(bottom) - y
        column = _gradient_column(size[1], upper, lower)
        self.image.paste(column.resize(size, Image.Resampling.NEAREST), (x, y))

    def shadow(self, x: int, y: int, radius: int) -> None:
        """Draws the flat shadow of a figure that stands at (x, y)."""
        self.translucent_oval(x, y, radius, radius // 5 + 4, SHADOW)
        self.translucent_oval(x, y, radius * 3 // 4, radius // 7 + 3, SHADOW)

    def paste(self, image: Image.Image, left: int, top: int, side: int) -> None:
        """Pastes an image into a square, without interpolation."""
        pixels = self._pixels(side)
        resized = image.resize((pixels, pixels), Image.Resampling.NEAREST)
        self.image.paste(resized, (self._pixels(left), self._pixels(top)))

    def figure(
        self,
        shapes: tuple[Shape, ...],
        square: tuple[int, int, int],
        shades: Shades,
        mirrored: bool,
    ) -> None:
        """Draws a figure with outlines.

        Args:
            shapes: the shapes of the figure, in the order in which they are drawn.
            square: left, top and side of the square that the figure fills.
            shades: colors of the object.
            mirrored: whether left and right are exchanged.
        """
        placed = [(shape, self._placed(shape, square, mirrored)) for shape in shapes]
        margin = max(1, self._pixels(OUTLINE_WIDTH))
        for shape, xy in placed:
            if shape.tone in OUTLINED_TONES:
                self._draw(shape, xy, square[2], shades.outline, margin)
        for shape, xy in placed:
            self._draw(shape, xy, square[2], shades[shape.tone], 0)
            if shape.form == "oval" and shape.tone == "base":
                self._highlight(xy, shades)

    def _placed(self, shape: Shape, square: tuple[int, int, int], mirrored: bool):
        """Returns the shape's points in pixels, as a list of (x, y)."""
        left, top, side = square
        xs, ys = shape.xy[::2], shape.xy[1::2]
        if mirrored:
            xs = tuple(100 - x for x in xs)
        xs = [self.side * (left * 100 + x * side) // 100_000 for x in xs]
        ys = [self.side * (top * 100 + y * side) // 100_000 for y in ys]
        if mirrored and shape.form in ("oval", "box"):
            xs.reverse()
        return list(zip(xs, ys, strict=True))

    def _draw(
        self, shape: Shape, xy: list, side: int, color: Color, margin: int
    ) -> None:
        """Draws one shape, enlarged by a margin in pixels on every side."""
        if shape.form == "poly":
            self._opaque.polygon(xy, fill=color)
            if margin:
                self._opaque.line([*xy, xy[0]], color, 2 * margin, joint="curve")
        elif shape.form == "line":
            width = max(1, self.side * side * shape.width // 100_000) + 2 * margin
            self._opaque.line(xy, color, width, joint="curve")
        else:
            (x0, y0), (x1, y1) = xy
            corners = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
            form = {"oval": self._opaque.ellipse, "box": self._opaque.rectangle}
            form[shape.form](corners, fill=color)

    def _highlight(self, xy: list, shades: Shades) -> None:
        """Draws two lighter ovals towards the light, at the upper left."""
        (x0, y0), (x1, y1) = xy
        for inset, percent in ((12, 12), (30, 24)):
            dx, dy = (x1 - x0) * inset // 100, (y1 - y0) * inset // 100
            corners = (x0 + dx // 2, y0 + dy // 2, x1 - dx * 3 // 2, y1 - dy * 3 // 2)
            color = mix(shades["base"], HIGHLIGHT, percent)
            self._opaque.ellipse(corners, fill=color)
