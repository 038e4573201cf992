"""Answers to the exercises, right and wrong, one module a lesson; never part of a class edition.

RIGHT: {exercise: answers that differ from the solution and are as right}
WRONG: {exercise: [(the misconception, an answer that has it, the idea that the check has to name)]}
EQUIVALENT: {exercise: {a changed line of the solution: why it is still right}}, for the mutants
"""
