"""A convolutional network with BatchNorm reads handwritten digits; for training they are shifted and made noisy."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from dlsteps.data import load_digits5k

EPOCHS = 10

images, labels = load_digits5k()  # (5000, 1, 28, 28), (5000,)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
x, y = nn.functional.avg_pool2d(images[order] / 255, 2), labels[order]  # (5000, 1, 14, 14)
x = (x - 0.13) / 0.28
train, valid = torch.arange(1000), torch.arange(1000, 1500)


class Digits(Dataset):
    def __init__(self, rows, augment):
        self.x, self.y, self.augment = x[rows], y[rows], augment

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        image = self.x[i]
        if self.augment:
            image = image.roll(torch.randint(-1, 2, (2,)).tolist(), dims=(1, 2)) + torch.randn(1, 14, 14)
        return image, self.y[i]


train_loader = DataLoader(Digits(train, augment=True), batch_size=25, shuffle=True)
valid_loader = DataLoader(Digits(valid, augment=False), batch_size=100)
loss_fn = nn.CrossEntropyLoss()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.second = nn.Sequential(nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ReLU())
        self.head = nn.Linear(16 * 4 * 4, 10)

    def forward(self, images):  # (B, 1, 14, 14)
        features = self.second(self.first(images))  # (B, 16, 4, 4)
        return self.head(features.flatten(1))  # (B, 10)


def make_model():
    return Network()


def make_optimizer(model):
    return torch.optim.Adam(model.parameters(), lr=3e-3)


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
