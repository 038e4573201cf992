"""A recurrent network reads handwritten digits row by row, from top to bottom."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.data import load_digits5k

EPOCHS = 12

images, labels = load_digits5k()  # (5000, 1, 28, 28), (5000,)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(1))
x = (images[order, 0, ::2] / 255 - 0.13) / 0.31  # (5000, 14, 28): every other row of pixels
y = labels[order]
train, valid = torch.arange(1000), torch.arange(1000, 1500)
train_loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=25, shuffle=True)
valid_loader = DataLoader(TensorDataset(x[valid], y[valid]), batch_size=100)
loss_fn = nn.CrossEntropyLoss()


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(28, 48, batch_first=True)
        self.head = nn.Linear(48, 10)
        nn.init.zeros_(self.head.weight)  # at first, all digits are equally likely

    def forward(self, rows):  # (B, 14, 28)
        hidden, _ = self.rnn(rows)  # (B, 14, 48)
        return self.head(hidden[:, -1])  # (B, 10)


def make_model():
    return Reader()


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=5e-3)


def train_one_epoch(model, loader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for inputs, targets in loader:
        loss = loss_fn(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader, loss_fn):
    model.eval()
    total, hits = 0.0, 0
    for inputs, targets in loader:
        logits = model(inputs)
        total += loss_fn(logits, targets).item() * len(inputs)
        hits += (logits.argmax(dim=1) == targets).sum().item()
    return {"loss": total / len(loader.dataset), "accuracy": hits / len(loader.dataset)}


torch.manual_seed(0)
model = make_model()
optimizer = make_optimizer(model)
history = []
for _ in range(EPOCHS):
    train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
    scores = evaluate(model, valid_loader, loss_fn)
    history.append({"train_loss": train_loss, "valid_loss": scores["loss"], "accuracy": scores["accuracy"]})
