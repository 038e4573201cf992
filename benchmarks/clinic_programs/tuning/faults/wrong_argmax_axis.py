"""The best sample of each class in place of the best class of each sample."""

import torch


def dimension_0(program):
    y = next(iter(program.valid_loader()))[-1]
    if program.task != "classes" or y.dim() > 1:
        return None

    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        total = right = count = 0
        for *x, y in loader:
            logits = model(*x)
            total += loss_fn(logits, y).item() * len(y)
            right += (logits.softmax(dim=0).argmax(dim=1) == y).sum().item()
            count += len(y)
        return {"loss": total / count, "accuracy": right / count}

    def evaluate_by_rows(model, loader, loss_fn):
        return evaluate(model, loader, loss_fn)

    return program.but(evaluate=evaluate_by_rows)


FAULTS = [dimension_0]
