import json
from pathlib import Path

import pytest

from lensmith_trainers.runtime import Failure, ServeConfig, load_config

SERVE = {
    "program": "serve",
    "run": "r",
    "seed": 0,
    "threads": 1,
    "device": "cpu",
    "progressFile": "/tmp/progress.json",
    "metricsFile": "/tmp/metrics.jsonl",
    "outcomeFile": "/tmp/outcome.json",
    "model": "/models/m",
    "servedName": "m",
    "host": "127.0.0.1",
    "port": 8000,
    "maxBatchSize": 8,
    "maxContextTokens": 512,
}


def load(folder: Path, value: object) -> ServeConfig:
    path = folder / "config.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return load_config(path, ServeConfig)


def test_reads_camel_case_keys(tmp_path: Path) -> None:
    config = load(tmp_path, SERVE)
    assert (config.served_name, config.max_context_tokens) == ("m", 512)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prot": 1}, "prot: this key is unknown"),
        ({"served_name": "m"}, "served_name: this key is unknown"),
        ({"port": "8000"}, "port: Input should be a valid integer, got '8000'"),
        ({"port": 70000}, "port: Input should be less than or equal to 65535, got 70000"),
        ({"model": "models/m"}, "model: Value error, expected an absolute path, got 'models/m'"),
        ({"device": "tpu"}, "device: Input should be 'cpu' or 'cuda', got 'tpu'"),
        ({"program": "sft"}, "program: Input should be 'serve', got 'sft'"),
        ({"threads": 0}, "threads: Input should be greater than 0, got 0"),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(Failure) as caught:
        load(tmp_path, {**SERVE, **change})
    assert caught.value.type == "config"
    assert message in str(caught.value)
    assert str(tmp_path / "config.json") in str(caught.value)


def test_a_missing_key_and_an_unknown_one_are_both_named(tmp_path: Path) -> None:
    wrong = {key: value for key, value in SERVE.items() if key != "host"} | {"hots": "h"}
    with pytest.raises(Failure, match=r"host: this key is required; hots: this key is unknown"):
        load(tmp_path, wrong)


def test_text_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="Invalid JSON"):
        load(tmp_path, "{")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="expected a readable JSON file") as caught:
        load_config(tmp_path / "none.json", ServeConfig)
    assert caught.value.type == "config"
