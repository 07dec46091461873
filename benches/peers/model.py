"""The natural 0/1 model of an instance, in rows that every solver takes. Standard library only.

Variables: x(i,j), task i runs on node j; for `peak` z, at least every utilisation; for `cost` y(j), node j is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from instance import Instance


@dataclass
class Row:
    """The load of one resource on one node: `sum of coefficients * x + used <= capacity` times 1, z or y(node)."""

    node: int
    capacity: int
    used: int
    variables: list[int] = field(default_factory=list)
    coefficients: list[int] = field(default_factory=list)


@dataclass
class Model:
    """x(i,j) are numbered from 0; entry v belongs to task `task_of[v]` and node `node_of[v]`."""

    task_of: list[int]
    node_of: list[int]
    costs: list[int]
    by_task: list[range]
    rows: list[Row]
    prices: list[int]
    links: list[tuple[int, int]]
    single: list[list[int]]

    @property
    def size(self) -> int:
        """Number of x variables."""
        return len(self.task_of)


def build(instance: Instance) -> Model:
    """The model; placements that do not fit an empty node are left out, as any modeller would."""
    model = Model([], [], [], [], [], [node.price for node in instance.nodes], [], [])
    table = [
        [Row(j, capacity, used) for capacity, used in zip(node.capacity, node.used)]
        for j, node in enumerate(instance.nodes)
    ]
    for i, task in enumerate(instance.tasks):
        first = model.size
        for j in task.allowed:
            demand = instance.demand(i, j)
            if all(row.used + load <= row.capacity for row, load in zip(table[j], demand)):
                add_placement(model, instance, (i, j), table[j], demand)
        if model.size == first:
            raise SystemExit(f"infeasible: task {task.id} fits no node")
        model.by_task.append(range(first, model.size))
    model.rows = [row for rows in table for row in rows if row.capacity]
    if instance.one_task_per_node:
        model.single = [[] for _ in instance.nodes]
        for variable, j in enumerate(model.node_of):
            model.single[j].append(variable)
    return model


def add_placement(
    model: Model, instance: Instance, place: tuple[int, int], rows: list[Row], demand: list[int]
) -> None:
    """The variable x(i,j) in its rows."""
    i, j = place
    variable = model.size
    model.task_of.append(i)
    model.node_of.append(j)
    model.costs.append(instance.cost(i, j) if instance.goal == "cost" else 0)
    for row, load in zip(rows, demand):
        if load:
            row.variables.append(variable)
            row.coefficients.append(load)
    if instance.goal == "cost" and instance.nodes[j].price and not any(demand):
        model.links.append((variable, j))
