"""The checks of `preflight`, one after the other, and what several of them need."""

import contextlib
import functools
import time

import torch

from dlsteps.clinic.loaders import first_batches
from dlsteps.clinic.preflight_checks import (
    data,
    gradients,
    labels,
    network,
    outputs,
    pairs,
    rates,
    saving,
    signals,
    spread,
    trial,
    wiring,
)
from dlsteps.clinic.preflight_checks.case import Case, as_batch, size_of, uncopied
from dlsteps.clinic.preflight_checks.losses import kind_of
from dlsteps.clinic.report import Skip, describe

FAST = 0.15  # seconds for a batch: then all batches go through the network, for one more view of the inputs
RATES = ("learning-rate-too-high", "learning-rate-too-low")


class Examination:
    """Runs the checks: `findings`, and `skipped`, {check: why it could not run}."""

    def __init__(self, model, loss_fn, train_loader, valid_loader, optimizer, scheduler):
        self.findings, self.skipped, self.fast = [], {}, True
        self.train_loader, self.valid_loader = train_loader, valid_loader
        self.optimizer, self.scheduler = optimizer, scheduler
        device = next(iter([*model.parameters(), *model.buffers()]), torch.empty(0)).device
        self.train = self.batches("train_loader", train_loader, device)
        self.valid = self.train if valid_loader is train_loader else self.batches("valid_loader", valid_loader, device)
        self.case = Case(model, loss_fn, optimizer, self.train)
        shared = ", ".join(f"`{where}`" for where, _ in uncopied(model))
        if shared:
            self.skipped["copying the model"] = f"{shared} cannot be copied, and is shared with the copies"

    def batches(self, name, loader, device):
        """The first few of a loader, taken apart; what went wrong is noted."""
        if loader is None:
            return []
        raw, note = first_batches(loader, size_of)
        try:
            found = [as_batch(batch, device) for batch in raw]
        except Skip as reason:
            found, note = [], str(reason)
        if note:
            self.skipped[name] = note
        return found

    def check(self, codes, make):
        """Run one check, a function that gives findings; whatever it raises, the others go on."""
        try:
            found = list(make())
        except (Exception, SystemExit) as error:  # the learner's code, in whatever shape
            reason = str(error) if isinstance(error, Skip) else describe(error)
            self.skipped |= dict.fromkeys([codes] if isinstance(codes, str) else codes, reason)
        else:
            self.findings += found

    def run(self):
        self.look_at_data()
        if any(f.code in ("non-finite-input", "label-out-of-range") for f in self.findings):
            self.skipped["all that needs the loss"] = f"first mend {self.findings[-1].code}"
            return  # on a GPU, labels out of range end the process
        self.look_at_wiring()
        self.look_at_output()
        self.look_at_gradients()
        self.look_at_pairs()
        self.try_out()

    # The checks

    def look_at_data(self):
        case, loss_fn = self.case, self.case.loss_fn
        targets = [batch.target for batch in self.train]
        self.check("label-out-of-range", lambda: labels.label_out_of_range(self.outputs, loss_fn, targets))
        if self.findings:
            return
        self.check("non-finite-input", lambda: data.non_finite_input(self.some(self.train), self.loss_is_finite))
        self.check("label-wrong-type", lambda: labels.label_wrong_type(
            self.output, loss_fn, case.batch.target, self.is_own_target))  # fmt: skip
        self.check("class-imbalance", lambda: spread.class_imbalance(targets, self.output, loss_fn, self.kind))
        some = spread.spread_labels(getattr(self.train_loader, "dataset", None))
        self.check("unshuffled-training-data", lambda: spread.unshuffled_training_data(targets, self.output, some))
        self.check("not-normalised", lambda: data.not_normalised(self.inputs, self.entrance[0], self.entrance[2]))
        self.check("channel-order-suspect", lambda: data.channel_order_suspect(self.inputs, *self.entrance))

    def look_at_pairs(self):
        self.check("train-valid-overlap", lambda: pairs.train_valid_overlap(
            self.some(self.train), self.some(self.valid, "valid_loader"), self.train_loader, self.valid_loader
        ))  # fmt: skip
        self.check("validation-augmented", lambda: pairs.validation_augmented(
            getattr(self.given(self.valid_loader, "valid_loader"), "dataset", self.valid_loader)))  # fmt: skip
        self.check("labels-shuffled-against-inputs", lambda: pairs.labels_shuffled(
            self.some(self.train), self.valid, self.features))  # fmt: skip

    def look_at_wiring(self):
        case, model = self.case, self.case.model
        self.check("scheduler-stale", lambda: wiring.scheduler_stale(
            self.given(self.scheduler, "scheduler"), self.optimizer))  # fmt: skip
        self.check("unregistered-submodule", lambda: wiring.unregistered_submodule(self.hidden, case.optimizer))
        self.check("optimizer-of-another-model", lambda: wiring.optimizer_of_another_model(
            model, self.given(case.optimizer, "optimizer"), self.hidden))  # fmt: skip
        self.check("parameter-not-in-optimizer", lambda: wiring.parameter_not_in_optimizer(
            model, self.given(case.optimizer, "optimizer"), self.order))  # fmt: skip
        self.check("frozen-by-accident", lambda: wiring.frozen_by_accident(model, self.order))

    def look_at_output(self):
        case, model = self.case, self.case.model
        self.check("input-ignored", lambda: network.input_ignored(
            model, case.few, network.other_samples(case.few, self.train), self.is_seen))  # fmt: skip
        self.check("leak-between-samples", lambda: network.leak_between_samples(model, case.few))
        self.check("constant-output", lambda: network.constant_output(model, self.trained, case.few))
        self.check("shape-broadcast-in-loss", lambda: outputs.shape_broadcast_in_loss(
            self.output, case.loss_fn, case.batch.target))  # fmt: skip
        self.check("softmax-before-cross-entropy", lambda: outputs.squashed_output(
            self.with_other_weights(), self.kind))  # fmt: skip
        self.check("softmax-before-cross-entropy", lambda: outputs.squashed_in_loss(
            self.output, case.loss_fn, case.batch.target))  # fmt: skip

    def look_at_gradients(self):
        case = self.case
        self.check("detached-graph", lambda: gradients.detached_graph(self.looks, self.cut_and_unused[0]))
        self.check("no-gradient", lambda: gradients.no_gradient(
            self.looks, self.cut_and_unused[1], self.later_looks, self.held))  # fmt: skip
        self.check("vanishing-gradient", lambda: list(signals.vanishing_signal(case.model, case.few))
                   or gradients.vanishing_gradient(self.looks, self.order))  # fmt: skip
        self.check("exploding-gradient", lambda: gradients.exploding_gradient(self.looks, case, self.scale))
        self.check("dead-relu", lambda: signals.dead_relu(case.model, self.some(self.train)[: 4 if self.fast else 1]))
        self.check("bad-initialisation", lambda: signals.bad_initialisation(case.model, case.few))
        self.check("initial-loss-off", lambda: gradients.initial_loss_off(case, self.kind))

    def try_out(self):
        case = self.case
        self.check("save-load-differs", lambda: saving.save_load_differs(
            case, case.few, network.other_samples(case.few, self.train)))  # fmt: skip
        self.check("cannot-overfit-one-batch", lambda: (
            list(outputs.out_of_reach(self.with_many_weights(), case.batch.target)) if self.kind == "other" else []
        ) or trial.cannot_overfit_one_batch(case, self.kind))  # fmt: skip
        self.check(RATES, lambda: self.given(case.optimizer, "optimizer") and rates.learning_rate(
            case, self.kind, {f.code for f in self.findings}))  # fmt: skip

    # What several checks need

    def some(self, batches, name="train_loader"):
        if not batches:
            raise Skip(f"no {name} given" if getattr(self, name) is None else f"{name} gave no batch to look at")
        return batches

    def given(self, thing, name):
        if thing is None:
            raise Skip(f"no {name} given")
        return thing

    @functools.cached_property
    def output(self):
        return self.case.output(self.case.batch)

    @functools.cached_property
    def outputs(self):
        """Of all batches; if the network is slow, those after the first are only of the right shape."""
        self.some(self.train)
        with torch.no_grad():
            start = time.perf_counter()
            found = [self.case.output(self.train[0])]
            self.fast = time.perf_counter() - start < FAST
            one = found[0]
            if self.fast or not isinstance(one, torch.Tensor) or one.shape[:1] != (self.train[0].size,):
                return found + [self.case.output(batch) for batch in self.train[1:]]
            return found + [one[:1].expand(batch.size, *one.shape[1:]) for batch in self.train[1:]]

    @functools.cached_property
    def kind(self):
        return kind_of(self.case.loss_fn, self.output, self.case.batch.target)

    @functools.cached_property
    def entrance(self):
        """(name, layer, its input) of the first layer with weights."""
        return data.first_layer_input(self.case.model, lambda: self.case.output(self.case.batch))

    @property
    def inputs(self):
        return [self.case.batch.inputs, self.case.batch.named]

    @property
    def scale(self):
        """The root mean square of what the first layer gets."""
        return self.entrance[2].double().pow(2).mean().sqrt().item()

    @property
    def is_own_target(self):
        """The batch has one part, which is input and target."""
        return any(self.case.batch.target is part for part in self.case.batch.inputs)

    def loss_is_finite(self, batch):
        try:
            return bool(torch.isfinite(self.case.loss(batch)[1]))
        except Skip:
            return False

    @functools.cached_property
    def hidden(self):
        return wiring.hidden_leaves(self.case.model, self.case.output(self.case.few), self.case.few, self.case.loss_fn)

    @functools.cached_property
    def order(self):
        return wiring.order_of_use(self.case.model, lambda: self.case.output(self.case.few))

    @functools.cached_property
    def held(self):
        """Names of parameters that the optimizer moves; None without an optimizer, or if it moves none of them."""
        if self.case.optimizer is None:
            return None
        held = wiring.held_by(self.case.optimizer)
        return {name for name, p in self.case.model.named_parameters() if id(p) in held} or None

    @functools.cached_property
    def looks(self):
        return gradients.looks(self.case, self.case.model)

    @functools.cached_property
    def later_looks(self):
        return gradients.looks(self.case, self.trained)

    @functools.cached_property
    def trained(self):
        return trial.trained_a_little(self.case, self.case.few)

    @functools.cached_property
    def cut_and_unused(self):
        return gradients.without_gradient(self.case.model, self.case.few, self.looks, self.held)

    def is_seen(self):
        """Do layers that get a gradient see which samples they are given?"""
        seen = network.layers_that_see(self.case.model, self.case.few, network.other_samples(self.case.few, self.train))
        reached = {name.rpartition(".")[0] for name, gradient in self.looks[0][2].items() if gradient is not None}
        return bool(seen & reached)

    def with_other_weights(self):
        """The output; with two other sets of weights, too, if the model can be copied."""
        models = [self.case.model]
        with contextlib.suppress(Skip):
            models += [network.reinitialised(self.case.model, seed) for seed in range(2)]
        with torch.no_grad():
            return [outputs.one_tensor(self.case.output(self.case.few, model=model)) for model in models]

    def with_many_weights(self, count=12):
        """The output with many sets of weights, small and large, if the network is fast; else none at all."""
        models = (network.reinitialised(self.case.model, seed, 3.0 ** (seed % 4)) for seed in range(count))
        with torch.no_grad():
            found = [self.case.output(self.case.few, model=model) for model in models] if self.fast else []
        same = [out for out in found if isinstance(out, torch.Tensor) and out.shape == self.case.few.target.shape]
        return same if len(same) == count else [torch.zeros(1)]

    def features(self, batch):
        if not self.fast:
            raise Skip("the network is slow")
        return network.answers(self.case.model, batch)
