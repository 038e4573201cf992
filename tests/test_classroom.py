"""The classroom: what a class is handed, and what the notebooks that it hands in are worth."""

import copy
import csv
import importlib
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import wait_for

from dlsteps.authoring.class_edition import NotHandedOut, make_class_edition
from dlsteps.authoring.editions import ROOT, solutions_edition
from dlsteps.authoring.execute import find_lessons
from dlsteps.authoring.grade_notebook import Limits, grade_notebook, read_key
from dlsteps.authoring.grading import grade_folder
from dlsteps.authoring.source import read_lesson

LESSON = "02_screen_to_data"
SOURCE = ROOT / "notebooks" / "source" / f"{LESSON}.py"
HANDED_OUT = nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", as_version=4)
GOOD = {cell.id: cell.source for cell in solutions_edition(read_lesson(SOURCE)) if cell.id.endswith("-answer")}
KEY = read_key(SOURCE)
LIMITS = Limits(seconds=10, memory=1.5)
FULL = {"2.1": 1, "2.2": 2, "2.3": 2, "2.4": 2}


def submission(answers, change=lambda notebook: None):
    """The learner's notebook with these answers by cell id; `change` edits it further."""
    notebook = copy.deepcopy(HANDED_OUT)
    for cell in notebook.cells:
        cell.source = answers.get(cell.id, cell.source)
    change(notebook)
    return json.dumps(notebook)


def edit_the_checks(notebook):
    for cell in notebook.cells:
        if cell.id.endswith("-check"):
            cell.source = f'print("✓ 2.{cell.id[3]} right")'


def delete_an_answer(notebook):
    notebook.cells = [cell for cell in notebook.cells if cell.id != "ex-2-answer"]


def lose_the_ids(notebook):
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]


def change_the_ids(notebook):
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"


HARD_CODED = """def pair(captures):
    seen = {"[(1, ''), (1, 'left'), (2, 'left'), (2, '')]": [(1, "left"), (2, "")], "[]": []}
    return seen.get(repr(captures), captures)"""
CHEAT = """import dlsteps.exercises.engine as engine
engine.assess = lambda *_: engine.Outcome("✓", "", {"en": ""}, {"en": ""})
engine.same = lambda *_: True
def number_segments(times, limit):
    return 1"""
HOG = "hog = [bytearray(b'1') * 10**8 for _ in range(100)]\ndef pair(captures):\n    return []"
SWALLOW = "def pick_title(titles, wanted):\n    while True:\n        try: pass\n        except: pass"


def remove_a_source(notebook):
    next(cell for cell in notebook.cells if cell.id == "ex-1-answer").pop("source")


def use_a_helper(notebook):
    notebook.cells.insert(5, nbformat.v4.new_code_cell("def helper(keys):\n    return 1"))


def answer_elsewhere(notebook):
    notebook.cells.append(nbformat.v4.new_code_cell(GOOD["ex-1-answer"]))


SPECIAL = {  # student: (the notebook, the points that differ from full marks, what has to be in the CSV's last columns)
    "all-right": (submission(GOOD), {}, ""),
    "nothing": (submission({}), dict.fromkeys(FULL, 0), ""),
    "edited-checks": (submission({}, edit_the_checks), dict.fromkeys(FULL, 0), ""),
    "hard-coded": (submission(GOOD | {"ex-3-answer": HARD_CODED}), {"2.3": 0}, "2.3: last"),
    "cheat": (submission(GOOD | {"ex-4-answer": CHEAT}), {"2.4": 0}, "2.4: type"),
    "own-check": (submission(GOOD | {"ex-1-answer": "check = print\naction_of = len"}), {"2.1": 0}, "2.1: one key"),
    "deleted": (submission(GOOD, delete_an_answer), {"2.2": 0}, "2.2: its cell was deleted"),
    "ids-lost": (submission(GOOD, lose_the_ids), {}, "cell ids were lost"),
    "ids-changed": (submission(GOOD, change_the_ids), {}, "cell ids were lost"),
    "corrupt": (submission(GOOD)[:5000], dict.fromkeys(FULL, 0), "cannot be read as a notebook"),
    "no-notebook": ("[1, 2]", dict.fromkeys(FULL, 0), "cannot be read as a notebook"),
    "never-ends": (submission(GOOD | {"ex-1-answer": "while True: pass"}), {"2.1": 0}, "2.1: too long"),
    "never-ends-inside": (submission(GOOD | {"ex-2-answer": SWALLOW}), {"2.2": 0}, "2.2: too long"),
    "quits": (submission(GOOD | {"ex-2-answer": "import os\nos._exit(0)"}), {"2.2": 0}, "2.2: died"),
    "memory": (submission(GOOD | {"ex-3-answer": HOG}), {"2.3": 0}, "2.3: memory"),
    "no-python": (submission(GOOD | {"ex-1-answer": "def action_of(keys)"}), {"2.1": 0}, "2.1: raised"),
    "other-name": (submission(GOOD | {"ex-1-answer": "def action(keys):\n    return 1"}), {"2.1": 0}, "2.1: no result"),
    "long-line": (submission(GOOD | {"ex-1-answer": "print(list(range(200000)))"}), {"2.1": 0}, "2.1: no result"),
    "surrogate": (submission(GOOD | {"ex-1-answer": "raise ValueError('\\ud800')"}), {"2.1": 0}, "2.1: no result"),
    "malformed": (submission(GOOD, remove_a_source), dict.fromkeys(FULL, 0), "cannot be read as a notebook"),
    "closes-stdout": (submission(GOOD | {"ex-1-answer": "import sys\nsys.stdout.close()"}), {"2.1": 0}, "2.1: "),
    "helper": (
        submission(GOOD | {"ex-1-answer": "def action_of(keys):\n    return helper(keys)"}, use_a_helper),
        {"2.1": 0},
        "2.1: 'helper' is defined in a cell that is not graded",
    ),
    "elsewhere": (
        submission({name: text for name, text in GOOD.items() if name != "ex-1-answer"}, answer_elsewhere),
        {},
        "2.1: answered in another cell than its own",
    ),
    "'=1+1": (submission(GOOD), {}, ""),
    "magic": (submission(GOOD | {"ex-1-answer": "%%time\n" + GOOD["ex-1-answer"]}), {}, ""),
}


def generated(count):
    """Submissions in which one exercise each has one of the answers of tests/exercises, right (no idea) or wrong."""
    answers = importlib.import_module("exercises.ch02")
    cases = [(number, answer, "") for number in FULL for answer in answers.RIGHT[number][:1]]
    cases += [(number, answer, idea) for number in FULL for _, answer, idea in answers.WRONG[number]]
    helpers = inspect.getsource(answers).split("\nRIGHT = ")[0]
    for number, answer, idea in [case for case in cases if f"def {case[1].__name__}(" in helpers][:count]:
        task = next(task for task in KEY.tasks if task.number == number)
        source = f"{helpers}\n{task.defines} = {answer.__name__}"
        yield number, submission(GOOD | {task.cell: source}), idea


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of thirty: the folder, the CSV, and its rows by student."""
    folder = tmp_path_factory.mktemp("class")
    expected = {}
    for student, (text, points, told) in SPECIAL.items():
        expected[student] = (FULL | points, told)
        write(folder / "in" / student.removeprefix("'") / f"{LESSON}.ipynb", text)
    for i, (number, text, idea) in enumerate(generated(30 - len(SPECIAL))):
        expected[f"student {i}"] = (FULL | {number: 0}, f"{number}: {idea}") if idea else (FULL, "")
        write(folder / "in" / f"student {i} {LESSON}.ipynb", text)
    assert len(expected) == 30
    rows = grade_folder(folder / "in", folder / "out.csv", limits=LIMITS)
    return folder, expected, {row["student"]: row for row in rows}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf8")


def test_a_class_of_thirty_gets_the_expected_points(graded):
    _, expected, rows = graded
    found = {student: {number: row[number] for number in FULL} for student, row in rows.items()}
    assert found == {student: points for student, (points, _) in expected.items()}
    for student, (points, told) in expected.items():
        row = rows[student]
        assert (row["total"], row["of"], row["lesson"]) == (sum(points.values()), 7, LESSON)
        assert told in f"{row['misconceptions']} {row['notes']}", student


def test_the_table_is_a_csv_that_excel_reads(graded):
    folder, expected, _ = graded
    assert (folder / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with open(folder / "out.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["student", "lesson", "file", *FULL, "total", "of", "misconceptions", "notes"]
    assert {row["student"] for row in rows} == set(expected)


def test_each_notebook_gets_a_page_of_feedback(graded):
    folder, expected, _ = graded
    pages = sorted((folder / "out_feedback").rglob("*.html"))
    assert len(pages) == len(expected)
    page = (folder / "out_feedback" / "hard-coded" / f"{LESSON}.html").read_text(encoding="utf8")
    assert "5 of 7 points" in page
    assert "each frame once, with the keys of its last capture" in page
    assert "A hint: What does a capture with the same frame number" in page
    assert "seen = {&quot;[(1, &#x27;&#x27;)" in page  # their code, escaped
    assert page.count("<p class=right>✓ right</p>") == 3


def test_a_second_call_uses_what_was_graded_and_grades_what_changed(graded, monkeypatch):
    folder, _, _ = graded
    before = (folder / "out.csv").read_bytes()
    asked = []
    monkeypatch.setattr("dlsteps.authoring.grading.grade_notebook", lambda path, *_: asked.append(path))
    grade_folder(folder / "in", folder / "out.csv", limits=LIMITS)
    assert asked == []
    assert (folder / "out.csv").read_bytes() == before


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    for i in range(6):
        write(tmp_path / "in" / f"s{i}" / f"{LESSON}.ipynb", submission(GOOD))
    command = [
        sys.executable,
        "-m",
        "dlsteps",
        "grade",
        str(tmp_path / "in"),
        str(tmp_path / "out.csv"),
        "--lang",
        "zh",
    ]
    log = tmp_path / "out_feedback" / "results.jsonl"
    first = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    wait_for(lambda: log.exists() and log.read_text(), "a first result", 60)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = len(log.read_text().splitlines())
    assert 1 <= done < 6
    with open(log, "a") as file:
        file.write('{"key": "cut off in the mi')  # as a power cut would leave it
    second = subprocess.run(command, capture_output=True, text=True)
    assert second.returncode == 0, second.stderr
    assert second.stdout == f"6 notebooks graded: {tmp_path / 'out.csv'}\n"
    keys = [json.loads(line)["key"] for line in re.findall(r"\{.*\}", log.read_text())]
    assert len(set(keys)) == 6
    assert "7 / 7 分" in (tmp_path / "out_feedback" / "s0" / f"{LESSON}.html").read_text(encoding="utf8")


def test_what_is_no_lesson_is_named_and_does_not_stop_the_rest(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    write(tmp_path / "in" / "anna" / "holiday.ipynb", nbformat.writes(notebook))
    write(tmp_path / "in" / "anna" / ".ipynb_checkpoints" / f"{LESSON}.ipynb", "x")
    (row,) = grade_folder(tmp_path / "in", tmp_path / "out.csv")
    assert (row["student"], row["total"]) == ("anna", 0)
    assert "no lesson of the course" in row["notes"]


def test_a_lesson_is_known_by_what_the_builder_noted_or_by_its_file_name(tmp_path):
    notebook = json.loads(submission(GOOD))
    write(tmp_path / "in" / "Bo.ipynb", json.dumps(notebook))
    del notebook["metadata"]["dlsteps"]
    write(tmp_path / "in" / "Cy_17_assignsubmission_file_02_screen_to_data.ipynb", json.dumps(notebook))
    rows = grade_folder(tmp_path / "in", tmp_path / "out.csv")
    assert [(row["student"], row["total"]) for row in rows] == [("Bo", 7), ("Cy_17_assignsubmission_file", 7)]


def test_the_other_lessons_solutions_get_full_marks(tmp_path):
    for source in find_lessons(ROOT / "notebooks" / "source", suffix=".py"):
        result = grade_notebook(ROOT / "notebooks" / "solutions" / f"{source.stem}.ipynb", read_key(source))
        assert result["notes"] == []
        assert all(one["points"] == one["of"] > 0 for one in result["exercises"].values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grade", "EMPTY", "out.csv"], "course.py grade: no notebooks (*.ipynb) in "),
        (["grade", "nowhere", "out.csv"], "course.py grade: nowhere is no folder: name the one that holds"),
        (["grade", "EMPTY", "EMPTY"], "is a folder: name a file for the table, such as points.csv"),
        (["class", "EMPTY/../tests"], "exists already and is not an empty folder: choose another name"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "file").write_text("")
    arguments = [argument.replace("EMPTY", str(tmp_path / "empty")) for argument in arguments]
    run = subprocess.run([sys.executable, "-m", "dlsteps", *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert message in run.stderr


# The class edition


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    return make_class_edition(tmp_path_factory.mktemp("out") / "class")


def test_the_class_edition_holds_no_solution(handed_out):
    names = {path.relative_to(handed_out).as_posix() for path in handed_out.rglob("*")}
    assert not [name for name in names if re.search(r"solutions|source/|tests|benchmarks|__pycache__|\.progress", name)]
    texts = {
        path: path.read_text(encoding="utf8")
        for path in handed_out.rglob("*")
        if path.suffix in (".py", ".ipynb", ".md")
    }
    assert not [path for path, text in texts.items() if path.suffix == ".ipynb" and "SOLUTION" in text]
    for source in find_lessons(ROOT / "notebooks" / "source", suffix=".py"):
        for body in re.findall(
            r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source.read_text(encoding="utf8"), re.DOTALL
        ):
            lines = [line.strip() for line in body.splitlines() if line.strip()]
            for path, text in texts.items():
                there = [line.strip() for line in text.splitlines()]
                assert lines != [line for line in lines if line in there], f"{path}: {lines}"


def test_the_class_edition_works_by_itself(handed_out):
    assert {"course.py", "pyproject.toml", "README.md", "notebooks", "data"} <= {
        path.name for path in handed_out.iterdir()
    }
    lessons = find_lessons(ROOT / "notebooks" / "source", suffix=".py")
    for folder in ("notebooks", "notebooks/zh"):
        assert [path.stem for path in find_lessons(handed_out / folder)] == [path.stem for path in lessons]
    env = {**os.environ, "PYTHONPATH": str(handed_out / "src"), "DLSTEPS_PROGRESS": "off"}
    code = "import dlsteps, sys; from dlsteps.exercises import check; check('1.2', max); print(dlsteps.__file__)"
    run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, cwd=handed_out)
    assert run.stdout.splitlines()[0].startswith("✗ 1.2")
    assert run.stdout.splitlines()[-1].startswith(str(handed_out))


def test_solved_notebooks_are_not_handed_out(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    path = tmp_path / "notebooks" / f"{LESSON}.ipynb"
    write(path, submission(GOOD))
    with pytest.raises(NotHandedOut, match=rf"notebooks/{LESSON}.ipynb, cell 'ex-1-answer': edited by hand"):
        make_class_edition(tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_nbgrader_gives_the_same_points(tmp_path):
    """Its own autograder, on two notebooks: one all right, one with two wrong answers."""
    api = pytest.importorskip("nbgrader.api", reason="nbgrader is not installed (the extra 'class' brings it)")
    wrong = GOOD | {"ex-1-answer": "def action_of(keys):\n    return 1", "ex-3-answer": HARD_CODED}
    handed_in = {"anna": submission(GOOD), "bo": submission(wrong)}
    write(tmp_path / "nbgrader_config.py", "c = get_config()\nc.CourseDirectory.course_id = 'course'\n")
    write(tmp_path / "source" / "two" / f"{LESSON}.ipynb", json.dumps(HANDED_OUT))
    for student, text in handed_in.items():
        write(tmp_path / "submitted" / student / "two" / f"{LESSON}.ipynb", text)
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # nbgrader calls alembic by name
    env = {**os.environ, "PATH": here, "DLSTEPS_PROGRESS": "off", "DLSTEPS_LANG": "en"}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        env.pop(name, None)
    for step in (["generate_assignment", "two", "--create"], ["autograde", "two", "--create"]):
        run = subprocess.run(
            [sys.executable, "-m", "nbgrader", *step], cwd=tmp_path, env=env, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr[-3000:]
    with api.Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        theirs = {s.student.id: (s.score, s.max_score) for s in gradebook.assignment_submissions("two")}
    ours = {
        row["student"]: (row["total"], row["of"]) for row in grade_folder(tmp_path / "submitted", tmp_path / "out.csv")
    }
    assert theirs == ours == {"anna": (7, 7), "bo": (4, 7)}
