"""course.py beside a tiny project. Only the last test lets pip work, with a build backend that needs no network."""

import contextlib
import glob
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[1] / "course.py"
OLD_PYTHONS = [
    python
    for python in sorted(glob.glob("/root/.pyenv/versions/*/bin/python"))
    if not Path(python).parents[1].name.startswith(("3.11.", "3.12.", "3.13."))
]
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, and locks that a child inherits, are POSIX's")
INTERRUPTIBLE = pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="SIGINT is ignored here, as in a shell's background job"
)

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "dlsteps"
version = "0.1"
"""
BACKEND = """
import os, time, zipfile

FILES = {
    "dlsteps.pth": os.path.abspath("src"),
    "dlsteps-0.1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: dlsteps\\nVersion: 0.1\\nProvides-Extra: dev\\n",
    "dlsteps-0.1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "dlsteps-0.1.dist-info/RECORD": "dlsteps.pth,,\\n",
}

def build_editable(folder, config_settings=None, metadata_directory=None):
    if os.path.exists("slow"):
        os.rename("slow", "building")
        time.sleep(60)
    with zipfile.ZipFile(os.path.join(folder, "dlsteps-0.1-py3-none-any.whl"), "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return "dlsteps-0.1-py3-none-any.whl"
"""


class FakePip:
    """Takes the place of course.run: notes what pip is asked to install, and leaves something behind as pip does."""

    def __init__(self, course):
        self.course, self.installed, self.pythons, self.outcome = course, [], [], 0

    def __call__(self, command, output):
        if "ensurepip" in command:
            return 0
        python, *options, what, constraint, constraints = command
        assert (options, constraint, constraints) == (["-m", "pip", "install", "-e"], "-c", "constraints.txt")
        self.installed.append(what)
        self.pythons.append(python)
        if os.path.exists(self.course.VENV):
            Path(self.course.VENV, "half", "made").mkdir(parents=True, exist_ok=True)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "a course"  # the blank is there on purpose
    (folder / "src" / "dlsteps").mkdir(parents=True)
    shutil.copy(COURSE, folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "constraints.txt").write_text("")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "src" / "dlsteps" / "__init__.py").touch()
    (folder / "src" / "dlsteps" / "__main__.py").write_text("import os, sys\nprint(sys.argv[1:], os.getcwd())\n")
    return folder


def load(root):
    spec = importlib.util.spec_from_file_location("course", root / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_fakes(course):
    course.run = course.pip = FakePip(course)
    course.hand_over = lambda python, args: [python, *args]
    return course


@pytest.fixture
def course(root):
    return with_fakes(load(root))


@pytest.fixture
def stamp(root):
    return root / ".venv" / ".dlsteps-installed.json"


def start(root, *args, python=sys.executable, **options):
    command = [str(python), str(root / "course.py"), *args]
    env = dict(os.environ, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    env.pop("PYTHONPATH", None)  # else the real dlsteps might answer
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=env, **pipes, **options)


def finish(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


# What is answered without any set-up


@pytest.mark.parametrize("args", [[], ["-h"], ["--help"], ["help"], ["--here"]])
def test_help_has_a_line_for_each_command_and_sets_nothing_up(course, root, args, capsys):
    before = sorted(root.iterdir())
    assert course.main(args) == 0
    out, err = capsys.readouterr()
    lines = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert lines == ["lab", "run", "test", "play", "doctor", "build", "class", "grade", "bench"]
    assert err == ""
    assert sorted(root.iterdir()) == before


def test_an_unknown_command_is_named_with_the_nearest_and_the_choices(course, root, capsys):
    before = sorted(root.iterdir())
    assert course.main(["dcotor", "x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "unknown command 'dcotor' (nearest: 'doctor'): choose from %s\n" % ", ".join(course.COMMANDS)
    assert sorted(root.iterdir()) == before


def test_an_unknown_command_that_is_near_to_none(course, capsys):
    assert course.main(["xyz"]) == 2
    assert capsys.readouterr().err == "unknown command 'xyz': choose from %s\n" % ", ".join(course.COMMANDS)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 13), (3, 14, 0)])
def test_other_pythons_are_refused(course, root, monkeypatch, version):
    monkeypatch.setattr(course, "WINDOWS", False)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as stopped:
        course.main(["run", "03", "--here"])
    monkeypatch.undo()
    assert stopped.value.code == (
        "This is Python %d.%d.%d; the course needs 3.11, 3.12 or 3.13. " % version
        + "Install one from python.org, then run for example: python3.12 course.py run 03 --here"
    )
    assert course.pip.installed == []
    assert not (root / ".venv").exists()


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 2)])
def test_the_courses_pythons_are_accepted(course, monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    course.check_python(["lab"])


NO_OLD = pytest.param(None, marks=pytest.mark.skip(reason="no old Python under /root/.pyenv/versions"))


@pytest.mark.parametrize("python", OLD_PYTHONS or [NO_OLD])
def test_old_pythons_can_read_course_py(root, python):
    returncode, out, err = finish(start(root, "lab", python=python))
    assert (returncode, out) == (1, "")
    assert err.startswith("This is Python %s; the course needs 3.11, 3.12 or 3.13." % Path(python).parents[1].name)
    assert err.count("\n") == 1
    assert not (root / ".venv").exists()


def test_a_broken_checkout_is_one_line_without_traceback(root):
    (root / "constraints.txt").unlink()
    returncode, out, err = finish(start(root, "lab"))
    assert (returncode, out) == (1, "")
    assert err.startswith("course.py: ")
    assert "constraints.txt" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "passed_on", "here"),
    [
        (["run", "03", "--fast", "04"], ["run", "03", "--fast", "04"], False),
        (["--here", "run", "b", "a"], ["run", "b", "a"], True),
        (["run", "b", "--here", "a"], ["run", "b", "a"], True),
        (["run", "a", "--", "--here"], ["run", "a", "--", "--here"], False),
        (["run", "--here", "--", "a", "--here"], ["run", "--", "a", "--here"], True),
    ],
)
def test_here_is_taken_out_and_the_rest_kept_in_order(course, args, passed_on, here):
    assert course.split_here(args) == (passed_on, here)


# Set-up, with a pip that only takes notes


def test_the_first_call_sets_up_and_the_second_does_not(course, root, stamp, capsys):
    assert course.main(["lab", "a", "b"]) == [course.VENV_PYTHON, "lab", "a", "b"]
    assert course.pip.installed == ["."]
    assert course.pip.pythons == [course.VENV_PYTHON]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Setting up %s, once: " % (root / ".venv"))
    assert "6 GB" in err
    assert err.count("\n") == 1
    assert json.loads(stamp.read_text())["extras"] == []

    assert course.main(["doctor"]) == [course.VENV_PYTHON, "doctor"]
    assert course.pip.installed == ["."]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_dependencies_are_installed_into_the_same_venv(course, root, name, capsys):
    course.main(["lab"])
    (root / name).write_text((root / name).read_text() + "# changed\n")
    (root / ".venv" / "kept").touch()
    capsys.readouterr()
    course.main(["lab"])
    assert course.pip.installed == [".", "."]
    assert (root / ".venv" / "kept").exists()
    assert capsys.readouterr().err.startswith("Updating ")
    course.main(["lab"])
    assert course.pip.installed == [".", "."]


def test_a_moved_checkout_is_linked_again(course, root):
    course.main(["lab"])
    (root / ".venv" / "kept").touch()
    moved = with_fakes(load(root.rename(root.with_name("moved"))))
    moved.main(["lab"])
    assert moved.pip.installed == ["."]
    assert (root.with_name("moved") / ".venv" / "kept").exists()


@pytest.mark.parametrize("outcome", [1, KeyboardInterrupt()])
def test_an_unfinished_install_starts_again_from_an_empty_venv(course, root, stamp, outcome):
    course.pip.outcome = outcome
    with pytest.raises((SystemExit, KeyboardInterrupt)) as stopped:
        course.main(["lab"])
    if outcome == 1:
        assert stopped.value.code == course.NOT_FINISHED
        assert "check the network" in course.NOT_FINISHED
    assert (root / ".venv" / "half").exists()
    assert not stamp.exists()

    seen = []
    course.run = lambda command, output: seen.append((root / ".venv" / "half").exists()) or 0
    course.main(["lab"])
    assert seen == [False, False]  # while ensurepip ran, and while pip ran
    assert stamp.exists()


def test_an_update_that_fails_leaves_no_stamp(course, root, stamp):
    course.main(["lab"])
    (root / "constraints.txt").write_text("# changed\n")
    course.pip.outcome = 1
    with pytest.raises(SystemExit):
        course.main(["lab"])
    assert not stamp.exists()


def test_there_is_no_stamp_while_pip_runs(course, root, stamp):
    course.main(["lab"])
    (root / "constraints.txt").write_text("# changed\n")
    seen = []
    course.run = lambda command, output: seen.append(stamp.exists()) or 0
    course.main(["lab"])
    assert seen == [False]


def test_developers_commands_add_their_extras_and_keep_them(course, root, stamp):
    course.main(["lab"])
    for command in ["test", "bench", "lab"]:  # dev is installed once; it holds the learner's set too
        course.main([command])
    assert course.pip.installed == [".", ".[dev]"]
    assert json.loads(stamp.read_text())["extras"] == ["dev"]
    (root / "constraints.txt").write_text("# changed\n")
    course.main(["lab"])
    assert course.pip.installed == [".", ".[dev]", ".[dev]"]


@pytest.mark.parametrize("command", ["test", "bench"])
def test_developers_commands_need_dev(course, command):
    course.main([command])
    assert course.pip.installed == [".[dev]"]


@pytest.mark.parametrize("command", ["lab", "run", "play", "doctor"])
def test_learners_commands_need_no_extras(course, command):
    course.main([command])
    assert course.pip.installed == ["."]


def test_a_venv_folder_that_is_not_ours_is_left_alone(course, root):
    (root / ".venv").mkdir()
    (root / ".venv" / "thesis.txt").write_text("ten years of work")
    with pytest.raises(SystemExit, match="is no virtual environment, so course.py leaves it alone"):
        course.main(["lab"])
    assert [path.name for path in (root / ".venv").iterdir()] == ["thesis.txt"]
    assert course.pip.installed == []


def test_an_empty_venv_folder_is_used(course, root, stamp):
    (root / ".venv").mkdir()
    course.main(["lab"])
    assert stamp.exists()


def test_a_half_made_venv_is_ours_from_its_first_moment(course, root, monkeypatch):
    def killed(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("venv.create", killed)
    with pytest.raises(KeyboardInterrupt):
        course.main(["lab"])
    (root / ".venv" / "lib").mkdir()
    monkeypatch.setattr(shutil, "rmtree", killed)  # and then it is killed again, while it clears
    with pytest.raises(KeyboardInterrupt):
        course.main(["lab"])
    monkeypatch.undo()
    course.main(["lab"])
    assert course.pip.installed == ["."]


@pytest.mark.parametrize("python", ["vanished", "of another version"])
def test_a_venv_whose_python_is_gone_is_made_anew(course, root, stamp, python):
    course.main(["lab"])
    if python == "vanished":
        Path(course.VENV_PYTHON).unlink()
    else:
        stamp.write_text(json.dumps(dict(json.loads(stamp.read_text()), python="3.9")))
    course.pip.installed.clear()
    (root / ".venv" / "old").touch()
    course.main(["lab"])
    assert course.pip.installed == ["."]
    assert not (root / ".venv" / "old").exists()
    assert course.version_of(course.VENV_PYTHON) == "%d.%d" % sys.version_info[:2]


def test_another_python_that_is_good_uses_the_venv_as_it_is(course, monkeypatch):
    course.main(["lab"])
    other = (3, 13, 1) if sys.version_info[:2] != (3, 13) else (3, 12, 1)
    monkeypatch.setattr(sys, "version_info", other)
    course.main(["lab"])
    monkeypatch.undo()
    assert course.pip.installed == ["."]


def test_the_venvs_own_python_can_make_it_anew(course, root, stamp):
    course.main(["lab"])
    stamp.unlink()
    (root / ".venv" / "old").touch()
    script = "import course; course.run = lambda *_: 0; course.hand_over = lambda *_: 7; exit(course.main(['lab']))"
    result = subprocess.run([course.VENV_PYTHON, "-c", script], cwd=root, capture_output=True, text=True)
    if os.name == "nt":  # Windows removes no file that runs
        assert "deactivate" in result.stderr
    else:
        assert (result.returncode, stamp.exists(), (root / ".venv" / "old").exists()) == (7, True, False)
        assert course.version_of(course.VENV_PYTHON) == "%d.%d" % sys.version_info[:2]


def test_without_ensurepip_the_missing_package_is_named(course, root, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        course.main(["lab"])
    assert not (root / ".venv").exists()


def test_a_venv_that_cannot_be_made_is_one_line(course, root, monkeypatch):
    course.run = lambda command, output: 1
    with pytest.raises(SystemExit, match=r"cannot make \.venv \(ensurepip failed\)"):
        course.main(["lab"])


# Two at once

HOLD = "import course, sys; file = course.lock(); print('held', flush=True); sys.stdin.read()"


def test_a_second_caller_is_sent_away_until_the_first_is_gone(course, root, stamp):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLD], cwd=root, **pipes) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(SystemExit, match="another course.py, or its pip, is still setting up"):
            course.main(["lab"])
        assert not (root / ".venv").exists()
        first.kill()  # as a crash would: nobody tidies up after it
    course.main(["lab"])
    assert stamp.exists()


def test_a_set_up_that_was_waited_for_is_not_repeated(course):
    course.main(["lab"])
    answers = iter([False, True])  # not ready at first sight; ready once the lock is ours
    course.is_ready = lambda *args: next(answers)
    course.main(["lab"])
    assert course.pip.installed == ["."]


@POSIX
def test_pip_keeps_the_lock_when_course_py_is_killed(course, root):
    pip = "import time; print(__import__('os').getpid(), flush=True); time.sleep(60)"
    script = "import course, sys; file = course.lock(); course.run([sys.executable, '-c', %r], None)" % pip
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, text=True) as first:
        pid = int(first.stdout.readline())
        first.kill()
        first.wait()
        try:
            with pytest.raises(SystemExit, match="or its pip, is still setting up"):
                course.main(["lab"])
        finally:
            os.kill(pid, signal.SIGKILL)
        first.stdout.read()  # ends when pip has ended
    course.main(["lab"])
    assert course.pip.installed == ["."]


# What is started for a set-up


def test_offline_pip_gives_up_soon(root):
    asks = "import os; raise SystemExit(os.environ['PIP_RETRIES'] + os.getcwd() != '2' + %r)" % str(root)
    assert load(root).run([sys.executable, "-c", asks], None) == 0


@POSIX
@INTERRUPTIBLE
def test_an_interrupt_for_course_py_alone_reaches_pip(root):
    pip = "import time; print('started', flush=True); time.sleep(60)"
    script = "import course, sys; course.run([sys.executable, '-c', %r], None)" % pip
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, "-c", script], cwd=root, **pipes) as process:
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        process.stdout.read()  # ends when both have ended, long before pip would have


# --here


def test_here_installs_once_into_the_current_environment(course, root, monkeypatch, capsys):
    prefix = root.with_name("conda")
    prefix.mkdir()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    for _ in range(2):
        assert course.main(["lab", "--here", "x"]) == [sys.executable, "lab", "x"]
    assert course.pip.installed == ["."]
    assert course.pip.pythons == [sys.executable]
    assert [path.name for path in prefix.iterdir()] == [".dlsteps-installed.json"]
    assert not (root / ".venv").exists()
    assert capsys.readouterr().err.startswith("Setting up %s, once: " % prefix)


def test_here_that_fails_suggests_to_leave_it_out(course, root, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(root))
    course.pip.outcome = 1
    with pytest.raises(SystemExit, match=r"externally managed, leave out --here\.$"):
        course.main(["lab", "--here"])
    assert not (root / ".dlsteps-installed.json").exists()


def test_here_where_it_cannot_write(course, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SystemExit, match="cannot write to .* leave out --here"):
        course.main(["lab", "--here"])
    assert course.pip.installed == []


# The command itself


def test_on_windows_the_commands_exit_code_comes_back(root, monkeypatch):
    course, calls = load(root), []
    monkeypatch.setattr(course, "WINDOWS", True)
    monkeypatch.setattr(
        subprocess, "call", lambda command: calls.append((command, signal.getsignal(signal.SIGINT))) or 3
    )
    before = signal.getsignal(signal.SIGINT)
    try:
        assert course.hand_over("python", ["lab", "x"]) == 3
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [(["python", "-m", "dlsteps", "lab", "x"], signal.SIG_IGN)]


def interrupt_while_it_builds(root):
    """Press Ctrl-C, as a terminal does: for course.py and everything that it has started."""
    (root / "slow").touch()
    process = start(root, "lab", start_new_session=True)
    deadline = time.monotonic() + 60
    while not (root / "building").exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    return finish(process)


@POSIX
@INTERRUPTIBLE
def test_for_real_interrupted_then_finished_then_at_once(root, stamp):
    returncode, _, err = interrupt_while_it_builds(root)
    assert returncode == 130
    assert "Stopped. Nothing half-made will be used: run the same command again.\n" in err
    assert "Traceback" not in err
    assert not stamp.exists()

    elsewhere = root.parent
    returncode, out, err = finish(start(root, "lab", "b", "--", "a b", "--here", cwd=elsewhere))
    assert (returncode, out) == (0, "%s %s\n" % (["lab", "b", "--", "a b", "--here"], elsewhere))
    assert "Successfully installed dlsteps" in err  # pip's own output was shown

    assert finish(start(root, "doctor", cwd=elsewhere)) == (0, "%s %s\n" % (["doctor"], elsewhere), "")
