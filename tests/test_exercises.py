"""The exercises: what a right, a wrong and a missing answer get, hints, languages and progress."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from dlsteps.authoring.editions import ROOT, solutions_edition
from dlsteps.authoring.execute import find_lessons
from dlsteps.authoring.source import read_lesson
from dlsteps.exercises import check, engine, hint, progress
from dlsteps.exercises.engine import plain, same
from dlsteps.game import LEFT, RIGHT, STAY

WRONG = {  # exercise: [(answer, what the message has to say)]
    "0.1": [
        (lambda samples, batch_size, epochs: samples // batch_size * epochs, "for 65, 64, 1: expected 2, got 1"),
        (lambda samples, batch_size, epochs: (samples // batch_size + 1) * epochs, "for 64, 64, 1: expected 1, got 2"),
        (lambda samples, batch_size, epochs: -(-samples // batch_size), "for 100, 10, 3: expected 30, got 10"),
        (lambda samples, batch_size, epochs: samples / batch_size * epochs, "for 64, 64, 1: expected 1, got 1.0"),
        (lambda samples, batch_size: 1, "for 64, 64, 1: expected 1, but it raised TypeError"),
    ],
    "0.2": [
        (lambda ball, paddle: STAY, "its score is"),
        (lambda ball, paddle: LEFT if ball > paddle else RIGHT, "its score is"),
        (lambda ball, paddle: "left" if ball < paddle else "right", "it returned 'left': choose from LEFT, STAY"),
        (lambda ball, paddle: None, "it returned None"),
    ],
    "1.1": [
        (lambda module: "OK", "for 'no_such_module': expected 'missing', got 'OK'"),
        (lambda module: __import__(module) and "OK", "for 'no_such_module': expected 'missing', got ModuleNotFound"),
    ],
    "1.2": [
        (max, "for '2.9', '2.15': expected '2.15', got '2.9'"),
        (lambda a, b: a if float(a) > float(b) else b, "for '2.9', '2.15': expected '2.15', got '2.9'"),
        (lambda a, b: b, "for '3.0', '2.15': expected '3.0', got '2.15'"),
        (lambda a, b: max(a, b, key=len), "for '3.0', '2.15': expected '3.0', got '2.15'"),
    ],
    "1.3": [
        (lambda shape, dtype: float(np.prod(shape)), "for (1048576,), torch.uint8: expected 1.0, got 1048576.0"),
        (lambda shape, dtype: np.prod(shape) * 4 / 2**20, "for (1048576,), torch.uint8: expected 1.0, got 4.0"),
        (lambda shape, dtype: np.prod(shape) * dtype.itemsize / 10**6, "for (1048576,), torch.uint8: expected 1.0"),
        (lambda shape, dtype: sum(shape) * dtype.itemsize / 2**20, "for (64, 6, 64, 64), torch.float32: expected 6.0"),
    ],
    "1.4": [
        (lambda seed, count: torch.manual_seed(seed) and torch.rand(count), "the generator that all share has moved"),
        (lambda seed, count: torch.rand(count, generator=torch.Generator()), "seeds 3 and 4 gave the same numbers"),
        (lambda seed, count: torch.rand(count), "the same seed gave other numbers the second time"),
        (lambda seed, count: [0.5] * count, "expected a tensor of shape (5,), got [0.5"),
    ],
    "2.1": [
        (lambda keys: 0 if keys == {"left"} else 2 if keys == {"right"} else 1, "for {"),
        (lambda keys: 0 if "left" in keys else 2 if "right" in keys else 1, "expected 1, got 0"),
        (lambda keys: 1, "for {'left'}: expected 0, got 1"),
    ],
    "2.2": [
        (lambda titles, wanted: next((t for t in titles if wanted.lower() in t.lower()), None), "got 'Catch me'"),
        (lambda titles, wanted: wanted if wanted in titles else None, "['Catch', 'Notes'], 'catch': expected 'Catch'"),
        (lambda titles, wanted: [t for t in titles if wanted.lower() in t.lower()], "expected 'Catch', got ['Catch']"),
    ],
    "2.3": [
        (lambda captures: captures, "for [(1, ''), (1, 'left')]: expected [(1, 'left')]"),
        (lambda captures: dict(captures), "for [(1, '')]: expected [(1, '')], got {1: ''}"),
        (lambda captures: list(dict(reversed(captures)).items()), "for [(1, ''), (1, 'left')]: expected"),
    ],
    "2.4": [
        (lambda times, limit: [0] * len(times), "for [0.0, 0.5], 0.1: expected [0, 1], got [0, 0]"),
        (lambda times, limit: np.cumsum(np.diff(times, prepend=times[:1]) >= limit).tolist(), "got [0, 1, 2]"),
        (lambda times, limit: [int(time > limit) for time in times], "for [0.0, 0.25, 0.5], 0.25: expected [0, 0, 0]"),
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def neutral(monkeypatch, tmp_path):
    monkeypatch.setenv("DLSTEPS_LANG", "en")
    monkeypatch.delenv("DLSTEPS_PROGRESS", raising=False)
    monkeypatch.setattr(engine, "STORE", tmp_path / "progress.json")
    monkeypatch.setattr(engine, "shown", {})


def solutions():
    for source in find_lessons(ROOT / "notebooks" / "source", suffix=".py"):
        cells = solutions_edition(read_lesson(source))
        for cell in cells:
            if cell.id.endswith("-answer"):
                yield pytest.param(source, cell, id=f"{int(source.name[:2])}.{cell.id.split('-')[1]}")


@pytest.mark.parametrize(("source", "cell"), list(solutions()))
def test_the_solution_is_right(source, cell, capsys):
    number = f"{int(source.name[:2])}.{cell.id.split('-')[1]}"
    names = {"importlib": __import__("importlib"), "torch": torch, "np": np, "LEFT": LEFT, "STAY": STAY, "RIGHT": RIGHT}
    before = set(names)
    exec(cell.source, names)
    (name,) = set(names) - before - {"__builtins__"}
    check(number, names[name])
    assert capsys.readouterr().out == f"✓ {number} right\n"


@pytest.mark.parametrize(("number", "answer", "message"), [(n, *case) for n, cases in WRONG.items() for case in cases])
def test_a_wrong_answer_is_told_what_is_wrong(number, answer, message, capsys):
    check(number, answer)
    mark, advice = capsys.readouterr().out.splitlines()
    assert mark.startswith(f"✗ {number} ")
    assert message in mark
    assert advice == f'  Stuck? hint("{number}")'


def test_every_exercise_has_wrong_answers_here():
    assert set(WRONG) == {number for lesson in engine._lessons().values() for number in lesson}


@pytest.mark.parametrize("number", WRONG)
def test_an_empty_answer_is_not_attempted(number, capsys):
    def answer(*_):
        raise NotImplementedError

    check(number, answer)
    assert capsys.readouterr().out == f"○ {number} not attempted yet\n"
    assert not engine.STORE.exists()


def test_other_right_answers_are_right(capsys):
    check("0.2", lambda ball, paddle: STAY if abs(ball - paddle) <= 8 else RIGHT if ball > paddle else LEFT)
    check("1.4", lambda seed, count: torch.randn(count, generator=torch.Generator().manual_seed(seed + 1)))
    check("0.1", lambda samples, batch_size, epochs: np.ceil(samples / batch_size).astype(int) * epochs)
    check("2.3", lambda captures: list(dict(captures).items()))
    assert capsys.readouterr().out.count("✓") == 4


def test_strict_raises_instead(capsys):
    check("1.2", lambda a, b: max(a, b, key=lambda v: [int(n) for n in v.split(".")]), strict=True)
    with pytest.raises(AssertionError, match=r"✗ 1\.2 for '2\.9', '2\.15'"):
        check("1.2", max, strict=True)
    assert capsys.readouterr().out == "✓ 1.2 right\n"


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
    check("0.2", lambda ball, paddle: STAY)
    hint("0.1")
    out = capsys.readouterr().out
    first, advice, second, *_ = out.splitlines()
    assert first == "✗ 1.2 输入 '2.9', '2.15' 时，应得到 '2.15'，实际得到 '2.9'"
    assert advice == '  没有思路？试试 hint("1.2")'
    assert second.startswith("✗ 0.2 3 局的平均得分是")
    assert "0.1，提示 1/3：" in out
    monkeypatch.setenv("DLSTEPS_LANG", "en")
    hint("0.1")
    assert "0.1, hint 2 of 3" in capsys.readouterr().out
    monkeypatch.setenv("DLSTEPS_LANG", "fr")
    check("1.2", max)
    assert "expected" in capsys.readouterr().out  # a language there is not: English


@pytest.mark.parametrize("number", ["0.3", 2.1, "ex-1"])
def test_an_unknown_exercise_is_named_with_the_choices(number):
    with pytest.raises(LookupError, match=r"no exercise .*: choose from '0\.1', '0\.2', '1\.1'"):
        check(number, max)


def test_progress_is_kept_and_a_right_answer_stays_right(capsys):
    check("1.2", max)
    check("0.1", lambda samples, batch_size, epochs: -(-samples // batch_size) * epochs)
    check("0.1", lambda *_: 0)
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "00  ✓ 0.1  ○ 0.2"
    assert lines[1] == "01  ○ 1.1  ✗ 1.2  ○ 1.3  ○ 1.4"
    assert json.loads(engine.STORE.read_text()) == {"1.2": "✗", "0.1": "✓"}


def test_a_broken_or_missing_progress_file_is_no_obstacle(capsys, monkeypatch, tmp_path):
    engine.STORE.write_text("{")
    check("1.2", max)
    progress()
    assert "✗ 1.2" in capsys.readouterr().out
    monkeypatch.setattr(engine, "STORE", tmp_path / "nowhere" / "progress.json")
    check("1.2", max)
    progress()


def test_nothing_is_kept_while_notebooks_are_built_or_tested(monkeypatch, capsys):
    monkeypatch.setenv("DLSTEPS_PROGRESS", "off")
    check("1.2", max)
    assert not engine.STORE.exists()


def test_the_checks_leave_no_trace(capsys):
    """Exercise 1.1 makes a module that cannot be imported, for the time of the check only."""
    path, modules = list(sys.path), set(sys.modules)
    check("1.1", lambda module: "OK")
    assert sys.path == path
    assert not [name for name in set(sys.modules) - modules if name.startswith("dlsteps_broken")]


@pytest.mark.parametrize(
    ("got", "expected", "equal"),
    [
        (1, 1, True), (1.0, 1, False), (True, 1, False), (np.int64(3), 3, True), (np.float32(0.5), 0.5, True),
        (0.1 + 0.2, 0.3, True), (1, 1.0, True), ("1", 1.0, False), ([1, 2], [1, 2], True), ((1, 2), [1, 2], False),
        ([1], [1, 2], False), ([np.int64(1)], [1], True), (None, None, True), (None, "a", False),
    ],
)  # fmt: skip
def test_what_counts_as_the_same(got, expected, equal):
    assert same(plain(got), expected) is equal


def test_importing_the_engine_needs_no_torch():
    code = "import dlsteps.exercises, sys; print('torch' in sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
