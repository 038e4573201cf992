"""The output does not depend on the input."""

import torch
from clinic_programs.planting import around, first_inputs, tensors, with_tensors
from torch.utils.data import TensorDataset


def overwritten_by_zeros(program):
    return around(program, before=torch.zeros_like)


def overwritten_by_noise(program):
    if not first_inputs(program).is_floating_point():
        return None
    return around(program, before=torch.randn_like)


def data_never_filled(program):
    """The array was made and never filled."""
    return with_tensors(program, lambda *parts: (*[torch.zeros_like(x) for x in parts[:-1]], parts[-1]))


def multiplied_by_zero(program):
    """A mask that is 0 everywhere."""
    if not first_inputs(program).is_floating_point():
        return None
    return around(program, before=lambda x: x * 0 + 0.3)


def always_the_first_sample(program):
    """The loop's variable is the index, and not used: every x is the first one."""
    return with_tensors(program, lambda *parts: (*[x[:1].expand_as(x).clone() for x in parts[:-1]], parts[-1]))


def sample_number_mixed_up(program):
    """The dataset gives the inputs of sample 3 whatever it is asked for."""

    def third(data):
        parts = tensors(data)
        return TensorDataset(*[x[3:4].repeat(len(x), *[1] * (x.dim() - 1)) for x in parts[:-1]], parts[-1])

    return program.but(train_data=third(program.train_data))


def one_value_of_many(program):
    """An index too many: everywhere the first value of a sample."""
    x = first_inputs(program)
    if not x.is_floating_point() or x[0].numel() < 12 or len(next(iter(program.train_loader()))) > 2:
        return None
    return around(program, before=lambda x: x.flatten(1)[:, :1].expand(len(x), x[0].numel()).reshape(x.shape))


def all_dropped(program):
    """Dropout with the probability to keep in place of that to drop."""
    if not first_inputs(program).is_floating_point():
        return None
    return around(program, before=lambda x: torch.nn.functional.dropout(x, 1.0))


def batch_of_another_cell(program):
    """The loop goes over the labels; the inputs are still those that were looked at before it."""

    def train(model, loader, loss_fn, optimizer):
        model.train()
        *shown, _ = next(iter(loader))
        total = count = 0
        for *_, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(*(x[: len(y)] for x in shown)), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


FAULTS = [
    batch_of_another_cell,
    overwritten_by_zeros,
    overwritten_by_noise,
    data_never_filled,
    multiplied_by_zero,
    always_the_first_sample,
    sample_number_mixed_up,
    one_value_of_many,
    all_dropped,
]
