"""The program under judgement: how it is run, and what it says."""
import json
import os
import subprocess

QUEUES = ["fifo", "priority", "shortest", "weighted", "easy", "conservative"]
POLICIES = ["min-load", "best-fit", "min-cost", "round-robin", "least-tasks", "first-fit", "worst-fit", "dot-product",
            "hash", "consistent-hash", "best-fit>min-cost"]

LIMIT, HANG = 10, 40  # seconds
CARD_POLICIES = ["fragmentation-gradient-descent"]


class Program:
    def __init__(self, path, folder):
        self.path, self.folder, self.runs = path, folder, 0

    def run(self, arguments, limit=HANG):
        """Exit code, standard output, standard error; the exit code None is a hang."""
        try:
            done = subprocess.run([self.path, *arguments], capture_output=True, text=True, timeout=limit, cwd=self.folder)
            return done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as late:
            return None, "", (late.stderr or b"").decode()

    def write(self, name, document):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            json.dump(document, file)
        return path

    def solve(self, instance, options, threads=1):
        path = self.write("instance.json", instance)
        return self.run(["solve", path, *options, "--output", "json", "-q", "--threads", str(threads),
                         "--work-limit", "20000", "--time-limit", str(LIMIT)])

    def check(self, instance, plan, options):
        kept = options[options.index("--headroom"):][:2] if "--headroom" in options else []
        return self.run(["check", self.write("instance.json", instance), self.write("plan.json", plan), *kept])


def draw_method(rng, model, solvers):
    """A way to plan, `auto` most of the time; the integer program in time mostly where it knows all there is."""
    kind = rng.choices(["auto", "search", "ilp", "policy"], [60, 12, 16, 12])[0]
    in_time = model.timed and (model.devices or "peak" in model.used_terms or any(n.ending for n in model.nodes))
    if kind == "ilp" and (in_time or model.rules and (model.timed or model.failures)) and rng.random() < 0.9:
        kind = "auto"
    if kind == "ilp":
        return ["--method", "ilp"] + (["--solver", rng.choice(solvers)] if rng.random() < 0.3 else [])
    if kind == "policy":
        return ["--method", rng.choice(QUEUES if model.timed else POLICIES + CARD_POLICIES * bool(model.devices))]
    return ["--method", kind] + (["--seed", str(rng.randint(2, 9))] if rng.random() < 0.2 else [])


def read_plan(document, model):
    """A printed plan as the judge's own: nodes of units, starts of tasks, cards by resource and unit, and
    what is odd about it."""
    place, starts, cards, odd = [None] * len(model.units), [None] * len(model.jobs), {}, []
    for a in document["assignments"]:
        job = model.job_of[a["task"]]
        unit = job.units[a.get("unit", 0)]
        if place[unit] is not None:
            odd.append(f"{job.id} twice")
        place[unit] = model.node_index[a["node"]]
        for name, named in a.get("devices", {}).items():
            cards.setdefault(model.resources.index(name), {})[unit] = named
        if model.timed:
            if starts[job.number] not in (None, a["start"]):
                odd.append(f"units of {job.id} start apart")
            starts[job.number] = a["start"]
            if a.get("end") not in (None, a["start"] + model.duration[unit][place[unit]]):
                odd.append(f"end of {job.id}")
    left = [job.units[0] + u.get("unit", 0) for u in document.get("unplaced", []) for job in [model.job_of[u["task"]]]]
    if sorted(left) != [u for u, n in enumerate(place) if n is None]:
        odd.append("unplaced are not those that have no place")
    return place, starts if model.timed else None, cards, odd
