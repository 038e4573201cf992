"""Runs the gallery's programs, sound and broken, and stores what lesson 09 draws of them.

Two minutes. Writes src/dlsteps/clinic/gallery/records.json. For each case it prints what the clinic says first, and
how far its model and its numbers are from the sound program's.
"""

import json

import torch

from dlsteps.clinic.gallery import CASES, run
from dlsteps.clinic.gallery.case import program_text
from dlsteps.clinic.gallery.judge import compare, examine
from dlsteps.clinic.gallery.record import FILE
from dlsteps.tables import table


def main():
    torch.set_num_threads(1)
    sound = {name: run(program_text(name), name) for name in sorted({case.program for case in CASES})}
    broken = {case.number: run(case.text, case.program) for case in CASES}
    records = {
        "programs": {name: record.stored() for name, record in sound.items()},
        "cases": {str(number): record.stored() for number, record in broken.items()},
    }
    FILE.write_text(json.dumps(records, separators=(",", ":")) + "\n", encoding="utf8")
    rows = [("case", "code", "the clinic, first", "judged", "loss", "sound", "accuracy")]
    for case in CASES:
        record, reference = broken[case.number], sound[case.program]
        named = examine(record).findings
        rows.append((
            str(case.number), case.code, named[0].code if named else "", compare(case, record, reference)[0],
            f"{record.true_loss:.2f}", f"{reference.true_loss:.2f}", str(record.true_accuracy or ""),
        ))  # fmt: skip
    print(table(rows))
    print(f"{FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
