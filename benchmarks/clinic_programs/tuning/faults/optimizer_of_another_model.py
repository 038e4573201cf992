"""The optimizer has the weights of a model that nobody uses."""


def of_a_second_model(program):
    return program.but(make_optimizer=lambda model: program.make_optimizer(program.make_model()))


FAULTS = [of_a_second_model]
