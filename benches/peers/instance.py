"""Reads a stowplan JSON instance into whole numbers. Standard library only."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

SUFFIXES = {
    **{name: Fraction(10) ** power for name, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18))},
    **{f"{name}i": Fraction(1024) ** (power + 1) for power, name in enumerate("KMGTPE")},
}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
GOALS = ("peak", "cost")


@dataclass
class Node:
    """A node that takes tasks. Loads are in whole steps per resource, money in whole steps."""

    id: str
    capacity: list[int]
    used: list[int]
    price: int
    rate: Fraction


@dataclass
class Task:
    """A task, the load it brings where no pair says otherwise, and the nodes it may run on."""

    id: str
    demand: list[int]
    duration: Fraction
    allowed: list[int]


@dataclass
class Instance:
    """What is given. A cost of 1 is `cost_scale` steps."""

    goal: str
    resources: list[str]
    nodes: list[Node]
    tasks: list[Task]
    cost_scale: Fraction
    one_task_per_node: bool
    pair_demands: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    pair_costs: dict[tuple[int, int], int] = field(default_factory=dict)

    def demand(self, task: int, node: int) -> list[int]:
        """The load that the task brings to the node."""
        return self.pair_demands.get((task, node)) or self.tasks[task].demand

    def cost(self, task: int, node: int) -> int:
        """What the placement costs, the node's price aside."""
        cost = self.pair_costs.get((task, node))
        return int(self.nodes[node].rate * self.tasks[task].duration) if cost is None else cost


def quantity(value: Any) -> Fraction:
    """`4`, `1.5`, `"250m"` or `"16Gi"`, exactly."""
    text = str(value).strip()
    for length in (2, 1):
        factor = SUFFIXES.get(text[-length:])
        if factor and len(text) > length:
            return Fraction(text[:-length]) * factor
    return Fraction(text)


def seconds(value: Any) -> Fraction:
    """`90`, `"90s"` or `"2h"` in seconds."""
    text = str(value).strip()
    if text[-1] in SECONDS:
        return Fraction(text[:-1]) * SECONDS[text[-1]]
    return Fraction(text)


def step(values: Iterable[Fraction]) -> Fraction:
    """The largest number that all values are whole multiples of; 1 if all are 0."""
    distinct = set(values)
    denominator = math.lcm(1, *(value.denominator for value in distinct))
    return Fraction(math.gcd(*(int(value * denominator) for value in distinct)) or denominator, denominator)


def read(path: Path, goal: str) -> Instance:
    """The instance in the file, for one goal."""
    raw = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    nodes = [node for node in raw["nodes"] if node.get("state", "ready") == "ready"]
    pairs = raw.get("pairs", [])
    steps = resource_steps(raw["tasks"], nodes, pairs)

    def load(given: dict[str, Any]) -> list[int]:
        return [int(quantity(given.get(name, 0)) / size) for name, size in steps.items()]

    money = money_step(raw["tasks"], nodes, pairs)
    instance = Instance(
        goal=goal,
        resources=list(steps),
        nodes=[
            Node(
                id=str(node["id"]),
                capacity=load(node.get("capacity", {})),
                used=load(node.get("used", {})),
                price=int(quantity(node.get("price", 0)) / money),
                rate=hourly(node) / money,
            )
            for node in nodes
        ],
        tasks=[
            Task(str(task["id"]), load(task.get("demand", {})), seconds(task.get("duration", 0)), allowed)
            for task, allowed in zip(raw["tasks"], allowed_nodes(raw["tasks"], nodes))
        ],
        cost_scale=1 / money,
        one_task_per_node=raw.get("one_task_per_node", False),
    )
    add_pairs(instance, pairs, steps, money)
    refuse_overload(instance)
    return instance


def hourly(node: dict[str, Any]) -> Fraction:
    """The node's cost of a second of a task."""
    return quantity(node.get("price_per_hour", 0)) / 3600


def resource_steps(
    tasks: list[dict[str, Any]], nodes: list[dict[str, Any]], pairs: list[dict[str, Any]]
) -> dict[str, Fraction]:
    """The step of each resource that a node has."""
    loads = [node.get(key, {}) for node in nodes for key in ("capacity", "used")]
    loads += [entry.get("demand", {}) for entry in [*tasks, *pairs]]
    values: dict[str, set[Fraction]] = {}
    for load in loads:
        for name, value in load.items():
            values.setdefault(name, set()).add(quantity(value))
    return {name: step(found) for name, found in values.items()}


def money_step(
    tasks: list[dict[str, Any]], nodes: list[dict[str, Any]], pairs: list[dict[str, Any]]
) -> Fraction:
    """The step of prices and costs."""
    values = {quantity(node.get("price", 0)) for node in nodes}
    values |= {quantity(pair["cost"]) for pair in pairs if "cost" in pair}
    rates = {hourly(node) for node in nodes}
    if any(rates):
        values.add(step(rates) * step(seconds(task.get("duration", 0)) for task in tasks))
    return step(values)


def allowed_nodes(tasks: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> list[list[int]]:
    """The nodes each task may run on; tasks that require the same share one list."""
    known: dict[str, list[int]] = {}
    for task in tasks:
        key = json.dumps(task.get("requires", {}), sort_keys=True)
        if key not in known:
            known[key] = [j for j, node in enumerate(nodes) if matches(task, node)]
    return [known[json.dumps(task.get("requires", {}), sort_keys=True)] for task in tasks]


def matches(task: dict[str, Any], node: dict[str, Any]) -> bool:
    """Whether the node's labels are among those the task requires."""
    labels = node.get("labels", {})
    wanted = task.get("requires", {}).items()
    return all(labels.get(key) in (value if isinstance(value, list) else [value]) for key, value in wanted)


def add_pairs(
    instance: Instance, pairs: list[dict[str, Any]], steps: dict[str, Fraction], money: Fraction
) -> None:
    """Costs and loads that depend on task and node."""
    task_index = {task.id: i for i, task in enumerate(instance.tasks)}
    node_index = {node.id: j for j, node in enumerate(instance.nodes)}
    for pair in pairs:
        i, j = task_index[str(pair["task"])], node_index.get(str(pair["node"]))
        if j is None:
            continue
        if "cost" in pair:
            instance.pair_costs[i, j] = int(quantity(pair["cost"]) / money)
        if given := pair.get("demand"):
            instance.pair_demands[i, j] = [
                int(quantity(given[name]) / size) if name in given else usual
                for (name, size), usual in zip(steps.items(), instance.tasks[i].demand)
            ]


def refuse_overload(instance: Instance) -> None:
    """A node that is over capacity before the plan has rules of its own, which the peers' models leave out."""
    for node in instance.nodes:
        if any(used > capacity for used, capacity in zip(node.used, node.capacity)):
            raise SystemExit(f"node {node.id} is over capacity before the plan: not modelled for peers")
