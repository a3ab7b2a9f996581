"""Text that keeps its head and its tail, whatever is written."""

import codecs
import io
from functools import cached_property


class _Bytes(io.RawIOBase):
    """Takes what is written as bytes."""

    def __init__(self, text: "CappedText") -> None:
        super().__init__()
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def clear(self) -> None:
        """Forgets a character of which only a part was written."""
        self._decoder.reset()

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self._text.write(self._decoder.decode(bytes(content)))
        return len(content)

    def close(self) -> None:
        """Stays open, as the text does."""


class CappedText(io.TextIOBase):
    """Keeps at most `cap` characters: the first half and the last half, with a mark where something is left out.

    It has what code expects of a standard stream, and stays open: it is that of the next call, too.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, cap: int) -> None:
        super().__init__()
        self._cap = cap
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self._head = ""
        self._tail = ""
        self._written = 0
        if "buffer" in self.__dict__:
            self.buffer.clear()

    def writable(self) -> bool:
        """It is for writing."""
        return True

    @cached_property
    def buffer(self) -> _Bytes:
        """The same for bytes."""
        return _Bytes(self)

    def detach(self) -> _Bytes:  # type: ignore[override]
        """The same for bytes, and this one can still be used."""
        return self.buffer

    def reconfigure(self, **_: object) -> None:
        """Leaves all as it is: a text has no encoding here."""

    def close(self) -> None:
        """Stays open."""

    def write(self, text: str) -> int:
        """Takes a text of any length in the memory of the cap."""
        room = self._cap - len(self._head)
        self._head += text[:room]
        rest = text[max(room, 0) :]
        if rest:
            self._tail = (self._tail + rest)[-self._cap :]
        self._written += len(text)
        return len(text)

    def value(self) -> str:
        """What is kept."""
        if self._written <= self._cap:
            return self._head
        mark = "…"
        half = (self._cap - len(mark)) // 2
        tail = (self._head + self._tail)[-half:] if half else ""
        return self._head[: self._cap - len(mark) - half] + mark + tail
