"""Reads raw bins with nothing but Python's standard library, as a second opinion on the Go reader.

    python3 read_bins.py DIR

prints a JSON object: for each bin of DIR its targets (fields as text, places as numbers) and the SHA-256 of the pixels of
every image, as it lies in the .roi and as a dashboard of generation 2 serves it (old instruments: cut particles joined).
"""

import csv
import hashlib
import json
import os
import re
import sys

NEW = re.compile(r"D\d{8}T\d{6}_IFCB\d{3}$")
OLD = re.compile(r"IFCB\d_\d{4}_\d{3}_\d{6}$")


def whole(text):
    value = float(text)
    if value != int(value):
        raise ValueError(f"{text} is no whole number")
    return int(value)


def read_targets(path, old):
    x, y, width, height, start = (9, 10, 11, 12, 13) if old else (13, 14, 15, 16, 17)
    targets = []
    with open(path, newline="") as f:
        for number, row in enumerate(csv.reader(f), 1):
            fields = [field.strip() for field in row]
            if fields and fields[-1] == "":
                fields.pop()
            targets.append({
                "number": number, "fields": fields, "trigger": whole(fields[0]),
                "x": whole(fields[x]), "y": whole(fields[y]), "width": whole(fields[width]), "height": whole(fields[height]),
                "start": whole(fields[start]), "light": [float(v) for v in fields[2:6]],
            })
    return targets


def pixels(roi, t):
    """The rows of an image, or None where the file does not have them."""
    size = t["width"] * t["height"]
    data = roi[t["start"]:t["start"] + size]
    if len(data) < size:
        return None
    return [data[i:i + t["width"]] for i in range(0, size, t["width"])]


def overlap(a, b):
    def apart(low_a, size_a, low_b, size_b):
        return min(low_a + size_a, low_b + size_b) - max(low_a, low_b) <= 2
    return (a["trigger"] == b["trigger"] and not apart(a["x"], a["width"], b["x"], b["width"])
            and not apart(a["y"], a["height"], b["y"], b["height"]))


def joined(roi, a, b):
    """Both halves on one canvas: rows, number of covered pixels, grey value of the others."""
    left, top = min(a["x"], b["x"]), min(a["y"], b["y"])
    width = max(a["x"] + a["width"], b["x"] + b["width"]) - left
    height = max(a["y"] + a["height"], b["y"] + b["height"]) - top
    canvas = [[None] * width for _ in range(height)]
    for half in (a, b):
        for dy, row in enumerate(pixels(roi, half)):
            at = half["x"] - left
            canvas[half["y"] - top + dy][at:at + len(row)] = row
    gap = {(r, c) for r in range(height) for c in range(width) if canvas[r][c] is None}
    rim = {(r + dr, c + dc) for r, c in gap for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))} - gap
    rim = [canvas[r][c] for r, c in rim if 0 <= r < height and 0 <= c < width]
    fill = round(sum(rim) / len(rim)) if rim else None
    return [bytes(fill if v is None else v for v in row) for row in canvas], width * height - len(gap), fill


def image(number, rows, **more):
    if rows is None:
        return dict({"number": number}, **more)
    return dict({"number": number, "width": len(rows[0]), "height": len(rows), "sha256": hashlib.sha256(b"".join(rows)).hexdigest()}, **more)


def read_bin(stem, old):
    targets = read_targets(stem + ".adc", old)
    out = {"targets": targets, "raw": None, "served": None}
    if not os.path.exists(stem + ".roi"):
        return out
    with open(stem + ".roi", "rb") as f:
        roi = f.read()
    seen = [t for t in targets if t["width"] > 0 and t["height"] > 0]
    out["raw"] = [image(t["number"], pixels(roi, t)) for t in seen]
    out["served"] = []
    while seen:
        a = seen.pop(0)
        if old and seen and overlap(a, seen[0]):
            rows, covered, fill = joined(roi, a, seen.pop(0))
            out["served"].append(image(a["number"], rows, covered=covered, fill=fill))
        else:
            out["served"].append(image(a["number"], pixels(roi, a)))
    return out


def main(directory):
    bins = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            lid, ext = os.path.splitext(name)
            if ext == ".adc" and (NEW.match(lid) or OLD.match(lid)):
                bins[lid] = read_bin(os.path.join(folder, lid), bool(OLD.match(lid)))
    json.dump(bins, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
