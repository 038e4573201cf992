"""What `Monitor` concludes after an epoch: one function a check, from a `Seen` to findings."""

from dlsteps.clinic.report import Finding

PATIENCE = 3  # epochs in a row in which the validation loss is above its best
ABOVE = 1.02  # by so much: below, it is up and down
FADED = 1e-4  # of the first learning rate; a cosine's last epoch is above that


def scheduler_stale(seen):
    last = seen.epochs[-1]
    if last["scheduled"] == 0 and len(seen.epochs) >= 2 and last["updates"] > seen.epochs[0]["updates"]:
        message = (
            f"scheduler.step() was not called in {len(seen.epochs)} epochs; the rate is {last['rate']:.3g} as ever"
        )
        yield Finding("scheduler-stale", "error", message, {"epochs": len(seen.epochs), "rate": last["rate"]})
    elif last["total"] and len(seen.epochs) == 2 and 0 < last["scheduled"] <= 2 and last["updates"] >= 50:
        message = f"A schedule of {last['total']} steps has come to step {last['scheduled']} after 2 epochs"
        fix = "This kind of scheduler steps after each optimizer.step(), not once an epoch."
        yield Finding("scheduler-stale", "advice", message, {"rate": last["rate"]}, fix)


def no_step(seen):
    if seen.updates == 0 and seen.steps >= 5:
        message = f"The optimizer that is watched made no step in an epoch of {seen.steps}"
        fix = "Call optimizer.step() after loss.backward(), and give the monitor the optimizer that makes the steps."
        yield Finding("frozen-by-accident", "error", message, {"steps": seen.steps}, fix)


def faded(seen):
    """The rate has become nothing long before the end, as by a scheduler that steps too often."""
    rates = [epoch["rate"] for epoch in seen.epochs]
    if len(rates) >= 3 and max(rates[-3:]) < FADED * max(look["rates"][0] for look in seen.looks[:2]):
        message = f"The learning rate has fallen to {rates[-1]:.1g}, and training goes on"
        fix = "Does the scheduler step once a batch, and counts epochs?"
        yield Finding("learning-rate-too-low", "advice", message, {"rates": rates[-3:]}, fix)


def overfitting(seen):
    both = [(e["train_loss"], e["valid_loss"]) for e in seen.epochs]
    both = [pair for pair in both if None not in pair]
    if len(both) < 4:
        return
    best = min(range(len(both)), key=lambda i: both[i][1])
    after = both[best + 1 :]
    if (
        len(after) >= PATIENCE
        and all(valid > ABOVE * both[best][1] for _, valid in after[-PATIENCE:])
        and after[-1][0] < both[best][0]
    ):
        message = f"The validation loss was best after epoch {best}, {both[best][1]:.3g}, and is {after[-1][1]:.3g} now"
        message += f", while that of training fell from {both[best][0]:.3g} to {after[-1][0]:.3g}"
        yield Finding("overfitting", "advice", message, {"best epoch": best, "valid_loss": [v for _, v in both]})


AFTER_EPOCH = (no_step, scheduler_stale, faded, overfitting)
