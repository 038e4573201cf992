"""The builder: one source, many editions, and one line for everything that is wrong with a source."""

import json
import re
import shutil

import nbformat
import pytest

from dlsteps.authoring.build import Lesson, build_lessons
from dlsteps.authoring.editions import ROOT, find_inputs, inputs_hash, learner_edition
from dlsteps.authoring.execute import execute, find_lessons
from dlsteps.authoring.source import (
    Cell,
    SourceError,
    cell_problems,
    english_hash,
    parse,
    read_lesson,
    read_translation,
)

SOURCE = '''# A word to authors.

# %% [markdown] id="title"
# # 03 · Two

# %% id="imports" tags=["setup"]
import math

# %% [markdown] id="text"
# What is it?

# %% id="show"
print(math.sqrt(4))

# %% id="fail" tags=["raises-exception"]
1 / 0

# %% [markdown] id="ex-1"
# ### Exercise 3.1 · Double (easy, 1 minute)

# %% id="ex-1-answer"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    y = x
    return math.floor(y + y)
    ### END SOLUTION


# %% id="ex-1-check"
try:
    print(double(2))
except NotImplementedError:
    print("not yet")

# %% [markdown] id="ex-1-why"
# Adding does it.

# %% [markdown] id="end"
# The end.
'''
CHINESE = {"title": "# 03 · 二", "text": "这是什么？", "ex-1": "### 练习 3.1 · 加倍", "end": "完。"}


@pytest.fixture
def lesson(tmp_path):
    """A small lesson with its translation, not built yet."""
    (tmp_path / "source" / "zh").mkdir(parents=True)
    (tmp_path / "source" / "03_two.py").write_text(SOURCE)
    lesson = Lesson(tmp_path / "source" / "03_two.py", tmp_path)
    write_translation(lesson, CHINESE)
    return lesson


def write_translation(lesson, texts):
    english = {cell.id: cell.source for cell in read_lesson(lesson.source)}
    blocks = [
        f"<!-- cell: {name} en: {english_hash(english.get(name, ''))} -->\n{text}\n" for name, text in texts.items()
    ]
    lesson.translation.write_text("<!-- to translators -->\n\n" + "\n".join(blocks), encoding="utf8")


@pytest.fixture
def built(lesson):
    assert lesson.build()[1] == []
    return lesson


def edit(path, old, new):
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf8")


def read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook, {cell.id: cell for cell in notebook.cells}


def contents(lesson):
    return {path: path.read_bytes() for path in (lesson.learner, lesson.solutions, lesson.chinese)}


def test_the_three_editions(built):
    learner, cells = read(built.learner)
    assert list(cells) == ["title", "imports", "text", "show", "fail", "ex-1", "ex-1-answer", "ex-1-check", "end"]
    assert cells["ex-1-answer"].source == 'def double(x):\n    """Twice x."""\n    raise NotImplementedError'
    assert [cell.execution_count for cell in learner.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert cells["show"].outputs[0].text == "2.0\n"
    assert cells["fail"].outputs[0].evalue == "division by zero"
    assert cells["ex-1-check"].outputs[0].text == "not yet\n"

    _, solved = read(built.solutions)
    assert list(solved) == ["title", "imports", "ex-1", "ex-1-answer", "ex-1-check", "ex-1-why"]
    assert solved["title"].source.splitlines()[0] == "# 03 · Two: solutions"
    assert solved["ex-1-answer"].source.endswith('"""Twice x."""\n    y = x\n    return math.floor(y + y)')
    assert solved["ex-1-check"].outputs[0].text == "4\n"

    chinese, texts = read(built.chinese)
    assert {name: texts[name].source for name in CHINESE} == CHINESE
    assert [c for c in chinese.cells if c.cell_type == "code"] == [c for c in learner.cells if c.cell_type == "code"]


def test_building_again_changes_no_byte_and_executes_nothing(built, monkeypatch):
    before = contents(built)
    monkeypatch.setattr(Lesson, "_execute", lambda *_: pytest.fail("executed"))
    assert built.build() == ("unchanged", [])
    assert built.check() == ("checked", [])
    assert contents(built) == before


def test_building_anew_gives_the_same_bytes(built):
    before = contents(built)
    for path in before:
        path.unlink()
    built.build()
    assert contents(built) == before


def test_a_word_in_the_text_needs_no_execution_and_a_word_in_the_code_does(built, monkeypatch):
    executed, run = [], Lesson._execute
    monkeypatch.setattr(Lesson, "_execute", lambda self, path, cells: executed.append(path) or run(self, path, cells))
    edit(built.source, "The end.", "An end.")
    assert built.check()[1][-1] == f"{built.learner}: is not what its source says: run course.py build"
    built.build()
    assert executed == []
    assert read(built.learner)[1]["end"].source == "An end."
    edit(built.source, "math.sqrt(4)", "math.sqrt(9)")
    with pytest.raises(SourceError, match="its code, or what this imports, changed since: run course.py build"):
        built.check()
    built.build()
    assert executed == [built.learner]  # the solutions do not show that cell
    assert read(built.learner)[1]["show"].outputs[0].text == "3.0\n"


def test_only_the_lesson_that_changed_is_built(built, monkeypatch, capsys):
    shutil.copy(built.source, other := built.source.with_name("04_other.py"))
    shutil.copy(built.translation, built.translation.with_name("04_other.md"))
    sources = find_lessons(built.source.parent, suffix=".py")
    assert build_lessons(sources, built.learner.parent) == 0
    edit(other, "What is it?", "What is that?")
    capsys.readouterr()
    build_lessons(sources, built.learner.parent)
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"03_two: unchanged \(\d\.\d s\)", lines[0])
    assert re.fullmatch(r"04_other: wrote \S+04_other.ipynb \(\d\.\d s\)", lines[1])


def test_a_translation_whose_english_changed_is_stale(built):
    edit(built.source, "What is it?", "What was it?")
    _, problems = built.build()
    now = english_hash("What was it?")
    line = f"{built.translation}, cell 'text': the English has changed since: translate it again, then write en: {now}"
    assert problems == [line]
    assert built.check()[1] == [line]
    edit(built.translation, english_hash("What is it?"), now)
    assert built.check() == ("checked", [])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {**CHINESE, "txet": "这"},
            "cell 'txet': there is no such markdown cell in the English lesson (nearest: 'text')",
        ),
        ({"title": "# 二", "text": "这", "end": "完"}, "cell 'ex-1': not translated"),
        ({**CHINESE, "ex-1-why": "加"}, "cell 'ex-1-why': there is no such markdown cell in the English lesson"),
        ({**CHINESE, "show": "二"}, "cell 'show': there is no such markdown cell in the English lesson"),
    ],
)
def test_a_translation_that_does_not_fit_stops_the_chinese_edition_only(lesson, texts, message):
    write_translation(lesson, texts)
    done, problems = lesson.build()
    assert problems[0].startswith(f"{lesson.translation}, {message}")
    assert len(problems) == 1
    assert lesson.learner.exists()
    assert not lesson.chinese.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("你好\n<!-- cell: a -->\n甲", "there is text before the first '<!-- cell: ID en: HASH -->'"),
        ("<!-- cell a -->\n甲", "'<!-- cell a -->': write '<!-- cell: ID en: HASH -->'"),
        ("<!-- cell: a en: 1 -->\n甲", "'<!-- cell: a en: 1 -->': write '<!-- cell: ID en: HASH -->'"),
        ("<!-- cell: a -->\n甲\n<!-- cell: a -->\n乙", "cell 'a': translated twice"),
    ],
)
def test_a_translation_that_cannot_be_read(tmp_path, text, message):
    path = tmp_path / "03_two.md"
    path.write_text(text, encoding="utf8")
    with pytest.raises(SourceError) as error:
        read_translation(path, [Cell("a", "markdown", "a")])
    assert message in error.value.problems[0]


def test_without_a_translation_that_is_said(lesson):
    lesson.translation.unlink()
    assert lesson.build()[1] == [f"{lesson.translation}: there is no Chinese edition yet"]


def test_a_translation_may_leave_out_the_hash_and_is_told_it(lesson):
    edit(lesson.translation, f" en: {english_hash('What is it?')}", "")
    assert f"write en: {english_hash('What is it?')}" in lesson.build()[1][0]


def test_the_hash_is_that_of_the_design():
    """As the design's example of a translation has it for this English text."""
    text = "`False`. Every weight was restored, and still another network came out. So a run is more than its weights."
    assert english_hash(f"{text} What else\ndid the crash take?") == "18929ce9"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (Cell(None, "code", "1"), "has no id"),
        (Cell("a b", "code", "1"), "its id may hold letters, digits"),
        (Cell("seen", "code", "1"), "a cell before it has the same id"),
        (Cell("a", "raw", "1"), "unknown cell type 'raw': choose from 'markdown', 'code'"),
        (Cell("a", "code", "1", ("set-up",)), "unknown tag 'set-up' (nearest: 'setup'): choose from 'setup'"),
        (Cell("a", "code", "def f(:"), "line 1: "),
        (
            Cell("a", "code", "def f():\n    ### BEGIN SOLUTION\n    return 1"),
            "line 2: ### BEGIN SOLUTION without its ###",
        ),
        (Cell("a", "code", "def f():\n    return 1\n    ### END SOLUTION"), "line 3: ### END SOLUTION without its ###"),
        (Cell("a", "code", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"), "line 1: a solution stands inside the body"),
        (
            Cell("a", "code", "if 1:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION"),
            "line 2: a solution stands",
        ),
        (
            Cell("a", "code", "### BEGIN SOLUTION\ndef f():\n    return 1\n### END SOLUTION"),
            "line 1: a solution stands",
        ),
        (
            Cell("a", "code", "def f():\n    ### BEGIN SOLUTION\n    return 1\nx = 2\n### END SOLUTION"),
            "a solution stands",
        ),
        (
            Cell("a", "code", "def f():\n    ### BEGIN SOLUTION\n    ### END SOLUTION\n    pass"),
            "a solution stands inside",
        ),
        (
            Cell("a", "code", "def f():\n    ## begin solution\n    return 1"),
            "line 2: '## begin solution' is no marker",
        ),
        (
            Cell("a", "code", "def f():\n    ### END SOLUTIONS\n    return 1"),
            "line 2: '### END SOLUTIONS' is no marker",
        ),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_in_one_line(cell, message):
    problems = list(cell_problems(cell, seen=["seen"]))
    assert any(problem.startswith(message) or message in problem for problem in problems)
    assert all("\n" not in problem for problem in problems)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    if 1:\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION",
        "class A:\n    def f(self):\n        ### BEGIN SOLUTION\n        return 1\n        ### END SOLUTION",
        "class A:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION",
        "%matplotlib inline\n!ls",
    ],
)
def test_nothing_is_wrong_with_these(source):
    assert list(cell_problems(Cell("a", "code", source))) == []


def test_two_solutions_in_one_cell_become_two_stubs():
    half = "def {}():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    (cell,) = learner_edition([Cell("ex-1-answer", "code", half.format("f") + half.format("g"))])
    assert cell.source == "def f():\n    raise NotImplementedError\ndef g():\n    raise NotImplementedError\n"


def test_all_problems_of_a_source_are_named_with_file_and_cell(lesson):
    edit(lesson.source, 'id="show"', 'id="text"')
    edit(lesson.source, '# %% id="imports" tags', "# %% tags")
    edit(lesson.source, "    ### END SOLUTION\n", "")
    with pytest.raises(SourceError) as error:
        lesson.build()
    names = [problem.split(":")[0] for problem in error.value.problems]
    assert names == [f"{lesson.source}, cell {name}" for name in ("3 ('import math')", "'text'", "'ex-1-answer'")]
    assert not lesson.learner.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "print(math.sqrt(4))",
            "print(maths)",
            "cell 'show': raised NameError: name 'maths' is not defined (if that is",
        ),
        ("1 / 0", "1 / 1", "cell 'fail': is tagged raises-exception, but raises nothing"),
        ("1 / 0", "import os; os._exit(1)", "cell 'fail': the kernel died"),
        (
            "print(math.sqrt(4))",
            "import ipywidgets; display(ipywidgets.IntSlider())",
            "cell 'show': shows a widget: tag",
        ),
        (' tags=["setup"]', "", "cell 'ex-1-check': raised NameError: name 'math' is not defined"),  # leaves need setup
    ],
)
def test_a_cell_that_does_not_do_what_it_should_stops_the_build(lesson, old, new, message):
    edit(lesson.source, old, new)
    with pytest.raises(SourceError) as error:
        lesson.build()
    assert error.value.problems[0].startswith(f"{lesson.source}, {message}")
    assert not lesson.learner.exists()


def test_a_widget_leaves_no_view_in_the_notebook(lesson):
    edit(lesson.source, 'id="show"', 'id="show" tags=["nbval-ignore-output"]')
    edit(lesson.source, "print(math.sqrt(4))", "import ipywidgets\nipywidgets.interact(lambda x: print(x), x=(0, 3))")
    lesson.build()
    text = lesson.learner.read_text()
    assert "widget-view" not in text
    assert "model_id" not in text


def test_tracebacks_hold_no_folder_of_this_machine(lesson):
    edit(lesson.source, "1 / 0", "from dlsteps.game import Catch\nCatch(level=7)")
    lesson.build()
    traceback = "".join(read(lesson.learner)[1]["fail"].outputs[0].traceback)
    assert str(ROOT) not in traceback
    assert "src/dlsteps/game/catch.py" in traceback.replace("\\", "/")


def test_a_notebook_edited_by_hand_is_named_and_kept_unless_forced(built):
    notebook, cells = read(built.learner)
    cells["show"].source = "print('mine')"
    nbformat.write(notebook, built.learner)
    before = contents(built)
    edit(built.source, "The end.", "An end.")
    for action in (built.build, built.check):
        with pytest.raises(SourceError) as error:
            action()
        assert error.value.problems == [
            f"{built.learner}, cell 'show': edited by hand: "
            f"move the edit to {built.source}, or build --force overwrites it"
        ]
    assert contents(built) == before
    built.build(force=True)
    assert read(built.learner)[1]["show"].source == "print(math.sqrt(4))"


def test_other_edits_are_noticed_too(built):
    notebook, cells = read(built.chinese)
    notebook.cells.pop(2)
    nbformat.write(notebook, built.chinese)
    built.solutions.write_text("{}")
    with pytest.raises(SourceError) as error:
        built.build()
    assert [problem.split(": ")[0] for problem in error.value.problems] == [
        f"{built.solutions}, cell ? (ValidationError)",
        f"{built.chinese}, cell '?'",
    ]


def test_an_edited_output_is_an_edit(built):
    edit(built.learner, "2.0", "2.1")
    with pytest.raises(SourceError, match="cell 'show': edited by hand"):
        built.check()


def test_a_notebook_without_notes_is_somebody_elses(lesson):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("mine = 1")]), lesson.learner)
    with pytest.raises(SourceError, match="edited by hand"):
        lesson.build()


def test_a_missing_kernel_is_named(built, monkeypatch):
    monkeypatch.setitem(__import__("dlsteps.authoring.editions").authoring.editions.KERNEL, "name", "julia")
    edit(built.source, "math.sqrt(4)", "math.sqrt(9)")
    with pytest.raises(SourceError) as error:
        built.build()
    assert error.value.problems[0].startswith(f"{built.learner}: no Jupyter kernel 'julia': choose from 'python3'")


def test_run_names_a_missing_kernel_and_goes_on(built):
    edit(built.learner, '"name": "python3"', '"name": "julia"')
    row = execute(built.learner)
    assert row["result"].startswith("no Jupyter kernel 'julia': choose from 'python3'")


def test_the_command_ends_with_1_if_anything_was_wrong(built, capsys):
    sources = [built.source]
    assert build_lessons(sources, built.learner.parent, check=True) == 0
    edit(built.source, "The end.", "An end.")
    assert build_lessons(sources, built.learner.parent, check=True) == 1
    err = capsys.readouterr().err
    assert "is not what its source says" in err


def test_inputs_are_followed_through_modules_and_data(tmp_path):
    package = tmp_path / "src" / "dlsteps"
    (package / "part").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rates.csv").write_text("1")
    (tmp_path / "data" / "other.csv").write_text("1")
    (package / "__init__.py").write_text("")
    (package / "part" / "__init__.py").write_text("from dlsteps.deep import value")
    (package / "deep.py").write_text("def value():\n    import dlsteps.lazy")
    (package / "lazy.py").write_text("name = 'rates.csv'")
    (package / "unused.py").write_text("")
    found = {path.relative_to(tmp_path).as_posix() for path in find_inputs([parse("import dlsteps.part")], tmp_path)}
    assert found == {"src/dlsteps/part/__init__.py", "src/dlsteps/__init__.py", "src/dlsteps/deep.py",
                     "src/dlsteps/lazy.py", "data/rates.csv"}  # fmt: skip

    cells = [Cell("a", "code", "import dlsteps.part")]
    before = inputs_hash(cells, "03_two", tmp_path)
    (package / "unused.py").write_text("x = 1")
    (tmp_path / "data" / "other.csv").write_text("2")
    (package / "lazy.py").write_bytes(b"name = 'rates.csv'")
    assert inputs_hash(cells, "03_two", tmp_path) == before
    (tmp_path / "data" / "rates.csv").write_text("2")
    assert inputs_hash(cells, "03_two", tmp_path) != before


def test_notes_are_in_the_metadata(built):
    notes = json.loads(built.learner.read_text())["metadata"]["dlsteps"]
    assert set(notes) == {"cells", "inputs", "source"}
