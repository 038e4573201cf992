"""A label for each token of a sequence, outputs (B, K, T): recurrent and convolutional networks."""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE_CLASSES, TRAIN, generator_of, optimizer, scheduler, split
from torch import nn

WORDS = 20


class Recurrent(nn.Module):
    def __init__(self, classes, width, dropout):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.rnn = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * width, classes))

    def forward(self, tokens):  # (B, T) int64
        hidden, _ = self.rnn(self.words(tokens))  # (B, T, 2 D)
        return self.head(hidden).transpose(1, 2)  # (B, K, T)


class Convolutional(nn.Module):
    def __init__(self, classes, width, dropout):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.layers = nn.Sequential(
            nn.Conv1d(width, 2 * width, 3, padding=1), nn.BatchNorm1d(2 * width), nn.ReLU(), nn.Dropout(dropout),
            nn.Conv1d(2 * width, classes, 3, padding=1),
        )  # fmt: skip

    def forward(self, tokens):  # (B, T) int64
        return self.layers(self.words(tokens).transpose(1, 2))  # (B, K, T)


def texts(count, length, classes, generator):
    """A word's label depends on its group and on that of the word before, with some labels wrong: both (N, T)."""
    x = torch.randint(WORDS, (count, length), generator=generator)
    group = torch.randint(classes, (WORDS,), generator=generator)[x]
    before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)
    y = (group + (before < WORDS // 3)) % classes
    wrong = torch.rand(y.shape, generator=generator) < 0.05
    return x, torch.where(wrong, torch.randint(classes, y.shape, generator=generator), y)


def make(choose):
    generator, classes, length = generator_of(choose), choose.choice([3, 4, 5]), choose.choice([10, 14])
    epochs = choose.choice([5, 6, 8])
    train_data, valid_data = split(texts(500, length, classes, generator), 380)
    return Program(
        task="classes",
        make_model=functools.partial(
            choose.choice([Recurrent, Convolutional]), classes, choose.choice([12, 24]), choose.choice([0.0, 0.1])
        ),
        make_optimizer=optimizer(choose, 5e-3),
        loss_fn=nn.CrossEntropyLoss(),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES),
        make_scheduler=scheduler(choose, epochs),
    )
