"""Records what Pillow's and Keras's filters make of images/*.png and of rows
of every length.

    python make_resize.py

writes resize.json, which holds hashes: for each image and filter one of all
sizes together, in RGB and in gray, stretched and (Pillow) padded; for each
filter one of rows of 1 to 1600 pixels made 224 wide. 16-bit images are shifted to 8 bits
first: Pillow's own conversion turns all but the darkest to white.
Packages and versions are in examples/train-classifier/requirements.txt.
"""

import hashlib
import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import PIL
import tensorflow as tf
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [(64, 64), (224, 224), (17, 300), (300, 5), (1, 1)]  # height, width
PILLOW = {name: Image.Resampling[name.upper()] for name in ("nearest", "box", "bilinear", "bicubic", "lanczos")}
KERAS = {"keras-nearest": "nearest", "keras-bilinear": "bilinear"}


def read(path):
    img = Image.open(path)
    if img.mode == "I;16":
        img = Image.fromarray((np.asarray(img) >> 8).astype(np.uint8))
    return img.convert("RGB")


def keras_resize(array, size, method):
    """As image_dataset_from_directory does it, for height x width x channels."""
    x = keras.ops.image.resize(tf.constant(array.astype(np.float32)), size=size, interpolation=method, data_format="channels_last")
    return x.numpy().astype("<f4")


def results(img, filter):
    """The bytes of all results of an image, in the order of the test."""
    for height, width in SIZES:
        for one in (img, img.convert("L")):
            if filter in PILLOW:
                yield np.asarray(one.resize((width, height), PILLOW[filter])).tobytes()
                if min(ImageOps.contain(one, (width, height)).size) > 0:  # else Pillow leaves the image out
                    yield np.asarray(ImageOps.pad(one, (width, height), PILLOW[filter], color=(200, 200, 200) if one.mode == "RGB" else 200)).tobytes()
            else:
                array = np.asarray(one)
                yield keras_resize(array if array.ndim == 3 else array[:, :, None], (height, width), KERAS[filter]).tobytes()


def row(size):
    i = np.arange(size, dtype=np.int64)
    return ((i * i * 31 + i * 7 + size) % 256).astype(np.uint8)[None, :]


def rows(filter):
    for size in range(1, 1601):
        if filter in PILLOW:
            yield np.asarray(Image.fromarray(row(size)).resize((224, 1), PILLOW[filter])).tobytes()
        else:
            yield keras_resize(row(size)[:, :, None], (1, 224), KERAS[filter]).tobytes()


def digest(parts):
    h = hashlib.sha256()
    for p in parts:
        h.update(p)
    return h.hexdigest()[:32]


def main():
    folder = os.path.join(HERE, "images")
    filters = [*PILLOW, *KERAS]
    doc = {
        "made_by": f"make_resize.py: pillow {PIL.__version__}, keras {keras.__version__}, tensorflow {tf.__version__}, numpy {np.__version__}",
        "images": {f: {k: digest(results(read(os.path.join(folder, f)), k)) for k in filters} for f in sorted(os.listdir(folder))},
        "rows": {k: digest(rows(k)) for k in filters},
    }
    with open(os.path.join(HERE, "resize.json"), "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
