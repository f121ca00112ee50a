"""Draws shapes, given in thousandths of the image, onto a Pillow canvas."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from kerasgan.data.scenes.shapes import FIXED, Shape

Colour = tuple[int, ...]
OUTLINE = 9  # thousandths of the image
OUTLINED = ("base", "dark", "light")


class Shades:
    """The colours of one thing by tone: its own, shades of it, and the fixed ones."""

    def __init__(self, base: Colour):
        self._own = {
            "base": base,
            "dark": mix(base, (30, 20, 50), 26),
            "light": mix(base, (255, 252, 240), 42),
        }
        self.outline = mix(base, (24, 16, 40), 66)

    def __getitem__(self, tone: str) -> Colour:
        return self._own.get(tone) or FIXED[tone]


@lru_cache(maxsize=256)
def _ramp(height: int, upper: Colour, lower: Colour) -> Image.Image:
    """One column of pixels that goes from one colour to the other."""
    part = np.arange(height)[:, np.newaxis, np.newaxis]
    column = (np.array(upper) * (height - part) + np.array(lower) * part) // height
    return Image.fromarray(column.astype(np.uint8))


@lru_cache(maxsize=4096)
def mix(one: Colour, other: Colour, percent: int) -> Colour:
    """`one` with so many per cent of `other` in it."""
    return tuple(
        (a * (100 - percent) + b * percent) // 100
        for a, b in zip(one, other, strict=True)
    )


class Canvas:
    """Turns thousandths into pixels of `canvas` (RGB, square), and draws."""

    def __init__(self, canvas: Image.Image):
        self.canvas = canvas
        self.side = canvas.width
        self._solid = ImageDraw.Draw(canvas)
        self._glass = ImageDraw.Draw(canvas, "RGBA")

    def _px(self, thousandths: int) -> int:
        return self.side * thousandths // 1000

    def oval(self, x: int, y: int, rx: int, ry: int, colour: Colour) -> None:
        self._solid.ellipse(self._around(x, y, rx, ry), fill=colour)

    def glass_oval(self, x: int, y: int, rx: int, ry: int, colour: Colour) -> None:
        """An ellipse that shows what is under it; `colour` is RGBA."""
        self._glass.ellipse(self._around(x, y, rx, ry), fill=colour)

    def _around(self, x: int, y: int, rx: int, ry: int) -> tuple[int, ...]:
        return self._px(x - rx), self._px(y - ry), self._px(x + rx), self._px(y + ry)

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        corners = [self._px(v) for v in (left, top, right, bottom)]
        self._solid.rectangle(corners, fill=colour)

    def poly(self, points: tuple[int, ...], colour: Colour) -> None:
        self._solid.polygon([self._px(v) for v in points], fill=colour)

    def line(self, points: tuple[int, ...], width: int, colour: Colour) -> None:
        self._solid.line([self._px(v) for v in points], colour, max(1, self._px(width)))

    def glass_line(self, points: tuple[int, ...], width: int, colour: Colour) -> None:
        self._glass.line([self._px(v) for v in points], colour, max(1, self._px(width)))

    def gradient(self, top: int, bottom: int, upper: Colour, lower: Colour) -> None:
        """Fill the full width from `top` to `bottom`."""
        self.gradient_box(0, top, 1000, bottom, upper, lower)

    def gradient_box(
        self, left: int, top: int, right: int, bottom: int, upper: Colour, lower: Colour
    ) -> None:
        place = [self._px(v) for v in (left, top, right, bottom)]
        size = (place[2] - place[0], place[3] - place[1])
        ramp = _ramp(size[1], upper, lower)
        self.canvas.paste(ramp.resize(size, Image.Resampling.NEAREST), place)

    def shadow(self, x: int, y: int, radius: int) -> None:
        self.glass_oval(x, y, radius, radius // 5 + 4, (20, 16, 50, 40))
        self.glass_oval(x, y, radius * 3 // 4, radius // 7 + 3, (20, 16, 50, 40))

    def paste(self, image: Image.Image, left: int, top: int, side: int) -> None:
        pixels = self._px(side)
        self.canvas.paste(
            image.resize((pixels, pixels), Image.Resampling.NEAREST),
            (self._px(left), self._px(top)),
        )

    def figure(
        self,
        shapes: tuple[Shape, ...],
        place: tuple[int, int, int],
        tones: Shades,
        mirrored: bool,
    ) -> None:
        """Draw `shapes` into the square at `place` (left, top, side), outlined."""
        placed = [(shape, self._placed(shape, place, mirrored)) for shape in shapes]
        grow = max(1, self._px(OUTLINE))
        for shape, xy in placed:
            if shape.tone in OUTLINED:
                self._draw(shape, xy, place[2], tones.outline, grow)
        for shape, xy in placed:
            self._draw(shape, xy, place[2], tones[shape.tone], 0)
            if shape.form == "oval" and shape.tone == "base":
                self._shine(xy, tones)

    def _placed(self, shape: Shape, place: tuple[int, int, int], mirrored: bool):
        left, top, side = place
        xs, ys = shape.xy[::2], shape.xy[1::2]
        if mirrored:
            xs = tuple(100 - x for x in xs)
        xs = [self.side * (left * 100 + x * side) // 100_000 for x in xs]
        ys = [self.side * (top * 100 + y * side) // 100_000 for y in ys]
        if mirrored and shape.form in ("oval", "box"):
            xs.reverse()
        return list(zip(xs, ys, strict=True))

    def _draw(
        self, shape: Shape, xy: list, side: int, colour: Colour, grow: int
    ) -> None:
        if shape.form == "poly":
            self._solid.polygon(xy, fill=colour)
            if grow:
                self._solid.line([*xy, xy[0]], colour, 2 * grow, joint="curve")
        elif shape.form == "line":
            width = max(1, self.side * side * shape.width // 100_000) + 2 * grow
            self._solid.line(xy, colour, width, joint="curve")
        else:
            (x0, y0), (x1, y1) = xy
            corners = (x0 - grow, y0 - grow, x1 + grow, y1 + grow)
            form = {"oval": self._solid.ellipse, "box": self._solid.rectangle}
            form[shape.form](corners, fill=colour)

    def _shine(self, xy: list, tones: Shades) -> None:
        """Two lighter ovals towards the light, which comes from the upper left."""
        (x0, y0), (x1, y1) = xy
        for inset, percent in ((12, 12), (30, 24)):
            dx, dy = (x1 - x0) * inset // 100, (y1 - y0) * inset // 100
            corners = (x0 + dx // 2, y0 + dy // 2, x1 - dx * 3 // 2, y1 - dy * 3 // 2)
            colour = mix(tones["base"], (255, 252, 240), percent)
            self._solid.ellipse(corners, fill=colour)
