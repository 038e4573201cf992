"""Read a lesson's source and its translation, and name everything that is wrong with them."""

import ast
import difflib
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import jupytext
from IPython.core.inputtransformer2 import TransformerManager

CELL_TYPES = ("markdown", "code")
TAGS = ("setup", "raises-exception", "nbval-ignore-output")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what nbformat allows
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
POINTS = {"easy": 1, "medium": 2, "hard": 3}
EXERCISE = re.compile(rf"### Exercise \d+\.\d+ · .+ \(({'|'.join(POINTS)}), \d+ minutes?\)(\n|\Z)")
LIKE_A_MARKER = re.compile(r"\s*#.*\b(begin|end)\W*solution", re.IGNORECASE)
TRANSLATED = re.compile(r"<!-- cell: (\S+)(?: en: ([0-9a-f]{8}))? -->")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class SourceError(Exception):
    """A lesson cannot be built; `problems` has one line each, with file and cell."""

    def __init__(self, problems):
        super().__init__("\n".join(problems))
        self.problems = problems


class Cell(NamedTuple):
    id: str
    type: str  # "markdown" or "code"
    source: str
    tags: tuple[str, ...] = ()
    points: int = 0  # of the exercise, at its check


class Translation(NamedTuple):
    texts: dict[str, str]  # cell id: Chinese text
    stale: list[str]  # a line for each cell whose English has changed since


def read_lesson(path):
    """The cells of `NN_topic.py`, a list of `Cell`. Raises `SourceError`."""
    cells, problems = [], []
    for number, raw in enumerate(jupytext.read(path, fmt="py:percent").cells):
        if number == 0 and "id" not in raw.metadata and _only_comments(raw.source):
            continue  # a word to authors at the head of the file
        cell = Cell(raw.metadata.get("id"), raw.cell_type, raw.source, tuple(raw.metadata.get("tags", ())))
        name = f"{cell.id!r}" if cell.id else f"{number + 1} ({raw.source.split(chr(10))[0][:40]!r})"
        seen = [other.id for other in cells]
        problems += [f"{path}, cell {name}: {problem}" for problem in cell_problems(cell, seen)]
        cells.append(cell)
    if problems:
        raise SourceError(problems)
    points = {f"{cell.id}-check": POINTS[match[1]] for cell in cells if (match := EXERCISE.match(cell.source))}
    return [cell._replace(points=points.get(cell.id, 0)) for cell in cells]


def cell_problems(cell, seen=()):
    """What is wrong with a cell, a line each; `seen` holds the ids before it."""
    if cell.id is None:
        yield 'has no id: write `# %% id="…"`, and never change it later'
    elif not CELL_ID.fullmatch(cell.id):
        yield "its id may hold letters, digits, - and _ only, 64 at most"
    elif cell.id in seen:
        yield "a cell before it has the same id"
    if cell.type not in CELL_TYPES:
        yield f"unknown cell type {cell.type!r}: choose from {', '.join(map(repr, CELL_TYPES))}"
    for tag in cell.tags:
        if tag not in TAGS:
            near = "".join(f" (nearest: {name!r})" for name in difflib.get_close_matches(tag, TAGS, 1))
            yield f"unknown tag {tag!r}{near}: choose from {', '.join(map(repr, TAGS))}"
    if re.fullmatch(r"ex-\d+", str(cell.id)) and not EXERCISE.match(cell.source):
        yield "an exercise begins with '### Exercise 3.1 · Title (easy, 5 minutes)'; or medium, or hard"
    if cell.type == "code":
        yield from _code_problems(cell.source)


def _code_problems(source):
    try:
        tree = parse(source)
    except SyntaxError as error:
        yield f"line {error.lineno}: {error.msg}"
        return
    begin = None
    for number, line in enumerate(source.splitlines(), 1):
        if line.strip() == BEGIN and begin is None:
            begin = number
        elif line.strip() == END and begin is not None:
            if not _inside_a_body(tree, begin, number):
                yield f"line {begin}: a solution stands inside the body of a function or class"
            begin = None
        elif line.strip() in (BEGIN, END):
            yield f"line {number}: {line.strip()} without its {END if line.strip() == BEGIN else BEGIN}"
        elif LIKE_A_MARKER.match(line):
            yield f"line {number}: {line.strip()!r} is no marker: write {BEGIN!r} or {END!r}"
    if begin is not None:
        yield f"line {begin}: {BEGIN} without its {END}"


def _inside_a_body(tree, begin, end):
    """Whether all the statements between two lines are in functions or classes that begin before them."""
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and begin < node.lineno < end]
    bodies = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    return bool(found) and all(any(b.lineno < begin and line <= b.end_lineno for b in bodies) for line in found)


def parse(source):
    """The syntax tree of a cell; IPython's own lines (%magic, !command) count as calls."""
    return ast.parse(TransformerManager().transform_cell(source))


def _only_comments(source):
    return all(not line.strip() or line.startswith("#") for line in source.splitlines())


def english_hash(text):
    """What a translation notes of the English text it was made from: 8 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def read_translation(path, cells):
    """The `Translation` in `zh/NN_topic.md` of the markdown among `cells`. Raises `SourceError`."""
    if not Path(path).exists():
        raise SourceError([f"{path}: there is no Chinese edition yet"])
    english = {cell.id: cell.source for cell in cells if cell.type == "markdown"}
    before, *parts = re.split(r"^(?=<!-- *cell\b)", Path(path).read_text(encoding="utf8"), flags=re.MULTILINE)
    texts, stale, problems = {}, [], []
    if COMMENT.sub("", before).strip():
        problems.append(f"{path}: there is text before the first '<!-- cell: ID en: HASH -->'")
    for part in parts:
        header, _, text = part.partition("\n")
        match = TRANSLATED.fullmatch(header.strip())
        if match is None:
            problems.append(f"{path}: {header.strip()!r}: write '<!-- cell: ID en: HASH -->'")
            continue
        name, hashed = match.groups()
        place = f"{path}, cell {name!r}"
        if name not in english:
            near = "".join(f" (nearest: {other!r})" for other in difflib.get_close_matches(name, english, 1))
            problems.append(f"{place}: there is no such markdown cell in the English lesson{near}")
        elif name in texts:
            problems.append(f"{place}: translated twice")
        elif hashed != english_hash(english[name]):
            now = english_hash(english[name])
            stale.append(f"{place}: the English has changed since: translate it again, then write en: {now}")
        texts[name] = text.strip()
    problems += [f"{path}, cell {name!r}: not translated" for name in english if name not in texts]
    if problems:
        raise SourceError(problems)
    return Translation(texts, stale)
