"""The first layers hardly move."""

from clinic_programs.planting import first_inputs
from torch import nn


class Deep(nn.Module):
    """Many saturating layers before the model's own first one: (B, F) to (B, F)."""

    def __init__(self, body, features, act):
        super().__init__()
        self.first = nn.Sequential(*[part for _ in range(8) for part in (nn.Linear(features, features), act())])
        self.body = body

    def forward(self, x):
        return self.body(self.first(x.flatten(1)).view_as(x))


def deepened(program, act):
    x = first_inputs(program)
    if not all(p.requires_grad for p in program.make_model().parameters()):
        return None
    if not x.is_floating_point() or x[0].numel() > 256 or len(next(iter(program.train_loader()))) > 2:
        return None
    return program.but(make_model=lambda: Deep(program.make_model(), x[0].numel(), act))


def sigmoids(program):
    return deepened(program, nn.Sigmoid)


FAULTS = [sigmoids]
