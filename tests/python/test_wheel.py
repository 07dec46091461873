"""What an installed wheel must do; run with the Python it is installed in."""

import importlib.metadata
import io
import subprocess
import unittest
from contextlib import redirect_stderr

import pandas

import stowplan

NODES = pandas.DataFrame({"node": ["n1", "n2"], "gpu": [8, 4], "labels": ["model=A100", "model=L40S"]})
TASKS = pandas.DataFrame(
    {"task": ["train", "eval", "tune"], "gpu": [4.0, 1.5, 2.5], "requires": ["model=A100", None, None]}
)


class Wheel(unittest.TestCase):
    def test_the_program_is_a_script_of_the_package(self):
        version = importlib.metadata.version("stowplan")
        program = stowplan._program()
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.assertEqual(said.stdout.strip(), f"stowplan {version}")

    def test_data_frames_are_planned(self):
        plan = stowplan.solve(TASKS, NODES, goal="peak", time_limit=5)
        self.assertEqual(list(plan.table["task"]), ["train", "eval", "tune"])
        self.assertEqual(plan.table.set_index("task")["node"]["train"], "n1")
        self.assertEqual(plan.document["status"], "optimal")
        self.assertAlmostEqual(plan.document["goal"][0]["value"], 5.5 / 8)

    def test_pairs_and_flags(self):
        pairs = pandas.DataFrame({"task": ["eval"], "node": ["n1"], "cost": [7]})
        plan = stowplan.solve(TASKS, NODES, pairs=pairs, goal="cost", allow_unplaced=True, quiet=False)
        self.assertEqual(plan.table.set_index("task")["node"]["eval"], "n2")

    def test_what_does_not_fit_is_left_out(self):
        huge = TASKS.assign(gpu=[9, 1, 1])
        plan = stowplan.solve(huge, NODES, allow_unplaced=True)
        self.assertEqual([entry["task"] for entry in plan.document["unplaced"]], ["train"])
        self.assertEqual(list(plan.table["task"]), ["eval", "tune"])

    def test_failures_are_exceptions_with_the_reason(self):
        with self.assertRaises(stowplan.StowplanError) as refused:
            stowplan.solve(TASKS.assign(gpu=[9, 1, 1]), NODES)
        self.assertEqual(refused.exception.code, 1)
        self.assertIn("no plan exists", str(refused.exception))
        with self.assertRaises(stowplan.StowplanError) as wrong:
            stowplan.solve(TASKS.rename(columns={"gpu": "gpus"}), NODES)
        self.assertEqual(wrong.exception.code, 2)
        self.assertIn("error: tasks.csv: line 1, column `gpus`", str(wrong.exception))
        self.assertIn("did you mean `gpu`?", str(wrong.exception))
        with self.assertRaises(stowplan.StowplanError) as flag:
            stowplan.solve(TASKS, NODES, gaol="peak")
        self.assertIn("--goal", str(flag.exception))

    def test_warnings_go_to_standard_error(self):
        said = io.StringIO()
        with redirect_stderr(said):
            stowplan.solve(TASKS, NODES, goal="demand")
        self.assertIn("warning:", said.getvalue())


if __name__ == "__main__":
    unittest.main()
