"""Small mistakes, made on purpose: a check that lets them pass is too weak.

Mutation testing after DeMillo, Lipton and Sayward, "Hints on Test Data Selection", 1978.
"""

import ast
import copy
from typing import NamedTuple

from dlsteps.authoring.editions import ROOT, solutions_edition
from dlsteps.authoring.execute import find_lessons
from dlsteps.authoring.source import read_lesson
from dlsteps.exercises.engine import assess
from dlsteps.exercises.store import RIGHT

SWAPS = {
    ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is], ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div, ast.Add], ast.Div: [ast.Mult],
    ast.FloorDiv: [ast.Div, ast.Mult], ast.Mod: [ast.FloorDiv], ast.Pow: [ast.Mult], ast.MatMult: [ast.Mult],
    ast.And: [ast.Or], ast.Or: [ast.And],
}  # fmt: skip
NAMES = {"min": "max", "any": "all", "argmin": "argmax", "sum": "mean", "zeros": "ones", "ceil": "floor"}
NAMES |= {right: left for left, right in NAMES.items()}


SECONDS = 2  # a mutant may take; some never end


class Mutant(NamedTuple):
    source: str
    change: str  # "the changed line -> what it became"


def make_mutants(source):
    """All the `Mutant`s of some function's source that differ from it in one place, each different from the others."""
    tree, found = _without_docstrings(ast.parse(source)), {}
    for index, node in enumerate(ast.walk(tree)):
        for change in _changes(node):
            mutant = copy.deepcopy(tree)
            change(list(ast.walk(mutant))[index])
            text = ast.unparse(ast.fix_missing_locations(mutant))
            if text != ast.unparse(tree):
                found.setdefault(text, _difference(ast.unparse(tree), text))
    return [Mutant(text, change) for text, change in found.items()]


def _without_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) and len(node.body) > 1:
            node.body.pop(0)
    return tree


def _changes(node):
    """Functions that each make one mistake in a node like this one."""
    match node:
        case ast.Compare(ops=[operator, *_]):
            for other in SWAPS.get(type(operator), []):
                yield lambda node, other=other: node.ops.__setitem__(0, other())
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            for other in SWAPS.get(type(node.op), []):
                yield lambda node, other=other: setattr(node, "op", other())
        case ast.UnaryOp():
            yield lambda node: _become(node, node.operand)
        case ast.Constant(value=bool() as value):
            yield lambda node: setattr(node, "value", not value)
        case ast.Constant(value=int() | float() as value):
            for other in (value + 1, value - 1):
                yield lambda node, other=other: setattr(node, "value", other)
        case ast.Constant(value=str() as value):
            yield lambda node: setattr(node, "value", f"{value}?")
        case ast.IfExp():
            yield lambda node: node.__dict__.update(body=node.orelse, orelse=node.body)
        case ast.If() | ast.While():
            yield lambda node: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))
        case ast.Call():
            yield from _changes_of_call(node)
        case ast.Tuple(elts=[_, _, *_]):
            yield lambda node: node.elts.reverse()
    if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Pass):
        yield lambda node: _become(node, ast.Pass())


def _changes_of_call(node):
    if isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Name):
        yield lambda node: _become(node, node.func.value)  # x.f(…) becomes x
    if len(node.args) > 1:
        yield lambda node: node.args.__setitem__(slice(0, 2), node.args[1::-1])
    for i in range(len(node.keywords)):
        yield lambda node, i=i: node.keywords.pop(i)
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name in NAMES:
        where = "id" if isinstance(node.func, ast.Name) else "attr"
        yield lambda node: setattr(node.func, where, NAMES[name])


def _become(node, other):
    node.__class__ = other.__class__
    node.__dict__ = other.__dict__


def _difference(before, after):
    """The first line that changed, and what it became."""
    old, new = before.splitlines(), after.splitlines()
    line = next(
        (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), min(len(old), len(new))
    )
    return f"{old[line].strip()} -> {new[line].strip() if line < len(new) else ''}"


def read_solutions(lesson):
    """{exercise: (its solution's source, the names that its lesson imports)}"""
    (source,) = find_lessons(ROOT / "notebooks" / "source", [lesson], ".py")
    cells = {cell.id: cell.source for cell in solutions_edition(read_lesson(source))}
    names = {}
    exec(cells["imports"], names)
    answers = [name for name in cells if name.endswith("-answer")]
    return {f"{int(lesson)}.{name.split('-')[1]}": (cells[name], names) for name in answers}


def define(source, names):
    """The last function or class that some source defines, run with a copy of `names`."""
    space = dict(names)
    exec(source, space)
    return [value for name, value in space.items() if name not in names or names[name] is not value][-1]


def survivors(number, mutants, names, known=()):
    """Those of a solution's mutants that its check accepts and whose change is not known to be right."""
    found = []
    for mutant in mutants:
        try:
            answer = define(mutant.source, names)
        except Exception:  # it cannot even be defined
            continue
        if assess(number, answer, SECONDS).mark == RIGHT and mutant.change not in known:
            found.append(mutant)
    return found
