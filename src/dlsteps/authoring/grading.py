"""`python course.py grade`: a folder of notebooks in; a CSV, and a page of feedback for each notebook, out.

Students' code is run: whoever does not trust it grades in a container (README).
"""

import csv
import hashlib
import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_core.utils import ensure_event_loop
from tqdm.auto import tqdm

from dlsteps.authoring.editions import ROOT
from dlsteps.authoring.execute import find_lessons
from dlsteps.authoring.feedback import write_feedback
from dlsteps.authoring.grade_notebook import LIMITS, grade_notebook, read_key


def grade_folder(submissions, out, sources=ROOT / "notebooks" / "source", limits=LIMITS, lang="en", workers=None):
    """Grade all notebooks below a folder; returns the rows that were written to the CSV `out`.

    Feedback goes to a folder beside it, `OUT_feedback`, and so do the results, one by one: a second call after an
    interruption grades what is missing, or has changed since.
    """
    submissions, out = Path(submissions), Path(out)
    if not submissions.is_dir():
        raise NotADirectoryError(f"{submissions} is no folder: name the one that holds the notebooks")
    if not out.name or out.is_dir():
        raise IsADirectoryError(f"{str(out)!r} is a folder: name a file for the table, such as points.csv")
    paths = sorted(path for path in submissions.rglob("*") if _is_submission(path))
    if not paths:
        raise FileNotFoundError(f"no notebooks (*.ipynb) in {submissions}")
    lessons = {key.name: key for key in map(read_key, find_lessons(sources, suffix=".py"))}
    folder = out.with_name(f"{out.stem}_feedback")
    folder.mkdir(parents=True, exist_ok=True)
    results_file = folder / "results.jsonl"
    known = _read_results(results_file)

    def grade(path):
        lesson, file = _lesson_of(path, lessons), path.relative_to(submissions).as_posix()
        key = f"{file} {_digest(path)} {lesson.version if lesson else ''} {limits}"
        if key not in known:
            who = {"key": key, "student": _student(path, submissions), "file": file}
            try:
                result = who | grade_notebook(path, lesson, limits)
            finally:
                ensure_event_loop().close()  # nbclient has opened one for this thread
            with lock:
                log.write(json.dumps(result) + "\n")
                log.flush()
            known[key] = result
        return known[key]

    lock, results = threading.Lock(), []
    with open(results_file, "a", encoding="utf8") as log, ThreadPoolExecutor(workers or 2) as pool:
        log.write("\n" if log.tell() else "")  # ends a line that an interruption may have cut off
        try:
            for result in tqdm(pool.map(grade, paths), total=len(paths), unit="notebook"):
                write_feedback((folder / result["file"]).with_suffix(".html"), result, lang)
                results.append(result)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _write_table(out, results)


def _is_submission(path):
    """A notebook, and not one that JupyterLab or a Mac's zip has put beside it."""
    hidden = {".ipynb_checkpoints", "__MACOSX"}.intersection(path.parts) or path.name.startswith("._")
    return path.suffix.lower() == ".ipynb" and not hidden


def _digest(path):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        return type(error).__name__


def _lesson_of(path, lessons):
    """By what the builder noted in the notebook, else by the file's name."""
    try:
        noted = Path(json.loads(path.read_text(encoding="utf8"))["metadata"]["dlsteps"]["source"]).stem
    except (ValueError, KeyError, TypeError, OSError):
        noted = ""
    numbers = re.findall(r"(?<!\d)(\d\d)_", path.name)
    by_number = [lesson for number in numbers for name, lesson in lessons.items() if name.startswith(f"{number}_")]
    return lessons.get(noted) or next(iter(by_number), None)


def _student(path, submissions):
    """The first folder below `submissions`; without one, what the file name says besides the lesson."""
    parts = path.relative_to(submissions).parts
    return parts[0] if len(parts) > 1 else re.sub(r"[ _-]*\d\d_[a-z_]+$", "", path.stem) or path.stem


def _read_results(path):
    """What was graded before, by key; a line that was cut off counts as not there."""
    results = {}
    for line in path.read_text(encoding="utf8").splitlines() if path.exists() else ():
        try:
            result = json.loads(line)
            results[result["key"]] = result
        except (ValueError, KeyError):
            continue
    return results


def _write_table(out, results):
    numbers = {number: None for result in results for number in result["exercises"]}
    numbers = sorted(numbers, key=lambda number: [int(part) for part in number.split(".")])
    rows = []
    for result in results:
        found = result["exercises"]
        ideas = [f"{number}: {one['idea']}" for number, one in found.items() if one["idea"]]
        rows.append(
            {"student": _cell(result["student"]), "lesson": result["lesson"], "file": _cell(result["file"])}
            | {number: found[number]["points"] if number in found else "" for number in numbers}
            | {"total": sum(one["points"] for one in found.values()), "of": sum(one["of"] for one in found.values())}
            | {"misconceptions": _cell("; ".join(ideas)), "notes": _cell("; ".join(result["notes"]))}
        )
    new = out.with_suffix(".new")
    # -sig, because Excel would take it for another encoding
    with open(new, "w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    os.replace(new, out)
    return rows


def _cell(text):
    """A text as a table's cell: one that a spreadsheet would take for a formula gets a quote in front."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
