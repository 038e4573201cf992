"""Make data/aliens.npz and data/desktop.png, which lesson 02 shows where there is no display. Needs Xvfb and openbox.

The first is five seconds of a game nobody here wrote, pygame's aliens, with keys pressed at random; the second a small
desktop with two windows, the client rectangle of the game's written into the file.
"""

import argparse
import contextlib
import os
import random
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import mss
from PIL import Image, PngImagePlugin

from dlsteps.agents.learn import OpenGame
from dlsteps.capture import Keys, record
from dlsteps.capture.recording import load_recording, pack

ALIENS = {"": 0, "left": 1, "right": 2, "space": 3, "left+space": 4, "right+space": 5}  # as in lesson 02


@contextlib.contextmanager
def desktop(width, height):
    """A display of our own with a window manager on it."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        os.environ["DISPLAY"] = f":{server.stdout.readline().strip()}"
        with subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL) as manager:
            time.sleep(1)
            yield
            manager.terminate()
        server.terminate()


def press_at_random(keys, done):
    chance = random.Random(3)
    while not done.wait(chance.uniform(0.15, 0.6)):
        keys.release_all()
        for key in chance.choice(list(ALIENS)).split("+"):
            if key:
                keys.press(key)
    keys.release_all()


def record_aliens(path):
    with OpenGame("pygame.examples.aliens", title="Pygame Aliens") as source, Keys() as keys:
        time.sleep(1)
        done = threading.Event()
        player = threading.Thread(target=press_at_random, args=(keys, done))
        player.start()
        record(source, ALIENS, path, 5, fps=80, size=(160, 120))
        done.set()
        player.join()


def photograph_desktop(path):
    with (
        OpenGame("pygame.examples.aliens", title="Pygame Aliens"),
        OpenGame("dlsteps.agents.teacher", "--seed", 5) as source,
        mss.MSS() as grabber,
    ):
        time.sleep(2)
        source.read()
        shot = grabber.grab(grabber.monitors[0])
        note = PngImagePlugin.PngInfo()
        note.add_text("client", " ".join(str(value) for value in source.window[1:5]))
        picture = Image.frombytes("RGB", shot.size, shot.rgb).quantize(128)
        picture.save(path, pnginfo=note, optimize=True)
        print(f"{path}: {source.window}")


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path, nargs="?", default=Path("build/windows"), help="where to (build/windows)")
folder = parser.parse_args().folder
folder.mkdir(parents=True, exist_ok=True)
with desktop(900, 560), tempfile.TemporaryDirectory() as temporary:
    record_aliens(Path(temporary, "aliens"))
    pack(Path(temporary, "aliens"), folder / "aliens.npz")
    episode = load_recording(folder / "aliens.npz")
    print(f"aliens.npz: {len(episode.frames)} frames of {episode.frames.shape[1:]}, keys {sorted(set(episode.keys))}")
    photograph_desktop(folder / "desktop.png")
