"""The lessons as they are stored, and what nbval does not look at: order, figures, widgets, the text that is shown."""

import ast
import builtins
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from dlsteps.authoring.build import Lesson
from dlsteps.authoring.editions import ROOT, is_exercise, learner_edition
from dlsteps.authoring.execute import NEUTRAL, find_lessons
from dlsteps.authoring.source import parse, read_lesson
from dlsteps.capture import windows
from dlsteps.data import data_path
from dlsteps.exercises.engine import find_exercise, find_quiz
from dlsteps.game import Catch

NOTEBOOKS = ROOT / "notebooks"
SOURCES = find_lessons(NOTEBOOKS / "source", suffix=".py")
LESSONS = pytest.mark.parametrize(
    "lesson", [Lesson(source, NOTEBOOKS) for source in SOURCES], ids=lambda lesson: lesson.name
)


def read(path):
    return nbformat.read(path, as_version=4).cells


def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


@LESSONS
def test_the_notebooks_are_what_their_source_says(lesson):
    assert lesson.check() == ("checked", [])


def test_every_notebook_has_a_source():
    names = {path.stem for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts}
    assert names == {source.stem for source in SOURCES}


@LESSONS
def test_every_cell_was_executed_in_order_and_without_other_errors_than_those_on_purpose(lesson):
    for path in (lesson.learner, lesson.solutions, lesson.chinese):
        cells = code(read(path))
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        for cell in cells:
            kinds = [output.output_type for output in cell.outputs]
            assert ("error" in kinds) == ("raises-exception" in cell.metadata.get("tags", [])), cell.id
            assert [output.name for output in cell.outputs if output.output_type == "stream"].count("stderr") == 0, (
                cell.id
            )


@LESSONS
def test_the_chinese_edition_has_the_same_code_and_outputs(lesson):
    assert code(read(lesson.chinese)) == code(read(lesson.learner))
    for cell in read(lesson.chinese):
        if cell.cell_type == "markdown":
            assert re.search(r"[\u4e00-\u9fff]", cell.source), cell.id


@LESSONS
def test_no_solution_reaches_the_learner(lesson):
    for path in (lesson.learner, lesson.chinese):
        assert "SOLUTION" not in path.read_text(encoding="utf8")


@LESSONS
def test_cells_are_small_and_outputs_say_nothing_of_this_machine(lesson):
    cells = code(read(lesson.learner))
    lines = [len(cell.source.splitlines()) for cell in cells]
    assert 3 <= statistics.median(lines) <= 6
    assert max(lines) <= 40
    assert sum(length > 20 for length in lines) <= len(lines) / 10
    for cell in cells:
        told = [{**output, "data": {**output.get("data", {}), "image/png": ""}} for output in cell.outputs]
        assert not re.search(r"0x[0-9a-f]{6}|/home/|/work/|\\Users\\", str(told)), cell.id


@LESSONS
def test_every_exercise_is_whole(lesson):
    """Task with difficulty and minutes, answer, check, explanation; and in its module three hints in each language."""
    cells = {cell.id: cell for cell in read_lesson(lesson.source) if is_exercise(cell)}
    numbers = [name for name in cells if re.fullmatch(r"ex-\d+", name)]
    assert numbers
    assert list(cells) == [f"{name}{part}" for name in numbers for part in ("", "-answer", "-check", "-why")]
    for name in numbers:
        number = f"{int(lesson.name[:2])}.{name[3:]}"
        assert re.match(rf"### Exercise {number} · .+ \((easy|medium|hard), \d+ minutes\)\n", cells[name].source), name
        assert cells[f"{name}-check"].source.startswith(f'check("{number}", ')
        hints = find_exercise(number).hints
        assert [len(hints[language]) for language in ("en", "zh")] == [3, 3]
        assert all(hint for language in hints.values() for hint in language)


@LESSONS
def test_every_quiz_is_whole(lesson):
    """Its text, in both languages, has just the choices that are explained; the solutions have the explanations."""
    english, chinese = ({cell.id: cell.source for cell in read(path)} for path in (lesson.learner, lesson.chinese))
    quizzes = [name for name in english if re.fullmatch(r"quiz-\d+", name)]
    assert quizzes
    solved = {cell.id: cell for cell in read(lesson.solutions)}
    for name in quizzes:
        (number,) = re.fullmatch(r'quiz\("(\d+\.[a-z])"\)', english[f"{name}-choices"]).groups()
        found = find_quiz(number)
        for text, lang in ((english[name], "en"), (chinese[name], "zh")):
            assert re.findall(r"^\* \*\*([a-z])\*\* ", text, re.MULTILINE) == list(found.why[lang])
        assert f"✓ {found.right}: {found.why['en'][found.right]}" in solved[f"{name}-choices"].outputs[0].text


@LESSONS
def test_links_lead_somewhere(lesson):
    for path in (lesson.learner, lesson.chinese, lesson.solutions):
        for cell in read(path):
            for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""):
                assert (path.parent / target).exists(), f"{path}, {cell.id}: {target}"


def shown_functions():
    """(lesson, module file, its lines) for each function of dlsteps marked as shown in a lesson."""
    for file in sorted((ROOT / "src" / "dlsteps").rglob("*.py")):
        lines = file.read_text(encoding="utf8").splitlines()
        for number, line in enumerate(lines):
            if mark := re.fullmatch(r"# lesson (\d\d)", line):
                (node, *_) = [node for node in ast.parse("\n".join(lines)).body if node.lineno == number + 2]
                yield mark[1], file, "\n".join(lines[node.lineno - 1 : node.end_lineno])


def test_what_a_lesson_shows_is_what_the_module_says():
    shown = list(shown_functions())
    assert len(shown) >= 1
    for number, file, text in shown:
        (source,) = find_lessons(NOTEBOOKS / "source", [number], ".py")
        assert any(text in cell.source for cell in read_lesson(source)), f"{file}: not as in lesson {number}"


# The lessons' code, run here: what its figures show, and what its widgets do


class Run:
    """A lesson run cell by cell in this process; `figures` by cell id, and the lesson's own `names`."""

    def __init__(self, name, stop=None):
        (source,) = find_lessons(NOTEBOOKS / "source", [name], ".py")
        self.names, self.figures, self.widgets = {"__name__": "lesson"}, {}, []
        for cell in learner_edition(read_lesson(source)):
            if cell.id == stop:
                break
            if cell.type == "code" and not is_exercise(cell) and "raises-exception" not in cell.tags:
                exec(compile(parse(cell.source), cell.id, "exec"), self.names)
                self.figures[cell.id] = self.take_figures()

    @staticmethod
    def take_figures():
        figures = [plt.figure(number) for number in plt.get_fignums()]
        for figure in figures:
            figure.canvas.draw()
        plt.close("all")
        return figures


@pytest.fixture(scope="module")
def run():
    """Run a lesson up to a cell, without a display and without a window opening for each figure."""
    runs = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            patch.delenv(name, raising=False)
        for name, value in NEUTRAL.items():
            patch.setenv(name, value)
        patch.setattr(windows, "desktop", windows.desktop.__wrapped__)  # not the one that other tests have opened
        plt.switch_backend("agg")
        patch.setattr(plt, "show", lambda: None)
        patch.setattr(builtins, "display", lambda *_: None, raising=False)

        def run_once(name, stop=None):
            if (name, stop) not in runs:
                runs[name, stop] = Run(name, stop)
            return runs[name, stop]

        yield run_once


def pictures(figure):
    return [ax.images[0].get_array() for ax in figure.axes]


def test_lesson_00_shows_the_game_and_the_samples(run):
    lesson = run("00", stop="train")
    (game,) = lesson.figures["game"]
    assert [ax.get_title() for ax in game.axes] == ["night", "day", "paper"]
    assert all(picture.shape == (256, 256, 3) for picture in pictures(game))
    (samples,) = lesson.figures["samples"]
    dataset = lesson.names["dataset"]
    for ax, picture, i in zip(samples.axes, pictures(samples), range(108, 439, 66), strict=True):
        x, y = dataset[i]
        assert np.array_equal(picture, x[3:].permute(1, 2, 0).numpy())  # the newer of the two
        assert ax.get_title() == ["left", "stay", "right"][y]


def test_lesson_00_strip_shows_the_game_as_the_player_leaves_it(run):
    lesson = run("00", stop="train")
    names = lesson.names
    source = {cell.id: cell.source for cell in read_lesson(SOURCES[0])}
    function = next(node for node in parse(source["strip"]).body if isinstance(node, ast.FunctionDef))
    exec(compile(ast.Module([function], []), "strip", "exec"), names)
    names["play_strip"](lambda frame: names["LEFT"], names["Catch"](seed=5), start=6, every=10, title="left")
    (figure,) = Run.take_figures()
    game = names["Catch"](seed=5)
    for ax, picture, tick in zip(figure.axes, pictures(figure), range(6, 66, 10), strict=True):
        while game.tick < tick:
            game.step(names["LEFT"])
        assert np.array_equal(picture, game.frame())
        assert ax.get_title() == f"{tick / 60:.1f} s"


def test_lesson_01_draws_the_measured_rates_and_the_three_runs(run):
    lesson = run("01")
    (rates,) = lesson.figures["rates-plot"]
    bars = [bar.get_width() for bar in rates.axes[0].patches]
    lines = data_path("capture_rates.csv").read_text().splitlines()[1:]
    assert bars == sorted([float(line.split(",")[1]) for line in lines], reverse=True)
    assert rates.axes[0].get_xscale() == "log"
    (curves,) = lesson.figures["train-plot"]
    first, again, other = [line.get_ydata() for line in curves.axes[0].lines]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first[-1] < first[0]


@pytest.fixture(scope="module")
def lesson_02(run):
    with pytest.MonkeyPatch.context() as patch:
        made = []

        def interact(function, **sliders):
            made.append(ipywidgets.interactive(function, **sliders))
            return function

        patch.setattr(ipywidgets, "interact", interact)
        lesson = run("02")
        lesson.widgets = made
    return lesson


def test_lesson_02_frames_the_games_window(lesson_02):
    (figure,) = lesson_02.figures["desktop"]
    (frame,) = figure.axes[0].patches
    left, top, width, height = (int(n) for n in (*frame.get_xy(), frame.get_width(), frame.get_height()))
    picture = pictures(figure)[0]
    assert (width, height) == (256, 256)
    inside = np.asarray(picture)[top : top + height, left : left + width].astype(int)
    sky = Catch(5).frame().astype(int)[40:200, 20:60]  # no ball there, no count
    assert np.abs(inside[40:200, 20:60] - sky).mean() < 4  # 128 colours only


def test_lesson_02_timeline_shows_actions_keys_and_captures(lesson_02):
    slow, fast = lesson_02.figures["timeline"]
    actions, tick = lesson_02.names["actions"], lesson_02.names["TICK"]
    colours = lesson_02.names["COLOURS"]
    for figure in (slow, fast):
        bars = figure.axes[0].patches
        upper, held = bars[::2], bars[1::2]
        for frame, (bar, key) in enumerate(zip(upper, held, strict=True), start=82):
            assert bar.get_x() == pytest.approx(frame * tick)
            assert key.get_x() == pytest.approx(frame * tick + 5)
            expected = plt.matplotlib.colors.to_rgba(colours[actions[frame]])
            assert bar.get_facecolor() == key.get_facecolor() == expected
    wrong = [len(figure.axes[0].lines[2].get_xdata()) for figure in (slow, fast)]
    assert wrong[0] > 0
    assert wrong[1] == 0


def test_lesson_02_slider_draws_another_timeline(lesson_02):
    (widget,) = lesson_02.widgets
    rate, delay, *_ = widget.children
    plt.close("all")
    widget.update()
    before = Run.take_figures()
    rate.value = 30
    (after,) = Run.take_figures()
    assert len(before) == 1
    assert "30 captures a second" in after.axes[0].get_title()
    delay.value = 12
    (later,) = Run.take_figures()
    assert "keys 12 ms after" in later.axes[0].get_title()


def test_lesson_02_looks_at_its_recordings(lesson_02):
    (look,) = lesson_02.figures["look"]
    episode = lesson_02.names["episode"]
    for picture in pictures(look):
        assert (episode.frames == picture).all(axis=(1, 2, 3)).any()
    (compare,) = lesson_02.figures["compare-files"]
    recorded, video, difference = pictures(compare)
    assert np.array_equal(difference, np.abs(video.astype(int) - recorded).max(axis=2))
    assert difference.max() > 0


@pytest.mark.desktop
def test_lesson_02_has_the_same_outputs_in_a_real_window(display):
    """Here its games open for real, on the tests' own display; what is stored was made without one."""
    (notebook,) = find_lessons(NOTEBOOKS, ["02"])
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    env = {**os.environ, **NEUTRAL}
    run = subprocess.run([*command, str(notebook)], cwd=ROOT, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
    assert Path(notebook).exists()
