"""All that the clinic can find, causes before what follows from them: the order in which findings are shown."""

from typing import NamedTuple


class Code(NamedTuple):
    why: str
    fix: str


CODES = {
    # the data
    "non-finite-input": Code(
        "One nan or infinity in a batch makes the loss nan, and with the next step every weight.",
        "Find the samples (the message names the first) and repair or drop them.",
    ),
    "label-wrong-type": Code(
        "The loss wants labels of another type or shape; it fails, or computes something else.",
        "Class numbers as int64 of shape (B,) for cross-entropy; floats of the output's shape for the others.",
    ),
    "label-out-of-range": Code(
        "A label without an output of its own ends in an index error, on a GPU in one that names nothing.",
        "Number the classes from 0, and give the last layer as many outputs as there are classes.",
    ),
    "labels-shuffled-against-inputs": Code(
        "If labels and inputs were put in order separately, there is nothing to learn but the training set by heart.",
        "Shuffle pairs: index inputs and labels by the same permutation, or let the DataLoader shuffle.",
    ),
    "train-valid-overlap": Code(
        "Samples that were trained on make the validation look better than new data will.",
        "Split before augmenting or repeating, and by episode, patient or time where neighbours are alike.",
    ),
    "not-normalised": Code(
        "Inputs far from mean 0 and standard deviation 1 make training slow or unstable.",
        "Subtract the mean and divide by the standard deviation of the training set.",
    ),
    "channel-order-suspect": Code(
        "Convolutions want (B, C, H, W); with another order they look for patterns across colours.",
        "x.permute(0, 3, 1, 2), for pictures that come as (B, H, W, C).",
    ),
    "class-imbalance": Code(
        "Always the commonest answer is right so often that the loss has little reason to look further.",
        "Look at each class by itself; WeightedRandomSampler, or weights in the loss.",
    ),
    "unshuffled-training-data": Code(
        "Batches of one class each pull the network to and fro.",
        "shuffle=True in the training DataLoader.",
    ),
    "validation-augmented": Code(
        "Random changes make the validation noisy, and harder than the task.",
        "Keep random transforms for the training set; a second dataset for validation.",
    ),
    # the network
    "unregistered-submodule": Code(
        "parameters(), state_dict() and to() do not see layers in a plain list or dict: these neither train nor save.",
        "Use nn.ModuleList, nn.ModuleDict or nn.Parameter in place of the list, dict or tensor.",
    ),
    "optimizer-of-another-model": Code(
        "The optimizer moves the weights of another model; this one stays as it is.",
        "Make the optimizer after the model (and after moving it), from model.parameters().",
    ),
    "detached-graph": Code(
        "Where the graph is cut, no gradient gets through: what lies before it does not learn.",
        "Remove .detach(), .data, .item(), .numpy() or torch.no_grad() between the weights and the loss.",
    ),
    "input-ignored": Code(
        "The output does not depend on the input: at best the network learns how often each answer comes.",
        "Look in forward() and in the loop for the variable that was overwritten or never used.",
    ),
    "leak-between-samples": Code(
        "The output for a sample depends on the others of its batch: good numbers in training, others when it is used.",
        "Look for view, reshape, softmax or mean over dimension 0; normalise with BatchNorm, or per sample.",
    ),
    "shape-broadcast-in-loss": Code(
        "Output and target were stretched to a common shape: every output is compared with every target.",
        "Make the shapes equal, with output.squeeze(1) or target.unsqueeze(1).",
    ),
    "softmax-before-cross-entropy": Code(
        "The loss takes the softmax itself. Twice, it can hardly get small, and gradients are weak.",
        "Return the logits, without softmax or sigmoid; apply that where probabilities are shown.",
    ),
    # the loop
    "wrong-mode-in-training": Code(
        "In eval mode BatchNorm does not learn its averages, and dropout does nothing.",
        "Call model.train() at the start of every training epoch.",
    ),
    "missing-zero-grad": Code(
        "Gradients add up over the steps: each step goes into the direction of everything so far.",
        "Call optimizer.zero_grad() before each loss.backward().",
    ),
    "wrong-mode-in-evaluation": Code(
        "In train mode dropout is at work and BatchNorm averages over the batch: that is not the model you will use.",
        "Call model.eval() before evaluating, and model.train() after.",
    ),
    "evaluation-changes-model": Code(
        "Measuring must not change what is measured. With BatchNorm in train mode, validation data gets in.",
        "model.eval() and torch.no_grad() in evaluate(), and no optimizer step.",
    ),
    "graph-kept-in-evaluation": Code(
        "Without torch.no_grad() each batch keeps all it computed: slower, and memory that may run out.",
        "Decorate evaluate() with @torch.no_grad(), and add up loss.item().",
    ),
    "wrong-argmax-axis": Code(
        "The accuracy compares something else than each sample's best class with its label.",
        "logits.argmax(dim=1) == y: dimension 1 holds the classes.",
    ),
    "loss-of-last-batch-only": Code(
        "The number of an epoch is that of its last batch: noise that looks like progress.",
        "Add up loss.item() * len(x) over all batches, and divide by the number of samples.",
    ),
    "loss-not-weighted-by-batch": Code(
        "A short last batch counts as much as a full one.",
        "Add up loss.item() * len(x), and divide by the number of samples.",
    ),
    # what trains
    "parameter-not-in-optimizer": Code(
        "These weights get gradients and never move.",
        "Give the optimizer all parameters that should train, also those of layers added later.",
    ),
    "frozen-by-accident": Code(
        "Parameters with requires_grad=False do not learn.",
        "module.requires_grad_(True), if it was not on purpose.",
    ),
    "no-gradient": Code(
        "Parameters that get no gradient never change.",
        "Use the layer in forward(), or remove it.",
    ),
    "constant-output": Code(
        "The network says the same for every sample.",
        "Look for dead ReLUs, zeros as initial weights, inputs of a far too large or small scale.",
    ),
    "scheduler-stale": Code(
        "The learning rate does not follow the schedule.",
        "Make the scheduler from this optimizer, and step it: most once a step or epoch, after optimizer.step().",
    ),
    "exploding-gradient": Code(
        "Gradients of that size make steps that undo everything.",
        "A smaller learning rate, clip_grad_norm_, normalisation, another initialisation.",
    ),
    "learning-rate-too-high": Code(
        "The loss grows where it should fall.",
        "A third of the learning rate, and again.",
    ),
    "save-load-differs": Code(
        "Something that decides the output is not in state_dict(): after loading, it is another network.",
        "register_buffer for tensors that are no parameters, nn.ModuleList for layers.",
    ),
    "cannot-overfit-one-batch": Code(
        "A network that cannot learn a single batch by heart cannot learn anything.",
        "Look at the model, the loss and the labels before you train on.",
    ),
    # how well
    "bad-initialisation": Code(
        "What layers give grows or shrinks from one to the next, and with it the gradients.",
        "The default initialisation, or kaiming_normal_ for ReLU; a normalisation layer.",
    ),
    "dead-relu": Code(
        "Units that give 0 for every sample have no gradient and cannot come back.",
        "A smaller learning rate or a warm-up; LeakyReLU or GELU.",
    ),
    "vanishing-gradient": Code(
        "The first layers hardly move.",
        "ReLU in place of sigmoid or tanh, normalisation, residual connections, another initialisation.",
    ),
    "initial-loss-off": Code(
        "An untrained network should know nothing, and its loss say so (ln K for K classes).",
        "Normalise inputs and targets; smaller initial weights in the last layer.",
    ),
    "learning-rate-too-low": Code(
        "Steps are so small that training takes for ever.",
        "Three times the learning rate, and again.",
    ),
    "overfitting": Code(
        "The network learns the training set by heart: the validation loss rises.",
        "Early stopping, augmentation, more data, dropout, weight decay.",
    ),
}
