"""Runs one piece of the model's code in a namespace and says what became of it."""

import ast
import builtins
import sys
import traceback
from typing import Any

import numpy as np
import returned_images
from capped_text import CappedText
from PIL import Image

FILE_NAME = "<code>"


class _Collector:
    """Receives what the code shows."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._limits = limits
        self.images: list[dict[str, Any]] = []

    def add(self, value: Any) -> bool:  # noqa: ANN401 - whatever the code shows
        image = returned_images.image_of(value)
        if image is None:
            return False
        if len(self.images) < self._limits["imagesPerCall"]:
            self.images.append(
                returned_images.encode(image, self._limits["minimumSide"], self._limits["maximumSide"])
            )
        return True

    def add_figures(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            figure.canvas.draw()
            self.add(np.asarray(figure.canvas.buffer_rgba())[:, :, :3])
        pyplot.close("all")


def _refuse_input(prompt: object = "") -> str:
    raise EOFError("input() is not available: nobody is there to type")


def _compile(code: str) -> tuple[Any, Any]:
    tree = ast.parse(code, FILE_NAME)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, FILE_NAME, "exec"), None
    tree.body = tree.body[:-1]
    return compile(tree, FILE_NAME, "exec"), compile(ast.Expression(last.value), FILE_NAME, "eval")


def _describe(error: BaseException, cap: int) -> dict[str, Any]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE_NAME]
    line = error.lineno if isinstance(error, SyntaxError) else (frames[-1].lineno if frames else None)
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, SystemExit):
        message = "exit() does not end an episode; answer instead"
    lines = [f'  line {frame.lineno}, in {frame.name}\n' for frame in frames]
    text = CappedText(cap)
    text.write("".join(lines) + f"{type(error).__name__}: {message}")
    short = CappedText(cap)
    short.write(str(message))
    return {"type": type(error).__name__, "message": short.value(), "line": line, "traceback": text.value()}


def run_code(code: str, namespace: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Runs code and gives outcome, stdout, stderr, images and error.

    Output is what was printed, the value of a last expression, what `display`, `Image.show` and `pyplot.show` were
    given, and figures left open.
    """
    cap = limits["outputCharacters"]
    stdout, stderr, collector = CappedText(cap), CappedText(cap), _Collector(limits)

    def display(*values: object) -> None:
        for value in values:
            if not collector.add(value):
                stdout.write(f"{value!r}\n")

    kept = {"stdout": sys.stdout, "stderr": sys.stderr, "input": builtins.input, "show": Image.Image.show}
    pyplot = sys.modules.get("matplotlib.pyplot")
    kept_show = pyplot.show if pyplot else None
    sys.stdout, sys.stderr, builtins.input = stdout, stderr, _refuse_input  # type: ignore[assignment]
    Image.Image.show = lambda image, *_, **__: display(image)  # type: ignore[method-assign]
    if pyplot:
        pyplot.show = lambda *_, **__: collector.add_figures()
    namespace["display"] = display
    outcome, error = "ok", None
    try:
        body, last = _compile(code)
        exec(body, namespace)  # noqa: S102 - this is what the sandbox is for
        if last is not None:
            value = eval(last, namespace)  # noqa: S307
            if value is not None:
                display(value)
        collector.add_figures()
    except MemoryError as problem:
        outcome, error = "memory", _describe(problem, cap)
    except BaseException as problem:  # noqa: BLE001 - also SystemExit and what code may raise of its own
        outcome, error = "exception", _describe(problem, cap)
    finally:
        sys.stdout, sys.stderr, builtins.input = kept["stdout"], kept["stderr"], kept["input"]
        Image.Image.show = kept["show"]  # type: ignore[method-assign]
        if pyplot:
            pyplot.show = kept_show
    if outcome == "ok" and not stdout.value() and not collector.images:
        outcome = "no_output"
    images = collector.images if error is None else []
    return {"outcome": outcome, "stdout": stdout.value(), "stderr": stderr.value(), "images": images, "error": error}
