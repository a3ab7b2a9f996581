"""The figures of a step's episodes, for a line of `rlMetricsSchema`."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any

_RAN = ("ok", "no_output")


def episode_figures(traces: Sequence[dict[str, Any]], scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means over episodes; reward, terms and accuracy leave out the masked ones, and are 0 where all are masked."""
    kept = [score for score in scores if not score["masked"]]
    calls = [turn["call"] for trace in traces for turn in trace["turns"] if turn["call"]]
    names = sorted({name for score in kept for name in score["terms"]})
    return {
        "reward": _mean([score["reward"] for score in kept]),
        "terms": {name: _mean([score["terms"].get(name, 0.0) for score in kept]) for name in names},
        "accuracy": _mean([score["grade"]["verdict"] == "correct" for score in kept]),
        "toolCallsPerEpisode": len(calls) / len(traces),
        "executionSuccess": fmean([call["outcome"] in _RAN for call in calls]) if calls else None,
        "length": fmean([sum(turn["completionTokens"] for turn in trace["turns"]) for trace in traces]),
        "masked": len(scores) - len(kept),
        "judged": sum(score["grade"]["decidedBy"] == "judge" for score in scores),
        "judgeCached": sum(score.get("cached") is True for score in scores),
    }


def _mean(values: Sequence[float]) -> float:
    return float(fmean(values)) if values else 0.0
