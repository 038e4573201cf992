"""Curves of a training for TensorBoard, and TensorBoard itself inside a notebook."""

import functools
import importlib
import json
import time
import urllib.request
import warnings
from pathlib import Path

from dlsteps.training import distributed
from dlsteps.training.callbacks import Callback


class TensorBoard(Callback):
    """Write to `folder`, for TensorBoard: each epoch's numbers, and every so many steps loss and learning rate.

    histograms: after each epoch those of all parameters, and of the gradients of its last step.

    A resumed run takes the folder of the one that was interrupted, and what that wrote after its checkpoint is hidden.
    A new run wants a folder of its own: raises FileExistsError.
    """

    def __init__(self, folder, every=10, histograms=False):
        self.folder, self.every, self.histograms = Path(folder), every, histograms
        self.writer = None

    def on_fit_start(self, trainer):
        if distributed.is_main():
            if trainer.step == 0 and event_files(self.folder):
                raise FileExistsError(
                    f"{str(self.folder)!r} holds the curves of another run, and those of two runs would be mixed: "
                    "choose another folder, delete this one, or resume that run"
                )
            self.writer = open_writer(self.folder, trainer.step)

    def on_batch_end(self, trainer):
        if self.writer is not None and trainer.step % self.every == 0:
            self.writer.add_scalar("step/loss", trainer.loss.item(), trainer.step)
            self.writer.add_scalar("step/learning_rate", trainer.optimizer.param_groups[0]["lr"], trainer.step)

    def on_epoch_end(self, trainer):
        if self.writer is None:
            return
        for name, value in list(trainer.history[-1].items())[1:]:  # without the epoch's number
            self.writer.add_scalar(name.replace("_", "/", 1), value, trainer.step)
        if self.histograms:
            for name, parameter in trainer.model.named_parameters():
                self.writer.add_histogram(f"weights/{name}", parameter.detach().float().cpu(), trainer.step)
                if parameter.grad is not None:
                    self.writer.add_histogram(f"gradients/{name}", parameter.grad.float().cpu(), trainer.step)

    def on_fit_end(self, trainer):
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def open_writer(folder, step):
    """A `tensorboardX.SummaryWriter` for a run that has made so many steps; later ones of earlier files are hidden.

    Raises OSError if the folder cannot be written to, ImportError without tensorboardX.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(f"for TensorBoard: python -m pip install tensorboardX ({error})") from None
    try:
        return SummaryWriter(
            str(folder),
            purge_step=step + 1 if step else None,  # from this step on, what is there is hidden
            filename_suffix=f".{step:09}",  # otherwise two files of one second have the same name
            flush_secs=2,  # not two minutes without a curve; its `flush()` may leave out what was added last
        )
    except OSError as error:
        raise type(error)(f"cannot write curves to {str(folder)!r}: {error.strerror or error}") from None


def event_files(folder):
    """The files below a folder that TensorBoard would read."""
    return sorted(Path(folder).rglob("*tfevents*"))


def start_tensorboard(folder, port=None):
    """Start TensorBoard in this process, for all runs below `folder`; returns its address when it has read them.

    port: by default the first free one from 6006 on. The same folder and port again give the same address.
    Raises FileNotFoundError if there is nothing to show, OSError if the port is taken, ImportError without TensorBoard.
    """
    folder = Path(folder).resolve()  # TensorBoard itself takes a relative one from where the kernel was started
    if not event_files(folder):
        raise FileNotFoundError(
            f"no event files below {str(folder)!r}, so TensorBoard would say 'No dashboards are active': "
            "name the folder that a run writes to, once its first epoch is over"
        )
    return _launch(folder, port)


@functools.cache
def _launch(folder, port):
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # TensorBoard's about its own parts
            program = importlib.import_module("tensorboard.program")
    except ImportError as error:
        raise ImportError(f"for TensorBoard: python -m pip install tensorboard ({error})") from None
    options = ["--logdir", str(folder), "--load_fast=false", "--reload_interval=2"]  # no second process that stays
    server = program.TensorBoard()
    server.configure(argv=["", *options, *(["--port", str(port)] if port is not None else [])])
    try:
        address = server.launch()
    except program.TensorBoardServerException as error:
        raise OSError(f"{error.msg}: choose another port, or none, then a free one is taken") from None
    end = time.monotonic() + 5
    while not dashboards(address) and time.monotonic() < end:
        time.sleep(0.1)
    return address


def dashboards(address):
    """The names of the dashboards for which a running TensorBoard has something to show."""
    with urllib.request.urlopen(f"{address}data/plugins_listing", timeout=10) as answer:
        return sorted(name for name, plugin in json.load(answer).items() if plugin["enabled"])


def show_tensorboard(folder, port=None, height=700):
    """TensorBoard for all runs below `folder`, in the notebook: a widget. See `start_tensorboard`."""
    from ipywidgets import HTML

    address = start_tensorboard(folder, port)
    return HTML(
        f'<a href="{address}" target="_blank">{address}</a>'
        f'<iframe src="{address}" style="width: 100%; height: {height}px; border: 1px solid #ccc"></iframe>'
    )
