"""A deep and narrow network for a chip that stores its weights in steps of 1/16; the learning rate warms up."""

import copy

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dlsteps.data import load_digits5k

EPOCHS = 12

images, labels = load_digits5k()  # (5000, 1, 28, 28), (5000,)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(2))
x, y = nn.functional.avg_pool2d(images[order] / 255, 2).flatten(1), labels[order]  # (5000, 196), (5000,)
x = (x - 0.13) / 0.28
train, valid = torch.arange(1000), torch.arange(1000, 1500)
train_loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=25, shuffle=True)
valid_loader = DataLoader(TensorDataset(x[valid], y[valid]), batch_size=100)
loss_fn = nn.CrossEntropyLoss()


class Deep(nn.Module):
    def __init__(self, width=32, depth=6):
        super().__init__()
        sizes = [196] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.act = nn.ReLU()
        self.head = nn.Linear(width, 10)
        for layer in self.layers:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, h):  # (B, 196)
        for layer in self.layers:
            h = self.act(layer(h))  # (B, width)
        return self.head(h)  # (B, 10)


def make_model():
    return Deep()


def make_optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.05)


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
    chip = copy.deepcopy(model).eval()
    for weight in chip.parameters():
        weight.copy_((weight * 16).round() / 16)
    total, hits = 0.0, 0
    for inputs, targets in loader:
        logits = chip(inputs)
        total += loss_fn(logits, targets).item() * len(inputs)
        hits += (logits.argmax(dim=1) == targets).sum().item()
    return {"loss": total / len(loader.dataset), "accuracy": hits / len(loader.dataset)}


torch.manual_seed(0)
model = make_model()
optimizer = make_optimizer(model)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.02, total_iters=3)
history = []
for _ in range(EPOCHS):
    train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
    scheduler.step()
    scores = evaluate(model, valid_loader, loss_fn)
    history.append({"train_loss": train_loss, "valid_loss": scores["loss"], "accuracy": scores["accuracy"]})
