//! What pods prefer of other pods: rules between waiting pods that may be broken at the term's
//! weight, and nodes that are liked, or not, for the pods that run there.

use super::between::Scene;
use super::pods::Liking;
use model::{Ask, Decimal, Direction, Preference, RuleDraft, Selection, Whom};

/// Most rules for which pods that prefer to be apart from others are written out in pairs.
const MOST_PAIRS: usize = 20_000;
const NEAR: &str = "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution";
const AWAY: &str = "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution";

impl<'a> Scene<'a> {
    /// Waiting pods of these classes prefer to be where others are.
    pub(super) fn rather_near(&mut self, liking: &'a Liking, holders: &[usize]) {
        let meant = self.matching(&liking.term);
        let others = self.tasks(&meant);
        let also = |class: &usize| meant.binary_search(class).is_ok();
        let (inner, outer): (Vec<usize>, Vec<usize>) = holders.iter().partition(|k| also(k));
        let values = self.values(&meant, &liking.term.over);
        if !values.is_empty() {
            let labels =
                Selection { any_of: vec![(liking.term.over.clone(), values)], none_of: Vec::new() };
            self.prefer(holders, liking, &labels);
            if !others.is_empty() {
                let what = "waiting pods that it matches count for nothing beside those that run";
                self.tell(Direction::Either, others[0], NEAR, what);
            }
            return;
        }
        let Some(over) = self.over(&liking.term.over) else { return };
        let (inner, outer) = (self.tasks(&inner), self.tasks(&outer));
        if inner.len() > 1 {
            self.wish("preferred affinity", Ask::Together, &over, &inner, liking.weight);
        }
        if !outer.is_empty() && !others.is_empty() {
            let near = Whom::Tasks(self.ids(&others));
            let ask = Ask::Near { others: Vec::new() };
            self.wish("preferred affinity", ask, &over, &outer, liking.weight).near = Some(near);
        }
    }

    /// Waiting pods of these classes prefer to be where others are not.
    pub(super) fn rather_away(&mut self, liking: &'a Liking, holders: &[usize]) {
        let meant = self.matching(&liking.term);
        let values = self.values(&meant, &liking.term.over);
        if !values.is_empty() {
            let labels =
                Selection { any_of: Vec::new(), none_of: vec![(liking.term.over.clone(), values)] };
            self.prefer(holders, liking, &labels);
        }
        let Some(over) = self.over(&liking.term.over) else { return };
        let others = self.tasks(&meant);
        let also = |class: &usize| meant.binary_search(class).is_ok();
        let (inner, outer): (Vec<usize>, Vec<usize>) = holders.iter().partition(|k| also(k));
        let (inner, outer) = (self.tasks(&inner), self.tasks(&outer));
        let what = "preferred anti-affinity";
        if inner.len() > 1 {
            self.wish(what, Ask::Apart, &over, &inner, liking.weight);
        }
        let strangers: Vec<usize> =
            others.into_iter().filter(|task| inner.binary_search(task).is_err()).collect();
        let pairs = (inner.len() + outer.len()) * strangers.len() + outer.len() * inner.len();
        if pairs > MOST_PAIRS {
            let what = format!(
                "{pairs} pairs of waiting pods that rather keep apart are too many to plan with"
            );
            let task = outer.first().or(inner.first()).copied().unwrap_or(0);
            self.tell(Direction::Wider, task, AWAY, &what);
            return;
        }
        for (holder, other) in inner.iter().flat_map(|one| strangers.iter().map(move |k| (one, k)))
        {
            self.wish(what, Ask::Apart, &over, &[*holder, *other], liking.weight);
        }
        for holder in &outer {
            for other in inner.iter().chain(&strangers) {
                self.wish(what, Ask::Apart, &over, &[*holder, *other], liking.weight);
            }
        }
    }

    /// A rule that may be broken at this price.
    fn wish(
        &mut self,
        what: &str,
        ask: Ask,
        over: &str,
        tasks: &[usize],
        price: u32,
    ) -> &mut RuleDraft {
        let rule = self.rule(what, ask, over, tasks);
        rule.price = Decimal::from_integer(price.into()).ok();
        rule
    }

    /// Pods of the classes like nodes with such labels.
    fn prefer(&mut self, classes: &[usize], liking: &Liking, labels: &Selection) {
        let weight = Decimal::from_integer(liking.weight.into()).unwrap_or(Decimal::ZERO);
        for class in classes {
            let labels = labels.clone();
            self.out.prefers[*class].push(Preference { labels, weight });
        }
    }
}
