"""Compares formulas with math-verify: one JSON object a line in, one out, in the same order.

In: `{"id", "reference", "answer"}`, both in LaTeX without dollar signs. Out: first `{"ready": true}`, then
`{"id", "equal": true | false | null, "reason"}`, where null says that one of the two is not readable.
The starter ends a comparison that takes too long by ending this process.
"""

import json
import logging
import os
import resource
import signal
import sys

from math_verify import LatexExtractionConfig, parse, verify
from sympy import Basic, MatrixBase

MEMORY_BYTES = 2 << 30
# The starter has a shorter limit; this one is for a starter that is gone.
ALARM_SECONDS = 60


def read(latex: str) -> list:
    """The expressions that a text stands for; none where it is not mathematics."""
    found = parse(
        f"${latex}$",
        extraction_config=[LatexExtractionConfig()],
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )
    return [expression for expression in found if isinstance(expression, (Basic, MatrixBase))]


def compare(reference: str, answer: str) -> tuple[bool | None, str]:
    gold, given = read(reference), read(answer)
    if not gold:
        return None, "the reference is no formula"
    if not given:
        return None, "the answer is no formula"
    if len(given) > 1:
        return None, "the answer is more than one formula"
    equal = verify(gold, given, timeout_seconds=None, raise_on_error=True)
    return bool(equal), f"{given[0]} against {gold[0]}"[:200]


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    # What a library prints must not come between the replies.
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    read("1")
    replies.write('{"ready": true}\n')
    for line in sys.stdin:
        question = json.loads(line)
        signal.alarm(ALARM_SECONDS)
        try:
            equal, reason = compare(question["reference"], question["answer"])
        except Exception as error:  # noqa: BLE001 - sympy raises whatever a formula leads it to
            equal, reason = None, f"{type(error).__name__}: {error}"[:200]
        signal.alarm(0)
        replies.write(json.dumps({"id": question["id"], "equal": equal, "reason": reason}) + "\n")


if __name__ == "__main__":
    main()
