"""Grade one notebook: its exercises beside the lesson's own set-up cells and checks, in a fresh kernel.

Of a submission only the exercises' own cells count. So an edited check, or an answer made for it, earns nothing.
"""

import ast
import hashlib
import json
import re
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from dlsteps.authoring.editions import ROOT
from dlsteps.authoring.execute import PeakMemory, open_client
from dlsteps.authoring.source import read_lesson
from dlsteps.exercises.engine import Outcome
from dlsteps.exercises.store import OPEN, RIGHT, WRONG

# Run in the kernel after a student's cell. The checks are imported anew: the student's code may have changed them.
CHECK = """
import json as {token}, sys as {token}_sys
for {token}_name in [name for name in {token}_sys.modules if name.startswith("dlsteps.exercises")]:
    del {token}_sys.modules[{token}_name]
from dlsteps.exercises.engine import assess as {token}_assess
print("{token}" + {token}.dumps({token}_assess({number!r}, {answer})._asdict()))
"""


class Task(NamedTuple):
    """An exercise as a lesson's source has it."""

    number: str
    title: str
    points: int
    cell: str  # the id of the cell with the answer
    defines: str  # the name of the function or class that is asked for
    answer: str  # what the check is given, as an expression


class Lesson(NamedTuple):
    name: str
    setup: list[str]
    tasks: list[Task]
    version: str  # changes with the source and the checks: results from before are not used again


class Limits(NamedTuple):
    seconds: float = 20.0  # for one cell
    memory: float = 3.0  # GB, for a kernel


LIMITS = Limits()


def read_key(source):
    """The `Lesson` at a path of notebooks/source: all that grading has to know of it."""
    cells = {cell.id: cell for cell in read_lesson(source)}
    tasks = []
    for name, cell in cells.items():
        if cell.points:
            call = next(node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
            answer = f"{name.removesuffix('-check')}-answer"
            defined = [node.name for node in ast.parse(cells[answer].source).body if hasattr(node, "name")]
            title = cells[name.removesuffix("-check")].source.splitlines()[0].removeprefix("### ")
            tasks.append(Task(call.args[0].value, title, cell.points, answer, defined[-1], ast.unparse(call.args[1])))
    setup = [cell.source for cell in cells.values() if cell.type == "code" and "setup" in cell.tags]
    checks = sorted((ROOT / "src" / "dlsteps" / "exercises").glob("*.py"))
    version = hashlib.sha256(b"".join(path.read_bytes() for path in (Path(source), *checks))).hexdigest()[:12]
    return Lesson(Path(source).stem, setup, tasks, version)


def grade_notebook(path, lesson, limits=LIMITS):
    """Grade one notebook: {"lesson", "notes", "exercises": {number: what `assess` found, and the points}}."""
    if lesson is None:
        return {"lesson": "", "notes": ["no lesson of the course: its file name begins with no lesson's number"],
                "exercises": {}}  # fmt: skip
    empty = {task.number: _nothing(task, "") for task in lesson.tasks}
    try:
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    except Exception as error:  # whatever makes it no notebook
        notes = [f"cannot be read as a notebook ({type(error).__name__})"]
        return {"lesson": lesson.name, "notes": notes, "exercises": empty}
    notes, answers = [], {}
    for task in lesson.tasks:
        answers[task.number], note = _answer_cell(task, cells)
        notes += [note] if note else []
    exercises = empty
    pending = [task for task in lesson.tasks if answers[task.number] is not None]
    while pending:  # once, and once more after each exercise that took its kernel along
        done = _grade_in_kernel(lesson, pending, answers, limits)
        exercises |= done
        pending = pending[len(done) :]
    for number in exercises:
        exercises[number]["code"] = answers[number] or ""
    return {"lesson": lesson.name, "notes": list(dict.fromkeys(notes)), "exercises": exercises}


def _answer_cell(task, cells):
    """(the source of the student's answer or None, a note or "")."""
    for cell in cells:
        if cell.get("id") == task.cell:
            return cell.source, ""
    for cell in cells:  # a tool has dropped or changed the ids
        if re.search(rf"^(def|class) {task.defines}\b", cell.source, re.MULTILINE):
            return cell.source, "cell ids were lost: answers found by the names that they define"
    return None, f"{task.number}: its cell was deleted"


def _grade_in_kernel(lesson, tasks, answers, limits):
    """Results by number, in order; fewer than `tasks` if the kernel was lost on the way."""
    results, doing = {}, None
    notebook = nbformat.v4.new_notebook()
    options = {"allow_errors": True, "kernel_stderr": subprocess.DEVNULL}
    with (
        tempfile.TemporaryDirectory() as folder,
        open_client(notebook, folder, limits.seconds, **options) as client,
        PeakMemory(client.km.provisioner.pid, limits.memory * 2**30) as memory,
    ):
        try:
            for source in lesson.setup:
                if problem := _error_of(_run(client, source)):
                    raise OSError(f"{lesson.name}: its setup cells do not run here: {problem}")
            for doing in tasks:
                results[doing.number] = _grade_task(client, doing, answers[doing.number])
        except (CellTimeoutError, DeadKernelError) as error:
            memory.kill()  # without the usual polite wait for an answer
            if doing is None:
                raise OSError(f"{lesson.name}: its setup cells do not run here: {type(error).__name__}") from None
            reason = "memory" if memory.exceeded else "too long" if isinstance(error, CellTimeoutError) else "died"
            results[doing.number] = _nothing(doing, reason, limits)
    return results


def _grade_task(client, task, answer):
    problem = _error_of(_run(client, answer))
    if problem:
        return _wrong(task, "raised", {"en": f"its cell raised {problem}", "zh": f"单元格抛出了 {problem}"})
    token = f"_{secrets.token_hex(8)}"
    cell = _run(client, CHECK.format(token=token, number=task.number, answer=task.answer))
    said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    if token not in said:
        problem = _error_of(cell) or "nothing"
        return _wrong(task, "raised", {"en": f"its check ended with {problem}", "zh": f"检查时得到 {problem}"})
    found = json.JSONDecoder().raw_decode(said[said.index(token) + len(token) :])[0]
    return _result(task, Outcome(**found))


def _run(client, source):
    cell = nbformat.v4.new_code_cell(source)
    client.nb.cells.append(cell)
    return client.execute_cell(cell, len(client.nb.cells) - 1)


def _error_of(cell):
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return f"{errors[0].ename}: {errors[0].evalue}".splitlines()[0] if errors else ""


def _wrong(task, idea, problem):
    return _result(task, Outcome(WRONG, idea, problem, {"en": "", "zh": ""}))


def _result(task, outcome):
    points = task.points if outcome.mark == RIGHT else 0
    return {**outcome._asdict(), "title": task.title, "points": points, "of": task.points, "code": ""}


REASONS = {
    "": {"en": "there is no answer", "zh": "没有作答"},
    "too long": {"en": "its cell took longer than {seconds:g} s", "zh": "单元格运行超过了 {seconds:g} 秒"},
    "memory": {"en": "it took more than {memory:g} GB of memory", "zh": "占用的内存超过了 {memory:g} GB"},
    "died": {"en": "it ended Python", "zh": "它让 Python 退出了"},
}


def _nothing(task, reason, limits=LIMITS):
    problem = {lang: text.format(**limits._asdict()) for lang, text in REASONS[reason].items()}
    return _wrong(task, reason, problem) | ({} if reason else {"mark": OPEN})
