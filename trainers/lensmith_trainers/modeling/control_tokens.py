"""Keeping data from being read as a chat's structure."""

from collections.abc import Iterable


def break_control_tokens(text: str, control_tokens: Iterable[str]) -> str:
    """`text` with a space put into every control token, so that no data can open or close a turn."""
    for token in control_tokens:
        # A one-character token cannot be told from ordinary text.
        if len(token) > 1 and token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
