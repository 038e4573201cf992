"""A learner's own pictures, as a dataset and as a source of frames; and scripts that start workers without a guard."""

import pickle
import re
import subprocess
import sys
import traceback
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, WeightedRandomSampler, default_collate
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from dlsteps.capture import CaptureError, FolderSource
from dlsteps.capture.recording import RecordingWriter
from dlsteps.data import PictureFolder
from dlsteps.data.frames import resize


def noise(height=12, width=16, seed=0):
    """A picture that does not compress, so that half of its file is not half of nothing."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path):
    """left/ with three pictures, right/ with two, all 12 x 16 (H, W)."""
    for number, name in enumerate(["left/0", "left/1", "left/2", "right/0", "right/1"]):
        file = tmp_path / "pictures" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        noise(seed=number).save(file)
    return tmp_path / "pictures"


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def message(error, call):
    """The one line with which `call` raises `error`."""
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# The dataset


def test_samples_are_pictures_and_the_numbers_of_their_folders(folder):
    dataset = PictureFolder(folder)
    assert isinstance(dataset, ImageFolder)
    assert (dataset.classes, dataset.targets, len(dataset)) == (["left", "right"], [0, 0, 0, 1, 1], 5)
    for number, (x, y) in enumerate(dataset):
        assert (x.shape, x.dtype) == ((3, 12, 16), torch.uint8)
        assert np.array_equal(x.permute(1, 2, 0), np.asarray(noise(seed=number)))
        assert (type(y), y) == (int, number // 3)
    assert torch.equal(dataset[-1][0], dataset[4][0])
    assert torch.equal(dataset[torch.tensor(1)][0], dataset[1][0])


def test_size_makes_pictures_of_one_size_as_recordings_are_resized(folder):
    big = noise(100, 100, seed=9)
    big.save(folder / "left" / "9.png")
    dataset = PictureFolder(str(folder), size=24)
    assert {x.shape for x, _ in dataset} == {(3, 24, 24)}
    assert np.array_equal(dataset[3][0].permute(1, 2, 0), resize(np.asarray(big)[None], 24)[0])
    assert PictureFolder(folder, size=(6, 30))[0][0].shape == (3, 6, 30)


def test_a_transform_takes_the_rgb_picture_and_may_see_to_the_size_itself(folder):
    Image.new("L", (30, 40), 7).save(folder / "right" / "grey.png")
    Image.new("RGBA", (30, 40), (1, 2, 3, 4)).save(folder / "right" / "see_through.png")
    assert [(x.mode, x.size) for x, _ in PictureFolder(folder, transform=lambda x: x)][-3:] == [
        ("RGB", (16, 12)),
        ("RGB", (30, 40)),
        ("RGB", (30, 40)),
    ]
    transform = v2.Compose([v2.RandomCrop(8), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    x, y = default_collate(list(PictureFolder(folder, transform=transform)))
    assert (x.shape, x.dtype, y.tolist()) == ((7, 3, 8, 8), torch.float32, [0, 0, 0, 1, 1, 1, 1])
    assert PictureFolder(folder, size=10, transform=lambda x: x.size)[5] == ((10, 10), 1)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
def test_photographs_are_upright(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    tall = Image.new("RGB", (16, 32))
    tall.paste((255, 0, 0), (0, 0, 16, 16))  # red on top
    (tmp_path / "a").mkdir()
    tall.save(tmp_path / "a" / "plain.png")
    tall.rotate(90, expand=True).save(tmp_path / "a" / f"turned.{suffix}", exif=exif)
    (plain, _), (turned, _) = PictureFolder(tmp_path)
    assert (plain.float() - turned.float()).abs().mean() < 10


def test_sixteen_bits_a_grey_keep_their_shades(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.arange(0, 65536, 256, dtype=np.uint16).reshape(16, 16)).save(tmp_path / "a" / "deep.png")
    x, _ = PictureFolder(tmp_path)[0]
    assert x[2].flatten().tolist() == list(range(256))


def test_what_is_hidden_is_not_looked_at(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / "left" / "._0.png").write_bytes(b"what a Mac leaves on a memory stick")
    (folder / "left" / ".ipynb_checkpoints").mkdir()
    noise().save(folder / "left" / ".ipynb_checkpoints" / "0.png")
    (folder / "left" / "more").mkdir()
    noise().save(folder / "left" / "more" / "0.PNG")
    (folder / "left" / "notes.txt").write_text("not a picture")
    assert PictureFolder(folder).targets == [0, 0, 0, 0, 1, 1]


# "no accelerator": on a machine without one, torch says that it does not pin
@pytest.mark.filterwarnings("ignore:.*pin_memory.*")
@pytest.mark.parametrize("workers", [0, 2])
def test_torchs_loaders_and_samplers_take_it(folder, workers):
    dataset = PictureFolder(folder)
    weights = [1 / dataset.targets.count(y) for y in dataset.targets]
    sampler = WeightedRandomSampler(weights, 40, generator=torch.Generator().manual_seed(0))
    batches = list(DataLoader(dataset, 8, sampler=sampler, num_workers=workers, pin_memory=True))
    assert {(x.shape, x.dtype, y.dtype) for x, y in batches} == {((8, 3, 12, 16), torch.uint8, torch.int64)}
    assert 10 <= sum(y.sum() for _, y in batches) <= 30


# What is wrong with a folder


def test_folders_that_hold_no_classes_are_named(folder, tmp_path):
    assert message(FileNotFoundError, lambda: PictureFolder(tmp_path / "no")) == f"no folder '{tmp_path / 'no'}'"
    (tmp_path / "empty").mkdir()
    noise().save(tmp_path / "empty" / "0.png")
    assert message(FileNotFoundError, lambda: PictureFolder(tmp_path / "empty")) == (
        f"no sub-folders in '{tmp_path / 'empty'}': put the pictures of each class into one"
    )
    for name in ("stay", "up"):
        (folder / name).mkdir()
    assert message(FileNotFoundError, lambda: PictureFolder(folder)) == (
        f"no picture for class 'stay', 'up' in '{folder}': "
        "looked for .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp"
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"unreadable": "ignore"}, "unknown unreadable 'ignore': choose from 'raise', 'skip'"),
        ({"size": 0}, "unknown size 0: choose a number of pixels, or two, each 1 or more"),
        ({"size": "64"}, "unknown size '64': choose a number of pixels, or two, each 1 or more"),
        ({"size": (3, 64, 64)}, "unknown size (3, 64, 64): choose a number of pixels, or two, each 1 or more"),
    ],
)
@pytest.mark.parametrize("kind", [PictureFolder, FolderSource])
def test_wrong_values_are_named(folder, kind, options, expected):
    assert message(ValueError, lambda: kind(folder, **options)) == expected


def test_two_files_of_different_sizes_are_named(folder):
    noise(20, 30).save(folder / "right" / "0.png")
    assert message(CaptureError, lambda: PictureFolder(folder)) == (
        f"'{folder / 'left' / '0.png'}' has 16 x 12 pixels, '{folder / 'right' / '0.png'}' 30 x 20: "
        "give all of them one size, e.g. size=64"
    )


def test_an_index_outside_is_named(folder):
    for i in (5, -6):
        assert message(IndexError, lambda: PictureFolder(folder)[i]) == (  # noqa: B023
            f"index {i}, but there are 5 samples (0 … 4): a sampler may have been made for another dataset"
        )


# What is wrong with a picture


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tif", "webp", "ppm"])
def test_a_truncated_picture_is_named_when_it_is_met_or_left_out(folder, suffix):
    file = folder / "left" / f"broken.{suffix}"
    noise(60, 80).save(file)
    truncate(file)
    expected = re.escape(f"'{file}' is not a picture that can be read (") + r".+\): delete it, or leave such out with "
    assert re.fullmatch(expected + 'unreadable="skip"', message(CaptureError, lambda: PictureFolder(folder, size=8)[3]))
    expected = f"1 of 6 pictures in '{folder}' cannot be read and are left out: see .skipped"
    with pytest.warns(UserWarning, match=f"^{re.escape(expected)}$") as caught:
        dataset = PictureFolder(folder, unreadable="skip")
    assert [w.filename for w in caught] == [__file__]
    assert (dataset.skipped, dataset.targets) == ([str(file)], [0, 0, 0, 1, 1])
    assert len(list(dataset)) == 5


def test_a_worker_names_the_picture_too(folder):
    truncate(folder / "right" / "1.png")
    batches = iter(DataLoader(PictureFolder(folder), num_workers=1))
    with pytest.raises(CaptureError, match=r"1\.png' is not a picture that can be read \(image file is") as caught:
        list(batches)
    traceback.clear_frames(caught.tb)  # what they hold would die later, and then wait 5 s for the worker
    del batches


def test_what_is_no_picture_at_all_is_named_at_once(folder):
    (folder / "left" / "1.png").write_text("not a picture")
    assert message(CaptureError, lambda: PictureFolder(folder)) == (
        f"'{folder / 'left' / '1.png'}' is not a picture that can be read (not in a format that Pillow knows): "
        'delete it, or leave such out with unreadable="skip"'
    )


def test_a_class_of_which_nothing_can_be_read_is_named(folder):
    for file in (folder / "right").iterdir():
        truncate(file)
    assert message(FileNotFoundError, lambda: PictureFolder(folder, unreadable="skip")) == (
        f"no picture for class 'right' in '{folder}': "
        "looked for .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp; 2 cannot be read"
    )


def test_nothing_is_said_when_nothing_is_left_out(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert PictureFolder(folder, unreadable="skip").skipped == []


# The source of frames


def test_a_source_names_the_picture_that_cannot_be_read_and_does_not_go_past_it(folder):
    truncate(folder / "left" / "1.png")
    source = FolderSource(folder / "left")
    assert source.read() is not None
    for _ in range(2):
        assert re.fullmatch(
            r"'.*1\.png' is not a picture that can be read \(image file is truncated\): "
            r'delete it, or leave such out with unreadable="skip"',
            message(CaptureError, source.read),
        )


def test_a_source_leaves_out_what_cannot_be_read_and_the_others_keep_their_times(folder):
    for name in ("1.png", "2.png"):
        truncate(folder / "left" / name)
    noise(seed=3).save(folder / "left" / "3.png")
    (folder / "left" / "._3.png").write_bytes(b"hidden")
    source = FolderSource(folder / "left", fps=10, unreadable="skip")
    frames = [source.read(), source.read()]
    assert [f.time for f in frames] == pytest.approx([0, 0.3])
    assert [file.name for file in source.skipped] == ["1.png", "2.png"]
    truncate(folder / "left" / "3.png")
    source = FolderSource(folder / "left", unreadable="skip")
    expected = f"3 of 4 pictures in '{folder / 'left'}' cannot be read and are left out: see .skipped"
    assert source.read() is not None
    with pytest.warns(UserWarning, match=re.escape(expected)):
        assert source.read() is None
    assert source.read() is None


def test_a_source_wants_one_size_or_makes_it(folder):
    noise(20, 30).save(folder / "left" / "1.png")
    source = FolderSource(folder / "left")
    source.read()
    assert message(CaptureError, source.read) == (
        f"'{folder / 'left' / '0.png'}' has 16 x 12 pixels, '{folder / 'left' / '1.png'}' 30 x 20: "
        "give all of them one size, e.g. size=64"
    )
    assert [f.pixels.shape for f in FolderSource(folder / "left", size=(10, 6))] == [(6, 10, 3)] * 3
    assert [f.pixels.shape for f in FolderSource(folder / "left", size=5)] == [(5, 5, 3)] * 3


def test_a_folder_without_a_picture_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    assert message(CaptureError, lambda: FolderSource(tmp_path)) == (
        f"no picture in '{tmp_path}': looked for .png, .jpg, .jpeg, .bmp, .webp, .tif, .tiff"
    )


# Scripts that start workers anew, as Windows and macOS do

SCRIPT = """
from torch.utils.data import DataLoader
from dlsteps.data import FrameDataset

dataset = FrameDataset({path!r}, size=8)
{guard}
    loader = DataLoader(dataset, batch_size=2, num_workers=1, multiprocessing_context="spawn")
    print(next(iter(loader))[0].shape)
"""
ADVICE = (
    "{0} starts workers, and each of them runs {0} once more: "
    "put what starts them under 'if __name__ == \"__main__\":', or use num_workers=0"
)


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start a script with such a guard; returns a function that waits: (exit status, stdout, stderr)."""
    monkeypatch.setenv("DLSTEPS_CACHE", str(tmp_path / "cache"))
    writer = RecordingWriter(tmp_path / "recording", {})
    for tick in range(3):
        writer.append(np.zeros((8, 8, 3), np.uint8), tick / 60, 1, "left", 0)
    writer.close()
    running = []

    def run(name, guard):
        script = tmp_path / name
        script.write_text(SCRIPT.format(path=str(tmp_path / "recording"), guard=guard), encoding="utf8")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, str(script)], **pipes)
        running.append(process)

        def answer():
            out, err = process.communicate(timeout=100)
            return process.returncode, out, err

        return answer

    yield run
    for process in running:
        process.kill()
        process.wait()


def test_scripts_without_a_guard_are_told_what_to_do(start):
    guarded = start("guarded.py", 'if __name__ == "__main__":')  # the dataset is made outside it, which is fine
    without = start("without.py", "if True:")
    hidden = start("hidden.py", 'if "not __main__":')

    assert guarded() == (0, "torch.Size([2, 6, 8, 8])\n", "")

    status, out, err = without()  # refused before a worker starts
    assert (status, out, err.count("Traceback")) == (1, "", 1)
    assert err.splitlines()[-1] == "RuntimeError: " + ADVICE.format("without.py")

    status, out, err = hidden()  # Python refuses, in the worker
    assert (status, out) == (1, "")
    assert err.splitlines()[0] == ADVICE.format("hidden.py")
    assert "bootstrapping" not in err
    assert re.fullmatch(r"RuntimeError: DataLoader worker \(pid.*exited unexpectedly", err.splitlines()[-1])


def test_pictures_go_to_a_worker_that_is_started_anew_unless_the_script_has_no_guard(folder, tmp_path, monkeypatch):
    dataset = PictureFolder(folder, size=8)
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[4][0], dataset[4][0])
    (tmp_path / "without.py").write_text("print()")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "without.py"), raising=False)
    loader = DataLoader(dataset, num_workers=1, multiprocessing_context="spawn")
    assert message(RuntimeError, lambda: iter(loader)) == ADVICE.format("without.py")
