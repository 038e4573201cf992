"""Runs the learner's own loop on fresh models and a handful of small batches, and says what is wrong with it."""

import torch

from dlsteps.clinic.loop_checks import modes, pairs, returned, saving, training_steps
from dlsteps.clinic.loop_checks.learner import Learner, Notes
from dlsteps.clinic.loop_checks.pieces import frozen, rows, take
from dlsteps.clinic.loop_checks.recording import TooLong
from dlsteps.clinic.loop_checks.replay import Samples
from dlsteps.clinic.report import Report, describe
from dlsteps.clinic.sandbox import untouched
from dlsteps.clinic.surroundings import protected, quiet
from dlsteps.training.batches import split_batch, to_device

SCOUTS = 16  # samples whose loss is looked at, to put the three hardest into the short last batch
LONG = 130  # batches of two samples, for loops that accumulate gradients over many


def check_loop(train_one_epoch, evaluate, make_model, make_optimizer, train_loader, valid_loader, loss_fn):
    """Finds what is wrong in train_one_epoch(model, loader, loss_fn, optimizer) and evaluate(model, loader, loss_fn).

    They run on fresh models from `make_model()` with optimizers from `make_optimizer(model)`, train, evaluate, train,
    on a few small batches of the loaders' samples. train_one_epoch returns the loss of its epoch; evaluate that of the
    loader, or a dict with "loss" (and "accuracy"). Models, optimizers and lists that these functions reach by name,
    random states and loaders are as before afterwards. Returns a `Report`; what could not be checked is in `skipped`.
    """
    notes, learner = Notes(), Learner(train_one_epoch, evaluate, make_model, make_optimizer, loss_fn)
    reach = [train_one_epoch, evaluate, make_model, make_optimizer, loss_fn]
    try:
        with untouched(), protected(*reach), quiet(), torch.enable_grad():
            examine(notes, learner, train_loader, valid_loader)
    except Exception as error:
        notes.skipped["check_loop"] = describe(error)
    return Report(first_of_each(notes.findings), notes.skipped)


def first_of_each(findings):
    """One finding a code: an error before advice, training before evaluation."""
    kept = {}
    for finding in sorted(findings, key=lambda finding: finding.severity != "error"):
        kept.setdefault(finding.code, finding)
    return kept.values()


def examine(notes, learner, train_loader, valid_loader):
    """All of it: the model, its training, its evaluation, and a second epoch."""
    made = notes.attempt("make_model, make_optimizer", learner.model_and_optimizer)
    train_samples = notes.attempt("train_loader", Samples, train_loader)
    valid_samples = notes.attempt("valid_loader", Samples, valid_loader)
    if made is None:
        return
    model, optimizer = made
    notes.check("optimizer-of-another-model", training_steps.optimizer_of_another_model, model, optimizer)
    apart = bool(notes.findings)
    for samples in filter(None, (train_samples, valid_samples)):
        samples.hard = hardest(model, learner.loss_fn, samples.pool)
    first = None
    if train_samples is not None:
        model, optimizer, first = first_epoch(notes, learner, train_samples)
        check_training(notes, learner, train_samples, first, None if apart else (model, optimizer))
        if not first.error:
            notes.check("save-load-differs", saving.save_load_differs, learner.make_model, model, train_samples.pool)
    evaluation = check_evaluation(notes, learner, valid_samples, model) if valid_samples is not None else None
    if first is not None and not first.error:
        second = learner.training(model, optimizer, first.batches, train_samples)
        second = None if second.error else second
        notes.check("wrong-mode-in-training", modes.wrong_mode_in_training, first, second, model)
        size = sum(float(v.float().norm()) ** 2 for n, v in first.before.items() if n in first.changed) ** 0.5
        notes.check("learning-rate-too-high", training_steps.growing_loss, first, second, size)
    elif first is not None:
        notes.check("wrong-mode-in-training", modes.wrong_mode_in_training, first, None, model)
    check_pairs(notes, learner, (train_samples, first), (valid_samples, evaluation))


def hardest(model, loss_fn, pool):
    """Rows of the samples with the largest loss, so that the short last batch differs from the others."""
    try:
        device = next(model.parameters()).device
        losses = []
        with untouched(model), torch.no_grad():
            model.eval()
            for row in range(min(SCOUTS, rows(pool))):
                inputs, named, target = split_batch(to_device(frozen(take(pool, [row])), device))
                losses.append(float(loss_fn(model(*inputs, **named), target).mean()))
        return sorted(range(len(losses)), key=lambda row: -losses[row])
    except Exception:  # an unusual batch or model: the samples stay in their order
        return []


def first_epoch(notes, learner, samples):
    """A fresh model, its optimizer and the run of an epoch, with the first kind of batches that the loop can take."""
    failed = None
    for batches in samples.plans():
        model, optimizer = learner.model_and_optimizer()
        run = learner.training(model, optimizer, batches, samples)
        if run.error is None:
            return model, optimizer, run
        failed = failed or (model, optimizer, run)
        if isinstance(run.error, TooLong):  # it would be again
            break
    notes.skipped["train_one_epoch"] = describe(failed[2].error)
    return failed


def check_training(notes, learner, samples, run, made):
    """All that a single epoch shows; made: (model, optimizer), or None if the optimizer is another model's."""
    if made is not None:
        longest = run
        if run.gradients and not run.error and len(run.steps) < 2:
            longest, made = long_run(learner, samples, run)
        notes.check("missing-zero-grad", training_steps.missing_zero_grad, longest)
        notes.check("parameter-not-in-optimizer", training_steps.weights_that_move, longest, *made, learner.loss_fn)
    notes.check("shape-broadcast-in-loss", pairs.broadcast_in_loss, "train_one_epoch", run, learner.loss_fn)
    notes.check("softmax-before-cross-entropy", pairs.squashed_before_loss, "train_one_epoch", run, learner.loss_fn)
    if not run.error:
        check_numbers(notes, "train_one_epoch", learner, samples, run)


def long_run(learner, samples, run):
    """Two epochs of many tiny batches, on a fresh model: some loops make a step only every so many batches."""
    small = [take(batch, range(min(2, rows(batch)))) if rows(batch) else batch for batch in run.batches]
    batches = [small[number % len(small)] for number in range(LONG)]
    model, optimizer = learner.model_and_optimizer()
    return learner.training(model, optimizer, batches, samples, times=2), (model, optimizer)


def check_numbers(notes, name, learner, samples, run):
    equal, single = samples.equal_batches(), samples.single_batch()
    notes.check(f"loss of {name}", returned.wrong_average, name, run, learner.loss_fn, equal, single)


def check_evaluation(notes, learner, samples, model):
    """Evaluate on the model that was trained for an epoch; returns the run."""
    run = failed = None
    for batches in samples.plans():
        run = learner.evaluation(model, batches, samples)
        failed = failed or run
        if run.error is None or isinstance(run.error, TooLong):
            break
    if run.error is not None:
        run = failed
        notes.skipped["evaluate"] = describe(run.error)
    notes.check("wrong-mode-in-evaluation", modes.wrong_mode_in_evaluation, run, model)
    notes.check("evaluation-changes-model", modes.evaluation_changes_model, run, model)
    notes.check("graph-kept-in-evaluation", modes.graph_kept_in_evaluation, run)
    notes.check("shape-broadcast-in-loss", pairs.broadcast_in_loss, "evaluate", run, learner.loss_fn)
    if run.error is None:
        check_numbers(notes, "evaluate", learner, samples, run)
        notes.check("few batches", returned.few_batches, "evaluate", run)
        with untouched(model):
            args = learner.evaluate, model, samples.loader, learner.loss_fn
            notes.check("wrong-argmax-axis", returned.wrong_accuracy, run, *args)
    return run


def check_pairs(notes, learner, training, evaluation):
    """Both functions once more, with some samples of each batch exchanged."""
    made = notes.attempt("make_model, make_optimizer", learner.model_and_optimizer)
    if made is None:
        return
    for name, (samples, run) in (("train_one_epoch", training), ("evaluate", evaluation)):
        if samples is None or run is None or run.error:
            continue
        exchanged = notes.attempt(f"inputs and labels in {name}", samples.exchanged, run.batches)
        if not exchanged or not any(changed for _, changed in exchanged):
            notes.skipped.setdefault(f"inputs and labels in {name}", "no different samples to exchange")
            continue
        batches, changed = [batch for batch, _ in exchanged], [rows for _, rows in exchanged]
        if name == "evaluate":
            twin = learner.evaluation(made[0], batches, samples)
        else:
            twin = learner.training(*made, batches, samples)
        notes.check(f"input-ignored in {name}", pairs.input_ignored, name, run, twin, changed)
        notes.check(f"labels-shuffled in {name}", pairs.labels_shuffled, name, run, twin, changed)
