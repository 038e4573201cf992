"""Frames and keys of any desktop window. Nothing here knows a particular game."""

from dlsteps.capture.keys import Keys
from dlsteps.capture.recorder import record
from dlsteps.capture.sources import EnvSource, FolderSource, Frame, FrameSource, VideoSource, WindowSource
from dlsteps.capture.windows import CaptureError, WindowHidden, WindowInfo, WindowNotFound, find_window, list_windows

__all__ = [
    "CaptureError",
    "EnvSource",
    "FolderSource",
    "Frame",
    "FrameSource",
    "Keys",
    "VideoSource",
    "WindowHidden",
    "WindowInfo",
    "WindowNotFound",
    "WindowSource",
    "find_window",
    "list_windows",
    "record",
]
