//! Jobs that start as one: a gang over jobs that differ.

use super::goal::Aim;
use super::problem::NEVER;
use super::serial::{Builder, Recipe};

impl Builder<'_> {
    /// Places the job and all that starts with it at the earliest time in the range at which each has
    /// room beside the others; or none.
    pub(super) fn try_together(
        &mut self,
        job: usize,
        (from, mut to): (i64, i64),
        recipe: &Recipe,
        aim: &Aim,
    ) -> bool {
        let p = self.p;
        let all = std::iter::once(job).chain(p.others(job));
        let (runs, set): (Vec<usize>, Vec<usize>) = all.partition(|k| p.jobs[*k].running);
        // What starts with what runs now starts now.
        if !runs.is_empty() {
            to = 0;
        }
        let mut start = from;
        for other in &set {
            let ready = self.ready(*other);
            if ready >= NEVER || self.start[*other] < NEVER {
                return false;
            }
            start = start.max(ready);
        }
        if runs.iter().any(|other| self.start[*other] >= NEVER) {
            return false;
        }
        // What has the fewest places goes first, and what others want to be near before these.
        let mut order = set.clone();
        order.sort_by_key(|k| (p.places(*k).len(), *k));
        while start <= to && !self.cut_short() {
            // None of them starts before each alone could.
            let mut alone = start;
            let looked_at = if self.strict { &[][..] } else { &order[..] };
            for other in looked_at {
                if !self.try_alone(*other, (start, to), recipe, aim) {
                    return false;
                }
                alone = alone.max(self.start[*other]);
                self.remove(*other);
            }
            if alone > start {
                start = alone;
                continue;
            }
            let placed = |b: &mut Self, k: &usize| b.try_alone(*k, (start, start), recipe, aim);
            if order.iter().all(|other| placed(self, other)) {
                return true;
            }
            set.iter().for_each(|other| self.remove(*other));
            let next = set.iter().filter_map(|k| self.next_change(*k, start, p.places(*k)));
            match next.min() {
                Some(next) => start = next,
                None => return false,
            }
        }
        false
    }
}
