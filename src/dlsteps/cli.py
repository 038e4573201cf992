"""The commands behind course.py: `python -m dlsteps COMMAND`."""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def main(argv=None):
    """Run one command; returns the exit code. What a user can mend is said in one line, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # an old Windows console lacks some characters
    parser = argparse.ArgumentParser(prog="python course.py", description="Deep Learning, Step by Step")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    argv = sys.argv[1:] if argv is None else argv
    for name, (add_arguments, _, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary, add_help=name not in PASS_ON)
        if argv[:1] == [name]:  # only this one: the others' options may need what is not installed
            add_arguments(command)
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command not in PASS_ON:
        commands.choices[arguments.command].error(f"unknown argument {rest[0]!r}")
    arguments.rest = rest
    try:
        return COMMANDS[arguments.command][1](arguments) or 0
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except expected_errors() as error:
        print(f"course.py {arguments.command}: {error}", file=sys.stderr)
        return 1


def expected_errors():
    from dlsteps.capture import CaptureError, WindowNotFound
    from dlsteps.game.window import NoDisplay

    return CaptureError, WindowNotFound, NoDisplay, OSError, ImportError, UsageError


class UsageError(Exception):
    """The command line asks for something that is not there."""


def lab_arguments(parser):
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the lessons (en)")
    parser.add_argument("--port", type=int, default=8888)


def lab(arguments):
    """Open JupyterLab on the notebooks, in a browser if there is one."""
    import webbrowser

    first = "00_start_here.ipynb" if arguments.lang == "en" else f"{arguments.lang}/00_start_here.ipynb"
    if not (NOTEBOOKS / first).is_file():
        raise UsageError(f"no lessons in {NOTEBOOKS}: run this from a clone of the course")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={NOTEBOOKS}", f"--port={arguments.port}"]
    command.append(f"--LabApp.default_url=/lab/tree/{first}")
    settings = [str(Path(__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, settings))  # no news, no look for updates
    try:
        webbrowser.get()
    except webbrowser.Error:
        print("no browser here: open the address below in one", file=sys.stderr)
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container; JupyterLab refuses otherwise
        command.append("--allow-root")
    return _become(command)


def run_arguments(parser):
    parser.add_argument("lessons", nargs="*", metavar="NN", help="lesson numbers, e.g. 00 02; all unless told")
    parser.add_argument("--report", metavar="FILE", help="write the table as JSON")


def run(arguments):
    """Execute lessons without a browser; a table of seconds, peak memory and result."""
    from dlsteps.authoring.execute import execute_lessons, find_lessons

    return execute_lessons(find_lessons(NOTEBOOKS, arguments.lessons), arguments.report)


def play_arguments(parser):
    from dlsteps.game import window

    window.add_arguments(parser)
    parser.add_argument("--learn", action="store_true", help="record the scripted player, train a network, let it play")
    parser.add_argument(
        "--no-window", action="store_true", help="with --learn: use no window even if there is a display"
    )


def play(arguments):
    """Play Catch in a window; with --learn, watch a network learn it."""
    if arguments.learn:
        from dlsteps.agents.learn import learn

        learn(arguments.level, arguments.theme, fps=arguments.fps, use_window=not arguments.no_window)
        return
    from dlsteps.game import window

    game = window.main(arguments)
    print(
        f"caught {game.caught}, missed {game.missed}" + (f", stones touched {game.hit}" if arguments.level == 3 else "")
    )


def doctor(arguments):
    """Check packages, device and desktop; print a verdict that can be pasted."""
    from dlsteps import doctor

    return doctor.main(arguments.rest)


def test(arguments):
    """Lint, run the tests, and check that the notebooks' stored outputs still hold."""
    from dlsteps.authoring.execute import neutral_environment

    if arguments.rest:
        return _pass_on([sys.executable, "-m", "pytest", *arguments.rest], cwd=ROOT)
    # The Chinese notebooks are not run: a test holds their code and outputs to the English ones.
    notebooks = [
        path for folder in (NOTEBOOKS, NOTEBOOKS / "solutions") for path in sorted(folder.glob("[0-9]*.ipynb"))
    ]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", "-n", "2", "--dist", "loadscope"]
    checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["pytest", *nbval, *notebooks], ["pytest"]]
    one_thread = {"OMP_NUM_THREADS": "1"}  # two notebooks at once: their threads would wait for each other
    environments = [None, None, neutral_environment() | one_thread, None]
    codes = [_pass_on([sys.executable, "-m", *c], ROOT, env) for c, env in zip(checks, environments, strict=True)]
    return max(codes)


def bench_arguments(parser):
    parser.add_argument("name", nargs="?", help="a benchmark; without a name, all are listed")


def bench(arguments):
    """List the benchmarks, or run one."""
    scripts = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    if arguments.name is None:
        for name, path in scripts.items():
            print(f"{name:12} {_first_line(path)}")
        return 0
    if arguments.name not in scripts:
        raise UsageError(f"unknown benchmark {arguments.name!r}: choose from {', '.join(scripts)}")
    os.chdir(ROOT)
    return _become([sys.executable, str(scripts[arguments.name]), *arguments.rest])


def _first_line(path):
    import ast

    return ast.get_docstring(ast.parse(path.read_text(encoding="utf8"))).splitlines()[0]


def _become(command):
    """Run a command in this process's place, so that signals reach it; Windows has nothing like that."""
    if os.name == "nt":
        return _pass_on(command)
    return os.execv(command[0], command)


def _pass_on(command, cwd=None, env=None):
    import subprocess

    process = subprocess.Popen([str(part) for part in command], cwd=cwd, env=env)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the child got the Ctrl-C too, and ends in its own way
            continue


def build_arguments(parser):
    parser.add_argument("lessons", nargs="*", metavar="NN", help="lesson numbers, e.g. 00 02; all unless told")
    parser.add_argument("--check", action="store_true", help="write nothing: name what is not as build would write it")
    parser.add_argument("--force", action="store_true", help="overwrite notebooks that were edited by hand")


def build(arguments):
    """Write the notebooks of all editions from notebooks/source; execute only what has changed."""
    from dlsteps.authoring.build import build_lessons
    from dlsteps.authoring.execute import find_lessons

    sources = find_lessons(NOTEBOOKS / "source", arguments.lessons, ".py")
    return build_lessons(sources, NOTEBOOKS, arguments.check, arguments.force)


def class_arguments(parser):
    parser.add_argument("out", metavar="OUT", help="a new folder")


def make_class(arguments):
    """Write the class edition, without solutions, to a new folder."""
    from dlsteps.authoring.class_edition import NotHandedOut, make_class_edition

    try:
        print(f"the class edition is in {make_class_edition(arguments.out)}")
    except NotHandedOut as error:
        raise UsageError(str(error)) from None


def positive(kind):
    """For argparse: a number of some kind, above 0."""

    def convert(text):
        value = kind(text)
        if not value > 0:
            raise ValueError
        return value

    convert.__name__ = f"positive {kind.__name__}"
    return convert


def grade_arguments(parser):
    parser.add_argument("submissions", metavar="SUBMISSIONS", help="a folder with notebooks, at any depth")
    parser.add_argument("out", metavar="OUT.csv", help="the table to write; feedback goes to OUT_feedback beside it")
    parser.add_argument("--seconds", type=positive(int), default=20, help="that a cell may take (20)")
    parser.add_argument("--memory", type=positive(float), default=3.0, help="GB that a notebook may take (3)")
    parser.add_argument("--workers", type=positive(int), default=2, help="notebooks graded at once (2)")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the feedback (en)")


def grade(arguments):
    """Grade a folder of notebooks to a CSV, with a page of feedback for each. It runs the students' code."""
    from dlsteps.authoring.grade_notebook import Limits
    from dlsteps.authoring.grading import grade_folder

    limits = Limits(arguments.seconds, arguments.memory)
    options = {"limits": limits, "lang": arguments.lang, "workers": arguments.workers}
    rows = grade_folder(arguments.submissions, arguments.out, **options)
    print(f"{len(rows)} notebooks graded: {arguments.out}")


def no_arguments(parser):
    pass


COMMANDS = {  # name: (adds its options, runs it, one line of help)
    "lab": (lab_arguments, lab, "open the lessons in JupyterLab"),
    "run": (run_arguments, run, "execute lessons without a browser: seconds, memory, result"),
    "test": (no_arguments, test, "lint and test everything; arguments go to pytest"),
    "play": (play_arguments, play, "play Catch, or --learn: watch a network learn to"),
    "doctor": (no_arguments, doctor, "check packages, device and desktop"),
    "build": (build_arguments, build, "make the notebooks from their sources (for authors)"),
    "class": (class_arguments, make_class, "write the class edition, without solutions (for teachers)"),
    "grade": (grade_arguments, grade, "grade a folder of notebooks to a CSV (for teachers)"),
    "bench": (bench_arguments, bench, "list the benchmarks, or run one; further arguments go to it"),
}
PASS_ON = ("test", "doctor", "bench")  # their unknown arguments are somebody else's
