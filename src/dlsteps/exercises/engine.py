"""How an answer is checked, a hint given, and progress kept. The lessons' exercises are in ch00.py, ch01.py …"""

import contextlib
import copy
import difflib
import importlib
import json
import math
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

STORE = Path(__file__).resolve().parents[3] / ".progress.json"  # beside course.py, outside git
RIGHT, WRONG, OPEN = "✓", "✗", "○"
TEXTS = {
    "en": {
        "right": "right",
        "not attempted": "not attempted yet",
        "wrong": "for {case}: expected {expected}, got {got}",
        "raised": "for {case}: expected {expected}, but it raised {error}",
        "ask": '  Stuck? hint("{number}")',
        "hint": "{number}, hint {count} of {of}: {text}",
    },
    "zh": {
        "right": "正确",
        "not attempted": "尚未作答",
        "wrong": "输入 {case} 时，应得到 {expected}，实际得到 {got}",
        "raised": "输入 {case} 时，应得到 {expected}，实际却抛出 {error}",
        "ask": '  没有思路？试试 hint("{number}")',
        "hint": "{number}，提示 {count}/{of}：{text}",
    },
}


class Exercise(NamedTuple):
    """An exercise's hints, three of rising strength in each language, and its check, which is one of two kinds.

    `cases` are tuples of arguments, the smallest first; `expected(*case)` is what the answer has to return for them.
    Where an answer can be right in many ways, `judge(answer)` decides: it returns None, or what is wrong, by language.
    """

    hints: dict[str, list[str]]
    cases: tuple[tuple, ...] = ()
    expected: Callable | None = None
    judge: Callable | None = None


def check(number, answer, strict=False):
    """Check an answer to exercise `number`, such as "0.1", and print one line: ✓ right, ✗ wrong, ○ not attempted yet.

    `answer` is the function that the exercise asks for; while it raises NotImplementedError it counts as not attempted.
    Wrong shows the first case that fails. With `strict`, raises AssertionError unless the answer is right.
    """
    exercise = find_exercise(number)
    try:
        problem = exercise.judge(answer) if exercise.judge else _first_difference(answer, exercise)
        mark, text = (RIGHT, say("right")) if problem is None else (WRONG, problem.get(language(), problem["en"]))
    except NotImplementedError:
        mark, text = OPEN, say("not attempted")
    _remember(number, mark)
    if strict and mark != RIGHT:
        raise AssertionError(f"{mark} {number} {text}")
    print(f"{mark} {number} {text}")
    if mark == WRONG:
        print(say("ask", number=number))


def hint(number):
    """Print the next of the three hints for an exercise; after the third, the first again."""
    hints = find_exercise(number).hints[language()]
    shown[number] = shown.get(number, 0) % len(hints) + 1
    print(say("hint", number=number, count=shown[number], of=len(hints), text=hints[shown[number] - 1]))


shown = {}  # exercise: how many of its hints were shown


def progress():
    """Print the exercises of each lesson: ✓ right, ✗ tried, ○ open."""
    marks = _load()
    for lesson, exercises in _lessons().items():
        print(lesson, *(f" {marks.get(number, OPEN)} {number}" for number in exercises))


def language():
    """Of the messages: DLSTEPS_LANG, else that of the notebook's folder."""
    named = os.environ.get("DLSTEPS_LANG") or Path.cwd().name
    return named if named in TEXTS else "en"


def say(what, **values):
    return TEXTS[language()][what].format(**values)


def _first_difference(answer, exercise):
    """None, or what is wrong in the first case that fails, by language."""
    for case in exercise.cases:
        expected = exercise.expected(*copy.deepcopy(case))
        facts = {"case": ", ".join(map(repr, case)), "expected": repr(expected)}
        try:
            got = plain(answer(*copy.deepcopy(case)))
        except NotImplementedError:
            raise
        except Exception as error:
            facts["error"] = f"{type(error).__name__}: {error}"
            return {lang: texts["raised"].format(**facts) for lang, texts in TEXTS.items()}
        if not same(got, expected):
            return {lang: texts["wrong"].format(**facts, got=repr(got)) for lang, texts in TEXTS.items()}
    return None


def plain(value):
    """NumPy's single numbers as Python's, also in a list or tuple."""
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def same(got, expected):
    """Equal in type and value; floats nearly, and so the items of a list or tuple."""
    if isinstance(expected, float):
        return isinstance(got, int | float) and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(expected, list | tuple):
        pairs = zip(got, expected, strict=False) if type(got) is type(expected) else ()
        return type(got) is type(expected) and len(got) == len(expected) and all(same(a, b) for a, b in pairs)
    return type(got) is type(expected) and got == expected


def find_exercise(number):
    exercises = {name: exercise for lesson in _lessons().values() for name, exercise in lesson.items()}
    if number not in exercises:
        near = "".join(f" (nearest: {name!r})" for name in difflib.get_close_matches(str(number), exercises, 1))
        raise LookupError(f"no exercise {number!r}{near}: choose from {', '.join(map(repr, exercises))}")
    return exercises[number]


def _lessons():
    """{"00": {"0.1": Exercise …}}, from the modules ch00, ch01 …"""
    package = importlib.import_module("dlsteps.exercises")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("ch"))
    return {name[2:]: importlib.import_module(f"dlsteps.exercises.{name}").EXERCISES for name in names}


def _load():
    with contextlib.suppress(OSError, ValueError):
        if os.environ.get("DLSTEPS_PROGRESS") != "off":
            return json.loads(STORE.read_text(encoding="utf8"))
    return {}


def _remember(number, mark):
    """Keep the mark; one that is right stays so. Where the course cannot be written to, nothing is kept."""
    marks = _load()
    if os.environ.get("DLSTEPS_PROGRESS") == "off" or marks.get(number) == RIGHT or mark == OPEN:
        return
    with contextlib.suppress(OSError):
        new = STORE.with_suffix(".new")
        new.write_text(json.dumps(marks | {number: mark}, ensure_ascii=False, indent=1) + "\n", encoding="utf8")
        os.replace(new, STORE)
