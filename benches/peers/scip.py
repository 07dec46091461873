"""SCIP as a peer: `python scip.py INSTANCE PLAN --goal G --time-limit S --threads N --seed N`.

SCIP's tree search uses one thread whatever `--threads` says: the packaged library has no parallel search.
"""

from __future__ import annotations

import argparse

import pyscipopt
from pyscipopt import quicksum

from answer import Answer, main
from instance import Instance
from model import Model, build


def program(model: Model, goal: str) -> tuple[pyscipopt.Model, list[pyscipopt.Variable]]:
    """The integer program and its x variables."""
    scip = pyscipopt.Model()
    x = [scip.addVar(vtype="B", obj=cost) for cost in model.costs]
    for variables in model.by_task:
        scip.addCons(quicksum(x[v] for v in variables) == 1)
    for variables in model.single:
        scip.addCons(quicksum(x[v] for v in variables) <= 1)
    if goal == "peak":
        z = scip.addVar(lb=0, ub=1, obj=1)
    else:
        y = [scip.addVar(vtype="B", obj=price) for price in model.prices]
    for row in model.rows:
        load = quicksum(c * x[v] for v, c in zip(row.variables, row.coefficients))
        if goal == "peak":
            scip.addCons(load - row.capacity * z <= -row.used)
        else:
            scip.addCons(load - (row.capacity - row.used) * y[row.node] <= 0)
    for variable, node in model.links:
        scip.addCons(x[variable] <= y[node])
    return scip, x


def solve(instance: Instance, options: argparse.Namespace) -> Answer:
    """Build, solve, read back."""
    model = build(instance)
    scip, x = program(model, instance.goal)
    scip.hideOutput()
    scip.setParam("limits/time", options.time_limit)
    scip.setParam("randomization/randomseedshift", options.seed)
    scip.optimize()
    status = scip.getStatus().replace("timelimit", "time limit")
    scale = 1.0 if instance.goal == "peak" else float(instance.cost_scale)
    bound = scip.getDualbound() / scale
    if scip.getNSols() == 0:
        return Answer(status, bound=bound)
    best = scip.getBestSol()
    placements = [(model.task_of[v], model.node_of[v]) for v in range(model.size) if best[x[v]] > 0.5]
    return Answer(status, scip.getSolObjVal(best) / scale, bound, placements)


main(solve)
