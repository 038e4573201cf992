"""What an exercise is made of: `chNN.py` holds one lesson's, with nothing in them but the lesson's own."""

from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

Texts = dict[str, str]  # by language, "en" and "zh"


class Case(NamedTuple):
    """Arguments for an answer, and the idea that is missing if it fails just here, a key of the exercise's `ideas`."""

    args: tuple
    idea: str = ""


class Exercise(NamedTuple):
    """An exercise's hints and its check, which is one of two kinds.

    `cases(random)` gives the `Case`s, the smallest first, what is random drawn from a fixed seed; `expected(*args)` is
    what the answer has to return: torch's own, or a slow and obvious reference. Where an answer can be right in many
    ways, or is a class, a module or a tensor, `judge(probe)` decides, and raises `Wrong`. `ideas` are what an answer
    can be missing, by name; `hints` three of rising strength in each language.
    """

    hints: dict[str, list[str]]
    ideas: dict[str, Texts]
    cases: Callable[[Random], Iterable[Case]] | None = None
    expected: Callable | None = None
    judge: Callable | None = None
    takes: str = "function"  # or "class", "module", "tensor": what the learner hands over


class Quiz(NamedTuple):
    """A multiple choice: the question and its choices are in the lesson, here is why each is right or wrong."""

    right: str  # "a", "b", …
    why: dict[str, dict[str, str]]  # language: {choice: explanation}


class Wrong(Exception):
    """An answer is wrong. `idea` is a key of the exercise's ideas, or of `messages.COMMON`.

    `facts` are for the message: `case` (a tuple of arguments), `expected`, `got`, and what the idea's text names.
    """

    def __init__(self, idea="", **facts):
        super().__init__(idea)
        self.idea, self.facts = idea, facts
