"""Solves the parts of an instance on the workers of a Dask cluster.

    stowplan split big.json --parts 8 -o parts
    python dask_solve.py parts plans --work-limit 20000000
    stowplan merge big.json plans/part-*.json -o plan.json --output json

Parts travel to the workers and plans back, so workers need the program but no shared
folder. Without --scheduler a cluster of processes is started on this machine. What comes
after the two folders and is not listed below goes to `stowplan solve`; with a work limit
and time enough every plan is the same bytes wherever and however often it is made.
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from distributed import Client, LocalCluster, as_completed


def solve(program, part, options):
    """The plan of one part as bytes. An error says what the program said."""
    with tempfile.TemporaryDirectory() as folder:
        instance, plan = pathlib.Path(folder, "part.json"), pathlib.Path(folder, "plan.json")
        instance.write_bytes(part)
        command = [program, "solve", instance, *options, "--output", "json", "-o", plan]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr.strip()}")
        return plan.read_bytes()


def kill_a_worker(client):
    """Kills the process of a local worker that has a part to solve; its address."""
    processes = client.run(os.getpid)
    for _ in range(600):
        busy = [worker for worker, keys in client.processing().items() if keys]
        if busy:
            time.sleep(0.5)
            os.kill(processes[busy[0]], signal.SIGKILL)
            return busy[0]
        time.sleep(0.05)
    raise RuntimeError("no worker had anything to do")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("parts", type=pathlib.Path, help="folder that `stowplan split` wrote")
    parser.add_argument("plans", type=pathlib.Path, help="folder for the plans")
    parser.add_argument("--scheduler", help="address of a running Dask scheduler")
    parser.add_argument("--workers", type=int, default=2, help="processes on this machine")
    parser.add_argument("--program", default="stowplan", help="the program on the workers")
    parser.add_argument(
        "--kill-a-worker", action="store_true", help="see that it does no harm (local only)"
    )
    known, options = parser.parse_known_args()
    if known.kill_a_worker and known.scheduler:
        parser.error("--kill-a-worker is for workers on this machine")
    parts = sorted(known.parts.glob("part-*.json"))
    if not parts:
        parser.error(f"there is no part-*.json in {known.parts}")
    known.plans.mkdir(parents=True, exist_ok=True)

    # One part at a time on a worker: `solve` has threads of its own.
    cluster = known.scheduler or LocalCluster(
        n_workers=known.workers, threads_per_worker=1, processes=True, dashboard_address=None
    )
    failed = 0
    with Client(cluster) as client:
        # Not pure: a part is solved, not looked up.
        names = {
            client.submit(solve, known.program, part.read_bytes(), options, pure=False): part.name
            for part in parts
        }
        if known.kill_a_worker:
            killed = kill_a_worker(client)
            print(f"killed {killed}", file=sys.stderr)
        for future in as_completed(list(names)):
            name = names[future]
            if future.status == "finished":
                # Whole or not there, as `solve -o` would have it.
                unfinished = known.plans / f".{name}"
                unfinished.write_bytes(future.result())
                unfinished.replace(known.plans / name)
            else:
                failed += 1
                print(f"{name}: {future.exception()}", file=sys.stderr)
        if known.kill_a_worker and killed in client.scheduler_info()["workers"]:
            raise RuntimeError(f"{killed} is still there")
    if not known.scheduler:
        cluster.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
