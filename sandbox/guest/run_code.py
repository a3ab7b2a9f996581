"""Runs one piece of the model's code in a namespace and says what became of it."""

import ast
import traceback
from typing import Any

from capped_text import CappedText
from capture import Capture

FILE_NAME = "<code>"


def _cut(code: str) -> tuple[Any, Any] | None:
    """What `_compile` gives, without objects for the syntax tree; None where that is not certain to be the same.

    A part that compiles up to a line that is not indented ends a statement there, unless a keyword goes on with it, and
    no expression begins with such a one.
    """
    if "\r" in code or "__future__" in code:
        return None
    start = len(code.rstrip())
    while True:
        start = code.rfind("\n", 0, start) + 1
        if code[start : start + 1].isidentifier():
            break
        if start == 0:
            return None
        start -= 1
    try:
        last = compile("\n" * code.count("\n", 0, start) + code[start:], FILE_NAME, "eval")
        return compile(code[:start], FILE_NAME, "exec"), last
    except SyntaxError:
        return None


def _compile(code: str) -> tuple[Any, Any]:
    parts = _cut(code)
    if parts is not None:
        return parts
    tree = ast.parse(code, FILE_NAME)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        return compile(tree, FILE_NAME, "exec"), None
    tree.body = tree.body[:-1]
    return compile(tree, FILE_NAME, "exec"), compile(ast.Expression(last.value), FILE_NAME, "eval")


def _message_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "exit() does not end an episode; answer instead"
    try:
        return str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # noqa: BLE001 - an exception of the code's own may do anything here
        return "the exception cannot be printed"


def _line_of(error: BaseException, frames: list[traceback.FrameSummary]) -> int | None:
    # A SyntaxError may also tell of another text, which the code compiles itself.
    own = isinstance(error, SyntaxError) and error.filename == FILE_NAME
    line = error.lineno if isinstance(error, SyntaxError) and own else (frames[-1].lineno if frames else None)
    return line if type(line) is int and 0 < line < 1 << 31 else None


def _describe(error: BaseException, cap: int) -> dict[str, Any]:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE_NAME]
    name, message = CappedText(cap), CappedText(cap)
    name.write(str(type(error).__name__))
    message.write(_message_of(error))
    text = CappedText(cap)
    text.write("".join(f"  line {frame.lineno}, in {frame.name}\n" for frame in frames))
    text.write(f"{name.value()}: {message.value()}")
    line = _line_of(error, frames)
    return {"type": name.value(), "message": message.value(), "line": line, "traceback": text.value()}


def run_code(code: str, namespace: dict[str, Any], capture: Capture, cap: int) -> dict[str, Any]:
    """Runs code and gives outcome, stdout, stderr, images, their bytes as parts, and error.

    Texts have at most `cap` characters.

    Output is what was printed, the value of a last expression, what `display`, `Image.show` and `pyplot.show` were
    given, and figures left open; where no image was shown, the image files that were written.
    """
    capture.begin(namespace)
    outcome, error = "ok", None
    try:
        body, last = _compile(code)
        try:
            exec(body, namespace)
            value = None if last is None else eval(last, namespace)
        finally:
            capture.take_rest()
        if value is not None:
            capture.display(value)
        capture.show_figures()
        if not capture.images:
            capture.show_written()
    except MemoryError as problem:
        outcome, error = "memory", _describe(problem, cap)
    except BaseException as problem:  # noqa: BLE001 - also SystemExit and what code may raise of its own
        outcome, error = "exception", _describe(problem, cap)
    if outcome == "ok" and not capture.stdout.value() and not capture.images:
        outcome = "no_output"
    images = capture.images if error is None else []
    return {
        "outcome": outcome,
        "stdout": capture.stdout.value(),
        "stderr": capture.stderr.value(),
        "images": [image for image, _ in images],
        "parts": [content for _, content in images],
        "error": error,
    }
