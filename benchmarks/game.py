"""The reference scores of Catch, how far greedy play is from planned play, and how fast the game runs without a window.

The first two columns are what `dlsteps.game.policies.REFERENCE` freezes (mean reward per landing, seeds 1000 ... 1099).
"""

import argparse
import statistics
import time

from dlsteps.game import LEVELS, Catch, Planner, RandomPlayer, ScriptedPlayer
from dlsteps.game.policies import REFERENCE, TICKS, play

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--games", type=int, default=100, help="games for each figure (100)")
arguments = parser.parse_args()
seeds = range(1000, 1000 + arguments.games)


class Blind:
    """A game that draws nothing: these players do not look, and a frame costs 20 times a step."""

    def __init__(self, game):
        self.game = game

    def __getattr__(self, name):
        return getattr(self.game, name)

    def frame(self):
        return None


def reward_per_landing(policy, level, seed):
    game = Blind(Catch(seed, level))
    return play(policy, game) / game.landed


print(f"mean reward per landing ± standard deviation over {len(seeds)} games of {TICKS} ticks")
print(f"{'level':>5}  {'random':>15}  {'scripted':>15}  {'planner':>15}  planner's score (random 0, scripted 1)")
for level in LEVELS:
    columns, means = [], []
    for policy in (RandomPlayer(), ScriptedPlayer(), Planner()):
        rewards = [reward_per_landing(policy, level, seed) for seed in seeds]
        means.append(statistics.fmean(rewards))
        columns.append(f"{means[-1]:7.4f} ± {statistics.stdev(rewards):.3f}")
    low, high, planned = means
    print(f"{level:>5}  {columns[0]:>15}  {columns[1]:>15}  {columns[2]:>15}  {(planned - low) / (high - low):.2f}")
    print(f"       frozen  {REFERENCE[level][0]:7.4f}          {REFERENCE[level][1]:7.4f}")


def rate(action, repeats=5, calls=2000):
    """Median calls a second."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            action()
        seconds.append((time.perf_counter() - start) / calls)
    return 1 / statistics.median(seconds)


game = Catch(0, level=3)
print(f"\nlevel 3, one core, median of 5: {rate(lambda: game.step(1)):,.0f} steps/s, {rate(game.frame):,.0f} frames/s")
