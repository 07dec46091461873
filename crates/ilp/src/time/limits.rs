//! What is too dear to be in the program: where all else is as cheap as can be and a job still
//! makes a tier worse than it is known to be, the job is not there.

use super::table::Table;
use judge::metrics::unit;
use model::{ROUNDING, Shape, Term, Tier};

/// Tiers with the values that they are known to reach.
pub(super) struct Limits<'a> {
    table: &'a Table<'a>,
    tiers: &'a [(&'a Tier, f64)],
}

impl<'a> Limits<'a> {
    pub(super) fn new(table: &'a Table<'a>, tiers: &'a [(&'a Tier, f64)]) -> Limits<'a> {
        Limits { table, tiers }
    }

    /// Whether a job of the class may run from `start` to `end`: on the group, or wherever it is
    /// cheapest.
    pub(super) fn allow(&self, class: usize, over: (i64, i64), group: Option<usize>) -> bool {
        over.1 <= self.table.classes[class].latest
            && self.tiers.iter().all(|(tier, most)| {
                let parts = tier.terms.iter();
                let sum: f64 =
                    parts.map(|part| part.weight * self.least(part.term, class, over, group)).sum();
                sum <= most + ROUNDING * (1.0 + most.abs())
            })
    }

    /// What the term is worth at least when the job runs then.
    fn least(&self, term: Term, class: usize, over: (i64, i64), group: Option<usize>) -> f64 {
        let (classes, own) = (&self.table.classes, &self.table.classes[class]);
        let placed = !self.table.allow_unplaced; // where all are, all add something
        if let Shape::LastEnd = term.shape() {
            let others = classes.iter().filter(|_| placed).map(|class| class.head.1 + class.tail);
            return others.fold(over.1 + own.tail, i64::max) as f64;
        }
        let place = match group {
            Some(group) => own.parts[0].at[group].as_ref().map_or(0, |place| place.steps(term)),
            None => own.least_steps(term),
        };
        let alone = own.steps(term, over) + place;
        let others = classes.iter().enumerate().filter(|_| placed).map(|(k, other)| {
            let jobs = other.jobs.len() - usize::from(k == class);
            (other.steps(term, other.head) + other.least_steps(term)) * jobs as i64
        });
        let factor = unit(self.table.instance, term).map_or(0.0, |scale| scale.factor());
        (alone + others.sum::<i64>()) as f64 * factor
    }

    /// The last second at which a job of the class may start; before its head when it may never.
    pub(super) fn last_start(&self, class: usize) -> i64 {
        let of = &self.table.classes[class];
        let seconds = of.head.1 - of.head.0;
        let shortest = of.parts.iter().flat_map(|part| part.places()).map(|place| place.seconds);
        let seconds = shortest.min().unwrap_or(seconds);
        // What holds at a second holds at every one before: the first one that is too late.
        let (mut from, mut to) = (of.head.0, self.table.instance.horizon() + 1);
        while from < to {
            let middle = from + (to - from) / 2;
            if self.allow(class, (middle, middle + seconds), None) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from - 1
    }
}
