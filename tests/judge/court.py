"""One case before the judge: it is drawn, the program answers in several ways, and each answer is judged."""
import random
import tempfile
import time
from collections import Counter

import instance
from brute import TooMuch
from morph import morph, morph_in_time
from program import LIMIT, Program, draw_method
from shrink import shrink
from verdict import Finding, Known, Truth, judge, judge_check, mutated, understand


AGAIN = 0.1  # of all cases are answered once more, on more threads


class Court:
    """What one process has at hand."""
    def __init__(self, folder, path, seed, solvers):
        self.folder = tempfile.mkdtemp(dir=folder)
        self.program, self.seed, self.solvers = Program(path, self.folder), seed, solvers
        self.kinds = Counter()

    def hear(self, number, names):
        """Everything that is asked about one instance: (case, outcome or finding) each."""
        rng = random.Random(f"{self.seed}/{number}")
        if rng.random() < 0.03:
            return self.hear_large(rng, names)
        case, truth = draw(rng, names)
        if case is None:
            return []
        case["method"] = draw_method(rng, truth.model, self.solvers)
        heard = [self.ask(case, truth)]
        if rng.random() < 0.3:
            try:
                heard.append(self.ask(*self.in_other_words(rng, case, truth)))
            except TooMuch:
                pass  # In another order pruning may do worse.
        if rng.random() < 0.3 and truth.best is not None and not truth.model.failures:
            plan = mutated(rng, truth.model, *truth.best[1])
            heard.append(self.ask({**case, "plan": plan}, truth))
        if rng.random() < AGAIN:
            heard.append(self.ask({**case, "threads": 2}, truth))
        return heard

    def hear_large(self, rng, names):
        """An instance too large for brute force, asked several times: no bound is above any known plan."""
        case = instance.draw(rng, [n for n in names if n not in ("backup", "survive")], size=2)
        model = understand(case)
        ways = [draw_method(rng, model, self.solvers) for _ in range(3)]
        return [self.ask({**case, "methods": ways}), self.ask({**case, "methods": ways[:1], "threads": 2})]

    def in_other_words(self, rng, case, truth):
        """The same question, put otherwise, with what is true of it."""
        best = truth.best and truth.best[0]
        other = morph_in_time(rng, truth.model) if rng.random() < 0.4 else None
        if other:
            document, expected, how = other
            best = best and expected(best)
        else:
            document, how = morph(rng, case["instance"])
        method = draw_method(rng, truth.model, self.solvers)
        case = {**case, "instance": document, "method": method}
        return case, Truth(case, best, how)

    def ask(self, case, truth=None):
        """The outcome for a case; if something is wrong, the finding and the smallest case that has it (for the first
        of a kind)."""
        try:
            return case, self.verdict(case, truth)
        except Finding as finding:
            self.kinds[finding.kind] += 1
            if finding.kind == "hang" or self.kinds[finding.kind] > 2:
                return case, finding
            small = shrink(case, finding.kind, self.kind)
            return small, self.finding(small) or finding

    def verdict(self, case, truth=None):
        options = case["options"]
        if "plan" in case:
            truth = truth or Truth(case)
            return judge_check(truth.model, case["plan"], self.program.check(case["instance"], case["plan"], options))
        if "threads" in case:
            self.same(case["instance"], options + (case.get("methods") or [case["method"]])[0], case["threads"])
        if "methods" not in case:
            return self.said(judge(truth or Truth(case), self.program.solve(case["instance"], options + case["method"])))
        known = Known(case)
        answers = [self.program.solve(case["instance"], options + way) for way in case["methods"]]
        for answer in answers:
            known.add(answer)
        return self.said([judge(known, answer) for answer in answers][0])

    def same(self, document, options, threads):
        """The answer is the same in every byte on so many threads as on one, unless the time was over."""
        began = time.time()
        one, more = self.program.solve(document, options), self.program.solve(document, options, threads)
        if one != more and time.time() - began < LIMIT / 8:  # Repairs are looked for by the clock, for a second or two.
            raise Finding("threads make a difference", f"{one}\n{more}")

    def said(self, outcome):
        return outcome.replace(self.folder + "/", "")

    def finding(self, case):
        """What is wrong with the answer to a case, if anything is."""
        try:
            self.verdict(case)
        except (TooMuch, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, StopIteration):
            return None  # No instance any more.
        except Finding as finding:
            return finding

    def kind(self, case):
        finding = self.finding(case)
        return finding and finding.kind


def draw(rng, names):
    """A case with these features, small enough to be judged, and what is true of it; not too often without any plan."""
    for attempt in range(30):
        case = instance.draw(rng, names, size=1 if attempt < 3 else 0)
        try:
            truth = Truth(case)
        except TooMuch:
            continue
        if truth.best is not None or rng.random() < 0.1 or attempt > 10:
            return case, truth
    return None, None
