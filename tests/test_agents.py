"""Imitation: learning from a recording, and playing by what was learned, without a window and in a real one."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import wait_for

from dlsteps.agents.imitation import Agent, flip_half, shift_sideways, train
from dlsteps.agents.learn import learn, play_one, sparkline
from dlsteps.agents.live import play_window
from dlsteps.agents.teacher import press_action
from dlsteps.capture import CaptureError, EnvSource, Keys, WindowSource, record
from dlsteps.data import FrameDataset
from dlsteps.game import LEFT, RIGHT, STAY, Catch, CatchEnv, ScriptedPlayer, score
from dlsteps.models import ConvNet


def test_convnet_maps_frames_to_logits():
    model = ConvNet(in_channels=6, num_actions=5)
    x = torch.rand(4, 6, 64, 64)
    assert model(x).shape == (4, 5)
    assert model.feature_extractor(x).shape == (4, 128)
    with pytest.raises(ValueError, match="size is 60: a multiple of 8"):
        ConvNet(3, 3, size=60)


def test_flipping_swaps_left_and_right():
    torch.manual_seed(0)
    x = torch.arange(4.0).expand(64, 1, 1, 4).clone()
    y = torch.arange(64) % 3
    flipped_x, flipped_y = flip_half(x, y, torch.tensor([RIGHT, STAY, LEFT]))
    mirrored = flipped_x[:, 0, 0, 0] == 3
    assert 16 < mirrored.sum() < 48
    assert torch.equal(flipped_x[mirrored], x[mirrored].flip(3))
    assert torch.equal(flipped_x[~mirrored], x[~mirrored])
    assert torch.equal(flipped_y, torch.where(mirrored, 2 - y, y))


def test_shifting_moves_each_picture_by_its_own_distance():
    torch.manual_seed(0)
    x = torch.arange(32.0).expand(50, 2, 3, 32)
    shifted = shift_sideways(x, 4)
    distance = shifted[:, 0, 0, 16] - 16
    assert set(distance.int().tolist()) == set(range(-4, 5))
    for picture, by in zip(shifted, distance, strict=True):
        assert torch.equal(picture, (torch.arange(32.0) + by).clamp(0, 31).expand(2, 3, 32))


def test_an_agent_sees_what_the_dataset_shows(tmp_path):
    """Live play and training prepare frames alike: same stack, same scaling, same order."""
    source = EnvSource(CatchEnv(max_ticks=20), ScriptedPlayer(), seed=1)
    dataset = FrameDataset(record(source, None, tmp_path / "r", 10, size=64, progress=False))
    seen = []

    class Probe(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x):
            seen.append(x.clone())
            return torch.tensor([[0.0, 0.0, 1.0]])

    agent, game = Agent(Probe()), Catch(1)
    for _ in range(20):
        assert agent(game.frame()) == 2
        game.step(game.expert())
    assert len(dataset) == 20
    for i, x in enumerate(seen):
        assert torch.equal(x[0], dataset[i][0])
    agent.reset()
    agent(game.frame())
    assert torch.equal(seen[-1][0, :3], seen[-1][0, 3:])  # no history after a reset


def test_training_learns_and_repeats_itself(tmp_path):
    source = EnvSource(CatchEnv(max_ticks=900), ScriptedPlayer(), seed=1)
    dataset = FrameDataset(record(source, None, tmp_path / "r", 100, size=64, progress=False))

    def run():
        torch.manual_seed(3)
        model = ConvNet(6, 3)
        return train(model, dataset, mirror=[2, 1, 0], epochs=3, progress=False), model.state_dict()

    (history, weights), (again, same_weights) = run(), run()
    assert history[-1]["train_loss"] < 0.95 * history[0]["train_loss"]
    assert history == again
    assert all(torch.equal(weights[name], same_weights[name]) for name in weights)


def test_the_job_without_a_window(tmp_path, capsys):
    """All of `play --learn`, small: it says that there is no window, trains, scores, and keeps everything."""
    result = learn(seconds=10, seeds=(0, 1), ticks=300, folder=tmp_path / "run", use_window=False)
    out = capsys.readouterr().out
    assert "No real window (as asked): the same game without one, through EnvSource." in out
    assert f"score at level 1: {result.mean:.2f} ± {result.spread:.2f} over 2 games" in out
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"recording", "model.pt", "curve.png", "score.json"}
    assert json.loads((tmp_path / "run" / "score.json").read_text())["mean"] == result.mean
    model = ConvNet(6, 3)
    model.load_state_dict(torch.load(tmp_path / "run" / "model.pt", weights_only=True))
    assert score(Agent(model), 1, (0, 1), ticks=300) == result


def test_sparkline():
    assert sparkline([0, 1, 3.5, 7]) == "▁▂▅█"
    assert sparkline([2, 2]) == "▁▁"


# In a real window


class Recorder:
    """Keys that are only written down."""

    def __init__(self):
        self.pressed, self.sent = set(), []

    def press(self, key):
        self.pressed.add(key)
        self.sent.append(key)

    def release(self, key):
        self.pressed.discard(key)
        self.sent.append(f"-{key}")

    def release_all(self):
        for key in sorted(self.pressed):
            self.release(key)


def test_only_the_key_of_the_action_is_down():
    keys = Recorder()
    for action in (LEFT, LEFT, RIGHT, STAY):
        press_action(keys, action)
    assert keys.sent == ["left", "-left", "right", "-right"]


@pytest.mark.desktop
def test_the_teacher_plays_by_real_keys_and_catches_everything(start, tmp_path):
    log = tmp_path / "log.json"
    process, _ = start("dlsteps.agents.teacher", "--ticks", 240, "--log", log)
    process.wait(20)
    totals = json.loads(log.read_text())
    assert totals["caught"] >= 2
    assert totals["missed"] <= 1  # the machine may be busy
    with Keys() as keys:
        assert keys.held() == set()


@pytest.mark.desktop
def test_a_policy_plays_the_real_window(start, tmp_path):
    """The policy follows the ball by looking at pixels: the loop must bring it frames and send its keys."""
    log = tmp_path / "log.json"
    process, source = start("dlsteps.game.window", "--ticks", 240, "--fps", 40, "--log", log)
    empty = Catch()
    empty.fallers, empty.paddle = [], -100
    empty = empty.frame().astype(int)

    def follow(frame):
        changed = (np.abs(frame - empty).max(axis=2) > 60).astype(float)
        ball, paddle = changed[20:225].sum(0), changed[228:242].sum(0)
        if ball.sum() == 0 or paddle.sum() == 0:  # no ball yet, or nothing drawn yet
            return STAY
        gap = np.average(np.arange(256), weights=ball) - np.average(np.arange(256), weights=paddle)
        return STAY if abs(gap) < 7 else RIGHT if gap > 0 else LEFT

    with Keys(watch=["left", "right"]) as keys:
        run = play_window(follow, source, keys, seconds=20, fps=80)
        assert keys.held() == set()
    process.wait(10)
    totals = json.loads(log.read_text())
    assert run.frames > 150
    assert totals["caught"] >= 2
    assert totals["caught"] > 2 * totals["missed"]


@pytest.mark.desktop
def test_without_the_focus_no_key_is_sent(make_window):
    make_window("Game")
    other = make_window("Other", 300)
    keys = Recorder()
    keys.press("left")
    with WindowSource("Game") as source:
        other.set_input_focus(0, 0)
        make_window.sync()
        run = play_window(lambda frame: RIGHT, source, keys, seconds=0.4)
    assert keys.sent == ["left", "-left"]
    assert (run.frames, run.paused > 0.2) == (0, True)


@pytest.mark.desktop
def test_keys_are_released_when_the_policy_crashes(make_window):
    make_window("Game")
    keys = Recorder()
    keys.press("left")

    def crash(frame):
        raise ZeroDivisionError

    with WindowSource("Game") as source:
        source.focus()
        with pytest.raises(ZeroDivisionError):
            play_window(crash, source, keys, seconds=1)
    assert keys.pressed == set()


@pytest.mark.desktop
def test_the_job_in_a_real_window(display, tmp_path, capfd):
    """All of `play --learn`, short: real window, real keys; 8 s of play are too little to play well."""
    result = learn(seconds=8, fps=40, seeds=(0,), ticks=120, folder=tmp_path / "run")
    out = capfd.readouterr().out
    assert "No real window" not in out
    assert "game 0: caught" in out
    saved = json.loads((tmp_path / "run" / "score.json").read_text())
    assert saved["real_window"] is True
    assert saved["mean"] == result.mean
    assert json.loads((tmp_path / "run" / "game-0.json").read_text())["tick"] == 120
    assert len(FrameDataset(tmp_path / "run" / "recording")) > 200


@pytest.mark.desktop
def test_a_game_that_is_closed_early_has_no_score(display, tmp_path):
    class Quitter:
        frames = 0

        def reset(self):
            pass

        def __call__(self, frame):
            self.frames += 1
            if self.frames == 20:
                with Keys() as keys:
                    keys.press("escape")
            return STAY

    with pytest.raises(CaptureError, match="the game of seed 0 was closed before it ended"):
        play_one(Quitter(), 0, 600, tmp_path, level=1, theme="night", fps=60)


def test_without_a_display_the_command_goes_on_without_a_window(tmp_path, monkeypatch):
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there is always a display here")
    code = "from dlsteps.agents.learn import no_window; print(no_window())"
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "no display (DISPLAY is not set)"


def test_wait_for_fails_when_it_should():
    with pytest.raises(AssertionError, match="waited 0.05 s for nothing"):
        wait_for(lambda: False, "nothing", seconds=0.05)
