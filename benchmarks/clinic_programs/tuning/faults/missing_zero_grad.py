"""Gradients of all steps add up."""


def never(program):
    def train(model, loader, loss_fn, optimizer):
        model.train()
        total = count = 0
        for *x, y in loader:
            loss = loss_fn(model(*x), y)
            loss.backward()
            optimizer.step()
            total, count = total + loss.item() * len(y), count + len(y)
        return total / count

    return program.but(train_one_epoch=train)


FAULTS = [never]
