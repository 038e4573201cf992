"""Training: the loop, what can be added to it, and checkpoints."""

from dlsteps.training.callbacks import (
    Callback,
    ClipGradients,
    EarlyStopping,
    Progress,
    StopOnNaN,
)
from dlsteps.training.checkpoint import Checkpoint, resume, save_checkpoint
from dlsteps.training.history import History
from dlsteps.training.metrics import accuracy, mean_absolute_error, top_k_accuracy
from dlsteps.training.tensorboard import TensorBoard, show_tensorboard
from dlsteps.training.trainer import Trainer

__all__ = [
    "Callback",
    "Checkpoint",
    "ClipGradients",
    "EarlyStopping",
    "History",
    "Progress",
    "StopOnNaN",
    "TensorBoard",
    "Trainer",
    "accuracy",
    "mean_absolute_error",
    "resume",
    "save_checkpoint",
    "show_tensorboard",
    "top_k_accuracy",
]
