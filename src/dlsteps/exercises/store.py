"""What has been done: kept in a small database beside course.py, outside git, that two notebooks may write at once."""

import contextlib
import os
import sqlite3
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RIGHT, WRONG, OPEN = "✓", "✗", "○"


def where():
    """The file: DLSTEPS_PROGRESS if set ("off" for none), else in the checkout, else in the home folder."""
    if named := os.environ.get("DLSTEPS_PROGRESS"):
        return None if named == "off" else Path(named)
    return ROOT / ".progress.sqlite" if (ROOT / "course.py").is_file() else Path.home() / ".dlsteps-progress.sqlite"


def remember(number, mark):
    """Keep the mark; one that is right stays so. Where nothing can be written, nothing is kept."""
    if mark != OPEN and where():
        with contextlib.suppress(sqlite3.Error, OSError), _open() as marks:
            marks.execute(
                "insert into marks values (?, ?) on conflict (exercise) do update set mark = excluded.mark "
                "where marks.mark != ?",
                (number, mark, RIGHT),
            )


def load():
    """{exercise: "✓" or "✗"} of those that were tried."""
    if where() and where().exists():
        with contextlib.suppress(sqlite3.Error, OSError), _open() as marks:
            return dict(marks.execute("select exercise, mark from marks"))
    return {}


@contextlib.contextmanager
def _open():
    with contextlib.closing(sqlite3.connect(where(), timeout=10)) as database, database:
        database.execute("create table if not exists marks (exercise text primary key, mark text)")
        yield database
