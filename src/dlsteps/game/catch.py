"""The rules of Catch: balls fall, a paddle catches them. No window, no clock, no keyboard.

Everything is a function of (seed, level, actions), on every machine and in every version: the random numbers come
from `random.Random`, whose stream Python guarantees. What falls, where and when, depends on the seed alone.
"""

import random
from dataclasses import dataclass, replace
from typing import NamedTuple

from dlsteps.game import picture

LEFT, STAY, RIGHT = ACTIONS = 0, 1, 2

SIZE = 256  # width and height of the picture, in pixels
RADIUS = 9  # of balls and stones
PADDLE_WIDTH, PADDLE_TOP = 52, 230
PADDLE_SPEED = 6  # pixels a tick
FIRST, LAST = PADDLE_WIDTH // 2, SIZE - PADDLE_WIDTH // 2  # where the paddle's centre can be
REACH = PADDLE_WIDTH / 2 + RADIUS  # what lands nearer than this to the paddle's centre touches it


class Level(NamedTuple):
    balls: int  # in the air at any time
    stones: int
    fall: tuple[float, float]  # slowest and fastest fall, pixels a tick
    drift: float  # fastest sideways movement, pixels a tick; everything bounces off the walls


LEVELS = {
    1: Level(balls=1, stones=0, fall=(2.5, 4.5), drift=2.5),
    2: Level(balls=2, stones=0, fall=(2.5, 4.5), drift=3.5),
    3: Level(balls=2, stones=2, fall=(3.0, 5.0), drift=4.5),
}


@dataclass
class Faller:
    """A ball or a stone in the air: position and speed in pixels and pixels a tick."""

    kind: str  # "ball" or "stone"
    x: float
    y: float
    vx: float
    vy: float
    colour: int

    def move(self):
        self.x += self.vx
        self.y += self.vy
        if not RADIUS <= self.x <= SIZE - RADIUS:
            self.x = min(max(self.x, RADIUS), SIZE - RADIUS)
            self.vx = -self.vx

    @property
    def landed(self):
        return self.y >= PADDLE_TOP - RADIUS / 2

    def landing(self):
        """(ticks until it lands, x where it will land)."""
        ghost, ticks = replace(self), 0
        while not ghost.landed:
            ghost.move()
            ticks += 1
        return ticks, ghost.x

    def reward(self, paddle):
        """What it is worth, landing with the paddle's centre at `paddle`: a ball +1 or -1, a stone 0 or -1."""
        touched = abs(self.x - paddle) <= REACH
        if self.kind == "stone":
            return -1.0 if touched else 0.0
        return 1.0 if touched else -1.0


class Catch:
    """Catch balls with a paddle; at level 3, dodge the stones.

    Args:
        seed: what falls, where and when.
        level: 1 (one ball), 2 (two balls) or 3 (two balls and two stones, faster, bouncing more).
        theme: how it looks: "night", "day" or "paper".

    Attributes: `tick`, `caught` and `missed` balls, `hit` stones, `landed` (balls and stones so far), `paddle` (x of
    its centre, in pixels), `fallers` (what is in the air).
    """

    def __init__(self, seed=0, level=1, theme="night"):
        choose("level", level, LEVELS)
        choose("theme", theme, picture.THEMES)
        self.seed, self.level, self.theme = seed, level, theme
        self.random = random.Random(int(seed))
        self.tick = self.caught = self.missed = self.hit = self.landed = 0
        self.paddle = SIZE // 2
        rules = LEVELS[level]
        kinds = ["ball"] * rules.balls + ["stone"] * rules.stones
        self.fallers = [self._new(kind) for kind in kinds]

    def step(self, action):
        """Advance one tick. `action` is LEFT, STAY or RIGHT (0, 1, 2); returns the reward, a float."""
        choose("action", action, ACTIONS)
        self.paddle = min(max(self.paddle + (int(action) - 1) * PADDLE_SPEED, FIRST), LAST)
        self.tick += 1
        reward = 0.0
        for i, faller in enumerate(self.fallers):
            faller.move()
            if faller.landed:
                reward += self._land(faller)
                self.fallers[i] = self._new(faller.kind)
        return reward

    def frame(self):
        """The picture of this moment: (256, 256, 3) uint8 RGB, a new array each time."""
        return picture.draw(self)

    def expert(self):
        """The scripted player's action: run below the ball that lands next, step aside for a stone about to land.

        Greedy: it follows where a ball is, not where it will land, and never gives one up to reach two others.
        """
        stones = [f for f in self.fallers if f.kind == "stone" and 0 <= PADDLE_TOP - f.y < 40]
        for stone in stones:
            if abs(stone.x - self.paddle) <= REACH:
                return LEFT if stone.x > self.paddle else RIGHT
        ball = min((f for f in self.fallers if f.kind == "ball"), key=lambda f: (PADDLE_TOP - f.y) / f.vy)
        distance = ball.x - self.paddle
        if abs(distance) < PADDLE_SPEED:
            return STAY
        return RIGHT if distance > 0 else LEFT

    def _land(self, faller):
        reward = faller.reward(self.paddle)
        self.landed += 1
        if faller.kind == "ball":
            self.caught += reward > 0
            self.missed += reward < 0
        else:
            self.hit += reward < 0
        return reward

    def _new(self, kind):
        rules, between = LEVELS[self.level], self.random.uniform
        above = 0 if self.level == 1 else between(0, 120)  # several start at different heights, so that they land apart
        return Faller(
            kind,
            x=between(20, SIZE - 20),
            y=-RADIUS - above,
            vx=between(-rules.drift, rules.drift),
            vy=between(*rules.fall),
            colour=self.random.randrange(picture.NUM_COLOURS),
        )


def choose(what, value, choices):
    """Raise one clear line unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"unknown {what} {value!r}: choose from {', '.join(map(repr, choices))}")
