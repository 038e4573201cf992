"""How Catch looks. Only NumPy, and only arithmetic and square roots: the same bytes on every machine.

Sprites are painted once, in floats, from signed distances (edges come out smooth); a frame is a copy of the
background with a few sprites laid over it in integers, about 0.1 ms.
"""

import random
from functools import lru_cache
from typing import NamedTuple

import numpy as np

SIZE = 256
GROUND = 244  # top of the ground, y in pixels

BALLS = {  # the Okabe-Ito colours, which colour-blind eyes tell apart; darker ones on light backgrounds
    "night": [(255, 176, 46), (96, 190, 240), (40, 196, 148), (244, 122, 66), (228, 150, 198), (246, 232, 96)],
    "day": [(224, 128, 0), (0, 98, 178), (0, 140, 100), (208, 72, 10), (186, 84, 146), (236, 196, 20)],
    "paper": [(214, 92, 40), (44, 96, 168), (52, 132, 92), (180, 60, 52), (148, 84, 140), (196, 148, 32)],
}
NUM_COLOURS = 6


class Theme(NamedTuple):
    sky: tuple  # (top, horizon)
    far: tuple  # hills, far and near
    near: tuple
    ground: tuple
    paddle: tuple
    stone: tuple
    text: tuple
    bad: tuple  # the colour of the count of mistakes
    ink: tuple | None  # outline of everything, in the drawn theme


THEMES = {
    "night": Theme(((9, 12, 38), (66, 50, 104)), (36, 34, 74), (22, 24, 54), (15, 18, 40), (250, 206, 92),
                   (132, 134, 150), (222, 226, 244), (255, 120, 110), None),
    "day": Theme(((104, 176, 232), (226, 242, 250)), (150, 200, 160), (104, 172, 116), (78, 140, 84), (176, 64, 44),
                 (104, 100, 98), (24, 52, 88), (176, 32, 32), None),
    "paper": Theme(((250, 246, 234), (250, 246, 234)), (238, 232, 214), (228, 220, 200), (206, 196, 174),
                   (96, 120, 160), (150, 146, 138), (60, 56, 52), (186, 52, 44), (58, 54, 50)),
}  # fmt: skip

# Digits of 3 x 5 pixels: a row is an octal number, its bits the pixels.
DIGITS = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71222", "75757", "75717"]


def draw(game):
    """The picture of a `Catch` game: (256, 256, 3) uint8 RGB."""
    frame = background(game.theme).copy()
    for faller in game.fallers:
        variant = faller.colour if faller.kind == "ball" else 0
        stamp(frame, sprite(game.theme, faller.kind, variant), round(faller.x), round(faller.y))
    stamp(frame, sprite(game.theme, "paddle", 0), game.paddle, 235)
    theme = THEMES[game.theme]
    write(frame, game.caught, theme.text, left=8)
    mistakes = str(game.missed + game.hit)
    write(frame, mistakes, theme.bad, left=SIZE - 8 - 8 * len(mistakes) + 2)
    return frame


def stamp(frame, layer, x, y):
    """Lay an (h, w, 4) uint16 sprite with its centre at (x, y) over the frame, cut off at the frame's edges."""
    h, w = layer.shape[:2]
    top, left = y - h // 2, x - w // 2
    rows, cols = slice(max(top, 0), max(top + h, 0)), slice(max(left, 0), max(left + w, 0))
    under = frame[rows, cols]  # a view
    over = layer[rows.start - top :, cols.start - left :][: under.shape[0], : under.shape[1]]
    under[...] = over[..., :3] + (under * (255 - over[..., 3:]) + 127) // 255


def write(frame, number, colour, left, top=8):
    """Write a number in digits of 6 x 10 pixels."""
    for i, digit in enumerate(str(number)):
        x = left + 8 * i
        bits = np.array([[int(row) >> bit & 1 for bit in (2, 1, 0)] for row in DIGITS[int(digit)]], bool)
        frame[top : top + 10, x : x + 6][bits.repeat(2, 0).repeat(2, 1)] = colour


# Painting. A layer is (h, w, 4) float: red, green and blue multiplied by alpha, then alpha, all in 0 ... 255.


def paint(layer, distance, colour, opacity=1.0):
    """Paint where the signed distance to a shape's edge (pixels, negative inside) says so, with a smooth edge."""
    cover = np.clip(0.5 - distance, 0, 1)[..., None] * opacity
    layer += cover * (np.array([*colour, 255.0]) - layer)


def circle(x, y, cx, cy, radius):
    return np.sqrt((x - cx) ** 2 + (y - cy) ** 2) - radius


def rounded_box(x, y, cx, cy, half_width, half_height, corner):
    dx = np.abs(x - cx) - half_width + corner
    dy = np.abs(y - cy) - half_height + corner
    outside = np.sqrt(np.maximum(dx, 0) ** 2 + np.maximum(dy, 0) ** 2)
    return outside + np.minimum(np.maximum(dx, dy), 0) - corner


def polygon(x, y, corners):
    """A convex polygon, corners in clockwise order on the screen."""
    distance = np.full(np.broadcast(x, y).shape, -np.inf)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        distance = np.maximum(distance, ((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length)
    return distance


def mix(a, b, share):
    return tuple(u + (v - u) * share for u, v in zip(a, b, strict=True))


def grid(width, height):
    y, x = np.mgrid[:height, :width].astype(float)
    return x, y


@lru_cache
def sprite(theme, kind, variant):
    """(h, w, 4) uint16: the picture of a ball, a stone or the paddle."""
    x, y = grid(63, 21) if kind == "paddle" else grid(29, 29)
    layer = np.zeros((*x.shape, 4))
    PAINTERS[kind](layer, x - x.shape[1] // 2, y - x.shape[0] // 2, THEMES[theme], BALLS[theme][variant])
    return np.rint(layer).astype(np.uint16)


def _ball(layer, x, y, theme, colour):
    edge = circle(x, y, 0, 0, 9)
    if theme.ink:
        paint(layer, edge, mix(colour, (255, 255, 255), 0.55))
        stripes = np.abs((x + y + 60) % 4 - 2) - 0.9  # pencil strokes
        paint(layer, np.maximum(edge + 1, stripes), colour)
        paint(layer, np.abs(edge + 0.6) - 0.8, theme.ink)
        return
    paint(layer, edge / 5 - 0.5, colour, opacity=0.25)  # a soft glow
    paint(layer, edge, mix(colour, (0, 0, 0), 0.35))
    for step in range(8):  # lit from the upper left
        paint(
            layer, circle(x, y, -0.3 * step, -0.3 * step, 8.4 - 0.9 * step), mix(colour, (255, 255, 255), 0.05 * step)
        )
    paint(layer, circle(x, y, -3.4, -3.6, 1.8), (255, 255, 255), opacity=0.9)


def _stone(layer, x, y, theme, _):
    corners = [(-9, -1), (-6, -8), (2, -10), (9, -5), (10, 3), (4, 9), (-5, 8)]
    edge = polygon(x, y, corners)
    paint(layer, edge - 1.2, theme.ink or mix(theme.stone, (0, 0, 0), 0.7))
    paint(layer, edge, theme.stone)
    paint(layer, polygon(x, y, [(-9, -1), (-6, -8), (2, -10), (0, -2)]), mix(theme.stone, (255, 255, 255), 0.4))
    paint(layer, polygon(x, y, [(0, -2), (9, -5), (10, 3), (4, 9)]), mix(theme.stone, (0, 0, 0), 0.35))


def _paddle(layer, x, y, theme, _):
    edge = rounded_box(x, y, 0, 0, 26, 5.5, 5)
    if theme.ink:
        paint(layer, edge, mix(theme.paddle, (255, 255, 255), 0.45))
        paint(layer, np.maximum(edge + 1, np.abs((x - y + 90) % 5 - 2.5) - 1), theme.paddle)
        paint(layer, np.abs(edge + 0.6) - 0.8, theme.ink)
        return
    paint(layer, edge / 4 - 0.5, (0, 0, 0), opacity=0.3)  # a soft shadow
    paint(layer, edge, mix(theme.paddle, (0, 0, 0), 0.45))
    paint(layer, rounded_box(x, y, 0, -0.8, 25, 4, 4), theme.paddle)
    paint(layer, rounded_box(x, y, 0, -2.6, 22, 1, 1), mix(theme.paddle, (255, 255, 255), 0.6))
    for side in (-1, 1):
        paint(layer, rounded_box(x, y, 17 * side, -0.8, 1, 4, 1), mix(theme.paddle, (0, 0, 0), 0.3))


PAINTERS = {"ball": _ball, "stone": _stone, "paddle": _paddle}


@lru_cache
def background(name):
    """(256, 256, 3) uint8: everything that never moves."""
    theme = THEMES[name]
    x, y = grid(SIZE, SIZE)
    height = np.minimum(y / 220, 1)[..., None]
    layer = np.full((SIZE, SIZE, 4), 255.0)
    layer[..., :3] = np.array(theme.sky[0]) * (1 - height) + np.array(theme.sky[1]) * height
    BACKDROPS[name](layer, x, y)
    for colour, hills in ((theme.far, FAR_HILLS), (theme.near, NEAR_HILLS)):
        for cx, top, radius in hills:
            paint(layer, circle(x, y, cx, top + radius, radius), colour)
            if theme.ink:
                paint(layer, np.abs(circle(x, y, cx, top + radius, radius)) - 0.5, mix(colour, theme.ink, 0.3))
    paint(layer, GROUND - y, theme.ground)
    paint(layer, np.abs(y - GROUND) - 0.5, theme.ink or mix(theme.ground, (255, 255, 255), 0.25))
    return np.rint(layer[..., :3]).astype(np.uint8)


FAR_HILLS = [(30, 188, 120), (128, 200, 150), (230, 180, 110)]  # centre x, top y, radius
NEAR_HILLS = [(80, 214, 140), (190, 208, 120), (262, 216, 90), (-10, 218, 80)]


def _night(layer, x, y):
    chance = random.Random(7)
    for _ in range(80):
        star = circle(x, y, chance.uniform(0, SIZE), chance.uniform(0, 190), chance.uniform(0.2, 0.9))
        paint(layer, star, (224, 226, 255), opacity=chance.uniform(0.25, 0.9))
    moon = circle(x, y, 204, 58, 19)
    paint(layer, moon / 26 - 0.5, (150, 150, 210), opacity=0.22)
    paint(layer, np.maximum(moon, -circle(x, y, 195, 52, 17)), (206, 204, 224), opacity=0.8)  # a crescent


def _day(layer, x, y):
    sun = circle(x, y, 52, 56, 18)
    paint(layer, sun / 30 - 0.5, (255, 250, 214), opacity=0.6)
    paint(layer, sun, (255, 244, 190), opacity=0.9)
    for cx, cy, size in ((150, 60, 1.0), (214, 96, 0.7), (92, 118, 0.6)):
        puffs = [circle(x, y, cx + dx * size, cy + dy * size, r * size) for dx, dy, r in CLOUD]
        paint(layer, np.minimum.reduce(puffs), (255, 255, 255), opacity=0.7)


CLOUD = [(-22, 4, 9), (-10, -3, 13), (6, -6, 15), (20, 3, 10), (0, 5, 9)]


def _paper(layer, x, y):
    for lines in (x, y):
        paint(layer, np.abs(lines % 16 - 8) - 0.2, (168, 196, 220), opacity=0.5)
    paint(layer, np.abs(x - 28) - 0.4, (222, 120, 116), opacity=0.6)  # the margin


BACKDROPS = {"night": _night, "day": _day, "paper": _paper}
