"""The editions of a lesson: which cells each has, and the notebook that they make.

A notebook notes two things of itself: a hash of what its outputs came from (`inputs`: its code, the modules of dlsteps
that this imports, the data files that it names), so that only what has changed is executed again; and a hash of each
of its cells, so that nobody's edits are overwritten.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

import nbformat

from dlsteps.authoring.source import BEGIN, END, Cell, parse

ROOT = Path(__file__).resolve().parents[3]
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
SOLUTION = re.compile(rf"^([ \t]*){BEGIN}\n.*?^[ \t]*{END}", re.MULTILINE | re.DOTALL)
QUIZ = re.compile(r"^(quiz\([^)]*)\)", re.MULTILINE)
MARKER_LINE = re.compile(rf"^[ \t]*({BEGIN}|{END})(\n|\Z)", re.MULTILINE)


def learner_edition(cells):
    """What a learner opens: every solution replaced by `raise NotImplementedError`, its explanation left out."""
    stubs = [cell._replace(source=SOLUTION.sub(r"\1raise NotImplementedError", cell.source)) for cell in cells]
    return [cell for cell in stubs if not (is_exercise(cell) and cell.id.endswith("-why"))]


def solutions_edition(cells):
    """The cells tagged `setup`, then each exercise, solved, checked and explained, and each quiz with its answers."""
    title = cells[0].source.splitlines()[0] + ": solutions"
    advice = "Try each yourself first, with `hint(…)` three times if need be. Other answers may be as good as these."
    kept = [cell for cell in cells if "setup" in cell.tags or is_exercise(cell) or is_quiz(cell)]
    solved = [cell._replace(source=_solved(cell.source)) for cell in kept]
    return [Cell("title", "markdown", f"{title}\n\n{advice}"), *(cell for cell in solved if cell.id != "title")]


def _solved(source):
    return QUIZ.sub(r"\1, solved=True)", MARKER_LINE.sub("", source)).rstrip()


def chinese_edition(learner, texts):
    """The learner's edition with other markdown: `texts` by cell id."""
    return [cell._replace(source=texts[cell.id]) if cell.type == "markdown" else cell for cell in learner]


def is_exercise(cell):
    """Whether a cell belongs to an exercise: `ex-1`, `ex-1-answer`, `ex-1-check`, `ex-1-why`."""
    return cell.id.startswith("ex-")


def is_quiz(cell):
    """Whether a cell belongs to a quiz: `quiz-1`, `quiz-1-choices`."""
    return cell.id.startswith("quiz-")


def make_notebook(cells, outputs, **notes):
    """The notebook of some cells; `outputs` holds (execution count, outputs) by cell id, `notes` go to its metadata."""
    notebook = nbformat.v4.new_notebook()
    for cell in cells:
        node = getattr(nbformat.v4, f"new_{cell.type}_cell")(cell.source, id=cell.id)
        if cell.tags:
            node.metadata["tags"] = list(cell.tags)
        if cell.id.endswith("-answer") or cell.points:
            node.metadata["nbgrader"] = nbgrader_metadata(cell)
        if cell.id in outputs:
            node.execution_count, node.outputs = outputs[cell.id]
        notebook.cells.append(node)
    notes["cells"] = " ".join(map(cell_hash, notebook.cells))
    notebook.metadata = nbformat.from_dict(
        {"dlsteps": notes, "kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    return notebook


def nbgrader_metadata(cell):
    """What nbgrader has to know of an exercise's answer and of its check (its schema 3)."""
    roles = {"grade": bool(cell.points), "solution": not cell.points, "locked": bool(cell.points), "task": False}
    points = {"points": cell.points} if cell.points else {}
    return {"grade_id": cell.id, "schema_version": 3, **roles, **points}


def stored_outputs(notebook):
    """What `make_notebook` takes as `outputs`, from a notebook."""
    return {cell.id: (cell.execution_count, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"}


def edited_cells(notebook):
    """The ids of the cells that are not as they were built; [] if none, ["?"] if cells were moved or removed."""
    noted = notebook.metadata.get("dlsteps", {}).get("cells", "").split()
    found = [cell_hash(cell) for cell in notebook.cells]
    other = [cell.get("id", "?") for cell, digest in zip(notebook.cells, found, strict=True) if digest not in noted]
    return other or ([] if found == noted else ["?"])


def cell_hash(cell):
    return _digest(json.dumps(cell, sort_keys=True).encode())[:8]


def inputs_hash(cells, lesson, root=ROOT):
    """Of all that the outputs of `cells` come from: their code, and the files of `root` that `find_inputs` finds."""
    code = [cell for cell in cells if cell.type == "code"]
    trees = [parse(cell.source) for cell in code] + [ast.parse(f"import dlsteps.exercises.ch{lesson[:2]}")]
    parts = [f"{cell.id} {cell.tags} {cell.source}".encode() for cell in code]
    for file in sorted(find_inputs(trees, root)):
        content = file.read_bytes()
        text = content if b"\0" in content else content.replace(b"\r\n", b"\n")  # git may change line ends, on Windows
        parts.append(f"{file.relative_to(root).as_posix()} {_digest(text)}".encode())
    return _digest(b"\0".join(parts))[:16]


def find_inputs(trees, root=ROOT):
    """The modules of dlsteps that syntax trees import, directly or not, and the files of data/ that a string names."""
    found, waiting = set(), list(trees)
    while waiting:
        names, strings = _named(waiting.pop())
        modules = {path for name in names | strings for path in _module_files(name, root)}
        data = {root / "data" / name for name in strings if re.fullmatch(r"\w[\w.-]*", name)}
        new = {path for path in modules | data if path.is_file()} - found
        found |= new
        waiting += [ast.parse(path.read_text(encoding="utf8")) for path in new if path.suffix == ".py"]
    return found


def _named(tree):
    """(names that are imported, strings) in a syntax tree."""
    names, strings = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
    return names, strings


def _module_files(name, root):
    """Where a dotted name of dlsteps may be found: as a module, and as the packages that it is in."""
    if not re.fullmatch(r"dlsteps(\.\w+)+", name):
        return set()
    parts = name.split(".")
    steps = [root.joinpath("src", *parts[:depth]) for depth in range(1, len(parts) + 1)]
    return {step / "__init__.py" for step in steps} | {step.with_suffix(".py") for step in steps}


def _digest(content):
    return hashlib.sha256(content).hexdigest()
