"""Text that keeps its head and its tail, whatever is written."""

import io


class CappedText(io.TextIOBase):
    """Keeps at most `cap` characters: the first half and the last half, with a mark where something is left out."""

    def __init__(self, cap: int) -> None:
        super().__init__()
        self._cap = cap
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self._head = ""
        self._tail = ""
        self._written = 0

    def writable(self) -> bool:
        """It is for writing."""
        return True

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
