#!/usr/bin/env python3
"""Stowplan and general solvers side by side: same instances, same limits, same machine, same run.

    python3 benches/peers/peers.py --time-limit 10 --csv peers.csv

Every plan is judged by `stowplan check`, which also gives its value. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOALS = ("peak", "cost")
SIZES = ("20x4", "30x5", "100x10", "1000x100", "5000x500")
KINDS = {"uniform": "peak", "priced": "cost", "assignment": "cost", "gap-d": "cost"}
GAP_LIMIT = 100_000
"""Most tasks x nodes of a generated gap-d instance: it has a line for each pair."""
TOLERANCE = 1e-6
"""Relative; what floating-point solvers resolve."""
STOWPLAN = "stowplan"


class Failure(Exception):
    """What ends the run with a message."""


@dataclass(frozen=True)
class Peer:
    """A solver that runs in a virtual environment of its own."""

    name: str
    script: str
    requirement: str
    python: tuple[int, int] = (3, 10)


PEERS = (
    Peer("cpsat", "cpsat.py", "ortools==9.15.6755"),
    Peer("highs", "highs.py", "highspy==1.15.1"),
    Peer("scip", "scip.py", "pyscipopt==6.3.0"),
    Peer("rebalancer", "meta_rebalancer.py", "rebalancer==1.0.4", (3, 12)),
)


@dataclass(frozen=True)
class Instance:
    """A JSON file whose own goal is `goal`."""

    name: str
    path: Path
    goal: str


@dataclass(frozen=True)
class Run:
    """What measure.py found."""

    seconds: float
    megabytes: float
    at_most: bool
    code: int
    stopped: bool


@dataclass(frozen=True)
class Outcome:
    """One solver on one instance. `value` is the checker's; without it there is no valid plan."""

    instance: str
    solver: str
    status: str
    run: Run
    value: float | None = None
    bound: float | None = None
    error: bool = False


# --- environments


def find_pythons(extra: list[str]) -> list[tuple[str, tuple[int, int]]]:
    """Interpreters that start, with their versions: the given ones, this one, then what the search path has."""
    names = [*extra, sys.executable, *(f"python3.{minor}" for minor in range(14, 9, -1))]
    found: dict[str, tuple[int, int]] = {}
    for name in names:
        path = shutil.which(name)
        if path is None and name in extra:
            raise Failure(f"--python {name}: there is no such interpreter")
        if path is None or path in found:
            continue
        command = [path, "-c", "import sys; print(*sys.version_info[:2])"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode == 0:
            major, minor = answer.stdout.split()
            found[path] = (int(major), int(minor))
    return list(found.items())


def install(peer: Peer, folder: Path, pythons: list[tuple[str, tuple[int, int]]]) -> str | None:
    """Make the peer's environment unless it is there; answers why it could not be made."""
    venv = folder / peer.name
    done = venv / "installed.txt"
    if done.exists() and done.read_text(encoding="utf-8") == peer.requirement:
        return None
    fit = [path for path, version in pythons if version >= peer.python]
    reason = "needs Python {}.{} or later: name one with --python".format(*peer.python)
    for path in fit:
        say(f"installing {peer.requirement} with {path}")
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
        for command in (
            [path, "-m", "venv", "--clear", str(venv)],
            [*pip, "--quiet", "--only-binary", ":all:", peer.requirement],
        ):
            answer = subprocess.run(command, capture_output=True, text=True)
            if answer.returncode != 0:
                reason = last_line(answer.stderr or answer.stdout)
                break
        else:
            done.write_text(peer.requirement, encoding="utf-8")
            return None
    return reason


# --- instances


def call(binary: Path, *arguments: str | Path) -> str:
    """Standard output of a stowplan command that has to work."""
    command = [str(binary), *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        lines = [line for line in answer.stderr.splitlines() if line.startswith("error: ")]
        raise Failure(f"stowplan {arguments[0]}: {(lines or [last_line(answer.stderr)])[0].removeprefix('error: ')}")
    return answer.stdout


def set_goal(path: Path, goal: str | None) -> str:
    """Write the goal into the instance, for `check` judges by it; without one, answer the instance's own."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    own = document.get("goal", "peak")
    if goal is not None and goal != own:
        document["goal"] = own = goal
        path.write_text(json.dumps(document), encoding="utf-8")
    return own


def generated(options: argparse.Namespace, work: Path) -> list[Instance]:
    """The ladder: each kind at each size."""
    instances = []
    for kind, goal in KINDS.items():
        for size in options.only if goal in (options.goal or goal) else []:
            tasks, nodes = size.split("x")
            if kind == "gap-d" and int(tasks) * int(nodes) > GAP_LIMIT:
                continue
            path = work / f"{kind}-{size}.json"
            arguments = ["generate", "uniform" if kind == "priced" else kind, "--tasks", tasks, "--nodes", nodes]
            arguments += ["--seed", str(options.seed), "--out", str(path)]
            call(options.stowplan, *arguments, *(["--priced"] if kind == "priced" else []))
            set_goal(path, goal)
            instances.append(Instance(f"{kind} {size}", path, goal))
    return instances


def given(options: argparse.Namespace, work: Path) -> list[Instance]:
    """The files of the command line, converted to JSON."""
    instances = []
    for number, file in enumerate(options.files):
        path = work / f"file-{number}.json"
        call(options.stowplan, "convert", file, "--to", "json", "--out", path)
        goal = set_goal(path, options.goal)
        if goal not in GOALS:
            raise Failure(f"{file}: its goal is {goal}; peers know {' and '.join(GOALS)}: choose with --goal")
        instances.append(Instance(file.name, path, goal))
    return instances


# --- runs


def measured(command: list[str], work: Path, limit: float) -> Run:
    """Run a command; its output goes to out.txt and err.txt."""
    report = work / "report.txt"
    report.unlink(missing_ok=True)
    wrapper = [sys.executable, "-I", "-S", str(HERE / "measure.py"), str(limit), str(report)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with open(work / "out.txt", "wb") as out, open(work / "err.txt", "wb") as err:
        subprocess.run(
            [*wrapper, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, check=True
        )
    seconds, used, floor, code, stopped = report.read_text(encoding="ascii").split()
    return Run(
        float(seconds), max(int(used), int(floor)) / 1024, int(used) <= int(floor), int(code), stopped == "1"
    )


def run_stowplan(options: argparse.Namespace, instance: Instance, work: Path, plan: Path) -> Outcome:
    """Stowplan's own answer, not yet checked."""
    command = [str(options.stowplan), "solve", str(instance.path), "--goal", instance.goal, "--quiet"]
    command += ["--output", "json", "--out", str(plan), "--threads", str(options.threads)]
    command += ["--time-limit", str(options.time_limit), "--seed", str(options.seed)]
    run = measured(command, work, options.time_limit + options.patience)
    outcome = Outcome(instance.name, STOWPLAN, "no plan", run)
    if not plan.exists():
        return failed(outcome, work, options)
    answer = json.loads(plan.read_text(encoding="utf-8"))
    if run.code != 0:
        plan.unlink()
        return replace(outcome, status=f"no plan: {answer['status']}", error=run.code not in (1, 3))
    return replace(outcome, status=answer["status"], bound=answer["goal"][0]["bound"])


def run_peer(
    options: argparse.Namespace, peer: Peer, instance: Instance, work: Path, plan: Path
) -> Outcome:
    """A peer's answer, not yet checked."""
    command = [str(options.venvs / peer.name / "bin" / "python"), str(HERE / peer.script)]
    command += [str(instance.path), str(plan), "--goal", instance.goal, "--seed", str(options.seed)]
    command += ["--time-limit", str(options.time_limit), "--threads", str(options.threads)]
    run = measured(command, work, options.time_limit + options.patience)
    outcome = Outcome(instance.name, peer.name, "no plan", run)
    if run.code != 0:
        plan.unlink(missing_ok=True)
        return failed(outcome, work, options)
    answer = json.loads(last_line((work / "out.txt").read_text(encoding="utf-8", errors="replace")))
    status = answer["status"] if plan.exists() else f"no plan: {answer['status']}"
    return replace(outcome, status=status, bound=answer["bound"])


def failed(outcome: Outcome, work: Path, options: argparse.Namespace) -> Outcome:
    """A run that ended without an answer: stopped for its time, or broken."""
    run = outcome.run
    if run.stopped:
        return replace(outcome, status=f"no plan: stopped after {run.seconds:.0f} s")
    message = last_line((work / "err.txt").read_text(encoding="utf-8", errors="replace"))
    if message.startswith("infeasible"):
        return replace(outcome, status=f"no plan: {message}")
    cause = f"signal {-run.code}" if run.code < 0 else f"exit code {run.code}"
    return replace(outcome, status=f"error: {cause} {message}".strip(), error=True)


def judged(options: argparse.Namespace, instance: Instance, outcome: Outcome, plan: Path) -> Outcome:
    """The checker's word on the plan, if there is one."""
    if not plan.exists():
        return outcome
    command = [str(options.stowplan), "check", str(instance.path), str(plan)]
    answer = subprocess.run(command, capture_output=True, text=True)
    found = re.search(rf"^ok: .*\b{instance.goal} = ([0-9.eE+-]+)", answer.stdout)
    if answer.returncode != 0 or not found:
        lines = (answer.stdout or answer.stderr).strip().splitlines() or ["no answer"]
        return replace(outcome, status=f"error: plan rejected: {lines[0]}", bound=None, error=True)
    return replace(outcome, value=float(found[1]))


def solve(options: argparse.Namespace, peers: list[Peer], instance: Instance, work: Path) -> list[Outcome]:
    """Every solver on one instance, bounds compared with the plans of all."""
    outcomes = []
    for solver in [STOWPLAN] * (STOWPLAN in options.solvers) + peers:
        plan = work / "plan.json"
        plan.unlink(missing_ok=True)
        if isinstance(solver, Peer):
            outcome = run_peer(options, solver, instance, work, plan)
        else:
            outcome = run_stowplan(options, instance, work, plan)
        outcome = judged(options, instance, outcome, plan)
        say(f"{outcome.instance}, {outcome.solver}: {number(outcome.value)}, {outcome.status}")
        outcomes.append(outcome)
    least = min((o.value for o in outcomes if o.value is not None), default=None)
    return [disputed(outcome, least) for outcome in outcomes]


def disputed(outcome: Outcome, least: float | None) -> Outcome:
    """A bound above a checked plan is wrong: it is set aside."""
    if least is None or outcome.bound is None or outcome.bound <= least + TOLERANCE * max(1.0, abs(least)):
        return outcome
    status = f"error: bound {number(outcome.bound)} lies above a checked plan; {outcome.status}"
    return replace(outcome, status=status, bound=None, error=True)


# --- tables

COLUMNS = (
    "instance", "solver", "value", "bound", "own gap", "gap to best bound", "to stowplan", "seconds", "MB", "status",
)  # fmt: skip


def gap(value: float | None, bound: float | None) -> float | None:
    """(value - bound) / value, as stowplan defines it; 0 where rounding put the bound above."""
    if value is None or bound is None:
        return None
    return max(0.0, value - bound) / abs(value) if value else 0.0


def rows(outcomes: list[Outcome]) -> list[list[float | str | None]]:
    """The table of one instance, figures as numbers."""
    best = max((o.bound for o in outcomes if o.bound is not None), default=None)
    own = next((o.value for o in outcomes if o.solver == STOWPLAN), None)
    return [
        [
            o.instance, o.solver, o.value, o.bound, gap(o.value, o.bound), gap(o.value, best),
            o.value / own if o.value is not None and own else None,
            o.run.seconds, o.run.megabytes, o.status,
        ]
        for o in outcomes
    ]  # fmt: skip


def number(value: float | None) -> str:
    """Seven digits, or a dash."""
    return "-" if value is None else f"{value:.7g}"


def percent(value: float | None) -> str:
    """A fraction in per cent, or a dash."""
    return "-" if value is None else f"{100 * value:.2f} %"


def markdown(tables: list[list[Outcome]]) -> str:
    """All tables as one."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|---|" + "---:|" * 7 + "---|"]
    for outcomes in tables:
        for outcome, row in zip(outcomes, rows(outcomes)):
            name, solver, value, bound, own, best, ratio, seconds, megabytes, status = row
            cells = [name, solver, number(value), number(bound), percent(own), percent(best)]
            cells.append("-" if ratio is None else f"{ratio:.4f}")
            cells.append(f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}")
            cells.append(f"{'≤ ' if outcome.run.at_most else ''}{megabytes:.0f}")
            lines.append(f"| {' | '.join([*cells, status.replace('|', '/')])} |")
    return "\n".join(lines)


def write_csv(path: Path, tables: list[list[Outcome]]) -> None:
    """The same with all digits; fractions instead of per cent, nothing where there is no figure."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for outcomes in tables:
            writer.writerows(rows(outcomes))


# --- command line


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def last_line(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def sizes(text: str) -> list[str]:
    """`20x4,100x10`."""
    found = [size.strip() for size in text.split(",")]
    for size in found:
        if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", size):
            raise argparse.ArgumentTypeError(f"{size!r} is not a size such as 100x10, tasks x nodes")
    return found


def solvers(text: str) -> list[str]:
    """`stowplan,highs`."""
    known = [STOWPLAN, *(peer.name for peer in PEERS)]
    found = [name.strip() for name in text.split(",")]
    for name in found:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no solver is called {name!r}: there are {', '.join(known)}")
    return found


def positive(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def count(text: str) -> int:
    """A whole number from 1."""
    if not re.fullmatch(r"0*[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("files", nargs="*", type=Path, help="instances in any format stowplan reads, instead of the ladder")
    add("--only", type=sizes, metavar="SIZES", help=f"sizes of the ladder [default: {','.join(SIZES)}]")
    add("--solvers", type=solvers, metavar="LIST", default=solvers(",".join([STOWPLAN, *(p.name for p in PEERS)])))
    add("--goal", choices=GOALS, help="only this part of the ladder; of files, instead of their own")
    add("--time-limit", type=positive, default=10.0, metavar="SECONDS", help="of each solver [default: 10]")
    add("--threads", type=count, default=2, metavar="N", help="of each solver [default: 2]")
    add("--seed", type=int, default=1, metavar="N", help="of instances and solvers [default: 1]")
    add("--patience", type=positive, default=300.0, metavar="SECONDS",
        help="beyond the time limit, for reading and building, before a solver is stopped [default: 300]")  # fmt: skip
    add("--stowplan", type=Path, default=Path("target/release/stowplan"), metavar="FILE", help="the binary")
    add("--venvs", type=Path, default=Path("target/peers"), metavar="FOLDER", help="environments and work files")
    add("--python", action="append", default=[], metavar="FILE", help="an interpreter for peers, tried first")
    add("--csv", type=Path, metavar="FILE", help="write the table there too")
    options = parser.parse_args()
    options.only = options.only or ([] if options.files else list(SIZES))
    return options


def ready(options: argparse.Namespace) -> list[Peer]:
    """The peers that are installed, and a line on each that is not."""
    pythons = find_pythons(options.python)
    peers = []
    for peer in PEERS:
        if peer.name in options.solvers:
            reason = install(peer, options.venvs, pythons)
            if reason is None:
                peers.append(peer)
            else:
                print(f"{peer.name}: NOT INSTALLED, left out: {peer.requirement}: {reason}\n")
    return peers


def main() -> int:
    """0 if every answer held, 1 if a solver gave a wrong one or broke, 2 if the run could not start, 130 if it was interrupted."""
    options = parse()
    try:
        if not options.stowplan.is_file():
            raise Failure(f"{options.stowplan}: no such file; `cargo build --release`, or name it with --stowplan")
        options.stowplan, options.venvs = options.stowplan.resolve(), options.venvs.absolute()
        work = options.venvs / "work"
        work.mkdir(parents=True, exist_ok=True)
        instances = generated(options, work) + given(options, work)
        peers = ready(options)
        versions = [call(options.stowplan, "--version").strip(), *(peer.requirement for peer in peers)]
        print(f"{', '.join(versions)}; {options.time_limit:g} s, {options.threads} threads, seed {options.seed}\n")
        tables, interrupted = [], False
        try:
            for instance in instances:
                tables.append(solve(options, peers, instance, work))
        except KeyboardInterrupt:
            interrupted = True
            say("interrupted: the table is of what was finished")
        print(markdown(tables))
        if options.csv:
            write_csv(options.csv, tables)
    except (Failure, OSError) as problem:
        say(f"error: {problem}")
        return 2
    return 130 if interrupted else int(any(outcome.error for outcomes in tables for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
