"""Real photographs that come with installed packages."""

from PIL import Image

PHOTOS = {  # name: the package that it comes with
    "astronaut": "skimage", "camera": "skimage", "cat": "skimage", "coffee": "skimage", "rocket": "skimage",
    "china": "sklearn", "flower": "sklearn", "grace_hopper": "matplotlib",
}  # fmt: skip


def load_photos():
    """{name: photograph, an RGB `PIL.Image`}: astronaut, camera, cat, china, coffee, flower, grace_hopper, rocket.

    They come with scikit-image, scikit-learn and matplotlib, so nothing is downloaded.
    """
    return {name: LOADERS[package](name).convert("RGB") for name, package in sorted(PHOTOS.items())}


def _from_skimage(name):
    try:
        import skimage.data
    except ImportError as error:
        raise ImportError(f"{name} comes with scikit-image: python -m pip install scikit-image ({error})") from None
    return Image.fromarray(getattr(skimage.data, name)())


def _from_sklearn(name):
    try:
        from sklearn.datasets import load_sample_image
    except ImportError as error:
        raise ImportError(f"{name} comes with scikit-learn: python -m pip install scikit-learn ({error})") from None
    return Image.fromarray(load_sample_image(f"{name}.jpg"))


def _from_matplotlib(name):
    import matplotlib.cbook

    with matplotlib.cbook.get_sample_data(f"{name}.jpg") as file:
        return Image.open(file).copy()


LOADERS = {"skimage": _from_skimage, "sklearn": _from_sklearn, "matplotlib": _from_matplotlib}
