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
from dlsteps.exercises.compare import shorten
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
    seconds: int = 20  # for one cell
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
        notebook = nbformat.read(path, as_version=4)
        cells = [(cell.get("id"), cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    except Exception as error:  # whatever makes it no notebook
        notes = [f"cannot be read as a notebook ({type(error).__name__})"]
        return {"lesson": lesson.name, "notes": notes, "exercises": empty}
    notes, answers = [], {}
    for task in lesson.tasks:
        answers[task.number], note = find_answer(task, cells)
        notes += [note] if note else []
    exercises = empty
    pending = [task for task in lesson.tasks if answers[task.number] is not None]
    while pending:  # once, and once more after each exercise that took its kernel along
        done = _grade_in_kernel(lesson, pending, answers, limits)
        exercises |= done
        pending = pending[len(done) :]
    for number, found in exercises.items():
        found["code"] = answers[number] or ""
        missing = re.search(r"NameError: name '(\w+)' is not defined", found["problem"]["en"])
        if missing and any(defines(missing[1], source) for _, source in cells if source != answers[number]):
            notes.append(f"{number}: {missing[1]!r} is defined in a cell that is not graded")
    return {"lesson": lesson.name, "notes": list(dict.fromkeys(notes)), "exercises": exercises}


def find_answer(task, cells):
    """(the source of the student's answer or None, a note or ""). `cells` are pairs (id or None, source).

    The exercise's own cell counts; where that is gone or still open, the last cell that defines what is asked for.
    """
    own = next((source for name, source in cells if name == task.cell), None)
    if own is not None and not is_open(own):
        return own, ""
    others = [source for name, source in cells if name != task.cell and defines(task.defines, source)]
    if own is None and others:
        return others[-1], "cell ids were lost: answers found by the names that they define"
    if others and not is_open(others[-1]):
        return others[-1], f"{task.number}: answered in another cell than its own"
    return own, "" if own is not None else f"{task.number}: its cell was deleted"


def is_open(source):
    """Whether an answer's cell is as it was handed out, or emptied."""
    return not source.strip() or source.rstrip().endswith("raise NotImplementedError")


def defines(name, source):
    """Whether some source defines, assigns or imports a name."""
    patterns = (rf"^\s*(async )?(def|class) {name}\b", rf"^\s*{name}\s*=[^=]", rf"^\s*(from|import) .*\b{name}\b")
    return any(re.search(pattern, source, re.MULTILINE) for pattern in patterns)


def _grade_in_kernel(lesson, tasks, answers, limits):
    """Results by number, in order; fewer than `tasks` if the kernel was lost on the way."""
    results, doing = {}, None
    notebook = nbformat.v4.new_notebook()
    # Streams are not coalesced: nbclient would take quadratic time over a long line.
    options = {"allow_errors": True, "kernel_stderr": subprocess.DEVNULL, "coalesce_streams": False}
    with (
        tempfile.TemporaryDirectory() as folder,
        open_client(notebook, folder, limits.seconds, **options) as client,
        PeakMemory(client.km.provisioner.pid, limits.memory * 2**30, interval=0.25) as memory,
    ):
        try:
            for source in lesson.setup:
                if problem := _error_of(_run(client, source)):
                    raise OSError(f"{lesson.name}: its setup cells do not run here: {problem}")
            for doing in tasks:
                results[doing.number] = found = _grade_task(client, doing, answers[doing.number])
                if found["idea"] == "no result":  # it may have closed stdout: the rest gets a fresh kernel
                    break
        except (CellTimeoutError, DeadKernelError) as error:
            memory.kill()  # without the usual polite wait for an answer
            if doing is None:
                raise OSError(f"{lesson.name}: its setup cells do not run here: {type(error).__name__}") from None
            reason = "memory" if memory.exceeded else "too long" if isinstance(error, CellTimeoutError) else "died"
            results[doing.number] = _nothing(doing, reason, limits)
    return results


def _grade_task(client, task, answer):
    if not answer.strip():
        return _nothing(task, "")
    problem = _error_of(_run(client, answer))
    if problem:
        return _wrong(task, "raised", {"en": f"its cell raised {problem}", "zh": f"单元格抛出了 {problem}"})
    token = f"_{secrets.token_hex(8)}"
    cell = _run(client, CHECK.format(token=token, number=task.number, answer=task.answer))
    said = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    try:
        found = json.JSONDecoder().raw_decode(said[said.index(token) + len(token) :])[0]
    except ValueError:  # no token, or other output in the middle
        problem = _error_of(cell)
        texts = {"en": f"its check gave no result: {problem}", "zh": f"检查没有得到结果：{problem}"}
        return _wrong(task, "no result", texts)
    return _result(task, Outcome(**found))


def _run(client, source):
    cell = nbformat.v4.new_code_cell(source)
    client.nb.cells.append(cell)
    return client.execute_cell(cell, len(client.nb.cells) - 1)


def _error_of(cell):
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return shorten(f"{errors[0].ename}: {errors[0].evalue.strip()}".splitlines()[0]) if errors else ""


def _wrong(task, idea, problem):
    return _result(task, Outcome(WRONG, idea, problem, {"en": "", "zh": ""}))


def _result(task, outcome):
    points = task.points if outcome.mark == RIGHT else 0
    return {**outcome._asdict(), "title": task.title, "points": points, "of": task.points, "code": ""}


REASONS = {
    "": {"en": "there is no answer", "zh": "没有作答"},
    "too long": {"en": "its cell took longer than {seconds} s", "zh": "单元格运行超过了 {seconds} 秒"},
    "memory": {"en": "it took more than {memory:g} GB of memory", "zh": "占用的内存超过了 {memory:g} GB"},
    "died": {"en": "it ended Python", "zh": "它让 Python 退出了"},
}


def _nothing(task, reason, limits=LIMITS):
    problem = {lang: text.format(**limits._asdict()) for lang, text in REASONS[reason].items()}
    return _wrong(task, reason, problem) | ({} if reason else {"mark": OPEN})
