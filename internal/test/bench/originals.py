#!/usr/bin/env python3
"""Times a Python implementation of the image analysis, round by round, for BenchmarkImaging.

  originals.py seed|v4 SOURCE FOLDER

SOURCE is the folder of the code: for seed a checkout of axiom-data-science/hydraulics, for v4 one of
WHOIGit/ifcb-features, or for either this repository's internal/test/golden. FOLDER has the images, PNG files. The first line
of output names the implementation and its libraries. Then, for each line of input, all images are analysed once, and
the CPU seconds of that are printed. Images that the original cannot analyse are counted in the time that they take to
fail.
"""

import importlib.metadata
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # one core, like the other side

import numpy
import PIL.Image


def golden(algorithm, source):
    sys.path.insert(0, source)
    module = __import__(algorithm + "_reference")
    return module.analyse, "the NumPy and SciPy implementation in internal/test/golden, not the original"


def seed(source):
    """The original hydraulics. It was written for a NumPy that still had these names."""
    for name, kind in (("float", float), ("bool", bool)):
        if name not in numpy.__dict__:
            setattr(numpy, name, kind)
    try:
        import scipy.ndimage.morphology  # noqa: F401
    except ImportError:
        sys.modules["scipy.ndimage.morphology"] = __import__("scipy.ndimage").ndimage
    sys.path.insert(0, os.path.join(source, "hydraulics", "ifcb"))
    import biovolume
    import blob

    class Image(blob.Blob):
        def __init__(self, pixels):
            self.img, self.config = pixels, blob.BlobConfig()
            self._make_blob()

    return lambda pixels: biovolume.calc_biovolume(Image(pixels)), "the original, axiom-data-science/hydraulics"


def v4(source):
    sys.path.insert(0, source)
    from ifcb_features.all import compute_features
    return compute_features, "the original, WHOIGit/ifcb-features"


def versions():
    """What is installed of that which the implementations import."""
    for package in ("numpy", "scipy", "scikit-image", "phasepack", "pyFFTW"):
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            pass


def main():
    algorithm, source, folder = sys.argv[1:]
    if os.path.exists(os.path.join(source, algorithm + "_reference.py")):
        analyse, name = golden(algorithm, source)
    else:
        analyse, name = {"seed": seed, "v4": v4}[algorithm](source)
    images = [numpy.asarray(PIL.Image.open(os.path.join(folder, f))) for f in sorted(os.listdir(folder))]
    print(f"{name}, with {', '.join(versions())}", flush=True)
    for _ in sys.stdin:
        start = time.process_time()
        failed = 0
        for pixels in images:
            try:
                analyse(pixels)
            except Exception:
                failed += 1
        print(time.process_time() - start, failed, flush=True)


if __name__ == "__main__":
    main()
