//! What queues and quotas let in, as limits on the pods that wait for it.

use std::collections::BTreeMap;

use super::affinity::{narrow, with};
use super::cluster::Cluster;
use super::pods::Pod;
use super::queues::{ClusterQueue, QUEUE, Queues};
use super::quotas::{limit, resource};
use super::requests::{Amounts, add};
use model::{Ask, Direction, RuleDraft, Selection, Whom};

/// Most queues of a cohort whose shares are looked at in every combination.
const MOST_QUEUES: usize = 6;

/// Pods of one cluster queue that wait to be admitted.
struct Waiting<'a> {
    name: &'a str,
    queue: &'a ClusterQueue,
    pods: Vec<usize>,
}

impl Cluster {
    /// Quotas of queues as limits; pods that wait for a flavour's nodes ask for its labels.
    pub(super) fn queued(&mut self) -> Vec<RuleDraft> {
        let mut told: Vec<(Direction, usize, String)> = Vec::new();
        let queues = std::mem::take(&mut self.queues);
        let mut by_queue: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (k, pod) in self.waiting.iter().enumerate() {
            let Some(name) = &pod.queue else { continue };
            match queues.local.get(name) {
                Some(queue) => by_queue.entry(queue).or_default().push(k),
                None => {
                    let what = format!(
                        "the queue `{name}` is not there, its quota is not planned with: add kubectl get localqueues,clusterqueues,resourceflavors -A"
                    );
                    told.push((Direction::Wider, k, what));
                }
            }
        }
        let mut waiting = Vec::new();
        for (name, pods) in by_queue {
            match queues.cluster.get(name) {
                Some(queue) => waiting.push(Waiting { name, queue, pods }),
                None => {
                    let what = format!(
                        "the cluster queue `{name}` is not there, its quota is not planned with: add kubectl get clusterqueues"
                    );
                    told.push((Direction::Wider, pods[0], what));
                }
            }
        }
        let mut rules = Vec::new();
        for one in &waiting {
            if !queues.nested.is_empty() && one.queue.cohort.is_some() {
                let what = "cohorts within cohorts are read as if each stood alone".to_owned();
                told.push((Direction::Either, one.pods[0], what));
            }
            if let (None, Some(_)) = (&one.queue.used, self.admitted(&queues, one.name)) {
                let what =
                    "the queue has no status: what runs is taken to be all that it has admitted";
                told.push((Direction::Either, one.pods[0], what.to_owned()));
            }
            let uses = |queue: &ClusterQueue| {
                queue
                    .used
                    .iter()
                    .flat_map(BTreeMap::values)
                    .flat_map(|all| all.values())
                    .any(|n| *n > 0)
            };
            let cohort = |other: &&ClusterQueue| {
                std::ptr::eq(*other, one.queue)
                    || (other.cohort.is_some() && other.cohort == one.queue.cohort)
            };
            if one.queue.preempts && queues.cluster.values().filter(cohort).any(uses) {
                let what = "the queue may preempt what is admitted: that is not planned with";
                told.push((Direction::Narrower, one.pods[0], what.to_owned()));
            }
            self.own_quotas(&queues, one, &mut rules, &mut told);
        }
        self.cohorts(&queues, &waiting, &mut rules);
        for (errs, k, what) in told {
            let place = self.show(self.waiting[k].place, &self.waiting[k].id);
            self.warnings.assume(errs, &place, &format!("metadata.labels.{QUEUE}"), &what);
        }
        rules
    }

    /// What runs of the queue, in all; `None` where nothing does.
    fn admitted(&self, queues: &Queues, name: &str) -> Option<Amounts> {
        let mut sum = Amounts::new();
        let mut any = false;
        for pod in &self.running {
            let queue = pod.queue.as_ref().and_then(|queue| queues.local.get(queue));
            if queue.is_some_and(|queue| queue == name) {
                add(&mut sum, &self.needs[pod.needs]);
                *sum.entry("pods".to_owned()).or_insert(0) += 1;
                any = true;
            }
        }
        any.then_some(sum)
    }

    /// What the queue uses of a resource in a flavour.
    fn taken(&self, queues: &Queues, name: &str, flavor: &str, resource: &str) -> i64 {
        let Some(queue) = queues.cluster.get(name) else { return 0 };
        match queue.used {
            Some(_) => queue.used(flavor, resource),
            None => self
                .admitted(queues, name)
                .map_or(0, |runs| runs.get(resource).copied().unwrap_or(0)),
        }
    }

    /// The label that tells the flavours of a queue apart, and the value of one.
    fn label<'q>(&self, queues: &'q Queues, queue: &ClusterQueue) -> Option<&'q str> {
        let mut flavors = queue.flavors();
        let first = queues.flavors.get(flavors.next()?)?;
        let all: Vec<&BTreeMap<String, String>> =
            queue.flavors().filter_map(|name| queues.flavors.get(name)).collect();
        let differs = |key: &&String| {
            let mut values: Vec<Option<&String>> = all.iter().map(|one| one.get(*key)).collect();
            let many = values.len();
            values.sort();
            values.dedup();
            values.len() == many && !values.contains(&None)
        };
        first.keys().find(differs).map(String::as_str).filter(|_| all.len() > 1)
    }

    fn own_quotas(
        &mut self,
        queues: &Queues,
        one: &Waiting,
        rules: &mut Vec<RuleDraft>,
        told: &mut Vec<(Direction, usize, String)>,
    ) {
        let Waiting { name, queue, pods } = one;
        let ids = self.ids_of(pods);
        if queue.held {
            rules.push(limit(&format!("{name} is on hold"), "tasks", "", None, 0, ids));
            return;
        }
        let mut flavors: Vec<&str> = queue.flavors().collect();
        flavors.sort_unstable();
        flavors.dedup();
        let key = self.label(queues, queue);
        if flavors.len() > 1 && key.is_none() {
            let what = format!(
                "no one label tells the flavours of `{name}` apart: their quotas are added up"
            );
            told.push((Direction::Wider, pods[0], what));
        }
        self.confine(queues, &flavors, key, pods);
        if let Some(key) = key {
            self.one_flavor(key, pods, rules);
        }
        let mut resources: Vec<&String> = queue.groups.iter().flat_map(|(r, _)| r).collect();
        resources.sort();
        resources.dedup();
        let needed: Vec<String> = self.resources_of(pods);
        for resource in &needed {
            if !resources.contains(&resource) {
                let name = format!("{name} has no quota for {resource}");
                rules.push(limit(&name, resource, "", None, 0, ids.clone()));
            }
        }
        for resource in resources {
            let counts_tasks = resource == "pods";
            if !counts_tasks && !needed.contains(resource) {
                continue;
            }
            let most = |flavor: &str| -> i64 {
                let Some(quota) = queue.quota(flavor, resource) else { return 0 };
                let more = match (&queue.cohort, quota.borrowing) {
                    (None, _) => 0,
                    (Some(_), Some(most)) => most,
                    (Some(_), None) => return i64::MAX,
                };
                let taken = self.taken(queues, name, flavor, resource);
                quota.nominal.saturating_add(more).saturating_sub(taken).max(0)
            };
            let what = if counts_tasks { "tasks" } else { resource };
            let called = format!("quota of {name} for {resource}");
            match key {
                Some(key) => {
                    for flavor in &flavors {
                        let most = most(flavor);
                        let Some(value) = queues.flavors.get(*flavor).and_then(|l| l.get(key))
                        else {
                            continue;
                        };
                        if most < i64::MAX {
                            let called = format!("{called} in {flavor}");
                            let at = Some(value.clone());
                            rules.push(limit(&called, what, key, at, most, ids.clone()));
                        }
                    }
                }
                None => {
                    let sum = flavors.iter().fold(0i64, |sum, f| sum.saturating_add(most(f)));
                    if sum < i64::MAX {
                        rules.push(limit(&called, what, "", None, sum, ids.clone()));
                    }
                }
            }
        }
    }

    /// Pods of a queue run on nodes of its flavours.
    fn confine(&mut self, queues: &Queues, flavors: &[&str], key: Option<&str>, pods: &[usize]) {
        let all: Vec<&BTreeMap<String, String>> =
            flavors.iter().filter_map(|name| queues.flavors.get(*name)).collect();
        let mut asked = Selection::default();
        match (key, &all[..]) {
            (Some(key), all) => {
                let values = all.iter().filter_map(|labels| labels.get(key).cloned());
                narrow(&mut asked, key, values.collect());
            }
            (None, [only]) => {
                for (key, value) in *only {
                    narrow(&mut asked, key, vec![value.clone()]);
                }
            }
            (None, _) => {}
        }
        if asked == Selection::default() {
            return;
        }
        for k in pods {
            self.ask_too(*k, &asked);
            let own = with(&self.requirements[self.waiting[*k].own], &asked);
            self.waiting[*k].own = self.requirement_at.number(&mut self.requirements, own);
        }
    }

    /// The waiting pod asks this of its node too.
    pub(super) fn ask_too(&mut self, k: usize, more: &Selection) {
        let all = with(&self.requirements[self.waiting[k].requirement], more);
        self.waiting[k].requirement = self.requirement_at.number(&mut self.requirements, all);
    }

    /// All pods of one template get one flavour.
    fn one_flavor(&self, key: &str, pods: &[usize], rules: &mut Vec<RuleDraft>) {
        let mut sets: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for k in pods {
            let pod = &self.waiting[*k];
            let set = (pod.place.within(), pod.template.clone().unwrap_or_default());
            sets.entry((format!("{} {}", pod.place.file, set.0), set.1)).or_default().push(*k);
        }
        for set in sets.values().filter(|set| set.len() > 1) {
            let ids = self.ids_of(set);
            let name = format!("one flavour for {}", ids[0]);
            rules.push(RuleDraft::new(name, Ask::Together, key, Whom::Tasks(ids)));
        }
    }

    /// Queues of a cohort use what the others do not, as far as those lend it.
    fn cohorts(&self, queues: &Queues, waiting: &[Waiting], rules: &mut Vec<RuleDraft>) {
        let mut cohorts: Vec<&String> =
            waiting.iter().filter_map(|one| one.queue.cohort.as_ref()).collect();
        cohorts.sort();
        cohorts.dedup();
        for cohort in cohorts {
            let of = |queue: &ClusterQueue| queue.cohort.as_ref() == Some(cohort);
            let members: Vec<(&String, &ClusterQueue)> =
                queues.cluster.iter().filter(|(_, queue)| of(queue)).collect();
            let mine: Vec<&Waiting> =
                waiting.iter().filter(|one| of(one.queue) && !one.queue.held).collect();
            let mut flavors: Vec<&str> = mine.iter().flat_map(|one| one.queue.flavors()).collect();
            flavors.sort_unstable();
            flavors.dedup();
            for flavor in flavors {
                self.cohort(queues, cohort, flavor, &members, &mine, rules);
            }
        }
    }

    /// For a cohort and a flavour: what queues use beyond what they keep for themselves comes out
    /// of what all of them lend. That is a limit for every set of queues: together they use at most
    /// the pool and what they keep.
    fn cohort(
        &self,
        queues: &Queues,
        cohort: &str,
        flavor: &str,
        members: &[(&String, &ClusterQueue)],
        mine: &[&Waiting],
        rules: &mut Vec<RuleDraft>,
    ) {
        let pods: Vec<usize> = mine.iter().flat_map(|one| one.pods.iter().copied()).collect();
        for resource in self.resources_of(&pods) {
            let quota = |queue: &ClusterQueue| queue.quota(flavor, &resource);
            let mut pool = 0i64;
            for (name, queue) in members {
                let Some(quota) = quota(queue) else { continue };
                pool = pool.saturating_add(quota.nominal - quota.guaranteed());
                if !mine.iter().any(|one| one.name == name.as_str()) {
                    let taken = self.taken(queues, name, flavor, &resource);
                    pool = pool.saturating_sub((taken - quota.guaranteed()).max(0));
                }
            }
            let those: Vec<&&Waiting> =
                mine.iter().filter(|one| quota(one.queue).is_some()).collect();
            let keeps = |one: &Waiting| quota(one.queue).map_or(0, |quota| quota.guaranteed());
            let all = (1usize << those.len().min(MOST_QUEUES)) - 1;
            for set in 1..=all {
                let chosen: Vec<&&&Waiting> = if those.len() > MOST_QUEUES {
                    those.iter().collect()
                } else {
                    those
                        .iter()
                        .enumerate()
                        .filter(|(k, _)| set >> k & 1 == 1)
                        .map(|o| o.1)
                        .collect()
                };
                // Without anything kept the set of all says it all.
                let needless =
                    chosen.len() < those.len() && those.iter().all(|one| keeps(one) == 0);
                if needless || those.len() > MOST_QUEUES && set > 1 {
                    continue;
                }
                let mut most = pool;
                let mut pods = Vec::new();
                for one in &chosen {
                    let taken = self.taken(queues, one.name, flavor, &resource);
                    most = most.saturating_add(keeps(one)).saturating_sub(taken);
                    pods.extend(one.pods.iter().copied());
                }
                for one in those.iter().filter(|one| !chosen.iter().any(|c| c.name == one.name)) {
                    let taken = self.taken(queues, one.name, flavor, &resource);
                    most = most.saturating_sub((taken - keeps(one)).max(0));
                }
                let key = chosen.first().and_then(|one| self.label(queues, one.queue));
                let value = key.and_then(|key| queues.flavors.get(flavor)?.get(key).cloned());
                let names: Vec<&str> = chosen.iter().map(|one| one.name).collect();
                let called = match key {
                    Some(_) => format!("cohort {cohort} for {resource} in {flavor}"),
                    None => format!("cohort {cohort} for {resource}"),
                };
                let called = match names.len() == those.len() {
                    true => called,
                    false => format!("{called}: {}", names.join(", ")),
                };
                let over = key.unwrap_or_default();
                rules.push(limit(&called, &resource, over, value, most.max(0), self.ids_of(&pods)));
            }
        }
    }

    /// What these pods need any of.
    fn resources_of(&self, pods: &[usize]) -> Vec<String> {
        let needs = pods.iter().flat_map(|k| self.needs[self.waiting[*k].needs].keys());
        let mut names: Vec<String> = needs.cloned().collect();
        names.sort();
        names.dedup();
        names
    }

    pub(super) fn ids_of(&self, pods: &[usize]) -> Vec<String> {
        pods.iter().map(|k| self.waiting[*k].id.clone()).collect()
    }

    /// Quotas of namespaces as limits on the pods that are yet to be made; what is made already is
    /// part of what is used.
    pub(super) fn bounded(&self) -> Vec<RuleDraft> {
        let mut rules = Vec::new();
        for quota in &self.quotas.quotas {
            let counts = |pod: &&Pod| {
                let class = pod.priority_class.as_ref();
                pod.template.is_some()
                    && pod.id.split_once('/').is_some_and(|(space, _)| space == quota.namespace)
                    && quota
                        .classes
                        .as_ref()
                        .is_none_or(|list| class.is_some_and(|c| list.contains(c)))
            };
            let pods: Vec<&Pod> = self.waiting.iter().filter(counts).collect();
            if pods.is_empty() {
                continue;
            }
            for (key, most) in &quota.left {
                let Some(resource) = resource(key) else { continue };
                let needs = |pod: &&Pod| self.needs[pod.needs].contains_key(resource);
                if resource != "tasks" && !pods.iter().any(needs) {
                    continue;
                }
                let name = format!("quota {}/{} for {key}", quota.namespace, quota.name);
                let ids = pods.iter().map(|pod| pod.id.clone()).collect();
                rules.push(limit(&name, resource, "", None, *most, ids));
            }
        }
        rules
    }
}
