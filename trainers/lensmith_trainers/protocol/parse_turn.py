"""What a turn of the model asks for."""

import re
from dataclasses import dataclass

_CODE = re.compile(r"<code>\s*```python[^\S\n]*\n(.*?)```\s*</code>", re.DOTALL)
_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL)


@dataclass(frozen=True)
class ParsedTurn:
    """At most one of both: an answer ends the episode, and code of the same turn is not run."""

    code: str | None
    answer: str | None


def parse_turn(text: str) -> ParsedTurn:
    """Reads a turn by the rules of the parser `code-fence`.

    Code is the first complete `<code>` that holds a Python fence, without its last line break; the answer is the last
    complete `<answer>`, trimmed.
    """
    answers = _ANSWER.findall(text)
    if answers:
        return ParsedTurn(None, answers[-1].strip())
    code = _CODE.search(text)
    return ParsedTurn(code.group(1).removesuffix("\n") if code else None, None)
