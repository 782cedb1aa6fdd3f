"""Records what Pillow makes of images/*.png that are padded with a colour of
their own, or reflected, before or after they are resized.

    python make_padding.py

writes padding.json, which holds a hash for each image, fill and order: one of
all sizes and filters together, in RGB and in gray. The colour is the mean of the
four corners or the median of the four sides (corners count twice), per channel,
without its fraction; reflection is NumPy's, as torchvision's.
"""

import hashlib
import json
import os

import numpy as np
import PIL
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [(64, 64), (224, 224), (17, 300)]  # height, width
FILTERS = ("nearest", "bilinear", "bicubic")


def read(path):
    img = Image.open(path)
    if img.mode == "I;16":
        img = Image.fromarray((np.asarray(img) >> 8).astype(np.uint8))
    return img.convert("RGB")


def colour(img, fill):
    a = np.asarray(img)
    if fill == "corners":
        values = np.stack([a[0, 0], a[0, -1], a[-1, 0], a[-1, -1]]).mean(axis=0)
    elif fill == "border-median":
        values = np.median(np.concatenate([a[0], a[-1], a[:, 0], a[:, -1]]), axis=0)
    else:
        return 200 if img.mode == "L" else (200, 200, 200)
    return tuple(int(v) for v in values) if img.mode == "RGB" else int(values)


def placed(img, width, height, left, top, fill, by):
    """An image on a larger canvas."""
    if fill == "reflect":
        around = [(top, height - top - img.height), (left, width - left - img.width)]
        return Image.fromarray(np.pad(np.asarray(img), around + [(0, 0)] * (img.mode == "RGB"), mode="reflect"))
    canvas = Image.new(img.mode, (width, height), by)
    canvas.paste(img, (left, top))
    return canvas


def padded(img, height, width, filter, fill, when):
    by = colour(img, fill)
    if when == "before":
        w, h = max(img.width, img.height * width // height), max(img.height, img.width * height // width)
        return placed(img, w, h, (w - img.width) // 2, (h - img.height) // 2, fill, by).resize((width, height), filter)
    if fill != "reflect":
        return ImageOps.pad(img, (width, height), filter, color=by)
    small = ImageOps.contain(img, (width, height), filter)
    return placed(small, width, height, round((width - small.width) * 0.5), round((height - small.height) * 0.5), fill, by)


def results(img, fill, when):
    for height, width in SIZES:
        for filter in FILTERS:
            for one in (img, img.convert("L")):
                if when == "before" or min(ImageOps.contain(one, (width, height)).size) > 0:  # else Pillow leaves the image out
                    yield np.asarray(padded(one, height, width, Image.Resampling[filter.upper()], fill, when)).tobytes()


def digest(parts):
    h = hashlib.sha256()
    for p in parts:
        h.update(p)
    return h.hexdigest()[:32]


def main():
    folder = os.path.join(HERE, "images")
    ways = [(fill, when) for fill in ("200", "corners", "border-median", "reflect") for when in ("before", "after")]
    doc = {
        "made_by": f"make_padding.py: pillow {PIL.__version__}, numpy {np.__version__}",
        "images": {f: {" ".join(way): digest(results(read(os.path.join(folder, f)), *way)) for way in ways} for f in sorted(os.listdir(folder))},
    }
    with open(os.path.join(HERE, "padding.json"), "w") as f:
        json.dump(doc, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
