//! Claims of devices as demands of pods, and the devices as resources of nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::{NAME, bar, one_of};
use super::claims::{Claim, Claims, Id, Request};
use super::cluster::Cluster;
use super::pods::Pod;
use model::{Ask, Direction, RuleDraft, Selection, Whom};

/// Most sets of devices that are counted.
const MOST_SETS: usize = 64;

/// Position of the set of which any will do, and how many are asked for: `None` for all of a node.
type Asked = (usize, Option<i64>);

/// What came of a request: its set, unless several nodes reach its devices; devices at which the
/// scheduler stops with an error; what was told.
type Answer = (Option<usize>, Vec<usize>, Vec<(Direction, String)>);

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
            let tell = &mut |errs, what| told.push((errs, what));
            let (devices, silent) = claims.selected(request, tell);
            if devices.iter().any(|device| claims.devices[*device].node.is_none()) {
                let what = "devices that several nodes reach are not planned with";
                told.push((Direction::Wider, what.to_owned()));
                return (None, silent, told);
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
            (Some(at), silent, told)
        })
    }

    /// Adds what sets are together that overlap in part: requests can be met together where of
    /// every union there are as many as are asked for within it (Hall's theorem). False where that
    /// are too many.
    fn unite(&mut self) -> bool {
        let mut k = 1;
        while k < self.list.len() {
            for other in 0..k {
                if !crosses(&self.list[other], &self.list[k]) {
                    continue;
                }
                let devices = &self.list[other].devices | &self.list[k].devices;
                if self.list.iter().any(|set| set.devices == devices) {
                    continue;
                }
                if self.list.len() >= MOST_SETS {
                    return false;
                }
                let name = format!("{} or {}", self.list[other].name, self.list[k].name);
                self.list.push(Set { name, devices });
            }
            k += 1;
        }
        true
    }
}

/// A request, the devices that will do and those at which the scheduler stops with an error.
struct Wish {
    set: Option<usize>,
    silent: Vec<usize>,
    request: Request,
}

/// Most devices that are tried for a pod on a host.
const MOST_STEPS: usize = 10_000;

/// The scheduler's own search for devices on a host: requests in order, for each unit the first
/// device that will do, back where that leads nowhere.
struct Search<'a> {
    sets: &'a [Set],
    wishes: &'a [Wish],
    /// Those of the host.
    there: &'a [usize],
    /// Those of them that are free.
    devices: &'a [usize],
    steps: usize,
}

impl Search<'_> {
    /// Whether devices are found from this unit of this request on.
    ///
    /// # Errors
    /// It meets a device that does not say what a condition asks about.
    fn units(&mut self, wish: usize, unit: i64, used: &mut Vec<usize>) -> Result<bool, ()> {
        let Some(own) = self.wishes.get(wish) else { return Ok(true) };
        if own.request.all && own.silent.iter().any(|device| self.there.contains(device)) {
            return Err(());
        }
        if own.request.all {
            let before = used.len();
            let set = own.set.map(|set| &self.sets[set].devices);
            used.extend(self.there.iter().filter(|device| set.is_some_and(|s| s.contains(device))));
            let found = self.units(wish + 1, 0, used)?;
            used.truncate(before);
            return Ok(found);
        }
        if unit == own.request.count {
            return self.units(wish + 1, 0, used);
        }
        for device in self.devices {
            self.steps += 1;
            if used.contains(device) || self.steps > MOST_STEPS {
                continue;
            }
            if own.silent.contains(device) {
                return Err(());
            }
            if own.set.is_some_and(|set| self.sets[set].devices.contains(device)) {
                used.push(*device);
                if self.units(wish, unit + 1, used)? {
                    return Ok(true);
                }
                used.pop();
            }
        }
        Ok(false)
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
        let mut stops: Vec<(usize, Vec<Wish>)> = Vec::new();
        let mut asked: Vec<(usize, Vec<Asked>)> = Vec::new();
        let mut shared: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for k in 0..self.waiting.len() {
            let mut wishes: Vec<Wish> = Vec::new();
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
                    let (set, silent, says) = sets.answer(&claims, request);
                    wishes.push(Wish {
                        set: *set,
                        silent: silent.clone(),
                        request: request.clone(),
                    });
                    told.extend(says.iter().map(|(errs, what)| (*errs, k, what.clone())));
                    own.extend(set.map(|set| (set, (!request.all).then_some(request.count))));
                }
                asked.push((k, own));
            }
            if wishes.iter().any(|wish| !wish.silent.is_empty()) {
                stops.push((k, wishes));
            }
        }
        if !sets.unite()
            && let Some((k, _)) = asked.first()
        {
            let what = "claims select too many sets of devices that overlap in part: each is counted by itself";
            told.push((Direction::Wider, *k, what.to_owned()));
        }
        let sets = sets.list;
        let crossed = |k: usize| sets[..k].iter().any(|other| crosses(&sets[k], other));
        if let (true, Some((k, _))) =
            (asked.len() > 1 && (0..sets.len()).any(crossed), asked.first())
        {
            let what = "which of the devices that will do a claim gets is for the scheduler to say: it may take those that others need";
            told.push((Direction::Wider, *k, what.to_owned()));
        }
        let taken: BTreeSet<&Id> = claims.claims.values().flat_map(|c| &c.allocated).collect();
        let names: Vec<String> = self.hosts.iter().map(|host| host.name.clone()).collect();
        let at: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(k, name)| (name.as_str(), k)).collect();
        // By set and host: devices that are there, and those that are free.
        let count = |set: &Set| {
            let mut counts = vec![(0, 0); names.len()];
            for placed in set.devices.iter().map(|k| &claims.devices[*k]) {
                let host = placed.node.as_deref().and_then(|node| at.get(node));
                if let Some(host) = host {
                    counts[*host].0 += 1;
                    counts[*host].1 += i64::from(!taken.contains(&placed.id));
                }
            }
            counts
        };
        let counts: Vec<Vec<(i64, i64)>> = sets.iter().map(count).collect();
        for (k, own) in asked {
            let mut needs = self.needs[self.waiting[k].needs].clone();
            let whole: Vec<usize> =
                own.iter().filter(|(_, count)| count.is_none()).map(|(set, _)| *set).collect();
            let open = |host: &usize| {
                let full = |(all, free): (i64, i64)| all > 0 && all == free;
                whole.iter().all(|set| full(counts[*set][*host]))
            };
            let hosts: Vec<usize> = (0..names.len()).filter(open).collect();
            for larger in &sets {
                // What takes one of a set takes one of every larger set too.
                let within = |set: usize| sets[set].devices.is_subset(&larger.devices);
                let fixed = own.iter().filter(|(set, _)| within(*set));
                let fixed = fixed.filter_map(|(_, count)| *count).fold(0, i64::saturating_add);
                if fixed > 0 {
                    let need = needs.entry(larger.name.clone()).or_insert(0);
                    *need = need.saturating_add(fixed);
                }
                let parts: Vec<usize> = whole.iter().copied().filter(|set| within(*set)).collect();
                for host in hosts.iter().filter(|_| !parts.is_empty()) {
                    let more: i64 = parts.iter().map(|set| counts[*set][*host].0).sum();
                    let amount = fixed.saturating_add(more);
                    self.there.push((k, *host, larger.name.clone(), amount));
                }
            }
            if !whole.is_empty() {
                let here = hosts.iter().map(|host| names[*host].clone()).collect();
                self.stay_on(here, k);
            }
            self.waiting[k].needs = self.needs_at.number(&mut self.needs, needs);
        }
        for (set, counts) in sets.iter().zip(&counts) {
            for (host, (_, free)) in self.hosts.iter_mut().zip(counts) {
                host.allocatable.insert(set.name.clone(), *free);
            }
        }
        let mut there: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for (device, placed) in claims.devices.iter().enumerate() {
            if let Some(host) = &placed.node {
                let (all, free) = there.entry(host).or_default();
                all.push(device);
                free.extend((!taken.contains(&placed.id)).then_some(device));
            }
        }
        for (k, wishes) in stops {
            let stops = |(all, free): &(Vec<usize>, Vec<usize>)| {
                let (sets, wishes) = (&sets[..], &wishes[..]);
                let mut search = Search { sets, wishes, there: all, devices: free, steps: 0 };
                search.units(0, 0, &mut Vec::new()).is_err()
            };
            let hosts = there.iter().filter(|(_, devices)| stops(devices));
            let hosts: Vec<String> = hosts.map(|(host, _)| (*host).to_owned()).collect();
            if !hosts.is_empty() {
                let place = self.show(self.waiting[k].place, &self.waiting[k].id);
                let what = "a condition asks for what some devices do not say: where the scheduler meets one it stops with an error";
                self.warnings.add(&place, "spec.resourceClaims", what);
                let mut elsewhere = Selection::default();
                bar(&mut elsewhere, NAME, hosts);
                self.ask_too(k, &elsewhere);
            }
        }
        for (errs, k, what) in told {
            let place = self.show(self.waiting[k].place, &self.waiting[k].id);
            self.warnings.assume(errs, &place, "spec.resourceClaims", &what);
        }
        let several = shared.into_iter().filter(|(_, pods)| pods.len() > 1);
        let mut rules = Vec::new();
        for (claim, pods) in several {
            let name = format!("pods of {claim}");
            if claims.claims.get(&claim).is_some_and(|claim| !claim.allocated.is_empty()) {
                continue; // all of them run where the devices are
            }
            // The devices are counted with the first pod, which the others come to.
            let (first, others) = (&self.waiting[pods[0]], &pods[1..]);
            let alike = |k: &usize| {
                let other = &self.waiting[*k];
                let needs = |pod: &Pod| -> Vec<(&String, &i64)> {
                    let all = self.needs[pod.needs].iter();
                    all.filter(|(name, _)| !sets.iter().any(|set| set.name == **name)).collect()
                };
                (other.own, other.class, other.priority, &other.priority_class)
                    == (first.own, first.class, first.priority, &first.priority_class)
                    && needs(other) == needs(first)
            };
            if !others.iter().all(alike) {
                let place = self.show(first.place, &first.id);
                let what = "pods that share a claim are planned to come after the first of them";
                self.warnings.assume(Direction::Narrower, &place, "spec.resourceClaims", what);
            }
            let whom = Whom::Tasks(self.ids_of(others));
            let ask = Ask::Near { others: Vec::new() };
            let near = Some(Whom::Tasks(self.ids_of(&pods[..1])));
            rules.push(RuleDraft { near, ..RuleDraft::new(name, ask, "node", whom) });
        }
        rules
    }

    /// A claim has its devices: the pod runs where they are.
    fn stay_with(&mut self, claims: &Claims, claim: &Claim, k: usize) {
        let placed = claims.devices.iter().filter(|placed| claim.allocated.contains(&placed.id));
        let nodes: BTreeSet<&String> = placed.filter_map(|placed| placed.node.as_ref()).collect();
        if !nodes.is_empty() {
            self.stay_on(nodes.into_iter().cloned().collect(), k);
        }
    }

    /// The pod runs on one of these nodes.
    fn stay_on(&mut self, names: Vec<String>, k: usize) {
        self.ask_too(k, &one_of(names));
    }
}

/// Neither holds the other, and they have something in common.
fn crosses(a: &Set, b: &Set) -> bool {
    !a.devices.is_disjoint(&b.devices)
        && !a.devices.is_subset(&b.devices)
        && !b.devices.is_subset(&a.devices)
}
