"""Faults in the network."""

from dlsteps.clinic.gallery.case import Case

CASES = (
    Case(
        1,
        "vanishing-gradient",
        "digits_deep",
        "network",
        (("self.act = nn.ReLU()", "self.act = nn.Sigmoid()"),),
        {
            "en": (
                "The first layers' gradients are ten thousand times smaller than the last one's, and so are "
                "their steps: each sigmoid passes on at most a quarter of a gradient, and there are six in a row."
            ),
            "zh": (
                "前几层的梯度只有最后一层的万分之一，更新量也一样小：每个 sigmoid 最多只让四分之一的梯度通过，而"
                "这里一连有六个。"
            ),
        },
    ),
    Case(
        5,
        "constant-output",
        "digits_rnn",
        "network",
        (("self.head(hidden[:, -1])", "self.head(hidden[:, 0])"),),
        {
            "en": (
                "The head moves, and always says the same; the recurrent weights (`rnn.hh`) get no gradient at "
                "all. That happens if only the first step of a sequence is used: the memory never comes into "
                "play, and the first row of a digit is always black."
            ),
            "zh": (
                "输出头在更新，给出的答案却总是同一个；循环权重（`rnn.hh`）完全没有梯度。只用序列的第一步就会这样"
                "：记忆根本没派上用场，而数字的第一行像素总是黑的。"
            ),
        },
    ),
    Case(
        8,
        "unregistered-submodule",
        "digits_deep",
        "network",
        (("nn.ModuleList(nn.Linear", "list(nn.Linear"),),
        {
            "en": (
                "Only the head has a name and moves. The other layers take part in the output, and belong to no "
                "module: the observer found them without a name, and no optimizer gets them."
            ),
            "zh": (
                "有名字、会更新的只有输出头。其余各层参与了输出，却不属于任何模块：观察者找到的是没有名字的权重，"
                "优化器也拿不到它们。"
            ),
        },
    ),
    Case(
        10,
        "leak-between-samples",
        "digits_cnn",
        "network",
        (
            (
                "        features = self.second(self.first(images))",
                "        images = images - images.mean(dim=0)\n        features = self.second(self.first(images))",
            ),
        ),
        {
            "en": (
                "By the program's numbers it is nearly as good as the sound run; measured one sample at a time, "
                "it always says the same. What it says of a sample depends on the others in the batch."
            ),
            "zh": (
                "按程序自己的数字，它几乎和正常的一样好；一次只给一个样本来测量，它却永远给出同一个答案。它对一个"
                "样本的判断，取决于批量中的其他样本。"
            ),
        },
    ),
    Case(
        13,
        "softmax-before-cross-entropy",
        "digits_mlp",
        "network",
        (("        nn.Linear(32, 10),\n", "        nn.Linear(32, 10),\n        nn.Softmax(dim=1),\n"),),
        {
            "en": (
                "The program's loss stops at 1.6, where nine answers in ten are right, and measured apart, as "
                "logits, it is far lower. 1.46 is the least that ten probabilities can have when a softmax is "
                "taken of them."
            ),
            "zh": (
                "程序报告的损失停在 1.6，可十个答案里有近九个是对的；把输出当作 logits 另行测量，损失要低得多。十"
                "个概率再做一次 softmax，损失最低也有 1.46。"
            ),
        },
    ),
    Case(
        15,
        "dead-relu",
        "digits_deep",
        "network",
        (("nn.init.zeros_(layer.bias)", "nn.init.constant_(layer.bias, -1.0)"),),
        {
            "en": (
                "Behind the third layer every unit is 0 for every sample, so that no gradient gets back, from "
                "the first step on: biases of −1 at each layer have switched the units off."
            ),
            "zh": (
                "第三层之后，所有单元对所有样本都是 0，从第一步起梯度就传不回去：每层 −1 的偏置把这些单元全关掉了。"
            ),
        },
    ),
    Case(
        18,
        "detached-graph",
        "digits_rnn",
        "network",
        (
            (
                "        return self.head(hidden[:, -1])",
                "        last = torch.tensor(hidden[:, -1].tolist())\n        return self.head(last)",
            ),
        ),
        {
            "en": (
                "The head learns, the recurrent layer has no gradient and takes no step, although it is in the "
                "optimizer: the graph was cut between the two, on the way through a list."
            ),
            "zh": (
                "输出头在学习；循环层虽然在优化器里，却没有梯度，也没有更新：数据在两者之间经过了一个列表，计算图"
                "就此断开。"
            ),
        },
    ),
    Case(
        21,
        "bad-initialisation",
        "digits_deep",
        "network",
        (('nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")', "nn.init.uniform_(layer.weight)"),),
        {
            "en": (
                "The loss begins at more than 100,000, gradients and first steps are huge, and then everything "
                "is dead: weights between 0 and 1 make each layer's output some fifteen times larger."
            ),
            "zh": (
                "损失一开始就超过十万，梯度和第一步都大得惊人，随后一切归于沉寂：0 到 1 之间的权重使每一层的输出"
                "放大约十五倍。"
            ),
        },
    ),
    Case(
        26,
        "frozen-by-accident",
        "digits_deep",
        "network",
        (
            (
                "            nn.init.zeros_(layer.bias)\n",
                "            nn.init.zeros_(layer.bias)\n            layer.requires_grad_(False)\n",
            ),
        ),
        {
            "en": (
                "All layers have their names, and only the head has gradients and takes steps: the others are "
                "told not to train. What the head gets is random features."
            ),
            "zh": "各层都有名字，但只有输出头有梯度、有更新：其他层被设成了不训练。输出头拿到的只是随机特征。",
        },
    ),
    Case(
        28,
        "constant-output",
        "digits_deep",
        "network",
        (('nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")', "nn.init.zeros_(layer.weight)"),),
        {
            "en": (
                "Every layer gives exactly 0, and no gradient arrives anywhere but at the last bias: with "
                "weights of 0 all samples look alike, and no unit ever gets a reason to differ."
            ),
            "zh": (
                "每一层的输出都恰好是 0，除了最后的偏置，哪里都没有梯度：权重全为 0，所有样本看起来都一样，单元之"
                "间也永远没有理由变得不同。"
            ),
        },
    ),
    Case(
        31,
        "exploding-gradient",
        "digits_rnn",
        "network",
        (
            (
                "        self.rnn = nn.GRU(28, 48, batch_first=True)\n",
                '        self.rnn = nn.RNN(28, 48, batch_first=True, nonlinearity="relu")\n'
                "        nn.init.normal_(self.rnn.weight_hh_l0, std=0.5)\n",
            ),
        ),
        {
            "en": (
                "Gradients a thousand times the sound run's, and a loss that begins at 80: the recurrent matrix "
                "is applied fourteen times, and each time makes the state, and the gradient, more than twice as "
                "large."
            ),
            "zh": "梯度是正常训练的上千倍，损失从 80 开始：循环矩阵要连乘十四次，每一次都把状态和梯度放大两倍多。",
        },
    ),
    Case(
        23,
        "overfitting",
        "diabetes",
        "network",
        (("nn.Linear(10, 16), nn.ReLU()", "nn.Linear(10, 512), nn.ReLU(), nn.Linear(512, 16), nn.ReLU()"),),
        {
            "en": (
                "Training goes on falling to almost 0, validation turns after a few epochs and rises: 300 "
                "patients, and a network with room for all of them."
            ),
            "zh": (
                "训练损失一路降到接近 0，验证损失几个轮次之后就掉头上升：只有 300 名病人，而网络大得能把他们全都记住。"
            ),
        },
    ),
)
