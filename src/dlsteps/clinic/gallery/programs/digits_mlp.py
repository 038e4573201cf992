"""A small network with dropout reads handwritten digits."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.data import load_digits5k

EPOCHS = 20

images, y = load_digits5k()  # (5000, 1, 28, 28), (5000,): 500 of each digit, all zeros first
x = (images / 255 - 0.13) / 0.31
train, valid = torch.arange(0, 5000, 5), torch.arange(1, 5000, 10)  # 1000 and 500 rows
train_loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=50, shuffle=True)
valid_loader = DataLoader(TensorDataset(x[valid], y[valid]), batch_size=100)
loss_fn = nn.CrossEntropyLoss()


def make_model():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 64),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


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
