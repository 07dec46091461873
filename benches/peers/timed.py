#!/usr/bin/env python3
"""CP-SAT on plans in time: `python3 timed.py FILE... --time-limit S --threads N` (needs ortools 9.15).

Reads JSON instances with the goal makespan: durations, releases, `after` with lags, capacities; no gangs, cards or rules.
One task at a time on equal nodes is modelled as an assignment, everything else as optional intervals and a cumulative
constraint for each node and resource. Prints one line a file: value, bound, seconds of the solver.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from ortools.sat.python import cp_model

from instance import SECONDS


def seconds(value: float | str | None) -> int:
    """A number of seconds, or a string such as `30m`."""
    if value is None:
        return 0
    if isinstance(value, str) and value[-1:] in SECONDS:
        return round(float(value[:-1]) * SECONDS[value[-1]])
    return round(float(value))


def assignment(cp: cp_model.CpModel, durations: list[int], machines: int) -> None:
    """Machines that run one task at a time: only the sums matter."""
    end = cp.new_int_var(0, sum(durations), "end")
    loads = [[] for _ in range(machines)]
    for duration in durations:
        x = [cp.new_bool_var("") for _ in range(machines)]
        cp.add_exactly_one(x)
        for load, on in zip(loads, x):
            load.append(duration * on)
    for load in loads:
        cp.add(sum(load) <= end)
    cp.minimize(end)


def intervals(cp: cp_model.CpModel, data: dict, durations: list[int]) -> None:
    """Optional intervals on nodes, a cumulative constraint for each node and resource."""
    tasks, nodes = data["tasks"], data["nodes"]
    place = {task["id"]: k for k, task in enumerate(tasks)}
    after = [[(place[a], 0) if isinstance(a, str) else (place[a["task"]], seconds(a.get("lag"))) for a in
              ([task["after"]] if isinstance(task.get("after"), (str, dict)) else task.get("after", []))] for task in tasks]
    lags = sum(max((lag for _, lag in row), default=0) for row in after)
    horizon = sum(durations) + lags + max((seconds(task.get("release")) for task in tasks), default=0)
    end = cp.new_int_var(0, horizon, "end")
    on_node: list[list] = [[] for _ in nodes]
    starts = []
    for task, duration in zip(tasks, durations):
        start = cp.new_int_var(seconds(task.get("release")), horizon, "")
        starts.append(start)
        cp.add(start + duration <= end)
        demand = {key: float(amount) for key, amount in task.get("demand", {}).items()}
        present = []
        for j, node in enumerate(nodes):
            if all(float(node["capacity"].get(key, 0)) >= amount for key, amount in demand.items()):
                here = cp.new_bool_var("")
                present.append(here)
                interval = cp.new_optional_fixed_size_interval_var(start, duration, here, "")
                on_node[j].append((interval, demand))
        cp.add_exactly_one(present)
    for k, row in enumerate(after):
        for other, lag in row:
            cp.add(starts[k] >= starts[other] + durations[other] + lag)
    for node, rows in zip(nodes, on_node):
        for key, capacity in node["capacity"].items():
            using = [(interval, round(demand[key])) for interval, demand in rows if demand.get(key, 0) > 0]
            cp.add_cumulative([i for i, _ in using], [d for _, d in using], round(float(capacity)))
    cp.minimize(end)


def main() -> None:
    """Solve every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--time-limit", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    for path in options.files:
        data = json.loads(path.read_text())
        durations = [seconds(task["duration"]) for task in data["tasks"]]
        began = time.monotonic()
        cp = cp_model.CpModel()
        plain = not any(task.get("after") or task.get("release") for task in data["tasks"])
        one = {key: 1 for key in data["nodes"][0]["capacity"]}
        if plain and all(node["capacity"] == one for node in data["nodes"]):
            assignment(cp, durations, len(data["nodes"]))
        else:
            intervals(cp, data, durations)
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = options.time_limit
        solver.parameters.num_workers = options.threads
        status = solver.solve(cp)
        known = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        value = f"{solver.objective_value:.0f}" if known else "-"
        print(
            f"{path.name} {solver.status_name(status).lower()} {value} bound {solver.best_objective_bound:.0f} "
            f"solver {solver.wall_time:.2f} s, whole {time.monotonic() - began:.2f} s",
            flush=True,
        )


main()
