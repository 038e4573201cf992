"""When two values count as the same, what is different about them, and how a message shows them."""

import contextlib
import math
import re
import reprlib
import sys
import types

import numpy as np

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")  # colours of a terminal, and the like


def same(got, expected):
    """Equal in type and value; floats nearly, tensors and arrays also in shape and dtype, containers item by item."""
    got, expected = plain(got), plain(expected)
    if isinstance(expected, float):
        close = isinstance(got, int | float) and math.isclose(got, expected, rel_tol=1e-5, abs_tol=1e-7)
        return close or (isinstance(got, float) and math.isnan(got) and math.isnan(expected))
    if isinstance(expected, list | tuple) and isinstance(got, type(expected)):
        return len(got) == len(expected) and all(map(same, got, expected))
    if type(got) is not type(expected):
        return False
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(same(got[key], expected[key]) for key in expected)
    if is_block(expected):
        return got.shape == expected.shape and got.dtype == expected.dtype and _close(got, expected)
    return bool(got == expected)


def unchanged(before, after):
    """Whether arguments are as they were; an object that cannot be compared is taken to be."""
    if isinstance(before, list | tuple) and type(before) is type(after) and len(before) == len(after):
        return all(map(unchanged, before, after))
    return type(before).__eq__ is object.__eq__ or same(after, before)


def difference(got, expected):
    """The name of a common difference, with the facts that its message needs; ("", {}) if there is none."""
    got, expected = plain(got), plain(expected)
    if got is None:
        return "no return", {}
    if is_block(expected) and type(got) is type(expected):
        for name in ("shape", "dtype"):
            if getattr(got, name) != getattr(expected, name):
                facts = {"mine": show(getattr(got, name)), "asked": show(getattr(expected, name))}
                return name, facts
    if isinstance(expected, list | tuple) and isinstance(got, type(expected)) and len(got) == len(expected):
        differing = [pair for pair in zip(got, expected, strict=True) if not same(*pair)]
        return difference(*differing[0]) if differing and differing[0][0] is not None else ("", {})
    number_will_do = isinstance(expected, float) and type(got) is int
    if type(got) is not type(expected) and expected is not None and not number_will_do:
        return "type", {"mine": type(got).__name__, "asked": type(expected).__name__}
    return "", {}


def plain(value):
    """NumPy's single numbers as Python's, also in a list or tuple."""
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def is_block(value):
    """Whether it is a NumPy array or a tensor; torch is not imported for that."""
    torch = sys.modules.get("torch")
    return isinstance(value, np.ndarray) or (torch is not None and isinstance(value, torch.Tensor))


def _close(got, expected):
    if isinstance(expected, np.ndarray):
        if np.issubdtype(expected.dtype, np.inexact):
            return bool(np.allclose(got, expected, 1e-5, 1e-7, equal_nan=True))
        return bool(np.array_equal(got, expected))
    got, expected = got.detach().cpu(), expected.detach().cpu()
    if expected.is_floating_point() or expected.is_complex():
        return bool(got.allclose(expected, 1e-5, 1e-7, equal_nan=True))
    return bool(got.equal(expected))


class Shown(str):
    """A text that a message shows without quotes."""

    __repr__ = str.__str__


class _Short(reprlib.Repr):
    """A repr of bounded length, the same on every machine: no addresses."""

    def repr_str(self, value, level):
        return shorten(repr(value))

    def repr_instance(self, value, level):
        if is_block(value):
            return _show_block(value)
        if callable(value) or isinstance(value, types.ModuleType) or type(value).__repr__ is object.__repr__:
            return f"a {type(value).__name__} {getattr(value, '__name__', '')}".rstrip()
        return shorten(ADDRESS.sub("", repr(value)))


def _show_block(value):
    kind = "array" if isinstance(value, np.ndarray) else "tensor"
    if math.prod(value.shape) > 12:
        return f"{kind} of shape {tuple(value.shape)}"
    if kind == "tensor":
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() else value).numpy()  # NumPy has no bfloat16
    return f"{kind}({shorten(np.array2string(value, precision=4, separator=', '))})"


def shorten(text, limit=200):
    """One line that can be printed and written anywhere, and is not long."""
    text = " ".join(CONTROL.sub("", text).split()).encode("utf8", "backslashreplace").decode("utf8")
    return text if len(text) <= limit else f"{text[: limit - 30]} … {text[-20:]}"


_short = _Short()
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 20
_short.maxlong = 100


def show(value):
    """A value as a message shows it: one short line, the same on every machine, whatever its own repr does."""
    with contextlib.suppress(Exception):
        return _short.repr(value)
    return f"a {type(value).__name__}"


def show_error(error):
    """An exception as a message shows it: its type, and the first line that it says."""
    said = ""
    with contextlib.suppress(Exception):
        said = next((line for line in str(error).splitlines() if line.strip()), "")
    return shorten(f"{type(error).__name__}: {said}" if said else type(error).__name__)
