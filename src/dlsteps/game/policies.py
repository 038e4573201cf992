"""Players of Catch, and the score that compares them.

A policy is called with a frame, (256, 256, 3) uint8 RGB, and returns an action. One that remembers anything between
frames, or that peeks at the game's rules, has a method `reset(game)` that is called before each game.
"""

import random
import statistics
from typing import NamedTuple

import numpy as np

from dlsteps.game.catch import ACTIONS, FIRST, LAST, LEVELS, PADDLE_SPEED, STAY, Catch, choose

TICKS = 1800  # of a scored game: 30 seconds of play at 60 ticks a second


class RandomPlayer:
    """Any action, each as likely. `seed` and the game's seed decide which."""

    def __init__(self, seed=0):
        self.seed = seed

    def reset(self, game):
        self.random = random.Random(f"{self.seed} {game.seed}")

    def __call__(self, frame):
        return self.random.choice(ACTIONS)


class ScriptedPlayer:
    """Greedy: runs below whatever lands next (`Catch.expert`). It reads the rules, not the frame."""

    def reset(self, game):
        self.game = game

    def __call__(self, frame):
        return self.game.expert()


class Planner:
    """The best path of the paddle for all that is in the air, by dynamic programming. It reads the rules, too.

    Nobody can know what falls next, so this is not perfect play; it shows how far greedy play is from it.
    """

    def reset(self, game):
        self.game = game

    def __call__(self, frame):
        places = np.arange(FIRST, LAST + 1, PADDLE_SPEED)
        landings = {}
        for faller in self.game.fallers:
            ticks, x = faller.landing()
            worth = np.array([_worth(faller, x, place) for place in places])
            landings[ticks] = landings.get(ticks, 0) + worth
        value = -1e-3 * np.abs(places - places.mean()) / places.mean()  # nothing left to catch: wait in the middle
        for tick in range(max(landings), 0, -1):
            value = value + landings.get(tick, 0)
            left, right = np.roll(value, 1), np.roll(value, -1)
            left[0], right[-1] = value[0], value[-1]  # the walls
            options = np.stack([left, value, right])
            value = options.max(axis=0)
        here = (self.game.paddle - FIRST) // PADDLE_SPEED
        choices = options[:, here]
        return STAY if choices[STAY] == choices.max() else int(choices.argmax())


def _worth(faller, x, paddle):
    """What a faller is worth if it lands at `x`."""
    return type(faller)(faller.kind, x, 0, 0, 0, 0).reward(paddle)


class Score(NamedTuple):
    """Mean and standard deviation over seeds (one game each). 0: like random actions; 1: like the scripted player."""

    mean: float
    spread: float

    def __str__(self):
        return f"{self.mean:.2f} ± {self.spread:.2f}"

    @classmethod
    def over(cls, scores):
        """The score over one value a game; a single game has spread 0."""
        return cls(statistics.fmean(scores), statistics.stdev(scores) if len(scores) > 1 else 0.0)


# Mean reward per landing over seeds 1000 ... 1099 of (RandomPlayer, ScriptedPlayer), 1,800 ticks each. Frozen with the
# rules: `benchmarks/game.py` prints them anew, and a test holds them to the game as it is.
REFERENCE = {1: (-0.4240, 1.0000), 2: (-0.4431, 0.8082), 3: (-0.3569, 0.2605)}


def normalise(reward, landed, level):
    """Reward per landing on the scale where random play is 0 and the scripted player is 1."""
    choose("level", level, LEVELS)
    low, high = REFERENCE[level]
    return (reward / max(landed, 1) - low) / (high - low)


def play(policy, game, ticks=TICKS):
    """Let `policy` play `game`; returns the sum of its rewards."""
    if hasattr(policy, "reset"):
        policy.reset(game)
    return sum(game.step(int(policy(game.frame()))) for _ in range(ticks))


def score(policy, level=1, seeds=range(5), theme="night", ticks=TICKS):
    """How well `policy` plays: a `Score(mean, spread)` over one game for each seed.

    Args:
        policy: called with a frame, (256, 256, 3) uint8 RGB, returns 0, 1 or 2 (left, stay, right).
        level: 1, 2 or 3.
        seeds: which games, e.g. `range(5)`.
        theme: "night", "day" or "paper".
        ticks: length of each game; scores of different lengths compare, since they count rewards per landing.
    """
    if isinstance(seeds, int):
        raise TypeError(f"seeds is {seeds}: name the seeds, for example range({seeds})")
    scores = []
    for seed in seeds:
        game = Catch(seed, level, theme)
        scores.append(normalise(play(policy, game, ticks), game.landed, level))
    if not scores:
        raise ValueError("seeds is empty: name at least one, for example range(5)")
    return Score.over(scores)
