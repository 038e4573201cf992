"""Gradients of a size that undoes everything."""

import torch
from clinic_programs.planting import after_making, first_inputs, has
from torch import nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def explodes(program, broken):
    """The broken program, if its gradient is far larger than the sound one's: gates may be saturated instead."""
    with torch.enable_grad():
        return broken if gradient(broken) > 30 * gradient(program) else None


def gradient(program):
    torch.manual_seed(0)
    model = program.make_model()
    *x, y = next(iter(program.train_loader()))
    program.loss_fn(model(*x), y).backward()
    return sum(p.grad.pow(2).sum() for p in model.parameters() if p.grad is not None) ** 0.5


def recurrent_weights_too_large(program):
    def enlarge(model):
        for name, p in model.named_parameters():
            if "weight_hh" in name:
                nn.init.normal_(p, std=1.0)

    recurrent = any(isinstance(m, nn.RNNBase) for m in program.make_model().modules())
    return explodes(program, after_making(program, enlarge)) if recurrent else None


def recurrent_weights_somewhat_too_large(program):
    def enlarge(model):
        for name, p in model.named_parameters():
            if "weight_hh" in name:
                p.data.mul_(5)

    recurrent = any(isinstance(m, nn.RNNBase) for m in program.make_model().modules())
    return explodes(program, after_making(program, enlarge)) if recurrent else None


class Repeated(nn.Module):
    """The same matrix thirty times, as a recurrent network without gates: (B, F) to (B, F)."""

    def __init__(self, body, features):
        super().__init__()
        self.again = nn.Linear(features, features)
        nn.init.orthogonal_(self.again.weight, gain=1.4)
        self.body = body

    def forward(self, x):
        rows = x.flatten(1)
        for _ in range(30):
            rows = self.again(rows)
        return self.body(rows.view_as(x))


def the_same_layer_thirty_times(program):
    x = first_inputs(program)
    if not all(p.requires_grad for p in program.make_model().parameters()):
        return None
    if not x.is_floating_point() or x[0].numel() > 256 or len(next(iter(program.train_loader()))) > 2:
        return None
    if has(program, *NORMS, nn.RNNBase):
        return None
    return program.but(make_model=lambda: Repeated(program.make_model(), x[0].numel()))


FAULTS = [
    recurrent_weights_too_large,
    recurrent_weights_somewhat_too_large,
    the_same_layer_thirty_times,
]
