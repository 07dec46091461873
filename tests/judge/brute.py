"""Every plan there is, and the best of them: no cleverness that would need a proof beyond the one below.

Without times: every placement. In time: every placement, and for it every start that can matter. Take a best plan and
move a job to the left by a second wherever nothing breaks and no tier gets worse. When no job moves any more, each
waits for a release, an opening, the end of a window or of load that was there, or for the end (and a lag) of
another job, and so on back: its start is one of those times plus durations and lags of other jobs, each once. (For
`peak` hold its value against every room: then all terms are served by starting earlier.)"""
from itertools import product

from model import seconds


class TooMuch(Exception):
    """The instance has more plans than are worth looking at."""


class Brute:
    def __init__(self, model, work=20000, every_second=False):
        """`every_second` tries all starts, to see that those left out do not matter."""
        self.model, self.work, self.every_second = model, work, every_second
        self.table = None
        self.events = {0} | {j.release for j in model.jobs} | {b for n in model.nodes for _, b in n.closed} \
            | {at for n in model.nodes for at, _ in n.ending} \
            | {seconds(step["from"]) for r in model.rules for step in r.doc.get("later", [])}
        if not model.timed:
            self.table = {}
            for place in self.placements():
                self.table.setdefault(model.values(place), place)

    def optimum(self, caps=()):
        """The least values and a plan that has them, in the order of the tiers; None where there is no plan.

        With `caps`, only tiers up to the first without one count, and values below a cap are as good as the cap."""
        self.caps, self.best, self.plan = caps, None, None
        if self.table is not None:
            if self.table:
                self.best, values = min((self.key(v), v) for v in self.table)
                self.plan = (self.table[values], None)
        else:
            for place in self.placements():
                Schedules(self, place).run()
        return None if self.best is None else (self.best, self.plan)

    def key(self, values):
        if not self.caps:
            return values
        k = len(self.caps)
        return tuple(max(v, c) for v, c in zip(values, self.caps)) + values[k:k + 1]

    def spend(self):
        self.work -= 1
        if self.work < 0:
            raise TooMuch

    def placements(self):
        """Every placement that keeps the rules between tasks and, without times, has room for all."""
        model = self.model
        place = [None] * len(model.units)

        def go(k):
            self.spend()
            if k == len(model.jobs):
                if model.rules_hold(place) and (not model.failures or model.failures.all_right(place)):
                    yield list(place)
                return
            job = model.jobs[k]
            for nodes in self.choices(job):
                for u, n in zip(job.units, nodes):
                    place[u] = n
                if self.fits(place, set(nodes)):
                    yield from go(k + 1)
            for u in job.units:
                place[u] = None
        return go(0)

    def choices(self, job):
        """Nodes for the units of a job, and with tasks left out none; equal units in one order only."""
        model = self.model
        if model.allow_unplaced:
            yield [None] * len(job.units)
        alike = len({model.home[u] for u in job.units}) == 1 and not model.failures
        for nodes in product(*(model.allowed[u] for u in job.units)):
            if not alike or list(nodes) == sorted(nodes):
                yield nodes

    def fits(self, place, nodes):
        model = self.model
        if model.timed:
            return True
        return all(n is None or model.node_holds(n, [(None, None, u) for u, m in enumerate(place) if m == n]) for n in nodes)


class Schedules:
    """All starts for one placement."""
    def __init__(self, brute, place):
        self.brute, self.model, self.place = brute, brute.model, place
        self.jobs = self.in_order()
        self.starts = [None] * len(self.model.jobs)
        self.static = self.model.static_values(place)
        self.early_is_best = "peak" not in self.model.used_terms

    def in_order(self):
        """Jobs that have a place, each behind those it comes after."""
        placed, order = [j for j in self.model.jobs if self.place[j.units[0]] is not None], []
        while placed:
            done = {j.id for j in order} | {j.id for j in self.model.jobs if self.place[j.units[0]] is None}
            ready = next(j for j in placed if all(a in done for a, _ in j.after))
            placed.remove(ready)
            order.append(ready)
        return order

    def candidates(self, job):
        """Starts that can matter and that the job alone could have, earliest first."""
        if "elapsed" in job.doc:
            times = {0}
        elif self.brute.every_second:
            lags = sum(lag for j in self.jobs for _, lag in j.after)
            times = range(max(self.brute.events) + lags + sum(max(self.model.duration[u][self.place[u]] for u in j.units) for j in self.jobs))
        else:
            times = set(self.brute.events)
            for other in self.jobs:
                if other is not job:
                    lags = {0} | {lag for j in self.jobs for a, lag in j.after if a == other.id}
                    steps = {self.model.duration[u][self.place[u]] + lag for u in other.units for lag in lags}
                    times |= {t + s for t in times for s in steps}
        return sorted(t for t in times if self.alone(job, t))

    def alone(self, job, t):
        self.brute.spend()
        model = self.model
        ends = model.end(job, self.place, t)
        return ((t >= job.release or "elapsed" in job.doc) and (job.deadline is None or ends <= job.deadline)
                and all(model.open(u, self.place[u], t) for u in job.units))

    def run(self):
        self.options = [self.candidates(j) for j in self.jobs]
        if all(self.options):
            self.go(0)

    def bound(self, k):
        """No way to give the other jobs their starts has smaller values: each is taken at its first start."""
        starts = list(self.starts)
        for job, options in zip(self.jobs[k:], self.options[k:]):
            starts[job.number] = options[0]
        timed = self.model.timed_values(self.place, starts)
        if "peak" in timed:
            timed["peak"] = self.model.timed_values(self.place, self.starts)["peak"]
        values = {**self.static, **timed}
        return self.brute.key(tuple(t.of(values) for t in self.model.goal))

    def go(self, k):
        """Whether anything below was worth looking at."""
        self.brute.spend()
        bound = self.bound(k)
        if self.brute.best is not None and bound >= self.brute.best:
            return False
        if k == len(self.jobs):
            self.brute.best, self.brute.plan = bound, (self.place, list(self.starts))
            return True
        job = self.jobs[k]
        nodes = {self.place[u] for u in job.units}
        first = max((self.model.end(self.model.job_of[a], self.place, self.starts[self.model.job_of[a].number]) + lag
                     for a, lag in job.after), default=0)
        for t in self.options[k]:
            if t < first:
                continue
            self.starts[job.number] = t
            now = [None if self.starts[self.model.units[u].number] is None else n for u, n in enumerate(self.place)]
            runs = self.model.runs_of(now, self.starts)
            if all(self.model.node_holds(n, runs[n]) for n in nodes) and self.model.instants_hold(now, self.starts):
                if not self.go(k + 1) and self.early_is_best and self.worse(k + 1):
                    break
        self.starts[job.number] = None
        return True

    def worse(self, k):
        """Later starts of the same job are no better than a bound that has been passed already."""
        return self.brute.best is not None and self.bound(k) >= self.brute.best
