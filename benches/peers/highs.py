"""HiGHS as a peer: `python highs.py INSTANCE PLAN --goal G --time-limit S --threads N --seed N`."""

from __future__ import annotations

import argparse

import highspy
import numpy as np

from answer import Answer, main
from instance import Instance
from model import Model, build


class Rows:
    """A matrix that grows by rows, in the form HiGHS takes."""

    def __init__(self) -> None:
        self.starts, self.columns, self.values = [0], [], []
        self.lower, self.upper = [], []

    def add(self, columns: list[int], values: list[int], lower: float, upper: float) -> None:
        """lower <= values * columns <= upper."""
        self.columns += columns
        self.values += values
        self.starts.append(len(self.columns))
        self.lower.append(lower)
        self.upper.append(upper)


def matrix(model: Model, goal: str) -> Rows:
    """All rows. Column `size` is z for a peak, columns `size` + j are y(j) for a cost."""
    rows = Rows()
    for variables in model.by_task:
        rows.add(variables, [1] * len(variables), 1, 1)
    for variables in model.single:
        rows.add(variables, [1] * len(variables), -highspy.kHighsInf, 1)
    for row in model.rows:
        factor = row.capacity if goal == "peak" else row.capacity - row.used
        extra = model.size + (0 if goal == "peak" else row.node)
        upper = -row.used if goal == "peak" else 0
        rows.add([*row.variables, extra], [*row.coefficients, -factor], -highspy.kHighsInf, upper)
    for variable, node in model.links:
        rows.add([variable, model.size + node], [1, -1], -highspy.kHighsInf, 0)
    return rows


def program(model: Model, instance: Instance) -> highspy.HighsLp:
    """The integer program."""
    rows = matrix(model, instance.goal)
    peak = instance.goal == "peak"
    extra = [1] if peak else model.prices
    lp = highspy.HighsLp()
    lp.num_col_ = model.size + len(extra)
    lp.num_row_ = len(rows.lower)
    lp.col_cost_ = np.array(model.costs + extra, dtype=float)
    lp.col_lower_ = np.zeros(lp.num_col_)
    lp.col_upper_ = np.ones(lp.num_col_)
    lp.row_lower_ = np.array(rows.lower, dtype=float)
    lp.row_upper_ = np.array(rows.upper, dtype=float)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array(rows.starts, dtype=np.int32)
    lp.a_matrix_.index_ = np.array(rows.columns, dtype=np.int32)
    lp.a_matrix_.value_ = np.array(rows.values, dtype=float)
    kinds = [highspy.HighsVarType.kInteger] * lp.num_col_
    if peak:
        kinds[-1] = highspy.HighsVarType.kContinuous
    lp.integrality_ = kinds
    return lp


def solve(instance: Instance, options: argparse.Namespace) -> Answer:
    """Build, solve, read back."""
    model = build(instance)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", options.time_limit)
    solver.setOptionValue("threads", options.threads)
    solver.setOptionValue("random_seed", options.seed)
    solver.setOptionValue("mip_rel_gap", 0.0)
    solver.passModel(program(model, instance))
    solver.run()
    info = solver.getInfo()
    status = solver.modelStatusToString(solver.getModelStatus()).lower().removesuffix(" reached")
    scale = 1.0 if instance.goal == "peak" else float(instance.cost_scale)
    bound = info.mip_dual_bound / scale
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Answer(status, bound=bound)
    chosen = np.flatnonzero(np.array(solver.getSolution().col_value)[: model.size] > 0.5)
    placements = [(model.task_of[v], model.node_of[v]) for v in chosen]
    return Answer(status, info.objective_function_value / scale, bound, placements)


main(solve)
