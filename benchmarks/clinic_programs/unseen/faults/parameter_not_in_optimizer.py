"""The optimizer has some of the parameters only."""

from clinic_programs.unseen.planting import layers


def without(program, forgets):
    """The program whose optimizer lacks what `forgets(model)` gives; None if that is nothing or all."""

    def make_optimizer(model):
        optimizer = program.make_optimizer(model)
        forgotten = {id(p) for p in forgets(model)}
        for group in optimizer.param_groups:
            group["params"][:] = [p for p in group["params"] if id(p) not in forgotten]
        return optimizer

    def count(optimizer):
        return sum(p.requires_grad for group in optimizer.param_groups for p in group["params"])

    model = program.make_model()
    left, whole = count(make_optimizer(model)), count(program.make_optimizer(model))
    return program.but(make_optimizer=make_optimizer) if 0 < left < whole else None


def biases_forgotten(program):
    """Two groups were meant, with and without weight decay; the second got lost."""
    return without(program, lambda model: [p for p in model.parameters() if p.ndim == 1])


def head_alone(program):
    """From a notebook about transfer, where the rest was trained already."""

    def rest(model):
        head = layers(program, model)[-1][2]
        return {*model.parameters()} - {*head.parameters()}

    return without(program, rest)


FAULTS = [biases_forgotten, head_alone]
