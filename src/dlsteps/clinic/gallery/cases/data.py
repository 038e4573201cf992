"""Faults in the data."""

from dlsteps.clinic.gallery.case import Case

CASES = (
    Case(
        3,
        "labels-shuffled-against-inputs",
        "digits_rnn",
        "data",
        (("y = labels[order]", "y = labels[torch.randperm(5000, generator=torch.Generator().manual_seed(2))]"),),
        {
            "en": (
                "Gradients and steps are of a usual size in every layer, and the training loss falls; validation is "
                "at the level of guessing, and its loss rises from the start: the network learns by heart, as there "
                "is nothing to understand."
            ),
            "zh": (
                "各层的梯度和更新量都正常，训练损失也在下降，验证精度却停在瞎猜的水平，验证损失从一开始就在上升：没有"
                "规律可学，网络只能死记硬背。"
            ),
        },
    ),
    Case(
        7,
        "train-valid-overlap",
        "digits_mlp",
        "data",
        (("torch.arange(1, 5000, 10)  # 1000 and 500 rows", "torch.arange(0, 5000, 10)  # 1000 and 500 rows"),),
        {
            "en": (
                "Validation is better than training, and close to perfect; measured apart, on other samples, the "
                "model is as good as the sound one. What was validated with had been trained on."
            ),
            "zh": (
                "验证结果比训练还好，近乎完美；换一批样本另行测量，模型却只与正常的一样。用来验证的样本，训练时都见过。"
            ),
        },
    ),
    Case(
        12,
        "unshuffled-training-data",
        "digits_mlp",
        "data",
        (("batch_size=50, shuffle=True)", "batch_size=50)"),),
        {
            "en": (
                "The training loss stays above chance although steps and gradients are large, and nearly all "
                "answers are one or two neighbouring classes: those that came last. Each batch pulls towards its "
                "own class."
            ),
            "zh": (
                "更新量和梯度都很大，训练损失却一直高于瞎猜的水平；答案几乎都是相邻的一两个类别，也就是最后训练到"
                "的那些。每个批量都把网络往自己的类别拉。"
            ),
        },
    ),
    Case(
        16,
        "not-normalised",
        "digits_mlp",
        "data",
        (("x = (images / 255 - 0.13) / 0.31", "x = images.float()"),),
        {
            "en": (
                "The input's numbers are a hundred times larger than in the other programs, the first step "
                "changes the weights by more than they are, and after it the units are 0 for every sample."
            ),
            "zh": "输入的数值比别的程序大上百倍，第一步对权重的改动就超过了权重本身，此后所有单元对所有样本都是 0。",
        },
    ),
    Case(
        20,
        "class-imbalance",
        "catch_frames",
        "data",
        (("nn.CrossEntropyLoss(weight=torch.tensor([1.0, 4.0]))", "nn.CrossEntropyLoss()"),),
        {
            "en": (
                "The accuracy is higher than the sound run's, and half of the rare class is missed: who always "
                "says 0 is right four times in five, and nothing in the loss says that this is not enough."
            ),
            "zh": (
                "精度比正常的还高，少数类却漏掉了一半：总是回答 0 就能对五分之四，而损失里没有任何东西说明这样还不够。"
            ),
        },
    ),
    Case(
        24,
        "validation-augmented",
        "digits_cnn",
        "data",
        (("Digits(valid, augment=False)", "Digits(valid, augment=True)"),),
        {
            "en": (
                "Measured apart, the model is far better than its program says, and no layer looks unusual: "
                "validation was made as noisy as the training is."
            ),
            "zh": "另行测得的结果比程序报告的好得多，各层也都正常：验证数据被加上了与训练时一样的噪声。",
        },
    ),
    Case(
        29,
        "not-normalised",
        "diabetes",
        "data",
        (("x = (table - table.mean(dim=0)) / table.std(dim=0)", "x = table"),),
        {
            "en": (
                "The loss begins at several hundred, and the input has numbers from 1 to 100, each column of "
                "another size. The run is spent on that: it ends with a loss above the one that the sound run starts "
                "with."
            ),
            "zh": (
                "损失从几百开始，而输入的数值从 1 到 100 不等，各列大小不一。整个训练都耗在了这上面：结束时的损失比"
                "正常训练刚开始时还高。"
            ),
        },
    ),
)
