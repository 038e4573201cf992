"""What is recorded of a run: what the program says of itself, and what an observer sees."""

import functools
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import nn

from dlsteps.clinic.gallery.case import program_text
from dlsteps.clinic.gallery.cases import CASES
from dlsteps.clinic.gallery.execute import execute, isolated
from dlsteps.clinic.gallery.observe import Steps, activation_rows, layer_rows, weights_of
from dlsteps.clinic.gallery.truth import measured, sound_namespace
from dlsteps.clinic.report import describe

FILE = Path(__file__).parent / "records.json"  # made by benchmarks/09_gallery.py
DIGITS = 3  # significant ones of stored numbers
NEEDED = ("model", "history", "train_loader", "valid_loader", "loss_fn", "make_model", "make_optimizer",
          "train_one_epoch", "evaluate")  # fmt: skip


@dataclass
class Record:
    """A run. Numbers have three significant digits; None where the run did not come so far.

    history: the program's own, a dict an epoch. looks: numbers of the optimizer's steps that were looked at. layers:
    for each matrix of weights its `gradient` (root mean square) and `update` (that of the step's change, divided by
    that of the weights), at each look. activations: of each layer at the end, see `observe.activation_rows`. valid,
    train: the trained model measured apart, see `truth.measured`. error: one line, or None. namespace: not stored.
    """

    history: list = field(default_factory=list)
    looks: list = field(default_factory=list)
    layers: list = field(default_factory=list)
    activations: list = field(default_factory=list)
    valid: dict | None = None
    train: dict | None = None
    error: str | None = None
    namespace: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def true_loss(self):
        return self.valid and self.valid["loss"]

    @property
    def true_accuracy(self):
        return self.valid and self.valid.get("accuracy")

    def stored(self):
        """As a dict for JSON."""
        return {name: value for name, value in asdict_without_namespace(self).items() if value not in (None, [])}


def asdict_without_namespace(record):
    bare = Record(**{name: value for name, value in vars(record).items() if name != "namespace"})
    return {name: value for name, value in asdict(bare).items() if name != "namespace"}


def run(text, program=None):
    """Execute a program's text; returns its `Record`. Nothing is printed, and nothing that fails gets out.

    program: the name of the sound program whose samples measure the model; without it, the text's own are taken.
    """
    namespace = {"__name__": "__main__"}
    with isolated(), Steps() as steps:
        error = execute(text, namespace)
        record = Record(error=error, namespace=namespace)
        record.history = rounded(history_of(namespace))
        if error is None:
            try:
                look(record, steps, sound_namespace(program) if program else namespace)
            except Exception as failed:  # a model that takes other inputs, say
                record.error = describe(failed)
    return record


def history_of(namespace):
    history = namespace.get("history")
    history = history if isinstance(history, list) else []
    return [{name: float(value) for name, value in row.items()} for row in history if isinstance(row, dict)]


def look(record, steps, sound):
    """Fill in what an observer sees of the trained model."""
    namespace = record.namespace
    if missing := [name for name in NEEDED if name not in namespace]:
        raise NameError(f"the program no longer defines {', '.join(missing)}")
    if not isinstance(namespace["model"], nn.Module):
        raise TypeError(f"model is {type(namespace['model']).__name__}, no nn.Module")
    model = namespace["model"]
    inputs = next(iter(namespace["valid_loader"]))[0]
    record.looks = list(steps.looks)
    record.layers = rounded(layer_rows(steps, weights_of(model, model(inputs))))
    record.activations = rounded(activation_rows(model, namespace["valid_loader"]))
    record.valid, record.train = (rounded(measured(namespace, sound, which)) for which in ("valid", "train"))
    record.train = {name: value for name, value in record.train.items() if name in ("loss", "accuracy")}


def rounded(value):
    """Floats with a few significant digits, in lists and dicts too."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{DIGITS}g}")
    return value


@functools.cache
def _stored():
    return json.loads(FILE.read_text(encoding="utf8"))


def case_of(number):
    """The case with this number; an unknown one is a `ValueError` that names the choices."""
    if number not in range(1, len(CASES) + 1):
        raise ValueError(f"unknown case {number!r}: choose from 1 to {len(CASES)}")
    return CASES[number - 1]


def stored(number):
    """The `Record` of a case's broken program, as it was made."""
    return Record(**_stored()["cases"][str(case_of(number).number)])


def sound(program):
    """The `Record` of a sound program."""
    program_text(program)
    return Record(**_stored()["programs"][program])
