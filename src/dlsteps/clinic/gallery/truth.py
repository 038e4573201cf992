"""What a trained model is worth, measured apart from its program: in eval mode, one sample at a time."""

import functools

import torch

from dlsteps.clinic.gallery.case import program_text
from dlsteps.clinic.gallery.execute import isolated, prepared
from dlsteps.clinic.sandbox import untouched

ALIKE = 0.9  # correlation of what a program makes of a row with what the sound one makes of it
TRAIN_SAMPLES = 300  # so many of the training samples are enough


@functools.cache
def sound_namespace(program):
    """What the sound program of this name has prepared, before it trains."""
    with isolated():
        return prepared(program_text(program))


def rows_for(namespace, sound, which):
    """Inputs as the program makes them of the sound program's samples (it may scale them otherwise), and targets."""
    rows = sound[which][:TRAIN_SAMPLES] if which == "train" else sound[which]
    ours, own = sound["x"][rows], namespace.get("x")
    if isinstance(own, torch.Tensor) and own.shape == sound["x"].shape and alike(own[rows], ours):
        ours = own[rows].float()
    return ours, sound["y"][rows]


def alike(a, b):
    """Whether these are the same samples, scaled otherwise."""
    a, b = (t.flatten(1).double() for t in (a, b))
    a, b = ((t - t.mean(dim=0)) / t.std(dim=0).clamp(min=1e-9) for t in (a, b))
    return bool((a * b).mean() > ALIKE * (b * b).mean())


@torch.no_grad()
def answers(model, inputs):
    """(N, …): what the model says to each sample alone."""
    with untouched(model):
        model.eval()
        return torch.cat([model(inputs[i : i + 1]).reshape(1, -1) for i in range(len(inputs))])


def is_classes(targets):
    return not targets.is_floating_point()


def as_logits(out):
    """Probabilities, as some programs give them, to logits that mean the same."""
    chances = out.shape[1] > 1 and out.min() >= 0 and bool(((out.sum(dim=1) - 1).abs() < 1e-3).all())
    return out.clamp(min=1e-12).log() if chances else out


def measured(namespace, sound, which):
    """{"loss", and for classes "accuracy", "said", "true", "right": counts by class; else "pairs": (said, true)}."""
    inputs, targets = rows_for(namespace, sound, which)
    out = answers(namespace["model"], inputs)
    if not is_classes(targets):
        out = out.reshape(targets.shape)
        return {"loss": sound["loss_fn"](out, targets).item(), "pairs": torch.stack([out, targets]).tolist()}
    out, said = as_logits(out), out.argmax(dim=1)
    count = functools.partial(torch.bincount, minlength=out.shape[1])
    return {
        "loss": sound["loss_fn"](out, targets).item(),
        "accuracy": (said == targets).double().mean().item(),
        "said": count(said).tolist(),
        "true": count(targets).tolist(),
        "right": count(targets[said == targets]).tolist(),
    }
