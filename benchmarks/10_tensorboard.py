"""The picture of TensorBoard in lesson 10: runs the lesson's cells up to `more`, and lets Chromium take it.

Writes data/tensorboard.png. Needs Chromium (or Chrome); a minute on one core.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
from PIL import Image

from dlsteps.authoring.source import read_lesson
from dlsteps.data.paths import CHECKOUT
from dlsteps.training.tensorboard import start_tensorboard

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars --window-size=1300,700"


def main():
    if CHROMIUM is None:
        sys.exit("no Chromium found: install it (chromium), or Chrome")
    mpl.use("agg")
    names = {"__name__": "__main__"}
    (source,) = (CHECKOUT.parent / "notebooks/source").glob("10_*.py")
    for cell in read_lesson(source):
        if cell.type == "code":
            exec(cell.source, names)
        if cell.id == "more":
            break
    address = start_tensorboard(names["folder"])
    time.sleep(5)  # until it has read all runs
    picture = Path(names["folder"], "page.png")
    page = f"{address}?smoothing=0.6#scalars&tagFilter=loss%7Caccuracy"
    subprocess.run(
        [CHROMIUM, *OPTIONS.split(), "--virtual-time-budget=20000", f"--screenshot={picture}", page], check=True
    )
    page = Image.open(picture).convert("RGB")
    small = page.resize((page.width * 3 // 4, page.height * 3 // 4), Image.Resampling.LANCZOS)
    small.quantize(64).save(CHECKOUT / "tensorboard.png", optimize=True)  # a palette: a fifth of the bytes
    os._exit(0)  # TensorBoard's thread would go on


if __name__ == "__main__":
    main()
