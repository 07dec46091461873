"""What every peer has in common: its arguments, and the form of its answer. Standard library only."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from instance import GOALS, Instance, read


@dataclass
class Answer:
    """Status in a word or two; the solver's own value and bound; task index and node index of each placement."""

    status: str
    value: float | None = None
    bound: float | None = None
    placements: Iterable[tuple[int, int]] | None = None


Solver = Callable[[Instance, argparse.Namespace], Answer]


def finite(value: float | None) -> float | None:
    """Nothing in place of what solvers use for infinity."""
    return None if value is None or not math.isfinite(value) or abs(value) >= 1e19 else value


def main(solve: Solver) -> None:
    """Read, solve, write the plan if there is one, print one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("instance", type=Path)
    parser.add_argument("plan", type=Path)
    parser.add_argument("--goal", choices=GOALS, required=True)
    parser.add_argument("--time-limit", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    instance = read(options.instance, options.goal)
    answer = solve(instance, options)
    if answer.placements is not None:
        assignments = [
            {"task": instance.tasks[i].id, "node": instance.nodes[j].id} for i, j in answer.placements
        ]
        options.plan.write_text(json.dumps({"assignments": assignments}), encoding="utf-8")
    line = {"status": answer.status, "value": finite(answer.value), "bound": finite(answer.bound)}
    sys.stdout.flush()
    print("\n" + json.dumps(line), flush=True)
