"""One league table: what each lesson's step did to the agent's score in the game."""

import csv

from dlsteps.data.paths import data_path
from dlsteps.tables import table


def league(lesson):
    """Print the table's rows up to a lesson, "00" … "17". `data/README.md` names the benchmark behind each row."""
    with open(data_path("league.csv"), encoding="utf8", newline="") as file:
        heading, *rows = csv.reader(file)
    rows = [row for row in rows if row[0] <= lesson]
    print(table([heading, *rows]))
