"""progress: which exercises are done, as a table, and as a bar for each lesson."""

from dlsteps.exercises.engine import lessons
from dlsteps.exercises.messages import language
from dlsteps.exercises.store import OPEN, RIGHT, load

HEADINGS = {"en": ("lesson", "done", "exercises"), "zh": ("课", "完成", "练习")}


def progress():
    """Print the exercises of each lesson, ✓ right, ✗ tried, ○ open; in a notebook, show a bar for each lesson, too."""
    marks = load()
    rows, bars = [HEADINGS[language()]], []
    for lesson, module in lessons().items():
        mine = {number: marks.get(number, OPEN) for number in module.EXERCISES}
        done = list(mine.values()).count(RIGHT)
        rows.append((lesson, f"{done}/{len(mine)}", "  ".join(f"{mark} {number}" for number, mark in mine.items())))
        bars.append((lesson, done, len(mine)))
    for lesson, done, exercises in rows:
        print(f"{lesson:7} {done:5} {exercises}".rstrip())
    _show_bars(bars)


def _show_bars(bars):
    from IPython import get_ipython

    if get_ipython() is None:
        return
    from IPython.display import display
    from ipywidgets import IntProgress, VBox

    def bar(lesson, done, count):
        return IntProgress(done, max=count, description=lesson, bar_style="success" if done == count else "info")

    display(VBox([bar(*values) for values in bars]))
