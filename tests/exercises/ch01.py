"""Answers to the exercises of lesson 01."""

import importlib
import importlib.util
import math

import numpy as np
import torch


def ask_for_the_spec(module):
    try:
        if importlib.util.find_spec(module) is None:
            return "missing"
        importlib.import_module(module)
    except Exception:
        return "broken"
    return "OK"


def use_import(module):
    try:
        __import__(module)
        return "OK"
    except BaseException as error:
        return "missing" if type(error) is ModuleNotFoundError else "broken"


def find_only(module):
    return "missing" if importlib.util.find_spec(module) is None else "OK"


def catch_import_errors_only(module):
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        return "missing"
    except ImportError:
        return "broken"
    return "OK"


def catch_exception_first(module):
    try:
        importlib.import_module(module)
    except Exception:
        return "broken"
    except ModuleNotFoundError:  # never reached
        return "missing"
    return "OK"


def return_the_error(module):
    try:
        importlib.import_module(module)
    except Exception as error:
        return error
    return "OK"


def import_the_name(module):
    try:
        import module  # noqa: F401
    except ModuleNotFoundError:
        return "missing"
    return "OK"


def by_tuples(a, b):
    return a if tuple(map(int, a.split("."))) >= tuple(map(int, b.split("."))) else b


def by_padding(a, b):
    return max(a, b, key=lambda version: ".".join(part.zfill(9) for part in version.split(".")))


def by_any_part(a, b):
    return a if any(int(left) > int(right) for left, right in zip(a.split("."), b.split("."), strict=True)) else b


def by_last_part(a, b):
    return max(a, b, key=lambda version: int(version.split(".")[-1]))


def equal_so_far(a, b):
    first, second = ([int(part) for part in version.split(".")][:2] for version in (a, b))
    return a if first > second else b


def as_numbers(a, b):
    return max([int(part) for part in a.split(".")], [int(part) for part in b.split(".")])


def multiply(shape, dtype):
    return math.prod(shape) * dtype.itemsize / 2**20


def without_storage(shape, dtype):
    tensor = torch.empty(shape, dtype=dtype, device="meta")
    return tensor.numel() * tensor.element_size() / (1024 * 1024)


def fork_the_generator(seed, count):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.rand(count)


def from_numpy(seed, count):
    return torch.from_numpy(np.random.default_rng(seed).random(count)).float()


def seed_numpy(seed, count):
    np.random.seed(seed)
    return torch.tensor(np.random.rand(count)).float()


def seed_by_chance(seed, count):
    generator = torch.Generator()
    generator.seed()
    return torch.rand(count, generator=generator)


def generator(seed):
    return torch.Generator().manual_seed(seed)


shared = torch.Generator().manual_seed(0)

RIGHT = {
    "1.1": [ask_for_the_spec, use_import],
    "1.2": [by_tuples, by_padding],
    "1.3": [multiply, without_storage],
    "1.4": [
        fork_the_generator,
        from_numpy,
        lambda seed, count: torch.empty(count).uniform_(generator=generator(seed + 1)),
    ],
}
WRONG = {
    "1.1": [
        ("everything is there", lambda module: "OK", "missing"),
        ("the error is let through", lambda module: importlib.import_module(module) and "OK", "missing"),
        ("being there is enough", find_only, "broken"),
        ("only ImportError is expected", catch_import_errors_only, "broken"),
        ("the general case comes first", catch_exception_first, "missing"),
        ("the error itself is returned", return_the_error, "type"),
        ("the module called 'module' is imported", import_the_name, "OK"),
        ("the words are written otherwise", lambda module: use_import(module).upper(), "missing"),
    ],
    "1.2": [
        ("texts are compared", max, "numbers"),
        ("they are read as fractions", lambda a, b: a if float(a) > float(b) else b, "numbers"),
        ("the second one is always newer", lambda a, b: b, "first part"),
        ("the longer text wins", lambda a, b: max(a, b, key=len), "first part"),
        ("one larger part is enough", by_any_part, "first part"),
        ("only the last part counts", by_last_part, "first part"),
        ("the first part is left out", lambda a, b: max(a, b, key=lambda v: v.split(".")[1:]), "numbers"),
        ("the older one is returned", lambda a, b: min(a, b, key=lambda v: [*map(int, v.split("."))]), "numbers"),
        ("where two parts are equal, the second version is newer", equal_so_far, "last part"),
        ("parts have two digits", lambda a, b: max(a, b, key=lambda v: [p.zfill(2) for p in v.split(".")]), "numbers"),
        ("two parts are enough", lambda a, b: max(a, b, key=lambda v: [*map(int, v.split(".")[:2])]), "last part"),
        ("the parts are returned", as_numbers, "type"),
    ],
    "1.3": [
        ("the numbers are counted, not the bytes", lambda s, d: float(math.prod(s)), "MiB"),
        ("every number takes four bytes", lambda s, d: math.prod(s) * 4 / 2**20, "MiB"),
        ("a mega is a million", lambda s, d: math.prod(s) * d.itemsize / 10**6, "MiB"),
        ("the lengths are added", lambda s, d: sum(s) * d.itemsize / 2**20, "product"),
        ("whole MiB only", lambda s, d: math.prod(s) * d.itemsize // 2**20, "fraction"),
        ("only the first axis counts", lambda s, d: s[0] * d.itemsize / 2**20, "product"),
        ("it tries instead of computing", lambda s, d: torch.empty(s, dtype=d).numel() * d.itemsize / 2**20, "compute"),
        ("every number is one byte", lambda s, d: math.prod(s) / 2**20, "itemsize"),
        ("a tensor without axes is empty", lambda s, d: math.prod(s or [0]) * d.itemsize / 2**20, "no axes"),
        ("bits are counted", lambda s, d: math.prod(s) * d.itemsize * 8 / 2**20, "MiB"),
    ],
    "1.4": [
        ("the shared generator is seeded", lambda s, n: torch.manual_seed(s) and torch.rand(n), "shared"),
        ("the shared generator is drawn from", lambda s, n: (torch.rand(1), torch.rand(n, generator=generator(s)))[1], "shared"),
        ("NumPy's shared generator is seeded", seed_numpy, "shared"),
        ("the numbers have another type", lambda s, n: torch.rand(n, generator=generator(s)).double(), "tensor"),
        ("only a part of the seed is used", lambda s, n: torch.rand(n, generator=generator(s % 100)), "seed"),
        ("the seed is not used", lambda s, n: torch.rand(n, generator=torch.Generator().manual_seed(0)), "seed"),
        ("one generator serves all calls", lambda s, n: torch.rand(n, generator=shared), "repeatable"),
        ("it is seeded by chance", seed_by_chance, "repeatable"),
        ("other numbers are drawn", lambda s, n: torch.randn(n, generator=generator(s)), "from 0 to 1"),
        ("a list is returned", lambda s, n: [0.5] * n, "tensor"),
        ("it has one axis too many", lambda s, n: torch.rand(n, 1, generator=generator(s)), "tensor"),
        ("the seed is given as a device", lambda s, n: torch.rand(n, generator=torch.Generator(s)), "raised"),
    ],
}  # fmt: skip
EQUIVALENT = {
    "1.2": {
        "return max(a, b, key=lambda version: [int(number) for number in version.split('.')]) -> "
        "return max(b, a, key=lambda version: [int(number) for number in version.split('.')])": (
            "the larger of two does not depend on their order"
        ),
    },
}
