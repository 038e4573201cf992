"""Windows on Linux desktops (X11), through python-xlib. A round trip to the X server takes about 0.1 ms."""

from functools import partial

from Xlib import X, display, error
from Xlib.protocol import event, request

from dlsteps.capture.windows import CaptureError, WindowHidden, WindowInfo

GONE = error.BadWindow, error.BadDrawable  # what the X server answers about a window that has been closed


def connect():
    """A connection to the X server."""
    try:
        return display.Display()
    except (error.DisplayError, error.ConnectionClosedError, OSError) as problem:
        raise CaptureError(f"cannot reach the display ({problem}): check DISPLAY, or run under xvfb-run") from None


class X11Desktop:
    def __init__(self):
        self.display = connect()
        self.display.set_error_handler(lambda *_: None)  # answers to what needs none: a window closed meanwhile
        self.root = self.display.screen().root
        self.watched = {}  # window id -> [width, height, mapped], kept up to date by events

    def windows(self):
        found = []
        for window in self._stacking():
            try:
                title = self._title(window)
                if not title or window.get_attributes().map_state != X.IsViewable:
                    continue
                size, corner = window.get_geometry(), self.root.translate_coords(window, 0, 0)
                found.append(WindowInfo(title, corner.x, corner.y, size.width, size.height, window.id))
            except GONE:  # closed while we were looking
                continue
        return found

    def locate(self, window):
        return self.ask(window)()

    def ask(self, window):
        """One round trip (the position); size, minimising and closing arrive as events in between."""
        handle = self._handle(window)
        try:
            if window.id not in self.watched:
                handle.change_attributes(event_mask=X.StructureNotifyMask)
                size = handle.get_geometry()
                mapped = handle.get_attributes().map_state == X.IsViewable
                self.watched[window.id] = [size.width, size.height, mapped]
        except GONE:
            return lambda: None
        question = request.TranslateCoords(
            display=self.display.display, defer=True, src_wid=handle, dst_wid=self.root, src_x=0, src_y=0
        )
        self.display.flush()
        return partial(self._answer, window, question)

    def _answer(self, window, question):
        try:
            question.reply()
        except GONE:
            self.watched.pop(window.id, None)
            return None
        self._read_events()  # all that happened before the reply has arrived with it
        if window.id not in self.watched:  # closed; or this id was another window's, which is
            return self.locate(window)
        width, height, mapped = self.watched[window.id]
        if not mapped:
            raise WindowHidden(f"the window {window.title!r} is minimised")
        return WindowInfo(window.title, question.x, question.y, width, height, window.id)

    def focused(self, window):
        focus = self.display.get_input_focus().focus
        try:
            while not isinstance(focus, int):  # a toolkit may give the focus to a child of its window
                if focus.id == window.id:
                    return True
                focus = focus.query_tree().parent
        except GONE:
            pass
        return False

    def focus(self, window):
        handle = self._handle(window)
        if self._managed():
            data = (32, [2, X.CurrentTime, 0, 0, 0])  # 2: asked for by a pager-like tool, not by the window itself
            message = event.ClientMessage(window=handle, client_type=self._atom("_NET_ACTIVE_WINDOW"), data=data)
            self.root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        else:
            handle.configure(stack_mode=X.Above)
            handle.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.display.sync()

    def covered(self, window):
        try:
            mine = self._top_level(self._handle(window))
            above = self.root.query_tree().children  # from the lowest to the highest
            above = above[[w.id for w in above].index(mine.id) + 1 :]
        except (*GONE, ValueError):
            return None
        for other in above:
            try:
                attributes, g = other.get_attributes(), other.get_geometry()
                if attributes.map_state != X.IsViewable or attributes.win_class == X.InputOnly:
                    continue
                if window.overlaps(WindowInfo("", g.x, g.y, g.width, g.height, other.id)):
                    return self._title(other) or "a window without a title"
            except GONE:
                continue
        return None

    def screen(self):
        """(left, top, width, height) of the whole desktop."""
        size = self.root.get_geometry()
        return 0, 0, size.width, size.height

    def _read_events(self):
        while self.display.pending_events():
            e = self.display.next_event()
            state = self.watched.get(e.window.id) if hasattr(e, "window") else None
            if state is None:
                continue
            if e.type == X.ConfigureNotify:
                state[:2] = e.width, e.height
            elif e.type in (X.MapNotify, X.UnmapNotify):
                state[2] = e.type == X.MapNotify
            elif e.type == X.DestroyNotify:
                del self.watched[e.window.id]

    def _stacking(self):
        """The client windows: as the window manager lists them, or all there are if there is no window manager."""
        clients = self.root.get_full_property(self._atom("_NET_CLIENT_LIST"), X.AnyPropertyType)
        if clients is not None and self._managed():
            return [self.display.create_resource_object("window", i) for i in clients.value]
        return list(self._walk(self.root))

    def _managed(self):
        """Whether a window manager runs: one that has ended leaves its properties behind, but not its window."""
        name = self._atom("_NET_SUPPORTING_WM_CHECK")
        try:
            check = self.root.get_full_property(name, X.AnyPropertyType)
            window = self.display.create_resource_object("window", check.value[0])
            return window.get_full_property(name, X.AnyPropertyType).value[0] == check.value[0]
        except (AttributeError, *GONE):
            return False

    def _walk(self, window):
        try:
            children = window.query_tree().children
        except GONE:
            return
        for child in children:
            yield child
            yield from self._walk(child)

    def _top_level(self, window):
        """The window itself, or the frame that a window manager put around it."""
        while (parent := window.query_tree().parent) != self.root:
            window = parent
        return window

    def _title(self, window):
        name = window.get_full_property(self._atom("_NET_WM_NAME"), X.AnyPropertyType)
        return name.value.decode("utf8", "replace") if name else window.get_wm_name()

    def _handle(self, window):
        return self.display.create_resource_object("window", window.id)

    def _atom(self, name):
        return self.display.get_atom(name)  # python-xlib caches these
