"""Lesson 01, environment."""

import contextlib
import importlib
import itertools
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong

BROKEN = {  # modules that are there while exercise 1.1 is checked, and cannot be imported
    "dlsteps_broken_library": "raise ImportError('DLL load failed')",
    "dlsteps_broken_code": "1 / 0",
}


@contextlib.contextmanager
def broken_modules():
    """Make the modules of `BROKEN`, and leave no trace of them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in BROKEN.items():
            Path(folder, f"{name}.py").write_text(source)
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in BROKEN:
                sys.modules.pop(name, None)


def judge_status(probe):
    with broken_modules():
        probe.expect("OK", "math", idea="OK")
        probe.expect("missing", "no_such_module", idea="missing")
        for name in BROKEN:
            probe.expect("broken", name, idea="broken")
        probe.expect("OK", "json.decoder", idea="OK")


def newer(a, b):
    """Compare part by part, as numbers."""
    for left, right in zip(a.split("."), b.split("."), strict=True):
        if int(left) > int(right):
            return a
        if int(left) < int(right):
            return b
    return a


def version_cases(random):
    yield Case(("2.9", "2.15"), "numbers")
    yield Case(("3.0", "2.15"), "first part")
    yield Case(("2.15.0", "2.15.1"), "last part")
    yield Case(("2.15.1", "2.15.0"), "last part")
    yield Case(("9.120", "9.99"), "numbers")
    yield Case(("10.0.0", "9.9.9"), "first part")
    yield Case(("1.2", "1.10"), "numbers")
    yield Case(("1.0", "1.0"))
    for _ in range(10):
        yield Case(tuple(".".join(str(random.randint(0, 30)) for _ in range(3)) for _ in "ab"), "first part")


def mebibytes(shape, dtype):
    """The bytes of one number, as often as there are numbers."""
    size = torch.empty(1, dtype=dtype).element_size()
    for length in shape:
        size *= length
    return size / 1024 / 1024


def tensor_cases(random):
    yield Case(((2**20,), torch.uint8), "MiB")
    yield Case(((2**19,), torch.uint8), "fraction")
    yield Case(((2**20,), torch.float32), "itemsize")
    yield Case(((64, 6, 64, 64), torch.float32), "product")
    yield Case(((3, 256, 256), torch.float64), "itemsize")
    yield Case(((), torch.float32), "no axes")
    yield Case(((10**6, 10**6), torch.float32), "compute")
    yield Case(((128, 1024), torch.float16), "itemsize")
    for _ in range(5):
        dtype = random.choice([torch.int16, torch.float32, torch.complex64])
        yield Case(((random.randint(1, 99), random.randint(1, 99)), dtype), "product")


def judge_draw(probe):
    before = shared_states()
    draws = {seed: probe(seed, 5) for seed in (3, 4, 5, 103)}
    again, many = probe(3, 5), probe(6, 4000)
    if shared_states() != before:
        raise Wrong("shared")
    for seed, got in draws.items():
        if not isinstance(got, torch.Tensor) or got.shape != (5,) or got.dtype != torch.float32:
            raise Wrong("tensor", case=(seed, 5), got=got)
    if not torch.equal(draws[3], again):
        raise Wrong("repeatable")
    for one, other in itertools.combinations(draws, 2):
        if torch.equal(draws[one], draws[other]):
            raise Wrong("seed", one=one, other=other)
    if not 0 <= many.min() < 0.01 < 0.99 < many.max() < 1 or abs(many.mean() - 0.5) > 0.05:
        raise Wrong("from 0 to 1", case=(6, 4000))


def shared_states():
    """Where the generators are that a whole program shares: torch's, NumPy's and Python's."""
    state = np.random.get_state()  # noqa: NPY002 (the one that all share)
    return torch.get_rng_state().tolist(), state[1].tolist(), state[2], random.getstate()


EXERCISES = {
    "1.1": Exercise(
        judge=judge_status,
        ideas={
            "OK": {"en": "a module that can be imported is OK", "zh": "能导入的模块就是 OK"},
            "missing": {
                "en": "where there is no such module, the import raises ModuleNotFoundError",
                "zh": "模块不存在时，导入会抛出 ModuleNotFoundError",
            },
            "broken": {
                "en": "a module that is there can fail in any way, not only with ImportError",
                "zh": "存在的模块也可能以任何方式出错，不只是 ImportError",
            },
        },
        hints={
            "en": [
                "importlib.import_module(module) imports a module by its name. What happens where it cannot?",
                "Two except clauses: the special case first, then Exception.",
                'try: importlib.import_module(module) … except ModuleNotFoundError: return "missing" … except Exception: …',
            ],
            "zh": [
                "importlib.import_module(module) 按名字导入模块。导入不了的时候会发生什么？",
                "写两个 except：先写特殊的情况，再写 Exception。",
                'try: importlib.import_module(module) … except ModuleNotFoundError: return "missing" … except Exception: …',
            ],
        },
    ),
    "1.2": Exercise(
        cases=version_cases,
        expected=newer,
        ideas={
            "numbers": {
                "en": "the parts are numbers: 15 is more than 9, whatever their letters say",
                "zh": "各部分是数：15 比 9 大，不能按字符比较",
            },
            "first part": {
                "en": "the first part that differs decides; those after it do not matter",
                "zh": "由第一个不同的部分决定大小，后面的不再重要",
            },
            "last part": {
                "en": "where the first parts are equal, the next one decides",
                "zh": "前面的部分相同时，由下一部分决定",
            },
        },
        hints={
            "en": [
                'Compare numbers, not letters: "2.15".split(".") gives the parts.',
                "Python compares lists item by item: [2, 15] > [2, 9].",
                'key = lambda version: [int(part) for part in version.split(".")]; then max(a, b, key=key)',
            ],
            "zh": [
                '要比较的是数，不是字符："2.15".split(".") 可以拆出各部分。',
                "Python 逐项比较列表：[2, 15] > [2, 9]。",
                'key = lambda version: [int(part) for part in version.split(".")]，再用 max(a, b, key=key)',
            ],
        },
    ),
    "1.3": Exercise(
        cases=tensor_cases,
        expected=mebibytes,
        ideas={
            "MiB": {"en": "one MiB is 2**20 bytes", "zh": "1 MiB 是 2**20 字节"},
            "fraction": {
                "en": "half a MiB is 0.5: the answer is a number with a fraction",
                "zh": "半个 MiB 是 0.5：答案可以带小数",
            },
            "itemsize": {
                "en": "the dtype says how many bytes one number takes",
                "zh": "每个数占几个字节，由 dtype 决定",
            },
            "product": {
                "en": "a tensor holds as many numbers as the lengths of its axes multiplied",
                "zh": "张量里数的个数，是各轴长度的乘积",
            },
            "no axes": {"en": "a tensor without axes holds one number", "zh": "没有轴的张量里正好有一个数"},
            "compute": {
                "en": "a tensor this large cannot be created; compute its size",
                "zh": "这么大的张量建不出来，它的大小要靠计算",
            },
        },
        hints={
            "en": [
                "How many numbers are in a tensor of shape (2, 3, 4)? And how many bytes does one of them take?",
                "math.prod(shape) multiplies; torch.float32.itemsize is 4.",
                "math.prod(shape) * dtype.itemsize / 2**20",
            ],
            "zh": [
                "形状为 (2, 3, 4) 的张量里有多少个数？每个数占几个字节？",
                "math.prod(shape) 求连乘；torch.float32.itemsize 是 4。",
                "math.prod(shape) * dtype.itemsize / 2**20",
            ],
        },
    ),
    "1.4": Exercise(
        judge=judge_draw,
        ideas={
            "shared": {
                "en": "the generator that all share has moved: others now draw other numbers",
                "zh": "公用的随机数生成器被动过了：别处接下来抽到的数会因此改变",
            },
            "tensor": {
                "en": "for {case}: expected a float32 tensor of shape (5,), got {got}",
                "zh": "输入 {case} 时，应得到形状为 (5,)、类型为 float32 的张量，实际得到 {got}",
            },
            "repeatable": {
                "en": "the same seed gave other numbers the second time",
                "zh": "同一个种子第二次得到了不同的数",
            },
            "seed": {
                "en": "seeds {one} and {other} gave the same numbers",
                "zh": "种子 {one} 和 {other} 得到了同样的数",
            },
            "from 0 to 1": {
                "en": "for {case}: the numbers are not spread evenly from 0 to 1, as those of torch.rand are",
                "zh": "输入 {case} 时，得到的数没有像 torch.rand 那样均匀分布在 0 到 1 之间",
            },
        },
        hints={
            "en": [
                "Make a generator inside the function: torch.Generator().",
                "Seed it with its own manual_seed, then hand it to torch.rand.",
                "torch.rand(count, generator=torch.Generator().manual_seed(seed))",
            ],
            "zh": [
                "在函数里建一个随机数生成器：torch.Generator()。",
                "用它自己的 manual_seed 设种子，再交给 torch.rand。",
                "torch.rand(count, generator=torch.Generator().manual_seed(seed))",
            ],
        },
    ),
}

QUIZZES = {
    "1.a": Quiz(
        right="c",
        why={
            "en": {
                "a": "one seed each: the difference may be nothing but chance",
                "b": "the same seed makes a run repeatable; it does not make one seed enough to compare by",
                "c": "only against the spread between seeds can you see whether 0.02 is much or little",
            },
            "zh": {
                "a": "前后各只跑了一个种子：这点差别可能只是运气",
                "b": "种子相同，只是让训练可以复现，并不说明只跑一个种子就足以比较",
                "c": "要和不同种子之间的离散程度相比，才看得出 0.02 是大还是小",
            },
        },
    ),
}
