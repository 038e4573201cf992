"""Lesson 12, saving and loading."""

import contextlib
import copy
import io
import os
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch
from torch import nn

from dlsteps.exercises.compare import Shown, show, show_error
from dlsteps.exercises.exercise import Case, Exercise, Quiz, Wrong
from dlsteps.exercises.guard import TooLong


def lacking(checkpoint):
    """First what is there, then each of the four names, in the order of the alphabet."""
    there = [name for name, value in checkpoint.items() if value is not None]
    return [name for name in ("epoch", "model", "optimizer", "random") if there.count(name) == 0]


WHOLE = {"model": 1, "optimizer": 2, "random": 3, "epoch": 4}


def checkpoint_cases(random):
    def case(idea, **changed):
        return Case((WHOLE | changed,), idea)

    yield case("whole")
    for name in WHOLE:
        yield Case(({key: value for key, value in WHOLE.items() if key != name},), "lacking")
    yield case("zero", epoch=0)
    for name in WHOLE:
        yield case("None", **{name: None})
    yield case("empty", optimizer={})
    yield case("empty", model={})
    yield case("tensor", random=torch.tensor([1, 2]))
    yield case("tensor", random=torch.tensor([0, 0]))
    yield case("tensor", random=torch.tensor(0))
    yield case("others", scheduler=None)
    yield case("others", history={}, note=None, step=0)
    yield Case(({"random": 3, "epoch": 4},), "sorted")
    yield Case(({"model": None, "scheduler": 1, "epoch": 0},), "sorted")
    yield Case(({},), "sorted")
    yield Case((dict.fromkeys(WHOLE),), "sorted")
    for _ in range(5):
        names = random.sample([*WHOLE, "scheduler", "history"], random.randint(1, 5))
        yield Case(({name: random.choice([None, 0, 7, {}]) for name in names},), "sorted")


class Pair:
    """Two modules, made by some code, which is what a message shows."""

    def __init__(self, code):
        self.code, names = code, {"nn": nn, "deepcopy": copy.deepcopy}
        exec(code, names)
        self.a, self.b = names["a"], names["b"]

    def __repr__(self):
        return self.code

    def __eq__(self, other):
        return self.look() == other.look()

    __hash__ = None

    def look(self):
        """What an answer could change."""
        values = [*self.a.state_dict().items(), *self.b.state_dict().items()]
        return [(name, value.tolist()) for name, value in values], find_shared(self)


def find_shared(pair):
    """Each with each: is it the same object?"""
    names = []
    for name, mine in pair.a.named_parameters():
        for theirs in pair.b.parameters():
            if mine is theirs:
                names.append(name)
    return sorted(names)


ONE = "nn.Linear(1, 1, bias=False)"
PAIRS = (  # code, and the idea that is missing if an answer fails just there
    (f"a = {ONE}; b = a", "same"),
    (f"a = {ONE}; b = {ONE}", "names"),
    (f"a = {ONE}; b = deepcopy(a)", "equal"),
    ("a = nn.Linear(2, 3); b = deepcopy(a)", "equal"),
    ("a = nn.Linear(2, 3); b = nn.Linear(3, 2)", "equal"),
    (f"a = {ONE}; b = nn.Sequential(a)", "any name"),
    (f"b = {ONE}; a = nn.Sequential(b)", "any name"),
    (f"a = {ONE}; b = nn.Module(); b.scale = a.weight", "any name"),
    (f"a = {ONE}; b = nn.Sequential({ONE}, a)", "any name"),
    ("a = nn.Linear(1, 1); b = nn.Linear(1, 1); b.weight = a.weight", "each"),
    ("a = nn.Linear(1, 1); b = nn.Linear(1, 1); b.bias = a.bias", "each"),
    ("a = nn.Linear(2, 2, bias=False).requires_grad_(False); b = a", "frozen"),
    ("a = nn.ReLU(); b = nn.Linear(1, 1)", "none"),
    ("a = nn.Linear(1, 1); b = nn.ReLU()", "none"),
    ("a = nn.BatchNorm1d(2, affine=False); b = a", "buffers"),
    ("a = nn.BatchNorm1d(1); b = nn.BatchNorm1d(1); b.running_mean = a.running_mean", "buffers"),
    (f"a = nn.Sequential(nn.Sequential({ONE}), nn.ReLU()); b = nn.Sequential(a[0][0])", "inside"),
    (f"a = {ONE}; b = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Sequential(a)))", "inside"),
    ("a = nn.Linear(2, 2); b = a", "sorted"),
    ("a = nn.BatchNorm1d(2); b = a", "sorted"),
    (f"a = nn.Sequential(*({ONE} for _ in range(11))); b = nn.Sequential(a[10], a[2])", "sorted"),
    ("a = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2)); b = nn.Sequential(a[1], deepcopy(a[0]))", "sorted"),
)


def judge_shared(probe):
    """What a message shows is the code of a pair, what the answer gets are the modules."""
    answer = probe.answer
    probe.answer = lambda pair: answer(pair.a, pair.b)
    for code, idea in PAIRS:
        probe.expect(find_shared(Pair(code)), Pair(code), idea=idea)


class Watch:
    """Looks at a file each time that the code of this thread calls something or returns: as a profiler does.

    `odd` is what was there, if not one of `allowed`, and whether all pieces had been given by then. It cannot see what
    changes and changes back within one call into C, nor what another thread does.
    """

    def __init__(self, path, allowed):
        self.path, self.allowed, self.given, self.odd = path, allowed, False, []

    def __enter__(self):
        self.before = sys.getprofile()
        sys.setprofile(self.look)
        return self

    def __exit__(self, *_):
        sys.setprofile(self.before)

    def look(self, *_):
        there = content(self.path)
        if there not in self.allowed:
            self.odd.append((there, self.given))

    def give(self, parts):
        """The pieces, one after the other; an error among them is raised."""
        for piece in parts:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
        self.given = True


def content(path):
    """What is in a file; None if there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def write_cases():
    """The old file, None if there is none; the pieces, an error among them; and the idea that is missing."""
    yield b"old", [b"new"], "pieces"
    yield None, [b"new"], "first time"
    yield b"old", [b"ne", b"w"], "pieces"
    yield b"much longer", [b"n", b"", b"ew"], "pieces"
    yield b"old", [b"a\n", b"b\r\n", b"\x00\xff"], "pieces"
    for kind in (ValueError, KeyboardInterrupt):  # each time a new one: an error keeps all that it has passed alive
        yield b"old", [b"n", kind("cut")], "passed on"
        yield b"old", [kind("cut")], "passed on"
        yield None, [b"n", kind("cut")], "passed on"


def judge_write(probe):
    """All in one folder: an answer that leaves it in disorder is wrong, and the first to be so ends it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.chdir(home):
        path, notes = Path("runs", "run.pt"), Path("runs", "notes.txt")
        path.parent.mkdir()
        notes.write_bytes(b"mine")
        for number, (old, parts, idea) in enumerate(write_cases()):
            probe.idea = idea if number else ""  # an answer that fails at once may lack anything
            put(path, old)
            judge_moments(probe, path, parts)
            judge_rest(probe, {path, notes}, notes, parts[-1])


def put(path, data):
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)


def judge_moments(probe, path, parts):
    """Let the answer write; look at the error that comes back, at what is in the file, and what was at each moment."""
    old, error = content(path), parts[-1] if isinstance(parts[-1], BaseException) else None
    new = old if error else b"".join(parts)
    shown = [Shown(parts)] if old is None else [Shown(parts), Shown(f"run.pt = {old}")]
    probe.facts = {"case": tuple(shown), "expected": error or new}
    watch = Watch(path.absolute(), (old, new))
    run_watched(probe, watch, parts, path, error)
    judge_content(probe, watch, new, error)


def run_watched(probe, watch, parts, path, error):
    """Run the answer; raise `Wrong` unless it passes on `error`, if there is one."""
    try:
        with contextlib.chdir("."), watch:  # the next one begins here again
            probe.answer(watch.give(parts), path)
    except TooLong:
        raise
    except BaseException as raised:
        if error is None:
            raise
        if raised is not error:
            raise Wrong("passed on", **probe.facts, error=show_error(raised)) from None
    else:
        if error is not None:
            raise Wrong("passed on", **probe.facts, got=None)


def judge_content(probe, watch, new, error):
    case, got = probe.facts["case"], content(watch.path)
    if got != new:
        raise Wrong("as it was" if error else "pieces", case=case, expected=new, got=got)
    if watch.odd:
        there, given = watch.odd[0]
        idea = "gap" if there is None else "swap" if given else "beside"
        raise Wrong(idea, case=case, there=show(there))


def judge_rest(probe, known, notes, error):
    left = sorted(path.name for path in Path().rglob("*") if path.is_file() and path not in known)
    if left:
        idea = "interrupt" if isinstance(error, KeyboardInterrupt) else "leftover"
        raise Wrong(idea, case=probe.facts["case"], left=", ".join(left))
    if content(notes) != b"mine":
        raise Wrong("others", case=probe.facts["case"])


RAN = []  # not empty once the code in a stranger's file has run


class Stranger:
    """Saved in a file, it makes whoever loads that file without care call `run_code`; which is harmless."""

    def __reduce__(self):
        return run_code, ()

    def __repr__(self):
        return "Stranger()"


def run_code():
    RAN.append(True)


class File(NamedTuple):
    name: str
    shown: object
    data: bytes


def saved(name, value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return File(name, value, buffer.getvalue())


def cut_off(name, value):
    data = saved(name, value).data
    return File(name, Shown("b'PK…'"), data[: len(data) // 2])


def plain(name, data):
    return File(name, data, data)


class Folder:
    """Files, for a message; `write` puts them on the disk, each a second later than the one before."""

    def __init__(self, files):
        self.files = files

    def __repr__(self):
        return "; ".join(f"{file.name}: {file.shown!r}" for file in self.files) or "(0 files)"

    def __deepcopy__(self, memo):
        return self

    def write(self, folder):
        for path in folder.iterdir():
            path.unlink()
        for seconds, file in enumerate(self.files, 10**9):
            (folder / file.name).write_bytes(file.data)
            os.utime(folder / file.name, (seconds, seconds))

    def ask(self, answer, folder):
        """What the answer returns for this folder, if it runs no strange code and leaves the files alone."""
        self.write(folder)
        RAN.clear()
        try:
            with contextlib.chdir("."):  # the next one begins here again
                got = answer(folder)
        finally:
            if RAN:
                raise Wrong("weights_only", case=(self,))
        if {path.name: path.read_bytes() for path in folder.iterdir()} != {file.name: file.data for file in self.files}:
            raise Wrong("left alone", case=(self,))
        return got


def folder_cases():
    """The idea that is missing, what is in the folder, and what is the newest there."""

    def of(epoch, **more):
        return {"epoch": epoch, **more}

    def run(*epochs):
        return [saved(f"epoch_{epoch}.pt", of(epoch)) for epoch in epochs]

    strange = saved("strange.pt", of(9, model=Stranger()))
    yield "none", [], None
    yield "read", run(1), of(1)
    yield "read", [saved("last.pt", of(2, model={"weight": torch.ones(2)}))], of(2, model={"weight": torch.ones(2)})
    yield "zero", run(0), of(0)
    yield "epoch", run(1, 2), of(2)
    yield "epoch", run(2, 1), of(2)
    yield "epoch", [saved("a.pt", of(3)), saved("b.pt", of(2)), saved("c.pt", of(1, model=torch.ones(9)))], of(3)
    yield "number", run(10, 9), of(10)
    yield "number", run(9, 10), of(10)
    yield "number", [saved("run_2.pt", of(100)), saved("run_10.pt", of(20)), saved("run_9.pt", of(9))], of(100)
    yield "only pt", [saved("last.txt", of(3)), *run(1)], of(1)
    yield "only pt", [saved("last.pt.part", of(3)), *run(1)], of(1)
    yield "refused", [strange], None
    yield "refused", [*run(1), strange], of(1)
    yield "damaged", [cut_off("cut.pt", of(3))], None
    yield "damaged", [*run(1, 2), cut_off("cut.pt", of(3))], of(2)
    yield "damaged", [cut_off("a.pt", of(3)), *run(2, 1)], of(2)
    yield "damaged", [plain("empty.pt", b"")], None
    yield "damaged", [plain("notes.pt", b"epoch 9"), *run(3)], of(3)
    yield "key", [saved("weights.pt", {"model": 1})], None
    yield "key", [*run(4), saved("weights.pt", {"model": torch.ones(2)})], of(4)
    yield "dictionary", [saved("tensor.pt", torch.ones(2)), *run(4)], of(4)
    yield "dictionary", [saved("list.pt", ["epoch", 9])], None
    yield "dictionary", [saved("text.pt", "epoch 9"), *run(4), saved("number.pt", 9)], of(4)
    yield "damaged", [plain("a.pt", b""), *run(8, 11), saved("b.pt", [1]), cut_off("c.pt", of(12)), strange], of(11)


def judge_newest(probe):
    """What a message shows is what the files hold, what the answer gets is the folder."""
    answer, folder = probe.answer, Path("runs")
    probe.answer = lambda case: case.ask(answer, folder)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.chdir(home):
        folder.mkdir()
        for idea, files, newest in folder_cases():
            probe.expect(newest, Folder(files), idea=idea)


def nodes(value, way=()):
    """{the way to each thing in a checkpoint: what is there, without what is inside it}"""
    if isinstance(value, torch.Tensor):
        return {way: (value.dtype, value.shape, value.tolist())}
    if not isinstance(value, dict | list):
        return {way: (type(value), value)}
    there = {way: (type(value),)}
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        there |= nodes(inner, (*way, key))
    return there


def compare_nodes(a, b):
    """Lay both out flat, take what is not in both; then leave out what lies below another such place."""
    a, b = nodes(a), nodes(b)
    ways = {way for way in {*a, *b} if a.get(way) != b.get(way)}
    highest = [way for way in ways if not any(way[:i] in ways for i in range(len(way)))]
    return sorted(".".join(map(str, way)) for way in highest)


ADAM = {"step": 3, "exp_avg": torch.tensor([0.5, 2.0])}
STATE = {
    "model": {"weight": torch.ones(2)},
    "optimizer": {"state": {0: ADAM}, "param_groups": [{"lr": 0.1}]},
    "epoch": 3,
}


def changed(value, way, new):
    """A copy of a checkpoint with another thing at the end of a way."""
    if not way:
        return new
    value = value.copy()
    value[way[0]] = changed(value[way[0]], way[1:], new)
    return value


t = torch.tensor
DIFFERENCES = (  # the idea that is missing, and two things to compare
    ("values", 1, 1), ("values", 1, 2), ("values", "a", "a"), ("values", None, None), ("kind", 1, "1"),
    ("keys", {"epoch": 1}, {"epoch": 1}), ("keys", {"epoch": 1}, {"epoch": 2}), ("one side", {"epoch": 1}, {}),
    ("one side", {}, {"epoch": 1}), ("None", {"best": None}, {}), ("None", {}, {"best": None}),
    ("order", {"a": 1, "b": 2}, {"b": 2, "a": 1}), ("kind", [1], {0: 1}), ("positions", [1], [1]), ("positions", [1], [2]),
    ("positions", [1, 2], [1, 3]), ("length", [1], []), ("length", [1], [1, 2]), ("length", [1, 2, 3], [1, 2]),
    ("length", [None], []), ("length", [], [None]), ("tensors", t([1.0, 2.0]), t([1.0, 2.0])),
    ("tensors", t([1.0, 2.0]), t([1.0, 3.0])), ("tensors", t([1.0, 2.0]), t([2.0, 1.0])),
    ("tensors", t([1.0, 2.0]), t([3.0, 4.0])), ("shape", t([1.0]), t([1.0, 1.0])),
    ("shape", t([1.0, 1.0]), t([[1.0, 1.0]])), ("shape", t([1.0, 2.0]), t([1.0, 2.0, 3.0])), ("shape", t([]), t([0.0])),
    ("dtype", t([1]), t([1.0])), ("dtype", t([1.0]), t([1.0]).double()), ("exact", t([1000.0]), t([1000.005])),
    ("exact", 0.3, 0.1 + 0.2), ("empty", {}, {}), ("empty", [], []), ("empty", {}, []), ("empty", [], {}),
    ("empty", {"a": {}}, {}), ("empty", {"a": {}}, {"a": []}), ("empty", {"a": {}}, {"a": None}), ("kind", None, 0),
    ("kind", {"a": [1]}, {"a": 1}), ("kind", t([1.0]), [1.0]), ("kind", {"a": t(1)}, {"a": None}),
    ("inside", {"a": {"b": 1}}, {"a": {"b": 1}}), ("inside", {"a": [t([1, 2])]}, {"a": [t([1, 2])]}),
    ("place", {"a": {"b": 1}}, {"a": {"b": 2}}), ("place", {"a": [1, 2]}, {"a": [1, 3]}),
    ("place", [{"a": 1}], [{"a": 2}]), ("place", [[1]], [[2]]), ("place", {0: {"a": 1}}, {0: {"a": 2}}),
    ("place", {"a": {"b": 1}}, {"a": {}}), ("below", {"a": {"b": 1, "c": 2}}, {}), ("below", [], [[1, 2]]),
    ("below", {"a": {"b": 1}}, {"a": [1]}), ("all", {"a": 1, "b": 2}, {"a": 2, "b": 3}),
    ("all", [1, {"a": 2}], [2, {"a": 3}]), ("positions", [2, 1], [1, 2]), ("sorted", {"a": 1}, {"c": 1, "b": 2, "a": 2}),
    ("sorted", {"b": 1, "a": 2, "c": 3}, {"b": 2, "a": 1}), ("sorted", [0] * 12, [*range(11)]),
    ("place", {"a": [{"b": [{"c": {"d": 1}}]}]}, {"a": [{"b": [{"c": {"d": 2}}]}]}),
)  # fmt: skip


def judge_different(probe):
    """As ever; but where a list in the def line has been filled, that is what is wrong, whatever else is."""
    try:
        for idea, a, b in (*DIFFERENCES, *state_cases(Random(12))):
            probe.expect(compare_nodes(a, b), a, b, idea=idea)
    except Wrong:
        if any(
            isinstance(value, list | dict | set) and value
            for value in getattr(probe.answer, "__defaults__", None) or ()
        ):
            raise Wrong("again") from None
        raise


def state_cases(random):
    """Whole checkpoints, one that is large as such, and some that are drawn."""
    average = ("optimizer", "state", 0, "exp_avg")
    yield "inside", STATE, copy.deepcopy(STATE)
    yield "place", STATE, changed(STATE, average, torch.tensor([0.5, 2.5]))
    yield "all", STATE, changed(STATE, ("optimizer", "param_groups", 0), {"lr": 0.2, "eps": 1})
    yield "all", STATE, changed(changed(STATE, average, torch.ones(1)), ("epoch",), 4)
    for _ in range(10):
        a = grow(random, 3)
        yield "all", a, mutate(random, a)


def leaf(random):
    return random.choice([0, 2, 0.5, "x", "y", None, torch.ones(2), torch.zeros(2), torch.zeros(2, dtype=torch.int64)])


def grow(random, depth):
    """A checkpoint with that many levels."""
    if not depth:
        return leaf(random)
    inner = [grow(random, depth - random.randint(1, depth)) for _ in range(3)]
    return inner if random.random() < 0.4 else dict(zip(random.sample("abcdef", 3), inner, strict=True))


def mutate(random, value):
    """A copy in which here and there something else is, or more, or less."""
    if random.random() < 0.1 or not isinstance(value, dict | list):
        return leaf(random) if random.random() < 0.3 else value
    if isinstance(value, list):
        return [mutate(random, inner) for inner in value][: random.randint(2, 5)]
    left = {key: mutate(random, inner) for key, inner in value.items() if random.random() < 0.9}
    return left | ({"g": leaf(random)} if random.random() < 0.2 else {})


EXERCISES = {
    "12.1": Exercise(
        cases=checkpoint_cases,
        expected=lacking,
        ideas={
            "whole": {
                "en": "a checkpoint that has all four lacks nothing: []",
                "zh": "四样都有的检查点什么也不缺：返回 []",
            },
            "lacking": {
                "en": "the list names what is not there, of all four: model, optimizer, random and epoch",
                "zh": "列表里写的是缺少的那几项，model、optimizer、random、epoch 四项都要检查",
            },
            "zero": {
                "en": "an epoch of 0 is there: 0 counts as false in an if, but it is not None",
                "zh": "epoch 为 0 也算有：0 在 if 里当作假，但它不是 None",
            },
            "None": {
                "en": "a key whose value is None counts as lacking: look at the value, too, not only at the key",
                "zh": "键虽然在，但值是 None，也算缺少：除了看有没有这个键，还要看它的值",
            },
            "empty": {
                "en": "an empty dictionary is there: only None counts as lacking",
                "zh": "空字典也算有：只有 None 才算缺少",
            },
            "tensor": {
                "en": "a tensor is there, whatever its numbers; ask with `is None`, an if cannot decide about a tensor",
                "zh": "只要有张量就算有，不管里面是什么数；要用 is None 来判断，张量不能直接放在 if 里",
            },
            "others": {
                "en": "only the four count: other keys may be there or not, and may be None",
                "zh": "只看这四项：其他的键有没有、是不是 None，都不用管",
            },
            "sorted": {
                "en": "the names come in the order of the alphabet: epoch, model, optimizer, random",
                "zh": "名字按字母顺序排列：epoch、model、optimizer、random",
            },
        },
        hints={
            "en": [
                "Take one of the four names. It can be lacking in two ways. Which one question covers both?",
                "checkpoint.get(key) is the value, and None if there is no such key. 0 and {} are not None.",
                'sorted([key for key in ("model", …) if …]), where the question is whether get gives None: ask with `is`.',
            ],
            "zh": [
                "先看四个名字中的一个。什么情况下算检查点里缺了它？有两种情况，用一个判断就能概括。",
                "checkpoint.get(key) 得到它的值；没有这个键时，得到 None。0 和 {} 都不是 None。",
                'sorted([key for key in ("model", …) if …])，条件是 get 得到的是不是 None：用 is 来判断。',
            ],
        },
    ),
    "12.2": Exercise(
        judge=judge_shared,
        ideas={
            "same": {
                "en": "list each parameter of a that is one of b's, too; state_dict() does not tell, it makes new tensors",
                "zh": "a 的某个参数如果同时也是 b 的参数，它的名字就要放进列表；用 state_dict() 看不出来，因为它每次都产生新的张量",
            },
            "names": {
                "en": "two parameters of the same name are still two: each module has its own",
                "zh": "名字相同的两个参数仍是两个参数：两个模块各有各的",
            },
            "equal": {
                "en": "equal numbers do not make one tensor: ask with `is` or id(); == compares numbers, as does `in` a list",
                "zh": "两个张量的数全都相等，也仍是两个张量。要用 is 或 id() 来判断：== 比较的是里面的数，in 用在列表上也是这样",
            },
            "any name": {
                "en": "in b it may have any name and any place; the list has the name that it has in a",
                "zh": "它在 b 里可以叫别的名字，也可以在别的位置；列表里写的是它在 a 里的名字",
            },
            "each": {
                "en": "each parameter by itself: a layer can share its weight and not its bias, or the other way round",
                "zh": "每个参数要分别判断：一个层可以只共享权重，不共享偏置，反过来也可以",
            },
            "frozen": {
                "en": "a frozen parameter is a parameter, too, whatever its requires_grad",
                "zh": "冻结的参数也是参数，不管 requires_grad 是什么",
            },
            "buffers": {
                "en": "only parameters count: the running statistics of a BatchNorm layer are buffers",
                "zh": "只看参数：批量规范化层里累积的统计量是缓冲区（buffer），不是参数",
            },
            "none": {
                "en": "a module without parameters shares none: []",
                "zh": "没有参数的模块，什么也不会共享：返回 []",
            },
            "inside": {
                "en": "the parameters of the modules inside count as well, however deep",
                "zh": "里面各层模块的参数也要算，不管嵌套多少层",
            },
            "sorted": {
                "en": "the names come sorted, as Python sorts strings: bias before weight, 10.weight before 2.weight",
                "zh": "名字要排序，顺序与 Python 给字符串排序时相同：bias 在 weight 前面，10.weight 在 2.weight 前面",
            },
        },
        hints={
            "en": [
                "How do you ask whether two things are one object, not merely equal? With an operator, or a function.",
                "id(value) is a number that only this object has. a.named_parameters() gives pairs of name and parameter.",
                "Collect the id of each of b.parameters() in a set; then sort the names in a whose parameter's id is in it.",
            ],
            "zh": [
                "什么时候两个变量是同一个对象，而不只是相等？Python 有一个运算符和一个函数可以判断。",
                "id(value) 是这个对象独有的编号。a.named_parameters() 给出的是名字和参数组成的二元组。",
                "把 b.parameters() 中每个参数的 id 放进一个集合；再看 a 的哪些参数，id 在这个集合里，把它们的名字排序。",
            ],
        },
    ),
    "12.3": Exercise(
        judge=judge_write,
        ideas={
            "pieces": {
                "en": "afterwards the file holds all the pieces in their order, and nothing of the old file",
                "zh": "写完之后，文件里按顺序是所有的片段，旧文件的内容一点也不留",
            },
            "first time": {
                "en": "there need not be an old file: the first time, there is none",
                "zh": "旧文件不一定存在：第一次写的时候就没有",
            },
            "beside": {
                "en": "for {case}: before the last piece had come, run.pt was {there}: write into another file beside it",
                "zh": "输入 {case} 时，片段还没有给完，run.pt 就已经变成了 {there}：要写到它旁边的另一个文件里",
            },
            "swap": {
                "en": "for {case}: for a moment run.pt was {there}: write another file, close it, then swap with os.replace",
                "zh": "输入 {case} 时，有一刻 run.pt 是 {there}：要先写进另一个文件，关闭之后，再用 os.replace 一步换上",
            },
            "gap": {
                "en": "for {case}: for a moment there was no run.pt; leave the old one there, os.replace takes its place",
                "zh": "输入 {case} 时，有一刻根本没有 run.pt；用 os.replace 时，旧文件不要先删掉或移走，它会被直接换下",
            },
            "passed on": {
                "en": "the error that parts raises goes on to the caller, the very same: tidy up, then `raise`",
                "zh": "parts 抛出的错误要原样传给调用者：先清理，再写 raise",
            },
            "as it was": {
                "en": "if parts raises, run.pt stays as it was, or stays away: what is not whole must not take its place",
                "zh": "parts 抛出错误时，run.pt 要保持原样，原来没有的就仍然没有：不完整的内容不能换上去",
            },
            "leftover": {
                "en": "for {case}: {left} was left behind; no other file may stay, whether all goes well or not",
                "zh": "输入 {case} 时，留下了 {left}；不管写成没写成，都不能留下别的文件",
            },
            "interrupt": {
                "en": "for {case}: {left} was left behind; Ctrl-C raises KeyboardInterrupt, which is no Exception",
                "zh": "输入 {case} 时，留下了 {left}；按 Ctrl-C 时抛出的 KeyboardInterrupt 不是 Exception，要用 BaseException 来捕获",
            },
            "others": {
                "en": "for {case}: another file in the folder is not as it was; tidy up your own only",
                "zh": "输入 {case} 时，文件夹里别的文件被改动了；只清理自己的文件",
            },
        },
        hints={
            "en": [
                "While a file is being written, it is half of one. Let that be a file with another name. And at the end?",
                "Write to path.with_name(…), close it, then os.replace. Around all that: try, except BaseException, raise.",
                'try: with open(temporary, "wb"), write each part; after the with, os.replace. except: temporary.unlink, raise.',
            ],
            "zh": [
                "正在写的文件，有一段时间里只有一半。那就让这一半写在另一个名字的文件里。写完之后呢？",
                "写到 path.with_name(…)，关闭之后再用 os.replace 换上。整段代码外面套上 try、except BaseException 和 raise。",
                'try：with open(temporary, "wb") 里写每个片段，出了 with 再 os.replace。except 里 temporary.unlink，然后 raise。',
            ],
        },
    ),
    "12.4": Exercise(
        judge=judge_newest,
        ideas={
            "none": {
                "en": "where nothing is found, None is returned",
                "zh": "一个也找不到时，返回 None",
            },
            "read": {
                "en": "return the whole dictionary in the file: not the file's name, and not only its epoch",
                "zh": "返回的是文件里的整个字典，不是文件名，也不只是 epoch",
            },
            "zero": {
                "en": "an epoch of 0 is an epoch: 0 counts as false in an if",
                "zh": "epoch 为 0 也有效：0 在 if 里会当作假",
            },
            "epoch": {
                "en": "the epoch in the dictionary decides, not a file's name, its time, its size, or which one comes first",
                "zh": "看的是字典里的 epoch，不是文件的名字、时间或大小，也不是哪个文件先出现",
            },
            "number": {
                "en": "epochs are numbers, 10 is more than 9; as texts, epoch_10 comes before epoch_9",
                "zh": "epoch 是数，10 比 9 大；而按文字排，epoch_10 在 epoch_9 前面",
            },
            "only pt": {
                "en": "only names that end in .pt count: .txt does not, and a .pt.part was never finished",
                "zh": "只看名字以 .pt 结尾的文件：.txt 不算；.pt.part 是没有写完的文件，也不算",
            },
            "weights_only": {
                "en": "for {case}: code from the file has just run on your machine: never weights_only=False here",
                "zh": "输入 {case} 时，文件里的代码刚刚在你的机器上运行了：这里不能用 weights_only=False",
            },
            "refused": {
                "en": "what torch.load refuses with weights_only=True is skipped; the other files still count",
                "zh": "torch.load 在 weights_only=True 时拒绝读的文件要跳过，其余的照样算",
            },
            "damaged": {
                "en": "a damaged file is skipped, the others still count; errors are of several kinds: `except Exception`",
                "zh": "读不了的文件要跳过，其余的照样算；错误有好几种，所以写 except Exception",
            },
            "key": {
                "en": 'a dictionary without "epoch" is skipped',
                "zh": '没有 "epoch" 的字典要跳过',
            },
            "dictionary": {
                "en": "a file may hold a tensor, a list, a text, a number: ask first whether it is a dictionary",
                "zh": "文件里也可能是别的东西，例如张量、列表、字符串或数：要先判断是不是字典",
            },
            "left alone": {
                "en": "for {case}: the files are not as they were; reading is all that is asked",
                "zh": "输入 {case} 时，文件被改动了；只要求读，不要改也不要删",
            },
        },
        hints={
            "en": [
                "First collect the dictionaries that fit, then take the one with the largest epoch. And if there is none?",
                'folder.glob("*.pt") gives the files. Ask isinstance(saved, dict) before "epoch" in saved.',
                'Append each that fits to a list; at the end max of it, with key=lambda d: d["epoch"] and default=None.',
            ],
            "zh": [
                "分两步：先收集符合条件的字典，再取 epoch 最大的那个。一个也没有时怎么办？",
                'folder.glob("*.pt") 给出各个文件。把 torch.load 放进 try；先判断 isinstance(saved, dict)，再判断 "epoch" in saved。',
                '符合条件的都 append 到一个列表里；最后对它用 max，参数是 key=lambda d: d["epoch"] 和 default=None。',
            ],
        },
    ),
    "12.5": Exercise(
        judge=judge_different,
        ideas={
            "values": {
                "en": 'two numbers, strings or None are equal, and the list is empty; or they differ, at the place ""',
                "zh": '两个数、字符串或 None 不相等，就是不同，位置写成 ""；相等时返回空列表',
            },
            "again": {
                "en": "called again, it still has what it found before: found=[] in the def line is one list for all calls",
                "zh": "再次调用时，上次找到的还在里面：写在 def 那一行的列表（例如 found=[]），所有的调用共用同一个",
            },
            "kind": {
                "en": 'different types differ, at just that place: 1 and "1", a list and a dictionary, a tensor and None',
                "zh": '类型不同，就是在这个位置不同：例如 1 和 "1"、列表和字典、张量和 None',
            },
            "keys": {
                "en": "in a dictionary the place is the key",
                "zh": "在字典里，位置就是键",
            },
            "one side": {
                "en": "a key that only one of the two has is a difference, whichever of them has it",
                "zh": "只有一方才有的键也是不同，不管是哪一方有",
            },
            "None": {
                "en": "a key whose value is None is not the same as no key: get() cannot tell them apart",
                "zh": "有这个键、值是 None，和没有这个键不是一回事：用 get() 分不出来",
            },
            "order": {
                "en": "the order of the keys does not matter: same key, same value",
                "zh": "键的顺序无所谓：只要同一个键对应同样的值",
            },
            "positions": {
                "en": "in a list the place is the position, counted from 0; the same position is compared with the same",
                "zh": "在列表里，位置就是下标，从 0 数起；相同下标的才互相比较",
            },
            "length": {
                "en": "a position that only the longer list has is a difference; zip stops at the end of the shorter one",
                "zh": "只有较长的列表才有的下标也是不同；zip 到较短的那个结束就停了",
            },
            "tensors": {
                "en": "tensors are the same if every value is, in its place: torch.equal gives one True or False",
                "zh": "张量要每个位置上的值都相同才算相同：torch.equal 直接给出一个 True 或 False",
            },
            "shape": {
                "en": "tensors of different shapes differ; == would broadcast one of them",
                "zh": "形状不同的张量就是不同；用 == 时会先广播，看不出来",
            },
            "dtype": {
                "en": "tensors of different dtypes differ, even if the numbers are equal",
                "zh": "dtype 不同的张量就是不同，即使数都相等",
            },
            "exact": {
                "en": "almost equal is not the same: a resumed run has to give exactly these numbers",
                "zh": "几乎相等不算相同：恢复的运行要得到一模一样的数",
            },
            "empty": {
                "en": 'an empty dictionary or list is something, too: {{}} and [] differ, and so do {{"a": {{}}}} and {{}}',
                "zh": '空的字典和列表也要算：{{}} 和 [] 不同，{{"a": {{}}}} 和 {{}} 也不同',
            },
            "inside": {
                "en": "what is inside decides, and there can be tensors: == cannot compare such dictionaries and lists",
                "zh": "字典和列表里面的都相同，才算相同，里面的张量也一样：要进到里面去比较，直接用 == 不行",
            },
            "place": {
                "en": "a place is the whole way from the outside in, with dots between, none in front: a.b, 0.a",
                "zh": "位置是从最外面走进去的整条路，用点连接，开头没有点：a.b、0.a",
            },
            "below": {
                "en": "what only one side has, or what is of another type, is one difference: nothing below it is listed",
                "zh": "只有一方才有的，或者类型不同的，只算一处不同：它里面的不再列出",
            },
            "all": {
                "en": "list all differences, not only the first: go on, and put together what the calls return",
                "zh": "所有的不同都要列出，而不只是第一处：找到之后要继续，并把各次调用返回的列表合起来",
            },
            "sorted": {
                "en": "the places come sorted, as Python sorts strings, so 10 before 2",
                "zh": "位置要排序，顺序与 Python 给字符串排序时相同，所以 10 在 2 前面",
            },
        },
        hints={
            "en": [
                "Let the function call itself for what is at each key. What is compared without another call?",
                "First the types. A list is like a dictionary with keys 0, 1, 2, …; a.keys() | b.keys() are all keys.",
                "If both have key: found.extend(different(a[key], b[key], inner)), inner being place, dot, key; else append inner.",
            ],
            "zh": [
                "让函数调用自己：对字典，逐个键比较那里的东西。哪些可以直接比较，不用再调用？",
                "先比较类型。列表可以看成键为 0、1、2…… 的字典；a.keys() | b.keys() 是两边所有的键。",
                "双方都有的键：found.extend(different(a[key], b[key], inner))，inner 由 place、点和 key 组成；否则直接 append。",
            ],
        },
    ),
}

QUIZZES = {
    "12.a": Quiz(
        right="c",
        why={
            "en": {
                "a": "weights_only=True is the default there: what is not a tensor, number, string or the like is refused",
                "b": "a safetensors file holds names, shapes and numbers, and nothing that could be run",
                "c": "now the file is read as an ordinary pickle, which can name any function to be called on the way",
                "d": "weights_only=True refuses the code; map_location only says on which device the tensors shall be",
            },
            "zh": {
                "a": "这时 weights_only 默认就是 True：除了张量、数、字符串之类，一律拒绝",
                "b": "safetensors 文件里只有名字、形状和数，没有可以运行的东西",
                "c": "这样就会当作普通的 pickle 来读，而 pickle 可以指定在读入时调用任何函数",
                "d": "weights_only=True 会拒绝代码；map_location 只决定张量放在哪个设备上",
            },
        },
    ),
    "12.b": Quiz(
        right="a",
        why={
            "en": {
                "a": "it has to gather its averages anew; until then, its steps have another size and direction",
                "b": "then the learning rate is wrong up to the end, and the run ends worse than the straight one",
                "c": "load_state_dict complains about missing names; and new weights would have to learn all over again",
                "d": "that decides how many epochs are still to come; the loss does not jump for it",
            },
            "zh": {
                "a": "它要重新积累平均值：在此之前，每一步的大小和方向都不对，积累够了就恢复了",
                "b": "那样的话，学习率直到最后都不对，结果就不会和没有中断的运行一样好",
                "c": "缺了名字，load_state_dict 会报错；而且新的权重得从头学起",
                "d": "它只决定还要训练几个轮次，损失不会因此突然升高",
            },
        },
    ),
}
