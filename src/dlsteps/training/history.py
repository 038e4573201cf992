"""What a run remembers of its epochs."""

from dlsteps.tables import table


class History(list):
    """One dict an epoch: {"epoch": 0, "train_loss": …, "valid_loss": …}; `history["valid_loss"]` is a list of numbers.

    An epoch that lacks the number (there was no validation) has None there. Prints as a table.
    """

    def __getitem__(self, key):
        if not isinstance(key, str):
            return super().__getitem__(key)
        if key not in self.names:
            raise KeyError(f"no {key!r} in the history: choose from {', '.join(map(repr, self.names))}")
        return [record.get(key) for record in self]

    @property
    def names(self):
        """All that was recorded, in the order in which it came."""
        return list(dict.fromkeys(name for record in self for name in record))

    def __repr__(self):
        rows = [self.names, *([_show(record.get(name)) for name in self.names] for record in self)]
        return table(rows, ">" * len(self.names))


def _show(value):
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)
