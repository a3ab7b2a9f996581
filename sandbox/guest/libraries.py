"""What model code uses, imported once for all sessions."""

import gc
import sys

import huge_pages


def load() -> None:
    """Imports the libraries and makes forks of this process cheap. Raises ImportError where one is missing."""
    import cv2
    import matplotlib.pyplot
    import numpy
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFilter
    import PIL.ImageOps
    import scipy.ndimage
    import skimage.measure
    import skimage.transform
    import sympy

    # pandas would load it, and every fork pays for what is loaded.
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    import pandas

    del sys.modules["pyarrow"]
    import interpreter

    cv2.setNumThreads(1)
    PIL.Image.init()
    del interpreter, matplotlib, numpy, pandas, scipy, skimage, sympy
    gc.collect()
    # What a collection would touch in a session is copied for it, page by page.
    gc.freeze()
    huge_pages.collapse()
