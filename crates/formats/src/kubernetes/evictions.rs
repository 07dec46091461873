//! Running pods that may move: which of them stay all the same, and how many may be away at once.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use rustc_hash::FxHashMap;

use super::super::Running;
use super::super::source::Text;
use super::affinity::NAME;
use super::cluster::Cluster;
use super::disruption::Budget;
use super::nodes::Host;
use super::objects::Object;
use super::pods::Pod;
use super::quotas::limit;
use super::requests::{Amounts, add};
use super::workloads::Workload;
use base::error::Result;
use model::{ANY, Direction, MOVED, Requirement, RuleDraft, Toleration};

impl Cluster {
    /// Budgets matter to what runs only.
    pub(super) fn budget(&mut self, source: Text, object: &Object, place: &str) -> Result<()> {
        if matches!(self.mode, Running::Load) {
            return Ok(());
        }
        let (budget, _) = object.typed::<PodDisruptionBudget>(source)?;
        match Budget::of(budget, object.place) {
            Ok(budget) => self.budgets.push(budget),
            Err(what) => {
                self.warnings.assume(Direction::Wider, place, "spec.selector", &what);
            }
        }
        Ok(())
    }

    /// Pods whose node has changed since they came stay on it, where it would not take them again:
    /// they are load there, unless their node is to be emptied.
    pub(super) fn settle(&mut self, emptied: &[&str]) {
        let named = |host: &Host| {
            emptied.iter().any(|name| {
                let of_label = |(key, value): &(String, String)| {
                    name.split_once('=')
                        .is_some_and(|(k, v)| (k, v) == (key.as_str(), value.as_str()))
                };
                *name == host.name || host.labels.iter().any(of_label)
            })
        };
        let staying = self.hosts.iter().filter(|host| !named(host));
        let homes: FxHashMap<&str, &Host> =
            staying.map(|host| (host.name.as_str(), host)).collect();
        let settled = |pod: &Pod| {
            let home = pod.node.as_deref().and_then(|node| homes.get(node));
            let asked = &self.requirements[pod.requirement];
            let terms = &self.classes[pod.class].terms;
            let keys = terms.spread.iter().map(|spread| &spread.term.over);
            let mut keys = keys.chain(terms.near.iter().map(|term| &term.over));
            home.is_some_and(|host| {
                !host.is_selected_by(asked)
                    || !host.lets_in(asked)
                    || keys.any(|key| host.label(key).is_none())
            })
        };
        let settled: Vec<bool> = self.waiting.iter().map(settled).collect();
        if self.mode != Running::Evictable {
            let emptied: Vec<String> = self
                .hosts
                .iter()
                .filter(|host| named(host))
                .map(|host| host.name.clone())
                .collect();
            self.stay(&settled);
            self.leave_crowded(&emptied, Direction::Either, "moves");
            return;
        }
        // What may be evicted and does not move needs its own node to take it, as it did.
        for k in (0..settled.len()).filter(|k| settled[*k]) {
            let at = self.waiting[k].node.clone().unwrap_or_default();
            let any = Toleration { key: ANY.to_owned(), value: None, effect: None };
            let home = Requirement {
                any_of: vec![(NAME.to_owned(), vec![at])],
                tolerations: vec![any],
                ..Requirement::default()
            };
            let home = self.requirement_at.number(&mut self.requirements, home);
            (self.waiting[k].requirement, self.waiting[k].own) = (home, home);
        }
        self.leave_crowded(&[], Direction::Narrower, "is evicted");
    }

    /// Pods of hosts that cannot give what they ask for are load, as it is: the scheduler leaves
    /// them alone, and a plan would have to part them.
    fn leave_crowded(&mut self, emptied: &[String], errs: Direction, what: &str) {
        let crowded = self.crowded();
        let asked = |node: &String| crowded.contains(node) && !emptied.contains(node);
        let at = |pod: &Pod| pod.node.as_ref().is_some_and(asked);
        let stays: Vec<bool> = self.waiting.iter().map(at).collect();
        let told: BTreeSet<&String> =
            self.waiting.iter().filter(|pod| at(pod)).filter_map(|pod| pod.node.as_ref()).collect();
        for host in told {
            let what = format!(
                "the pods that run there ask for more than the node can give: none of them {what}"
            );
            self.warnings.assume(errs, host, "", &what);
        }
        self.stay(&stays);
    }

    /// Those of the tasks are load.
    fn stay(&mut self, which: &[bool]) {
        let mut stays = which.iter();
        let (settled, waiting): (Vec<Pod>, Vec<Pod>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|_| stays.next() == Some(&true));
        self.waiting = waiting;
        self.running.extend(settled);
    }

    /// Hosts whose pods ask for more than they can give.
    fn crowded(&self) -> BTreeSet<String> {
        let mut loads: FxHashMap<&str, (Amounts, i64)> = FxHashMap::default();
        for pod in self.running.iter().chain(&self.waiting) {
            if let Some(node) = &pod.node {
                let (load, pods) = loads.entry(node).or_default();
                add(load, &self.needs[pod.needs]);
                *pods += 1;
            }
        }
        let full = |host: &&Host| {
            loads.get(host.name.as_str()).is_some_and(|(load, pods)| {
                let most = |name: &String| host.allocatable.get(name).copied().unwrap_or(0);
                load.iter().any(|(name, amount)| *amount > most(name))
                    || host.pods.is_some_and(|most| *pods > most)
            })
        };
        self.hosts.iter().filter(full).map(|host| host.name.clone()).collect()
    }

    /// Budgets and all else that keeps pods from moving, as limits on moves.
    pub(super) fn disruptions(&mut self, workloads: &[Workload]) -> Vec<RuleDraft> {
        let mut rules = Vec::new();
        let mut under: Vec<u32> = vec![0; self.waiting.len()];
        let budgets = std::mem::take(&mut self.budgets);
        // Pods that may move, and how many do not, by class; classes by namespace.
        let mut movable: Vec<Vec<usize>> = vec![Vec::new(); self.classes.len()];
        self.waiting.iter().enumerate().for_each(|(k, pod)| movable[pod.class].push(k));
        let mut fixed_of: Vec<usize> = vec![0; self.classes.len()];
        // What is being deleted has been replaced, or is not to be.
        let stays = self.running.iter().filter(|pod| !pod.ends);
        stays.for_each(|pod| fixed_of[pod.class] += 1);
        let mut spaces: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (k, class) in self.classes.iter().enumerate() {
            spaces.entry(class.namespace.clone()).or_default().push(k);
        }
        for budget in &budgets {
            let meant = |k: &usize| budget.selector.matches(&self.classes[*k].labels);
            let of_space = spaces.get(&budget.namespace).map_or(&[][..], Vec::as_slice);
            let classes: Vec<usize> = of_space.iter().copied().filter(meant).collect();
            let mut mine: Vec<usize> =
                classes.iter().flat_map(|k| movable[*k].iter().copied()).collect();
            mine.sort_unstable();
            let runs = |k: &&usize| self.waiting[**k].node.is_some();
            let fixed: usize = classes.iter().map(|k| fixed_of[*k]).sum();
            // Where nothing says what runs, all of it is about to.
            let running = mine.iter().filter(runs).count();
            let healthy = if running + fixed > 0 { running + fixed } else { mine.len() };
            let wanted = self.wanted(budget, workloads, &mine).max((mine.len() + fixed) as i64);
            if budget.allowed.is_none() {
                let place = self.show(budget.place, &budget.name);
                let what = "there is no status: all pods that run are taken to be well";
                self.warnings.assume(Direction::Wider, &place, "status.disruptionsAllowed", what);
            }
            mine.iter().for_each(|k| under[*k] += 1);
            if !mine.is_empty() {
                let name = format!("PodDisruptionBudget {}/{}", budget.namespace, budget.name);
                let most = budget.at_once(wanted, healthy as i64);
                rules.push(moves(name, most, self.ids_of(&mine)));
            }
        }
        let several: Vec<usize> = (0..under.len()).filter(|k| under[*k] > 1).collect();
        if !several.is_empty() {
            let name = "pods under several disruption budgets cannot be evicted".to_owned();
            rules.push(moves(name, 0, self.ids_of(&several)));
        }
        let mut kept: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (k, pod) in self.waiting.iter().enumerate() {
            if let Some(why) = pod.keeps {
                kept.entry(why).or_default().push(k);
            }
        }
        rules.extend(
            kept.into_iter().map(|(why, pods)| moves(why.to_owned(), 0, self.ids_of(&pods))),
        );
        rules
    }

    /// How many pods the controllers of these want, where the controllers are there.
    fn wanted(&self, budget: &Budget, workloads: &[Workload], pods: &[usize]) -> i64 {
        let mut owners: Vec<&(String, String)> =
            pods.iter().filter_map(|k| self.waiting[*k].owner.as_ref()).collect();
        owners.sort();
        owners.dedup();
        let wants = |owner: &(String, String)| {
            let own = |w: &&Workload| {
                w.namespace == budget.namespace && w.kind == owner.0 && w.name == owner.1
            };
            workloads.iter().filter(own).map(|w| w.replicas).sum::<i64>()
        };
        owners.into_iter().map(wants).sum()
    }
}

fn moves(name: String, most: i64, ids: Vec<String>) -> RuleDraft {
    limit(&name, MOVED, "", None, most, ids)
}
