"""Exercises that check themselves: `check("0.1", steps)`, `hint("0.1")`, `progress()`.

Each lesson's checks and hints are in a module of their own, `chNN.py`. Reading them spoils the exercise; do it after.
"""

from dlsteps.exercises.engine import check, hint, progress

__all__ = ["check", "hint", "progress"]
