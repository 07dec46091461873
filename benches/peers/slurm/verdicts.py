#!/usr/bin/env python3
"""Asks a real Slurm controller which jobs start now, one at a time, and compares with stowplan.

    verdicts.py --cases 60 --record tests/data/slurm/verdicts.json     # needs Debian's slurm-wlm and munge, as root
    verdicts.py --replay tests/data/slurm/verdicts.json                # compares again, without Slurm

Six simulated nodes run on this machine. In each round some of their CPUs, memory and cards are taken by
jobs, then random jobs are asked about: nodes are drained, the job is submitted and dumped, nodes are
resumed, and the job runs within seconds or not. Exit code: 0 all alike, 1 not, 2 it could not run.
"""

import argparse
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

NODES = [("n", 4, 16, 65536, 8), ("c", 2, 32, 131072, 0)]
NODE_FIELDS = "name cpus effective_cpus threads real_memory gres gres_used alloc_cpus alloc_memory state state_flags partitions".split()
JOB_FIELDS = """job_id job_state state_reason cpus tasks node_count max_nodes cpus_per_task tasks_per_node minimum_cpus_per_node memory_per_node
    memory_per_cpu tres_req_str tres_per_job tres_per_node tres_per_task tres_per_socket cpus_per_tres memory_per_tres sockets_per_node
    partition priority shared exclusive time_limit""".split()


def call(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout if done.returncode == 0 else None


class Lab:
    """A controller with simulated nodes in a folder of its own."""

    def __init__(self, folder):
        self.children, host = [], socket.gethostname().split(".")[0]
        for name in ("state", "spool", "cards"):
            os.makedirs(os.path.join(folder, name))
        port, lines, cards, names = 27001, [], [], []
        for name, count, cpus, memory, gpus in NODES:
            for k in range(1, count + 1):
                line = f"NodeName={name}{k} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={cpus} RealMemory={memory}"
                if gpus:
                    line += f" Gres=gpu:a100:{gpus}"
                    cards.append(f"NodeName={name}{k} Name=gpu Type=a100 File={folder}/cards/[0-{gpus - 1}]")
                    for card in range(gpus):
                        open(os.path.join(folder, "cards", str(card)), "w").close()
                lines.append(line)
                names.append(f"{name}{k}")
                port += 1
        conf = f"""ClusterName=verdicts
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
GresTypes=gpu
ReturnToService=2
MpiDefault=none
SlurmdParameters=config_overrides
"""
        with open(os.path.join(folder, "gres.conf"), "w") as file:
            file.write("\n".join(cards) + "\n")
        self.conf = os.path.join(folder, "slurm.conf")
        with open(self.conf, "w") as file:
            file.write(conf + "\n".join(lines) + "\nPartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n")
        os.environ["SLURM_CONF"] = self.conf
        if subprocess.run(["munge", "-n"], capture_output=True).returncode:
            raise RuntimeError("munge does not run: start it (service munge start)")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.children.append(subprocess.Popen(["slurmctld", "-D"], **quiet))
        time.sleep(2)
        self.children += [subprocess.Popen(["slurmd", "-N", name, "-D"], **quiet) for name in names]
        for _ in range(60):
            states = call("sinfo", "-h", "-o", "%T", check=False)
            if states and set(states.split()) == {"idle"}:
                return
            time.sleep(1)
        self.close()
        raise RuntimeError("the controller did not start")

    def close(self):
        call("scancel", "--state=RUNNING", "-u", "root", check=False)
        time.sleep(2)
        for child in reversed(self.children):
            child.terminate()
        for child in self.children:
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def drain(self):
        call("scontrol", "update", "nodename=ALL", "state=drain", "reason=question")

    def resume(self):
        call("scontrol", "update", "nodename=ALL", "state=resume", check=False)

    def clear(self):
        call("scancel", "-u", "root", check=False)
        for _ in range(60):
            if not (call("squeue", "-h", check=False) or "").strip():
                return
            time.sleep(0.25)

    def occupy(self, draw):
        """Random work on the nodes."""
        self.clear()
        for name, count, cpus, memory, gpus in NODES:
            for k in range(1, count + 1):
                if draw.random() < 0.3:
                    continue
                words = ["-w", f"{name}{k}", "-N1", f"-n{draw.randint(1, cpus - 1)}", f"--mem={draw.randint(1, memory // 1024 - 1)}G"]
                if gpus and draw.random() < 0.6:
                    words.append(f"--gres=gpu:{draw.randint(1, gpus)}")
                call("sbatch", "-o", "/dev/null", *words, "--wrap", "sleep 3600", check=False)
        time.sleep(3)
        return [{key: node[key] for key in NODE_FIELDS if key in node} for node in json.loads(call("sinfo", "--json"))["nodes"]]

    def ask(self, words):
        """The job as it was dumped, and whether it starts; `None` where it is refused at once."""
        self.drain()
        number = call("sbatch", "--parsable", "-t", "30", "-o", "/dev/null", *words, "--wrap", "sleep 600", check=False)
        if number is None:
            self.resume()
            return None
        number = number.strip().split(";")[0]
        jobs = json.loads(call("squeue", "--json"))["jobs"]
        job = next(job for job in jobs if str(job["job_id"]) == number)
        self.resume()
        starts = False
        for _ in range(48):
            time.sleep(0.25)
            if (call("squeue", "-h", "-j", number, "-o", "%T", check=False) or "").strip() in ("RUNNING", "CONFIGURING"):
                starts = True
                break
        call("scancel", number, check=False)
        for _ in range(40):
            if not (call("squeue", "-h", "-j", number, check=False) or "").strip():
                break
            time.sleep(0.1)
        return {key: job[key] for key in JOB_FIELDS if key in job}, starts


def random_job(draw):
    """Options of sbatch."""
    words = []
    kind = draw.random()
    if kind < 0.4:
        low = draw.randint(1, 4)
        words.append(f"-N{low}" if draw.random() < 0.6 else f"-N{low}-{low + draw.randint(1, 2)}")
    if draw.random() < 0.7:
        words.append(f"-n{draw.choice([1, 2, 3, 5, 8, 13, 20, 33, 48, 60])}")
    if draw.random() < 0.25:
        words.append(f"-c{draw.randint(2, 6)}")
    memory = draw.random()
    if memory < 0.5:
        words.append(f"--mem={draw.choice([1, 4, 16, 40])}G")
    elif memory < 0.9:
        words.append(f"--mem-per-cpu={draw.choice([1, 2, 5])}G")
    cards = draw.random()
    if cards < 0.15:
        words.append(f"--gpus={draw.randint(1, 20)}")
    elif cards < 0.3:
        words.append(f"--gpus-per-node={draw.randint(1, 8)}")
    elif cards < 0.4:
        words.append(f"--gpus-per-task={draw.randint(1, 3)}")
    if 0 <= cards < 0.3 and draw.random() < 0.3:
        words.append(f"--cpus-per-gpu={draw.randint(1, 4)}")
    if cards >= 0.4 and draw.random() < 0.1:
        words.append(f"--ntasks-per-node={draw.randint(1, 6)}")
    if draw.random() < 0.08:
        words.append("--exclusive")
    return words


def ours(program, nodes, job):
    """Whether a plan of stowplan's starts the job."""
    text = json.dumps({"nodes": nodes, "jobs": [job]})
    done = subprocess.run(
        [program, "solve", "-", "--format", "slurm", "--output", "json", "--quiet", "--time-limit", "5"], input=text, capture_output=True, text=True
    )
    if done.returncode:
        return None, done.stderr.strip()
    return not json.loads(done.stdout)["unplaced"], ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", metavar="FILE")
    parser.add_argument("--replay", metavar="FILE")
    parser.add_argument("--program", default="target/release/stowplan")
    args = parser.parse_args()
    if args.replay:
        rounds = json.load(open(args.replay))
    else:
        folder, draw, rounds, asked = tempfile.mkdtemp(prefix="slurm"), random.Random(args.seed), [], 0
        try:
            lab = Lab(folder)
        except (RuntimeError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        try:
            while asked < args.cases:
                here = {"nodes": lab.occupy(draw), "asked": []}
                for _ in range(min(10, args.cases - asked)):
                    words = random_job(draw)
                    answer = lab.ask(words)
                    asked += 1
                    if answer:
                        here["asked"].append({"sbatch": " ".join(words), "job": answer[0], "starts": answer[1]})
                rounds.append(here)
        finally:
            lab.close()
            shutil.rmtree(folder, ignore_errors=True)
        if args.record:
            with open(args.record, "w") as file:
                json.dump(rounds, file, separators=(",", ":"))
                file.write("\n")
    alike = wrong = 0
    for number, here in enumerate(rounds):
        for case in here["asked"]:
            found, why = ours(args.program, here["nodes"], case["job"])
            if found == case["starts"]:
                alike += 1
            else:
                wrong += 1
                print(f"round {number}: sbatch {case['sbatch']}: Slurm {case['starts']}, stowplan {found} {why}")
    print(f"{alike} of {alike + wrong} as the controller says")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
