"""Saving and loading: is all that decides the output in state_dict()?"""

import io

import torch

from dlsteps.clinic.preflight_checks.case import attempt
from dlsteps.clinic.preflight_checks.network import answers, differ
from dlsteps.clinic.preflight_checks.trial import train_on
from dlsteps.clinic.preflight_checks.wiring import inner_tensors
from dlsteps.clinic.report import Finding, Skip, listed

DIFFERENT = 1e-4  # relative; what is loaded is the same number for number
LEAST_NUMBERS = 8  # of a plain tensor, to say that it looks random


def save_load_differs(case, few, other):
    """What a few steps of training change has to be saved; what was drawn at random, too."""
    trained, loss_fn, optimizer = case.copies()
    weights = [p for p in trained.parameters() if p.requires_grad]
    optimizer = optimizer or (torch.optim.SGD(weights, lr=1e-3) if weights else None)
    if optimizer is not None:
        train_on(trained, loss_fn, optimizer, [few], steps=5)
    loaded = case.copies()[0]
    file = io.BytesIO()
    attempt("saving", torch.save, trained.state_dict(), file)
    file.seek(0)
    attempt("loading", loaded.load_state_dict, torch.load(file, weights_only=True))
    before = answers(trained, few)
    answers(loaded, other)  # whatever is made from the first batch, it is made from another one here
    after = answers(loaded, few)
    if not (torch.isfinite(before).all() and torch.isfinite(after).all()):
        raise Skip("the output is not finite after some steps")
    if differ(answers(trained, few), before) > DIFFERENT:
        raise Skip("the output differs from one call to the next, also in eval mode")
    if differ(before, after) > DIFFERENT:
        moved = changed(trained, loaded)
        which = f" ({listed(moved)})" if moved else ""
        message = f"Trained for 5 steps, saved and loaded, the output differs by {differ(before, after):.1%}: not all that decides it is in state_dict(){which}."  # noqa: E501
        yield Finding("save-load-differs", "error", message, {"change": differ(before, after), "not_saved": moved})
        return
    random = [name for name, tensor in unsaved(case.model) if looks_random(tensor) and decides(case.model, tensor, few)]
    if random:
        message = f"The output depends on {listed(random)}, which look random and are not in state_dict()."
        yield Finding("save-load-differs", "advice", message, {"not_saved": random})


def unsaved(model):
    """(name, tensor) of floats that the model keeps and does not save; buffers with persistent=False, too."""
    saved = {value.data_ptr() for value in model.state_dict().values() if isinstance(value, torch.Tensor)}
    found = [*inner_tensors(model).values(), *((n, b) for n, b in model.named_buffers() if b.data_ptr() not in saved)]
    return [(name, tensor) for name, tensor in found if tensor.is_floating_point() and tensor.numel()]


def changed(trained, loaded):
    """Names of unsaved tensors that training has moved."""
    before = dict(unsaved(loaded))
    now = dict(unsaved(trained))
    return sorted(
        n for n, t in now.items() if n not in before or t.shape != before[n].shape or not torch.equal(t, before[n])
    )


def decides(model, tensor, few):
    """Does the output change with it? Tried out, and put back."""
    before, saved = answers(model, few), tensor.detach().clone()
    with torch.no_grad():
        tensor.copy_(saved + saved.std() * torch.randn_like(saved))
        try:
            return differ(before, answers(model, few)) > DIFFERENT
        finally:
            tensor.copy_(saved)


def looks_random(tensor):
    """All values different, and neighbours unrelated in each dimension: no table of sines, no mask, no constants."""
    t = tensor.detach().double()
    if t.numel() < LEAST_NUMBERS or len(t.unique()) < 0.99 * t.numel():
        return False
    t = (t - t.mean()) / t.std()
    limit = 3 / t.numel() ** 0.5
    lags = [(t.narrow(d, 1, n - 1) * t.narrow(d, 0, n - 1)).mean() for d, n in enumerate(t.shape) if n > 2]
    rising = t.flatten().diff()
    return all(abs(lag) < max(limit, 0.1) for lag in lags) and not (rising > 0).all() and not (rising < 0).all()
