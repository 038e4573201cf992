"""The mean over batches, where a short last one counts as much as a full one."""

import torch


def uneven(program, data):
    return len(data) % program.batch_size != 0


def mean_of_means(program):
    def train(model, loader, loss_fn, optimizer):
        model.train()
        losses = []
        for *x, y in loader:
            loss = loss_fn(model(*x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    return program.but(train_one_epoch=train) if uneven(program, program.train_data) else None


def in_evaluation(program):
    @torch.no_grad()
    def evaluate(model, loader, loss_fn):
        model.eval()
        return torch.stack([loss_fn(model(*x), y) for *x, y in loader]).mean().item()

    return program.but(evaluate=evaluate) if uneven(program, program.valid_data) else None


FAULTS = [mean_of_means, in_evaluation]
