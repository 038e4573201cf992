"""The output does not depend on the sample."""

import torch
from clinic_programs.unseen.planting import Around, has_float_input, output_of, with_model


def mask_inverted(program):
    """The mask has zeros where something is, and so nothing is left."""
    return with_model(program, lambda model: Around(model, before=lambda x: x * (x != x).to(x.dtype)))


def random_input_left_from_a_test(program):
    """x = torch.randn(...) was to try the shapes only."""
    if not has_float_input(program) or len(output_of(program)) < 2:
        return None

    def noise(x):
        return torch.randn_like(x) if x.is_floating_point() else torch.zeros_like(x)

    return with_model(program, lambda model: Around(model, before=noise))


def first_batch_again_and_again(program):
    """The loop uses the variable of the cell above, which holds one batch, and the labels of the right one."""

    def train(model, loader, loss_fn, optimizer):
        model.train()
        *images, _ = next(iter(loader))
        total = count = 0
        for *_, y in loader:

            def closure(y=y):
                optimizer.zero_grad()
                loss = loss_fn(model(*(x[: len(y)] for x in images)), y)
                loss.backward()
                return loss

            total, count = total + optimizer.step(closure).item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


FAULTS = [mask_inverted, random_input_left_from_a_test, first_batch_again_and_again]
