"""Make the episodes of data/: the scripted player in the game's real window, recorded. Needs a display."""

import argparse
import tempfile
from pathlib import Path

from dlsteps.agents.learn import record_window
from dlsteps.capture.recording import load_recording, pack

EPISODES = {  # name: (level, theme, seconds, seed)
    "catch_level1_night": (1, "night", 60, 1000),
    "catch_level1_day": (1, "day", 30, 2000),
    "catch_level3_night": (3, "night", 30, 3000),
}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path, nargs="?", default=Path("build/episodes"), help="where to (build/episodes)")
folder = parser.parse_args().folder
folder.mkdir(parents=True, exist_ok=True)
for name, (level, theme, seconds, seed) in EPISODES.items():
    with tempfile.TemporaryDirectory() as temporary:
        recording = record_window(Path(temporary, name), seconds, level=level, theme=theme, fps=60, seed=seed, size=128)
        pack(recording, folder / f"{name}.npz")
        episode = load_recording(folder / f"{name}.npz")
        size = (folder / f"{name}.npz").stat().st_size
        print(
            f"{name}: {len(episode.frames)} frames of {episode.frames.shape[1:]}, {size / 1e6:.2f} MB, {episode.meta}"
        )
