"""After the evaluation it is another model."""

import torch


def with_an_optimizer_of_its_own(program):
    """Copied from the training, step and all."""

    def evaluate(model, loader, loss_fn):
        model.eval()
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
        total = count = 0
        for *x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(*x), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(evaluate=evaluate)


def rounded_to_half(program):
    """To know how the small file will do, weights are rounded; the originals are not kept."""

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        model.to(torch.bfloat16).to(torch.float32)
        total = count = 0
        for *x, y in loader:
            total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
        return {"loss": total / count}

    return program.but(evaluate=evaluate)


FAULTS = [with_an_optimizer_of_its_own, rounded_to_half]
