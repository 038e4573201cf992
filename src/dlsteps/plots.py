"""Figures that more than one lesson draws."""

import matplotlib.pyplot as plt

HISTORIES = {
    "gradient": "norm of the gradient",
    "update": "update / weight",
    "output": "size of what it gives",
    "dead": "share of dead units",
}


# lesson 10
def draw_histories(axes, histories):
    """Four histories on four axes, a line for each layer: from dark, the first, to light, the last."""
    for ax, (what, label) in zip(axes, HISTORIES.items(), strict=True):
        layers = histories.values[what]
        for i, (name, values) in enumerate(layers.items()):
            ax.plot(histories.steps, values, color=plt.cm.viridis(i / len(layers)), label=name)
        ax.set(xlabel="step", ylabel=label, yscale="linear" if what == "dead" else "log")
    axes[-1].set_ylim(0, 1)
