"""Loops that are right, as different people write them. Batches are (x, y), or (x1, x2, y)."""

import torch


def train(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for *x, y in loader:
        loss = loss_fn(model(*x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


def train_clipped(model, loader, loss_fn, optimizer):
    model.train()
    losses = []
    for *x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(*x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses += [loss.item()] * len(y)
    return sum(losses) / len(losses)


def train_cleared_afterwards(model, loader, loss_fn, optimizer):
    model.train()
    model.zero_grad()
    total = torch.zeros(())
    for *x, y in loader:
        loss = loss_fn(model(*x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        total += loss.detach() * len(y)
    return float(total) / len(loader.dataset)


def train_by_closure(model, loader, loss_fn, optimizer):
    model.train()
    total = count = 0
    for *x, y in loader:

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = loss_fn(model(*x), y)
            loss.backward()
            return loss

        total, count = total + optimizer.step(closure).item() * len(y), count + len(y)
    return total / count


def train_two_batches_a_step(model, loader, loss_fn, optimizer):
    """Gradients of two batches are averaged before each step, on purpose."""
    model.train()
    total = count = 0
    optimizer.zero_grad()
    for number, (*x, y) in enumerate(loader, 1):
        loss = loss_fn(model(*x), y)
        (loss / 2).backward()
        if number % 2 == 0 or number == len(loader):
            optimizer.step()
            optimizer.zero_grad()
        total, count = total + loss.item() * len(y), count + len(y)
    return total / count


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    model.eval()
    total = count = 0
    for *x, y in loader:
        total, count = total + loss_fn(model(*x), y).item() * len(y), count + len(y)
    return total / count


def evaluate_all_at_once(model, loader, loss_fn):
    """Outputs are collected first, and compared at the end; the mode is put back."""
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        outputs, targets = zip(*((model(*x), y) for *x, y in loader), strict=True)
    model.train(was_training)
    return {"loss": loss_fn(torch.cat(outputs), torch.cat(targets)).item()}


@torch.no_grad()
def evaluate_with_accuracy(model, loader, loss_fn):
    """For classes alone."""
    model.eval()
    total = right = count = samples = 0
    for *x, y in loader:
        logits = model(*x)
        total += loss_fn(logits, y).item() * len(y)
        right += (logits.argmax(dim=1) == y).sum().item()
        count, samples = count + y.numel(), samples + len(y)
    return {"loss": total / samples, "accuracy": right / count}
