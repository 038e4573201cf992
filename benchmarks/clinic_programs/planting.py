"""Small wrappers that several faults plant a bug with."""

import copy

import torch
from torch import nn
from torch.utils.data import Dataset, TensorDataset


def tensors(dataset):
    """All samples of a dataset as tensors: [x, …, y]."""
    return [torch.stack([torch.as_tensor(part) for part in column]) for column in zip(*dataset, strict=True)]


def with_tensors(program, change):
    """The program with `change(x, …, y)` applied to its training and its validation data."""
    parts = [TensorDataset(*change(*tensors(data))) for data in (program.train_data, program.valid_data)]
    return program.but(train_data=parts[0], valid_data=parts[1])


def after_making(program, change):
    """The program with `change(model)` applied to each new model."""

    def make_model():
        model = program.make_model()
        change(model)
        return model

    return program.but(make_model=make_model)


class Around(nn.Module):
    """A model with something done to its inputs or its output."""

    def __init__(self, body, before=None, after=None):
        super().__init__()
        self.body, self.before, self.after = body, before, after

    def forward(self, *x):
        x = [self.before(part) for part in x] if self.before else x
        output = self.body(*x)
        return self.after(output) if self.after else output


def around(program, before=None, after=None):
    return program.but(make_model=lambda: Around(program.make_model(), before, after))


class Changed(Dataset):
    """A dataset whose samples are changed each time they are read: `change(x, …, y)`."""

    def __init__(self, dataset, change):
        self.dataset, self.change = dataset, change

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, i):
        return self.change(*self.dataset[i])


def first_inputs(program):
    return next(iter(program.valid_loader()))[0]


def weights(model):
    """Layers with a matrix of weights that train, in order; without attention's last one, which is never called."""
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
    inside = {id(m.out_proj) for m in model.modules() if isinstance(m, nn.MultiheadAttention)}
    return [m for m in model.modules() if isinstance(m, kinds) and m.weight.requires_grad and id(m) not in inside]


def has(program, *kinds):
    return any(isinstance(module, kinds) for module in program.make_model().modules())


def with_rate(program, times):
    """The optimizer's rates times something."""

    def make_optimizer(model):
        optimizer = program.make_optimizer(model)
        for group in optimizer.param_groups:
            group["lr"] *= times
        return optimizer

    return program.but(make_optimizer=make_optimizer)


def copied(model):
    return copy.deepcopy(model)
