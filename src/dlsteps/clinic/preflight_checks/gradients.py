"""Checks of what the loss says to the weights: gradients that are cut off, zero, tiny or huge."""

import torch

from dlsteps.clinic.preflight_checks.case import FEW, first, forward, gradients, loss_of, rows
from dlsteps.clinic.preflight_checks.losses import is_best, know_nothing
from dlsteps.clinic.preflight_checks.network import differ
from dlsteps.clinic.report import Finding, Skip, listed

LOOKS = 3  # batches; what is zero in all of them is not so by chance
VANISHED = 5e-3  # first layers' gradients, measured by the largest: sound networks stay above 0.1
EXPLODED = 3e3  # gradient of all weights for a gradient of 1 at the output; sound networks have 0.4 to 30
FAR_OFF = 5.0  # the same for classes, for an error
LOSS_OFF = 2.0  # times the loss of a network that knows nothing, for classes; the usual initialisations give 1.0 to 1.5
ERROR_OFF = 10.0  # the same, for numbers: squares exaggerate


def looks(case, model):
    """[(output, loss, {name: gradient or None})] of the first few batches, in train mode."""
    found = []
    for batch in case.batches[:LOOKS]:
        few = first(batch, FEW) if batch.size > FEW else batch
        output, loss = case.loss(few, model)
        trains = {name: p for name, p in model.named_parameters() if p.requires_grad}
        wanted = gradients(loss, trains) if loss.requires_grad and trains else dict.fromkeys(trains)
        found.append((output, loss.detach(), wanted))
    return found


def changes_output(model, wanted, few):
    """Do these parameters take part in the output? Tried out, and put back."""
    parameters = {name: p for name, p in model.named_parameters() if name in wanted}
    saved = {name: p.detach().clone() for name, p in parameters.items()}
    with torch.no_grad():
        before = rows(forward(model, few), few.size)
        for p in parameters.values():
            p.add_(torch.randn_like(p) * (p.std() if p.numel() > 1 else 0) + torch.randn_like(p))
        try:
            after = rows(forward(model, few), few.size)
        finally:
            for name, p in parameters.items():
                p.copy_(saved[name])
    return differ(before, after) > 1e-7 or not torch.isfinite(after).all()


def by_layer(parameters):
    layers = {}
    for name in parameters:
        layers.setdefault(name.rpartition(".")[0], []).append(name)
    return layers


def without_gradient(model, few, found, held=None):
    """(layers that decide the output, layers that do not), both without any gradient; {layer: its parameters}.

    `held`: names of what the optimizer moves; what it does not is left alone on purpose, or found otherwise.
    """
    missing = [name for name in found[0][2] if all(look[2][name] is None for look in found)]
    missing = [name for name in missing if held is None or name in held]
    cut, unused = {}, {}
    for layer, parameters in by_layer(missing).items():
        (cut if changes_output(model, parameters, few) else unused)[layer] = parameters
    return cut, unused


def detached_graph(found, cut):
    """No gradient at all; or none for weights that the output depends on."""
    output, loss, wanted = found[0]
    some = any(gradient is not None for gradient in wanted.values())
    if not wanted:
        return
    if not some and cut:
        connected = isinstance(output, torch.Tensor) and output.requires_grad
        where = "in the loss: the output still has a graph" if connected else "in forward(): the output has no graph"
        message = f"The loss has no gradient for any of {len(wanted)} parameters; it is cut {where}."
        yield Finding(
            "detached-graph", "error", message, {"cut_in": "loss" if connected else "model", "of": len(wanted)}
        )
    elif cut:
        parameters = listed([name for layer in cut.values() for name in layer])
        message = f"The output depends on {parameters}, but no gradient comes there."
        yield Finding("detached-graph", "error", message, {"layers": list(cut)})


def no_gradient(found, unused, later, held=None):
    """Layers that are not used, and layers whose gradients are all 0, at the start and after some steps (`later`)."""
    if unused and len(unused) < len(by_layer(found[0][2])):
        parameters = [name for layer in unused.values() for name in layer]
        often = f"{len(found)} of {len(found)} batches"
        message = f"{listed(parameters)} get no gradient in {often}: the output does not use them."
        yield Finding("no-gradient", "error", message, {"parameters": parameters})
    zero = []
    for parameters in by_layer(found[0][2]).values():
        grads = [look[2][name] for look in (*found, *later) for name in parameters]
        mine = held is None or set(parameters) <= held
        if mine and all(g is not None and not g.any() for g in grads):
            zero += parameters
    if zero:
        message = (
            f"The gradient of {listed(zero)} is 0 in {len(found) + len(later)} of {len(found) + len(later)} batches."
        )
        yield Finding("no-gradient", "error", message, {"parameters": zero})


def norms(found, order):
    """[(name, norm)] of the gradients of matrices, as the forward pass comes to them; the mean over the batches."""
    sizes = {}
    for _, _, wanted in found:
        for name, gradient in wanted.items():
            if gradient is not None and gradient.ndim > 1:
                sizes[name] = sizes.get(name, 0.0) + gradient.norm().item() / len(found)
    return [(name, sizes[name]) for name in order if name in sizes]


def vanishing_gradient(found, order):
    """The first layers' gradients are tiny beside the largest."""
    sizes = [(name, size) for name, size in norms(found, order) if size > 0]
    if len(sizes) < 3:
        raise Skip("fewer than three layers")
    early = sizes[: max(1, len(sizes) // 3)]
    name, size = max(early, key=lambda pair: pair[1])
    largest_name, largest = max(sizes, key=lambda pair: pair[1])
    if size < VANISHED * largest:
        message = f"The gradient of `{name}` is {size:.2g}, that of `{largest_name}` {largest:.2g}."
        yield Finding("vanishing-gradient", "advice", message, {"first": size, "largest": largest})


def exploding_gradient(found, case, scale):
    """A gradient that is not finite, or huge for what the loss wants of the output. `scale`: of the inputs."""
    sizes = []
    for (_, loss, wanted), batch in zip(found, case.batches, strict=False):
        total = sum(g.double().pow(2).sum() for g in wanted.values() if g is not None) ** 0.5
        if not torch.isfinite(torch.as_tensor(total)) or not torch.isfinite(loss):
            message = (
                f"At the start, with finite inputs, the loss is {loss.item():.3g} and its gradient {float(total):.3g}."
            )
            yield Finding("exploding-gradient", "error", message, {"loss": str(loss.item()), "norm": str(float(total))})
            return
        sizes.append((float(total), at_output(case, first(batch, FEW) if batch.size > FEW else batch)))
    factor = min(total / max(end, 1e-12) / max(1.0, scale) for total, end in sizes)
    if factor > EXPLODED:
        total = min(size for size, _ in sizes)
        message = f"At the start the gradient of all weights is {total:.3g}, {factor:.2g} times that of the output."
        yield Finding("exploding-gradient", "error", message, {"norm": total, "times_output": factor})


def at_output(case, few):
    """The norm of the loss's gradient at the output."""
    output, loss = case.loss(few)
    if not isinstance(output, torch.Tensor) or not loss.requires_grad or not output.requires_grad:
        raise Skip("the output is not one tensor with a gradient")
    return torch.autograd.grad(loss, output)[0].double().norm().item()


def initial_loss_off(case, kind):
    """The loss is far above that of an answer that knows nothing of the input."""
    output, loss = case.loss(case.batch)
    output = output.detach() if isinstance(output, torch.Tensor) else output
    if kind in ("softmax", "sigmoid"):
        reference, limit = loss_of(case.loss_fn, torch.zeros_like(output), case.batch.target).item(), LOSS_OFF
        known = f"if all answers were held equally likely, it would be {reference:.3g}"
    else:
        every = torch.cat([batch.target for batch in case.batches])  # one batch may hold few of them
        answer = know_nothing(output, case.batch.target, kind)
        if not is_best(case.loss_fn, case.batch.target, kind):
            raise Skip("the loss does not want the targets themselves")
        answer = every.to(answer).mean(dim=0).expand_as(answer) if every.is_floating_point() else answer
        reference, limit = loss_of(case.loss_fn, answer, case.batch.target).item(), ERROR_OFF
        known = f"always answering the mean would give {reference:.3g}"
    if reference > 0 and loss.item() > limit * reference:
        message = f"The loss at the start is {loss.item():.3g}; {known}."
        clear = kind in ("softmax", "sigmoid") and loss.item() > FAR_OFF * reference
        evidence = {"loss": loss.item(), "reference": reference}
        yield Finding("initial-loss-off", "error" if clear else "advice", message, evidence)
