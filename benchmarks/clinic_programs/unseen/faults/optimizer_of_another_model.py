"""The optimizer has the weights of a model that is not trained."""

import copy


def of_the_model_before(program):
    """The cell with the model was run again, the one with the optimizer was not."""
    return program.but(make_optimizer=lambda model: program.make_optimizer(program.make_model()))


def of_a_copy(program):
    """A copy was made to keep the best weights, and the wrong one was trained."""
    return program.but(make_optimizer=lambda model: program.make_optimizer(copy.deepcopy(model)))


FAULTS = [of_the_model_before, of_a_copy]
