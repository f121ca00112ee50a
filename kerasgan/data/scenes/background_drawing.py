"""Skies, grounds and what stands far away."""

from kerasgan.data.scenes.backgrounds import BACKGROUNDS, COLOURS
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
FAR = (206, 222, 238)  # the haze that distance mixes into colours


def draw_background(pen: Canvas, plan: Composition) -> None:
    """Sky or wall, ground, and the far things of `plan`."""
    world = BACKGROUNDS[plan.backdrop]
    if plan.backdrop == "room":
        _draw_room(pen, plan)
    else:
        pen.gradient(0, world.horizon + 40, *SKIES[plan.weather])
        WEATHERS[plan.weather](pen, plan.decor)
        LANDS[plan.backdrop](pen, plan.decor, world.horizon, world.ground)


def draw_foreground(pen: Canvas, plan: Composition) -> None:
    """Rain or snow between the scene and the eye."""
    if plan.weather == "rainy":
        for n in range(36):
            x = (n * 131 + plan.decor[n % 40]) % 1000
            y = (n * 277 + plan.decor[(n + 7) % 40]) % 1000
            pen.glass_line((x, y, x - 14, y + 52), 6, (222, 232, 246, 120))
    elif plan.weather == "snowing":
        for n in range(40):
            x = (n * 131 + plan.decor[n % 40]) % 1000
            y = (n * 277 + plan.decor[(n + 7) % 40]) % 1000
            pen.oval(x, y, 8, 8, (255, 255, 255))


def _sun(pen: Canvas, decor: tuple[int, ...]) -> None:
    x = 120 if decor[0] < 500 else 880
    for radius, alpha in ((150, 40), (115, 60)):
        pen.glass_oval(x, 110, radius, radius, (255, 244, 190, alpha))
    pen.oval(x, 110, 75, 75, (255, 226, 96))
    _cloud(pen, 1000 - x, 90 + decor[2] % 60, 60)


def _low_sun(pen: Canvas, decor: tuple[int, ...]) -> None:
    x = 200 + decor[0] * 6 // 10
    for radius, alpha in ((240, 36), (170, 60)):
        pen.glass_oval(x, 440, radius, radius, (255, 214, 150, alpha))
    pen.oval(x, 440, 110, 110, (255, 150, 84))


def _cloud(pen: Canvas, x: int, y: int, size: int, colour=(248, 250, 252)) -> None:
    pen.oval(x - size, y + size // 5, size, size // 2, mix(colour, (120, 140, 170), 12))
    pen.oval(x + size, y + size // 5, size, size // 2, mix(colour, (120, 140, 170), 12))
    pen.oval(x, y, size * 9 // 10, size * 7 // 10, colour)


def _clouds(pen: Canvas, decor: tuple[int, ...]) -> None:
    for n in range(4):
        x = 120 + n * 250 + decor[n] % 90 - 45
        _cloud(pen, x, 70 + decor[n + 4] % 130, 80 + decor[n + 8] % 40)


def _dark_clouds(pen: Canvas, decor: tuple[int, ...]) -> None:
    for n in range(5):
        x = 60 + n * 220 + decor[n] % 90 - 45
        _cloud(pen, x, 30 + decor[n + 4] % 60, 120, (126, 134, 148))


def _stars(pen: Canvas, decor: tuple[int, ...]) -> None:
    for n in range(26):
        radius = 5 + decor[n] % 5
        x, y = (n * 39 + decor[n]) % 1000, decor[(n + 9) % 40] * 48 // 100
        pen.oval(x, y, radius, radius, (255, 248, 206))


def _moon(pen: Canvas, decor: tuple[int, ...]) -> None:
    x = 130 if decor[0] < 500 else 870
    for radius, alpha in ((160, 24), (120, 36)):
        pen.glass_oval(x, 120, radius, radius, (240, 240, 210, alpha))
    pen.oval(x, 120, 80, 80, (246, 242, 214))
    pen.oval(x - 20, 100, 16, 16, (222, 218, 190))
    pen.oval(x + 24, 138, 22, 22, (222, 218, 190))


WEATHERS = {
    "sunny": _sun,
    "cloudy": _clouds,
    "rainy": _dark_clouds,
    "sunset": _low_sun,
    "snowing": _clouds,
    "moonlit": _moon,
    "starry": _stars,
}


def _hills(pen: Canvas, decor: tuple[int, ...], horizon: int, near) -> None:
    for n, percent in ((0, 45), (1, 30), (2, 18)):
        x = (decor[10 + n] + n * 333) % 1000
        height = 90 + decor[13 + n] % 80
        pen.oval(x, horizon + 60, 380, height + 60, mix(near, FAR, percent))


def _meadow(pen, decor, horizon, ground) -> None:
    _hills(pen, decor, horizon, ground[1])
    pen.gradient(horizon, 1000, *ground)
    for n in range(14):
        x, y = (n * 71 + decor[n]) % 1000, horizon + 30 + decor[n + 14] * 38 // 100
        pen.line(
            (x - 10, y - 22, x, y, x + 10, y - 22), 7, mix(ground[1], (20, 60, 20), 20)
        )


def _beach(pen, decor, horizon, ground) -> None:
    pen.gradient(horizon - 40, 640, (40, 126, 180), (108, 196, 210))
    for n in range(8):
        x, y = (n * 137 + decor[n]) % 1000, horizon - 20 + n * 16
        pen.line((x - 50, y, x + 50, y), 5, (176, 222, 232))
    pen.gradient(640, 1000, *ground)
    for n in range(5):
        pen.oval(n * 250, 640, 150, 18 + decor[n + 8] % 14, (240, 248, 246))
    for n in range(5):
        pen.oval(n * 250, 662, 170, 20 + decor[n + 8] % 14, ground[0])


def _snow(pen, decor, horizon, ground) -> None:
    _hills(pen, decor, horizon, (168, 190, 220))
    for n in range(7):
        x = (n * 150 + decor[n] % 120) % 1000
        tall = 60 + decor[n + 7] % 50
        pen.poly(
            (
                x - tall // 2,
                horizon + 10,
                x,
                horizon - tall,
                x + tall // 2,
                horizon + 10,
            ),
            (120, 154, 158),
        )
    pen.gradient(horizon, 1000, *ground)
    pen.oval(decor[20], 1000, 520, 260, mix(ground[0], ground[1], 50))


def _night(pen, decor, horizon, ground) -> None:
    _hills(pen, decor, horizon, (36, 44, 84))
    pen.gradient(horizon, 1000, *ground)
    for n in range(10):
        x, y = (n * 107 + decor[n]) % 1000, horizon + 30 + decor[n + 14] * 38 // 100
        pen.line((x - 10, y - 20, x, y, x + 10, y - 20), 7, mix(ground[0], FAR, 14))


def _city(pen, decor, horizon, ground) -> None:
    for n in range(8):
        x, tall = n * 130 - 20, 130 + decor[n] % 190
        wall = mix((112, 124, 152), FAR, 20 + decor[n + 8] % 40)
        pen.box(x, horizon - tall, x + 118, horizon, wall)
        for floor in range(horizon - tall + 24, horizon - 30, 52):
            for window in (20, 52, 84):
                lit = decor[(floor + window + n) % 40] < 500
                glow = (252, 232, 168) if lit else mix(wall, (60, 70, 100), 30)
                pen.box(x + window, floor, x + window + 16, floor + 24, glow)
    pen.gradient(horizon, 1000, *ground)
    pen.box(0, horizon, 1000, horizon + 40, (204, 202, 202))
    for n in range(5):
        pen.box(
            n * 230 + decor[9] % 100 - 60,
            840,
            n * 230 + decor[9] % 100 + 50,
            856,
            (232, 228, 214),
        )


def _desert(pen, decor, horizon, ground) -> None:
    _hills(pen, decor, horizon, ground[1])
    pen.gradient(horizon, 1000, *ground)
    for n in range(3):
        x = (decor[n] + n * 340) % 1000
        pen.oval(x, 1020 - n * 110, 420, 120, mix(ground[0], ground[1], 30 + n * 25))


def _forest(pen, decor, horizon, ground) -> None:
    leaves = ((206, 110, 50), (226, 158, 60), (176, 78, 48), (150, 140, 70))
    for n in range(11):
        x = n * 100 + decor[n] % 60 - 30
        tall = 190 + decor[n + 11] % 120
        pen.box(x - 12, horizon - tall // 2, x + 12, horizon + 10, (104, 76, 58))
        colour = mix(leaves[decor[n + 5] % 4], FAR, 26)
        pen.oval(x, horizon - tall * 6 // 10, 72, tall // 2, colour)
    pen.gradient(horizon, 1000, *ground)
    for n in range(18):
        x, y = (n * 57 + decor[n]) % 1000, horizon + 30 + decor[n + 14] * 40 // 100
        pen.oval(x, y, 14, 8, leaves[n % 3])


LANDS = {
    "meadow": _meadow,
    "beach": _beach,
    "snow": _snow,
    "night": _night,
    "city": _city,
    "desert": _desert,
    "forest": _forest,
}


def _draw_room(pen: Canvas, plan: Composition) -> None:
    world, decor = BACKGROUNDS["room"], plan.decor
    wall = mix(COLOURS[plan.weather], (255, 255, 255), 45)
    pen.gradient(0, world.horizon, mix(wall, (255, 255, 255), 20), wall)
    for x in range(50, 1000, 125):
        pen.box(x, 0, x + 22, world.horizon, mix(wall, (255, 255, 255), 30))
    x = 150 if decor[0] < 500 else 650
    pen.box(x - 14, 86, x + 214, 354, (250, 248, 244))
    pen.gradient_box(x, 100, x + 200, 340, *SKIES["sunny"])
    pen.box(x + 94, 100, x + 106, 340, (250, 248, 244))
    pen.box(x, 214, x + 200, 226, (250, 248, 244))
    pen.gradient(world.horizon, 1000, *world.ground)
    for y in range(world.horizon + 70, 1000, 80):
        pen.box(0, y, 1000, y + 6, mix(world.ground[1], (60, 40, 30), 16))
    pen.box(0, world.horizon - 26, 1000, world.horizon, (248, 244, 236))
    rug = COLOURS["blue"]
    pen.oval(500, 880, 430, 100, mix(rug, (255, 255, 255), 30))
    pen.oval(500, 880, 370, 80, mix(rug, (255, 255, 255), 55))
