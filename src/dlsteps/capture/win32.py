"""Windows on Microsoft Windows, through pywin32. Written against pywin32 312, tested with a stand-in; not run in CI.

Positions are in true pixels once the process is DPI aware; `WindowSource` sees to that, as mss does it.
"""

import ctypes
from functools import partial

from dlsteps.capture.windows import CaptureError, WindowHidden, WindowInfo

# What the desktop compositor knows of a window (dwmapi.h); pywin32 does not reach it, ctypes does.
DWMWA_EXTENDED_FRAME_BOUNDS = 9
DWMWA_CLOAKED = 14


class Win32Desktop:
    def __init__(self):
        try:
            import win32con
            import win32gui
        except ImportError as problem:
            raise CaptureError(f"win32gui cannot be loaded ({problem}): python -m pip install pywin32") from None
        self.con, self.gui = win32con, win32gui

    def windows(self):
        handles = []
        self.gui.EnumWindows(lambda handle, found: found.append(handle), handles)
        windows = [self._info(handle, self.gui.GetWindowText(handle)) for handle in handles if self._shown(handle)]
        return [w for w in windows if w is not None and w.title and w.width and w.height]

    def locate(self, window):
        if not self.gui.IsWindow(window.id):
            return None
        if self.gui.IsIconic(window.id):
            raise WindowHidden(f"the window {window.title!r} is minimised")
        if not self._shown(window.id):
            raise WindowHidden(f"the window {window.title!r} is hidden, or on another virtual desktop")
        return self._info(window.id, window.title)

    def ask(self, window):
        return partial(self.locate, window)

    def focused(self, window):
        return self.gui.GetForegroundWindow() == window.id

    def focus(self, window):
        """Windows lets only the program that has the focus hand it on, so this may be refused."""
        try:
            if self.gui.IsIconic(window.id):
                self.gui.ShowWindow(window.id, self.con.SW_RESTORE)
            self.gui.SetForegroundWindow(window.id)
        except self.gui.error:
            raise CaptureError(f"Windows does not hand over the focus: click on the window {window.title!r}") from None

    def covered(self, window):
        for handle in self._above(window.id):
            if self._shown(handle) and not self._lets_clicks_through(handle) and window.overlaps(_frame(handle)):
                return self.gui.GetWindowText(handle) or "a window without a title"
        return None

    def _info(self, handle, title):
        """The client rectangle, without frame and title bar; None if the window was closed while we were looking."""
        try:
            left, top = self.gui.ClientToScreen(handle, (0, 0))
            _, _, width, height = self.gui.GetClientRect(handle)
        except self.gui.error:
            return None
        return WindowInfo(title, left, top, width, height, handle)

    def _shown(self, handle):
        """Cloaked windows count as visible but are not drawn: suspended apps, windows on another virtual desktop."""
        visible = self.gui.IsWindowVisible(handle) and not self.gui.IsIconic(handle)
        return bool(visible) and not _dwm(handle, DWMWA_CLOAKED, ctypes.c_uint32()).value

    def _lets_clicks_through(self, handle):
        """Overlays of graphics drivers and recorders: over everything, nearly always with nothing drawn."""
        try:
            return self.gui.GetWindowLong(handle, self.con.GWL_EXSTYLE) & self.con.WS_EX_TRANSPARENT
        except self.gui.error:
            return True

    def _above(self, handle):
        """The windows above this one, the nearest first. The order may change meanwhile: `seen` keeps it finite."""
        seen = set()
        try:
            while (handle := self.gui.GetWindow(handle, self.con.GW_HWNDPREV)) and handle not in seen:
                seen.add(handle)
                yield handle
        except self.gui.error:  # closed while we were looking
            return


class Rectangle(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("left", "top", "right", "bottom")]


def _frame(handle):
    """The whole window as drawn. GetWindowRect would add the invisible edges by which it is resized."""
    r = _dwm(handle, DWMWA_EXTENDED_FRAME_BOUNDS, Rectangle())
    return WindowInfo("", r.left, r.top, r.right - r.left, r.bottom - r.top, handle)


def _dwm(handle, attribute, value):
    """Let the compositor fill in `value`, a ctypes object; it stays zero if the window is gone."""
    ask = ctypes.windll.dwmapi.DwmGetWindowAttribute
    ask(ctypes.c_void_p(handle), attribute, ctypes.byref(value), ctypes.sizeof(value))
    return value
