"""What networks learn from: recordings as datasets."""

from dlsteps.data.paths import data_path
from dlsteps.data.recordings import FrameDataset, split_by_time

__all__ = ["FrameDataset", "data_path", "split_by_time"]
