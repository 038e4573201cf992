"""requires_grad is off where it should be on."""

from clinic_programs.unseen.planting import layers, trained, with_model


def frozen(program, chooses):
    """`chooses(model)` gives the parameters; None if none of them trained before, or nothing would train."""

    def change(model):
        for parameter in chooses(model):
            parameter.requires_grad_(False)
        return model

    broken = with_model(program, change)
    before, after = (sum(p.requires_grad for p in each.make_model().parameters()) for each in (program, broken))
    return broken if 0 < after < before and trained(broken) < trained(program) else None


def all_but_the_head(program):
    """As for a pretrained network; but this one has learned nothing yet."""

    def rest(model):
        head = layers(program, model)[-1][2]
        return {*model.parameters()} - {*head.parameters()}

    return frozen(program, rest)


def first_layer(program):
    return frozen(program, lambda model: layers(program, model)[0][2].parameters())


FAULTS = [all_but_the_head, first_layer]
