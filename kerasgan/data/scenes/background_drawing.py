"""Draws skies, grounds, rooms and distant scenery."""

from kerasgan.data.scenes.backgrounds import BACKGROUNDS, COLORS
from kerasgan.data.scenes.canvas import Canvas, mix
from kerasgan.data.scenes.composition import Composition

SKIES = {  # RGB at the top, RGB at the horizon
    "sunny": ((94, 168, 236), (206, 232, 248)),
    "cloudy": ((132, 164, 196), (212, 222, 230)),
    "rainy": ((104, 118, 138), (168, 178, 188)),
    "sunset": ((124, 92, 160), (252, 172, 108)),
    "snowing": ((150, 168, 194), (222, 230, 240)),
    "moonlit": ((18, 24, 66), (72, 84, 136)),
    "starry": ((10, 14, 44), (54, 60, 110)),
}
HAZE = (206, 222, 238)  # mixed into the colors of distant scenery


def draw_background(canvas: Canvas, composition: Composition) -> None:
    """Draws the sky or the walls, the ground and the distant scenery."""
    background = BACKGROUNDS[composition.background]
    if composition.background == "room":
        _draw_room(canvas, composition)
    else:
        canvas.gradient(0, background.horizon + 40, *SKIES[composition.weather])
        SKY_DETAILS[composition.weather](canvas, composition.jitter)
        LANDSCAPES[composition.background](
            canvas, composition.jitter, background.horizon, background.ground
        )


def draw_weather(canvas: Canvas, composition: Composition) -> None:
    """Draws rain or snow in front of the scene."""
    if composition.weather == "rainy":
        for n in range(36):
            x = (n * 131 + composition.jitter[n % 40]) % 1000
            y = (n * 277 + composition.jitter[(n + 7) % 40]) % 1000
            canvas.translucent_line((x, y, x - 14, y + 52), 6, (222, 232, 246, 120))
    elif composition.weather == "snowing":
        for n in range(40):
            x = (n * 131 + composition.jitter[n % 40]) % 1000
            y = (n * 277 + composition.jitter[(n + 7) % 40]) % 1000
            canvas.oval(x, y, 8, 8, (255, 255, 255))


def _sun(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    x = 120 if jitter[0] < 500 else 880
    for radius, alpha in ((150, 40), (115, 60)):
        canvas.translucent_oval(x, 110, radius, radius, (255, 244, 190, alpha))
    canvas.oval(x, 110, 75, 75, (255, 226, 96))
    _cloud(canvas, 1000 - x, 90 + jitter[2] % 60, 60)


def _low_sun(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    x = 200 + jitter[0] * 6 // 10
    for radius, alpha in ((240, 36), (170, 60)):
        canvas.translucent_oval(x, 440, radius, radius, (255, 214, 150, alpha))
    canvas.oval(x, 440, 110, 110, (255, 150, 84))


def _cloud(canvas: Canvas, x: int, y: int, size: int, color=(248, 250, 252)) -> None:
    canvas.oval(
        x - size, y + size // 5, size, size // 2, mix(color, (120, 140, 170), 12)
    )
    canvas.oval(
        x + size, y + size // 5, size, size // 2, mix(color, (120, 140, 170), 12)
    )
    canvas.oval(x, y, size * 9 // 10, size * 7 // 10, color)


def _clouds(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    for n in range(4):
        x = 120 + n * 250 + jitter[n] % 90 - 45
        _cloud(canvas, x, 70 + jitter[n + 4] % 130, 80 + jitter[n + 8] % 40)


def _dark_clouds(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    for n in range(5):
        x = 60 + n * 220 + jitter[n] % 90 - 45
        _cloud(canvas, x, 30 + jitter[n + 4] % 60, 120, (126, 134, 148))


def _stars(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    for n in range(26):
        radius = 5 + jitter[n] % 5
        x, y = (n * 39 + jitter[n]) % 1000, jitter[(n + 9) % 40] * 48 // 100
        canvas.oval(x, y, radius, radius, (255, 248, 206))


def _moon(canvas: Canvas, jitter: tuple[int, ...]) -> None:
    x = 130 if jitter[0] < 500 else 870
    for radius, alpha in ((160, 24), (120, 36)):
        canvas.translucent_oval(x, 120, radius, radius, (240, 240, 210, alpha))
    canvas.oval(x, 120, 80, 80, (246, 242, 214))
    canvas.oval(x - 20, 100, 16, 16, (222, 218, 190))
    canvas.oval(x + 24, 138, 22, 22, (222, 218, 190))


SKY_DETAILS = {
    "sunny": _sun,
    "cloudy": _clouds,
    "rainy": _dark_clouds,
    "sunset": _low_sun,
    "snowing": _clouds,
    "moonlit": _moon,
    "starry": _stars,
}


def _hills(canvas: Canvas, jitter: tuple[int, ...], horizon: int, color) -> None:
    for n, percent in ((0, 45), (1, 30), (2, 18)):
        x = (jitter[10 + n] + n * 333) % 1000
        height = 90 + jitter[13 + n] % 80
        canvas.oval(x, horizon + 60, 380, height + 60, mix(color, HAZE, percent))


def _meadow(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    _hills(canvas, jitter, horizon, ground[1])
    canvas.gradient(horizon, 1000, *ground)
    for n in range(14):
        x, y = (n * 71 + jitter[n]) % 1000, horizon + 30 + jitter[n + 14] * 38 // 100
        canvas.line(
            (x - 10, y - 22, x, y, x + 10, y - 22), 7, mix(ground[1], (20, 60, 20), 20)
        )


def _beach(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    canvas.gradient(horizon - 40, 640, (40, 126, 180), (108, 196, 210))
    for n in range(8):
        x, y = (n * 137 + jitter[n]) % 1000, horizon - 20 + n * 16
        canvas.line((x - 50, y, x + 50, y), 5, (176, 222, 232))
    canvas.gradient(640, 1000, *ground)
    for n in range(5):
        canvas.oval(n * 250, 640, 150, 18 + jitter[n + 8] % 14, (240, 248, 246))
    for n in range(5):
        canvas.oval(n * 250, 662, 170, 20 + jitter[n + 8] % 14, ground[0])


def _snow(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    _hills(canvas, jitter, horizon, (168, 190, 220))
    for n in range(7):
        x = (n * 150 + jitter[n] % 120) % 1000
        height = 60 + jitter[n + 7] % 50
        canvas.poly(
            (
                x - height // 2,
                horizon + 10,
                x,
                horizon - height,
                x + height // 2,
                horizon + 10,
            ),
            (120, 154, 158),
        )
    canvas.gradient(horizon, 1000, *ground)
    canvas.oval(jitter[20], 1000, 520, 260, mix(ground[0], ground[1], 50))


def _night(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    _hills(canvas, jitter, horizon, (36, 44, 84))
    canvas.gradient(horizon, 1000, *ground)
    for n in range(10):
        x, y = (n * 107 + jitter[n]) % 1000, horizon + 30 + jitter[n + 14] * 38 // 100
        canvas.line((x - 10, y - 20, x, y, x + 10, y - 20), 7, mix(ground[0], HAZE, 14))


def _city(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    for n in range(8):
        x, height = n * 130 - 20, 130 + jitter[n] % 190
        wall = mix((112, 124, 152), HAZE, 20 + jitter[n + 8] % 40)
        canvas.box(x, horizon - height, x + 118, horizon, wall)
        for floor in range(horizon - height + 24, horizon - 30, 52):
            for window in (20, 52, 84):
                lit = jitter[(floor + window + n) % 40] < 500
                glow = (252, 232, 168) if lit else mix(wall, (60, 70, 100), 30)
                canvas.box(x + window, floor, x + window + 16, floor + 24, glow)
    canvas.gradient(horizon, 1000, *ground)
    canvas.box(0, horizon, 1000, horizon + 40, (204, 202, 202))
    for n in range(5):
        canvas.box(
            n * 230 + jitter[9] % 100 - 60,
            840,
            n * 230 + jitter[9] % 100 + 50,
            856,
            (232, 228, 214),
        )


def _desert(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    _hills(canvas, jitter, horizon, ground[1])
    canvas.gradient(horizon, 1000, *ground)
    for n in range(3):
        x = (jitter[n] + n * 340) % 1000
        canvas.oval(x, 1020 - n * 110, 420, 120, mix(ground[0], ground[1], 30 + n * 25))


def _forest(canvas: Canvas, jitter: tuple[int, ...], horizon: int, ground) -> None:
    leaves = ((206, 110, 50), (226, 158, 60), (176, 78, 48), (150, 140, 70))
    for n in range(11):
        x = n * 100 + jitter[n] % 60 - 30
        height = 190 + jitter[n + 11] % 120
        canvas.box(x - 12, horizon - height // 2, x + 12, horizon + 10, (104, 76, 58))
        color = mix(leaves[jitter[n + 5] % 4], HAZE, 26)
        canvas.oval(x, horizon - height * 6 // 10, 72, height // 2, color)
    canvas.gradient(horizon, 1000, *ground)
    for n in range(18):
        x, y = (n * 57 + jitter[n]) % 1000, horizon + 30 + jitter[n + 14] * 40 // 100
        canvas.oval(x, y, 14, 8, leaves[n % 3])


LANDSCAPES = {
    "meadow": _meadow,
    "beach": _beach,
    "snow": _snow,
    "night": _night,
    "city": _city,
    "desert": _desert,
    "forest": _forest,
}


def _draw_room(canvas: Canvas, composition: Composition) -> None:
    background, jitter = BACKGROUNDS["room"], composition.jitter
    wall = mix(COLORS[composition.weather], (255, 255, 255), 45)
    canvas.gradient(0, background.horizon, mix(wall, (255, 255, 255), 20), wall)
    for x in range(50, 1000, 125):
        canvas.box(x, 0, x + 22, background.horizon, mix(wall, (255, 255, 255), 30))
    x = 150 if jitter[0] < 500 else 650
    canvas.box(x - 14, 86, x + 214, 354, (250, 248, 244))
    canvas.gradient_box(x, 100, x + 200, 340, *SKIES["sunny"])
    canvas.box(x + 94, 100, x + 106, 340, (250, 248, 244))
    canvas.box(x, 214, x + 200, 226, (250, 248, 244))
    canvas.gradient(background.horizon, 1000, *background.ground)
    for y in range(background.horizon + 70, 1000, 80):
        canvas.box(0, y, 1000, y + 6, mix(background.ground[1], (60, 40, 30), 16))
    canvas.box(0, background.horizon - 26, 1000, background.horizon, (248, 244, 236))
    rug = COLORS["blue"]
    canvas.oval(500, 880, 430, 100, mix(rug, (255, 255, 255), 30))
    canvas.oval(500, 880, 370, 80, mix(rug, (255, 255, 255), 55))
