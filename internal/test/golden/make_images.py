#!/usr/bin/env python3
"""Draws the images of testdata: shapes as an Imaging FlowCytobot sees them, and those that are trouble.

  make_images.py testdata
  seed_reference.py --base testdata testdata > testdata/golden.csv

Everything is arithmetic on integers and square roots, so that the pixels are the same on every machine.
"""

import os
import sys

import numpy
import PIL.Image


def noise(height, width, seed, span):
    """Whole numbers from -span to span, of a linear congruential generator."""
    out = numpy.empty(height * width, int)
    state = seed
    for i in range(out.size):
        state = (state * 1103515245 + 12345) % 2 ** 31
        out[i] = (state >> 16) % (2 * span + 1) - span
    return out.reshape(height, width)


def background(width, height, seed, level=185, span=3):
    rows, columns = numpy.indices((height, width))
    return (level + columns * 6 // max(width, 1) - rows * 4 // max(height, 1) + noise(height, width, seed, span)).astype(float)


def ellipse(image, x, y, a, b, depth, along=(1, 0), rim=0.2):
    """Darkens an ellipse of half axes a (in the direction along, whose length does not matter) and b, with a darker rim."""
    rows, columns = numpy.indices(image.shape)
    length = (along[0] ** 2 + along[1] ** 2) ** 0.5
    cos, sin = along[0] / length, along[1] / length
    p = ((columns - x) * cos + (rows - y) * sin) / a
    q = ((rows - y) * cos - (columns - x) * sin) / b
    radius = numpy.sqrt(p * p + q * q)
    image -= numpy.where(radius <= 1, depth, 0)
    image -= numpy.where((radius <= 1) & (radius > 1 - rim), depth // 2, 0)


def grey(image):
    return numpy.clip(numpy.rint(image), 0, 255).astype(numpy.uint8)


def disc():
    i = background(64, 64, 1)
    ellipse(i, 31, 33, 17, 17, 60)
    return grey(i)


def flagellate():
    i = background(88, 42, 2)
    ellipse(i, 40, 20, 22, 11, 70)
    ellipse(i, 72, 21, 12, 1.2, 60)
    return grey(i)


def tilted():
    i = background(97, 61, 3)
    ellipse(i, 47, 30, 30, 9, 55, along=(3, 2))
    return grey(i)


def upright():
    i = background(53, 131, 4)
    ellipse(i, 26, 64, 50, 10, 50, along=(1, 9))
    return grey(i)


def chain():
    i = background(223, 48, 5)
    for k in range(8):
        ellipse(i, 24 + 25 * k, 22 + k % 3, 13, 9, 60)
    return grey(i)


def bent_chain():
    i = background(179, 144, 6)
    for k in range(9):
        ellipse(i, 20 + 17 * k, 20 + (k - 4) ** 2 * 6, 11, 8, 65)
    return grey(i)


def pennate():
    i = background(160, 37, 7)
    ellipse(i, 80, 18, 70, 5, 75)
    return grey(i)


def spiny():
    i = background(151, 92, 8)
    ellipse(i, 75, 46, 26, 17, 70)
    for along in ((1, 0), (1, 1), (0, 1), (1, -1), (2, 1), (2, -1)):
        ellipse(i, 75, 46, 62 if along[1] == 0 else 42, 1.1, 45, along)
    return grey(i)


def several():
    i = background(120, 80, 9)
    ellipse(i, 28, 26, 17, 12, 60)
    ellipse(i, 86, 50, 22, 15, 75, along=(2, -1))
    ellipse(i, 30, 68, 4, 3, 60)
    return grey(i)


def border():
    i = background(81, 53, 10)
    ellipse(i, 15, 20, 20, 14, 70)
    ellipse(i, 15, 20, 90, 3, 60, along=(2, 1))
    return grey(i)


def corner():
    i = background(64, 45, 11)
    ellipse(i, 63, 44, 38, 30, 120)
    return grey(i)


def ring():
    i = background(101, 103, 12)
    ellipse(i, 50, 51, 38, 36, 8, rim=0.0)
    rows, columns = numpy.indices(i.shape)
    radius = numpy.sqrt((columns - 50) ** 2 + (rows - 51) ** 2)
    i -= numpy.where((radius < 38) & (radius > 33), 80, 0)
    return grey(i)


def crescent():
    i = background(110, 70, 13)
    rows, columns = numpy.indices(i.shape)
    outer = (columns - 55) ** 2 + (rows - 38) ** 2 <= 30 ** 2
    inner = (columns - 55) ** 2 + (rows - 22) ** 2 <= 27 ** 2
    i -= numpy.where(outer & ~inner, 85, 0)
    return grey(i)


def empty():
    return grey(background(72, 34, 14, level=170, span=2))


def constant():
    return numpy.full((24, 32), 127, numpy.uint8)


def line():
    """One row: whatever is found lies on a line and has no hull."""
    i = background(211, 1, 15)
    i[0, 20:190] = 40
    return grey(i)


def colour():
    i = background(90, 50, 16)
    ellipse(i, 44, 24, 24, 15, 70)
    g = grey(i)
    return numpy.dstack([g, g - g // 5, g // 2])


def transparent():
    i = background(75, 46, 17)
    ellipse(i, 37, 22, 20, 13, 70)
    g = grey(i)
    return numpy.dstack([g, g, g - g // 3, 255 - g])


def deep():
    """16 bits a pixel."""
    i = background(66, 44, 18)
    ellipse(i, 33, 22, 21, 12, 65)
    return grey(i).astype(numpy.uint16) * 256 + 99


def palette():
    i = background(84, 36, 19)
    ellipse(i, 40, 18, 25, 10, 70)
    image = PIL.Image.fromarray(grey(i) // 16, "P")
    image.putpalette([v for k in range(16) for v in (k * 16 + 8, k * 16, k * 8)])
    return image


DRAWINGS = (disc, flagellate, tilted, upright, chain, bent_chain, pennate, spiny, several, border, corner, ring,
            crescent, empty, constant, line, colour, transparent, deep, palette)


def main(folder):
    for number, draw in enumerate(DRAWINGS, 1):
        image = draw()
        if isinstance(image, numpy.ndarray):
            image = PIL.Image.fromarray(image)
        image.save(os.path.join(folder, f"{number:02d}-{draw.__name__.replace('_', '-')}.png"), optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
