"""What several faults need: to look at a program, and to change its model, its data or its loops."""

import copy
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

LAYERS = nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Embedding
CLOSED = nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer  # use their layers' weights


class Mapped(Dataset):
    """`change(sample, index)` for each sample of a dataset."""

    def __init__(self, data, change):
        self.data, self.change = data, change

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.change(self.data[index], index)


class Around(nn.Module):
    """A model with `before(x)`, each of its inputs, and `after(output)`."""

    def __init__(self, body, before=lambda x: x, after=lambda output: output):
        super().__init__()
        self.body, self.before, self.after = body, before, after

    def forward(self, *x):
        return self.after(self.body(*map(self.before, x)))


def with_both(program, change):
    """Training and validation data changed in the same way."""
    return program.but(train_data=Mapped(program.train_data, change), valid_data=Mapped(program.valid_data, change))


def on_inputs(change):
    """A `change` for `Mapped`: of each input that is float."""
    return lambda sample, index: (*(change(x) if x.is_floating_point() else x for x in sample[:-1]), sample[-1])


def on_label(change):
    return lambda sample, index: (*sample[:-1], change(sample[-1]))


def with_model(program, change):
    """`change(model)` gives the broken model."""
    return program.but(make_model=lambda: change(program.make_model()))


def batch(program, count=16):
    *x, y = next(iter(DataLoader(program.valid_data, count)))
    return x, y


def labels(data):
    return torch.stack([torch.as_tensor(data[index][-1]) for index in range(len(data))])


def has_float_input(program):
    return any(x.is_floating_point() for x in batch(program)[0])


def by_closure(program):
    """Whether the optimizer has to evaluate the loss itself."""
    return isinstance(program.make_optimizer(program.make_model()), torch.optim.LBFGS)


@torch.no_grad()
def output_of(program, model=None):
    x, _ = batch(program)
    return (model or program.make_model()).eval()(*x)


@torch.no_grad()
def first_loss(program):
    x, y = batch(program, 64)
    return program.loss_fn(program.make_model().train()(*x), y).item()


def works(program):
    """Whether a forward pass and the loss go through, with a finite number."""
    try:
        return math.isfinite(first_loss(program))
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
        return False


def trains(program):
    """Whether an epoch goes through without an exception, which any learner would see."""
    model = program.make_model()
    try:
        program.train_one_epoch(model, program.train_loader(), program.loss_fn, program.make_optimizer(model))
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError):
        return False
    return True


def progress(program, broken):
    """How far the broken program's validation loss falls, as a share of the sound one's way."""
    sound, found = losses(program), losses(broken)
    return (found[0] - found[-1]) / (sound[0] - sound[-1])


def varied(program):
    """Whether the outputs still differ from sample to sample."""
    output = output_of(program).flatten(1)
    return output.std(dim=0).max() > 1e-3 * output.abs().max()


def mode_matters(program):
    model = program.make_model()
    x, _ = batch(program)
    with torch.no_grad():
        return not torch.allclose(copy.deepcopy(model).train()(*x), model.eval()(*x), rtol=1e-3, atol=1e-3)


def look(program, model):
    """A forward pass that changes nothing, for the sake of the hooks."""
    training = {module: module.training for module in model.modules()}
    with torch.no_grad():
        model.eval()(*batch(program)[0])
    for module, mode in training.items():
        module.training = mode


def layers(program, model):
    """[(parent, name, layer)] of the layers that may be exchanged for others, in the order in which they are used."""
    places, used = {}, []
    for parent in model.modules():
        if not isinstance(parent, CLOSED):
            places |= {child: (parent, name) for name, child in parent.named_children() if isinstance(child, LAYERS)}
    hooks = [layer.register_forward_hook(lambda layer, *_: used.append(layer)) for layer in places]
    look(program, model)
    for hook in hooks:
        hook.remove()
    return [(*places[layer], layer) for layer in dict.fromkeys(used)]


def exchange(place, new):
    parent, name, _ = place
    setattr(parent, name, new)


def before_head(program, make):
    """The program with `make(layer of its kind and width)` before the last layer; None if it has none."""

    def change(model):
        place = layers(program, model)[-1]
        exchange(place, nn.Sequential(*make(like(place[2])), place[2]))
        return model

    found = layers(program, program.make_model())
    return with_model(program, change) if found and like(found[-1][2]) else None


def like(layer):
    """A function that makes layers of the kind of a head which keep the width, and the width; None for other kinds."""
    if isinstance(layer, nn.Linear):
        return (lambda: nn.Linear(layer.in_features, layer.in_features)), layer.in_features
    if isinstance(layer, (nn.Conv1d, nn.Conv2d)) and set(layer.kernel_size) == {1}:
        return (lambda: type(layer)(layer.in_channels, layer.in_channels, 1)), layer.in_channels
    return None


def trained(program):
    """The names of the parameters that get a gradient."""
    x, y = batch(program)
    model = program.make_model()
    program.loss_fn(model(*x), y).backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}


def with_rate(program, change):
    """`change(rate)` for all groups of the optimizer; and no scheduler."""

    def make_optimizer(model):
        optimizer = program.make_optimizer(model)
        for group in optimizer.param_groups:
            group["lr"] = change(group["lr"])
        return optimizer

    return program.but(make_optimizer=make_optimizer, make_scheduler=None)


def losses(program):
    """The validation losses of a training, the untrained network's first."""
    model = program.make_model()
    optimizer = program.make_optimizer(model)
    scheduler = program.make_scheduler(optimizer) if program.make_scheduler else None
    train, valid = program.train_loader(), program.valid_loader()
    found = [value(program.evaluate(model, valid, program.loss_fn))]
    for _ in range(program.epochs):
        program.train_one_epoch(model, train, program.loss_fn, optimizer)
        found.append(value(program.evaluate(model, valid, program.loss_fn)))
        if scheduler:
            program.step_scheduler(scheduler)
    return found


def value(scored):
    return float(scored["loss"] if isinstance(scored, dict) else scored)
