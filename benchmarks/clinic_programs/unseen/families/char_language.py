"""Language models that predict the next letter of sentences from a small grammar: outputs (B, K, T)."""

import functools
import random

import torch
import torch.nn.functional as F
from clinic_programs import loops
from clinic_programs.program import Program
from torch import nn
from torch.utils.data import Dataset

NOUNS = [
    "cat", "dog", "teacher", "robot", "farmer", "river", "engine", "garden", "painter", "student", "window", "planet",
]  # fmt: skip
VERBS = ["sees", "likes", "follows", "paints", "repairs", "forgets", "answers", "carries"]
ADJECTIVES = ["old", "small", "green", "quiet", "strange", "happy"]
ADVERBS = ["today", "again", "slowly", "never", "often"]


def sentence(words):
    noun = [f"{words.choice(ADJECTIVES)} {words.choice(NOUNS)}", words.choice(NOUNS)]
    said = f"the {words.choice(noun)} {words.choice(VERBS)} a {words.choice(NOUNS)}"
    return f"{said} {words.choice(ADVERBS)}. " if words.random() < 0.4 else f"{said}. "


def text(length, seed, shouted):
    words, written = random.Random(seed), ""
    while len(written) < length:
        written += sentence(words)
    return (written.upper() if shouted else written)[:length]


class Windows(Dataset):
    """Windows of a text that do not overlap, and the same one letter further on: (T,), (T,)"""

    def __init__(self, letters, length):
        self.letters, self.length = letters, length

    def __len__(self):
        return (len(self.letters) - 1) // self.length

    def __getitem__(self, index):
        start = index * self.length
        return self.letters[start : start + self.length], self.letters[start + 1 : start + 1 + self.length]


class Recurrent(nn.Module):
    def __init__(self, letters, embedding, width, kind, depth, dropout):
        super().__init__()
        self.embed = nn.Embedding(letters, embedding)
        self.rnn = kind(embedding, width, depth, batch_first=True, dropout=dropout if depth > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, letters)

    def forward(self, tokens):
        states, _ = self.rnn(self.embed(tokens))  # (B, T, width)
        return self.head(self.dropout(states)).transpose(1, 2)  # (B, K, T)


class Causal(nn.Module):
    """Convolutions that see only what came before."""

    def __init__(self, letters, embedding, width, act, depth, dropout):
        super().__init__()
        self.embed = nn.Embedding(letters, embedding)
        widths = [embedding] + [width] * depth
        self.convs = nn.ModuleList(nn.Conv1d(widths[i], width, 3, dilation=2**i) for i in range(depth))
        self.act, self.dropout = act(), nn.Dropout(dropout)
        self.head = nn.Conv1d(width, letters, 1)

    def forward(self, tokens):
        x = self.embed(tokens).transpose(1, 2)  # (B, embedding, T)
        for number, conv in enumerate(self.convs):
            x = self.act(conv(F.pad(x, (2 * 2**number, 0))))
        return self.head(self.dropout(x))


OPTIMIZERS = [
    lambda model: torch.optim.Adam(model.parameters(), lr=4e-3),
    lambda model: torch.optim.AdamW(model.parameters(), lr=5e-3, betas=(0.9, 0.95), weight_decay=0.01),
    lambda model: torch.optim.RMSprop(model.parameters(), lr=3e-3),
]


def train_language(model, loader, loss_fn, optimizer):
    """Reports the loss a letter."""
    model.train()
    loss_sum = letters = 0
    for batch in loader:
        tokens, following = batch
        optimizer.zero_grad()
        loss = loss_fn(model(tokens), following)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss_sum += loss.item() * following.numel()
        letters += following.numel()
    return loss_sum / letters


def make(choose):
    length, count = choose.choice([24, 32]), choose.choice([300, 400])
    written = text(length * count, choose.randrange(10**6), choose.choice([True, False]))
    alphabet = sorted(set(written))
    letters = torch.tensor([alphabet.index(letter) for letter in written])
    cut = length * (count * 4 // 5)
    widths = choose.choice([12, 20]), choose.choice([32, 48])
    recurrent = functools.partial(Recurrent, len(alphabet), *widths, choose.choice([nn.GRU, nn.LSTM]))
    causal = functools.partial(Causal, len(alphabet), *widths, choose.choice([nn.ReLU, nn.GELU]))
    return Program(
        task="classes",
        make_model=functools.partial(
            choose.choice([recurrent, causal]), choose.choice([1, 2]), choose.choice([0.0, 0.1])
        ),
        make_optimizer=choose.choice(OPTIMIZERS),
        loss_fn=nn.CrossEntropyLoss(),
        train_data=Windows(letters[: cut + 1], length),
        valid_data=Windows(letters[cut:], length),
        batch_size=choose.choice([12, 16]),
        epochs=choose.choice([6, 8]),
        train_one_epoch=choose.choice([train_language, loops.train_clipped]),
        evaluate=choose.choice([loops.evaluate, loops.evaluate_with_accuracy, loops.evaluate_all_at_once]),
    )  # fmt: skip
