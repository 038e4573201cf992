"""The first layers hardly move."""

from clinic_programs.planting import after_making, first_inputs, has, weights
from torch import nn

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


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


def tanhs_with_small_weights(program):
    """Each layer halves what goes through, and its gradient."""
    broken = None if has(program, *NORMS) else deepened(program, nn.Tanh)
    return broken and after_making(broken, lambda model: [shrink(layer) for layer in weights(model.first)])


def shrink(layer):
    nn.init.normal_(layer.weight, std=0.2 / layer.in_features**0.5)
    nn.init.zeros_(layer.bias)


def hidden_squashed(program):
    """A sigmoid where a layer's outputs are large: it is flat there."""
    layers = weights(program.make_model())
    if len(layers) < 3 or has(program, *NORMS):
        return None
    return after_making(program, lambda model: weights(model)[-2].register_forward_hook(saturate))


def saturate(module, args, output):
    return (8 + output.abs()).sigmoid() * output.sign()


def scaled_down_between(program):
    """What was meant to scale pixels scales each layer's output."""
    layers = weights(program.make_model())
    if len(layers) < 4 or has(program, *NORMS):
        return None

    def hook(module, args, output):
        return output / 25

    return after_making(program, lambda model: [layer.register_forward_hook(hook) for layer in weights(model)[:-1]])


FAULTS = [sigmoids, tanhs_with_small_weights, hidden_squashed, scaled_down_between]
