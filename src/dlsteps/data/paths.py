"""Where the course's small data files are."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3] / "data"


def data_path(name):
    """The path of a file in the course's `data/`: in the checkout, else in the folder $DLSTEPS_DATA names.

    Raises `FileNotFoundError`, which names the files there are, or says what to do when there is no such folder.
    """
    named = os.environ.get("DLSTEPS_DATA")
    folders = [folder for folder in (CHECKOUT, Path(named) if named else None) if folder and folder.is_dir()]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    if not folders:
        raise FileNotFoundError(
            f"no data folder to find {name!r} in: clone the course, or set DLSTEPS_DATA to its data folder"
        )
    there = sorted({file.name for folder in folders for file in folder.iterdir() if file.suffix != ".md"})
    raise FileNotFoundError(f"no data file {name!r}: choose from {', '.join(there)}")
