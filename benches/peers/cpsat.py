"""OR-Tools CP-SAT as a peer: `python cpsat.py INSTANCE PLAN --goal G --time-limit S --threads N --seed N`."""

from __future__ import annotations

import argparse

from ortools.sat.python import cp_model

from answer import Answer, main
from instance import Instance
from model import Model, build

PEAK_STEPS = 10**6
"""CP-SAT knows whole numbers only: the peak is counted in millionths, rounded up."""


def solve(instance: Instance, options: argparse.Namespace) -> Answer:
    """Build, solve, read back."""
    model = build(instance)
    cp = cp_model.CpModel()
    x = [cp.new_bool_var("") for _ in range(model.size)]
    for variables in model.by_task:
        cp.add_exactly_one(x[v] for v in variables)
    for variables in model.single:
        cp.add_at_most_one(x[v] for v in variables)
    scale = add_peak(cp, x, model) if instance.goal == "peak" else add_cost(cp, x, model, instance)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = options.time_limit
    solver.parameters.num_workers = options.threads
    solver.parameters.random_seed = options.seed
    status = solver.solve(cp)
    bound = solver.best_objective_bound
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        reason = "time limit" if status == cp_model.UNKNOWN else solver.status_name(status).lower()
        return Answer(reason, bound=bound_of(bound, scale, instance.goal) if status == cp_model.UNKNOWN else None)
    placements = [(model.task_of[v], model.node_of[v]) for v in range(model.size) if solver.boolean_value(x[v])]
    return Answer(
        solver.status_name(status).lower(),
        solver.objective_value / scale,
        bound_of(bound, scale, instance.goal),
        placements,
    )


def bound_of(bound: float, scale: float, goal: str) -> float:
    """The true peak can lie up to one step below its rounded value."""
    return max(0.0, bound - 1 if goal == "peak" else bound) / scale


def add_peak(cp: cp_model.CpModel, x: list[cp_model.IntVar], model: Model) -> float:
    """Minimise z, with every load at most z times the capacity; answers the steps in a peak of 1."""
    z = cp.new_int_var(0, PEAK_STEPS, "z")
    for row in model.rows:
        load = cp_model.LinearExpr.weighted_sum(
            [x[v] for v in row.variables], [PEAK_STEPS * c for c in row.coefficients]
        )
        cp.add(load + PEAK_STEPS * row.used <= row.capacity * z)
    cp.minimize(z)
    return PEAK_STEPS


def add_cost(cp: cp_model.CpModel, x: list[cp_model.IntVar], model: Model, instance: Instance) -> float:
    """Minimise placements plus prices of used nodes; answers the steps in a cost of 1."""
    y = [cp.new_bool_var("") if price else 1 for price in model.prices]
    for row in model.rows:
        load = cp_model.LinearExpr.weighted_sum([x[v] for v in row.variables], row.coefficients)
        cp.add(load <= (row.capacity - row.used) * y[row.node])
    for variable, node in model.links:
        cp.add_implication(x[variable], y[node])
    paid = [j for j, price in enumerate(model.prices) if price]
    cp.minimize(
        cp_model.LinearExpr.weighted_sum(
            x + [y[j] for j in paid], model.costs + [model.prices[j] for j in paid]
        )
    )
    return float(instance.cost_scale)


main(solve)
