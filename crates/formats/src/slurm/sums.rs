//! Limits over sets of jobs, as rules: licences, arrays, what QOS and associations let users, accounts
//! and everybody have at once; less what runs, which comes back when that ends.

use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashMap;

use super::amounts::{Amounts, resource};
use super::bounds::{Bound, Bounds, Tally};
use super::cluster::Cluster;
use super::owner::Owner;
use super::shape::share;
use base::error::{Error, Result};
use model::{Ask, Decimal, Direction, Draft, Limit, LimitDraft, RuleDraft, TaskDraft, When, Whom};

/// What a limit counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum What {
    /// Jobs.
    Jobs,
    /// Licences of this name.
    Licence(String),
    /// CPUs, MiB, generic resources, as Slurm calls them.
    Tres(String),
}

/// A limit on a set of jobs: what people call the set, what is counted, the most at once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) name: String,
    pub(super) what: What,
    pub(super) at_most: i64,
}

/// Most tasks that limits may name in all.
const NAMED: usize = 5_000_000;

/// Jobs that count in a limit: pending ones by position, and what those that run hold until when.
#[derive(Default)]
struct Set {
    at_most: i64,
    jobs: Vec<usize>,
    /// By end, in seconds since 1970.
    ends: BTreeMap<i64, i64>,
    held: i64,
}

impl Cluster {
    /// Why the job by itself is more than its QOS or association lets a job be.
    pub(super) fn beyond(&self, owner: &Owner, minutes: Option<i64>) -> Option<String> {
        for (whose, bounds) in self.bounds_of(owner) {
            let amount = |key: &str| of(owner, key);
            if let Some((key, most)) = bounds.most.iter().find(|(key, most)| amount(key) > *most) {
                return Some(format!("{whose} lets a job have {most} {key}"));
            }
            if let Some((key, least)) =
                bounds.least.iter().find(|(key, least)| amount(key) < *least)
            {
                return Some(format!("{whose} wants a job to have {least} {key}"));
            }
            if let Some(most) = bounds.wall.filter(|most| minutes > Some(*most)) {
                return Some(format!("{whose} lets a job run {most} minutes"));
            }
        }
        None
    }

    /// Whether a reason for which Slurm keeps a job waiting is about a limit that is read here.
    pub(super) fn knows(&self, owner: &Owner, reason: &str) -> bool {
        let read = |list: &[&str]| list.contains(&reason);
        let qos = self.qos.contains_key(&owner.qos) && read(&OF_QOS);
        qos || read(&OF_ASSOCIATIONS) && !self.associations_of(owner).is_empty()
    }

    /// Limits of the job, whose they are first: of the QOS of its partition and of its own, in the
    /// order in which they count, of its association and of the accounts above. Each is there only
    /// where none before says the same.
    fn bounds_of(&self, owner: &Owner) -> Vec<(String, Bounds)> {
        let named = |name: &str| Some((name.to_owned(), self.qos.get(name)?));
        let own = named(&owner.qos);
        let partition = match &owner.partitions[..] {
            [one] => self.limits.get(one).and_then(|partition| named(&partition.qos)),
            _ => None,
        };
        let mut qos: Vec<_> = partition.into_iter().chain(own).collect();
        if qos.len() == 2 && qos[1].1.first {
            qos.swap(0, 1);
        }
        qos.dedup_by(|a, b| a.0 == b.0);
        let mut list: Vec<(String, Bounds)> =
            qos.iter().map(|(name, qos)| (format!("QOS {name}"), qos.bounds.clone())).collect();
        if let [(_, first), (_, second)] = &mut list[..] {
            second.leave_out(first);
        }
        let mut known = Bounds::default();
        list.iter().for_each(|(_, bounds)| known.add(bounds));
        let above = self.associations_of(owner);
        let own = above.first().filter(|first| !first.user.is_empty());
        let own = own.map_or_else(
            || format!("association {}/{}", owner.account, owner.user),
            |first| first.name(),
        );
        let mut inherited = known.clone();
        for association in above {
            let mut bounds = association.bounds.clone();
            bounds.leave_out(&known);
            // The nearest says what each user's jobs and each job may have.
            if inherited.user.jobs.or(inherited.account.jobs).is_some() {
                bounds.user.jobs = None;
            }
            let said = |list: &Tally, key: &str| list.iter().any(|(known, _)| known == key);
            bounds.most.retain(|(key, _)| !said(&inherited.most, key));
            bounds.wall = bounds.wall.filter(|_| inherited.wall.is_none());
            inherited.add(&Bounds { group: Default::default(), ..bounds.clone() });
            // How many jobs may run at once is said of each user's association, inherited or not.
            if let Some(jobs) = bounds.user.jobs.take() {
                let group = Bound { jobs: Some(jobs), tres: Vec::new() };
                list.push((format!("{own}, jobs"), Bounds { group, ..Bounds::default() }));
            }
            list.push((association.name(), bounds));
        }
        list
    }

    /// Every limit that the job counts in.
    fn sums_of(&self, owner: &Owner) -> Vec<Sum> {
        let mut list = Vec::new();
        for (name, count) in &owner.licences {
            if let Some(licence) = self.licences.get(name).filter(|_| *count > 0) {
                let (name, at_most) = (format!("licence {name}"), licence.most);
                let what = What::Licence(name.trim_start_matches("licence ").to_owned());
                list.push(Sum { name, what, at_most });
            }
        }
        if let (Some(array), Some(at_most)) = (owner.array, owner.at_once) {
            list.push(Sum { name: format!("array {array}"), what: What::Jobs, at_most });
        }
        for (whose, bounds) in self.bounds_of(owner) {
            let each = [
                (whose.clone(), &bounds.group),
                (format!("{whose}, user {}", owner.user), &bounds.user),
                (format!("{whose}, account {}", owner.account), &bounds.account),
            ];
            for (name, bound) in each {
                let jobs = bound.jobs.map(|at_most| (What::Jobs, at_most));
                let tres = bound.tres.iter().map(|(key, at_most)| match key.split_once('/') {
                    Some(("license", name)) => (What::Licence(name.to_owned()), *at_most),
                    _ => (What::Tres(key.clone()), *at_most),
                });
                list.extend(jobs.into_iter().chain(tres).map(|(what, at_most)| {
                    let name = name.clone();
                    Sum { name, what, at_most }
                }));
            }
        }
        list
    }

    /// Adds the limits that can matter; `tasks` are those of each pending job in the draft.
    pub(super) fn limit(&mut self, draft: &mut Draft, tasks: &[Range<usize>]) -> Result<()> {
        let mut sets: BTreeMap<(String, What), Set> = BTreeMap::new();
        let mut memo: FxHashMap<String, Vec<Sum>> = FxHashMap::default();
        let mut sums = |owner: &Owner| -> Vec<Sum> {
            let key = format!(
                "{:?}",
                (
                    (&owner.user, &owner.account, &owner.qos, &owner.cluster, &owner.partitions),
                    (owner.association, owner.array, owner.at_once, &owner.licences),
                )
            );
            memo.entry(key).or_insert_with(|| self.sums_of(owner)).clone()
        };
        for (k, job) in self.pending.iter().enumerate() {
            for sum in sums(&job.owner) {
                let set = sets.entry((sum.name, sum.what)).or_default();
                set.at_most = sum.at_most;
                set.jobs.push(k);
            }
        }
        for running in &self.running {
            for sum in sums(&running.owner) {
                let Some(set) = sets.get_mut(&(sum.name, sum.what.clone())) else { continue };
                let amount = match &sum.what {
                    What::Jobs => 1,
                    What::Licence(name) => running.owner.licences.get(name).copied().unwrap_or(0),
                    What::Tres(key) => of(&running.owner, key),
                };
                set.held = set.held.saturating_add(amount);
                if let Some(end) = running.end {
                    *set.ends.entry(end).or_default() += amount;
                }
            }
        }
        let mut named = 0;
        for ((name, what), mut set) in sets {
            if let (What::Licence(licence), true) = (&what, name.starts_with("licence ")) {
                let used = self.licences.get(licence).map_or(0, |own| own.used);
                if used > set.held && !self.untimed && self.times.now.is_some() {
                    let cause =
                        "licences that are in use and no job in the dump has do not come back";
                    self.warnings.assume(Direction::Narrower, name.clone(), cause);
                }
                set.held = set.held.max(used);
            }
            named += set.jobs.len();
            if named > NAMED {
                let cause = "limits over millions of jobs are not planned with";
                self.warnings.assume(Direction::Wider, name, cause);
                continue;
            }
            self.emit(draft, (&name, &what), &set, tasks)?;
        }
        Ok(())
    }

    /// One limit as a rule, unless its jobs keep it whatever runs.
    fn emit(
        &mut self,
        draft: &mut Draft,
        (name, what): (&str, &What),
        set: &Set,
        tasks: &[Range<usize>],
    ) -> Result<()> {
        let left = set.at_most.saturating_sub(set.held).max(0);
        let counted = match what {
            What::Tres(key) => self.by_resource(draft, (name, key), set, tasks),
            own => Some(self.by_job(draft, (name, own), set, tasks)?),
        };
        let Some(Counted { resource, scale, tasks, all, places }) = counted else { return Ok(()) };
        if all <= left.saturating_mul(scale) {
            return Ok(());
        }
        let ids = tasks.iter().map(|task| draft.tasks[*task].id.clone()).collect();
        let amount = |count: i64| decimal(count.max(0).saturating_mul(scale), places);
        let mut later = Vec::new();
        if let (Some(now), false) = (self.times.now, self.untimed) {
            let mut back: BTreeMap<i64, i64> = BTreeMap::new();
            set.ends.iter().for_each(|(end, own)| *back.entry((*end).max(now)).or_default() += own);
            let mut held = set.held;
            for (end, own) in back {
                held = held.saturating_sub(own);
                later.push((When::On(end), amount(set.at_most.saturating_sub(held))?));
            }
        }
        let at_most = amount(left)?;
        let limit = LimitDraft { resource, values: Vec::new(), at_most, later, always: false };
        draft.rules.push(RuleDraft {
            limit: Some(limit),
            ..RuleDraft::new(name.to_owned(), Ask::Limit(Limit::default()), "", Whom::Tasks(ids))
        });
        Ok(())
    }

    /// What jobs take of a resource that nodes have.
    fn by_resource(
        &mut self,
        draft: &Draft,
        (name, key): (&str, &str),
        set: &Set,
        tasks: &[Range<usize>],
    ) -> Option<Counted> {
        let own = match (key, key.strip_prefix("gres/")) {
            ("cpu", _) => "cpu".to_owned(),
            ("mem", _) => "memory".to_owned(),
            (_, Some(own)) => match own.split_once(':') {
                Some((name, kind)) => resource(name, Some(kind)),
                None => resource(own, None),
            },
            _ => {
                let cause =
                    format!("limits on `{key}` of several jobs together are not planned with");
                self.warnings.assume(Direction::Wider, name.to_owned(), cause);
                return None;
            }
        };
        let r = draft.resources.iter().position(|known| known.name == own)?;
        let whole = |k: &usize| {
            let shape = &self.pending[*k].shape;
            shape.exclusive || shape.all_memory
        };
        let ids: Vec<usize> = set.jobs.iter().flat_map(|k| tasks[*k].clone()).collect();
        let sum = || ids.iter().map(|t| takes(&draft.tasks[*t], r)).fold(0, i64::saturating_add);
        let all = if set.jobs.iter().any(whole) { i64::MAX } else { sum() };
        let scale = if own == "memory" { 1 << 20 } else { 1 };
        Some(Counted { resource: own, scale, tasks: ids, all, places: 0 })
    }

    /// What is counted by job: each of its units has a share of it, rounded up. Where shares do not
    /// come out, all that rounding adds stays below one: what jobs take is below the limit and one
    /// exactly if they keep it.
    fn by_job(
        &self,
        draft: &mut Draft,
        (name, what): (&str, &What),
        set: &Set,
        tasks: &[Range<usize>],
    ) -> Result<Counted> {
        let amount = |k: usize| match what {
            What::Licence(name) => self.pending[k].owner.licences.get(name).copied().unwrap_or(0),
            _ => 1,
        };
        let each: Vec<(usize, i64, i64)> = (set.jobs.iter())
            .map(|k| {
                let task = tasks[*k].start;
                let units = i64::from(draft.tasks[task].replicas.unwrap_or(1)).max(1);
                (task, amount(*k), units)
            })
            .collect();
        let odd = each.iter().any(|(_, amount, units)| amount % units != 0);
        let units = each.iter().map(|(.., units)| *units).fold(0i64, i64::saturating_add);
        let places = if odd { units.max(1).ilog10() as u8 + 1 } else { 0 };
        let plain = match what {
            What::Licence(name) => format!("licence:{name}"),
            _ => "job".to_owned(),
        };
        let resource = if odd { format!("{plain} of {name}") } else { plain };
        let all = each.iter().map(|(_, amount, _)| *amount).fold(0, i64::saturating_add);
        let ids = each.iter().map(|(task, ..)| *task).collect();
        if all > set.at_most.saturating_sub(set.held).max(0) {
            let (r, step) = (draft.resource(&resource), 10i64.pow(u32::from(places.min(17))));
            for (task, amount, units) in &each {
                let demand = &mut draft.tasks[*task].demand;
                if demand.iter().all(|(known, _)| *known != r) {
                    let share = share(amount.saturating_mul(step), *units);
                    demand.push((r, written(share / step, share % step, places)?));
                }
            }
        }
        Ok(Counted { resource, scale: 1, tasks: ids, all, places })
    }
}

/// What a limit counts of which tasks of the draft.
struct Counted {
    resource: String,
    /// Of one of what the limit counts.
    scale: i64,
    tasks: Vec<usize>,
    /// What all take together.
    all: i64,
    /// Decimals of shares.
    places: u8,
}

/// So much, and nearly one more where shares are rounded up.
fn decimal(amount: i64, places: u8) -> Result<Decimal> {
    written(amount, 10i64.pow(u32::from(places.min(17))) - 1, places)
}

fn written(whole: i64, rest: i64, places: u8) -> Result<Decimal> {
    let made = match usize::from(places) {
        0 => Decimal::from_integer(whole),
        width => Decimal::parse(&format!("{whole}.{rest:0width$}")),
    };
    made.map_err(|error| Error::usage(error.to_string()))
}

/// What all units of a task take of the resource.
fn takes(task: &TaskDraft, r: usize) -> i64 {
    let own = task.demand.iter().find(|(known, _)| usize::from(*known) == r);
    let own = own.and_then(|(_, amount)| amount.at_places(0)).unwrap_or(0);
    own.saturating_mul(i64::from(task.replicas.unwrap_or(1)))
}

/// What the job has of what Slurm calls so.
fn of(owner: &Owner, key: &str) -> i64 {
    let Amounts { cpu, memory, gres } = &owner.total;
    match key.split_once('/') {
        None if key == "cpu" => *cpu,
        None if key == "mem" => *memory,
        None if key == "node" => owner.nodes,
        Some(("gres", name)) => gres.get(name).copied().unwrap_or(0),
        Some(("license", name)) => owner.licences.get(name).copied().unwrap_or(0),
        _ => 0,
    }
}

/// Reasons of Slurm's that are about limits of a QOS that are read.
const OF_QOS: [&str; 20] = [
    "QOSGrpCpuLimit",
    "QOSGrpMemLimit",
    "QOSGrpGRES",
    "QOSGrpJobsLimit",
    "QOSMaxJobsPerUserLimit",
    "QOSMaxCpuPerUserLimit",
    "QOSMaxMemoryPerUser",
    "QOSMaxGRESPerUser",
    "MaxJobsPerAccount",
    "MaxCpuPerAccount",
    "MaxMemoryPerAccount",
    "MaxGRESPerAccount",
    "QOSMaxCpuPerJobLimit",
    "QOSMaxMemoryPerJob",
    "QOSMaxGRESPerJob",
    "QOSMaxNodePerJobLimit",
    "QOSMaxWallDurationPerJobLimit",
    "QOSMinCpuNotSatisfied",
    "QOSMinMemory",
    "QOSMinGRES",
];

/// Likewise, of associations.
const OF_ASSOCIATIONS: [&str; 10] = [
    "AssocGrpCpuLimit",
    "AssocGrpMemLimit",
    "AssocGrpGRES",
    "AssocGrpJobsLimit",
    "AssocMaxJobsLimit",
    "AssocMaxCpuPerJobLimit",
    "AssocMaxMemPerJob",
    "AssocMaxGRESPerJob",
    "AssocMaxNodePerJobLimit",
    "AssocMaxWallDurationPerJobLimit",
];
