"""The clinic's detection matrix: of planted bugs how many are found, and named first; of sound programs, false alarms.

Programs are files in clinic_programs/: `tuning/families/*.py` make sound programs (`make(choose)`, each draw differs in
more than its seed), `tuning/faults/*.py` break them (the file's name is the code; each function in `FAULTS` takes a
program and returns it broken, or None where that fault cannot be). The same under `unseen/`: these were written by
somebody who did not see the checks, and no threshold was tuned on them. A new file takes part without further ado.

Every program goes through `preflight`, `check_loop`, and a training with `Monitor`; their findings are one report.
detected: the code is in it. first: it is the first of all. A false alarm: an error in the report of a sound program.
"""

import argparse
import collections
import contextlib
import csv
import importlib.util
import io
import multiprocessing
import random
import signal
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from dlsteps.clinic import Monitor, Report, check_loop, preflight
from dlsteps.clinic.codes import CODES
from dlsteps.tables import table

HERE = Path(__file__).parent
PROGRAMS, RESULTS = HERE / "clinic_programs", HERE / "results"
SETS = ("tuning", "unseen")
DRAWS = 10  # sound programs of a family
SECONDS = 120  # a program that takes longer is stopped, and counts as not detected
ADVICE = {  # may be advice; all others have to be errors to count as detected
    "frozen-by-accident",
    "dead-relu",
    "class-imbalance",
    "not-normalised",
    "channel-order-suspect",
    "bad-initialisation",
    "validation-augmented",
    "unshuffled-training-data",
    "learning-rate-too-low",
    "scheduler-stale",
    "vanishing-gradient",
    "initial-loss-off",
    "overfitting",
}


class Job(NamedTuple):
    family: tuple  # (set, name)
    draw: int
    fault: tuple | None = None  # (set, code, variant)


def load(path):
    spec = importlib.util.spec_from_file_location(f"{path.parent.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files(kind):
    return {(name, path.stem): path for name in SETS for path in sorted((PROGRAMS / name / kind).glob("*.py"))}


def faults():
    """{(set, code, variant): function}"""
    found = {}
    for (name, stem), path in files("faults").items():
        code = stem.replace("_", "-")
        if code not in CODES:
            raise ValueError(f"{path}: unknown code {code!r}")
        found |= {(name, code, function.__name__): function for function in load(path).FAULTS}
    return found


def jobs():
    """All sound programs; and each fault once in each family of its set, in a program of its own."""
    for number, family in enumerate(files("families")):
        yield from (Job(family, draw) for draw in range(DRAWS))
        for shift, fault in enumerate(faults()):
            if fault[0] == family[0]:
                yield Job(family, 100 + number + shift, fault)


def program_of(job):
    """The job's program, or None where the fault cannot be."""
    choose = random.Random(f"{job.family} {job.draw}")
    torch.manual_seed(choose.randrange(2**31))
    program = load(files("families")[job.family]).make(choose)
    return faults()[job.fault](program) if job.fault else program


# One program


def reports(program):
    """{tool: its report}, and the losses of the training on data that were not trained on."""
    model = program.make_model()
    optimizer = program.make_optimizer(model)
    scheduler = program.make_scheduler(optimizer) if program.make_scheduler else None
    train, valid = program.train_loader(), program.valid_loader()
    found = {"preflight": preflight(model, program.loss_fn, train, valid, optimizer, scheduler)}
    loops = program.train_one_epoch, program.evaluate
    found["check_loop"] = check_loop(*loops, program.make_model, program.make_optimizer, train, valid, program.loss_fn)
    found["Monitor"], losses = watched(program, model, optimizer, scheduler, train, valid)
    return found, losses


def watched(program, model, optimizer, scheduler, train, valid):
    """A training with `Monitor`, by hand: its report and the validation losses. It ends where the program fails."""
    last, losses = {}, []

    def listening(output, target):
        last["loss"] = program.loss_fn(output, target)
        return last["loss"]

    with Monitor(say=None).watch(model, optimizer, scheduler) as monitor:
        told = register_optimizer_step_post_hook(lambda *_: "loss" in last and monitor.step(last["loss"].detach()))
        with contextlib.suppress(Exception):
            for _ in range(program.epochs):
                train_loss = program.train_one_epoch(model, train, listening, optimizer)
                scored = program.evaluate(model, valid, program.loss_fn)
                losses.append(float(scored["loss"] if isinstance(scored, dict) else scored))
                if scheduler:
                    program.step_scheduler(scheduler)
                monitor.epoch(train_loss, losses[-1])
        told.remove()
    return monitor.report, losses


def row(job):
    """What became of a job, as a row of the CSV; None where the fault cannot be planted."""
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError(f"{SECONDS} s")))
    signal.alarm(SECONDS)
    start, broken = time.perf_counter(), ""
    found, losses = {}, []
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            program = program_of(job)
            if program is None:
                return None
            found, losses = reports(program)
    except Exception:
        broken = traceback.format_exc(limit=-2)
    signal.alarm(0)
    report = sum(found.values(), Report())
    code = job.fault[1] if job.fault else ""
    return {
        "family_set": job.family[0],
        "family": job.family[1],
        "draw": job.draw,
        "fault_set": job.fault[0] if job.fault else "",
        "code": code,
        "variant": job.fault[2] if job.fault else "",
        "detected": int(detected(report, code)),
        "first": int(first(report, code)),
        "by": " ".join(tool for tool, its in found.items() if detected(its, code)),
        "errors": " ".join(f.code for f in report.findings if f.severity == "error"),
        "findings": " ".join(f.code for f in report.findings),
        "learned": int(len(losses) > 1 and min(losses[1:]) < losses[0]),
        "seconds": f"{time.perf_counter() - start:.1f}",
        "broken": broken.strip().replace("\n", " | "),
        "report": repr(report),
    }


def detected(report, code):
    return any(f.code == code and (f.severity == "error" or code in ADVICE) for f in report.findings)


def first(report, code):
    return bool(report.findings) and report.findings[0].code == code and detected(report, code)


# All of them


def run(wanted, processes):
    torch.set_num_threads(1)
    context = multiprocessing.get_context("forkserver")
    with context.Pool(processes, torch.set_num_threads, (1,), maxtasksperchild=100) as pool:
        for number, one in enumerate(pool.imap(row, wanted), 1):
            if one is not None:
                yield one
            if number % 50 == 0:
                print(f"{number} of {len(wanted)}", flush=True)


def share(rows, key):
    return (
        f"{sum(r[key] for r in rows)}/{len(rows)} ({100 * sum(r[key] for r in rows) / len(rows):.0f} %)" if rows else ""
    )


def alarm_rate(rows):
    alarms = [r for r in rows if r["errors"]]
    return f"{len(alarms)}/{len(rows)} ({100 * len(alarms) / len(rows):.1f} %)" if rows else ""


def summary(rows):
    """Markdown: the three figures for both sets, then a line a code."""
    planted, sound = [r for r in rows if r["code"]], [r for r in rows if not r["code"]]
    by_set = {name: [r for r in planted if r["family_set"] == name] for name in SETS}
    lines = ["|  | detected | named first | false alarms |", "|---|---|---|---|"]
    for name, chosen in by_set.items():
        alarms = alarm_rate([r for r in sound if r["family_set"] == name])
        lines.append(f"| {name} | {share(chosen, 'detected')} | {share(chosen, 'first')} | {alarms} |")
    lines += ["", "| code | " + " | ".join(f"{name}: detected | first" for name in SETS) + " | found by |"]
    lines.append("|---" * (2 + 2 * len(SETS)) + "|")
    for code in CODES:
        cells = []
        for chosen in by_set.values():
            mine = [r for r in chosen if r["code"] == code]
            cells += [share(mine, "detected"), share(mine, "first")]
        tools = collections.Counter(tool for r in planted if r["code"] == code for tool in r["by"].split())
        lines.append(f"| `{code}` | {' | '.join(cells)} | {', '.join(tools)} |")
    return "\n".join(lines)


def write(rows):
    kept = [key for key in rows[0] if key not in ("report", "seconds", "broken")]
    with (RESULTS / "clinic_matrix.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.DictWriter(file, kept, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_tally(rows):
    """For lesson 09: a line a code; for sound programs, code is "", and `named` counts false errors."""
    lines = []
    for name in SETS:
        mine = [r for r in rows if r["family_set"] == name]
        for code in ("", *CODES):
            chosen = [r for r in mine if r["code"] == code]
            named = sum(r["detected"] if code else bool(r["errors"]) for r in chosen)
            lines.append([name, code, len(chosen), named, sum(r["first"] for r in chosen)])
    with (HERE.parent / "data" / "clinic.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["set", "code", "programs", "named", "first"], *lines])


def write_summary(rows):
    """What stands above the first table, how it was measured, stays."""
    file = RESULTS / "clinic_matrix.md"
    before = file.read_text(encoding="utf8").partition("|")[0] if file.exists() else ""
    file.write_text(before + summary(rows) + "\n", encoding="utf8")


def details(rows):
    """What went wrong, one program after the other."""
    for r in rows:
        missed = r["code"] and not r["first"]
        if missed or (not r["code"] and (r["errors"] or not r["learned"])) or r["broken"]:
            print(f"\n{r['family_set']}/{r['family']} {r['draw']}: {r['code'] or 'sound'} {r['variant']}", end=" ")
            print("" if r["code"] or r["learned"] else "DID NOT LEARN", r["broken"])
            print(r["report"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, help="families and faults of this set only")
    parser.add_argument("--family", help="this family only")
    parser.add_argument("--code", nargs="+", help="faults of these codes only; 'sound' for sound programs")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--details", action="store_true", help="print each report that is not as it should be")
    options = parser.parse_args()
    wanted = [
        job for job in jobs()
        if options.set in (None, job.family[0]) and options.family in (None, job.family[1])
        and (options.code is None or (job.fault[1] if job.fault else "sound") in options.code)
    ]  # fmt: skip
    rows = list(run(wanted, options.processes))
    if options.details:
        details(rows)
    if not (options.set or options.family or options.code):
        write(rows)
        write_tally(rows)
        write_summary(rows)
    seconds = sorted(float(r["seconds"]) for r in rows)
    print(table([("programs", str(len(rows))), ("median seconds", f"{seconds[len(seconds) // 2]:.1f}")]))
    print(summary(rows))


if __name__ == "__main__":
    main()
