"""`python course.py build`: from each source in notebooks/source the notebooks of all its editions."""

import os
import sys
import sysconfig
import time
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError

from dlsteps.authoring.editions import (
    ROOT,
    chinese_edition,
    edited_cells,
    inputs_hash,
    is_exercise,
    learner_edition,
    make_notebook,
    solutions_edition,
    stored_outputs,
)
from dlsteps.authoring.execute import NoKernel, open_client
from dlsteps.authoring.source import SourceError, read_lesson, read_translation

TIMEOUT = 120  # seconds for a cell
WIDGET = "application/vnd.jupyter.widget-view+json"


def build_lessons(sources, notebooks, check=False, force=False):
    """Build lessons one by one, or with `check` only compare; prints a line for each, and for each problem.

    Args:
        sources: paths of `NN_topic.py`; a translation is `zh/NN_topic.md` beside it.
        notebooks: the folder that gets the notebooks.
        check: write and execute nothing; name every notebook that `build` would change.
        force: overwrite notebooks that were edited by hand.

    Returns the exit code: 1 if there was a problem, else 0.
    """
    failed = False
    for source in sources:
        start, lesson = time.monotonic(), Lesson(source, notebooks)
        try:
            done, problems = lesson.check() if check else lesson.build(force)
        except SourceError as error:
            done, problems = "not built", error.problems
        for problem in problems:
            print(problem, file=sys.stderr, flush=True)
        print(f"{lesson.name}: {done} ({time.monotonic() - start:.1f} s)", flush=True)
        failed = failed or bool(problems)
    return int(failed)


class Lesson:
    """One lesson: its source, and the notebooks that are made of it."""

    def __init__(self, source, notebooks):
        self.source, self.name = Path(source), Path(source).stem
        self.learner = Path(notebooks, f"{self.name}.ipynb")
        self.solutions = Path(notebooks, "solutions", f"{self.name}.ipynb")
        self.chinese = Path(notebooks, "zh", f"{self.name}.ipynb")
        self.translation = self.source.parent / "zh" / f"{self.name}.md"

    def build(self, force=False):
        """Write what has changed, once all of it could be executed: (what was done, problems). Raises `SourceError`."""
        if not force:
            self._refuse_edited()
        notebooks, problems = self._assemble(self._execute)
        written = [show(path) for path, notebook in notebooks.items() if _write(path, as_text(notebook))]
        return f"wrote {', '.join(written)}" if written else "unchanged", problems

    def check(self):
        """Compare what there is with what `build` would write: ("checked", problems). Raises `SourceError`."""
        self._refuse_edited()
        notebooks, problems = self._assemble(self._must_build)
        for path, notebook in notebooks.items():
            if not path.exists() or path.read_text(encoding="utf8") != as_text(notebook):
                problems.append(f"{show(path)}: is not what its source says: run course.py build")
        return "checked", problems

    def _assemble(self, execute):
        """({path: notebook}, problems). A translation that does not fit stops the Chinese edition only."""
        cells = read_lesson(self.source)
        learner = learner_edition(cells)
        editions = {self.learner: learner}
        if any(map(is_exercise, cells)):
            editions[self.solutions] = solutions_edition(cells)
        notebooks, problems = {}, []
        for path, edition in editions.items():
            inputs = inputs_hash(edition, self.name)
            outputs = _outputs_of(path, inputs) or execute(path, edition)
            notebooks[path] = make_notebook(edition, outputs, source=show(self.source), inputs=inputs)
        try:
            texts, problems = read_translation(self.translation, learner)
        except SourceError as error:
            return notebooks, error.problems
        notes, outputs = notebooks[self.learner].metadata.dlsteps, stored_outputs(notebooks[self.learner])
        notebooks[self.chinese] = make_notebook(
            chinese_edition(learner, texts), outputs, source=notes.source, inputs=notes.inputs
        )
        return notebooks, problems

    def _execute(self, path, cells):
        """Run the code cells in a fresh kernel; (execution count, outputs) by cell id."""
        notebook = make_notebook(cells, {})
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open_client(notebook, path.parent, TIMEOUT, allow_errors=True) as client:
                for number, (cell, node) in enumerate(zip(cells, notebook.cells, strict=True)):
                    client.execute_cell(node, number)
                    if problem := _outcome(cell, node):
                        raise SourceError([f"{show(self.source)}, cell {cell.id!r}: {problem}"])
        except CellTimeoutError:
            raise SourceError([f"{show(self.source)}, cell {cell.id!r}: no end after {TIMEOUT} s"]) from None
        except DeadKernelError:
            raise SourceError([f"{show(self.source)}, cell {cell.id!r}: the kernel died"]) from None
        except NoKernel as error:
            raise SourceError([f"{show(path)}: {error}"]) from None
        for node in (node for node in notebook.cells if node.cell_type == "code"):
            node.outputs = [clean(output) for output in node.outputs if not shows_widget(output) or has_text(output)]
        return stored_outputs(notebook)

    def _must_build(self, path, cells):
        raise SourceError([f"{show(path)}: its code, or what this imports, changed since: run course.py build"])

    def _refuse_edited(self):
        problems = []
        for path in filter(Path.exists, (self.learner, self.solutions, self.chinese)):
            try:
                cells = ", ".join(map(repr, edited_cells(nbformat.read(path, as_version=4))))
            except Exception as error:  # whatever makes it no notebook
                cells = f"? ({type(error).__name__})"
            if cells:
                advice = f"move the edit to {show(self.source)}, or build --force overwrites it"
                problems.append(f"{show(path)}, cell {cells}: edited by hand: {advice}")
        if problems:
            raise SourceError(problems)


def _outputs_of(path, inputs):
    """The outputs stored at `path` if they came from these inputs, else None."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # missing, or broken and forced
        return None
    fresh = notebook.metadata.get("dlsteps", {}).get("inputs") == inputs and not edited_cells(notebook)
    return stored_outputs(notebook) if fresh else None


def _outcome(cell, node):
    """What is wrong with how a cell ended, or None."""
    outputs = node.get("outputs", [])
    raised = [f"{output.ename}: {output.evalue}".splitlines()[0] for output in outputs if output.output_type == "error"]
    meant = "raises-exception" in cell.tags
    if raised and not meant:
        return f"raised {raised[0]} (if that is meant, tag it raises-exception)"
    if meant and not raised:
        return "is tagged raises-exception, but raises nothing"
    bare = [output for output in outputs if shows_widget(output) and not has_text(output)]
    if bare and "nbval-ignore-output" not in cell.tags:
        return "shows a widget: tag it nbval-ignore-output, and put a picture beside it for readers without a kernel"
    return None


def shows_widget(output):
    return WIDGET in output.get("data", {})


def has_text(output):
    """Whether a widget says what to show where there are no widgets."""
    return output.get("metadata", {}).get("has_text", False)


def clean(output):
    """An output without what only this machine or this moment has: folders in a traceback, ids of widgets."""
    output.get("data", {}).pop(WIDGET, None)
    folders = (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib"), str(ROOT))  # the first may be in the last
    for folder in folders if output.output_type == "error" else ():
        output.traceback = [line.replace(folder + os.sep, "") for line in output.traceback]
    return output


def as_text(notebook):
    return nbformat.writes(notebook) + "\n"


def show(path):
    """A path as messages name it: inside the checkout from its root."""
    path = Path(path)
    return path.resolve().relative_to(ROOT).as_posix() if path.resolve().is_relative_to(ROOT) else str(path)


def _write(path, text):
    """Write a file in one step, unless it has this text already; whether it was written."""
    if path.exists() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(text.encode())
    os.replace(new, path)
    return True
