"""Lets a peer's own functions decide answers: JSON lines on stdin, `{"outcome"}` lines and one `{"seconds"}` line out.

Usage: peer.py lmms-eval|vlmevalkit SOURCE_FOLDER REPEATS

Only the functions that decide are taken out of the peer's files, because their packages import whole frameworks.
"""

import ast
import json
import os
import re
import string
import sys
import time
import typing
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Rows(list):
    """What the peers' functions use of a table."""

    iloc = property(lambda self: self)

    def sort_values(self, **_: str) -> "Rows":
        return self

    def __getitem__(self, key: typing.SupportsIndex | str) -> object:
        return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)


class Silent:
    def __getattr__(self, name: str) -> Callable:
        return lambda *_, **__: None


def take(file: Path, *names: str, **provided: Any) -> dict[str, Any]:
    """Runs the plain assignments of a file and the functions named, `Class.method` too, without its imports."""
    wanted: list[ast.stmt] = []
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            wanted.append(ast.Try([node], [ast.ExceptHandler(None, None, [ast.Pass()])], [], []))
        elif isinstance(node, ast.FunctionDef) and node.name in names:
            node.decorator_list = []
            wanted.append(node)
        elif isinstance(node, ast.ClassDef):
            wanted += [
                item for item in node.body if isinstance(item, ast.FunctionDef) and f"{node.name}.{item.name}" in names
            ]
    scope: dict[str, Any] = {
        "os": os,
        "re": re,
        "string": string,
        "Counter": Counter,
        "logger": Silent(),
        "get_logger": lambda *_: Silent(),
        "cp": __import__("copy"),
        "Optional": typing.Optional,
        "List": list,
        "Tuple": tuple,
        "tqdm": lambda rows: rows,
        **provided,
    }
    exec(compile(ast.fix_missing_locations(ast.Module(wanted, [])), str(file), "exec"), scope)
    missing = [name for name in names if name.split(".")[-1] not in scope]
    if missing:
        raise SystemExit(f"expected {file} to have {', '.join(missing)}; is this the version that the bench names?")
    return scope


def outcome(correct: bool) -> str:
    return "correct" if correct else "wrong"


def lmms_eval(source: Path) -> dict[str, Callable[[dict], str]]:
    tasks = source / "lmms_eval/tasks"
    choice = take(tasks / "_task_utils/mcq_extract.py", "extract_mcq_answer")["extract_mcq_answer"]
    chart = take(tasks / "chartqa/utils.py", "relaxed_correctness")["relaxed_correctness"]
    count = take(tasks / "countbenchqa/utils.py", "countbenchqa_process_results")["countbenchqa_process_results"]
    ocr = take(tasks / "ocrbench/utils.py", "ocrbench_process_results", "_fold_fullwidth_ascii")[
        "ocrbench_process_results"
    ]
    document = take(source / "lmms_eval/api/metrics.py", "anls", "levenshtein_distance")["anls"]

    def read_ocr(row: dict) -> str:
        doc = {"answer": row["forms"], "dataset": "IIIT5K", "question_type": "Regular Text Recognition"}
        return outcome(ocr(doc, [row["answer"]])["ocrbench_accuracy"]["score"] == 1)

    return {
        "choice": lambda row: outcome(choice(row["answer"], sorted(row["choices"])) == row["reference"]),
        "chart": lambda row: outcome(chart(row["answer"], row["reference"])),
        "count": lambda row: outcome(count({"number": row["reference"]}, [row["answer"]])["acc"] == 1),
        "document": lambda row: outcome(document(row["forms"], [row["answer"]])["anls"] >= 0.5),
        "ocr": read_ocr,
    }


def vlmevalkit(source: Path) -> dict[str, Callable[[dict], str]]:
    choice = take(source / "vlmeval/utils/matching_util.py", "can_infer", "can_infer_option", "can_infer_text")[
        "can_infer"
    ]
    vqa = take(
        source / "vlmeval/dataset/utils/vqa_eval.py", "relaxed_correctness", "anls_compute", "levenshtein_distance"
    )
    rows = Rows()
    written: dict[str, float] = {}
    stubs = {
        "load": lambda _: rows,
        "dump": lambda table, *_: written.update(table),
        "d2df": lambda table: table,
        "get_intermediate_file_path": lambda *_: "",
    }
    count = take(source / "vlmeval/dataset/image_vqa.py", "CountBenchQA.evaluate", **stubs)["evaluate"]
    ocr = take(source / "vlmeval/dataset/utils/ocrbench.py", "OCRBench_eval", **stubs)["OCRBench_eval"]

    def read_choice(row: dict) -> str:
        letter = choice(row["answer"], dict(row["choices"]))
        return outcome(letter == row["reference"]) if letter else "unparsed"

    def read_count(row: dict) -> str:
        rows[:] = [{"prediction": row["answer"], "answer": row["reference"], "index": 0}]
        return outcome(count(None, "")["accuracy"] == 100)

    def read_ocr(row: dict) -> str:
        category = "Regular Text Recognition"
        rows[:] = [{"prediction": row["answer"], "answer": repr(row["forms"]), "category": category}]
        ocr("")
        return outcome(written["Text Recognition"] == 1)

    def read_document(row: dict) -> str:
        return outcome(min(vqa["anls_compute"](form, row["answer"]) for form in row["forms"]) <= 0.5)

    return {
        "choice": read_choice,
        "chart": lambda row: outcome(vqa["relaxed_correctness"](row["reference"], row["answer"])),
        "count": read_count,
        "document": read_document,
        "ocr": read_ocr,
    }


def main() -> None:
    peer, source, repeats = sys.argv[1:]
    rules = {"lmms-eval": lmms_eval, "vlmevalkit": vlmevalkit}[peer](Path(source))
    rows = [json.loads(line) for line in sys.stdin]
    found = [rules[row["kind"]](row) for row in rows]
    start = time.process_time()
    for _ in range(int(repeats)):
        for row in rows:
            rules[row["kind"]](row)
    seconds = time.process_time() - start
    for each in found:
        sys.stdout.write(json.dumps({"outcome": each}) + "\n")
    sys.stdout.write(json.dumps({"seconds": seconds}) + "\n")


if __name__ == "__main__":
    main()
