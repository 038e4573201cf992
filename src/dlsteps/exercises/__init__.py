"""Exercises that check themselves: `check("0.1", count_steps)`, `hint("0.1")`, `quiz("0.a")`, `progress()`.

Each lesson's checks and hints are in a module of their own, `chNN.py`. Reading them spoils the exercise; do it after.
"""

from dlsteps.exercises.engine import check, hint
from dlsteps.exercises.progress import progress
from dlsteps.exercises.quiz import quiz

__all__ = ["check", "hint", "progress", "quiz"]
