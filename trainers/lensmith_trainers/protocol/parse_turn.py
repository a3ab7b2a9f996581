"""What a turn of the model asks for; the same rules as `episodes/parse-turn.ts`."""

import re
from dataclasses import dataclass

from lensmith_trainers.protocol.parse_tool_call import ImageCall, RefusedCall, parse_tool_call
from lensmith_trainers.protocol.schema import Protocol

# The classes name their characters, because \s is not the same set in JavaScript.
_CODE = re.compile(r"<code>[ \t\r\n]*```python[ \t\r]*\n(.*?)```[ \t\r\n]*</code>", re.DOTALL)
_FENCE = re.compile(r"```python[ \t\r]*\n(.*?)```", re.DOTALL)
_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL)
# What JavaScript trims: its white space and its line ends.
_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


@dataclass(frozen=True)
class ParsedTurn:
    """At most one of code and answer: an answer ends the episode, and code of the same turn is not run."""

    code: str | None
    answer: str | None
    image_call: ImageCall | RefusedCall | None = None
    """With the parser `tool-call` and code: what the call says besides, or why it cannot be run."""


def parse_turn(text: str, rules: Protocol | None = None) -> ParsedTurn:
    """Reads a turn by the rules of a protocol's parser (`protocolSchema`); without one, by those of `code-fence`.

    Code comes without its last line break, the answer is trimmed.
    """
    answers = _ANSWER.findall(text)
    if answers:
        return ParsedTurn(None, answers[-1].strip(_SPACE))
    if rules is not None and rules.image_call is not None:
        called = parse_tool_call(text, rules.image_call.tool)
        return ParsedTurn(None, None) if called is None else ParsedTurn(called[0], None, called[1])
    code = _CODE.search(text)
    if code is None and rules is not None and rules.parser == "code-or-fence":
        code = _FENCE.search(text)
    return ParsedTurn(code.group(1).removesuffix("\n") if code else None, None)
