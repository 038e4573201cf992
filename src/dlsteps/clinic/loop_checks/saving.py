"""Does what was trained survive? A new model loads the trained one's state dict, and has to say the same."""

import torch

from dlsteps.clinic.loop_checks.pieces import frozen, rows, take
from dlsteps.clinic.nested import tensors
from dlsteps.clinic.report import Finding, Skip
from dlsteps.clinic.sandbox import untouched
from dlsteps.seed import seed_everything
from dlsteps.training.batches import split_batch, to_device

SAMPLES = 8
DIFFERENT = 1e-4  # relative; what is loaded is the same number for number


def save_load_differs(make_model, trained, pool):
    """`pool`: a batch of samples, on any device."""
    seed_everything(1)  # what is drawn at random and not saved is then another
    fresh = make_model()
    if fresh is trained:
        raise Skip("make_model returns the same model each time")
    fresh.load_state_dict(trained.state_dict())
    batch = frozen(take(pool, range(min(SAMPLES, rows(pool)))))
    before, again, after = (answers(model, batch) for model in (trained, trained, fresh))
    if not torch.equal(before, again):
        raise Skip("the output differs from one call to the next, also in eval mode")
    change = float((after - before).abs().max() / before.abs().max().clamp(min=1e-12))
    if change > DIFFERENT:
        message = (
            f"A new model of make_model() that has loaded what was saved says something else, by {change:.1%} of the "
            "largest value: not all that decides the output is in state_dict()."
        )
        yield Finding("save-load-differs", "error", message, {"change": change})


def answers(model, batch):
    """The output in eval mode, as one vector."""
    device = next((t.device for t in [*model.parameters(), *model.buffers()]), torch.device("cpu"))
    inputs, named, _ = split_batch(to_device(batch, device))
    with untouched(model), torch.no_grad():
        model.eval()
        found = tensors(model(*inputs, **named))
    return torch.cat([t.detach().double().cpu().flatten() for t in found if t.is_floating_point()])
