"""What goes on in each layer while a network trains."""

from functools import partial

from torch import nn

from dlsteps.training.callbacks import Callback


# lesson 10
class Histories(Callback):
    """`values[what][name]`: a number for each of `steps`. "gradient" is the norm of a weight's gradient; "update", how
    far the step moved the weight, divided by its norm; "output", the root mean square of what a ReLU gave; "dead", the
    share of its units that gave 0 for a whole batch.
    """

    def __init__(self, every=1):
        self.every, self.steps, self.values = every, [], {}

    def on_fit_start(self, trainer):
        layers = [(name, module) for name, module in trainer.model.named_modules() if isinstance(module, nn.ReLU)]
        self.hooks = [layer.register_forward_hook(partial(self.listen, name)) for name, layer in layers]

    def on_batch_start(self, trainer):
        self.now = trainer.step % self.every == 0

    def listen(self, name, module, inputs, output):  # (B, units, …)
        if self.now and module.training:
            self.add("output", name, output.norm() / output.numel() ** 0.5)
            self.add("dead", name, (output.amax(dim=[0, *range(2, output.ndim)]) == 0).float().mean())

    def on_backward_end(self, trainer):
        if self.now:
            trained = [(name, p) for name, p in trainer.model.named_parameters() if p.grad is not None]
            self.before = {name: p.detach().clone() for name, p in trained if p.ndim > 1}

    def on_batch_end(self, trainer):
        if self.now:
            self.steps.append(trainer.step - 1)  # it has been counted already
            for name, before in self.before.items():
                p = trainer.model.get_parameter(name)
                self.add("gradient", name, p.grad.norm())
                self.add("update", name, (p.detach() - before).norm() / before.norm())

    def add(self, what, name, value):
        self.values.setdefault(what, {}).setdefault(name, []).append(value.item())

    def on_fit_end(self, trainer):
        for hook in self.hooks:
            hook.remove()
