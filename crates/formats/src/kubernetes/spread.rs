//! Topology spread as the scheduler filters by it: which nodes count, what they have, and how full
//! the fullest may be. After kube-scheduler's `podtopologyspread`.

use rustc_hash::FxHashMap;

use super::affinity::{bar, narrow, with};
use super::between::Scene;
use super::nodes::Host;
use super::pods::Spread;
use model::{ANY, Ask, Decimal, Direction};

/// A value that no node has: where it counts, the emptiest is empty.
const MISSING: &str = "(a value that no node has)";

const FIELD: &str = "spec.topologySpreadConstraints";

/// Values of the label with how many pods that count each has, in order of names.
type Counts = Vec<(String, u32)>;

impl<'a> Scene<'a> {
    /// Pods of these classes wait and are to be spread. Which values they can use, and so which
    /// count, depends on the labels that all of their constraints ask for and on what all of them bar.
    pub(super) fn all_spread(&mut self, all: &[(&'a Spread, Vec<usize>)]) {
        for (spread, holders) in all {
            for class in holders.iter().filter(|_| !spread.preferred) {
                narrow(&mut self.out.extra[*class], &spread.term.over, vec![ANY.to_owned()]);
            }
        }
        let mut even = Vec::new();
        for (spread, holders) in all {
            self.spread(spread, holders, &mut even);
        }
        for (spread, counts, tasks) in even {
            self.even(spread, counts, &tasks);
        }
    }

    fn spread(
        &mut self,
        spread: &'a Spread,
        holders: &[usize],
        even: &mut Vec<(&'a Spread, Counts, Vec<usize>)>,
    ) {
        let meant = self.matching(&spread.term);
        // An empty selector matches every pod, and yet the scheduler counts none by it.
        if spread.term.selector.is_empty() {
            return;
        }
        // Pods for which other nodes count are spread among others.
        let mut groups: Vec<(Counts, Vec<usize>)> = Vec::new();
        let mut at: FxHashMap<Counts, usize> = FxHashMap::default();
        let mut known: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        for task in self.tasks(holders) {
            let pod = &self.cluster.waiting[task];
            let group = *known.entry((pod.class, pod.own)).or_insert_with(|| {
                let counts = self.counted(spread, &meant, pod.class, pod.own);
                let next = groups.len();
                let group = *at.entry(counts.clone()).or_insert(next);
                if group == next {
                    groups.push((counts, Vec::new()));
                }
                group
            });
            groups[group].1.push(task);
        }
        let others = self.tasks(&meant).len();
        for (counts, tasks) in groups {
            let also =
                |task: &usize| meant.binary_search(&self.cluster.waiting[*task].class).is_ok();
            let (inner, outer): (Vec<usize>, Vec<usize>) = tasks.into_iter().partition(also);
            if let (true, Some(task)) = (others > inner.len(), inner.first().or(outer.first())) {
                let what = "other waiting pods that it counts are not counted";
                self.tell(Direction::Either, *task, FIELD, what);
            }
            if !spread.preferred {
                self.kept_off_full(spread, &counts, &outer);
            }
            if !inner.is_empty() {
                even.push((spread, counts, inner));
            }
        }
    }

    /// What every value has that counts for such a pod.
    fn counted(
        &self,
        spread: &'a Spread,
        meant: &[usize],
        class: usize,
        requirement: usize,
    ) -> Counts {
        let cluster = self.cluster;
        let alike = cluster.classes[class].terms.spread.iter();
        let alike = alike.filter(|one| one.preferred == spread.preferred);
        let keys: Vec<&String> = alike.map(|one| &one.term.over).collect();
        let asked = &cluster.requirements[requirement];
        let counts = |host: usize| {
            let node = &cluster.hosts[host];
            keys.iter().all(|key| self.value(host, key).is_some())
                && (spread.ignores_affinity || node.is_selected_by(asked))
                && (!spread.honours_taints || node.lets_in(asked))
        };
        let hosts: Vec<bool> = (0..cluster.hosts.len()).map(counts).collect();
        let mut of: FxHashMap<&str, u32> = FxHashMap::default();
        for host in (0..hosts.len()).filter(|host| hosts[*host]) {
            of.extend(self.value(host, &spread.term.over).map(|value| (value, 0)));
        }
        for host in meant.iter().flat_map(|class| &self.staying[*class]) {
            let value = self.value(*host, &spread.term.over).filter(|_| hosts[*host]);
            if let Some(count) = value.and_then(|value| of.get_mut(value)) {
                *count += 1;
            }
        }
        let mut counts: Counts =
            of.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
        counts.sort();
        counts
    }

    /// Pods that do not count themselves stay off values that are too full as it is.
    fn kept_off_full(&mut self, spread: &'a Spread, counts: &Counts, tasks: &[usize]) {
        let least = match counts.len() < spread.least_values {
            true => 0,
            false => counts.iter().map(|(_, count)| *count).min().unwrap_or(0),
        };
        let full = counts.iter().filter(|(_, count)| count - least > spread.skew);
        let full: Vec<String> = full.map(|(value, _)| value.clone()).collect();
        for class in tasks.iter().map(|task| self.cluster.waiting[*task].class) {
            if !full.is_empty() {
                bar(&mut self.out.extra[class], &spread.term.over, full.clone());
            }
        }
    }

    /// Pods that count themselves are spread by a rule.
    fn even(&mut self, spread: &'a Spread, mut counts: Counts, tasks: &[usize]) {
        let Some(mut over) = self.over(&spread.term.over) else { return };
        let lacks = counts.len() < spread.least_values;
        if !spread.preferred && self.uneven(spread, &counts, tasks, lacks) {
            let what = "what runs is not spread so: a plan that moves any of it mends that too";
            self.tell(Direction::Narrower, tasks[0], FIELD, what);
        }
        if lacks {
            over.clone_from(&spread.term.over);
        } else {
            // What the pods can use counts anyhow.
            let usable = self.usable(spread, tasks);
            counts.retain(|(value, count)| *count > 0 || !usable.contains(value));
        }
        let mut present = self.named(counts, &spread.term, &over);
        if lacks {
            present.push((MISSING.to_owned(), 0));
        }
        let ask = Ask::Spread { at_least: 0, at_most: u32::MAX, max_skew: Some(spread.skew) };
        let price = spread.preferred.then_some(Decimal::ONE);
        let rule = self.rule("topology spread", ask, &over, tasks);
        (rule.present, rule.price) = (present, price);
    }

    /// Whether the pods are spread less evenly now than they ask for.
    fn uneven(&self, spread: &'a Spread, counts: &Counts, tasks: &[usize], lacks: bool) -> bool {
        let mut now: FxHashMap<&str, u32> =
            counts.iter().map(|(value, count)| (value.as_str(), *count)).collect();
        for host in tasks.iter().filter_map(|task| self.homes.get(task)) {
            let value = self.value(*host, &spread.term.over);
            if let Some(count) = value.and_then(|value| now.get_mut(value)) {
                *count += 1;
            }
        }
        let least = if lacks { 0 } else { now.values().copied().min().unwrap_or(0) };
        let runs = tasks.iter().any(|task| self.homes.contains_key(task));
        runs && now.values().any(|count| count - least > spread.skew)
    }

    /// Values of nodes that any of the pods may run on.
    fn usable(&self, spread: &'a Spread, tasks: &[usize]) -> Vec<String> {
        let cluster = self.cluster;
        let pods = tasks.iter().map(|task| &cluster.waiting[*task]);
        let mut asked: Vec<(usize, usize)> = pods.map(|pod| (pod.requirement, pod.class)).collect();
        asked.sort_unstable();
        asked.dedup();
        let mut values: Vec<String> = Vec::new();
        for (requirement, class) in asked {
            let all = with(&cluster.requirements[requirement], &self.out.extra[class]);
            let may = |host: &Host| host.is_selected_by(&all) && host.lets_in(&all);
            let hosts = (0..cluster.hosts.len()).filter(|host| may(&cluster.hosts[*host]));
            let own = hosts.filter_map(|host| self.value(host, &spread.term.over));
            values.extend(own.map(str::to_owned));
        }
        values.sort();
        values.dedup();
        values
    }
}
