"""What networks learn from: recordings as datasets, digits, photographs; and augmentations of whole batches."""

from dlsteps.data.digits import load_digits5k
from dlsteps.data.paths import data_path
from dlsteps.data.photos import load_photos
from dlsteps.data.recordings import FrameDataset, split_by_time

__all__ = ["FrameDataset", "data_path", "load_digits5k", "load_photos", "split_by_time"]
