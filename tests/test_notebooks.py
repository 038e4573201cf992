"""The lessons as they are stored, and what nbval does not look at: order, figures, widgets, the text that is shown."""

import ast
import builtins
import contextlib
import io
import os
import re
import statistics
import subprocess
import sys
import types
from datetime import datetime
from pathlib import Path

import ipywidgets
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch

from dlsteps.authoring.build import Lesson
from dlsteps.authoring.editions import ROOT, is_exercise, learner_edition
from dlsteps.authoring.execute import NEUTRAL, find_lessons
from dlsteps.authoring.source import parse, read_lesson
from dlsteps.capture import windows
from dlsteps.data import data_path
from dlsteps.exercises.engine import find_exercise, find_quiz
from dlsteps.game import Catch, score
from dlsteps.training.callbacks import EVENTS

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
    """(lesson, module file, its lines) for each function or method of dlsteps marked as shown in a lesson."""
    for file in sorted((ROOT / "src" / "dlsteps").rglob("*.py")):
        lines = file.read_text(encoding="utf8").splitlines()
        for number, line in enumerate(lines):
            if mark := re.fullmatch(r" *# lesson (\d\d)", line):
                found = ast.walk(ast.parse("\n".join(lines)))
                (node, *_) = [node for node in found if getattr(node, "lineno", None) == number + 2]
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
        module = sys.modules["lesson"] = types.ModuleType("lesson")  # known by name, so that its classes can be pickled
        self.names, self.figures = vars(module), {}
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
        for lesson in runs.values():
            if "temporary" in lesson.names:  # otherwise its folder goes with the interpreter, and with a warning
                lesson.names["temporary"].cleanup()


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
def run_with_widgets(run):
    """The same, and the lesson's `widgets` are what it handed to `interact`."""

    def run_whole(name):
        with pytest.MonkeyPatch.context() as patch:
            made = []

            def interact(function, **controls):
                made.append(ipywidgets.interactive(function, **controls))
                return function

            patch.setattr(ipywidgets, "interact", interact)
            lesson = run(name)
            lesson.widgets = made
        return lesson

    return run_whole


def redraw(widget, **values):
    """What a widget from `interact` draws with other values of its controls, by their names."""
    controls = {control._kwarg: control for control in widget.kwargs_widgets}
    plt.close("all")
    with contextlib.ExitStack() as held:
        for name in values:
            held.enter_context(controls[name].hold_trait_notifications())
            controls[name].value = values[name]
    plt.close("all")
    widget.update()
    (figure,) = Run.take_figures()
    return figure


@pytest.fixture(scope="module")
def lesson_02(run_with_widgets):
    return run_with_widgets("02")


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


@pytest.fixture(scope="module")
def lesson_03(run_with_widgets):
    return run_with_widgets("03")


def fetched(figure):
    """{row: [(sample number, colour)]} of a drawing of who fetched what."""
    rows = {}
    for box, text in zip(figure.axes[0].patches, figure.axes[0].texts, strict=True):
        rows.setdefault(round(box.get_y()), []).append((int(text.get_text()), box.get_facecolor()))
    return rows


def test_lesson_03_draws_which_worker_fetched_which_batch(lesson_03):
    (figure,) = lesson_03.figures["explorer"]
    rows = fetched(figure)
    numbers = [number for row in rows.values() for number, _ in row]
    assert sorted(numbers) == list(range(40))
    assert numbers != sorted(numbers)
    workers = [{colour for _, colour in row} for row in rows.values()]
    assert all(len(colours) == 1 for colours in workers)  # whole batches
    assert workers[::2] == [workers[0]] * 4  # in turn
    assert workers[1::2] == [workers[1]] * 3
    assert workers[0] != workers[1]


def test_lesson_03_sliders_change_order_and_workers(lesson_03):
    (widget,) = lesson_03.widgets
    before = fetched(redraw(widget))
    other_workers = fetched(redraw(widget, num_workers=0))
    assert [[n for n, _ in row] for row in before.values()] == [[n for n, _ in row] for row in other_workers.values()]
    assert len({colour for row in other_workers.values() for _, colour in row}) == 1
    in_order = fetched(redraw(widget, shuffle=False, drop_last=True))
    assert [n for row in in_order.values() for n, _ in row] == list(range(36))


def test_lesson_03_shows_batches_and_twins(lesson_03):
    (balance,) = lesson_03.figures["weighted-plot"]
    shares = []
    for ax in balance.axes:
        heights = np.array([bar.get_height() for bar in ax.patches]).reshape(3, 25)
        assert (heights.sum(axis=0) == 64).all()
        shares.append(heights.mean(axis=1) / 64)
    assert np.abs(shares[1] - 1 / 3).max() < 0.05 < np.abs(shares[0] - 1 / 3).max()
    (twins,) = lesson_03.figures["neighbours"]
    for ax, picture in zip(twins.axes, pictures(twins), strict=True):
        number = int(ax.get_title().split()[1])
        assert np.array_equal(picture, lesson_03.names["minute"][number][0][3:].permute(1, 2, 0).numpy())


@pytest.fixture(scope="module")
def lesson_04(run_with_widgets):
    return run_with_widgets("04")


def test_lesson_04_shows_what_each_operation_does(lesson_04):
    (gallery,) = lesson_04.figures["gallery"]
    cat = np.asarray(lesson_04.names["cat"])
    shown = dict(zip([ax.get_title() for ax in gallery.axes], map(np.asarray, pictures(gallery)), strict=True))
    assert shown["Resize(48)"].shape == (48, 72, 3)
    assert np.array_equal(shown["RandomHorizontalFlip(p=1)"], cat[:, ::-1])
    assert len({picture.tobytes() for picture in shown.values()}) == 8


def is_green(ax):
    return ax.title.get_color() == "#009E73"


def test_lesson_04_marks_the_answers_that_are_no_longer_true(lesson_04):
    (figure,) = lesson_04.figures["playground-draw"]
    marked = {ax.get_xlabel(): (ax.get_title(), is_green(ax)) for ax in figure.axes}
    answer, _ = marked["shift"]
    other = {"left": "right", "right": "left"}[answer]
    assert marked["flip"] == (answer, False)
    assert marked["flip, swap the label"] == (other, True)
    assert not marked["rotate"][1]
    assert marked["shift"][1]
    assert marked["darker"][1]
    assert marked["other colours"][1]
    (widget,) = lesson_04.widgets
    turned = [redraw(widget, operation="rotate", strength=strength).axes[1] for strength in (0, 0.6)]
    assert [is_green(ax) for ax in turned] == [True, False]
    kept, flipped = (redraw(widget, operation="flip", strength=s) for s in (0, 1))
    before, after = pictures(flipped)
    assert np.array_equal(before[:, ::-1], after)
    assert len(kept.axes) == 2


def test_lesson_04_swaps_label_and_picture_together(lesson_04):
    (figure,) = lesson_04.figures["theme-transforms"]
    titles = {ax.get_title() for ax in figure.axes}
    assert titles == {"left", "right"}  # one sample
    names = lesson_04.names
    means = names["scores"].mean(axis=1)  # (ways, themes)
    (bars,) = lesson_04.figures["augment-plot"]
    heights = np.array([bar.get_height() for bar in bars.axes[0].patches]).reshape(means.T.shape)
    assert np.allclose(heights.T, means)


@pytest.mark.parametrize(("action", "scored"), [(0, "-0.07"), (1, "-0.03"), (2, "-0.07")])
def test_lesson_04_says_what_players_score_that_always_do_the_same(action, scored):
    assert f"{score(lambda frame: action, level=1, seeds=range(10)).mean:.2f}" == scored


@pytest.fixture(scope="module")
def lesson_05(run):
    return run("05")


def test_lesson_05_draws_what_its_numbers_say(lesson_05):
    (three,) = lesson_05.figures["interpolation"]
    assert [ax.images[0].get_interpolation() for ax in three.axes] == ["nearest", "bilinear", "bicubic"]
    (anatomy,) = lesson_05.figures["anatomy"]
    first = anatomy.axes[0].get_position()
    arrows = {text.get_text().split("=")[0].strip(): text for text in anatomy.axes[-1].texts if "=" in text.get_text()}
    assert set(arrows) == {"left", "right", "bottom", "top", "wspace", "hspace"}
    ends = [(text.xy, text.get_position()) for text in anatomy.axes[-1].texts if "=" not in text.get_text()]
    assert ends[0][0][0] == pytest.approx(first.x0)
    assert ends[3][0][1] == pytest.approx(first.y1)
    (portrait,) = lesson_05.figures["portrait"]
    assert portrait.axes[1].images[0].get_clip_path() is not None


def test_lesson_05_finds_the_black_frame_and_the_wrong_labels(lesson_05):
    names = lesson_05.names
    (extremes,) = lesson_05.figures["extremes"]
    assert extremes.axes[0].get_title() == "frame 0"
    assert pictures(extremes)[0].max() == 0
    assert pictures(extremes)[1].max() > 0
    (suspicion,) = lesson_05.figures["suspicion-plot"]
    orange = [ax.title.get_color() == "#D55E00" for ax in suspicion.axes]
    assert 4 <= sum(orange) < 16
    labels = names["labels"]
    original = [ax.get_title() for ax, spoiled in zip(suspicion.axes, orange, strict=True) if not spoiled]
    assert {title[0] for title in original} <= {str(label) for label in labels.unique().tolist()}
    (curve,) = lesson_05.figures["search-curve"]
    assert len(curve.axes[0].lines) == 20


def test_lesson_05_browser_shows_the_frame_of_the_slider(lesson_05):
    names = lesson_05.names
    Run.take_figures()
    names["slider"].value = 100
    (figure,) = Run.take_figures()
    assert np.array_equal(figure.axes[0].images[0].get_array(), names["episode"].frames[100])
    assert figure.axes[1].get_title() == f"keys held: {names['episode'].keys[100] or 'none'}"
    bars = figure.axes[1].patches
    assert len(bars) == 91
    expected = plt.matplotlib.colors.to_rgba(names["COLOURS"][names["episode"].actions[100]])
    assert bars[45].get_facecolor() == expected


@pytest.fixture(scope="module")
def lesson_06(run):
    return run("06")


def test_lesson_06_draws_the_edges_and_the_receptive_field(lesson_06):
    names = lesson_06.names
    (edges,) = lesson_06.figures["edge-plot"]
    grey, _, found = (np.asarray(picture) for picture in pictures(edges))
    steps = grey[:, 2:] - grey[:, :-2]  # right of a pixel minus left of it
    expected = np.clip(steps[:-2] + steps[1:-1] + steps[2:], 0, None)
    assert np.allclose(found, expected, atol=1e-5)
    (field,) = lesson_06.figures["trace-plot"]
    rows, columns = np.nonzero(pictures(field)[0])
    (box,) = field.axes[1].patches
    assert {np.ptp(rows) + 1, np.ptp(columns) + 1, box.get_width(), box.get_height()} == {17}
    assert names["blocks"][-1].field == 851


def test_lesson_06_draws_what_the_layers_cost(lesson_06):
    (costs,) = lesson_06.figures["cost-plot"]
    bars = [bar.get_height() for bar in costs.axes[0].patches]
    assert sum(bars[:5]) == pytest.approx(1)
    assert sum(bars[5:]) == pytest.approx(1)
    assert bars[3] == pytest.approx(262_272 / 278_883)  # the linear layer's share of the five layers' parameters
    (drawing,) = lesson_06.figures["drawing"]
    boxes = drawing.axes[0].patches
    assert [box.get_height() for box in boxes[::9]] == [112, 14, 1]  # stem, block 8, head
    channels = [int(text.get_text().split()[0]) for text in drawing.axes[0].texts]
    assert len(channels) == len(boxes) == 1 + 16 + 2
    assert [box.get_width() for box in boxes] == pytest.approx([14 + count / 12 for count in channels])
    heights = [bar.get_height() for bar in drawing.axes[1].patches]
    assert [sum(heights[:19]), sum(heights[19:])] == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "sizes 16 → 8 → 4: the number on top sees 7 pixels"),
        ({"stride": 1, "layers": 4}, "sizes 16 → 16 → 16 → 16 → 16: the number on top sees 9 pixels"),
        ({"kernel_size": 5, "padding": 0}, "sizes 16 → 6 → 1: the number on top sees 13 pixels"),
        ({"kernel_size": 5, "padding": 0, "layers": 4}, "sizes 16 → 6 → 1: the number on top sees 13 pixels"),
        ({"kernel_size": 1, "padding": 0, "stride": 1}, "sizes 16 → 16 → 16: the number on top sees 1 pixels"),
    ],
)
def test_lesson_06_shape_explorer_draws_other_layers(lesson_06, changes, title):
    sliders = lesson_06.names["sliders"]
    Run.take_figures()
    for name, value in ({"kernel_size": 3, "stride": 2, "padding": 1, "layers": 1} | changes).items():
        sliders[name].value = value
    Run.take_figures()
    sliders["layers"].value = 5 - sliders["layers"].value  # so that the last change is always one
    Run.take_figures()
    sliders["layers"].value = ({"layers": 2} | changes)["layers"]
    (figure,) = Run.take_figures()
    assert figure.axes[0].get_title() == title


@pytest.fixture(scope="module")
def lesson_07(run):
    return run("07")


def test_lesson_07_draws_the_answers_and_the_measured_accuracies(lesson_07):
    names = lesson_07.names
    (figure,) = lesson_07.figures["top5-plot"]
    bars = [ax for ax in figure.axes if ax.patches]
    for ax, answer in zip(bars, names["answers"], strict=True):
        assert [text.get_text() for text in ax.texts] == [name for name, _ in answer[::-1]]
        assert [bar.get_width() for bar in ax.patches] == pytest.approx([value for _, value in answer[::-1]])
    (chart,) = lesson_07.figures["chart-plot"]
    for ax in chart.axes:
        for bars in ax.containers:
            if not hasattr(bars, "patches"):
                continue  # the error bars
            for bar, count in zip(bars.patches, ("5", "20"), strict=True):
                key = (ax.get_title(), bars.get_label(), count)
                values = [
                    float(row["accuracy"])
                    for row in names["rows"]
                    if (row["data"], row["way"], row["of_each_class"]) == key
                ]
                assert len(values) == 5
                assert bar.get_height() == pytest.approx(np.mean(values))


def test_lesson_07_classifier_takes_a_photo_from_the_menu_or_from_a_file(lesson_07, capsys):
    names = lesson_07.names
    Run.take_figures()
    names["menu"].value = "rocket"
    (figure,) = Run.take_figures()
    assert figure.axes[1].get_title() == "missile: 37%"
    file = io.BytesIO()
    names["photos"]["cat"].save(file, "PNG")
    upload(names["upload"], "cat.png", file.getvalue())
    (figure,) = Run.take_figures()
    assert "cat" in figure.axes[1].get_title()
    upload(names["upload"], "notes.txt", b"no picture")
    assert Run.take_figures() == []
    said = capsys.readouterr().out.splitlines()[-1]  # outside a kernel, an Output prints; clearing it, too
    assert said.endswith("notes.txt is not a picture that can be read: choose a JPEG or PNG file")


def upload(widget, name, content):
    """What the browser does when somebody chooses a file."""
    file = {"name": name, "type": "", "size": len(content), "content": content, "last_modified": datetime.now()}
    widget.value = (file,)


@pytest.fixture(scope="module")
def lesson_08(run):
    return run("08")


def test_lesson_08_draws_the_measured_runs(lesson_08):
    runs = lesson_08.names["runs"]
    (figure,) = lesson_08.figures["rate-plot"]
    curves, *measured = figure.axes
    assert len(curves.lines) == 3
    for line in curves.lines:
        key = ("constant", float(line.get_label()), "0")
        (run,) = [run for run in runs if (run["schedule"], float(run["rate"]), run["seed"]) == key]
        assert line.get_ydata().tolist() == [float(loss) for loss in run["train_losses"].split()]
        assert line.get_xdata()[-1] == 10
    for ax, what in zip(measured, ("valid_loss", "score"), strict=True):
        assert [bars.get_label() for bars in ax.containers] == ["constant", "one cycle"]
        for bars in ax.containers:
            for rate, height in zip(*bars.lines[0].get_data(), strict=True):
                key = (bars.get_label(), rate)
                values = [float(run[what]) for run in runs if (run["schedule"], float(run["rate"])) == key]
                assert len(values) == 5
                assert height == pytest.approx(np.mean(values))


def test_lesson_08_slider_shows_the_curve_of_the_chosen_run(lesson_08):
    names, controls = lesson_08.names, lesson_08.names["controls"]
    for rate in (3e-5, 1e-1):
        for schedule in ("one cycle", "constant"):
            controls["rate"].value = rate
            Run.take_figures()
            controls["schedule"].value = schedule
            (figure,) = Run.take_figures()
            (ax,) = figure.axes
            run = names["find"](schedule, rate)[0]
            assert ax.lines[-1].get_ydata().tolist() == [float(loss) for loss in run["train_losses"].split()]
            assert ax.get_title().startswith(f"learning rate {rate:g}, {schedule}: score ")


def test_lesson_08_shows_the_events_of_the_trainer(lesson_08):
    assert lesson_08.names["EVENTS"] == EVENTS


def test_lesson_08_draws_the_history_of_its_agent(lesson_08):
    names = lesson_08.names
    (figure,) = lesson_08.figures["agent-plot"]
    for ax, what in zip(figure.axes, ("loss", "accuracy"), strict=True):
        for line, part in zip(ax.lines, ("train", "valid"), strict=True):
            assert line.get_ydata().tolist() == names["history"][f"{part}_{what}"]
    assert len(names["history"]) == 10


@pytest.fixture(scope="module")
def lesson_10(run):
    return run("10")


def test_lesson_10_draws_the_histories_that_were_recorded(lesson_10):
    (figure,) = lesson_10.figures["histories-plot"]
    panels = iter(figure.axes)
    for run in ("calm", "hasty"):
        values = lesson_10.names["histories"][run].values
        for what in ("gradient", "update", "output", "dead"):
            lines = next(panels).lines
            assert [line.get_label() for line in lines] == list(values[what])
            assert [line.get_ydata().tolist() for line in lines] == list(values[what].values())


def test_lesson_10_says_what_the_histories_show(lesson_10):
    histories = lesson_10.names["histories"]
    updates, dead = (
        {run: histories[run].values[what][name] for run in histories}
        for what, name in [("update", "feature_extractor.10.weight"), ("dead", "feature_extractor.11")]
    )
    assert updates["hasty"][0] > 0.5 > 10 * updates["calm"][0] / 2
    assert dead["hasty"][0] < 0.1 < 0.6 < dead["hasty"][5] < 1
    assert dead["hasty"][-1] > 1.5 * dead["calm"][-1]


def test_lesson_10_shows_what_excites_a_channel(lesson_10):
    (figure,) = lesson_10.figures["patches"]
    names = lesson_10.names
    assert len(figure.axes) == 80
    with torch.no_grad():
        front = names["network_after"]("calm", 4).feature_extractor[:9]
    first = figure.axes[0].images[0].get_array()
    answers = names["answers"]["trained"][:, 0].flatten(1)  # (717, 64)
    frame = int(answers.max(dim=1).values.argmax())
    place = int(answers[frame].argmax())
    top, left = 8 * (place // 8), 8 * (place % 8)
    np.testing.assert_array_equal(first, names["padded"][frame, :, top : top + 17, left : left + 17].permute(1, 2, 0))
    x = names["valid_x"][frame : frame + 1].clone().requires_grad_()  # which pixels it looks at, by their gradients
    front(x)[0, 0].flatten()[place].backward()
    rows, columns = torch.where(x.grad[0].abs().sum(dim=0) > 0)
    assert top - 8 <= rows.min() <= rows.max() < top + 9
    assert left - 8 <= columns.min() <= columns.max() < left + 9


def test_lesson_10_occlusion_is_that_of_a_loop(lesson_10):
    names = lesson_10.names
    model, x = names["network_after"]("hasty", 4), names["moment"]
    found = names["occlusion"](model, x, 1)
    for i, j in [(0, 0), (3, 12), (15, 7)]:
        covered = x.clone()
        covered[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4] = x.mean(dim=(1, 2))[:, None, None]
        with torch.no_grad():
            assert found[i, j].item() == pytest.approx((model(x[None]) - model(covered[None]))[0, 1].item(), abs=1e-4)


def test_lesson_10_slider_goes_through_the_epochs(lesson_10):
    names, controls = lesson_10.names, lesson_10.names["controls"]
    controls["run"].value = "hasty"
    for epoch in (4, 1):
        Run.take_figures()
        controls["epoch"].value = epoch
        (figure,) = Run.take_figures()
        bars, gradient, _ = figure.axes
        network = names["network_after"]("hasty", epoch)
        action = names["decide"](network, names["moment"])
        expected = names["saliency"](network, names["moment"], action)
        np.testing.assert_array_equal(gradient.images[0].get_array(), expected)
        assert bars.get_title() == f"hasty, epoch {epoch}: {sum(bar.get_height() > 0 for bar in bars.patches)} features"


@pytest.fixture(scope="module")
def lesson_11(run):
    return run("11")


def test_lesson_11_draws_its_runs(lesson_11):
    names = lesson_11.names
    for cell, history in [("train-plot", names["history"]), ("augmented", names["augmented"].history)]:
        (figure,) = lesson_11.figures[cell]
        for ax, what in zip(figure.axes, ("loss", "accuracy"), strict=True):
            for line, part in zip(ax.lines, ("train", "valid"), strict=False):
                assert line.get_ydata().tolist() == history[f"{part}_{what}"][:32]


def test_lesson_11_overfits_on_purpose(lesson_11):
    history, lowest = lesson_11.names["history"], lesson_11.names["lowest"]
    assert history["valid_loss"][31] > 2 * history["valid_loss"][lowest - 1]
    assert history["train_loss"][31] < 0.1


def test_lesson_11_slider_stops_where_patience_ends(lesson_11):
    names, controls = lesson_11.names, lesson_11.names["controls"]
    for training, patience, min_delta in [(0, 1, 0.0), (3, 4, 0.03), (7, 15, 0.3)]:
        controls["training"].value, controls["patience"].value = training, patience
        Run.take_figures()
        controls["min_delta"].value = 0.01
        controls["min_delta"].value = min_delta
        figure = Run.take_figures()[-1]
        losses = names["curve"](names["restless"][training], "valid")
        lowest, best, stop = np.inf, 0, len(losses)
        for epoch, loss in enumerate(losses, 1):
            if loss < lowest - min_delta:
                lowest, best = loss, epoch
            elif epoch - best == patience:
                stop = epoch
                break
        labels = figure.axes[0].get_legend_handles_labels()[1]
        assert labels[-2:] == [f"kept: epoch {best}", f"stops after epoch {stop}"]


def test_lesson_11_draws_what_was_measured(lesson_11):
    names = lesson_11.names
    (figure,) = lesson_11.figures["flatter-plot"]
    for ax, size in zip(figure.axes, ("100", "1000"), strict=True):
        rows = [row for row in names["splits"] if row["size"] == size]
        expected = [np.mean([float(row[name]) for row in rows]) for name in ("valid_best", "third_best", "third_last")]
        assert ax.lines[0].get_ydata().tolist() == pytest.approx(expected)
        assert len(rows) == 100
    (figure,) = lesson_11.figures["ways-plot"]
    for ax, column in zip(figure.axes, ("third_loss", "third_accuracy", "score"), strict=True):
        for bars, which in zip(ax.containers, ("last", "best"), strict=True):
            for mean, way in zip(bars.lines[0].get_xdata(), names["chosen"], strict=True):
                key = (way, names["chosen"][way])
                values = [
                    float(row[f"{column}_{which}"]) for row in names["rows"] if (row["way"], row["strength"]) == key
                ]
                assert len(values) == 10
                assert mean == pytest.approx(np.mean(values))


def test_lesson_12_draws_a_run_and_what_became_of_it_after_a_crash(run):
    """And the drawing shows what the lesson says: a jump that goes away, and an end that is worse."""
    (figure,) = run("12").figures["digits-plot"]
    straight, resumed, no_optimizer, weights_alone, crash = figure.axes[0].lines
    assert crash.get_xdata()[0] == 96
    assert straight.get_ydata()[12:].tolist() == resumed.get_ydata().tolist()
    for line in (resumed, no_optimizer, weights_alone):
        assert line.get_xdata().tolist() == straight.get_xdata()[12:].tolist()
    assert no_optimizer.get_ydata()[:4].mean() > 1.2 * resumed.get_ydata()[:4].mean()
    assert no_optimizer.get_ydata()[-6:].mean() == pytest.approx(resumed.get_ydata()[-6:].mean(), rel=0.2)
    assert weights_alone.get_ydata()[-6:].mean() > 1.2 * resumed.get_ydata()[-6:].mean()


@pytest.mark.desktop
def test_lesson_02_has_the_same_outputs_in_a_real_window(display):
    """Here its games open for real, on the tests' own display; what is stored was made without one."""
    (notebook,) = find_lessons(NOTEBOOKS, ["02"])
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    env = {**os.environ, **NEUTRAL}
    run = subprocess.run([*command, str(notebook)], cwd=ROOT, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]
    assert Path(notebook).exists()
