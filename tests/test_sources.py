"""Frames from an environment, a video and a folder of pictures: one interface."""

import cv2
import gymnasium
import numpy as np
import pytest
from PIL import Image

from dlsteps.capture import CaptureError, EnvSource, FolderSource, FrameSource, VideoSource
from dlsteps.game import Catch, CatchEnv, RandomPlayer, ScriptedPlayer


def test_an_environments_frames_come_with_the_action_taken_on_seeing_them():
    game = Catch(5)
    with EnvSource(CatchEnv(max_ticks=50), ScriptedPlayer(), seed=5) as source:
        frames = list(source)
    assert len(frames) == 50
    for tick, frame in enumerate(frames):
        assert np.array_equal(frame.pixels, game.frame())
        assert frame.action == game.expert()
        assert frame.time == pytest.approx(tick / 60)
        game.step(frame.action)


def test_a_stream_stays_ended():
    source = EnvSource(CatchEnv(max_ticks=1), RandomPlayer())
    assert source.read() is not None
    assert source.read() is None
    assert source.read() is None


def test_any_gymnasium_environment_with_a_picture_will_do():
    class Dark(gymnasium.Env):
        observation_space, action_space = gymnasium.spaces.Box(0, 1, (2,)), gymnasium.spaces.Discrete(2)
        metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

        def __init__(self, render_mode=None):
            self.render_mode, self.ticks = render_mode, 0

        def reset(self, seed=None, options=None):
            return np.zeros(2, np.float32), {}

        def step(self, action):
            self.ticks += 1
            return np.zeros(2, np.float32), 0.0, self.ticks == 3, False, {}

        def render(self):
            return np.full((5, 7, 3), self.ticks, np.uint8)

    frames = list(EnvSource(Dark("rgb_array"), lambda observation: 1))
    assert [(f.pixels[0, 0, 0], f.time, f.action) for f in frames] == [(0, 0, 1), (1, 0.1, 1), (2, 0.2, 1)]
    with pytest.raises(CaptureError, match=r'shows no picture .* render_mode="rgb_array"'):
        EnvSource(Dark(), lambda observation: 1).read()


def test_a_video_gives_its_frames(tmp_path):
    path = tmp_path / "game.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    for level in (0, 120, 240):
        writer.write(np.full((48, 64, 3), (0, level, 255 - level), np.uint8))  # BGR
    writer.release()
    with VideoSource(path) as source:
        frames = list(source)
    assert [f.pixels.shape for f in frames] == [(48, 64, 3)] * 3
    assert [f.time for f in frames] == pytest.approx([0, 0.05, 0.1])
    for frame, level in zip(frames, (0, 120, 240), strict=True):
        assert np.abs(frame.pixels.mean((0, 1)) - (255 - level, level, 0)).max() < 6  # RGB; MJPG loses a little
    assert all(f.action is None for f in frames)


def test_a_folder_gives_its_pictures_in_natural_order(tmp_path):
    for number in (10, 2, 1):
        Image.new("RGB", (4, 3), (number, 0, 0)).save(tmp_path / f"frame{number}.png")
    Image.new("L", (4, 3), 99).save(tmp_path / "grey20.PNG")
    (tmp_path / "notes.txt").write_text("not a picture")
    frames = list(FolderSource(tmp_path, fps=10))
    assert [f.pixels[0, 0].tolist() for f in frames] == [[1, 0, 0], [2, 0, 0], [10, 0, 0], [99, 99, 99]]
    assert [f.time for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: VideoSource(p / "no.mp4"), FileNotFoundError, "no video"),
        (lambda p: FolderSource(p / "no"), FileNotFoundError, "no folder"),
        (lambda p: FolderSource(p), CaptureError, "no picture in .*looked for .png"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, make, error, message):
    with pytest.raises(error, match=message):
        make(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(CaptureError, match=r"broken\.png' is not a picture that can be read"):
        FolderSource(tmp_path).read()
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    with pytest.raises(CaptureError, match=r"broken\.mp4' is not a video that OpenCV can read"):
        VideoSource(tmp_path / "broken.mp4")


def test_a_source_is_a_loop_and_closes_itself():
    class Three(FrameSource):
        left, closed = 3, False

        def read(self):
            self.left -= 1
            return None if self.left < 0 else self.left

        def close(self):
            self.closed = True

    with Three() as source:
        assert list(source) == [2, 1, 0]
    assert source.closed
