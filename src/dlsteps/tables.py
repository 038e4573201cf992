"""Rows of texts as a table to print."""


def table(rows, sides=""):
    """Rows of texts as aligned lines; `sides` has "<" or ">" for each column, without it all are "<"."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    formats = [f"{side}{width}" for side, width in zip(sides or "<" * len(widths), widths, strict=True)]
    return "\n".join("  ".join(map(format, row, formats)).rstrip() for row in rows)
