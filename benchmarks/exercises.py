"""How good the exercises' checks are: right answers accepted, wrong ones rejected for the right reason, and mutants.

For each exercise: other right answers and wrong ones, from tests/exercises; and the solution with one small mistake put
in automatically, in every place and way (swapped operators, off by one, dropped lines …). A mutant that passes is
shown: either it is right all the same, then tests/exercises says why, or the check is too weak. Bars: all right answers
accepted, at least 95 % of the mutants rejected or shown to be right, a check answers in less than 1 s.
"""

import argparse
import importlib
import sys
import time

from dlsteps.authoring.editions import ROOT
from dlsteps.authoring.mutants import define, make_mutants, read_solutions, survivors
from dlsteps.exercises.engine import RIGHT, WRONG, assess, lessons

sys.path.insert(0, str(ROOT / "tests"))


def measure(number, source, names, answers):
    """One row of the table, and the mutants that survived."""
    start = time.perf_counter()
    accepted = [assess(number, answer).mark == RIGHT for answer in (define(source, names), *answers.RIGHT[number])]
    each = (time.perf_counter() - start) / len(accepted)
    rejected = [(o.mark, o.idea) == (WRONG, idea) for _, a, idea in answers.WRONG[number] for o in [assess(number, a)]]
    known = answers.EQUIVALENT.get(number, {})
    mutants = make_mutants(source)
    left = survivors(number, mutants, names, known)
    row = (number, accepted, rejected, len(mutants), len(known), len(mutants) - len(left), each)
    return row, left


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("exercise  right accepted  wrong named  mutants  of these right  rejected or right  seconds a check")
    total = killed = 0
    for lesson, module in lessons().items():
        answers, solutions = importlib.import_module(f"exercises.ch{lesson}"), read_solutions(lesson)
        for number in module.EXERCISES:
            row, left = measure(number, *solutions[number], answers)
            _, accepted, rejected, mutants, known, good, each = row
            print(
                f"{number:8}  {sum(accepted):6} of {len(accepted):<5}  {sum(rejected):4} of {len(rejected):<4}"
                f"  {mutants:7}  {known:14}  {good:10} {good / mutants:6.1%}  {each:15.3f}",
                flush=True,
            )
            for mutant in left:
                print(f"          passes: {mutant.change}")
            total, killed = total + mutants, killed + good
    print(f"all: {killed} of {total} mutants rejected or shown to be right, {killed / total:.1%}")


if __name__ == "__main__":
    main()
