"""Small transformers on sequences of tokens: which kind of sentence is it?"""

import functools

import torch
from clinic_programs.program import Program
from clinic_programs.tuning.variety import EVALUATE_CLASSES, TRAIN, generator_of, optimizer, scheduler, split
from torch import nn

WORDS = 30


class Transformer(nn.Module):
    def __init__(self, classes, length, width, heads, layers, dropout, norm_first, act):
        super().__init__()
        self.words = nn.Embedding(WORDS, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout, act, batch_first=True, norm_first=norm_first
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens):  # (B, T) int64
        hidden = self.layers(self.words(tokens) + self.places)  # (B, T, D)
        return self.head(hidden.mean(1))  # (B, K)


def sentences(count, length, classes, generator):
    """Each kind of sentence prefers some words, and one of them at its start: (N, T), (N,)."""
    y = torch.randint(classes, (count,), generator=generator)
    liking = 1.2 * torch.randn(classes, WORDS, generator=generator)
    x = torch.multinomial(liking.softmax(1)[y], length, replacement=True, generator=generator)
    return x, y


def make(choose):
    generator, length, classes = generator_of(choose), choose.choice([8, 12]), choose.choice([3, 4, 6])
    epochs = choose.choice([5, 6])
    train_data, valid_data = split(sentences(650, length, classes, generator), 500)
    return Program(
        task="classes",
        make_model=functools.partial(
            Transformer, classes, length, choose.choice([16, 32]), choose.choice([2, 4]), choose.choice([1, 2]),
            choose.choice([0.0, 0.1]), choose.random() < 0.5, choose.choice(["relu", "gelu"]),
        ),
        make_optimizer=optimizer(choose, 2e-3),
        loss_fn=nn.CrossEntropyLoss(label_smoothing=choose.choice([0, 0, 0.1])),
        train_data=train_data,
        valid_data=valid_data,
        batch_size=choose.choice([16, 32]),
        epochs=epochs,
        train_one_epoch=choose.choice(TRAIN),
        evaluate=choose.choice(EVALUATE_CLASSES),
        make_scheduler=scheduler(choose, epochs),
    )  # fmt: skip
