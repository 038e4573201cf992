"""MobileNetV2 from the network, which is a server in this process; and what takes its place without one."""

import contextlib
import hashlib
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import torch
from test_downloads import Handler, Server
from torch import nn
from torchvision.models import MobileNet_V2_Weights, mobilenet_v2

import dlsteps.models
from dlsteps.data import load_photos
from dlsteps.models import efficientnet_lite0, load_mobilenet_v2
from dlsteps.models.efficientnet_lite import imagenet_classes, preprocess

WEIGHTS = MobileNet_V2_Weights.DEFAULT
REFUSED = "Connection refused" if os.name != "nt" else ".+"  # Windows says more
DAMAGED = "a file arrived damaged"
TAKES_ITS_PLACE = "EfficientNet-Lite0, whose weights come with the course, takes its place"
OTHERS = {"mobilenet_v2-b0353104.pth": b"older", "resnet18-f37072fd.pth": b"not ours", "x.partial": b"theirs"}


def saved(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


def name_of(content):
    """The name that torchvision gives a file: with the first digits of its checksum."""
    return f"mobilenet_v2-{hashlib.sha256(content).hexdigest()[:8]}.pth"


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return mobilenet_v2().state_dict()


@pytest.fixture(scope="module")
def content(state):
    """What the right file holds."""
    return saved(state)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Torch's own cache, with files of other programs in it; afterwards they must be as they were."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)  # what torch.hub.set_dir would have said
    monkeypatch.setenv("no_proxy", "*")
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    for name, theirs in OTHERS.items():
        (folder / name).write_bytes(theirs)
    yield folder
    assert {name: (folder / name).read_bytes() for name in OTHERS} == OTHERS
    assert socket.getdefaulttimeout() is None


def ours(cache):
    """{name: bytes} of what is in the cache besides the files of others; a folder has None for its bytes."""
    files = {file.name: file for file in cache.iterdir() if file.name not in OTHERS}
    return {name: file.read_bytes() if file.is_file() else None for name, file in files.items()}


@pytest.fixture
def server(content, monkeypatch):
    """Offers the right file where torchvision looks for it."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.files[name_of(content)] = content
        monkeypatch.setattr(WEIGHTS.value, "url", server.address + name_of(content))
        yield server
        server.enough.set()
        server.shutdown()


@pytest.fixture
def refused(content, monkeypatch):
    """The right file is said to be where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(WEIGHTS.value, "url", f"http://127.0.0.1:{taken.getsockname()[1]}/{name_of(content)}")
        yield


def check_is_mobilenet(pretrained, state, capfd):
    assert capfd.readouterr() == ("", "")
    assert pretrained.name == "mobilenet_v2"
    assert not any(layer.training for layer in pretrained.model.modules())
    values = pretrained.model.state_dict()
    assert list(values) == list(state)
    assert all(torch.equal(value, state[name]) for name, value in values.items())


def check_is_stand_in(pretrained, line, capfd):
    """`line`: a regular expression for what is printed before the colon."""
    out, err = capfd.readouterr()
    assert re.fullmatch(f"MobileNetV2 could not be {line}: {TAKES_ITS_PLACE}\n", out)
    assert err == ""
    assert pretrained.name == "efficientnet_lite0"
    assert not any(layer.training for layer in pretrained.model.modules())
    assert torch.equal(pretrained.model.head[1].bias, efficientnet_lite0(weights="imagenet").head[1].bias)
    assert pretrained.preprocess is preprocess
    assert pretrained.classes == imagenet_classes()


# With a network


def test_it_is_downloaded_once_and_nothing_is_printed(server, state, content, cache, capfd):
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert ours(cache) == {name_of(content): content}
    asked = len(server.asked)
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert len(server.asked) == asked > 0
    assert ours(cache) == {name_of(content): content}


def test_a_cache_that_is_not_there_yet_is_made_and_torchvision_finds_the_file(
    server, state, tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "new"))
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    asked = len(server.asked)
    theirs = mobilenet_v2(weights="DEFAULT").state_dict()
    assert len(server.asked) == asked
    assert all(torch.equal(value, state[name]) for name, value in theirs.items())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_other_users_of_a_shared_cache_may_read_the_file(server, content, cache):
    before = os.umask(0o022)
    load_mobilenet_v2()
    os.umask(before)
    assert (cache / name_of(content)).stat().st_mode & 0o777 == 0o644


def test_pictures_and_classes_are_as_the_weights_want_them(server):
    pretrained, photo = load_mobilenet_v2(), load_photos()["coffee"]
    x = pretrained.preprocess(photo)
    assert (x.shape, x.dtype) == ((3, 224, 224), torch.float32)
    assert torch.equal(x, WEIGHTS.transforms()(photo))
    assert pretrained.preprocess(torch.zeros(3, 300, 400, dtype=torch.uint8)).shape == (3, 224, 224)
    assert type(pretrained.classes) is list
    assert pretrained.classes == WEIGHTS.meta["categories"]
    assert pretrained.classes is not WEIGHTS.meta["categories"]  # a learner may change it
    with torch.no_grad():
        assert pretrained.model(x[None]).shape == (1, len(pretrained.classes))


def test_the_real_file_has_its_checksum_in_its_name():
    assert re.fullmatch(r"https://[^?]+/mobilenet_v2-[0-9a-f]{8,}\.pth", WEIGHTS.url)


# The cache


def test_a_file_that_is_there_needs_no_network(refused, state, content, cache, capfd):
    (cache / name_of(content)).write_bytes(content)
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert ours(cache) == {name_of(content): content}


def test_torch_itself_takes_a_damaged_file_for_whole(refused, state, content, cache):
    """Why the checksum of a file in the cache is looked at: here one number is another, and torch loads it."""
    changed = {**state, "classifier.1.bias": torch.ones(1000)}
    (cache / name_of(content)).write_bytes(saved(changed))
    assert mobilenet_v2(weights="DEFAULT").classifier[1].bias.eq(1).all()


@pytest.fixture(params=["cut", "empty", "another number"])
def damaged(request, state, content, cache):
    """A damaged file in the cache: its bytes."""
    changed = {**state, "classifier.1.bias": torch.ones(1000)}
    kinds = {"cut": content[:-1000], "empty": b"", "another number": saved(changed)}
    (cache / name_of(content)).write_bytes(kinds[request.param])
    return kinds[request.param]


def test_a_damaged_file_is_downloaded_again(server, damaged, state, content, cache, capfd):
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert ours(cache) == {name_of(content): content}


def test_a_damaged_file_without_a_network_is_said_in_one_line(refused, damaged, content, cache, capfd):
    line = rf"downloaded \({REFUSED}\), and {name_of(content)} in torch's cache is damaged"
    check_is_stand_in(load_mobilenet_v2(), line, capfd)
    assert ours(cache) == {name_of(content): damaged}


def test_a_damaged_file_stays_until_there_is_better(server, damaged, state, content, cache, capfd):
    server.files[name_of(content)] = content[:-1]
    line = rf"downloaded \({DAMAGED}\), and {name_of(content)} in torch's cache is damaged"
    check_is_stand_in(load_mobilenet_v2(), line, capfd)
    assert ours(cache) == {name_of(content): damaged}
    server.files[name_of(content)] = content
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)


def test_a_file_that_another_program_holds_fast_does_no_harm(
    server, damaged, state, content, cache, monkeypatch, capfd
):
    """As on Windows, where an open file cannot be replaced."""

    def refuse(*_):
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(os, "replace", refuse)
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert ours(cache) == {name_of(content): damaged}


class RunsCode:
    def __reduce__(self):
        return print, ("code from the file has run",)


OTHER_THINGS = {
    "another network": lambda: nn.Linear(2, 2).state_dict(),
    "ten classes": lambda: mobilenet_v2(num_classes=10).state_dict(),
    "a list": lambda: [1, 2],
    "code": RunsCode,
}


@pytest.mark.parametrize("thing", OTHER_THINGS)
@pytest.mark.parametrize("where", ["on the server", "in the cache"])
def test_something_else_with_the_right_checksum_is_said_in_one_line(thing, where, server, cache, monkeypatch, capfd):
    other = saved(OTHER_THINGS[thing]())
    monkeypatch.setattr(WEIGHTS.value, "url", server.address + name_of(other))
    kept = {name_of(other): other} if where == "in the cache" else {}
    for name in kept:
        (cache / name).write_bytes(other)
    server.files[name_of(other)] = other
    done = "loaded" if kept else "downloaded"
    line = rf"{done} \({name_of(other)} does not hold the weights of MobileNetV2\)"
    check_is_stand_in(load_mobilenet_v2(), line, capfd)
    assert ours(cache) == kept
    assert len(server.asked) == (0 if kept else 2)  # another copy would be the same


# Without a network, or a bad one


def test_a_refused_connection_is_said_in_one_line(refused, cache, capfd):
    start = time.monotonic()
    check_is_stand_in(load_mobilenet_v2(), rf"downloaded \({REFUSED}\)", capfd)
    assert time.monotonic() - start < 5
    assert ours(cache) == {}


def test_the_stand_in_knows_what_is_on_a_photograph(refused):
    pretrained = load_mobilenet_v2()
    with torch.no_grad():
        logits = pretrained.model(pretrained.preprocess(load_photos()["coffee"])[None])
    assert pretrained.classes[logits.argmax()] == "espresso"


def test_a_missing_file_is_said_in_one_line(server, state, content, cache, capfd):
    server.files = {}
    check_is_stand_in(load_mobilenet_v2(), r"downloaded \(HTTP Error 404: Not Found\)", capfd)
    assert ours(cache) == {}


@pytest.mark.parametrize("damage", ["cut", "short", "other"])
def test_a_file_that_arrives_damaged_is_said_in_one_line_and_the_next_call_goes_well(
    server, damage, state, content, cache, capfd
):
    name = name_of(content)
    if damage == "cut":  # the server promises more than it sends
        server.cut.add(name)
    else:
        changed = {**state, "classifier.1.bias": torch.ones(1000)}
        server.files[name] = content[:-100] if damage == "short" else saved(changed)
    check_is_stand_in(load_mobilenet_v2(), rf"downloaded \({DAMAGED}\)", capfd)
    assert ours(cache) == {}
    server.cut, server.files[name] = set(), content
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)
    assert ours(cache) == {name: content}


class Halfway(Handler):
    """Sends half of what is asked for the second time, and then does what `server.halfway(connection)` does."""

    def do_GET(self):
        if not self.server.asked:  # the first request is only to see that the server answers
            super().do_GET()
            return
        content = self.server.files[self.path[1:]]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        time.sleep(0.3)  # so that some of it arrives
        self.server.halfway(self.connection)


def drop(connection):
    """End it without a goodbye."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    socket.close(connection.detach())


@pytest.mark.skipif(os.name == "nt", reason="the bytes of SO_LINGER are others on Windows")
def test_a_dropped_connection_is_said_in_one_line(server, cache, capfd):
    server.RequestHandlerClass, server.halfway = Halfway, drop
    check_is_stand_in(load_mobilenet_v2(), r"downloaded \(Connection reset by peer\)", capfd)
    assert ours(cache) == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows does not wake a socket for a signal")
def test_what_is_interrupted_leaves_nothing_behind(server, state, cache, capfd):
    """Ctrl-C in the middle of the file."""
    server.RequestHandlerClass = Halfway
    server.halfway = lambda _: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    with pytest.raises(KeyboardInterrupt):
        load_mobilenet_v2()
    signal.signal(signal.SIGINT, before)
    assert ours(cache) == {}
    server.RequestHandlerClass = Handler
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)


def test_a_server_that_never_answers_is_not_waited_for(server, cache, monkeypatch, capfd):
    monkeypatch.setattr("dlsteps.data.network.PATIENCE", 0.3)
    server.before = lambda name: server.enough.wait(20)
    start = time.monotonic()
    check_is_stand_in(load_mobilenet_v2(), r"downloaded \((no answer in 0.3 s|timed out)\)", capfd)
    assert time.monotonic() - start < 5
    assert ours(cache) == {}


def test_a_server_that_falls_silent_is_not_waited_for(server, content, cache, monkeypatch, capfd):
    monkeypatch.setattr("dlsteps.data.network.SILENCE", 0.3)
    server.stalled.add(name_of(content))
    start = time.monotonic()
    check_is_stand_in(load_mobilenet_v2(), r"downloaded \(timed out\)", capfd)
    assert time.monotonic() - start < 10
    assert ours(cache) == {}


@contextlib.contextmanager
def largest_file(size):
    """Inside, this process cannot make a file larger than this, as on a full disk."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [1_000_000, 7 * 128 * 1024 - 4096])  # with the second, torch leaves half a file
def test_a_full_disk_is_said_in_one_line_and_nothing_stays(server, size, state, cache, capfd):
    with largest_file(size):
        pretrained = load_mobilenet_v2()
    check_is_stand_in(pretrained, r"downloaded \(File too large\)", capfd)
    assert ours(cache) == {}
    check_is_mobilenet(load_mobilenet_v2(), state, capfd)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(server, tmp_path, monkeypatch, capfd):
    file = tmp_path / "file"
    file.write_text("theirs")
    monkeypatch.setenv("TORCH_HOME", str(file))
    reason = "Not a directory" if os.name != "nt" else ".+"
    check_is_stand_in(load_mobilenet_v2(), rf"downloaded \({reason}\)", capfd)
    assert file.read_text() == "theirs"


# Importing


def test_importing_the_models_does_not_import_torchvision():
    code = "import sys, dlsteps.models; sys.exit('torchvision' in sys.modules or 'dlsteps.data' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert "load_mobilenet_v2" in dlsteps.models.__all__
    assert not hasattr(dlsteps.models, "load_mobilenet_v3")
