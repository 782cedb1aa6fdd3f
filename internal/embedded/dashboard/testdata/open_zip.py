"""Opens a dashboard's zip of a bin, and single images, with nothing but Python's standard library.

    python3 open_zip.py ZIP PNG...

prints a JSON object: the zip's entries in order, whether they are stored, the sizes and SHA-256 of the pixels of the images,
the tables as rows, the JSON as it is; and, as "single", the sizes and SHA-256 of the other files.
"""

import csv
import hashlib
import io
import json
import os
import struct
import sys
import xml.etree.ElementTree
import zipfile
import zlib


def read_png(data):
    """Width, height and rows of an 8-bit grey PNG; checks every chunk and undoes the five filters."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    at, packed, head, ended = 8, b"", None, False
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        (crc,) = struct.unpack(">I", data[at + 8 + size:at + 12 + size])
        if zlib.crc32(kind + body) != crc:
            raise ValueError(f"chunk {kind} is damaged")
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        elif kind == b"IEND":
            ended = True
        at += 12 + size
    width, height, depth, color, _, _, interlaced = head
    if (depth, color, interlaced, ended) != (8, 0, 0, True):
        raise ValueError(f"want 8-bit grey that ends: {head}")
    raw = zlib.decompress(packed)
    if len(raw) != height * (width + 1):
        raise ValueError("wrong number of pixels")
    rows, above = [], bytes(width)
    for y in range(height):
        method, line = raw[y * (width + 1)], bytearray(raw[y * (width + 1) + 1:(y + 1) * (width + 1)])
        for x in range(width):
            left, up, corner = line[x - 1] if x else 0, above[x], above[x - 1] if x else 0
            line[x] = (line[x] + (0, left, up, (left + up) // 2, paeth(left, up, corner))[method]) & 255
        rows.append(bytes(line))
        above = rows[-1]
    return width, height, rows


def paeth(left, up, corner):
    estimate = left + up - corner
    return min((left, up, corner), key=lambda v: abs(estimate - v))


def image(data):
    width, height, rows = read_png(data)
    return {"width": width, "height": height, "sha256": hashlib.sha256(b"".join(rows)).hexdigest()}


def main(path, *images):
    out = {"names": [], "stored": [], "images": {}, "tables": {}, "json": {}, "single": {}}
    with zipfile.ZipFile(path) as z:
        if z.testzip() is not None:
            raise ValueError(f"entry {z.testzip()} is damaged")
        for entry in z.infolist():
            data = z.read(entry)
            out["names"].append(entry.filename)
            out["stored"].append(entry.compress_type == zipfile.ZIP_STORED)
            if entry.filename.endswith(".png"):
                out["images"][entry.filename] = image(data)
            elif entry.filename.endswith(".csv"):
                out["tables"][entry.filename] = list(csv.reader(io.StringIO(data.decode())))
            elif entry.filename.endswith(".json"):
                out["json"][entry.filename] = json.loads(data)
            else:
                xml.etree.ElementTree.fromstring(data)
    for name in images:
        with open(name, "rb") as f:
            out["single"][os.path.basename(name)] = image(f.read())
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
