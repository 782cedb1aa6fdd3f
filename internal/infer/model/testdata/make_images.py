"""Makes small images of every kind that a PNG can have and records what Pillow
makes of them: converted to RGB (or gray), resized by nearest neighbour to
224 x 224, divided by 255.

    python make_images.py

writes images/*.png and preprocess.json. Pillow cannot write interlaced files:
images/interlaced.png is the same picture as gray.png, its passes put together here.
"""

import hashlib
import json
import os
import struct
import zlib

import numpy as np
import PIL
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def pattern(height, width, channels, seed):
    """A soft gradient with noise: neighbouring pixels differ."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = [(x * 7 + y * 13 + (x * y + seed * (c + 1)) % 31 + 40 * c) % 256 for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8)


def interlaced(gray, path):
    """Writes an 8-bit gray PNG with Adam7 interlacing."""
    raw = b""
    for y0, dy, x0, dx in [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]:
        part = gray[y0::dy, x0::dx]
        if part.size:
            raw += b"".join(b"\0" + row.tobytes() for row in part)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", gray.shape[1], gray.shape[0], 8, 0, 0, 0, 1)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def main():
    folder = os.path.join(HERE, "images")
    os.makedirs(folder, exist_ok=True)
    gray = pattern(64, 97, 1, 1)[:, :, 0]
    rgb = pattern(50, 31, 3, 2)
    images = {
        "one_pixel": Image.fromarray(pattern(1, 1, 1, 9)[:, :, 0]),
        "one_row": Image.fromarray(pattern(1, 300, 1, 4)[:, :, 0]),
        "gray": Image.fromarray(gray),
        "gray_large": Image.fromarray(pattern(448, 225, 1, 5)[:, :, 0]),
        "gray_128x320": Image.fromarray(pattern(128, 320, 1, 6)[:, :, 0]),
        "rgb": Image.fromarray(rgb),
        "rgba": Image.fromarray(np.dstack([rgb, pattern(50, 31, 1, 3)[:, :, 0]])),
        "gray_alpha": Image.fromarray(pattern(20, 30, 2, 7), "LA"),
        "palette": Image.fromarray(rgb).quantize(16),
        "bilevel": Image.fromarray(gray).convert("1"),
        "gray16": Image.fromarray(gray.astype(np.uint16) * 256 + gray[::-1]),
    }
    for name, img in images.items():
        img.save(os.path.join(folder, name + ".png"))
    interlaced(gray, os.path.join(folder, "interlaced.png"))
    cases = []
    for file in sorted(os.listdir(folder)):
        img = Image.open(os.path.join(folder, file))
        mode = img.mode
        if mode == "I;16":  # Pillow's own conversion turns all but the darkest to white
            img = Image.fromarray((np.asarray(img) >> 8).astype(np.uint8))
        rgb_img = img.convert("RGB")
        small = rgb_img.resize((224, 224), Image.NEAREST)
        tensor = np.asarray(small, np.float32) / np.float32(255)
        one = rgb_img.convert("L").resize((64, 96), Image.NEAREST)
        cases.append(
            {
                "file": file,
                "mode": mode,
                "rgb_f32_sha256": hashlib.sha256(tensor.astype("<f4").tobytes()).hexdigest(),
                "gray_96x64_u8_sha256": hashlib.sha256(np.asarray(one).tobytes()).hexdigest(),
            }
        )
    tables = {}
    for size in (1, 64, 97, 128, 225, 448, 1280):
        ramp = Image.fromarray(np.arange(size, dtype=np.int32)[None, :], "I")
        tables[size] = np.asarray(ramp.resize((224, 1), Image.NEAREST))[0].tolist()
    with open(os.path.join(HERE, "preprocess.json"), "w") as f:
        made = f"make_images.py: pillow {PIL.__version__}, numpy {np.__version__}"
        json.dump({"made_by": made, "cases": cases, "nearest_224": tables}, f)
        f.write("\n")


if __name__ == "__main__":
    main()
