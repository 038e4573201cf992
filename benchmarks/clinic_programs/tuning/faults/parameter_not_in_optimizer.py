"""A head that is put in after the optimizer was made."""

from clinic_programs.planting import weights


def last_layer_left_out(program):
    def make_optimizer(model):
        whole = program.make_optimizer(model)
        left_out = {id(p) for p in weights(model)[-1].parameters()}
        groups = [g | {"params": [p for p in g["params"] if id(p) not in left_out]} for g in whole.param_groups]
        return type(whole)([g for g in groups if g["params"]])

    return program.but(make_optimizer=make_optimizer) if len(weights(program.make_model())) > 1 else None


FAULTS = [last_layer_left_out]
