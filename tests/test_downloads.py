"""Data sets from the network, which is a server in this process; and what takes their place without one."""

import contextlib
import functools
import gc
import gzip
import hashlib
import http.server
import io
import os
import pickle
import re
import shutil
import socket
import tarfile
import threading
import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import CIFAR10, FashionMNIST
from torchvision.transforms import v2

from dlsteps.data import load_cifar10, load_digits5k, load_fashion_mnist

INSTEAD = "the 5,000 digits that come with the course take its place\n"
REFUSED, EXISTS = ("Connection refused", "File exists") if os.name != "nt" else (".+", ".+")  # Windows says more


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    """The digits, read once: they take a second."""
    monkeypatch.setattr("dlsteps.data.downloads.load_digits5k", DIGITS)


DIGITS = functools.cache(load_digits5k)


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`, {name: bytes}; what is in `cut` gets half of what was promised, what is in `stalled` no end."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.cut, self.stalled, self.asked = {}, set(), set(), []
        self.before, self.enough = lambda name: None, threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path[1:]
        self.server.asked.append(name)
        self.server.before(name)
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = name in self.server.cut | self.server.stalled
        with contextlib.suppress(ConnectionError):  # the first request is only for the headers
            self.wfile.write(content[: len(content) // 2] if half else content)
        if name in self.server.stalled:
            self.server.enough.wait(20)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.enough.set()
        server.shutdown()


def idx(array):
    """In the format of MNIST's files: two zeros, the type, the number of dimensions, their sizes, the numbers."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def fashion(server, monkeypatch):
    """FashionMNIST on the server: 60 digits to train on, 20 to test. Returns {name: array}."""
    images, labels = (tensor.numpy() for tensor in DIGITS())
    arrays = {
        "train-images-idx3-ubyte": images[:3000:50, 0],
        "train-labels-idx1-ubyte": labels[:3000:50],
        "t10k-images-idx3-ubyte": images[3000::100, 0],
        "t10k-labels-idx1-ubyte": labels[3000::100],
    }
    files = {f"{name}.gz": idx(array) for name, array in arrays.items()}
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in files.items()]
    server.files |= files
    monkeypatch.setattr(FashionMNIST, "resources", sums)
    monkeypatch.setattr(FashionMNIST, "mirrors", [server.address])
    return arrays


@pytest.fixture
def cifar(server, monkeypatch):
    """CIFAR-10 on the server: 5 x 4 random pictures to train on, 3 to test. Returns {name: entry}."""
    chance = np.random.default_rng(0)
    sizes = {f"data_batch_{i}": 4 for i in range(1, 6)} | {"test_batch": 3}
    entries = {
        name: {
            "data": chance.integers(0, 256, (size, 3072), dtype=np.uint8),
            "labels": chance.integers(0, 10, size).tolist(),
        }
        for name, size in sizes.items()
    }
    entries["batches.meta"] = {"label_names": [f"thing {i}" for i in range(10)]}
    contents = {name: pickle.dumps(entry) for name, entry in entries.items()}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    server.files["cifar.tar.gz"] = archive.getvalue()
    sums = {name: hashlib.md5(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(CIFAR10, "url", server.address + "cifar.tar.gz")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.getvalue()).hexdigest())
    monkeypatch.setattr(CIFAR10, "train_list", [[name, sums[name]] for name in list(sizes)[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    return entries


def refuse(monkeypatch):
    """An address where nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    monkeypatch.setattr(FashionMNIST, "mirrors", [address])
    monkeypatch.setattr(CIFAR10, "url", address + "cifar.tar.gz")
    return taken


def check_is_stand_in(dataset, name, reason, capfd):
    assert (len(dataset), dataset.classes) == (4000, list("0123456789"))
    out, err = capfd.readouterr()
    assert re.fullmatch(rf"{name} could not be downloaded \({reason}\): {INSTEAD}", out)
    assert err == ""


# With a network


def test_fashion_mnist_is_downloaded_once_and_nothing_is_printed(server, fashion, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path))
    train = load_fashion_mnist()
    asked = len(server.asked)
    test = load_fashion_mnist(train=False, transform=v2.PILToTensor())
    assert len(server.asked) == asked > 0
    assert (type(train), type(test)) == (FashionMNIST, FashionMNIST)
    assert np.array_equal(train.data, fashion["train-images-idx3-ubyte"])
    assert np.array_equal(train.targets, fashion["train-labels-idx1-ubyte"])
    image, y = train[33]
    assert (image.mode, image.size, y) == ("L", (28, 28), int(train.targets[33]))
    assert np.array_equal(test[7][0][0], fashion["t10k-images-idx3-ubyte"][7])
    assert len(test) == 20
    assert [file.name for file in (tmp_path / "torchvision").iterdir()] == ["FashionMNIST"]
    assert capfd.readouterr() == ("", "")
    assert socket.getdefaulttimeout() is None


def test_cifar10_is_downloaded_once_and_nothing_is_printed(server, cifar, tmp_path, capfd):
    train = load_cifar10(root=tmp_path / "new")
    server.files = {}
    test = load_cifar10(train=False, root=tmp_path / "new")
    assert (type(train), len(train), len(test)) == (CIFAR10, 20, 3)
    image, y = test[2]
    assert (image.mode, image.size, y) == ("RGB", (32, 32), cifar["test_batch"]["labels"][2])
    assert np.array_equal(np.asarray(image).transpose(2, 0, 1).ravel(), cifar["test_batch"]["data"][2])
    assert train.classes[3] == "thing 3"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["cifar-10-batches-py"]
    assert capfd.readouterr() == ("", "")


def test_what_a_broken_download_left_behind_is_replaced(server, fashion, tmp_path, capfd):
    load_fashion_mnist(root=tmp_path)
    raw = tmp_path / "FashionMNIST" / "raw" / "train-images-idx3-ubyte"
    for damage in (lambda: raw.write_bytes(raw.read_bytes()[:5000]), lambda: raw.write_bytes(b""), raw.unlink):
        damage()
        assert len(load_fashion_mnist(root=tmp_path)) == 60
    assert capfd.readouterr() == ("", "")


def test_what_is_damaged_stays_where_it_is_until_there_is_better(server, fashion, tmp_path, monkeypatch, capfd):
    load_fashion_mnist(root=tmp_path)
    raw = tmp_path / "FashionMNIST" / "raw"
    (raw / "train-images-idx3-ubyte").write_bytes(b"")
    with refuse(monkeypatch):
        check_is_stand_in(load_fashion_mnist(root=tmp_path), "FashionMNIST", REFUSED, capfd)
    assert len(load_fashion_mnist(train=False, root=tmp_path)) == 20


def test_two_notebooks_may_download_at_once(server, fashion, tmp_path, capfd):
    load_fashion_mnist(root=tmp_path / "theirs")

    def overtake(name):
        if name == "t10k-labels-idx1-ubyte.gz":  # our last file; theirs are all there
            shutil.copytree(tmp_path / "theirs", tmp_path / "ours", dirs_exist_ok=True)

    server.before = overtake
    assert len(load_fashion_mnist(root=tmp_path / "ours")) == 60
    assert [file.name for file in (tmp_path / "ours").iterdir()] == ["FashionMNIST"]
    assert capfd.readouterr() == ("", "")


# Without


@pytest.mark.parametrize("load", [load_fashion_mnist, load_cifar10])
def test_a_refused_connection_is_said_in_one_line(load, tmp_path, monkeypatch, capfd):
    name = "FashionMNIST" if load is load_fashion_mnist else "CIFAR10"
    monkeypatch.setenv("no_proxy", "*")
    with refuse(monkeypatch):
        start = time.monotonic()
        check_is_stand_in(load(root=tmp_path), name, REFUSED, capfd)
        assert time.monotonic() - start < 5
    assert socket.getdefaulttimeout() is None


NOT_CLOSED = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # torchvision's answers that are errors


@pytest.mark.parametrize(
    "missing", ["train-images-idx3-ubyte.gz", pytest.param("t10k-labels-idx1-ubyte.gz", marks=NOT_CLOSED)]
)
def test_a_missing_file_is_said_in_one_line(server, fashion, missing, tmp_path, capfd):
    kept = server.files.pop(missing)
    check_is_stand_in(load_fashion_mnist(root=tmp_path), "FashionMNIST", "HTTP Error 404: Not Found", capfd)
    server.files[missing] = kept
    assert len(load_fashion_mnist(root=tmp_path)) == 60
    gc.collect()  # what was not closed is told now


@pytest.mark.parametrize("damage", ["cut", "short", "other"])
def test_a_damaged_file_is_said_in_one_line_and_the_next_call_goes_well(server, fashion, damage, tmp_path, capfd):
    name = "train-images-idx3-ubyte.gz"
    whole = server.files[name]
    if damage == "cut":
        server.cut.add(name)
    else:
        server.files[name] = whole[:-100] if damage == "short" else idx(np.zeros((60, 28, 28)))
    check_is_stand_in(load_fashion_mnist(root=tmp_path), "FashionMNIST", "a file arrived damaged", capfd)
    assert list(tmp_path.iterdir()) == []
    server.cut, server.files[name] = set(), whole
    assert len(load_fashion_mnist(root=tmp_path)) == 60


def test_a_damaged_archive_is_said_in_one_line_and_the_next_call_goes_well(server, cifar, tmp_path, capfd):
    whole = server.files["cifar.tar.gz"]
    server.files["cifar.tar.gz"] = whole[:-100]
    check_is_stand_in(load_cifar10(root=tmp_path), "CIFAR10", "a file arrived damaged", capfd)
    server.files["cifar.tar.gz"] = whole
    assert len(load_cifar10(root=tmp_path)) == 20


def test_a_server_that_falls_silent_is_not_waited_for(server, fashion, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("dlsteps.data.network.SILENCE", 0.3)
    server.stalled.add("train-images-idx3-ubyte.gz")
    check_is_stand_in(load_fashion_mnist(root=tmp_path), "FashionMNIST", "timed out", capfd)


def test_a_network_that_gives_no_answer_at_all_is_not_waited_for(tmp_path, monkeypatch, capfd):
    """As where packets are thrown away: the search for the name hangs, and that has no timeout."""
    monkeypatch.setattr("dlsteps.data.network.PATIENCE", 0.3)
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: released.wait(20))
    check_is_stand_in(load_fashion_mnist(root=tmp_path), "FashionMNIST", "no answer in 0.3 s", capfd)
    released.set()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(server, fashion, tmp_path, capfd):
    (tmp_path / "file").write_text("")
    check_is_stand_in(load_fashion_mnist(root=tmp_path / "file"), "FashionMNIST", EXISTS, capfd)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    with refuse(monkeypatch):
        yield


@pytest.mark.parametrize(("load", "mode", "size"), [(load_fashion_mnist, "L", 28), (load_cifar10, "RGB", 32)])
def test_the_digits_take_the_same_shape(offline, load, mode, size):
    train, test = load(), load(train=False, transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)]))
    image, y = train[11]
    assert (image.mode, image.size, type(y)) == (mode, (size, size), int)
    assert y == train.targets[11]
    assert (len(train), len(test)) == (4000, 1000)
    assert np.bincount(train.targets).tolist() == [400] * 10
    assert np.bincount(test.targets).tolist() == [100] * 10
    assert len(set(np.asarray(train.targets)[:100].tolist())) == 10  # mixed
    x, y = next(iter(DataLoader(test, batch_size=50)))
    assert (x.shape, x.dtype, y.dtype) == ((50, len(mode), size, size), torch.float32, torch.int64)
    assert "Number of datapoints: 4000" in repr(train)
    assert np.array_equal(load().data, train.data)  # the same ones each time
    if mode == "L":
        images, _ = DIGITS()
        both = torch.cat([train.data, test.data]).flatten(1)
        assert torch.equal(both.unique(dim=0), images.flatten(1).unique(dim=0))  # all of them, none twice
        ones = train.data[torch.as_tensor(train.targets) == 1].float().mean(dim=0)
        assert ones[14, 14] > 120


@pytest.mark.parametrize("load", [load_fashion_mnist, load_cifar10])
def test_attributes_have_the_types_of_the_real_ones(server, fashion, cifar, load, tmp_path, monkeypatch):
    real = load(root=tmp_path / "real")
    with refuse(monkeypatch):
        stand_in = load(root=tmp_path / "none")
    assert isinstance(real, FashionMNIST | CIFAR10)
    assert not isinstance(stand_in, FashionMNIST | CIFAR10)
    for attribute in ("data", "targets", "classes", "class_to_idx"):
        assert type(getattr(real, attribute)) is type(getattr(stand_in, attribute)), attribute
    assert (real.data.shape[1:], real.data.dtype) == (stand_in.data.shape[1:], stand_in.data.dtype)
