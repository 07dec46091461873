"""Meta's rebalancer as a peer: `python meta_rebalancer.py INSTANCE PLAN --goal G --time-limit S --threads N --seed N`.

The two solvers of its manual one after the other: local search, then its integer program (HiGHS) from there in the time
that is left. In our runs of version 1.0.4 the integer program returned its start unless it ended with a proof.

For `peak` it minimises the *sum* of the resources' peaks, for it has no goal that is the highest of all; a little of
`LINEAR`, load above the average, leads the search off plateaus. So there is a bound only where a cost was proven.
"""

from __future__ import annotations

import argparse
import heapq
import os
import time
from dataclasses import dataclass
from typing import Any

from answer import Answer, main
from instance import Instance

LINEAR, MAX = 1, 3
RELATIVE_UTIL = 3
LEGACY = 1
HIGHS = 2
"""Numbers of its Thrift enumerations: version 1.0.4 refuses the names."""

SOLVED = 1
END_REASONS = {SOLVED: "solved", 2: "time limit", 9: "local optimum"}

MOVES = {
    "peak": ("singleFastMoveTypeSpec", "swapMoveTypeSpec", "singleChainFastMoveTypeSpec"),
    "cost": ("singleFastMoveTypeSpec", "swapMoveTypeSpec"),
}
"""Chosen on the ladder's own instances, 20 x 4 to 5,000 x 500, seed 1: see README.md."""

PENALTY = 1e6
"""Of a broken constraint; with its default of 100 large costs outweigh capacities and the start is never repaired."""


def dealt(instance: Instance) -> dict[str, list[str]]:
    """A start: tasks in their order, each to the allowed node with the fewest tasks for its size."""
    sizes = [max(1, node.capacity[0] if node.capacity else 1) for node in instance.nodes]
    start: dict[str, list[str]] = {node.id: [] for node in instance.nodes}
    heap = [(0.0, j) for j in range(len(sizes))]
    for task in instance.tasks:
        allowed, aside = set(task.allowed), []
        while heap[0][1] not in allowed:
            aside.append(heapq.heappop(heap))
        fill, j = heapq.heappop(heap)
        start[instance.nodes[j].id].append(task.id)
        for entry in [*aside, (fill + 1 / sizes[j], j)]:
            heapq.heappush(heap, entry)
    return start


def problem(instance: Instance, start: dict[str, list[str]]) -> Any:
    """Objects, containers, capacities and goal; load that is there already is an object that stays."""
    from rebalancer import ProblemSolver

    solver = ProblemSolver(service_name="peers", service_scope="peers")
    solver.set_object_name("task").set_container_name("node").disable_solution_summary()
    fixed = {node.id: f"used:{node.id}" for node in instance.nodes if any(node.used)}
    solver.set_assignment({node: tasks + [fixed[node]] if node in fixed else tasks for node, tasks in start.items()})
    for r in range(len(instance.resources)):
        add_resource(solver, instance, r, fixed)
    if fixed:
        solver.add_constraint({"avoidMovingSpec": {"name": "used", "objects": list(fixed.values())}})
    if instance.goal == "cost":
        add_cost(solver, instance)
    if instance.one_task_per_node:
        solver.add_object_dimension("slot", {task.id: 1.0 for task in instance.tasks}, 0.0)
        solver.add_container_dimension("slot", {node.id: 1.0 for node in instance.nodes})
        add_capacity(solver, "slot")
    forbid(solver, instance)
    return solver


def add_resource(solver: Any, instance: Instance, r: int, fixed: dict[str, str]) -> None:
    """Loads and capacities of one resource, and its part of the goal `peak`."""
    name = f"r{r}"
    used = {fixed[node.id]: float(node.used[r]) for node in instance.nodes if node.id in fixed}
    if instance.pair_demands:
        table = {
            node.id: {task.id: float(instance.demand(i, j)[r]) for i, task in enumerate(instance.tasks)} | used
            for j, node in enumerate(instance.nodes)
        }
        solver.add_dynamic_object_dimension(name, "node", table, 0.0)
    else:
        solver.add_object_dimension(name, {task.id: float(task.demand[r]) for task in instance.tasks} | used, 0.0)
    solver.add_container_dimension(name, {node.id: float(node.capacity[r]) for node in instance.nodes})
    add_capacity(solver, name)
    if instance.goal == "peak":
        about = {"scope": "node", "dimension": name}
        highest = {"formula": MAX, "boundType": RELATIVE_UTIL, "upperBound": 0.0}
        solver.add_goal({"balanceSpec": {"name": f"peak {name}", **about, **highest}}, 1.0)
        solver.add_goal({"balanceSpec": {"name": f"even {name}", **about, "formula": LINEAR}}, 0.1)


def add_capacity(solver: Any, dimension: str) -> None:
    """No node may hold more than its capacity."""
    spec = {"name": f"capacity {dimension}", "scope": "node", "dimension": dimension}
    solver.add_constraint({"capacitySpec": spec}, invalid_cost=PENALTY, invalid_state=100 * PENALTY)


def add_cost(solver: Any, instance: Instance) -> None:
    """Prices of nodes in use, and the costs of placements as affinities below zero."""
    prices = {node.id: float(node.price) for node in instance.nodes}
    if any(prices.values()):
        solver.add_object_dimension("placed", {task.id: 1.0 for task in instance.tasks}, 0.0)
        spec = {"name": "prices", "scope": "node", "dimension": "placed", "formula": LEGACY}
        spec["containerCosts"] = prices
        solver.add_goal({"minimizeContainersSpec": spec})
    affinities = [
        {"objectName": task.id, "scopeItemName": instance.nodes[j].id, "affinity": -float(cost)}
        for i, task in enumerate(instance.tasks)
        for j in task.allowed
        if (cost := instance.cost(i, j))
    ]
    if affinities:
        solver.add_goal({"assignmentAffinitiesSpec": {"name": "costs", "scope": "node", "affinities": affinities}})


def forbid(solver: Any, instance: Instance) -> None:
    """Nodes that a task may not run on."""
    everywhere = set(range(len(instance.nodes)))
    avoid = [
        {"object": task.id, "scopeItems": [instance.nodes[j].id for j in everywhere - set(task.allowed)]}
        for task in instance.tasks
        if len(task.allowed) < len(everywhere)
    ]
    if avoid:
        spec = {"name": "requires", "scope": "node", "assignments": avoid}
        solver.add_constraint({"avoidAssignmentsSpec": spec})


@dataclass
class Result:
    """Why a solver ended, its own value, and the tasks of each node."""

    end_reason: int
    value: float
    plan: dict[str, list[str]]


def run(instance: Instance, start: dict[str, list[str]], solver_spec: dict[str, Any]) -> Result:
    """One solver from one start."""
    solution = problem(instance, start).add_solver(solver_spec).solve()
    tasks = {task.id for task in instance.tasks}
    plan: dict[str, list[str]] = {node.id: [] for node in instance.nodes}
    for name, node in solution["assignment"].items():
        if name in tasks:
            plan[node].append(name)
    return Result(solution["solverSummaries"][-1]["endReason"], solution["finalObjective"]["value"], plan)


def solve(instance: Instance, options: argparse.Namespace) -> Answer:
    """Local search, then the integer program."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    began = time.monotonic()
    local = {
        "moveTypeList": [{move: {}} for move in MOVES[instance.goal]],
        "solveTime": max(1, round(options.time_limit)),
        "randomSeed": options.seed,
    }
    result = run(instance, dealt(instance), {"localSearchSolverSpec": local})
    left = int(options.time_limit - (time.monotonic() - began))
    proven = False
    if left >= 1:
        exact = {"solverPackage": HIGHS, "solveTime": left, "suppressLogs": True}
        result = run(instance, result.plan, {"optimalSolverSpec": exact})
        proven = result.end_reason == SOLVED and instance.goal == "cost"
    numbers = {task.id: i for i, task in enumerate(instance.tasks)}
    placements = [(numbers[task], j) for j, node in enumerate(instance.nodes) for task in result.plan[node.id]]
    value = result.value / float(instance.cost_scale) if instance.goal == "cost" else None
    status = END_REASONS.get(result.end_reason, f"end reason {result.end_reason}")
    return Answer(status, value, value if proven else None, placements)


main(solve)
