"""Faults in what is measured."""

from dlsteps.clinic.gallery.case import Case

CASES = (
    Case(
        4,
        "wrong-argmax-axis",
        "digits_mlp",
        "evaluation",
        (
            (
                "        hits += (logits.argmax(dim=1) == targets)",
                "        chances = logits.softmax(dim=0)  # (B, 10)\n"
                "        hits += (chances.argmax(dim=1) == targets)",
            ),
        ),
        {
            "en": (
                "The losses are as in the sound run, and so is the accuracy measured apart; only what the "
                "program says of it is near chance. So the model is well, and the counting is wrong."
            ),
            "zh": (
                "损失与正常的训练一致，另行测得的精度也一致，只有程序自己报告的精度接近瞎猜。所以模型没有问题"
                "，是统计错了。"
            ),
        },
    ),
    Case(
        11,
        "wrong-mode-in-evaluation",
        "digits_mlp",
        "evaluation",
        (("    model.eval()\n", ""),),
        {
            "en": (
                "Validation is worse than what is measured apart, with the same model on the same samples, and "
                "it is noisy. Something random goes on while it is evaluated: dropout is still on."
            ),
            "zh": (
                "同一个模型、同一批样本，程序报告的验证结果却比另行测得的差，而且抖动很大。评估时有随机的东西在起"
                "作用：dropout 还开着。"
            ),
        },
    ),
    Case(
        19,
        "evaluation-changes-model",
        "digits_deep",
        "evaluation",
        (("    chip = copy.deepcopy(model).eval()\n", "    chip = model.eval()\n"),),
        {
            "en": (
                "The loss follows the sound one late and stays behind; all small steps of the beginning were "
                "lost. After each epoch the weights lie on a coarse grid: evaluating rounds them, and the "
                "training goes on with the rounded ones."
            ),
            "zh": (
                "损失比正常的下降得晚，之后也一直落后；开头那些小步子全丢了。每个轮次之后权重都落在粗糙的格点上：评估"
                "时做了取整，训练又接着用取整后的权重。"
            ),
        },
    ),
    Case(
        25,
        "loss-of-last-batch-only",
        "digits_mlp",
        "evaluation",
        (
            (
                "        total += loss_fn(logits, targets).item() * len(inputs)\n",
                "        loss = loss_fn(logits, targets).item()\n",
            ),
            ('{"loss": total / len(loader.dataset), ', '{"loss": loss, '),
        ),
        {
            "en": (
                "The accuracy is smooth, the validation loss jumps up and down, and does not end where it is "
                "measured apart: it comes from a few samples only, those of the last batch."
            ),
            "zh": ("精度曲线平稳，验证损失却上下跳动，最后也与另行测得的不符：它只来自少数样本，也就是最后一个批量。"),
        },
    ),
    Case(
        30,
        "loss-of-last-batch-only",
        "catch_frames",
        "evaluation",
        (
            (
                "        total += loss.item() * len(inputs)\n    return total / len(loader.dataset)\n",
                "    return loss.item()\n",
            ),
        ),
        {
            "en": (
                "The training loss jumps from epoch to epoch, and the one measured apart is elsewhere; the "
                "validation loss is as in the sound run. What is reported is the last batch's, twenty samples."
            ),
            "zh": (
                "训练损失每个轮次都在乱跳，另行测得的则在别处；验证损失与正常的一样。报告的只是最后一个批量的损失，"
                "二十个样本。"
            ),
        },
    ),
)
