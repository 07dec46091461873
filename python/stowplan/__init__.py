"""Which task runs on which node: the stowplan program, called with pandas data frames."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from typing import Any, NamedTuple

__all__ = ["Plan", "StowplanError", "solve"]


class StowplanError(RuntimeError):
    """There is no plan, or the input is wrong. `code` is the program's exit code."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class Plan(NamedTuple):
    """`table` is a data frame with a row a placement; `document` is the whole plan as a dict."""

    table: Any
    document: dict


def solve(tasks, nodes, *, pairs=None, rules=None, **options):
    """Plan data frames whose columns are those of the CSV tables.

    Options are those of `stowplan solve`, as in `goal="peak, cost"`, `time_limit=60`,
    `allow_unplaced=True`. Warnings go to standard error, failures raise StowplanError.
    """
    import pandas

    with tempfile.TemporaryDirectory() as folder:
        files = {"tasks": tasks, "nodes": nodes, "pairs": pairs, "rules": rules}
        for name, table in files.items():
            if table is not None:
                options[name] = os.path.join(folder, f"{name}.csv")
                table.to_csv(options[name], index=False)
        flags = ((f"--{name.replace('_', '-')}", value) for name, value in options.items())
        given = [flag if value is True else f"{flag}={value}" for flag, value in flags if value not in (None, False)]
        plan = os.path.join(folder, "plan.json")
        command = [_program(), "solve", *given, "--output=json", f"--out={plan}"]
        run = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
        said = run.stderr.replace(folder + os.sep, "").strip()
        if run.returncode != 0:
            raise StowplanError(said, run.returncode)
        with open(plan, encoding="utf-8") as file:
            document = json.load(file)
    if said:
        print(said, file=sys.stderr)
    return Plan(pandas.DataFrame(document["assignments"]), document)


def _program():
    """The program that came with this package, else the one on the search path."""
    beside = sysconfig.get_path("scripts")
    found = shutil.which("stowplan", path=beside) or shutil.which("stowplan")
    if found is None:
        raise StowplanError("the program `stowplan` is not there: install the package again", 2)
    return found
