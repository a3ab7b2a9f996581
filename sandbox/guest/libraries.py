"""What model code uses, imported once for all sessions."""

import gc
import sys

import fewer_mappings
import huge_pages
import large_code
import one_heap
import side_by_side
import written_memory


def _load_what_all_calls_use() -> None:
    import interpreter
    import numpy
    import PIL.Image
    import PIL.JpegImagePlugin
    import PIL.PngImagePlugin

    del interpreter, numpy, PIL


def load(folder: str | None) -> None:
    """Imports the libraries and makes forks of this process cheap. Raises ImportError where one is missing.

    `folder` is one in which this process may mount, where it has such a one.
    """
    one_heap.gather()
    # First and so side by side: a session that writes to fewer huge pages has fewer of them taken apart.
    _load_what_all_calls_use()
    # What lies between garbage lies on more pages; what few calls use may do so, and is imported in less time.
    gc.disable()
    import cv2
    import matplotlib.pyplot
    import numpy
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFilter
    import PIL.ImageOps
    import rehearsal
    import scipy.ndimage
    import skimage.measure
    import skimage.transform
    import sympy

    # pandas would load it, and every fork pays for what is loaded.
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    import pandas

    del sys.modules["pyarrow"]

    del matplotlib, numpy, pandas, scipy, skimage, sympy
    gc.enable()
    gc.collect()
    cv2.setNumThreads(1)
    PIL.Image.init()
    side_by_side.gather_code(rehearsal.walk)
    rehearsal.rehearse()
    one_heap.release()
    side_by_side.begin_pools()
    # What a collection would touch in a session is copied for it, page by page.
    gc.freeze()
    fewer_mappings.merge()
    large_code.move()
    if folder is None or not written_memory.move(folder):
        huge_pages.collapse()
