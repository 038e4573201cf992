"""The commands behind course.py."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import nbformat
import psutil
import pytest
from conftest import wait_for

from dlsteps.authoring.execute import PeakMemory, execute_lessons, find_lessons
from dlsteps.cli import main


def run(*arguments, **options):
    command = [sys.executable, "-m", "dlsteps", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def write_notebook(path, *sources):
    notebook = nbformat.v4.new_notebook()
    for number, source in enumerate(sources):
        cell = nbformat.v4.new_code_cell(source)
        cell["id"] = f"cell-{number}"
        notebook.cells.append(cell)
    nbformat.write(notebook, path)


def test_lessons_are_executed_and_measured(tmp_path, capsys):
    write_notebook(tmp_path / "01_good.ipynb", "data = bytearray(200_000_000)", "import time; time.sleep(0.3)")
    write_notebook(tmp_path / "02_bad.ipynb", "1 + 1", "1 / 0", "never = 1")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert execute_lessons(find_lessons(tmp_path), tmp_path / "report.json") == 1
    good, bad = json.loads((tmp_path / "report.json").read_text())
    assert (good["lesson"], good["result"]) == ("01_good", "ok")
    assert good["seconds"] > 0.3
    assert 200 < good["peak_mb"] < 1000
    assert bad["result"] == "failed in cell 'cell-1': ZeroDivisionError: division by zero"
    assert all(path.read_bytes() == content for path, content in before.items())
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["lesson", "01_good", "02_bad"]


def test_a_kernel_that_dies_does_not_stop_the_others(tmp_path, capsys):
    write_notebook(tmp_path / "01_dies.ipynb", "import os; os._exit(1)")
    write_notebook(tmp_path / "02_lives.ipynb", "1")
    assert execute_lessons(find_lessons(tmp_path)) == 1
    out = capsys.readouterr().out
    assert "failed in cell 'cell-0': the kernel died" in out
    assert re.search(r"02_lives .* ok", out)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere shared pages count for each process")
def test_memory_that_a_worker_shares_with_its_parent_counts_once():
    program = "import os, time; block = bytearray(300_000_000); os.fork(); time.sleep(1.5)"
    with subprocess.Popen([sys.executable, "-c", program]) as process, PeakMemory(process.pid) as memory:
        process.wait()
    assert 300e6 < memory.peak < 450e6


def test_lessons_are_found_by_number(tmp_path):
    for name in ("00_a", "07_b", "12_c", "snippets"):
        write_notebook(tmp_path / f"{name}.ipynb")
    assert [path.stem for path in find_lessons(tmp_path)] == ["00_a", "07_b", "12_c"]
    assert [path.stem for path in find_lessons(tmp_path, ["12", "7"])] == ["12_c", "07_b"]
    with pytest.raises(FileNotFoundError, match="no lesson '13': choose from 00, 07, 12"):
        find_lessons(tmp_path, ["13"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "99"], "course.py run: no lesson '99'"),
        (["bench", "nothing"], "course.py bench: unknown benchmark 'nothing': choose from 00_later_agent, "),
        (["play", "--level", "9"], "argument --level: invalid choice: 9"),
        (["play", "--theme", "nite"], "argument --theme: invalid choice: 'nite'"),
        (["play", "--lern"], "unknown argument '--lern'"),
        (["play", "--scale", "0"], "argument --scale: invalid choice: 0"),
        (["lob"], "invalid choice: 'lob'"),
    ],
)
def test_a_wrong_word_is_named_in_one_line(arguments, message):
    result = run(*arguments)
    assert result.returncode != 0
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_play_without_a_display_says_so(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    result = run("play")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("course.py play: no desktop to open a window on")


@pytest.mark.desktop
def test_a_log_that_cannot_be_written_is_found_out_before_the_game(display, tmp_path):
    result = run("play", "--log", tmp_path / "nowhere" / "log.json")
    assert result.returncode == 1
    assert "No such file or directory" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_bench_lists_what_there_is(capsys):
    assert main(["bench"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^game +The reference scores of Catch", out, re.MULTILINE)


def test_options_go_through_to_the_doctor():
    result = run("doctor", "--no-desktop", "--json")
    assert set(json.loads(result.stdout)) >= {"packages", "machine"}


@pytest.mark.parametrize(("lang", "first"), [("en", "00_start_here.ipynb"), ("zh", "zh/00_start_here.ipynb")])
def test_lab_opens_the_first_lesson_and_prints_its_address(tmp_path, lang, first):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "log"
    with open(log, "w") as file:
        command = [sys.executable, "-m", "dlsteps", "lab", "--port", str(port), "--lang", lang]
        lab = subprocess.Popen(command, stdout=file, stderr=file, env=private_jupyter(tmp_path))
    try:
        pattern = rf"http://127\.0\.0\.1:{port}/lab/tree/{first}\?token=\w+"
        address = wait_for(lambda: re.search(pattern, log.read_text()), "the address", 60)[0]
        contents = wait_for(lambda: fetch(address.replace(f"/lab/tree/{first}?", "/api/contents?")), "an answer", 60)
        assert "00_start_here.ipynb" in {entry["name"] for entry in json.loads(contents)["content"]}
        assert "JupyterLab" in fetch(address)
    finally:
        lab.send_signal(signal.SIGTERM)
        lab.wait(20)


def private_jupyter(folder):
    """An environment in which JupyterLab touches nobody's settings, and finds no browser."""
    private = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    private |= {f"JUPYTERLAB_{name}_DIR": str(folder / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    return {**os.environ, **private, "BROWSER": "true", "IPYTHONDIR": str(folder / "ipython")}


def fetch(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.read().decode()
    except urllib.error.URLError:  # not listening yet
        return None
