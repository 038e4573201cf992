#!/usr/bin/env python3
"""The front door of the course: `python course.py lab` opens the lessons.

The first use sets up .venv beside this file; every use then runs `python -m dlsteps COMMAND` in it. Standard library
only, and no syntax newer than Python 2.7: whoever starts this with an old Python still reads why it stops.
"""

from __future__ import print_function

import contextlib
import difflib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys

COMMANDS = {  # name: (extras of pyproject.toml that it needs beyond the learner's set, help)
    "lab": ([], "open the lessons in JupyterLab"),
    "run": ([], "execute lessons without a browser: seconds, memory, result"),
    "test": (["dev"], "lint and test everything"),
    "play": ([], "play Catch, or --learn: watch a network learn to"),
    "doctor": ([], "check packages, device and desktop"),
    "build": (["dev"], "make the notebooks from their sources (for authors)"),
    "class": (["class"], "write the class edition, without solutions (for teachers)"),
    "grade": (["class"], "grade a folder of notebooks to a CSV (for teachers)"),
    "bench": (["dev"], "list the benchmarks, or run one"),
}
PYTHONS = [(3, 11), (3, 12), (3, 13)]
WINDOWS = os.name == "nt"
ROOT = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "Scripts", "python.exe") if WINDOWS else os.path.join(VENV, "bin", "python")
STAMP = ".dlsteps-installed.json"  # written into an environment when its set-up has finished, never before

USAGE = "usage: python course.py COMMAND [ARGS...] [--here]\n\n%s\n\n%s" % (
    "\n".join("  %-8s %s" % (name, text) for name, (_, text) in COMMANDS.items()),
    "The first use sets up .venv beside course.py. --here uses the Python that runs it instead (for conda).",
)
WRONG_PYTHON = """This is Python %s; the course needs 3.11, 3.12 or 3.13. \
Install one from python.org, then run for example: %s course.py %s"""
SETTING_UP = """Setting up %s, once: pip installs what the course needs. \
This takes some minutes and on Linux, where torch brings CUDA libraries, about 6 GB."""
UPDATING = "Updating %s: pip installs what is missing or has changed."
NOT_FINISHED = """Set-up did not finish (pip's own message is above). \
Nothing half-made will be used: check the network, and that the disk has room; then run the same command again."""


def say(line):
    print(line, file=sys.stderr)


def split_here(args):
    """Args without --here, and whether it was among them; what follows a -- belongs to the command."""
    end = args.index("--") if "--" in args else len(args)
    return [arg for arg in args[:end] if arg != "--here"] + args[end:], "--here" in args[:end]


def unknown(command):
    near = "".join(" (nearest: '%s')" % name for name in difflib.get_close_matches(command, COMMANDS, n=1))
    return "unknown command '%s'%s: choose from %s" % (command, near, ", ".join(COMMANDS))


def check_python(args):
    if sys.version_info[:2] not in PYTHONS:
        version = "%d.%d.%d" % tuple(sys.version_info[:3])
        sys.exit(WRONG_PYTHON % (version, "py -3.12" if WINDOWS else "python3.12", " ".join(args)))


def fingerprint():
    """Changes when pip has to run again: for other dependencies, and for a checkout that has moved."""
    digest = hashlib.sha256(os.fsencode(ROOT))
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def version_of(python):
    """Such as '3.12'; '' where it does not start, for example because the Python behind a .venv was removed."""
    ask = [python, "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.check_output(ask, stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def read_stamp(folder, python):
    """What the last finished set-up noted; {} if there was none, or if it was for another Python."""
    try:
        with open(os.path.join(folder, STAMP)) as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if stamp.get("python") == version_of(python) else {}


def write_stamp(folder, python, extras):
    path = os.path.join(folder, STAMP)
    with open(path + ".new", "w") as file:
        json.dump({"hash": fingerprint(), "python": version_of(python), "extras": extras}, file)
    os.replace(path + ".new", path)  # in one step: nobody ever reads half a stamp


def is_ready(folder, python, extras):
    stamp = read_stamp(folder, python)
    return stamp.get("hash") == fingerprint() and set(extras) <= set(stamp["extras"])


def lock():
    """The open .venv.lock, held by us alone. The system frees it when its holders end, however they end."""
    file = open(os.path.join(ROOT, ".venv.lock"), "a")  # noqa: SIM115
    try:
        if WINDOWS:
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        file.close()
        sys.exit("another course.py, or its pip, is still setting up: wait for it, then run this again")
    os.set_inheritable(file.fileno(), True)  # pip holds it too: it may outlive a course.py that is killed
    return file


def check_ground(here):
    """Say what would stop the set-up before anything is touched."""
    import importlib.util

    if here:
        if not os.access(sys.prefix, os.W_OK):
            sys.exit("cannot write to %s: leave out --here, and course.py sets up .venv" % sys.prefix)
    elif os.path.exists(VENV) and os.listdir(VENV) and not os.path.exists(os.path.join(VENV, "pyvenv.cfg")):
        sys.exit("%s is no virtual environment, so course.py leaves it alone: move it, then run this again" % VENV)
    elif importlib.util.find_spec("ensurepip") is None:
        sys.exit("this Python cannot set up .venv; on Debian and Ubuntu first run: sudo apt install python3-venv")


def run(command, output):
    """Run a part of the set-up, which holds the lock as long as it lives; its exit code."""
    env = dict(os.environ, PIP_RETRIES="2", PIP_DISABLE_PIP_VERSION_CHECK="1")  # not --retries: pip also calls itself
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output, close_fds=False) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:  # Ctrl-C in a terminal has reached the child too, which now tidies up
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=3)
            if not WINDOWS:
                child.send_signal(signal.SIGINT)  # for a signal that was sent to us alone
            raise


def make_venv():
    """Make .venv anew. Its pyvenv.cfg comes first and stays: however this ends, .venv is known to be ours."""
    import venv

    try:
        os.makedirs(VENV, exist_ok=True)
        open(os.path.join(VENV, "pyvenv.cfg"), "a").close()
        for entry in list(os.scandir(VENV)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            elif entry.name != "pyvenv.cfg":
                os.remove(entry.path)
        venv.create(VENV, symlinks=not WINDOWS)
        if run([VENV_PYTHON, "-I", "-m", "ensurepip", "--default-pip"], subprocess.DEVNULL):
            raise OSError("ensurepip failed")
    except (OSError, ValueError) as error:
        sys.exit("cannot make .venv (%s): end what still uses it (JupyterLab, deactivate), then run this again" % error)


def set_up(folder, python, extras, here):
    stamp = read_stamp(folder, python)
    check_ground(here)
    say((UPDATING if stamp else SETTING_UP) % folder)
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, STAMP))
    if not stamp and not here:
        make_venv()
    extras = sorted(set(extras) | set(stamp.get("extras", [])))
    what = ".[%s]" % ",".join(extras) if extras else "."
    if run([python, "-m", "pip", "install", "-e", what, "-c", "constraints.txt"], sys.stderr):
        hint = " If pip calls this Python externally managed, leave out --here." if here else ""
        sys.exit(NOT_FINISHED + hint)
    write_stamp(folder, python, extras)


def hand_over(python, args):
    command = [python, "-m", "dlsteps"] + args
    if not WINDOWS:
        os.execv(python, command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which answers it in its own way
    return subprocess.call(command)


def main(argv):
    args, here = split_here(argv)
    if not args or args[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    if args[0] not in COMMANDS:
        say(unknown(args[0]))
        return 2
    check_python(argv)
    folder, python = (sys.prefix, sys.executable) if here else (VENV, VENV_PYTHON)
    extras, _ = COMMANDS[args[0]]
    if not is_ready(folder, python, extras):
        with lock():
            if not is_ready(folder, python, extras):  # another course.py may have just finished
                set_up(folder, python, extras, here)
    return hand_over(python, args)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("Stopped. Nothing half-made will be used: run the same command again.")
        sys.exit(130)
    except EnvironmentError as error:
        sys.exit("course.py: %s" % error)
