"""Catch: the game that the course's network learns to play."""

from dlsteps.game.catch import LEFT, LEVELS, RIGHT, STAY, Catch
from dlsteps.game.picture import THEMES
from dlsteps.game.policies import Planner, RandomPlayer, Score, ScriptedPlayer, normalise, score

__all__ = [
    "LEFT",
    "LEVELS",
    "RIGHT",
    "STAY",
    "THEMES",
    "Catch",
    "CatchEnv",
    "Planner",
    "RandomPlayer",
    "Score",
    "ScriptedPlayer",
    "normalise",
    "score",
]

try:
    import gymnasium
except ImportError:  # the game and its window do without
    pass
else:
    if "dlsteps/Catch-v0" not in gymnasium.registry:
        gymnasium.register("dlsteps/Catch-v0", entry_point="dlsteps.game.env:CatchEnv")


def __getattr__(name):
    if name == "CatchEnv":
        from dlsteps.game.env import CatchEnv

        return CatchEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
