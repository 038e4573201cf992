"""Windows on macOS, through Quartz. Written against pyobjc 13, tested with a stand-in; not run in CI.

What macOS does not tell limits this backend:

* It gives rectangles of whole windows. `TITLE_BAR` points are cut off at the top, the height of the standard title bar
  of macOS 11 to 15 (others differ by some points). Only a window that fills the main screen is taken to have no title
  bar; the picture of any other window without one loses its top, and that of a window with a toolbar keeps the toolbar.
* An application is brought to the front, not one of its windows: the one that it used last.
* Which application has the focus is updated only on the main thread: ask there.
* What lies in the Dock's layer or higher (the Dock, the menu bar, menus, notifications) does not count as covering.

Positions are in points; a HiDPI screen shows 2 x 2 pixels for each.
"""

from functools import partial

from dlsteps.capture.windows import CaptureError, WindowHidden, WindowInfo

TITLE_BAR = 28  # points
DOCK_LAYER = 20  # kCGDockWindowLevel; ordinary windows are in layer 0, floating ones just above
PERMISSION = (
    "macOS hides other programs' windows: allow Screen Recording for the program that runs Python (System Settings > "
    "Privacy & Security > Screen Recording), then start that program again"
)


class QuartzDesktop:
    def __init__(self):
        try:
            import AppKit
            import Quartz
        except ImportError as problem:
            fix = "python -m pip install pyobjc-framework-Quartz"
            raise CaptureError(f"Quartz cannot be loaded ({problem}): {fix}") from None
        self.appkit, self.quartz = AppKit, Quartz

    def windows(self):
        if not self.quartz.CGPreflightScreenCaptureAccess():
            self.quartz.CGRequestScreenCaptureAccess()  # lists the program in System Settings, ready to be allowed
            raise CaptureError(PERMISSION)
        name = self.quartz.kCGWindowName
        return [self._info(entry, entry[name]) for entry in self._ordinary() if entry.get(name)]

    def locate(self, window):
        entry = self._entry(window)
        if entry is None:
            return None
        if not entry.get(self.quartz.kCGWindowIsOnscreen):
            raise WindowHidden(f"the window {window.title!r} is minimised, hidden, or on another desktop")
        return self._info(entry, window.title)

    def ask(self, window):
        return partial(self.locate, window)

    def focused(self, window):
        """The front-most window belongs to the front-most application, and is this one."""
        front = next(self._ordinary(), None)
        if front is None or front[self.quartz.kCGWindowNumber] != window.id:
            return False
        # Without a turn of the run loop, AppKit goes on naming the application that was in front at first.
        self.appkit.NSRunLoop.currentRunLoop().runUntilDate_(self.appkit.NSDate.date())
        application = self.appkit.NSWorkspace.sharedWorkspace().frontmostApplication()
        return application is not None and application.processIdentifier() == front[self.quartz.kCGWindowOwnerPID]

    def focus(self, window):
        entry = self._entry(window)
        if entry is None:
            raise CaptureError(f"the window {window.title!r} was closed")
        find = self.appkit.NSRunningApplication.runningApplicationWithProcessIdentifier_
        application = find(entry[self.quartz.kCGWindowOwnerPID])
        how = self.appkit.NSApplicationActivateIgnoringOtherApps
        if application is None or not application.activateWithOptions_(how):
            raise CaptureError(f"macOS does not hand over the focus: click on the window {window.title!r}")

    def covered(self, window):
        q = self.quartz
        for entry in self._list(q.kCGWindowListOptionOnScreenAboveWindow, window.id):
            drawn = 0 <= entry[q.kCGWindowLayer] < DOCK_LAYER and entry[q.kCGWindowAlpha] > 0
            if drawn and window.overlaps(WindowInfo("", *self._bounds(entry), entry[q.kCGWindowNumber])):
                return entry.get(q.kCGWindowName) or entry.get(q.kCGWindowOwnerName) or "a window without a title"
        return None

    def _list(self, option, number):
        q = self.quartz
        return q.CGWindowListCopyWindowInfo(option | q.kCGWindowListExcludeDesktopElements, number) or ()

    def _ordinary(self):
        """What macOS knows of each application's windows on the screen, the front-most first."""
        q = self.quartz
        for entry in self._list(q.kCGWindowListOptionOnScreenOnly, q.kCGNullWindowID):
            if entry[q.kCGWindowLayer] == 0 and entry[q.kCGWindowAlpha] > 0 and all(self._bounds(entry)[2:]):
                yield entry

    def _entry(self, window):
        """The same for one window, on the screen or not; None once it is closed."""
        found = self.quartz.CGWindowListCopyWindowInfo(self.quartz.kCGWindowListOptionIncludingWindow, window.id)
        return found[0] if found else None

    def _bounds(self, entry):
        bounds = entry[self.quartz.kCGWindowBounds]
        return tuple(int(bounds[name]) for name in ("X", "Y", "Width", "Height"))

    def _info(self, entry, title):
        left, top, width, height = self._bounds(entry)
        screen = self.quartz.CGDisplayBounds(self.quartz.CGMainDisplayID()).size
        bar = 0 if (width, height) == (screen.width, screen.height) else min(TITLE_BAR, height)
        return WindowInfo(str(title), left, top + bar, width, height - bar, entry[self.quartz.kCGWindowNumber])
