//! What pods ask of each other, as rules between waiting pods and as labels that the nodes
//! of running pods allow or bar.

use std::collections::BTreeMap;
use std::hash::Hash;

use rustc_hash::{FxHashMap, FxHashSet};

use super::affinity::{NAME, bar, narrow};
use super::cluster::Cluster;
use super::pods::{EVERYWHERE, HostPort, Term, Terms};
use super::selectors::{Labels, NAMESPACE_NAME, Selector};
use model::{ANY, Ask, Direction, Preference, RuleDraft, Selection, Whom};

const PORTS: &str = "spec.containers[].ports";
/// What a pod is asked for that wants to be near pods of which there are none.
const NOBODY: &str = "(no pod matches the affinity)";

/// What follows from pods that ask something of each other.
#[derive(Debug, Default)]
pub(super) struct Between {
    /// By class: what its pods ask of nodes beside what they say themselves.
    pub(super) extra: Vec<Selection>,
    /// By class: nodes that its pods like for what runs there.
    pub(super) prefers: Vec<Vec<Preference>>,
    pub(super) rules: Vec<RuleDraft>,
    /// Where, and what is not planned with.
    pub(super) told: Vec<(Direction, String, String, String)>,
}

/// The pods by class, and nodes by label.
pub(super) struct Scene<'a> {
    pub(super) cluster: &'a Cluster,
    /// Waiting pods of each class.
    pub(super) waiting: Vec<Vec<usize>>,
    /// Hosts of each class's running pods, one entry a pod.
    pub(super) running: Vec<Vec<usize>>,
    /// Of those the ones that are not being deleted.
    pub(super) staying: Vec<Vec<usize>>,
    /// Where a pod that may move runs now.
    pub(super) homes: FxHashMap<usize, usize>,
    matching: FxHashMap<&'a Term, Vec<usize>>,
    /// Classes by a label's key and value, for keys that were asked for.
    labelled: FxHashMap<&'a str, FxHashMap<&'a str, Vec<usize>>>,
    /// Labels that tell every host apart, which rules call `node`.
    own_names: FxHashMap<&'a str, bool>,
    pub(super) out: Between,
}

/// Works out all rules and conditions.
pub(super) fn between(cluster: &Cluster, host_at: &FxHashMap<&str, usize>) -> Between {
    let classes = cluster.classes.len();
    let mut scene = Scene {
        cluster,
        waiting: vec![Vec::new(); classes],
        running: vec![Vec::new(); classes],
        staying: vec![Vec::new(); classes],
        homes: FxHashMap::default(),
        matching: FxHashMap::default(),
        labelled: FxHashMap::default(),
        own_names: FxHashMap::default(),
        out: Between {
            extra: vec![Selection::default(); classes],
            prefers: vec![Vec::new(); classes],
            ..Between::default()
        },
    };
    for (k, pod) in cluster.waiting.iter().enumerate() {
        scene.waiting[pod.class].push(k);
        let home = pod.node.as_deref().and_then(|name| host_at.get(name));
        scene.homes.extend(home.map(|host| (k, *host)));
    }
    for pod in &cluster.running {
        let host = pod.node.as_deref().and_then(|name| host_at.get(name));
        scene.running[pod.class].extend(host);
        scene.staying[pod.class].extend(host.filter(|_| !pod.ends));
    }
    let holds = |k: &usize| !scene.waiting[*k].is_empty();
    let holders: Vec<usize> = (0..classes).filter(holds).collect();
    let away = held(cluster, &holders, |terms| &terms.away);
    let runs = |k: &usize| !scene.running[*k].is_empty();
    let runners: Vec<usize> = (0..classes).filter(runs).collect();
    let kept_off = held(cluster, &runners, |terms| &terms.away);
    let mut near: BTreeMap<&[Term], Vec<usize>> = BTreeMap::new();
    for class in &holders {
        near.entry(&cluster.classes[*class].terms.near).or_default().push(*class);
    }
    near.remove(&[][..]);
    let spread = held(cluster, &holders, |terms| &terms.spread);
    kept_off.into_iter().for_each(|(term, classes)| scene.kept_off(term, &classes));
    scene.all_away(away);
    near.into_iter().for_each(|(terms, classes)| scene.near(terms, &classes));
    scene.ports(&holders, &runners);
    for (liking, classes) in held(cluster, &holders, |terms| &terms.rather_near) {
        scene.rather_near(liking, &classes);
    }
    for (liking, classes) in held(cluster, &holders, |terms| &terms.rather_away) {
        scene.rather_away(liking, &classes);
    }
    // Last: which values can be used depends on all the rest.
    scene.all_spread(&spread);
    scene.out
}

/// What classes ask or prefer, in order of first appearance, each with the classes.
fn held<'a, T: Eq + Hash>(
    cluster: &'a Cluster,
    among: &[usize],
    of: fn(&Terms) -> &Vec<T>,
) -> Vec<(&'a T, Vec<usize>)> {
    let mut order: Vec<(&T, Vec<usize>)> = Vec::new();
    let mut at: FxHashMap<&T, usize> = FxHashMap::default();
    for class in among {
        for one in of(&cluster.classes[*class].terms) {
            let k = *at.entry(one).or_insert_with(|| {
                order.push((one, Vec::new()));
                order.len() - 1
            });
            if order[k].1.last() != Some(class) {
                order[k].1.push(*class);
            }
        }
    }
    order
}

impl<'a> Scene<'a> {
    /// Classes that the term means.
    pub(super) fn matching(&mut self, term: &'a Term) -> Vec<usize> {
        if let Some(known) = self.matching.get(term) {
            return known.clone();
        }
        let few = term.selector.only().map(|(key, value)| self.labelled(key, value));
        let among = few.unwrap_or_else(|| (0..self.cluster.classes.len()).collect());
        let mut namespaces: FxHashMap<&str, bool> = FxHashMap::default();
        let mut found = Vec::new();
        for k in among {
            let class = &self.cluster.classes[k];
            let namespace = class.namespace.as_str();
            let meant = *namespaces.entry(namespace).or_insert_with(|| self.meant(term, namespace));
            if meant && term.selector.matches(&class.labels) {
                found.push(k);
            }
        }
        // Nearly all classes for each of many groups would be too much to keep.
        if term.selector.all_but().is_none() {
            self.matching.insert(term, found.clone());
        }
        found
    }

    /// Classes with this value of the label.
    fn labelled(&mut self, key: &'a str, value: &str) -> Vec<usize> {
        let classes = &self.cluster.classes;
        let by_value = self.labelled.entry(key).or_insert_with(|| {
            let mut all: FxHashMap<&'a str, Vec<usize>> = FxHashMap::default();
            for (k, class) in classes.iter().enumerate() {
                if let Some(value) = class.labels.get(key) {
                    all.entry(value).or_default().push(k);
                }
            }
            all
        });
        by_value.get(value).cloned().unwrap_or_default()
    }

    /// Whether the term means pods of the namespace.
    pub(super) fn meant(&self, term: &Term, namespace: &str) -> bool {
        let with = |selector: &Selector| {
            let mut labels: Labels =
                self.cluster.namespaces.get(namespace).cloned().unwrap_or_default();
            labels.insert(NAMESPACE_NAME.to_owned(), namespace.to_owned());
            selector.matches(&labels)
        };
        term.namespaces.iter().any(|known| known == namespace)
            || term.namespaces_with.as_ref().is_some_and(with)
    }

    pub(super) fn value(&self, host: usize, key: &str) -> Option<&'a str> {
        self.cluster.hosts[host].label(key)
    }

    /// Values of the label where pods of the classes run, with how many.
    fn counts(&self, classes: &[usize], key: &str) -> Vec<(String, u32)> {
        let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
        for host in classes.iter().flat_map(|class| &self.running[*class]) {
            if let Some(value) = self.value(*host, key) {
                *counts.entry(value).or_insert(0) += 1;
            }
        }
        let mut list: Vec<(String, u32)> =
            counts.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
        list.sort();
        list
    }

    /// Those values alone.
    pub(super) fn values(&self, classes: &[usize], key: &str) -> Vec<String> {
        self.counts(classes, key).into_iter().map(|(value, _)| value).collect()
    }

    pub(super) fn tasks(&self, classes: &[usize]) -> Vec<usize> {
        let mut tasks: Vec<usize> =
            classes.iter().flat_map(|class| self.waiting[*class].iter().copied()).collect();
        tasks.sort_unstable();
        tasks
    }

    pub(super) fn ids(&self, tasks: &[usize]) -> Vec<String> {
        tasks.iter().map(|task| self.cluster.waiting[*task].id.clone()).collect()
    }

    /// What rules call the label; `None` when no host has it.
    pub(super) fn over(&mut self, key: &'a str) -> Option<String> {
        let hosts = 0..self.cluster.hosts.len();
        let known = self.own_names.get(key).copied();
        let own = known.unwrap_or_else(|| {
            let mut seen = FxHashSet::default();
            hosts.clone().all(|host| self.value(host, key).is_some_and(|v| seen.insert(v)))
        });
        self.own_names.insert(key, own);
        if own {
            return Some("node".to_owned());
        }
        hosts.into_iter().any(|host| self.value(host, key).is_some()).then(|| key.to_owned())
    }

    /// What a value of the label is called in rules.
    pub(super) fn named(
        &self,
        counts: Vec<(String, u32)>,
        term: &Term,
        over: &str,
    ) -> Vec<(String, u32)> {
        if over != "node" {
            return counts;
        }
        let hosts = (0..self.cluster.hosts.len()).filter_map(|host| {
            let name = self.cluster.hosts[host].name.clone();
            self.value(host, &term.over).map(|value| (value, name))
        });
        let names: FxHashMap<&str, String> = hosts.collect();
        let named = counts.into_iter().filter_map(|(value, count)| {
            names.get(value.as_str()).map(|name| (name.clone(), count))
        });
        named.collect()
    }

    pub(super) fn rule(
        &mut self,
        what: &str,
        ask: Ask,
        over: &str,
        tasks: &[usize],
    ) -> &mut RuleDraft {
        let first = &self.cluster.waiting[tasks[0]].id;
        let (name, whom) = (format!("{what} of {first}"), Whom::Tasks(self.ids(tasks)));
        self.out.rules.push(RuleDraft::new(name, ask, over, whom));
        let last = self.out.rules.len() - 1;
        &mut self.out.rules[last]
    }

    pub(super) fn tell(&mut self, errs: Direction, task: usize, field: &str, what: &str) {
        let pod = &self.cluster.waiting[task];
        let place = self.cluster.show(pod.place, &pod.id);
        self.out.told.push((errs, place, field.to_owned(), what.to_owned()));
    }

    /// Waiting pods want to be where others are. The scheduler goes by pods that match all of the
    /// terms, whichever label a term is about.
    fn near(&mut self, terms: &'a [Term], holders: &[usize]) {
        let mut meant = self.matching(&terms[0]);
        for term in &terms[1..] {
            let also = self.matching(term);
            meant.retain(|class| also.binary_search(class).is_ok());
        }
        let values: Vec<Vec<String>> =
            terms.iter().map(|term| self.values(&meant, &term.over)).collect();
        let also = |class: &usize| meant.binary_search(class).is_ok();
        let (inner, outer): (Vec<usize>, Vec<usize>) = holders.iter().partition(|k| also(k));
        let others = self.tasks(&meant);
        let field = "spec.affinity.podAffinity";
        if values.iter().any(|values| !values.is_empty()) {
            for (term, values) in terms.iter().zip(values) {
                let values = if values.is_empty() { vec![NOBODY.to_owned()] } else { values };
                for class in holders {
                    narrow(&mut self.out.extra[*class], &term.over, values.clone());
                }
            }
            if others.len() > self.tasks(&inner).len() {
                let what = "they stay near what runs, not near what comes to another place first";
                self.tell(Direction::Narrower, self.tasks(holders)[0], field, what);
            }
            return;
        }
        let (inner_tasks, outer_tasks) = (self.tasks(&inner), self.tasks(&outer));
        for term in terms {
            for class in &inner {
                narrow(&mut self.out.extra[*class], &term.over, vec![ANY.to_owned()]);
            }
            let over = self.over(&term.over);
            if let (Some(over), true) = (&over, inner_tasks.len() > 1) {
                let homes = inner_tasks.iter().filter_map(|task| self.homes.get(task));
                let mut places: Vec<&str> =
                    homes.filter_map(|host| self.value(*host, &term.over)).collect();
                places.sort_unstable();
                places.dedup();
                if places.len() > 1 {
                    let what = "pods that want to be near their like run in several places: those that move may go anywhere";
                    self.tell(Direction::Wider, inner_tasks[0], field, what);
                } else {
                    self.rule("affinity", Ask::Together, over, &inner_tasks);
                }
            }
            if let (Some(over), false) = (&over, others.is_empty()) {
                if !outer_tasks.is_empty() {
                    let (ids, ask) = (self.ids(&others), Ask::Near { others: Vec::new() });
                    self.rule("affinity", ask, over, &outer_tasks).near = Some(Whom::Tasks(ids));
                }
                continue;
            }
            for class in &outer {
                narrow(&mut self.out.extra[*class], &term.over, vec![NOBODY.to_owned()]);
            }
        }
    }

    /// A port of a node is taken by one pod: those that wait keep apart, and away from hosts where
    /// one runs that has it.
    fn ports(&mut self, holders: &[usize], runners: &[usize]) {
        let cluster = self.cluster;
        let taken = |class: &usize| cluster.classes[*class].terms.ports.iter();
        let mut wanted: Vec<&HostPort> = holders.iter().flat_map(taken).collect();
        wanted.sort();
        wanted.dedup();
        for port in wanted {
            let meet = |class: &usize| taken(class).any(|other| port.meets(other));
            let has = |class: &usize| taken(class).any(|other| port == other);
            let hosts = runners.iter().filter(|class| meet(class));
            let hosts = hosts.flat_map(|class| &self.running[*class]);
            let names: Vec<String> = hosts.map(|host| cluster.hosts[*host].name.clone()).collect();
            let (own, also): (Vec<usize>, Vec<usize>) =
                holders.iter().filter(|class| meet(class)).partition(|class| has(class));
            for class in own.iter().filter(|_| !names.is_empty()) {
                bar(&mut self.out.extra[*class], NAME, names.clone());
            }
            self.tell_of_homes(&own, NAME, &names, PORTS);
            // Who listens at one address and who listens at all of them meet; two that listen at
            // different ones do not.
            let own = self.tasks(&own);
            if own.len() > 1 {
                self.keep_apart((&format!("host port {port}"), PORTS), "node", &own);
            }
            if port.address != EVERYWHERE {
                continue;
            }
            for other in self.tasks(&also) {
                let mut both = own.clone();
                both.push(other);
                both.sort_unstable();
                self.keep_apart((&format!("host port {port}"), PORTS), "node", &both);
            }
        }
    }
}
