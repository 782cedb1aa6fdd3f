#!/usr/bin/env python3
"""Golden rows of the v4 algorithm (WHOIGit/ifcb-features 1.3), one per image.

An independent reference in NumPy, SciPy and Pillow, written from the algorithm's description and neither from that
package nor from the Go code that it checks. Phase congruency, thinning, hull, the reading of images and
the writing of tables are those of seed_reference.py. The columns are those of the IFCB reference data's golden-ifcb-features.csv, and
summedConvexPerimeter.

  v4_reference.py PATH...                     rows of images: a PNG, a folder of PNGs, BIN.adc#LINE (that raw line)
  v4_reference.py --bins DIR                  rows of every served ROI of every bin below DIR that has pixels
  v4_reference.py --compare GOLDEN --root DIR compares with the rows of a golden table whose paths start at DIR
"""

import hashlib
import math
import sys

import numpy
from scipy import ndimage

import seed_reference as seed

COLUMNS = (
    "id path status numBlobs mask_area blob_sha256 Area Biovolume method distmap_volume sor_volume area_ratio p "
    "EquivDiameter MajorAxisLength MinorAxisLength Eccentricity Orientation ConvexArea ConvexPerimeter Perimeter "
    "RepresentativeWidth Solidity Extent SurfaceArea BoundingBox_xwidth BoundingBox_ywidth maxFeretDiameter "
    "minFeretDiameter summedArea summedBiovolume summedConvexArea summedConvexPerimeter summedMajorAxisLength "
    "summedMinorAxisLength summedPerimeter summedSurfaceArea"
).split()
SUMMED = [c.removeprefix("summed") for c in COLUMNS if c.startswith("summed")]
PER_BLOB = COLUMNS[COLUMNS.index("Area"):COLUMNS.index("summedArea")]
EMPTY_WITHOUT_BLOB = "method distmap_volume sor_volume area_ratio p".split()
EXACT = "status numBlobs mask_area blob_sha256 Area method BoundingBox_xwidth BoundingBox_ywidth summedArea".split()
SINGLE = "Biovolume distmap_volume RepresentativeWidth SurfaceArea summedBiovolume summedSurfaceArea".split()

LEAST = 41
F = numpy.float32


# Mask

def running_sum(values):
    """The float32 sum of values, added one after the other."""
    values = numpy.asarray(values, F)
    return numpy.add.accumulate(values, dtype=F)[-1] if values.size else F(0)


def dark_mask(image):
    """Two means of the grey values in float32, column after column, from the centres 0 and 1."""
    if image.size < 2:
        return numpy.zeros(image.shape, bool)
    values = image.T.ravel().astype(F) / F(255)
    centres = [F(0), F(1)]

    def distances():
        return [(values - c) ** 2 for c in centres]

    def move_centres(assigned):
        for k in (0, 1):
            members = values[assigned == k]
            if members.size:
                centres[k] = running_sum(members) / F(members.size)

    d = distances()
    assigned = numpy.where(d[0] <= d[1], 0, 1)
    previous, previous_total = None, F(numpy.inf)
    for _ in range(100):
        move_centres(assigned)
        d = distances()
        for empty in (0, 1):
            if not (assigned == empty).any():
                assigned[numpy.argmax(d[1 - empty])] = empty
                move_centres(assigned)
                d = distances()
        own, other = numpy.where(assigned == 0, d[0], d[1]), numpy.where(assigned == 0, d[1], d[0])
        total = running_sum(own)
        if previous_total <= total:
            assigned = previous
            move_centres(assigned)
            break
        previous, previous_total = assigned.copy(), total
        nearest = numpy.where(d[0] <= d[1], 0, 1)
        moves = (nearest != assigned) & (own > other)
        if not moves.any():
            break
        assigned = numpy.where(moves, nearest, assigned)
    background = 1 if centres[1] > centres[0] else 0
    threshold = values[assigned == background].min() * F(0.75)
    dark = (assigned != background) & (values <= threshold)
    return dark.reshape(image.shape[::-1]).T


def hysteresis(moment):
    with numpy.errstate(invalid="ignore"):
        strong, weak = moment > 0.3, moment > 0.09
    labels, count = ndimage.label(weak, seed.EIGHT)
    keep = numpy.zeros(count + 1, bool)
    keep[numpy.unique(labels[strong])] = True
    keep[0] = False
    return keep[labels]


def clean_border(edges):
    """As in the seed algorithm, but in the order left, right, top, bottom."""
    seed.clean_border(edges.T)


def find_blobs(image):
    mask = hysteresis(seed.phase_congruency(image))
    clean_border(mask)
    wide = ndimage.binary_dilation(numpy.pad(mask, 2), seed.DIAMOND)
    mask = ndimage.binary_erosion(wide, seed.DIAMOND)[2:-2, 2:-2]
    mask = seed.thin(mask, 3) | dark_mask(image)
    mask = ndimage.binary_fill_holes(mask, seed.FOUR)
    eroded, count = seed.drop_small(ndimage.binary_erosion(mask, seed.FOUR, border_value=1), LEAST)
    return eroded if count else seed.drop_small(mask, LEAST)[0]


# One blob

def rim_of(blob):
    return blob & ~ndimage.binary_erosion(blob, seed.FOUR)


def perimeter_length(rim):
    weights = {5: 1, 7: 1, 15: 1, 17: 1, 25: 1, 27: 1, 21: math.sqrt(2), 33: math.sqrt(2),
               13: (1 + math.sqrt(2)) / 2, 23: (1 + math.sqrt(2)) / 2}
    codes = ndimage.convolve(rim.astype(int), [[10, 2, 10], [2, 1, 2], [10, 2, 10]], mode="constant")
    return sum(weights.get(int(c), 0) for c in codes[rim])


def axes(blob):
    """Axes, eccentricity and orientation."""
    rows, columns = numpy.nonzero(blob)
    a, q, _, b = numpy.cov(rows, columns).ravel()
    root = math.sqrt(((a - b) / 2) ** 2 + q * q)
    major, minor = (4 * math.sqrt(max(0.0, (a + b) / 2 + s)) for s in (root, -root))
    # Sequential sums: the last bit of the angle counts.
    x, y = columns + 1.0, rows + 1.0
    dx, dy = x - x.sum() / len(x), y - y.sum() / len(y)
    m20, m02, m11 = (float(numpy.add.accumulate(v)[-1]) for v in (dx * dx, dy * dy, dx * dy))
    theta = -0.5 * (math.atan2(2 * m11, m20 - m02) * (180 / math.pi))
    if theta <= -90:
        theta += 180
    return major, minor, math.sqrt(max(0.0, 1 - (minor / major) ** 2)), theta + 0.0


def hull_measures(rim, area, perimeter):
    """Convex area and perimeter, greatest and least Feret diameter."""
    points = numpy.argwhere(rim)
    hull = seed.convex_hull(points)
    if hull:
        corners = numpy.array(hull, float)
        following = numpy.roll(corners, -1, axis=0)
        middle = corners.mean(axis=0)
        a, b, c = (numpy.hypot(*d.T) for d in (following - corners, corners - middle, following - middle))
        s = (a + b + c) / 2
        convex_perimeter = a.sum()
        convex_area = numpy.sqrt(numpy.maximum(s * (s - a) * (s - b) * (s - c), 0)).sum() + convex_perimeter / 2
    else:
        corners, convex_perimeter, convex_area = points.astype(float), perimeter, area
    angles = -numpy.radians(numpy.arange(360))
    along = numpy.outer(numpy.cos(angles), corners[:, 1]) - numpy.outer(numpy.sin(angles), corners[:, 0])
    extent = along.max(axis=1) - along.min(axis=1) + numpy.abs(numpy.cos(angles)) + numpy.abs(numpy.sin(angles))
    return float(convex_area), float(convex_perimeter), float(extent.max()), float(extent.min())


def triangles(u, v):
    """Half the length of the cross product of vectors given as three arrays each, in the arrays' precision."""
    x, y, z = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
    return numpy.sqrt(x * x + y * y + z * z) / 2


def cell_triangles(x, y, z):
    """For each cell of a grid of points its two triangles and the height differences over it."""
    points = (x, y, z)
    u = [p[:-1, :-1] - p[1:, :-1] for p in points]
    v = [p[:-1, :-1] - p[1:, 1:] for p in points]
    t = [p[:-1, 1:] - p[1:, 1:] for p in points]
    return triangles(u, v), triangles(t, v), (u[2], v[2], t[2])


def distance_map(rim):
    """Volume, representative width and surface by the distance map, in float32."""
    filled = ndimage.binary_fill_holes(rim, seed.FOUR)
    distance = numpy.where(filled, ndimage.distance_transform_edt(~rim) + 1.0, 0.0).astype(F)
    total = running_sum(distance.T[filled.T])
    x = F(4) * (total / F(filled.sum())) - F(2)
    square = x * x
    c1 = square / ((square + F(2) * x) + F(0.5))
    volume = ((c1 * F(math.pi / 2)) * F(2)) * total
    height, width = rim.shape
    columns, rows = numpy.meshgrid(numpy.arange(1, width + 1, dtype=F), numpy.arange(1, height + 1, dtype=F))
    bottom, top, steps = cell_triangles(columns, rows, distance)
    ground = (abs(steps[0]) + abs(steps[1])) + abs(steps[2]) + distance[:-1, :-1] == 0
    bottom[ground], top[ground] = 0, 0
    root = F(math.sqrt(2))
    c = ((F(math.pi) * x) / F(2)) / (((F(2) * root) * x) / F(2) + (F(1) + root) / F(2))
    surface = (F(2) * c) * (running_sum(bottom.T.ravel()) + running_sum(top.T.ravel()))
    assert all(isinstance(v, F) for v in (volume, x, surface))
    return float(volume), float(x), float(surface)


def rotated(blob, orientation):
    """The blob turned about its centre so that its major axis lies along the rows."""
    height, width = blob.shape
    rows, columns = (int(v.sum()) for v in numpy.nonzero(blob))
    n = int(blob.sum())
    reach = max(rows, height * n - rows, columns, width * n - columns)
    side = -(-2 * reach // n)
    r0, c0 = (reach - rows) // n, (reach - columns) // n
    canvas = numpy.zeros((side, side), bool)
    canvas[r0:r0 + height, c0:c0 + width] = blob

    phi = -orientation * (math.pi / 180)
    co, si = math.cos(phi), math.sin(phi)
    low, high = 0.5, side + 0.5
    corners = [(x, y) for x in (low, high) for y in (low, high)]
    start = []
    for turned in ([x * co + y * si for x, y in corners], [(-x) * si + y * co for x, y in corners]):
        s = low + ((min(turned) + max(turned)) / 2 - (low + high) / 2)
        start.append(numpy.nextafter(numpy.nextafter(s, -math.inf), -math.inf))
    xw = start[0] + (numpy.arange(side) + 0.5)[None, :]
    yw = start[1] + (numpy.arange(side) + 0.5)[:, None]

    def nearest(z):
        return (numpy.sign(z) * numpy.floor(numpy.abs(z) + 0.5)).astype(int)

    xs, ys = nearest(xw * co - yw * si), nearest(xw * si + yw * co)
    inside = (xs >= 1) & (xs <= side) & (ys >= 1) & (ys <= side)
    return inside & canvas[numpy.where(inside, ys - 1, 0), numpy.where(inside, xs - 1, 0)]


def solid_of_revolution(blob, orientation):
    """Volume, representative width and surface of the blob turned about its major axis."""
    turned = rotated(blob, orientation)
    turned = turned[:, turned.any(axis=0)]
    diameter = turned.sum(axis=0)
    radius = diameter / 2
    height = turned.argmax(axis=0) + 1 + radius
    n = len(radius)
    place = numpy.arange(1.0, n + 1)
    if n >= 2:
        height[0] = height[1]
        height[-1] = height[-2]
        place[0] -= 0.5
        place[-1] += 0.5
    discs = math.pi * radius ** 2
    volume = float((numpy.diff(place) / 3 * (discs[1:] + discs[:-1] + numpy.sqrt(discs[1:] * discs[:-1]))).sum())
    angle = numpy.radians(numpy.arange(721) * 0.25)[None, :]
    y = height[:, None] + radius[:, None] * numpy.cos(angle)
    z = radius[:, None] * numpy.sin(angle)
    surface = discs[0] + discs[-1]
    if n >= 2:
        bottom, top, _ = cell_triangles(numpy.broadcast_to(place[:, None], y.shape), y, z)
        surface += 2 * (bottom.sum() + top.sum())
    return volume, float(diameter.mean()), float(surface)


def measure(blob):
    """The columns of one blob, cropped to its box."""
    height, width = blob.shape
    area = int(blob.sum())
    rim = rim_of(blob)
    perimeter = float(perimeter_length(rim))
    diameter = math.sqrt(4 * area / math.pi)
    major, minor, eccentricity, orientation = axes(blob)
    convex_area, convex_perimeter, feret_max, feret_min = hull_measures(rim, area, perimeter)
    ratio, p = convex_area / area, diameter / major
    sor, distmap = solid_of_revolution(blob, orientation), distance_map(rim)
    method = "sor" if ratio < 1.2 or (eccentricity < 0.8 and p > 0.8) else "distmap"
    volume, representative_width, surface = sor if method == "sor" else distmap
    return dict(
        Area=area, Biovolume=volume, method=method, distmap_volume=distmap[0], sor_volume=sor[0], area_ratio=ratio, p=p,
        EquivDiameter=diameter, MajorAxisLength=major, MinorAxisLength=minor, Eccentricity=eccentricity,
        Orientation=orientation, ConvexArea=convex_area, ConvexPerimeter=convex_perimeter, Perimeter=perimeter,
        RepresentativeWidth=representative_width, Solidity=area / convex_area, Extent=area / (width * height),
        SurfaceArea=surface, BoundingBox_xwidth=width, BoundingBox_ywidth=height, maxFeretDiameter=feret_max,
        minFeretDiameter=feret_min)


# One image

def analyse(image):
    """The golden values of one grey image, as a dict of the columns."""
    mask = find_blobs(image)
    labels, count = ndimage.label(mask, seed.EIGHT)
    boxes = ndimage.find_objects(labels)
    crops = [(box, labels[box] == i + 1) for i, box in enumerate(boxes)]
    crops.sort(key=lambda c: (-c[1].sum(), c[0][1].start, c[0][0].start))
    blobs = [measure(c) for _, c in crops]
    out = dict(status="ok" if blobs else "no_blob", numBlobs=count, mask_area=int(mask.sum()),
               blob_sha256=hashlib.sha256(numpy.packbits(mask).tobytes()).hexdigest())
    if blobs:
        out.update(blobs[0])
    else:
        out.update({c: None if c in EMPTY_WITHOUT_BLOB else 0 for c in PER_BLOB})
    for c in SUMMED:
        out["summed" + c] = float(sum(b[c] for b in blobs))
    return out


if __name__ == "__main__":
    table = seed.Table(COLUMNS, EXACT, analyse, lambda column: 1e-5 if column in SINGLE else 1e-9)
    sys.exit(seed.run(table, __doc__, raw=False))
