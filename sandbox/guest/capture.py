"""What a call gives: printed text and shown images."""

import builtins
import contextlib
import sys
from typing import Any, NoReturn

import numpy as np
import returned_images
import written_images
from capped_text import CappedText
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image


def _refuse_input(prompt: object = "") -> NoReturn:  # noqa: ARG001 - the signature of input()
    raise EOFError("input() is not available: nobody is there to type")


# The one of the current call: what stands in the libraries is the same for all, and set before any session is forked.
_receiving: "list[Capture]" = []


# Functions and no methods: pyplot sets attributes of its `show`.
def _show_figures(*_: object, **__: object) -> None:
    _receiving[0].show_figures()


def _show_image(image: Image.Image, *_: object, **__: object) -> None:
    _receiving[0].display(image)


class Capture:
    """Receives the output of one call after the other.

    It is one object for a session's life, because code may hold on to `display`, `pyplot.show` or a stream of an
    earlier call.
    """

    def __init__(self, limits: dict[str, Any]) -> None:
        self._limits = limits
        self.stdout = CappedText(limits["outputCharacters"])
        self.stderr = CappedText(limits["outputCharacters"])
        self.images: list[tuple[dict[str, Any], bytes]] = []
        self._files = written_images.Look()

    def look(self) -> None:
        """Sees the image files of the current folder, so that those that the next call writes can be told from them."""
        with contextlib.suppress(OSError):
            self._files = written_images.look()

    def begin(self, namespace: dict[str, Any]) -> None:
        """Forgets the last call, and puts in place what code of an earlier call may have replaced."""
        self.stdout.clear()
        self.stderr.clear()
        self.images = []
        sys.stdout, sys.stderr, builtins.input = self.stdout, self.stderr, _refuse_input
        _receiving[:] = [self]
        if Image.Image.show is not _show_image:
            # To set an attribute of a class makes the interpreter forget what it knows of the class.
            Image.Image.show = _show_image  # type: ignore[method-assign]
        pyplot.show = _show_figures
        # Code may have given the name to something of its own, which lasts as any variable.
        namespace.setdefault("display", self.display)

    def take_rest(self) -> None:
        """Takes what streams that code laid over those of the call still hold."""
        for name, own in (("stdout", self.stdout), ("stderr", self.stderr)):
            stream = getattr(sys, name, own)
            if stream is not own:
                with contextlib.suppress(Exception):
                    stream.flush()

    def _add(self, value: Any) -> bool:  # noqa: ANN401 - whatever the code shows
        image = returned_images.image_of(value)
        if image is None:
            return False
        if len(self.images) < self._limits["imagesPerCall"]:
            self.images.append(returned_images.encode(image, self._limits))
        return True

    def display(self, *values: object) -> None:
        """Shows images as images, and anything else as text."""
        for value in values:
            if not self._add(value):
                self.stdout.write(f"{value!r}\n")

    def show_figures(self) -> None:
        """Shows the open figures of pyplot and closes them."""
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            # Code may have chosen another backend, which draws no pixels.
            canvas = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
            canvas.draw()
            self._add(np.asarray(canvas.buffer_rgba())[:, :, :3])
        pyplot.close("all")

    def show_written(self) -> None:
        """Shows the image files of the current folder that the call wrote."""
        for path in written_images.written_since(self._files):
            with contextlib.suppress(OSError, ValueError, SyntaxError), Image.open(path) as image:
                self._add(image)
