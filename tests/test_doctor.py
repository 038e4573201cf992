"""The doctor on this machine, and on patients made ill on purpose."""

import contextlib
import json
import os
import platform
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

from dlsteps import doctor
from dlsteps.doctor import PACKAGES, Package, PackageCheck, Step, check_desktop, check_package, import_problem

ROOT = Path(__file__).parents[1]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what other systems lack is told on them")
NMS = 'raise RuntimeError("operator torchvision::nms does not exist\\nTraceback: more")'
PLANTED = {
    "well": "",
    "raises": 'raise ImportError("first line\\nDLL load failed")',
    "leaves": 'import sys\nsys.exit("NOTE: install tkinter")',
    "leaves_silently": "import sys\nsys.exit()",
    "aborts": "import os\nos.abort()",
    "hangs": "import time\ntime.sleep(60)",
    "needy": "import surely_not_there",
    "chatty": 'print("imported")\nraise OSError("libGL.so.1: cannot open shared object file")',
    "torchvision": NMS,
}


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder at the front of PYTHONPATH with the modules of PLANTED."""
    for name, text in PLANTED.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


@pytest.fixture
def installed(monkeypatch):
    """A dict of the distributions that seem to be installed: {name: version}."""
    versions = {}
    monkeypatch.setattr(doctor.packages, "_version", lambda name: versions.get(name, ""))
    return versions


@pytest.fixture(scope="module")
def report(display):
    """What `python -m dlsteps.doctor --json` says in a process of its own, and how long it took in seconds."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "dlsteps.doctor", "--json"], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return json.loads(done.stdout) | {"code": done.returncode, "seconds": time.monotonic() - start}


@pytest.fixture
def examined(monkeypatch):
    """Lets main() find (packages, steps) without looking; the machine is this one."""
    machine = doctor.check_machine(with_torch=False)  # as quick as can be

    def plant(packages=(), steps=()):
        monkeypatch.setattr(doctor.report, "examine", lambda *_: (list(packages), machine, list(steps)))

    plant([PackageCheck("numpy", "numpy", "OK", "2.0", "", "")], [Step("open a window", True, "fine")])
    return plant


# The whole report


@pytest.mark.desktop
def test_everything_works_here(report):
    assert (report["ok"], report["code"]) == (True, 0), report["verdict"]
    assert [step["ok"] for step in report["desktop"]] == [True] * len(doctor.STEPS)
    assert [(p["package"], p["module"]) for p in report["packages"]] == [(p.name, p.module) for p in PACKAGES]
    assert report["seconds"] < 40  # about 10 on two idle cores


@pytest.mark.desktop
@LINUX
def test_packages_of_this_machine(report):
    found = {p["module"]: p for p in report["packages"]}
    assert {m for m in found if found[m]["status"] == "not for this system"} == {
        "win32gui", "pyautogui", "keyboard", "pynput", "Quartz"
    }  # fmt: skip
    assert found["win32gui"]["note"] == "python-xlib finds windows"
    assert found["keyboard"]["note"] == "needs root; python-xlib reads the keys"
    assert found["pyautogui"]["note"] == "clashes with python-xlib, which sends keys"
    import numpy

    assert found["numpy"]["version"] == numpy.__version__
    assert found["cv2"]["note"] in ("", "installed as opencv-python-headless")
    assert all(p["version"] for p in found.values() if p["status"] == "OK")


@pytest.mark.desktop
def test_verdict_names_nobody(report):
    verdict = report["verdict"]
    assert verdict.startswith("-" * 72)
    assert verdict.endswith("-" * 72)
    assert f"window: {len(doctor.STEPS)} of {len(doctor.STEPS)} steps OK" in verdict
    for private in (str(Path.home()), str(ROOT), sys.prefix, sys.executable, platform.node(), "/"):
        assert private not in verdict.replace("GNU/Linux", "").replace("frames/s", "")


@pytest.mark.desktop
def test_desktop_details(report):
    details = {step["name"]: step["detail"] for step in report["desktop"]}
    assert details["capture it"] == "240 x 160 pixels, not black"
    assert float(details["capture rate"].split()[0]) > 50
    assert 0 <= float(details["picture changes"].split()[0]) < 1000


def test_table_covers_what_pyproject_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    names = {line.split(">=")[0].removesuffix("-headless") for line in project["dependencies"]}
    assert names <= {package.name for package in PACKAGES}


def test_text_report(examined, capsys):
    assert doctor.main([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("package  import as  status  version  note\nnumpy               OK      2.0\n\npython  ")
    assert "\n\nopen a window  OK  fine\n\n-----" in out
    assert "all that the course needs works here\n" in out
    assert err == ""


@pytest.mark.parametrize(
    ("package", "status", "code"),
    [
        ("numpy", "missing", 1),
        ("numpy", "broken", 1),
        ("numpy", "not for this system", 0),
        ("keyboard", "optional", 0),
        ("keyboard", "broken", 0),
    ],
)
def test_exit_code_of_packages(examined, capsys, package, status, code):
    examined([PackageCheck(package, package, status, "", "a note", "python -m pip install it")])
    assert doctor.main(["--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (code == 0)
    assert (f"  {package} is {status}: a note\n    python -m pip install it\n" in report["verdict"]) is (code == 1)


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1), (None, 0)])
def test_exit_code_of_steps(examined, capsys, ok, code):
    examined(steps=[Step("focus it", ok, "click on it")])
    assert doctor.main([]) == code
    assert ("  focus it: click on it\n" in capsys.readouterr().out) is (code == 1)


def test_verdict_hides_what_is_private(examined, capsys, monkeypatch):
    monkeypatch.setattr(doctor.report.platform, "node", lambda: "annas-pc.example")
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna smith"))
    monkeypatch.setenv("DISPLAY", "bobs-pc:10.0")
    note = "no '/home/anna smith/c/x.so' (/opt/secret/y.so) C:\\Users\\Eve\\z.pyd C:/Users/Eve/w.pyd"
    note += " for anna smith on annas-pc or bobs-pc:10.0"
    monkeypatch.setattr(doctor.report, "_python", lambda: '"/opt/a b/bin/python"')
    examined([PackageCheck("numpy", "numpy", "broken", "", note, f"{doctor.report._python()} -m pip install numpy")])
    doctor.main([])
    verdict = capsys.readouterr().out.partition("-" * 72)[2]
    assert ".../x.so" in verdict
    assert ".../y.so" in verdict
    assert "...\\z.pyd" in verdict
    assert ".../w.pyd" in verdict
    assert "    python -m pip install numpy\n" in verdict
    for private in ("anna", "smith", "secret", "Users", "Eve", "home", "bobs"):
        assert private not in verdict


def test_report_without_desktop(monkeypatch, capsys):
    monkeypatch.setattr(doctor.report, "check_packages", lambda **_: [])
    monkeypatch.setattr(doctor.report, "check_desktop", lambda **_: pytest.fail("opened a window"))
    assert doctor.main(["--no-desktop"]) == 0
    assert "window: not checked\n" in capsys.readouterr().out


@pytest.mark.parametrize(("module", "desktop"), [("mss", "first repair mss"), ("torch", "went on")])
def test_what_is_broken_is_not_used(monkeypatch, module, desktop):
    broken = PackageCheck(module, module, "broken", "", "crashes Python (SIGSEGV)", "")
    monkeypatch.setattr(doctor.report, "check_packages", lambda **_: [broken])
    monkeypatch.setattr(doctor.report, "check_desktop", lambda **_: [Step("open a window", True, "went on")])
    monkeypatch.setattr(doctor.report, "check_machine", lambda with_torch: {"torch used": with_torch})
    _, machine, steps = doctor.examine()
    assert machine == {"torch used": module != "torch"}
    assert steps[0].detail == desktop


def test_doctor_needs_none_of_the_libraries():
    code = "import sys; before = set(sys.modules); import dlsteps.doctor; print(*set(sys.modules) - before)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {package.module for package in PACKAGES} & set(modules)


# Packages


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("well", ""),
        ("raises", "DLL load failed"),
        ("leaves", "ends Python (exit code 1): NOTE: install tkinter"),
        ("leaves_silently", "ends Python (exit code 0)"),
        ("aborts", "crashes Python (SIGABRT)"),
        ("needy", "ModuleNotFoundError: No module named 'surely_not_there'"),
        ("chatty", "OSError: libGL.so.1: cannot open shared object file"),
        ("torchvision", "operator torchvision::nms does not exist: torch and torchvision do not match"),
    ],
)
def test_import_problem(planted, module, problem):
    if module == "aborts" and os.name == "nt":
        pytest.skip("Windows: the number that abort() leaves there is not known to us")
    assert import_problem(module) == problem
    check = check_package(Package(module, module))
    assert (check.status, check.note) == (("OK", "") if module == "well" else ("broken", problem))
    assert bool(check.repair) is (module != "well")


def test_hanging_import_ends(planted):
    start = time.monotonic()
    checks = doctor.check_packages([Package("hangs", "hangs")] * 4, limit=1)
    assert {(c.status, c.note) for c in checks} == {("broken", "its import takes longer than 1 s")}
    assert time.monotonic() - start < 3.5  # all four at once


def test_ill_packages_do_not_touch_each_other(planted):
    packages = [Package(name, name) for name in ("aborts", "well", "leaves", "missing_one", "well")]
    seen = []

    def progress(checks, total, desc):
        for check in checks:
            seen.append((check.package, total))
            yield check

    checks = doctor.check_packages(packages, progress=progress)
    assert [check.status for check in checks] == ["broken", "OK", "broken", "missing", "OK"]
    assert seen == [(package.name, 5) for package in packages]


def test_missing_package():
    check = check_package(Package("matplotlib-extra", "surely_not_there"))
    assert check[:5] == ("matplotlib-extra", "surely_not_there", "missing", "", "")
    assert check.repair.endswith('-m pip install "matplotlib-extra"')


def test_installed_without_its_module_is_broken(installed):
    installed["gone"] = "1.0"
    check = check_package(Package("gone", "surely_not_there"))
    assert check[2:5] == ("broken", "1.0", "ModuleNotFoundError: No module named 'surely_not_there'")


def test_mismatched_pair_is_reinstalled_together(planted):
    pins = [
        line for line in (ROOT / "constraints.txt").read_text().split() if line.startswith(("torch==", "torchvision=="))
    ]
    assert len(pins) == 2
    check = check_package(Package("torchvision", "torchvision"))
    assert check.status == "broken"
    assert check.repair.endswith('-m pip install --force-reinstall "{}" "{}"'.format(*pins))


def test_repair_outside_a_checkout_has_no_version(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.packages, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("nbval==0.1\n")  # somebody else's: no pyproject.toml beside it
    assert check_package(Package("nbval", "surely_not_there")).repair.endswith('install "nbval"')
    (tmp_path / "pyproject.toml").touch()
    assert check_package(Package("nbval", "surely_not_there")).repair.endswith('install "nbval==0.1"')


@pytest.mark.skipif(os.name == "nt", reason="makes a symbolic link, which Windows allows only to some")
def test_repair_command_runs_this_python(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # from the checkout, .venv would be named by its relative path
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    command = doctor.packages._python()
    assert command in ("python", "python3")
    probe = [command, "-c", "import sys; print(sys.prefix)"]
    assert subprocess.run(probe, capture_output=True, text=True).stdout.strip() == sys.prefix
    (tmp_path / "python").symlink_to(sys.executable)  # another one, as a virtual environment that is not activated
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.packages._python() == sys.executable
    monkeypatch.chdir(Path(sys.executable).parents[1])
    assert Path(doctor.packages._python()) == Path(sys.executable).relative_to(Path.cwd())


def test_opencv_by_any_name(installed, monkeypatch):
    installed["opencv-contrib-python"] = "9.0"
    check = check_package(Package("opencv-python", "cv2"))
    assert check[2:5] == ("OK", "9.0", "installed as opencv-contrib-python")
    installed.clear()
    monkeypatch.setattr(doctor.packages, "import_problem", lambda *_: "ModuleNotFoundError: No module named 'cv2'")
    check = check_package(Package("opencv-python", "cv2"))
    assert (check.status, check.version) == ("missing", "")
    assert '-m pip install "opencv-python-headless==' in check.repair


def test_overwritten_package(installed):
    installed |= {"python-xlib": "0.33", "python3-xlib": "0.15"}
    check = check_package(Package("python-xlib", "json"))  # the import itself works, as it does with the wrong files
    assert check.status == "broken"
    assert check.note == "python3-xlib put its own files over it"
    assert "-m pip uninstall -y python3-xlib && " in check.repair
    assert check.repair.endswith('-m pip install --force-reinstall "python-xlib==0.33"')


@pytest.mark.parametrize(
    ("system", "module", "status"),
    [
        ("win32", "Xlib", "not for this system"),
        ("darwin", "Xlib", "not for this system"),
        ("darwin", "win32gui", "not for this system"),
        ("linux", "pyautogui", "not for this system"),
        ("win32", "win32gui", "missing"),
        ("win32", "pynput", "missing"),
        ("darwin", "Quartz", "missing"),
        ("win32", "pyautogui", "optional"),
        ("darwin", "keyboard", "optional"),
    ],
)
@LINUX
def test_each_system_has_its_own(system, module, status):
    [package] = [package for package in PACKAGES if package.module == module]
    check = check_package(package, system=system)
    assert check.status == status
    assert bool(check.repair) is (status != "not for this system")
    assert bool(check.note) is (status != "missing")


def test_packages_as_a_table():
    checks = [
        PackageCheck("numpy", "numpy", "OK", "2.4.6", "", ""),
        PackageCheck("python-xlib", "Xlib", "missing", "", "", 'python -m pip install "python-xlib"'),
    ]
    assert doctor.format_packages(checks).splitlines() == [
        "package      import as  status   version  note",
        "numpy                   OK       2.4.6",
        "python-xlib  Xlib       missing",
        '  repair: python -m pip install "python-xlib"',
    ]


# The machine


def test_machine():
    machine = doctor.check_machine()
    import torch

    assert machine["torch"] == torch.__version__
    assert (
        machine["device"] == doctor.pick_device().type == ("cuda" if torch.cuda.is_available() else machine["device"])
    )
    assert machine["threads"] == torch.get_num_threads()
    assert machine["cores"] == os.cpu_count()
    assert (machine["gpu"] is not None) is (machine["device"] == "cuda")
    assert 0 < machine["memory_free_gb"] <= machine["memory_gb"]
    if sys.platform.startswith("linux"):
        kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
        assert machine["memory_gb"] == pytest.approx(kilobytes / 2**20, abs=0.06)


def test_device(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert doctor.pick_device() == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert doctor.pick_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert doctor.pick_device() == torch.device("cuda")


def test_machine_with_a_gpu(monkeypatch):
    import torch

    class Properties:
        name, total_memory = "NVIDIA T4", 15 * 2**30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    machine = doctor.check_machine()
    assert (machine["device"], machine["gpu"], machine["gpu_memory_gb"]) == ("cuda", "NVIDIA T4", 15.0)
    assert "on cuda (NVIDIA T4, 15.0 GB), " in doctor.verdict([], machine, [])
    assert "gpu memory (GB)   15.0" in doctor.format_machine(machine)


def test_machine_with_broken_libraries(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "psutil", None)
    machine = doctor.check_machine()
    assert (machine["torch"], machine["device"], machine["memory_gb"]) == (None, None, None)
    assert "torch ? on ?, ? threads" in doctor.verdict([], machine, [])
    assert "\ntorch" not in doctor.format_machine(machine)


@LINUX
def test_session(monkeypatch):
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":5")
    assert doctor.session_type() == "x11"
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert doctor.session_type() == "wayland"
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.delenv("DISPLAY")
    assert doctor.session_type() == "none"


# The desktop


def window(**changes):
    """A command that opens the doctor's window with another behaviour."""
    text = ", ".join(f"{name}={value!r}" for name, value in changes.items())
    return [sys.executable, "-c", f"from dlsteps import doctor; doctor.show_window({text})"]


def failed(steps):
    """(name, detail) of the one failed step; those before it are OK and those after it skipped."""
    place = [step.ok for step in steps].index(False)
    assert [step.ok for step in steps] == [True] * place + [False] + [None] * (len(doctor.STEPS) - place - 1)
    return steps[place].name, steps[place].detail


@pytest.fixture
def nothing_stays(display):
    """Fails a test that leaves the doctor's window open or the space key down."""
    from dlsteps.capture import Keys, list_windows

    yield
    end = time.monotonic() + 5
    while list_windows() and time.monotonic() < end:
        time.sleep(0.02)
    assert list_windows() == []
    with Keys() as keys:
        assert not keys.held()


@pytest.mark.desktop
def test_twice(nothing_stays):
    assert all(step.ok for step in check_desktop())
    assert all(step.ok for step in check_desktop())


@pytest.mark.desktop
def test_wrong_colour(nothing_stays):
    name, detail = failed(check_desktop(window(idle=(70, 110, 190))))  # 30 too blue
    assert name == "right colour"
    assert detail.startswith("captured (70, 110, 190) instead of (70, 110, 160); ")


@pytest.mark.desktop
def test_a_colour_profile_is_no_failure(nothing_stays):
    assert all(step.ok for step in check_desktop(window(idle=(90, 95, 180), pressed=(170, 130, 70))))


@pytest.mark.desktop
def test_no_reaction_to_the_key(nothing_stays):
    name, detail = failed(check_desktop(window(pressed=doctor.desktop.IDLE)))
    assert name == "picture changes"
    assert detail.startswith("no new colour within 2 s of the key; ")


@pytest.mark.desktop
@LINUX
def test_black_frames_under_wayland(nothing_stays, monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")  # what Xwayland shows
    name, detail = failed(check_desktop(window(idle=(0, 0, 0))))
    assert name == "capture it"
    assert detail.startswith("black frames: every pixel is 0; Wayland lets no program ")
    assert "log in to an 'Xorg' session" in detail


@pytest.mark.desktop
def test_window_that_cannot_open(display):
    command = [sys.executable, "-c", "raise SystemExit('no video driver')"]
    assert failed(check_desktop(command)) == ("open a window", "ends Python (exit code 1): no video driver")


@pytest.mark.desktop
def test_two_windows_of_the_same_title(start):
    start("dlsteps.game.window", "--title", doctor.desktop.TITLE, title=doctor.desktop.TITLE)
    assert failed(check_desktop()) == ("open a window", "a window titled 'dlsteps doctor' is open already: close it")


@pytest.mark.desktop
def test_titles_of_other_windows_stay_private(start, monkeypatch):
    start("dlsteps.game.window", "--title", "Letter to Eve", title="Letter to Eve")
    monkeypatch.setattr(doctor.desktop, "TITLE", "dlsteps doctor, never opened")
    monkeypatch.setattr(doctor.desktop, "_wait", lambda condition, seconds: None)
    name, detail = failed(check_desktop())
    assert name == "find it"
    assert "Eve" not in detail


@pytest.mark.desktop
def test_lost_focus_sends_no_key(nothing_stays, monkeypatch):
    from dlsteps.capture import Keys, WindowSource

    monkeypatch.setattr(WindowSource, "focused", lambda self: False)
    monkeypatch.setattr(WindowSource, "focus", lambda self: None)
    monkeypatch.setattr(Keys, "press", lambda self, key: pytest.fail("sent a key to whatever has the focus"))
    assert failed(check_desktop()) == ("press space", "the window lost the keyboard: touch nothing while this runs")


@pytest.mark.desktop
def test_key_is_released_whatever_happens(nothing_stays, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor.DesktopProof, "picture_changes", interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        check_desktop()
        pytest.fail("was not interrupted")


@pytest.mark.desktop
def test_key_that_does_not_read_as_held(nothing_stays, monkeypatch):
    from dlsteps.capture import Keys

    monkeypatch.setattr(Keys, "held", lambda self: frozenset())
    name, detail = failed(check_desktop())
    assert name == "key reads as held"
    assert detail.startswith("the key is down and does not read so; ")


@pytest.mark.desktop
def test_failing_to_close_is_told(nothing_stays, monkeypatch):
    from dlsteps.capture import WindowSource

    def close(self):
        self.grabber.close()
        raise OSError("planted")

    monkeypatch.setattr(WindowSource, "close", close)
    *steps, last = check_desktop()
    assert all(step.ok for step in steps)
    assert last == Step("close it", False, "planted")


@pytest.mark.parametrize(
    ("session", "what", "words"),
    [
        ("macos", "see", "Screen Recording"),
        ("macos", "press", "Accessibility"),
        ("macos", "read", "Input Monitoring"),
        ("wayland", "press", "Xorg"),
        ("windows", "press", "administrator"),
        ("x11", "press", "XTEST"),
        ("x11", "see", "uncover"),
    ],
)
def test_advice(monkeypatch, session, what, words):
    monkeypatch.setattr(doctor.desktop, "session_type", lambda: session)
    assert words in doctor.desktop._advice(what)


@LINUX
@pytest.mark.parametrize("display_name", [None, ":1234"])
def test_no_display_is_no_fault(display_name):
    """In a process of its own: a reachable display is remembered."""
    code = (
        "import sys\nfrom dlsteps.doctor import report\nreport.check_packages = lambda **_: []\n"
        "report.check_machine = lambda *_, real=report.check_machine: real(False)\nsys.exit(report.main([]))"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"DISPLAY": display_name} if display_name else {}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{doctor.desktop.NO_WINDOW}\n" in done.stdout.partition("window: ")[2]
    assert done.stdout.count("  skipped") == len(doctor.STEPS)


def test_a_missing_package_is_missing_in_jupyter_too(monkeypatch):
    """Its kernels ask for colours, and Python 3.13 then writes colour codes into tracebacks."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert check_package(Package("no-such-package", "no_such_package")).status == "missing"
