"""`python course.py class OUT`: the course as a teacher hands it out, without a solution anywhere in it."""

import shutil
from pathlib import Path

import nbformat

from dlsteps.authoring.editions import ROOT, edited_cells

HANDED_OUT = ("README.md", "README.zh.md", "LICENSE", "course.py", "pyproject.toml", "constraints.txt",
              "environment.yml", "data", "docs", "notebooks", "src")  # fmt: skip
KEPT_BACK = ("source", "solutions", "__pycache__", ".ipynb_checkpoints", "*.egg-info", "*.new")


class NotHandedOut(Exception):
    """Why no class edition was made."""


def make_class_edition(out, root=ROOT):
    """Copy what a class gets to the folder `out`, which must not exist or be empty. Raises `NotHandedOut`.

    The lessons' notebooks have to be as they were built: a teacher may have solved the exercises in them.
    """
    root, out = Path(root), Path(out).resolve()
    if out.is_relative_to(root.resolve()) and out.parent != root.resolve():
        raise NotHandedOut(f"{out} is inside the course's own folders: choose another place")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise NotHandedOut(f"{out} exists already and is not an empty folder: choose another name")
    notebooks = [path for folder in ("", "zh") for path in sorted((root / "notebooks" / folder).glob("[0-9]*.ipynb"))]
    for path in notebooks:
        if cells := edited_cells(nbformat.read(path, as_version=4)):
            name = path.relative_to(root).as_posix()
            raise NotHandedOut(f"{name}, cell {cells[0]!r}: edited by hand: run course.py build --force first")
    for name in HANDED_OUT:
        if (root / name).is_dir():
            shutil.copytree(root / name, out / name, ignore=shutil.ignore_patterns(*KEPT_BACK))
        elif (root / name).exists():
            out.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, out / name)
    return out
