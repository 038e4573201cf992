"""The exercises: what right, wrong, missing and hostile answers get; hints, quizzes, languages and progress."""

import importlib
import os
import random
import subprocess
import sys
import threading
import time

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from dlsteps.authoring.editions import ROOT
from dlsteps.authoring.mutants import define, make_mutants, read_solutions, survivors
from dlsteps.exercises import check, engine, hint, progress, quiz
from dlsteps.exercises.compare import difference, same, show, unchanged
from dlsteps.exercises.engine import assess, find_exercise, find_quiz, lessons
from dlsteps.exercises.exercise import Case, Exercise, Wrong
from dlsteps.exercises.store import load, remember

LESSONS = lessons()
NUMBERS = [number for module in LESSONS.values() for number in module.EXERCISES]
ANSWERS = {lesson: importlib.import_module(f"exercises.ch{lesson}") for lesson in LESSONS}
SOLUTIONS = {number: solution for lesson in LESSONS for number, solution in read_solutions(lesson).items()}


def answers_of(number):
    return ANSWERS[f"{int(number.split('.')[0]):02}"]


@pytest.fixture(autouse=True)
def neutral(monkeypatch, tmp_path):
    monkeypatch.setenv("DLSTEPS_LANG", "en")
    monkeypatch.setenv("DLSTEPS_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(engine, "shown", {})


# The lessons' own exercises


def test_every_exercise_has_a_solution_and_answers():
    assert list(SOLUTIONS) == NUMBERS
    for number in NUMBERS:
        assert len(answers_of(number).RIGHT[number]) >= 2, number
        assert len({misconception for misconception, *_ in answers_of(number).WRONG[number]}) >= 5, number


@pytest.mark.parametrize("number", NUMBERS)
def test_the_solution_and_other_right_answers_are_right(number, capsys):
    for answer in (define(*SOLUTIONS[number]), *answers_of(number).RIGHT[number]):
        check(number, answer)
        assert capsys.readouterr().out == f"✓ {number} right\n"


WRONG = [(number, *case) for number in NUMBERS for case in answers_of(number).WRONG[number]]


@pytest.mark.parametrize(("number", "misconception", "answer", "idea"), WRONG, ids=[f"{w[0]} {w[1]}" for w in WRONG])
def test_a_wrong_answer_is_told_which_idea_is_missing(number, misconception, answer, idea):
    first = assess(number, answer)
    assert (first.mark, first.idea) == ("✗", idea)
    assert first.problem["en"]
    assert assess(number, answer) == first  # the same line every time


def test_every_idea_of_an_exercise_is_missed_by_some_wrong_answer():
    """An idea that nothing earns is one that the check does not look for."""
    for number in NUMBERS:
        earned = {idea for _, _, idea in answers_of(number).WRONG[number]}
        assert set(find_exercise(number).ideas) <= earned, number


@pytest.mark.parametrize("number", NUMBERS)
def test_an_empty_answer_is_not_attempted(number, capsys):
    def answer(*_):
        raise NotImplementedError

    check(number, answer)
    assert capsys.readouterr().out == f"○ {number} not attempted yet\n"
    assert load() == {}


@pytest.mark.parametrize("number", NUMBERS)
def test_mutants_of_the_solution_are_rejected(number):
    """A sample; `course.py bench exercises` makes them all."""
    source, names = SOLUTIONS[number]
    mutants = make_mutants(source)
    sample = random.Random(0).sample(mutants, min(6, len(mutants)))
    assert survivors(number, sample, names, answers_of(number).EQUIVALENT.get(number, {})) == []


def test_what_is_known_to_be_right_is_a_mutant_that_passes():
    for number in NUMBERS:
        source, names = SOLUTIONS[number]
        passed = {mutant.change for mutant in survivors(number, make_mutants(source), names)}
        assert set(answers_of(number).EQUIVALENT.get(number, {})) == passed, number


def test_all_texts_are_there_in_both_languages():
    for number in NUMBERS:
        found = find_exercise(number)
        assert [len(found.hints[lang]) for lang in ("en", "zh")] == [3, 3]
        assert all(set(texts) == {"en", "zh"} and all(texts.values()) for texts in found.ideas.values())
    for module in LESSONS.values():
        for found in module.QUIZZES.values():
            assert list(found.why["en"]) == list(found.why["zh"])
            assert found.right in found.why["en"]


# The engine, on exercises made for the tests


@pytest.fixture
def ask(monkeypatch, capsys):
    """Put an exercise in place of 9.1 and check an answer to it; returns the lines that are printed."""

    def run(answer, exercise=None, **options):
        double = Exercise(
            {}, {"twice": {"en": "twice", "zh": "两倍"}}, lambda _: [Case((2,), "twice")], lambda x: 2 * x
        )
        monkeypatch.setattr(engine, "find_exercise", lambda number: exercise or double)
        check("9.1", answer, **options)
        return capsys.readouterr().out.splitlines()

    return run


def returning(expected, *args, **options):
    return Exercise({}, {}, lambda _: [Case(args)], lambda *_: expected, **options)


def test_a_wrong_answer_gets_its_case_the_missing_idea_and_advice(ask):
    assert ask(lambda x: x) == ["✗ 9.1 for 2: expected 4, got 2", "  Missing: twice", '  Stuck? hint("9.1")']


def test_an_answer_that_raises(ask):
    line = "✗ 9.1 for 2: expected 4, but it raised ZeroDivisionError: division by zero"
    assert ask(lambda x: 1 / 0)[0] == line
    assert ask(lambda: 1)[0].startswith("✗ 9.1 for 2: expected 4, but it raised TypeError: ")
    assert ask(lambda x: sys.exit("bye"))[0] == "✗ 9.1 for 2: expected 4, but it raised SystemExit: bye"

    def deep(x):
        return deep(x)

    assert "RecursionError" in ask(deep)[0]


@pytest.mark.parametrize("answer", [4, "double", None, [1]])
def test_what_is_no_function_is_said_to_be_none(ask, answer):
    line = (
        f'✗ 9.1 check takes the function itself, as in check("9.1", …) without brackets behind it, but got {answer!r}'
    )
    assert ask(answer)[0] == line


def test_an_answer_that_prints_is_silent(ask):
    def chatty(x):
        print("hello")
        print("hello", file=sys.stderr)
        return 2 * x

    assert ask(chatty) == ["✓ 9.1 right"]


def test_an_answer_that_changes_what_it_was_given(ask):
    def sort(x):
        x.sort()
        return x

    assert ask(sort, returning([1, 2], [2, 1]))[0] == "✗ 9.1 for [2, 1]: it changes what it was given; work on a copy"
    assert "it changes" in ask(lambda x: x.mul_(2), returning(torch.tensor([2.0]), torch.tensor([1.0])))[0]


def never_ends(*_):
    while True:
        pass


def prints_for_ever(*_):
    while True:
        print("x" * 1000)


def sleeps(*_):
    time.sleep(60)


def catches_everything(*_):
    while True:
        try:  # noqa: SIM105 (a bare except is the point)
            time.sleep(0.01)
        except:  # noqa: E722
            pass


@pytest.mark.parametrize("answer", [never_ends, prints_for_ever, sleeps, catches_everything])
def test_an_answer_that_never_ends_is_given_up(answer):
    start = time.monotonic()
    outcome = assess("0.1", answer, seconds=0.3)
    assert time.monotonic() - start < 10
    assert (outcome.mark, outcome.idea) == ("✗", "too long")
    assert outcome.problem["en"] == "no answer after 0.3 s: a loop that never stops, or something very slow?"


@pytest.mark.parametrize(
    ("got", "expected", "missing"),
    [
        (None, 4, "a value to give back: does every way through the function end with return?"),
        (4.0, 4, "the right type: int, not float"),
        ([1, 2], (1, 2), "the right type: tuple, not list"),
        (np.ones(2), torch.ones(2), "the right type: Tensor, not ndarray"),
        (torch.ones(2, 3), torch.ones(3, 2), "the right shape: torch.Size([3, 2]), not torch.Size([2, 3])"),
        (torch.ones(2), torch.ones(2, dtype=torch.int64), "the right dtype: torch.int64, not torch.float32"),
    ],
)
def test_common_mistakes_have_a_name(ask, got, expected, missing):
    assert ask(lambda: got, returning(expected))[1] == f"  Missing: {missing}"


def test_where_none_can_be_right_a_forgotten_return_is_not_suspected(ask):
    exercise = Exercise({}, {}, lambda _: [Case((0,)), Case((1,))], lambda x: x or None)
    assert ask(lambda x: None, exercise)[0] == "✗ 9.1 for 1: expected 1, got None"
    assert len(ask(lambda x: None, exercise)) == 2


def test_a_class_a_module_and_a_tensor_can_be_asked_for(ask):
    def judge_counter(probe):
        counter = probe(3)
        if list(counter) != [0, 1, 2]:
            raise Wrong("iterates", case=(3,), expected=[0, 1, 2], got=list(counter))

    counting = Exercise({}, {"iterates": {"en": "an __iter__", "zh": "__iter__"}}, judge=judge_counter, takes="class")
    assert ask(range, counting) == ["✓ 9.1 right"]
    assert ask(lambda n: [0], counting)[:2] == ["✗ 9.1 for 3: expected [0, 1, 2], got [0]", "  Missing: an __iter__"]
    assert "for 3: it raised TypeError" in ask(lambda n: 7, counting)[0]

    def judge_module(probe):
        probe.expect(torch.zeros(2, 1), torch.zeros(2, 3))

    module = Exercise({}, {}, judge=judge_module, takes="module")
    assert ask(nn.Linear(3, 1, bias=False), module) == ["✓ 9.1 right"]
    assert "mat1 and mat2 shapes" in ask(nn.Linear(4, 1), module)[0]
    assert "it raised NotImplementedError: Module [Module] is missing" in ask(nn.Module(), module)[0]

    def judge_tensor(probe):
        if not same(probe.answer, torch.arange(3)):
            raise Wrong("range", got=probe.answer, expected=torch.arange(3), case=())

    tensor = Exercise({}, {"range": {"en": "0, 1, 2", "zh": "0、1、2"}}, judge=judge_tensor, takes="tensor")
    assert ask(torch.arange(3), tensor) == ["✓ 9.1 right"]
    assert "expected tensor([0, 1, 2]), got tensor([1, 2])" in ask(torch.tensor([1, 2]), tensor)[0]


def test_random_numbers_are_the_same_each_time_and_the_notebooks_own_go_on(ask):
    def draw():
        return [random.random(), np.random.rand(), torch.rand(1).item()]  # noqa: NPY002

    torch.manual_seed(1)
    expected = draw()[2:]
    torch.manual_seed(1)
    assert ask(lambda: draw(), returning([0]))[0] == ask(lambda: draw(), returning([0]))[0]
    assert draw()[2:] == expected


class Hostile:
    """Every look at it goes wrong."""

    def __repr__(self):
        raise RuntimeError

    __eq__ = __getattr__ = __deepcopy__ = lambda *_: 1 / 0
    __hash__ = None


class ReprQuits(Hostile):
    def __repr__(self):
        sys.exit()


class ReprNeverEnds(Hostile):
    def __repr__(self):
        while True:
            pass


class SaysNothing(Exception):
    def __str__(self):
        raise RuntimeError


def generate():
    yield 4


@pytest.mark.parametrize(
    ("got", "text"),
    [
        (Hostile, "got a Hostile"), (ReprQuits, "it raised SystemExit"), (lambda: 10**5000, "got a int"),
        (lambda: torch.ones(2, dtype=torch.bfloat16), "got tensor([1., 1.])"),
        (lambda: torch.ones(2, device="meta"), "got a Tensor"), (lambda: torch.ones(2).to_sparse(), "got a Tensor"),
        (generate, "got <generator object generate>"), (lambda: os, "got a module os"),
        (lambda: "\x1b[31ma\ud800" + "b" * 10**6, "got '"), (lambda: memoryview(b"a"), "got <memory>"),
    ],
)  # fmt: skip
def test_whatever_is_returned_gets_one_short_line_without_addresses(ask, got, text):
    lines = ask(lambda x: got())
    assert text in lines[0]
    assert len(lines[0]) < 300
    assert "0x" not in lines[0]
    assert lines[-1] == '  Stuck? hint("9.1")'


def test_a_repr_that_never_ends_is_given_up(monkeypatch):
    outcome = assess("0.1", lambda *_: ReprNeverEnds(), seconds=0.3)
    assert outcome.idea == "too long"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("x" * 10**5), "it raised ValueError: xxx"), (ValueError("\nb"), "it raised ValueError: b"),
        (ValueError("\x1b[31mred"), "it raised ValueError: red"), (SaysNothing(), "it raised SaysNothing"),
        (ValueError("a\ud800"), "it raised ValueError: a\\ud800"), (KeyboardInterrupt(), "it raised KeyboardInterrupt"),
        (NotImplementedError("'Byte'"), "it raised NotImplementedError: 'Byte'"),  # torch's, not the exercise's own
    ],
)  # fmt: skip
def test_whatever_is_raised_gets_one_short_line(ask, error, text):
    def answer(x):
        raise error

    (line, *_) = ask(answer)
    assert text in line
    assert len(line) < 300


def test_folder_environment_and_figures_are_put_back(ask, monkeypatch, tmp_path):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    plt.switch_backend("agg")
    here, figures = os.getcwd(), plt.get_fignums()

    def answer(x):
        os.chdir(tmp_path)
        os.environ["DLSTEPS_LANG"] = os.environ["NBGRADER_EXECUTION"] = "zh"
        plt.figure()
        return x

    assert ask(answer)[0] == "✗ 9.1 for 2: expected 4, got 2"
    assert (os.getcwd(), os.environ["DLSTEPS_LANG"], plt.get_fignums()) == (here, "en", figures)


def test_two_checks_at_once_leave_the_output_alone(capsys):
    def slow(samples, batch_size, epochs):
        time.sleep(0.02)
        return 0

    threads = [threading.Thread(target=check, args=("0.1", slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capsys.readouterr().out.count("✗ 0.1 for 64, 64, 1: expected 1, got 0\n") == 4


def test_strict_raises_instead(ask, monkeypatch, capsys):
    assert ask(lambda x: 2 * x, strict=True) == ["✓ 9.1 right"]
    with pytest.raises(AssertionError, match=r"✗ 9\.1 for 2: expected 4, got 2\n  Missing: twice"):
        ask(lambda x: x, strict=True)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError, match=r"✗ 9\.1"):
        ask(lambda x: x)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", ["0.3", 2.1, "ex-1"])
def test_an_unknown_exercise_is_named_with_the_choices(number):
    with pytest.raises(LookupError, match=r"no exercise .*: choose from '0\.1', '0\.2', '1\.1'"):
        check(number, max)
    with pytest.raises(LookupError, match=r"no quiz .*: choose from '0\.a', '1\.a'"):
        quiz(number)


# Comparing and showing


@pytest.mark.parametrize(
    ("got", "expected", "equal"),
    [
        (1, 1, True), (1.0, 1, False), (True, 1, False), (np.int64(3), 3, True), (np.float32(0.5), 0.5, True),
        (0.1 + 0.2, 0.3, True), (1, 1.0, True), ("1", 1.0, False), ([1, 2], [1, 2], True), ((1, 2), [1, 2], False),
        ([1], [1, 2], False), ([np.int64(1)], [1], True), (None, None, True), (None, "a", False),
        (float("nan"), float("nan"), True), ({"a": 0.3}, {"a": 0.1 + 0.2}, True), ({"a": 1}, {"b": 1}, False),
        (torch.tensor([0.3]), torch.tensor([0.1]) + 0.2, True), (torch.tensor([1]), torch.tensor([2]), False),
        (torch.ones(1, 2), torch.ones(2), False), (torch.ones(2).double(), torch.ones(2), False),
        (torch.ones(2, requires_grad=True), torch.ones(2), True), (np.ones(2), np.ones(2), True), ({1}, {1}, True),
    ],
)  # fmt: skip
def test_what_counts_as_the_same(got, expected, equal):
    assert same(got, expected) is equal


def test_what_counts_as_unchanged():
    assert unchanged((1, object()), (1, object()))  # what cannot be compared is taken to be
    assert not unchanged((1, [2]), (1, [3]))
    assert not unchanged([1], [1, 2])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), ("a", "'a'"), ([1, (2,)], "[1, (2,)]"), ({"b", "a"}, "{'a', 'b'}"), (set(), "set()"),
        (torch.tensor([[1, 2], [3, 4]]), "tensor([[1, 2], [3, 4]])"), (torch.zeros(3, 5), "tensor of shape (3, 5)"),
        (np.array([0.123456]), "array([0.1235])"), (max, "a builtin_function_or_method max"), (object(), "a object"),
        ("x" * 300, "'" + "x" * 169 + " … " + "x" * 19 + "'"), (torch.float32, "torch.float32"),
    ],
)  # fmt: skip
def test_values_are_shown_short_and_without_addresses(value, text):
    assert show(value) == text


def test_types_are_compared_inside_lists_too():
    assert difference([1, 2.0], [1, 2]) == ("type", {"mine": "float", "asked": "int"})
    assert difference([1, 3], [1, 2]) == ("", {})
    assert difference([None], [2]) == ("", {})


# Hints, quizzes, languages, progress


def test_hints_come_one_after_the_other_and_begin_again(capsys):
    for _ in range(4):
        hint("0.1")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"0.1, hint {n} of 3" for n in (1, 2, 3, 1)]
    assert lines[0] == lines[3]


def test_messages_speak_the_language_of_the_folder(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("DLSTEPS_LANG")
    (tmp_path / "zh").mkdir()
    monkeypatch.chdir(tmp_path / "zh")
    check("1.2", max)
    hint("0.1")
    quiz("0.a", solved=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "✗ 1.2 输入 '2.9', '2.15' 时，应得到 '2.15'，实际得到 '2.9'",
        "  漏掉的一点：各部分是数：15 比 9 大，不能按字符比较",
        '  没有思路？试试 hint("1.2")',
    ]
    assert lines[3].startswith("0.1，提示 1/3：")
    assert lines[5].startswith("✓ b: 你的智能体只见过一个球")
    monkeypatch.setenv("DLSTEPS_LANG", "en")
    hint("0.1")
    assert "0.1, hint 2 of 3" in capsys.readouterr().out
    monkeypatch.setenv("DLSTEPS_LANG", "fr")
    check("1.2", max)
    assert "expected" in capsys.readouterr().out  # a language there is not: English


def test_a_quiz_explains_the_choice_that_is_pressed(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda view, **options: shown.append((view, options)))
    quiz("0.a")
    ((view, options),) = shown
    buttons, answer = view.children
    assert (buttons.options, buttons.value, answer.value) == (("a", "b", "c"), None, "")
    buttons.value = "a"
    assert answer.value == "✗ a: " + find_quiz("0.a").why["en"]["a"]
    buttons.value = "b"
    assert answer.value.startswith("✓ b: ")
    assert view._repr_mimebundle_()["text/plain"] == "○ 0.a  a · b · c"
    assert options == {"metadata": {"has_text": True}}


def test_progress_is_kept_and_a_right_answer_stays_right(capsys):
    check("1.2", max)
    check("0.1", lambda samples, batch_size, epochs: -(-samples // batch_size) * epochs)
    check("0.1", lambda *_: 0)
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "lesson  done  exercises",
        "00      1/2   ✓ 0.1  ○ 0.2",
        "01      0/4   ○ 1.1  ✗ 1.2  ○ 1.3  ○ 1.4",
    ]
    assert load() == {"1.2": "✗", "0.1": "✓"}


def test_progress_shows_a_bar_for_each_lesson_in_a_notebook(monkeypatch, capsys):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a shell")
    monkeypatch.setattr("IPython.display.display", shown.append)
    remember("0.1", "✓")
    remember("0.2", "✓")
    remember("1.1", "✓")
    progress()
    bars = shown[0].children
    assert [(bar.description, bar.value, bar.max) for bar in bars][:2] == [("00", 2, 2), ("01", 1, 4)]
    assert [bar.bar_style for bar in bars][:2] == ["success", "info"]


def test_two_notebooks_may_write_at_once(tmp_path):
    code = "import sys; from dlsteps.exercises.store import remember\n"
    code += "for i in range(40): remember(f'{sys.argv[1]}.{i}', '✓')"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(load()) == 120


def test_a_broken_or_unwritable_progress_file_is_no_obstacle(capsys, monkeypatch, tmp_path):
    (tmp_path / "progress.sqlite").write_text("no database")
    check("1.2", max)
    progress()
    monkeypatch.setenv("DLSTEPS_PROGRESS", str(tmp_path / "nowhere" / "progress.sqlite"))
    check("1.2", max)
    progress()
    assert "○ 1.2" in capsys.readouterr().out


def test_nothing_is_kept_while_notebooks_are_built_or_tested(monkeypatch, tmp_path):
    monkeypatch.setenv("DLSTEPS_PROGRESS", "off")
    check("1.2", max)
    assert load() == {}
    assert list(tmp_path.iterdir()) == []


def test_the_checks_leave_no_trace():
    """Exercise 1.1 makes modules that cannot be imported, for the time of the check only."""
    path, modules = list(sys.path), set(sys.modules)
    check("1.1", lambda module: "OK")
    assert sys.path == path
    assert not [name for name in set(sys.modules) - modules if name.startswith("dlsteps_broken")]


def test_importing_the_engine_needs_no_torch():
    code = "import dlsteps.exercises, sys; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
