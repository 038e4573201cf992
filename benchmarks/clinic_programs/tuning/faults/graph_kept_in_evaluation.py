"""Evaluation without no_grad."""


def no_no_grad(program):
    def evaluate(model, loader, loss_fn):
        model.eval()
        total = count = 0
        for *x, y in loader:
            total, count = total + loss_fn(model(*x), y) * len(y), count + len(y)
        return float(total) / count

    return program.but(evaluate=evaluate)


FAULTS = [no_no_grad]
