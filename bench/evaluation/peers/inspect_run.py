"""The same evaluation as an inspect_ai task: turns with code in its local sandbox, then a judge."""

import argparse
import base64
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, Content, ContentImage, ContentText, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import sandbox

CODE = re.compile(r"<code>\s*```python\s*\n(.*?)```\s*</code>", re.DOTALL)
# What the code is run with: its image, and a `show` that leaves the images for the next turn.
PROGRAM = """
from itertools import count
from PIL import Image
input_image, _shown = Image.open('input_image.jpg'), count()
Image.Image.show = lambda image: image.save(f'shown-{turn}-{{next(_shown)}}.png')
{code}
"""


def samples(path: str, folder: Path) -> Iterator[Sample]:
    """Images as files: the task's sandbox copies each one to where its code finds it."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=32, columns=["images", "extra_info"]):
        for row in batch.to_pylist():
            extra, picture = row["extra_info"], row["images"][0]["bytes"]
            file = folder / f"{extra['index']}.jpg"
            file.write_bytes(picture)
            url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
            content = [ContentImage(image=url), ContentText(text=extra["question"])]
            yield Sample(
                id=extra["index"],
                input=[ChatMessageUser(content=content)],
                target=extra["answer"],
                files={"input_image.jpg": str(file)},
            )


async def shown(turn: int) -> list[Content]:
    """The images that the code of a turn has shown, in their order."""
    images: list[Content] = []
    while True:
        try:
            picture = await sandbox().read_file(f"shown-{turn}-{len(images)}.png", text=False)
        except FileNotFoundError:
            return images
        images.append(ContentImage(image="data:image/png;base64," + base64.b64encode(picture).decode()))


@solver
def think_in_code() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        for turn in range(10):
            state = await generate(state)
            found = CODE.search(state.output.completion)
            if "</answer>" in state.output.completion or not found:
                return state
            program = PROGRAM.format(turn=turn, code=found[1])
            result = await sandbox().exec(["python3", "-c", program], timeout=30)
            output = ContentText(text=f"Output:\n{result.stdout}{result.stderr}")
            state.messages.append(ChatMessageUser(content=[output, *await shown(turn)]))
        return state

    return solve


@scorer(metrics=[accuracy()])
def judged(url: str) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        judge = get_model("openai-api/bench/judge", base_url=url, api_key="none")
        reply = await judge.generate(f"Does {state.output.completion} agree with {target.text}?")
        return Score(value="C" if "1" in reply.completion else "I")

    return score


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--data", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--workers", type=int, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(
            dataset=MemoryDataset(list(samples(args.data, Path(folder)))),
            solver=think_in_code(),
            scorer=judged(args.url),
            sandbox="local",
        )
        model = get_model("openai-api/bench/bench", base_url=args.url, api_key="none")
        logs = inspect_eval(
            task,
            model=model,
            max_connections=args.workers,
            max_samples=args.workers,
            max_subprocesses=args.workers,
            log_dir=args.out,
            display="none",
            fail_on_error=False,
        )
    if logs[0].status != "success":
        raise SystemExit(f"inspect_ai ended with {logs[0].status}: {logs[0].error}")


main()
