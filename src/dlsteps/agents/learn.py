"""The whole job in one call: record the scripted player, train a network on what was seen, let it play.

`python course.py play --learn` runs this. With a display all of it happens in the game's real window, by real key
presses; without one the frames come from the same game through `EnvSource`, and that is said.
"""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from dlsteps.agents.imitation import Agent, train
from dlsteps.agents.live import play_window
from dlsteps.capture import CaptureError, EnvSource, Keys, WindowNotFound, WindowSource, list_windows, record
from dlsteps.data import FrameDataset
from dlsteps.game import LEFT, RIGHT, STAY, CatchEnv, Score, ScriptedPlayer, normalise, score
from dlsteps.models import ConvNet

KEYS = {"left": LEFT, "": STAY, "right": RIGHT}
MIRROR = [RIGHT, STAY, LEFT]  # what each action is in a mirrored picture
TITLE = "Catch (dlsteps)"  # not just 'Catch': another game may be open


def learn(level=1, theme="night", *, seconds=60.0, fps=60.0, seeds=(0, 1, 2), ticks=1200, folder=None, use_window=True):
    """Record, train, play; returns the `Score`. Everything is kept in `folder` (a new one below runs/ unless told).

    Args:
        level, theme: of the game, see `Catch`.
        seconds: of play to record; fps: the game's ticks a second. The window is captured at twice that.
        seeds, ticks: the games that the network plays afterwards, and their length.
        use_window: False leaves the real window out even if there is a display.
    """
    folder = Path(folder or f"runs/learn-{time.strftime('%Y%m%d-%H%M%S')}")
    folder.mkdir(parents=True, exist_ok=False)
    why_not = "as asked" if not use_window else no_window()
    if why_not:
        print(f"No real window ({why_not}): the same game without one, through EnvSource.")
    game = {"level": level, "theme": theme, "fps": fps}
    recording = folder / "recording"
    (record_headless if why_not else record_window)(recording, seconds, **game)

    dataset = FrameDataset(recording)
    if len(dataset) < seconds * fps / 2:
        raise CaptureError(
            f"only {len(dataset)} of about {seconds * fps:.0f} frames could be recorded: leave the game's window in "
            "front and keep your hands off the keyboard, then run this again"
        )
    torch.manual_seed(0)
    model = ConvNet(in_channels=6, num_actions=3)
    history = train(model, dataset, mirror=MIRROR)
    torch.save(model.state_dict(), folder / "model.pt")
    draw_curve(history, folder / "curve.png")

    agent = Agent(model)
    if why_not:
        result = score(agent, level, seeds, theme, ticks)
    else:
        result = Score.over([play_one(agent, seed, ticks, folder, **game) for seed in seeds])
    (folder / "score.json").write_text(json.dumps({"real_window": not why_not, **game, **result._asdict()}) + "\n")
    losses = [epoch["valid_loss"] for epoch in history]
    print(f"validation loss {sparkline(losses)} {losses[0]:.2f} to {losses[-1]:.2f}, drawn in {folder / 'curve.png'}")
    print(f"score at level {level}: {result.mean:.2f} ± {result.spread:.2f} over {len(seeds)} games"
          " (random play is 0, the scripted player 1)")  # fmt: skip
    return result


def no_window():
    """Why the real window cannot be used here, or None if it can."""
    try:
        list_windows()
    except CaptureError as error:
        return str(error).split(":")[0]
    except ImportError as error:
        return str(error)
    return None


def record_window(path, seconds, *, level, theme, fps, seed=1000, size=64):
    """Record the scripted player as it plays the real window with the real keyboard."""
    game = ["--level", level, "--theme", theme, "--seed", seed, "--fps", fps]
    try:
        with OpenGame("dlsteps.agents.teacher", *game) as source:
            return record(source, KEYS, path, seconds, fps=2 * fps, size=size)
    finally:
        with Keys(watch=["left", "right"]) as keys:  # Windows ends a process without letting it clean up
            keys.release("left")
            keys.release("right")


def record_headless(path, seconds, *, level, theme, fps, seed=1000, size=64):
    """The same without a window."""
    with EnvSource(CatchEnv(level, theme, max_ticks=round(seconds * fps)), ScriptedPlayer(), seed=seed) as source:
        return record(source, None, path, seconds + 1, size=size)


def play_one(agent, seed, ticks, folder, *, level, theme, fps):
    """Let the agent play one game in the real window; returns its score."""
    log = folder / f"game-{seed}.json"
    game = ["--level", level, "--theme", theme, "--seed", seed, "--fps", fps, "--ticks", ticks, "--log", log]
    agent.reset()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a second thread would only take the other core from the game
    try:
        with OpenGame("dlsteps.game.window", *game) as source, Keys(watch=["left", "right"]) as keys:
            run = play_window(agent, source, keys, seconds=ticks / fps + 10, fps=2 * fps)
            with contextlib.suppress(subprocess.TimeoutExpired):  # paused, say: the check below tells
                source.process.wait(10)
    finally:
        torch.set_num_threads(threads)
    totals = json.loads(log.read_text() or "{}")  # empty: the game was killed
    if totals.get("tick") != ticks:
        raise CaptureError(f"the game of seed {seed} was closed before it ended: run this again and leave it open")
    value = normalise(totals["caught"] - totals["missed"] - totals["hit"], totals["landed"], level)
    late = np.percentile(run.latency, 95) * 1000 if run.frames else float("nan")
    counts = f"caught {totals['caught']}, missed {totals['missed']}, stones {totals['hit']}"
    print(f"game {seed}: {counts}; score {value:.2f}; 95 in 100 decisions within {late:.0f} ms")
    return value


class OpenGame:
    """A game in a window, started as a process of its own; gives its `WindowSource`, with the focus.

    Args:
        module: run as `python -m module`, with `arguments`.
        title: of the window that it opens; unless told, the game is told which title to give it.
    """

    def __init__(self, module, *arguments, title=None):
        self.title = title or TITLE
        command = [sys.executable, "-m", module, *([] if title else ["--title", TITLE]), *map(str, arguments)]
        self.process = subprocess.Popen(command)

    def __enter__(self):
        try:
            self.source = self._wait_for_window()
            self.source.process = self.process
            self.source.focus()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self.source

    def __exit__(self, *_):
        self.source.close()
        self.process.terminate()
        self.process.wait()

    def _wait_for_window(self, seconds=20):
        end = time.monotonic() + seconds
        while True:
            try:
                return WindowSource(self.title)
            except WindowNotFound:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise CaptureError(
                        "the game's window did not open: see the message above, or try --no-window"
                    ) from None
                time.sleep(0.05)


def draw_curve(history, path):
    """Save a picture of the losses, and of the validation accuracy, epoch by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = range(1, len(history) + 1)
    for name, style in (("train_loss", "--"), ("valid_loss", "-")):
        left.plot(epochs, [epoch[name] for epoch in history], style, color="#0072B2", label=name.split("_")[0])
    left.set(title="What the network still gets wrong", xlabel="epoch", ylabel="cross-entropy (nats)", ylim=(0, None))
    left.legend()
    right.plot(epochs, [epoch["valid_accuracy"] for epoch in history], color="#D55E00")
    right.set(title="How often it does as the player did", xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
    figure.savefig(path, dpi=120)


def sparkline(values):
    """Numbers as a line of bars, for a terminal."""
    low, high = min(values), max(values)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * (value - low) / (high - low or 1))] for value in values)
