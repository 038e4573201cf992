"""What `Monitor` concludes from its looks: one function a check, from a `Seen` to findings."""

from dlsteps.clinic.monitor_checks.causes import STEP_TOO_LARGE, explodes, largest_step, layer_values, middle, step_size
from dlsteps.clinic.report import Finding, listed

LOOKS = 5  # so many looks have to agree where one may be chance
DEAD_LOOKS, DEAD_VALUES = 5, 100  # a unit is dead if it gave 0 in so many batches, and for so many values in all
DEAD_SHARE = 0.5  # trained networks often have 10 to 30 % of units that this data never wakes
CONSTANT = 1e-6  # relative: rounding errors
VANISHING = 2e-3  # gradient of the first layer beside the last's; a deep healthy network: 1e-2 to 10
GROWN = 3  # training a network with a usual initialisation makes its weights up to twice as large
UNEVEN = 30  # times the loss of one batch in ten is that of another
JUMP = 1000  # times the usual gradient
NO_STEP = 1e-6  # steps of which a million would be needed; healthy: 1e-3
SMALL_STEP = 1e-4  # too small if the loss does not move either
LARGE_GRADIENT = 1e-3  # beside the weight: not at a minimum
SETTLED = 20  # steps after which zeros as initial weights and the first of a warm-up are over


# At the start


def at_start(model, optimizers, scheduler):
    """Who belongs to whom."""
    own = set(model.parameters())
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    held = [p for group in groups for p in group["params"]]
    if not any(p in own for p in held):
        message = f"None of the {len(held)} parameters of the optimizer is one of the {len(own)} of the model"
        yield Finding("optimizer-of-another-model", "error", message, {"held": len(held), "in the model": len(own)})
    theirs = getattr(getattr(scheduler, "optimizer", None), "param_groups", None)
    if theirs and not any(group is other for group in theirs for other in groups):
        yield Finding("scheduler-stale", "error", "The scheduler changes the rate of another optimizer", {})


# After a look


def wrong_mode(seen):
    looks = seen.looks[-2:]
    names = [name for name in looks[-1]["asleep"] if len(looks) == 2 and name in looks[0]["asleep"]]
    if names and not looks[-1]["root_awake"]:
        message = f"The model is in eval mode while it trains, with {listed(names)}"
        yield Finding("wrong-mode-in-training", "error", message, {"layers": names})
    elif names:
        message = f"{listed(names)} in eval mode while the model trains: was that meant?"
        yield Finding("wrong-mode-in-training", "advice", message, {"layers": names})


def kept_gradients(seen):
    looks = [look for look in seen.looks[-4:] if look["kept"]]
    if len(looks) >= 2:
        names = looks[-1]["kept"]
        message = f"When the next gradient came, that of the step before was still there ({listed(names)})"
        message += f", {len(looks)} times in {len(seen.looks[-4:])} steps"
        yield Finding("missing-zero-grad", "error", message, {"parameters": names, "steps": len(looks)})


def no_gradient(seen):
    looks = seen.looks
    if len(looks) < LOOKS:
        return
    if all(look["wiped"] for look in looks[-LOOKS:]):
        message = f"Gradients were computed, and gone when the optimizer made its step, {LOOKS} times of {LOOKS}"
        fix = "Call optimizer.zero_grad() before loss.backward(), not between that and optimizer.step()."
        yield Finding("no-gradient", "error", message, {"looks": LOOKS}, fix)
        return
    none = [name for name in looks[-1]["none"] if all(name in look["none"] for look in looks)]
    zero = [name for name in looks[-1]["zero"] if all(name in look["zero"] for look in looks)]
    first = next(iter(looks[-1]["order"]), None)
    cut = first is not None and looks[-1]["order"][first] and any(layer_of(name) == first for name in none)
    evidence = {"parameters": none or zero, "looks": len(looks)}
    if none:
        all_of_them = len(none) == looks[-1]["trained"]
        certain = cut or all_of_them
        which = "No parameter got a" if all_of_them else f"{listed(none)} got no"
        message = f"{which} gradient in {len(looks)} of {len(looks)} steps"
        yield Finding("no-gradient", "error" if certain else "advice", message, evidence)
    elif zero and seen.updates >= SETTLED:
        message = f"The gradient of {listed(zero)} is 0 in {len(looks)} of {len(looks)} steps"
        yield Finding("no-gradient", "advice", message, evidence)


def outside_the_optimizer(seen):
    looks = seen.looks[-LOOKS:]
    names = [name for name in looks[-1]["outside"] if all(name in look["outside"] for look in looks)]
    if len(looks) < LOOKS or not names:
        return
    order, missing = list(looks[-1]["order"]), {layer_of(name) for name in names}
    inside = {layer_of(name) for name in looks[-1]["gradients"]}
    ranks = [i for i, layer in enumerate(order) if layer in missing]
    first = not ranks or max(ranks) < min((i for i, layer in enumerate(order) if layer in inside), default=0)
    last = bool(order) and order[-1] in missing and order[-1] not in inside
    certain = last or (not first and len(names) < looks[-1]["trained"])  # otherwise: a head trained alone, biases alone
    message = f"{listed(names)}: {len(names)} parameters get gradients, and the optimizer does not have them"
    evidence = {"parameters": names, "in the optimizer": looks[-1]["trained"]}
    yield Finding("parameter-not-in-optimizer", "error" if certain else "advice", message, evidence)


def never_changes(seen):
    looks = seen.looks[-LOOKS:]
    if len(looks) < LOOKS:
        return
    still = [name for name in looks[-1]["still"] if all(name in look["still"] for look in looks)]
    frozen = looks[-1]["frozen"]
    if still and seen.updates >= SETTLED:
        message = f"{listed(still)} did not change in {seen.updates} steps, in spite of gradient and learning rate"
        fix = "Look for what puts the old values back, or for weights in half precision, which lose small steps."
        yield Finding("frozen-by-accident", "error", message, {"parameters": still}, fix)
    elif frozen:
        message = f"{len(frozen)} parameters that the optimizer holds do not train: {listed(sorted(frozen))}"
        yield Finding("frozen-by-accident", "advice", message, {"parameters": sorted(frozen)})


def constant_output(seen):
    looks = [look for look in seen.looks[-3:] if look["step"] >= 5]
    if len(looks) < 3 or any(look["spread"] is None or look["spread"] > CONSTANT for look in looks):
        return
    rows = [layer_values(look, "gradients") for look in looks]
    if all(len(row) > 1 and 0 < row[0] < VANISHING * row[-1] for row in rows):
        return  # a signal that gets ever smaller may get larger again; `vanishing` says so
    evidence = {"spread": [look["spread"] for look in looks], "steps": [look["step"] for look in looks]}
    dead = [name for name, units in seen.dead.items() if units["all"] >= len(looks)]
    if dead and not looks[-1]["nil"]:
        message = f"All that goes into {listed(dead)} is 0, in {len(looks)} batches of {len(looks)}"
        yield Finding("dead-relu", "error", message, evidence | {"layers": dead})
    else:
        message = f"The output is the same for all samples of a batch, {len(looks)} times of {len(looks)}"
        yield Finding("constant-output", "error", message, evidence)


def dead_units(seen):
    shares = {name: d["share"] for name, d in seen.dead.items() if d["share"] is not None and d["share"] > DEAD_SHARE}
    if shares:
        worst = max(shares, key=shares.get)
        message = f"{shares[worst]:.0%} of what goes into {worst} was 0 for every sample of {DEAD_LOOKS} batches"
        yield Finding("dead-relu", "advice", message, {"share of dead units": shares})


def exploding(seen):
    relative = [look["relative"] for look in seen.looks]
    usual = sorted(relative[2:-1])[len(relative[2:-1]) // 2] if len(relative) > 10 else 0.0
    how, step = explodes(seen), largest_step(seen)
    if how:
        certain = rises(seen) or step >= 100 * STEP_TOO_LARGE
        message = f"{how.capitalize()}, and a step changed the weights by {step:.2g} times their size"
        yield Finding("exploding-gradient", "error" if certain else "advice", message, {"gradients": relative[:5]})
    elif usual > 0 and relative[-1] > JUMP * usual and relative[-1] > 10 * max(relative[:2]):
        message = f"The gradient is {relative[-1] / usual:.0f} times what was usual before"
        yield Finding("exploding-gradient", "advice", message, {"gradients": relative})


def vanishing(seen):
    looks = [look for look in seen.looks if look["step"] >= SETTLED][-3:]
    rows = [layer_values(look, "gradients") for look in looks]
    if len(rows) < 3 or any(len(row) < 2 or row[-1] == 0 for row in rows):
        return
    shares = [row[0] / row[-1] for row in rows]
    if max(shares) < VANISHING:
        message = f"The gradient of the first layer is at most {max(shares):.1g} of the last layer's"
        yield Finding("vanishing-gradient", "advice", message, {"first beside last": shares})


def too_high(seen):
    step, recent = largest_step(seen), sorted(seen.losses[-50:])
    late = [step_size(seen, look) for look in seen.looks if look["step"] >= SETTLED][-3:]
    if explodes(seen) or not recent:
        return
    now = recent[len(recent) // 2]
    evidence = {"largest step": step, "first loss": seen.first_loss, "loss now": now}
    moves = f"steps changed the weights by up to {step:.2g} times their size"
    long = seen.steps >= 100
    worse = (
        (step >= STEP_TOO_LARGE and rises(seen, 2.0))
        or (step >= 3 * STEP_TOO_LARGE and long and rises(seen))
        or (step >= 10 * STEP_TOO_LARGE and long and now > 0.9 * seen.first_loss > 0)
    )
    uneven = len(recent) > 45 and recent[45] > UNEVEN * recent[5]  # batches so different that the first says little
    if worse and grown(seen) >= GROWN and not uneven:
        message = f"The loss was {seen.first_loss:.3g} at first and is {now:.3g} in the last 50 steps; {moves}"
        yield Finding("learning-rate-too-high", "error", message, evidence)
    elif step >= STEP_TOO_LARGE / 5 and rises(seen, 1.2):
        yield Finding("learning-rate-too-high", "advice", f"The loss does not fall; {moves}", evidence)
    elif step >= 5 * STEP_TOO_LARGE or (len(late) == 3 and min(late) > 3 * STEP_TOO_LARGE):
        yield Finding(
            "learning-rate-too-high", "advice", f"A thousandth of the weights is usual for a step; {moves}", evidence
        )


def too_low(seen):
    looks = [look for look in seen.looks if look["ratios"]]
    if seen.updates < 50 or not looks or growing(seen) or looks[-1]["relative"] < LARGE_GRADIENT:
        return
    if not any(rate for look in looks for rate in look["rates"]):
        yield Finding(
            "learning-rate-too-low", "advice", f"The learning rate is 0 in {seen.updates} steps", {"rate": 0.0}
        )
        return
    largest = max(max(look["ratios"].values()) for look in looks)
    message = f"No step changed a weight matrix by more than {largest:.1g} of its size"
    if largest <= NO_STEP:
        yield Finding("learning-rate-too-low", "advice", message, {"largest step": largest})
    elif largest <= SMALL_STEP and len(seen.losses) == 200 and not moves(seen.losses):
        message += ", and the loss has not moved in 200 steps"
        yield Finding(
            "learning-rate-too-low", "advice", message, {"largest step": largest, "losses": seen.losses[::40]}
        )


# What they have in common


def count_dead(dead, look):
    """Add a look to {layer: units that gave 0 all the time}; a new count begins when there is enough for a share."""
    for name, (mask, count) in look.pop("dead").items():
        old = dead.setdefault(name, {"mask": None, "looks": 0, "count": 0, "share": None, "all": 0})
        old["all"] = old["all"] + 1 if mask.all() else 0
        whole = old["mask"] is not None and old["mask"].shape == mask.shape
        old["mask"] = old["mask"] & mask if whole else mask
        old["looks"], old["count"] = old["looks"] + 1, old["count"] + count
        if old["looks"] >= DEAD_LOOKS and old["count"] >= DEAD_VALUES:
            share = old["mask"].float().mean().item()
            dead[name] = {"mask": None, "looks": 0, "count": 0, "share": share, "all": old["all"]}


def rises(seen, times=1.0):
    """Whether the loss is above its start for long: nine in ten of the last 50, and the middle one by so many times."""
    recent = sorted(seen.losses[-50:])
    return (
        seen.steps >= 55
        and seen.first_loss > 0
        and recent[5] > seen.first_loss
        and recent[25] >= times * seen.first_loss
    )


def grown(seen):
    """How many times as large as at first the weights are: of all matrices the middle one."""
    first, now = seen.looks[0]["sizes"], seen.looks[-1]["sizes"]
    return middle([now[name] / size for name, size in first.items() if size > 0 and name in now])


def moves(losses):
    """Whether the second half of the losses is below the first, by more than chance and a hundredth."""
    half = len(losses) // 2
    first, second = sum(losses[:half]) / half, sum(losses[half:]) / half
    variance = sum((x - first) ** 2 for x in losses[:half]) / half
    return first - second > max(2 * (2 * variance / half) ** 0.5, 0.01 * abs(first))


def growing(seen):
    """In a warm-up: the rate is above that of the look before."""
    return len(seen.looks) > 1 and max(seen.looks[-1]["rates"], default=0) > max(seen.looks[-2]["rates"], default=0)


def layer_of(name):
    return name.rpartition(".")[0]


AFTER_LOOK = (
    kept_gradients, wrong_mode, no_gradient, outside_the_optimizer, never_changes, too_high, exploding, constant_output,
    dead_units, vanishing, too_low,
)  # fmt: skip
