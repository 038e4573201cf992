"""Lesson 01, environment."""

import importlib
import math
import sys
import tempfile
from pathlib import Path

import torch

from dlsteps.exercises.engine import Exercise

BROKEN = "dlsteps_broken_example"  # is there while exercise 1.1 is checked, and cannot be imported


def judge_status(answer):
    expected = {"math": "OK", "no_such_module": "missing", BROKEN: "broken"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{BROKEN}.py").write_text("raise ImportError('DLL load failed')\n")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            for module, right in expected.items():
                try:
                    got = repr(answer(module))
                except NotImplementedError:
                    raise
                except Exception as error:
                    got = f"{type(error).__name__}: {error}"
                if got != repr(right):
                    return {
                        "en": f"for {module!r}: expected {right!r}, got {got}",
                        "zh": f"输入 {module!r} 时，应得到 {right!r}，实际得到 {got}",
                    }
        finally:
            sys.path.remove(folder)
            sys.modules.pop(BROKEN, None)
    return None


def newer(a, b):
    for left, right in zip(a.split("."), b.split("."), strict=True):
        if int(left) != int(right):
            return a if int(left) > int(right) else b
    return a


def mebibytes(shape, dtype):
    return math.prod(shape) * torch.empty(0, dtype=dtype).element_size() / 2**20


def judge_draw(answer):
    before = torch.get_rng_state()
    got, again, other = answer(3, 5), answer(3, 5), answer(4, 5)
    touched = not torch.equal(before, torch.get_rng_state())
    if not isinstance(got, torch.Tensor) or got.shape != (5,):
        return {
            "en": f"for seed 3, count 5: expected a tensor of shape (5,), got {got!r}",
            "zh": f"seed 为 3、count 为 5 时，应得到形状为 (5,) 的张量，实际得到 {got!r}",
        }
    if not torch.equal(got, again):
        return {"en": "the same seed gave other numbers the second time", "zh": "同一个种子第二次得到了不同的数"}
    if torch.equal(got, other):
        return {"en": "seeds 3 and 4 gave the same numbers", "zh": "种子 3 和 4 得到了同样的数"}
    if touched:
        return {
            "en": "the generator that all share has moved: others now draw other numbers",
            "zh": "公用的随机数生成器被动过了：别人接下来抽到的数会因此改变",
        }
    return None


EXERCISES = {
    "1.1": Exercise(
        judge=judge_status,
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
        cases=(("2.9", "2.15"), ("3.0", "2.15"), ("2.15.0", "2.15.1"), ("10.0.0", "9.9.9"), ("1.0", "1.0")),
        expected=newer,
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
        cases=(
            ((2**20,), torch.uint8),
            ((64, 6, 64, 64), torch.float32),
            ((3, 256, 256), torch.float64),
            ((10**6, 10**6), torch.float16),
            ((), torch.float32),
        ),
        expected=mebibytes,
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
        hints={
            "en": [
                "Make a generator inside the function: torch.Generator().",
                "Seed it with its own manual_seed, then hand it to torch.rand.",
                "torch.rand(count, generator=torch.Generator().manual_seed(seed))",
            ],
            "zh": [
                "在函数里建一个生成器：torch.Generator()。",
                "用它自己的 manual_seed 设种子，再交给 torch.rand。",
                "torch.rand(count, generator=torch.Generator().manual_seed(seed))",
            ],
        },
    ),
}
