"""Faults in how fast it learns."""

from dlsteps.clinic.gallery.case import Case

CASES = (
    Case(
        6,
        "learning-rate-too-high",
        "digits_mlp",
        "rates",
        (("lr=0.05, momentum=0.9", "lr=5.0, momentum=0.9"),),
        {
            "en": (
                "The very first step changes the weights by as much as they are (dots far to the right of the "
                "grey band), and the loss is nan after that."
            ),
            "zh": "第一步的改动就和权重本身一样大（黑点远在灰色带的右边），之后损失变成了 nan。",
        },
    ),
    Case(
        14,
        "scheduler-stale",
        "digits_deep",
        "rates",
        (("    scheduler.step()\n", ""),),
        {
            "en": (
                "All steps are the same small fraction of the sound run's, the first as well as the later ones, "
                "and the gradients are fine: the rate never left its first value, two hundredths of what it "
                "should become."
            ),
            "zh": (
                "梯度正常，而每一步的更新量，从头到尾都只有正常训练的同样一小部分：学习率始终停在初始值，即目标值"
                "的五十分之一。"
            ),
        },
    ),
    Case(
        22,
        "learning-rate-too-low",
        "digits_cnn",
        "rates",
        (("lr=3e-3", "lr=3e-6"),),
        {
            "en": (
                "The gradients are as in the sound run, and every step is a thousandth of its: left of the grey "
                "band in all layers. The loss falls, but by hardly more than the width of the line."
            ),
            "zh": (
                "梯度与正常的一样，而每一步的更新量只有正常的千分之一，各层都落在灰色带左边。损失确实在降，却几乎"
                "看不出来。"
            ),
        },
    ),
)
