"""check and hint: an answer goes in, one line comes out."""

import copy
import difflib
import importlib
import os
import pkgutil
from random import Random
from typing import NamedTuple

from dlsteps.exercises.compare import difference, same, show_error, unchanged
from dlsteps.exercises.exercise import Wrong
from dlsteps.exercises.guard import TooLong, run_guarded
from dlsteps.exercises.messages import TEXTS, explain, language, say
from dlsteps.exercises.store import OPEN, RIGHT, WRONG, remember

SECONDS = 10  # that an answer may take
SEED = 20261124  # of what is random in the cases


class Outcome(NamedTuple):
    """What a check found: `mark` is ✓, ✗ or ○; `idea` the name of what is missing; the texts are by language."""

    mark: str
    idea: str
    problem: dict[str, str]
    missing: dict[str, str]


def check(number, answer, strict=False):
    """Check an answer to exercise `number`, such as "0.1": print ✓ right, ✗ wrong, or ○ not attempted yet.

    Args:
        number: of the exercise.
        answer: what it asks for, itself: the function, class, module or tensor. While a function raises
            NotImplementedError it counts as not attempted.
        strict: raise AssertionError unless the answer is right, instead of printing. So it is always under nbgrader.

    Wrong shows the smallest case that fails, and which idea is missing.
    """
    lang, strict = language(), strict or "NBGRADER_EXECUTION" in os.environ
    outcome = assess(number, answer)
    remember(number, outcome.mark)
    lines = [f"{outcome.mark} {number} {outcome.problem[lang]}"]
    if outcome.missing[lang]:
        lines.append(say("missing", lang, idea=outcome.missing[lang]))
    if strict and outcome.mark != RIGHT:
        raise AssertionError("\n".join(lines))
    if outcome.mark == WRONG:
        lines.append(say("ask", lang, number=number))
    print("\n".join(lines))


def hint(number):
    """Print the next of the three hints for an exercise; after the third, the first again."""
    hints = find_exercise(number).hints[language()]
    shown[number] = shown.get(number, 0) % len(hints) + 1
    print(say("hint", number=number, count=shown[number], of=len(hints), text=hints[shown[number] - 1]))


shown = {}  # exercise: how many of its hints were shown


def assess(number, answer, seconds=SECONDS):
    """The `Outcome` of an answer. Whatever it does, this returns, after little more than `seconds`."""
    exercise = find_exercise(number)
    outcome, error = run_guarded(lambda: _assess(exercise, number, answer), seconds)
    match error:
        case None:
            return outcome
        case TooLong():
            return _wrong(exercise, Wrong("too long", seconds=seconds))
    return _wrong(exercise, Wrong("raised", error=show_error(error)))  # its repr, say: _assess knows the rest


def _assess(exercise, number, answer):
    """The `Outcome`; all that touches what the learner made happens in here, guarded."""
    probe = Probe(answer)
    try:
        _judge(exercise, probe, number)
    except Wrong as wrong:
        return _wrong(exercise, wrong)
    except TooLong:
        raise
    except BaseException as error:  # SystemExit and KeyboardInterrupt, too: they are the answer's own
        if type(error) is NotImplementedError and not error.args:
            return _outcome(OPEN, "", "not attempted")
        return _wrong(exercise, Wrong(probe.idea or "raised", **probe.facts, error=show_error(error)))
    return _outcome(RIGHT, "", "right")


def _wrong(exercise, wrong):
    texts = {lang: explain(wrong, exercise.ideas, lang) for lang in TEXTS}
    problem, missing = ({lang: pair[part] for lang, pair in texts.items()} for part in (0, 1))
    return Outcome(WRONG, wrong.idea, problem, missing)


class Probe:
    """The answer under test; `answer` is itself.

    `probe(*args)` calls it on copies and notices if it changes them; `expect` also compares what comes back.
    """

    def __init__(self, answer):
        self.answer, self.facts, self.idea, self.may_be_none = answer, {}, "", False

    def __call__(self, *args):
        self.facts, self.idea = {"case": args}, ""
        return self._call(args)

    def expect(self, expected, *args, idea=""):
        """Raise `Wrong` unless the answer returns `expected` for `args`; `idea` is what it is missing then."""
        self.idea = idea if "expected" in self.facts else ""  # an answer that fails at once may lack anything
        self.facts = {"case": args, "expected": expected}
        self.may_be_none = self.may_be_none or expected is None
        got = self._call(args)
        if not same(got, expected):
            common, facts = ("", {}) if got is None and self.may_be_none else difference(got, expected)
            raise Wrong(common or idea, got=got, **self.facts, **facts)

    def _call(self, args):
        mine = copy.deepcopy(args)
        got = self.answer(*mine)
        if not unchanged(args, mine):
            raise Wrong("changed input", case=args)
        return got


def _judge(exercise, probe, number):
    """Raise `Wrong`, or whatever the answer raises, unless it is right."""
    if exercise.takes in ("function", "class") and not callable(probe.answer):
        raise Wrong("not this", takes=exercise.takes, number=number, got=probe.answer)
    if exercise.judge:
        exercise.judge(probe)
        return
    for case in exercise.cases(Random(SEED)):
        probe.expect(exercise.expected(*copy.deepcopy(case.args)), *case.args, idea=case.idea)


def _outcome(mark, idea, what):
    return Outcome(mark, idea, {lang: say(what, lang) for lang in TEXTS}, dict.fromkeys(TEXTS, ""))


def find_exercise(number):
    """The `Exercise` of a number, such as "3.2". Raises LookupError, which names the choices."""
    return _find(number, "exercise", "EXERCISES")


def find_quiz(number):
    """The `Quiz` of a number, such as "3.a". Raises LookupError, which names the choices."""
    return _find(number, "quiz", "QUIZZES")


def _find(number, what, where):
    known = {name: value for lesson in lessons().values() for name, value in getattr(lesson, where, {}).items()}
    if number not in known:
        near = "".join(f" (nearest: {name!r})" for name in difflib.get_close_matches(str(number), known, 1))
        raise LookupError(f"no {what} {number!r}{near}: choose from {', '.join(map(repr, known))}")
    return known[number]


def lessons():
    """{"00": module ch00 …}, which hold `EXERCISES` and `QUIZZES`."""
    package = importlib.import_module("dlsteps.exercises")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("ch"))
    return {name[2:]: importlib.import_module(f"dlsteps.exercises.{name}") for name in names}
