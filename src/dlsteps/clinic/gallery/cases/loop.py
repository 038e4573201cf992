"""Faults in the training loop, and in what it trains."""

from dlsteps.clinic.gallery.case import Case

CASES = (
    Case(
        2,
        "missing-zero-grad",
        "digits_mlp",
        "loop",
        (("        optimizer.zero_grad()\n", ""),),
        {
            "en": (
                "The loss swings, each time higher, until it overflows, while the first steps were of a usual "
                "size: the gradients of all batches add up, and every step also repeats all the old ones."
            ),
            "zh": (
                "损失来回震荡，一次比一次高，直至溢出，而最初几步的更新量却很正常：每个批量的梯度都累加在一起，每"
                "一步都把以前的步子又走了一遍。"
            ),
        },
    ),
    Case(
        9,
        "parameter-not-in-optimizer",
        "digits_rnn",
        "loop",
        (("Adam(model.parameters()", "Adam(model.rnn.parameters()"),),
        {
            "en": (
                "Nothing moves. The head gets no step, as it is not in the optimizer; and since it begins at "
                "zero, no gradient comes back through it to the layers that are."
            ),
            "zh": (
                "什么都没动。输出头不在优化器里，没有更新；而它又以零开始，梯度也就无法穿过它，传回优化器所管的那些层。"
            ),
        },
    ),
    Case(
        17,
        "optimizer-of-another-model",
        "digits_cnn",
        "loop",
        (("Adam(model.parameters()", "Adam(make_model().parameters()"),),
        {
            "en": (
                "The losses do not move at all, no layer takes a step, and no gradient is seen where the "
                "optimizer looks. It steps, but with weights that this model does not have."
            ),
            "zh": (
                "损失纹丝不动，没有一层在更新，优化器所看之处也没有任何梯度。它确实在走步，只是更新的并不是这个模"
                "型的权重。"
            ),
        },
    ),
    Case(
        27,
        "shape-broadcast-in-loss",
        "diabetes",
        "loop",
        (
            (
                "        return self.head(self.hidden(rows)).squeeze(1)  # (B,)",
                "        return self.head(self.hidden(rows))",
            ),
        ),
        {
            "en": (
                "The gradients reach every layer, and yet all answers are the mean. A loss that compares each "
                "output with the targets of all samples has its least value there."
            ),
            "zh": (
                "梯度到达了每一层，答案却全都是平均值。如果损失把每个输出与所有样本的目标相比，最小值正好就在那里。"
            ),
        },
    ),
)
