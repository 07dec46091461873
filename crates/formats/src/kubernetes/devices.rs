//! Claims of devices as demands of pods, and the devices as resources of nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::NAME;
use super::claims::{Claim, Claims, Id, Request};
use super::cluster::Cluster;
use model::{Ask, Direction, RuleDraft, Selection, Whom};

/// Position of the set of which any will do, and how many are asked for.
type Asked = (usize, i64);

/// What came of a request: its set, unless several nodes reach its devices, and what was told.
type Answer = (Option<usize>, Vec<(Direction, String)>);

/// What claims have asked for so far.
#[derive(Default)]
struct Sets {
    list: Vec<Set>,
    /// By class and further conditions.
    answers: BTreeMap<(String, Vec<String>), Answer>,
}

impl Sets {
    /// The devices that a request selects.
    fn answer(&mut self, claims: &Claims, request: &Request) -> &Answer {
        let key = (request.class.clone(), request.conditions.clone());
        let Sets { list, answers } = self;
        answers.entry(key).or_insert_with(|| {
            let mut told = Vec::new();
            let devices = claims.selected(request, &mut |errs, what| told.push((errs, what)));
            if devices.iter().any(|device| claims.devices[*device].node.is_none()) {
                let what = "devices that several nodes reach are not planned with";
                told.push((Direction::Wider, what.to_owned()));
                return (None, told);
            }
            let known = list.iter().position(|set| set.devices == devices);
            let at = known.unwrap_or_else(|| {
                let same = list.iter().filter(|set| set.name.starts_with(&request.class));
                let name = match same.count() {
                    0 => format!("{} (claims)", request.class),
                    more => format!("{} (claims {})", request.class, more + 1),
                };
                list.push(Set { name, devices });
                list.len() - 1
            });
            (Some(at), told)
        })
    }
}

/// A set of devices and what it is called among the nodes' resources.
struct Set {
    name: String,
    devices: BTreeSet<usize>,
}

impl Cluster {
    /// Claims as demands for devices; pods that share a claim run together, those whose claim has
    /// its devices where these are.
    pub(super) fn claim_devices(&mut self) -> Vec<RuleDraft> {
        let mut claims = std::mem::take(&mut self.claims);
        claims.newest();
        let mut told: Vec<(Direction, usize, String)> = Vec::new();
        let mut sets = Sets::default();
        let mut asked: Vec<(usize, Vec<Asked>)> = Vec::new();
        let mut shared: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for k in 0..self.waiting.len() {
            for (name, of_template) in self.waiting[k].devices.clone() {
                let known = if of_template { &claims.templates } else { &claims.claims };
                let Some(claim) = known.get(&name).cloned() else {
                    let what = format!(
                        "the claim `{name}` is not there, its devices are not planned with: add kubectl get resourceclaims,resourceclaimtemplates,resourceslices,deviceclasses -A"
                    );
                    told.push((Direction::Wider, k, what));
                    continue;
                };
                told.extend(claim.told.iter().map(|(errs, what)| (*errs, k, (*what).to_owned())));
                let first = of_template || !shared.contains_key(&name);
                if !of_template {
                    shared.entry(name.clone()).or_default().push(k);
                }
                if !claim.allocated.is_empty() {
                    self.stay_with(&claims, &claim, k);
                    continue;
                }
                let mut own = Vec::new();
                for request in claim.requests.iter().filter(|_| first) {
                    let (set, says) = sets.answer(&claims, request);
                    told.extend(says.iter().map(|(errs, what)| (*errs, k, what.clone())));
                    own.extend(set.map(|set| (set, request.count)));
                }
                asked.push((k, own));
            }
        }
        let sets = sets.list;
        if sets.iter().enumerate().any(|(k, set)| sets[..k].iter().any(|other| crosses(set, other)))
            && let Some((k, _)) = asked.first()
        {
            let what =
                "claims select sets of devices that overlap in part: each is counted by itself";
            told.push((Direction::Wider, *k, what.to_owned()));
        }
        for (k, own) in asked {
            let mut needs = self.needs[self.waiting[k].needs].clone();
            for (set, count) in own {
                // What takes one of a set takes one of every larger set too.
                let within = |larger: &&Set| sets[set].devices.is_subset(&larger.devices);
                for set in sets.iter().filter(within) {
                    *needs.entry(set.name.clone()).or_insert(0) += count;
                }
            }
            self.waiting[k].needs = self.needs_at.number(&mut self.needs, needs);
        }
        let taken: BTreeSet<&Id> = claims.claims.values().flat_map(|c| &c.allocated).collect();
        for set in &sets {
            let own = set.devices.iter().map(|k| &claims.devices[*k]);
            let mut free: BTreeMap<&str, i64> = BTreeMap::new();
            for placed in own.filter(|placed| !taken.contains(&placed.id)) {
                *free.entry(placed.node.as_deref().unwrap_or_default()).or_insert(0) += 1;
            }
            for host in &mut self.hosts {
                let free = free.get(host.name.as_str()).copied().unwrap_or(0);
                host.allocatable.insert(set.name.clone(), free);
            }
        }
        for (errs, k, what) in told {
            let place = self.show(self.waiting[k].place, &self.waiting[k].id);
            self.warnings.assume(errs, &place, "spec.resourceClaims", &what);
        }
        let several = shared.into_iter().filter(|(_, pods)| pods.len() > 1);
        let rule = |(claim, pods): (String, Vec<usize>)| {
            let ids = self.ids_of(&pods);
            RuleDraft::new(format!("pods of {claim}"), Ask::Together, "node", Whom::Tasks(ids))
        };
        several.map(rule).collect()
    }

    /// A claim has its devices: the pod runs where they are.
    fn stay_with(&mut self, claims: &Claims, claim: &Claim, k: usize) {
        let placed = claims.devices.iter().filter(|placed| claim.allocated.contains(&placed.id));
        let nodes: BTreeSet<&String> = placed.filter_map(|placed| placed.node.as_ref()).collect();
        if nodes.is_empty() {
            return;
        }
        let values = nodes.into_iter().cloned().collect();
        let here = Selection { any_of: vec![(NAME.to_owned(), values)], ..Selection::default() };
        self.ask_too(k, &here);
    }
}

/// Neither holds the other, and they have something in common.
fn crosses(a: &Set, b: &Set) -> bool {
    !a.devices.is_disjoint(&b.devices)
        && !a.devices.is_subset(&b.devices)
        && !b.devices.is_subset(&a.devices)
}
