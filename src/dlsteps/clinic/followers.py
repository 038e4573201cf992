"""What follows from what: a finding is left out if another one explains it."""

from dlsteps.clinic.codes import CODES

TRAINS_BADLY = {"cannot-overfit-one-batch", "learning-rate-too-high", "learning-rate-too-low", "constant-output"}
NO_GRADIENTS = {"no-gradient", "vanishing-gradient", "exploding-gradient", "parameter-not-in-optimizer"}
EXPLAINS = {
    "non-finite-input": {"exploding-gradient", "initial-loss-off", *TRAINS_BADLY},
    "label-wrong-type": {"shape-broadcast-in-loss", "initial-loss-off", *NO_GRADIENTS, *TRAINS_BADLY},
    "label-out-of-range": {"initial-loss-off", *NO_GRADIENTS, *TRAINS_BADLY},
    "labels-shuffled-against-inputs": {"dead-relu", "overfitting", *TRAINS_BADLY},
    "unshuffled-training-data": {"class-imbalance", "dead-relu", "overfitting", *TRAINS_BADLY},
    "missing-zero-grad": {"dead-relu", "overfitting", *NO_GRADIENTS, *TRAINS_BADLY},
    "unregistered-submodule": {"save-load-differs", "optimizer-of-another-model", *NO_GRADIENTS, *TRAINS_BADLY},
    "optimizer-of-another-model": {"parameter-not-in-optimizer", "scheduler-stale", "save-load-differs", *TRAINS_BADLY},
    "detached-graph": {"dead-relu", *NO_GRADIENTS, *TRAINS_BADLY},
    "input-ignored": {"dead-relu", "leak-between-samples", *NO_GRADIENTS, *TRAINS_BADLY},
    "leak-between-samples": TRAINS_BADLY,
    "shape-broadcast-in-loss": {"initial-loss-off", *TRAINS_BADLY},
    "softmax-before-cross-entropy": {"initial-loss-off", "vanishing-gradient", *TRAINS_BADLY},
    "parameter-not-in-optimizer": TRAINS_BADLY,
    "frozen-by-accident": {"detached-graph", *NO_GRADIENTS, *TRAINS_BADLY},
    "no-gradient": {"cannot-overfit-one-batch"},
    "exploding-gradient": {"initial-loss-off", *TRAINS_BADLY},
    "bad-initialisation": {"exploding-gradient", "initial-loss-off", "dead-relu", *NO_GRADIENTS, *TRAINS_BADLY},
    "dead-relu": {"constant-output", *NO_GRADIENTS, *TRAINS_BADLY},
    "vanishing-gradient": TRAINS_BADLY,
    "constant-output": {"no-gradient", *TRAINS_BADLY},
    "not-normalised": {"exploding-gradient", "initial-loss-off", "dead-relu", "vanishing-gradient", *TRAINS_BADLY},
    "initial-loss-off": {"vanishing-gradient", "dead-relu", *TRAINS_BADLY},
    "channel-order-suspect": {"not-normalised", *TRAINS_BADLY},
    "cannot-overfit-one-batch": {"learning-rate-too-high", "learning-rate-too-low"},
}
# Of these, several show once a run goes wrong: the one that is seen first, before training, is nearest to the cause.
SYMPTOMS = {"dead-relu", "overfitting", "no-gradient", "vanishing-gradient", "exploding-gradient", *TRAINS_BADLY}
# The same among advice.
EXPLAINS_ADVICE = {
    "not-normalised": {"initial-loss-off", "dead-relu", "vanishing-gradient"},
    "bad-initialisation": {"initial-loss-off", "vanishing-gradient", "dead-relu"},
    "initial-loss-off": {"vanishing-gradient", "dead-relu"},
    "vanishing-gradient": {"dead-relu"},
    "unshuffled-training-data": {"initial-loss-off", "class-imbalance"},
}


def without_followers(findings):
    """Without what follows from an error; and, among advice, from other advice. The cause comes first in `CODES`."""
    left = {finding.code: finding for finding in sorted(findings, key=lambda finding: finding.severity)}  # errors last
    for code in CODES:
        if code in left and left[code].severity == "error":
            left = {other: f for other, f in left.items() if other == code or other not in EXPLAINS.get(code, ())}
    findings = [finding for finding in findings if finding.code in left]
    weak = set().union(*(EXPLAINS_ADVICE.get(finding.code, ()) for finding in findings))
    return [finding for finding in findings if finding.severity == "error" or finding.code not in weak]


def together(earlier, later):
    """The findings of two reports, without what follows from others."""
    seen = {finding.code for finding in earlier if finding.severity == "error"}
    others = SYMPTOMS - seen if seen & SYMPTOMS else set()
    return without_followers([*earlier, *(finding for finding in later if finding.code not in others)])
