"""Frames of the game of Catch: does the player press the right arrow?"""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.data import FrameDataset, data_path

EPOCHS = 10

frames = FrameDataset(data_path("catch_level1_day.npz"), stack=2, size=32)
x, actions = frames[range(len(frames))]  # (1797, 6, 32, 32), (1797,): 0 left, 1 stay, 2 right
x = (x - x.mean()) / x.std()
y = (actions == 2).long()  # (1797,): one frame in five
train, valid = torch.arange(1260), torch.arange(1320, 1797)  # a second between them
train_loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=20, shuffle=True)
valid_loader = DataLoader(TensorDataset(x[valid], y[valid]), batch_size=100)
loss_fn = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 4.0]))


def make_model():
    return nn.Sequential(
        nn.Conv2d(6, 16, 3, stride=2), nn.ReLU(),  # (B, 16, 15, 15)
        nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(),  # (B, 32, 7, 7)
        nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(32 * 7 * 7, 32), nn.ReLU(),
        nn.Linear(32, 2),
    )  # fmt: skip


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=2e-3)


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
