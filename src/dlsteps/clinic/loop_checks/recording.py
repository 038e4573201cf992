"""Writes down what a learner's function does with model, loader, loss and optimizer, by hooks; all stay themselves."""

import contextlib
import functools

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from dlsteps.clinic.loop_checks.pieces import frozen, tensors
from dlsteps.clinic.loop_checks.recorded import Call, Loss, Run, Step, same, size_of
from dlsteps.clinic.loop_checks.replay import ReplayLoader
from dlsteps.seed import seed_everything

CALLS_A_BATCH = 200  # LBFGS with a line search needs up to 25 a step; what needs more would take too long


class TooLong(Exception):
    """The learner's function goes on and on."""


def source_of(tensor, attached):
    """Name of the module that gave these values with a graph: the same memory, or a copy (by way of NumPy)."""
    exact = attached.get((tensor.data_ptr(), tensor.numel()))
    if exact:
        return exact[0]
    kept = [value for key, value in attached.items() if key[1] == tensor.numel()]
    return next((name for name, other in kept if torch.equal(other.flatten().to(tensor), tensor.flatten())), None)


class ModelWatch:
    """Hooks on all parts of a model. A call with no other open comes from outside, and is written down."""

    def __init__(self, stack, run, model, answer):
        self.run, self.model, self.answer = run, model, answer
        self.names = {module: name or "the model" for name, module in model.named_modules()}
        self.opened, self.attached, self.batch = [], {}, None
        self.limit = CALLS_A_BATCH * len(run.batches)
        for module in self.names:
            stack.callback(module.register_forward_pre_hook(self.before, with_kwargs=True).remove)
            stack.callback(module.register_forward_hook(self.after, with_kwargs=True, always_call=True).remove)

    def __deepcopy__(self, memo):
        return self  # a learner may copy the model, with its hooks; they leave the copy's parts alone

    def before(self, module, args, kwargs):
        if module not in self.names:
            return
        self.opened.append(None if self.opened else self.start(module, args, kwargs))
        if torch.is_grad_enabled() and not any(module.children()):
            loose = [t for t in tensors((args, kwargs)) if t.is_floating_point() and not t.requires_grad]
            sources = [source_of(tensor, self.attached) for tensor in loose]
            self.run.cuts.extend((source, self.names[module]) for source in sources if source)

    def start(self, module, args, kwargs):
        """A call from outside begins."""
        if self.batch != self.run.batch:
            self.attached.clear()
        self.batch = self.run.batch
        modes = [part.training for part in self.model.modules()]
        inputs = frozen((args, kwargs))
        call = Call(module, self.names[module], self.batch, inputs, modes, torch.is_grad_enabled())
        self.run.calls.append(call)
        if len(self.run.calls) > self.limit:
            raise TooLong(f"it calls the model more than {self.limit} times for {len(self.run.batches)} batches")
        return call

    def after(self, module, args, kwargs, output):
        if module not in self.names or not self.opened:
            return None
        call, name, outputs = self.opened.pop(), self.names[module], tensors(output)
        for tensor in outputs:
            if tensor.requires_grad:
                self.attached[tensor.data_ptr(), tensor.numel()] = (name, tensor.detach())
                self.run.with_graph.add(name)
        if call is None:
            return None
        call.output, call.attached = frozen(output), any(t.requires_grad for t in outputs)
        return self.answer(len(self.run.calls) - 1, output) if self.answer and module is self.model else None


def watch_loss(stack, run, loss_fn):
    """What to give the learner's function in place of `loss_fn`: itself with a hook, or a function that calls it."""

    def note(args, kwargs, value):
        inputs = tensors((args, kwargs))
        number = float(value.detach().float().mean()) if isinstance(value, torch.Tensor) else float(value)
        attached = [tensor.requires_grad for tensor in inputs]
        run.losses.append(Loss(run.batch, frozen(inputs), attached, number, getattr(value, "requires_grad", False)))

    if isinstance(loss_fn, nn.Module):

        def after(module, args, kwargs, value):
            note(args, kwargs, value)

        stack.callback(loss_fn.register_forward_hook(after, with_kwargs=True).remove)
        return loss_fn

    @functools.wraps(loss_fn)
    def watched(*args, **kwargs):
        value = loss_fn(*args, **kwargs)
        note(args, kwargs, value)
        return value

    return watched


class GradientWatch:
    """At the first gradient after a step: was the one of that step still there?"""

    def __init__(self, stack, run, model):
        self.run, self.waiting, self.arriving = run, set(), {}  # ids of parameters; {name: (old size, new size)}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                arrives, added = functools.partial(self.arrives, name, parameter), functools.partial(self.added, name)
                stack.callback(parameter.register_hook(arrives).remove)
                stack.callback(parameter.register_post_accumulate_grad_hook(added).remove)

    def arrives(self, name, parameter, gradient):
        """Before it is added to what is there; also for torch.autograd.grad, which adds nothing."""
        old = parameter.grad
        self.arriving[name] = (0.0 if old is None else size_of(old), size_of(gradient))

    def added(self, name, parameter):
        old, new = self.arriving.pop(name, (0.0, 0.0))
        self.run.gradients[name] = max(self.run.gradients.get(name, 0.0), new)
        if id(parameter) in self.waiting:
            self.waiting.discard(id(parameter))
            if old > 0:
                sums = self.run.stale.setdefault(len(self.run.steps), [0.0, 0.0])
                sums[0] += old**2
                sums[1] += new**2


def watch_steps(stack, run, model, optimizer, waiting):
    """Steps of any optimizer that holds parameters of this model."""
    own = {id(parameter) for parameter in model.parameters()}

    def held(stepping):
        return [p for group in stepping.param_groups for p in group["params"] if id(p) in own]

    def before(stepping, args, kwargs):
        parameters = held(stepping)
        if parameters:
            sizes = [size_of(p.grad) for p in parameters if p.grad is not None]
            run.steps.append(Step(stepping is optimizer, stepping, sum(size**2 for size in sizes) ** 0.5))

    def after(stepping, args, kwargs):
        waiting.update(id(parameter) for parameter in held(stepping))

    stack.callback(register_optimizer_step_pre_hook(before).remove)
    stack.callback(register_optimizer_step_post_hook(after).remove)


class Backwards(TorchFunctionMode):
    """Notes calls of `Tensor.backward`."""

    def __init__(self, run):
        self.run = run

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.backward:
            self.run.backwards.append(args[0].requires_grad)
        return function(*args, **(kwargs or {}))


def record(function, model, batches, original, loss_fn, optimizer=None, answer=None, times=1):
    """Call function(model, loader, loss_fn[, optimizer]) with these batches, and return the `Run`.

    original: the learner's loader. answer: function of (number of the call, output), gives what the model says instead.
    times: how often to call it, for a run longer than an epoch.
    """
    run = Run(batches, before=frozen(dict(model.state_dict())))
    seed_everything(0)
    with contextlib.ExitStack() as stack:
        ModelWatch(stack, run, model, answer)
        watched = watch_loss(stack, run, loss_fn)
        watch_steps(stack, run, model, optimizer, GradientWatch(stack, run, model).waiting)
        stack.enter_context(Backwards(run))
        stack.enter_context(torch.enable_grad())
        loader = ReplayLoader(batches, original, run.read.append)
        try:
            for _ in range(times):
                run.result = function(model, loader, watched, *([] if optimizer is None else [optimizer]))
        except (Exception, SystemExit) as error:
            run.error = error
    after = model.state_dict()
    run.changed = {name for name, value in run.before.items() if not same(value, after.get(name))}
    return run
