#!/usr/bin/env python3
"""Golden rows of the seed algorithm (blob, region, biovolume, carbon), one per image.

An independent reference in NumPy, SciPy and Pillow, written from the algorithm's description and not from the Go code
that it checks. The columns are those of the IFCB reference data's golden.csv.

  seed_reference.py PATH...                     rows of images: a PNG, a folder of PNGs, BIN.adc#LINE (that raw line)
  seed_reference.py --bins DIR [--raw]          rows of every served ROI (or raw line) of every bin below DIR that has
                                                pixels; pairs of old cameras are stitched, their gap filled as
                                                generation 2 dashboards fill it
  seed_reference.py --compare GOLDEN --root DIR compares with the rows of a golden.csv whose paths start at DIR
"""

import argparse
import csv
import hashlib
import math
import os
import platform
import re
import sys

import numpy
import PIL
import PIL.Image
import scipy
import scipy.fft
from scipy import ndimage

COLUMNS = (
    "id path width height pixel_sum pixel_sha256 mm_sum mm_max mm_near_thr edges_raw edges kmeans_c0 kmeans_c1 "
    "dark_threshold dark edges_or_dark closed dilated thinned filled blob_area n_components blob_touches_border "
    "blob_sha256 equivalent_diameter major_axis_length eccentricity perimeter hull_vertices convex_area area_ratio p "
    "method transect distmap_volume sor_volume biovolume_px biovolume_um3 carbon_diatom_pg carbon_other_pg "
    "carbon_mdl_diatom_pg carbon_mdl_protist_pg status"
).split()
EXACT = (
    "width height pixel_sum pixel_sha256 mm_near_thr edges_raw edges dark edges_or_dark closed dilated thinned filled "
    "blob_area n_components blob_touches_border blob_sha256 perimeter hull_vertices convex_area method status"
).split()

PIXELS_PER_MICRON = 3.4
EIGHT = numpy.ones((3, 3), bool)
FOUR = ndimage.generate_binary_structure(2, 1)


# Phase congruency

def axis_frequencies(n):
    """Frequencies of an axis of n points in DFT order; an odd axis is scaled by n-1 and reaches 0.5 on both ends."""
    if n == 1:
        return numpy.zeros(1)
    index = numpy.arange(n)
    if n % 2:
        signed = numpy.where(index <= (n - 1) // 2, index, index - n)
        return signed / (n - 1)
    signed = numpy.where(index < n // 2, index, index - n)
    return signed / n


def phase_congruency(image):
    """Sum of the maximum and minimum moment of phase congruency of every pixel."""
    height, width = image.shape
    u = axis_frequencies(width)[None, :]
    v = axis_frequencies(height)[:, None]
    rho0 = numpy.sqrt(u * u + v * v)
    rho = rho0.copy()
    rho[0, 0] = 1.0
    theta = numpy.arctan2(-v, u)
    sine, cosine = numpy.sin(theta), numpy.cos(theta)
    lowpass = 1.0 / (1.0 + (rho0 / 0.45) ** 30)
    radial = []
    for scale in range(4):
        centre = 1.0 / (2.0 * 2.5 ** scale)
        g = numpy.exp(-numpy.log(rho / centre) ** 2 / (2.0 * math.log(0.55) ** 2)) * lowpass
        g[0, 0] = 0.0
        radial.append(g)

    eps = 1e-4
    spectrum = scipy.fft.fft2(image.astype(float))
    total = numpy.zeros(image.shape)
    for orientation in range(6):
        angle = orientation * math.pi / 6
        ds = sine * math.cos(angle) - cosine * math.sin(angle)
        dc = cosine * math.cos(angle) + sine * math.sin(angle)
        distance = numpy.abs(numpy.arctan2(ds, dc))
        angular = (numpy.cos(numpy.minimum(3.0 * distance, math.pi)) + 1.0) / 2.0
        responses = [scipy.fft.ifft2(spectrum * g * angular) for g in radial]
        amplitudes = [numpy.abs(r) for r in responses]
        amplitude_sum = sum(amplitudes)
        amplitude_max = numpy.maximum.reduce(amplitudes)
        even = sum(r.real for r in responses)
        odd = sum(r.imag for r in responses)
        tau = numpy.median(amplitudes[0]) / math.sqrt(math.log(4.0))
        total_tau = tau * (1.0 - (1.0 / 2.5) ** 4) / (1.0 - 1.0 / 2.5)
        noise = max(
            total_tau * math.sqrt(math.pi / 2.0) + 2.0 * total_tau * math.sqrt((4.0 - math.pi) / 2.0), eps)
        norm = numpy.sqrt(even * even + odd * odd) + eps
        e, q = even / norm, odd / norm
        energy = sum(r.real * e + r.imag * q - numpy.abs(r.real * q - r.imag * e) for r in responses)
        energy = numpy.maximum(energy - noise, 0.0)
        spread = (amplitude_sum / (amplitude_max + eps) - 1.0) / 3.0
        weight = 1.0 / (1.0 + numpy.exp(5.0 * (0.3 - spread)))
        with numpy.errstate(invalid="ignore"):
            congruency = weight * energy / amplitude_sum
        total += congruency * congruency
    return total / 3.0


def clean_border(edges):
    """An edge on the border counts only where it goes on inside; changes edges in the order top, bottom, left, right."""
    height, width = edges.shape
    edges[0] &= edges[1] if height > 1 else False
    edges[-1] &= edges[-2] if height > 1 else False
    edges[:, 0] &= edges[:, 1] if width > 1 else False
    edges[:, -1] &= edges[:, -2] if width > 1 else False


# Dark mask

def two_means(image):
    """Centres of two clusters of grey values: Lloyd's iterations from mean -+ sample standard deviation."""
    values = image.astype(float).ravel()
    mean = values.mean()
    deviation = values.std(ddof=1) if values.size > 1 else math.nan
    centres = [mean - deviation, mean + deviation]
    for _ in range(10):
        first = numpy.abs(values - centres[0]) <= numpy.abs(values - centres[1])
        moved = [values[m].mean() if m.any() else c for m, c in zip((first, ~first), centres)]
        if moved == centres:
            break
        centres = moved
    return centres


# Morphology

DIAMOND = numpy.add.outer(numpy.abs(numpy.arange(-2, 3)), numpy.abs(numpy.arange(-2, 3))) <= 2


def thinning_tables():
    """For each neighbourhood (bit i is x_i) whether its pixel goes in the first and in the second sub-iteration."""
    tables = numpy.zeros((2, 256), bool)
    for bits in range(256):
        x = [bool(bits >> i & 1) for i in range(8)]
        crossings = sum(not x[i] and (x[i + 1] or x[(i + 2) % 8]) for i in (0, 2, 4, 6))
        n1 = sum(x[k] or x[k - 1] for k in (1, 3, 5, 7))
        n2 = sum(x[k] or x[(k + 1) % 8] for k in (1, 3, 5, 7))
        if crossings == 1 and 2 <= min(n1, n2) <= 3:
            tables[0, bits] = not ((x[1] or x[2] or not x[7]) and x[0])
            tables[1, bits] = not ((x[5] or x[6] or not x[3]) and x[4])
    return tables


TABLES = thinning_tables()


def thin(mask, iterations):
    # E, NE, N, NW, W, SW, S, SE as (row, column) steps
    steps = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    height, width = mask.shape
    for _ in range(iterations):
        before = mask.sum()
        for table in TABLES:
            padded = numpy.pad(mask, 1)
            bits = numpy.zeros(mask.shape, int)
            for i, (dr, dc) in enumerate(steps):
                bits |= padded[1 + dr:1 + dr + height, 1 + dc:1 + dc + width].astype(int) << i
            mask = mask & ~table[bits]
        if mask.sum() == before:
            break
    return mask


def drop_small(mask, least):
    labels, count = ndimage.label(mask, EIGHT)
    sizes = numpy.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes >= least
    keep[0] = False
    return keep[labels], int(keep.sum())


# Hull

def convex_hull(points):
    """Vertices in counter-clockwise turn (row as x, column as y), collinear points left out: Andrew's monotone chain."""
    points = sorted(map(tuple, points.tolist()))

    def chain(sequence):
        out = []
        for p in sequence:
            while len(out) >= 2 and cross(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        return out[:-1]

    if len(points) < 3:
        return []
    hull = chain(points) + chain(points[::-1])
    return hull if len(hull) >= 3 else []


def cross(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def line(r0, c0, r1, c1):
    dr, dc = abs(r1 - r0), abs(c1 - c0)
    sr, sc = (1 if r1 > r0 else -1), (1 if c1 > c0 else -1)
    r, c = r0, c0
    steep = dr > dc
    if steep:
        r, c, dr, dc, sr, sc = c, r, dc, dr, sc, sr
    d = 2 * dr - dc
    for _ in range(dc):
        yield (c, r) if steep else (r, c)
        while d >= 0:
            r += sr
            d -= 2 * dc
        c += sc
        d += 2 * dr
    yield r1, c1


def hull_image(hull, shape):
    """The pixels inside or on the hull, and those of the lines along its edges."""
    rows, columns = numpy.indices(shape)
    inside = numpy.ones(shape, bool)
    for i, b in enumerate(hull):
        a = hull[i - 1]
        inside &= (b[0] - a[0]) * (columns - a[1]) - (b[1] - a[1]) * (rows - a[0]) >= 0
    for i, b in enumerate(hull):
        a = hull[i - 1]
        for r, c in line(*b, *a):
            inside[r, c] = True
    return inside


# One image

def analyse(image):
    """The golden values of one grey image, as a dict of the columns."""
    height, width = image.shape
    out = dict.fromkeys(COLUMNS)
    out.update(width=width, height=height, pixel_sum=int(image.sum(dtype=numpy.int64)),
               pixel_sha256=hashlib.sha256(image.tobytes()).hexdigest())

    moment = phase_congruency(image)
    out.update(mm_sum=float(moment.sum()), mm_max=float(moment.max()),
               mm_near_thr=int((numpy.abs(moment - 0.1) < 1e-7).sum()))
    with numpy.errstate(invalid="ignore"):
        edges = moment > 0.1
    out["edges_raw"] = int(edges.sum())
    clean_border(edges)
    out["edges"] = int(edges.sum())

    c0, c1 = two_means(image)
    threshold = (c0 + c1) / 2.0 * 0.65
    dark = image < threshold
    mask = edges | dark
    out.update(kmeans_c0=float(c0), kmeans_c1=float(c1), dark_threshold=float(threshold), dark=int(dark.sum()),
               edges_or_dark=int(mask.sum()))

    mask = ndimage.binary_dilation(mask, numpy.ones((5, 5), bool))
    mask = ndimage.binary_erosion(mask, numpy.ones((5, 5), bool), border_value=1)
    out["closed"] = int(mask.sum())
    mask = ndimage.binary_dilation(mask, DIAMOND)
    out["dilated"] = int(mask.sum())
    mask = thin(mask, 3)
    out["thinned"] = int(mask.sum())
    mask = ndimage.binary_fill_holes(mask, FOUR)
    out["filled"] = int(mask.sum())
    blob, components = drop_small(mask, 150)
    out.update(blob_area=int(blob.sum()), n_components=components,
               blob_sha256=hashlib.sha256(numpy.packbits(blob).tobytes()).hexdigest())
    if not components:
        out["status"] = "no_blob"
        return out
    measure(blob, out)
    return out


def measure(blob, out):
    """Region, hull, volume and carbon of a mask, all its pixels taken as one region."""
    border = blob[0].any() or blob[-1].any() or blob[:, 0].any() or blob[:, -1].any()
    rows, columns = numpy.nonzero(blob)
    area = len(rows)
    diameter = math.sqrt(4.0 * area / math.pi)
    dr, dc = rows - rows.mean(), columns - columns.mean()
    a, b, h = (dr * dr).mean(), (dc * dc).mean(), (dr * dc).mean()
    root = math.sqrt(((a - b) / 2.0) ** 2 + h * h)
    l1, l2 = max((a + b) / 2.0 + root, 0.0), max((a + b) / 2.0 - root, 0.0)
    major = 4.0 * math.sqrt(l1)
    eccentricity = math.sqrt(1.0 - l2 / l1) if l1 else 0.0
    perimeter = blob & ~ndimage.binary_erosion(blob, FOUR, border_value=1)
    out.update(blob_touches_border=int(border), equivalent_diameter=diameter, major_axis_length=major,
               eccentricity=eccentricity, perimeter=int(perimeter.sum()))

    hull = convex_hull(numpy.argwhere(perimeter))
    if not hull:
        out["status"] = "hull_error"
        return
    convex = int(hull_image(hull, blob.shape).sum())
    ratio, p = convex / area, diameter / major
    distance = numpy.where(blob, ndimage.distance_transform_edt(~perimeter) + 1.0, 0.0)
    transect = 4.0 * distance[blob].mean() - 2.0
    c1 = transect ** 2 / (transect ** 2 + 2.0 * transect + 0.5)
    distmap = c1 * (math.pi / 2.0) * 2.0 * distance.sum()
    sor = float((math.pi * (blob.sum(axis=0) / 2.0) ** 2).sum())
    method = "sor" if ratio < 1.2 or (eccentricity < 0.8 and p > 0.8) else "distmap"
    volume = sor if method == "sor" else distmap
    microns = volume * (1.0 / PIXELS_PER_MICRON) ** 3
    log = math.log10(microns)
    protist, small, large = 10 ** (-0.665 + 0.939 * log), 10 ** (-0.541 + 0.811 * log), 10 ** (-0.933 + 0.881 * log)
    out.update(
        hull_vertices=len(hull), convex_area=convex, area_ratio=ratio, p=p, method=method, transect=transect,
        distmap_volume=distmap, sor_volume=sor, biovolume_px=volume, biovolume_um3=microns,
        carbon_diatom_pg=protist, carbon_other_pg=10 ** (-0.993 + 0.881 * log),
        carbon_mdl_diatom_pg=large if microns > 3000 else small, carbon_mdl_protist_pg=protist, status="ok")


# Input

def read_png(path):
    """The grey image of a PNG. Colour becomes ITU-R 601 luma of the 8 upper bits, transparency is ignored."""
    with PIL.Image.open(path) as image:
        if image.mode in ("I", "I;16", "I;16B"):  # 16-bit grey: Pillow would clip it
            return (numpy.asarray(image).astype(int) >> 8).astype(numpy.uint8)
        if image.mode in ("P", "PA"):
            image = image.convert("RGB")
        return numpy.asarray(image.convert("L"))


class Bin:
    """One bin's .adc and .roi file."""

    def __init__(self, path):
        self.stem = path.removesuffix(".adc")
        self.lid = os.path.basename(self.stem)
        self.old = not re.fullmatch(r"D\d{8}T\d{6}_IFCB\d+", self.lid)
        x = 9 if self.old else 13
        self.lines = []
        with open(path) as f:
            for number, text in enumerate(f, 1):
                fields = text.split(",")
                self.lines.append((number, int(float(fields[0])), *(int(float(v)) for v in fields[x:x + 5])))
        with open(self.stem + ".roi", "rb") as f:
            self.pixels = f.read()

    def line(self, number):
        """The image of one line as it stands."""
        _, _, _, _, width, height, start = self.lines[number - 1]
        if width * height == 0:
            raise SystemExit(f"{self.lid}: line {number} has no image")
        data = self.pixels[start:start + width * height]
        return numpy.frombuffer(data, numpy.uint8).reshape(height, width)

    def served(self, raw=False):
        """Numbers and images as a dashboard serves them."""
        lines = [t for t in self.lines if t[4] * t[5] > 0]
        while lines:
            a = lines.pop(0)
            if self.old and not raw and lines and pair(a, lines[0]):
                b = lines.pop(0)
                yield a[0], stitch(a, self.line(a[0]), b, self.line(b[0]))
            else:
                yield a[0], self.line(a[0])


def pair(a, b):
    """Whether two lines are halves of one particle: same trigger, boxes that overlap by more than 2 px."""
    (_, ta, xa, ya, wa, ha, _), (_, tb, xb, yb, wb, hb, _) = a, b
    return ta == tb and xa < xb + wb - 2 and xa + wa > xb + 2 and ya < yb + hb - 2 and ya + ha > yb + 2


def stitch(a, first, b, second):
    (_, _, xa, ya, _, _, _), (_, _, xb, yb, _, _, _) = a, b
    left, top = min(xa, xb), min(ya, yb)
    right = max(xa + first.shape[1], xb + second.shape[1])
    bottom = max(ya + first.shape[0], yb + second.shape[0])
    canvas = numpy.zeros((bottom - top, right - left), numpy.uint8)
    missing = numpy.ones(canvas.shape, bool)
    for x, y, part in ((xa, ya, first), (xb, yb, second)):
        place = numpy.s_[y - top:y - top + part.shape[0], x - left:x - left + part.shape[1]]
        canvas[place] = part
        missing[place] = False
    if missing.any():
        boundary = ndimage.binary_dilation(missing, FOUR) & ~missing
        canvas[missing] = round(float(canvas[boundary].mean()))
    return canvas


def inputs(paths):
    """id, path and grey image of everything that paths name."""
    for path in paths:
        if os.path.isdir(path):
            yield from inputs(sorted(os.path.join(path, n) for n in os.listdir(path) if n.endswith(".png")))
        elif "#" in path:
            file, number = path.rsplit("#", 1)
            b = Bin(file if file.endswith(".adc") else file + ".adc")
            yield f"{b.lid}_{int(number):05d}", path, b.line(int(number))
        else:
            yield os.path.basename(path).removesuffix(".png"), path, read_png(path)


def bins(folder, raw):
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.endswith(".adc") and os.path.exists(path.removesuffix(".adc") + ".roi"):
                b = Bin(path)
                for number, image in b.served(raw):
                    yield f"{b.lid}_{number:05d}", f"{b.lid}.adc#{number}", image


# Output

def text(value):
    return "" if value is None else repr(float(value)) if isinstance(value, float) else str(value)


class Table:
    """A table of golden rows: its columns, those that have to be exact, how far the others may be off, and the analysis
    that gives a row."""

    def __init__(self, columns, exact, analyse, tolerance=lambda column: 1e-9):
        self.columns, self.exact, self.analyse, self.tolerance = columns, exact, analyse, tolerance
        self.real = [c for c in columns if c not in exact and c not in ("id", "path")]


def write(table, items, base):
    out = csv.DictWriter(sys.stdout, table.columns, lineterminator="\n")
    out.writeheader()
    for name, path, image in items:
        row = table.analyse(image)
        row.update(id=name, path=os.path.relpath(path, base) if base else path)
        out.writerow({k: text(v) for k, v in row.items()})


def compare(table, golden, root):
    """Prints how the rows computed here differ from those of a golden table, as Markdown. Gives the exit status."""
    differing = dict.fromkeys(table.exact, 0)
    worst = dict.fromkeys(table.real, 0.0)
    values = dict.fromkeys(table.real, 0)
    rows = 0
    with open(golden, newline="") as f:
        for want in csv.DictReader(f):
            rows += 1
            (_, _, image), = inputs([os.path.join(root, want["path"])])
            got = table.analyse(image)
            for c in table.exact:
                if text(got[c]) != want[c]:
                    differing[c] += 1
                    print(f"{want['id']}: {c}: {text(got[c])}, golden {want[c]}", file=sys.stderr)
            for c in table.real:
                if c not in want:
                    continue
                if (got[c] is None) != (want[c] == ""):
                    worst[c] = math.inf
                elif got[c] is not None:
                    values[c] += 1
                    worst[c] = max(worst[c], abs(got[c] - float(want[c])) / max(abs(float(want[c])), 1e-300))
    versions = (f"Python {platform.python_version()}, NumPy {numpy.__version__}, SciPy {scipy.__version__}, "
                f"Pillow {PIL.__version__}, {platform.machine()}")
    print(f"Images: {rows}. {versions}.\n")
    print("| exact column | rows that differ |\n| --- | --- |")
    for c in table.exact:
        print(f"| {c} | {differing[c]} |")
    print("\n| real column | values | largest relative difference |\n| --- | --- | --- |")
    for c in filter(values.get, table.real):
        print(f"| {c} | {values[c]} | {worst[c]:.1e} |")
    return int(any(differing.values()) or any(w > table.tolerance(c) for c, w in worst.items()))


def run(table, doc, raw):
    """Does what the command line asks for with a table. doc is the program's text, raw whether --bins has the option --raw."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--base", help="write paths of images relative to this folder")
    parser.add_argument("--bins", metavar="DIR", help="every ROI of the bins below DIR")
    if raw:
        parser.add_argument("--raw", action="store_true", help="with --bins: lines as they stand, nothing stitched")
    parser.add_argument("--compare", metavar="GOLDEN", help="compare with this golden table")
    parser.add_argument("--root", default=".", help="with --compare: the folder where its paths start")
    args = parser.parse_args()
    if args.compare:
        return compare(table, args.compare, args.root)
    if args.bins:
        return write(table, bins(args.bins, raw and args.raw), None)
    if not args.paths:
        parser.error("name some images, or --bins or --compare")
    return write(table, inputs(args.paths), args.base)


if __name__ == "__main__":
    sys.exit(run(Table(COLUMNS, EXACT, analyse), __doc__, raw=True))
