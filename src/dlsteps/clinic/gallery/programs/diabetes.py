"""How a diabetes progresses within a year, from age, sex, body mass, blood pressure and six blood values."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 60

table, progress = (torch.tensor(part, dtype=torch.float32) for part in load_diabetes(return_X_y=True, scaled=False))
x = (table - table.mean(dim=0)) / table.std(dim=0)  # (442, 10)
y = (progress - progress.mean()) / progress.std()  # (442,)
order = torch.randperm(442, generator=torch.Generator().manual_seed(0))
train, valid = order[:300], order[300:]
train_loader = DataLoader(TensorDataset(x[train], y[train]), batch_size=30, shuffle=True)
valid_loader = DataLoader(TensorDataset(x[valid], y[valid]), batch_size=142)
loss_fn = nn.MSELoss()


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(10, 16), nn.ReLU())
        self.head = nn.Linear(16, 1)

    def forward(self, rows):  # (B, 10)
        return self.head(self.hidden(rows)).squeeze(1)  # (B,)


def make_model():
    return Network()


def make_optimizer(model):
    return torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)


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
    total = 0.0
    for inputs, targets in loader:
        total += loss_fn(model(inputs), targets).item() * len(inputs)
    return {"loss": total / len(loader.dataset)}


torch.manual_seed(0)
model = make_model()
optimizer = make_optimizer(model)
history = []
for _ in range(EPOCHS):
    train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
    scores = evaluate(model, valid_loader, loss_fn)
    history.append({"train_loss": train_loss, "valid_loss": scores["loss"]})
