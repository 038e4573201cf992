"""Words and numbers about the same thing, joined: embeddings that are averaged, beside a perceptron."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import (
    EVALUATE,
    EVALUATE_CLASSES,
    TRAIN,
    generator_of,
    optimizer,
    scheduler,
    standardised,
)  # fmt: skip
from torch import nn
from torch.utils.data import Dataset

WORDS = 40


class Joined(nn.Module):
    def __init__(self, features, outputs, width, act, dropout, bag):
        super().__init__()
        self.words = nn.EmbeddingBag(WORDS, width, mode="mean") if bag else nn.Embedding(WORDS, width)
        self.numbers = nn.Sequential(nn.Linear(features, width), act())
        self.head = nn.Sequential(
            nn.Linear(2 * width, width), act(), nn.Dropout(dropout), nn.Linear(width, outputs)
        )  # fmt: skip
        self.bag = bag

    def forward(self, tokens, numbers):  # (B, T) int64, (B, F)
        words = self.words(tokens) if self.bag else self.words(tokens).mean(1)
        return self.head(torch.cat([words, self.numbers(numbers)], dim=1))


class Things(Dataset):
    def __init__(self, tokens, numbers, y):
        self.tokens, self.numbers, self.y = tokens, numbers, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, number):
        return self.tokens[number], self.numbers[number], self.y[number]


def things(count, features, outputs, generator):
    """(N, T) tokens, (N, F) numbers, (N, outputs) scores to which both contribute."""
    tokens = torch.randint(WORDS, (count, 6), generator=generator)
    numbers = torch.randn(count, features, generator=generator)
    meaning = torch.randn(WORDS, outputs, generator=generator)
    score = (
        2.5 * meaning[tokens].mean(1) + numbers @ torch.randn(features, outputs, generator=generator) / features**0.5
    )
    return tokens, numbers, standardised(score + 0.2 * torch.randn(score.shape, generator=generator), 0)


def make(choose):
    generator, features, outputs = generator_of(choose), choose.choice([4, 8]), choose.choice([3, 4])
    classify, epochs = choose.random() < 0.5, choose.choice([6, 8])
    tokens, numbers, score = things(750, features, outputs, generator)
    y = score.argmax(1) if classify else score
    return Program(
        task="classes" if classify else "numbers",
        make_model=functools.partial(
            Joined, features, outputs, choose.choice([16, 32]), choose.choice([nn.ReLU, nn.Tanh, nn.GELU]),
            choose.choice([0.0, 0.1]), choose.random() < 0.5,
        ),
        make_optimizer=optimizer(choose, 4e-3),
        loss_fn=nn.CrossEntropyLoss() if classify else choose.choice([nn.MSELoss(), nn.HuberLoss()]),
        train_data=Things(tokens[:600], numbers[:600], y[:600]),
        valid_data=Things(tokens[600:], numbers[600:], y[600:]),
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES if classify else EVALUATE),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
