//! What nodes offer over time and jobs take of it: one row a resource and set of nodes.

use super::problem::{NEVER, Problem};

/// How much some nodes offer up to a time: a sum over nodes, closed times left out.
#[derive(Clone, Debug)]
pub(super) struct Supply {
    /// Times from which on the rate changes, what was offered by then, and the rate.
    steps: Vec<(i64, i128, i128)>,
}

impl Supply {
    /// Of nodes with their rates.
    fn of(p: &Problem, nodes: &[(u32, i64)]) -> Supply {
        let mut changes: Vec<(i64, i128)> = Vec::new();
        for (node, rate) in nodes {
            let rate = i128::from(*rate);
            changes.push((0, rate));
            for (from, to) in &p.closed[*node as usize] {
                changes.extend([(*from, -rate), (*to, rate)]);
            }
        }
        Supply::changing(changes)
    }

    /// Of a rate that changes by so much at these times.
    pub fn changing(mut changes: Vec<(i64, i128)>) -> Supply {
        changes.push((0, 0));
        changes.sort_unstable();
        let mut steps: Vec<(i64, i128, i128)> = Vec::new();
        for (time, change) in changes {
            match steps.last_mut() {
                Some(last) if last.0 == time => last.2 += change,
                Some(&mut (before, offered, rate)) => {
                    steps.push((time, offered + rate * i128::from(time - before), rate + change));
                }
                None => steps.push((time, 0, change)),
            }
        }
        Supply { steps }
    }

    /// The highest rate.
    pub fn rate(&self) -> i128 {
        self.steps.iter().map(|step| step.2).max().unwrap_or(0).max(1)
    }

    /// What is offered up to then.
    pub fn by(&self, time: i64) -> i128 {
        let at = self.steps.partition_point(|step| step.0 <= time).max(1) - 1;
        let (from, offered, rate) = self.steps[at];
        offered + rate * i128::from(time - from)
    }

    /// The first second by which so much is offered after `from`; [`NEVER`] if none.
    pub fn full(&self, from: i64, energy: i128) -> i64 {
        let wanted = self.by(from) + energy;
        let at = self.steps.partition_point(|step| step.1 < wanted).max(1) - 1;
        let (start, offered, rate) = self.steps[at];
        if wanted <= offered {
            return start.max(from);
        }
        if rate <= 0 {
            return NEVER;
        }
        let seconds = (wanted - offered + rate - 1) / rate;
        (start + i64::try_from(seconds).unwrap_or(NEVER)).max(from)
    }
}

/// Distinct values, at most so many of them, the smallest among them.
pub(super) fn some(mut values: Vec<i64>, most: usize) -> Vec<i64> {
    values.sort_unstable();
    values.dedup();
    let step = values.len().div_ceil(most).max(1);
    values.into_iter().step_by(step).collect()
}

/// Jobs that must find what they take of one thing on the same nodes.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub supply: Supply,
    /// Jobs with the least that they take: demand times seconds.
    pub jobs: Vec<(u32, i128)>,
    /// Of jobs that keep each other off a node: how many can run at once.
    pub machines: Option<usize>,
    pub why: &'static str,
}

/// Most sets of nodes that are looked at.
const SETS: usize = 24;
/// Tasks that share a node at most in a row of machines.
const AT_ONCE: i64 = 4;

/// Every row worth asking.
pub(super) fn rows(p: &Problem) -> Vec<Row> {
    let set_of = |list: &Vec<u32>| {
        let mut set = vec![false; p.nodes()];
        list.iter().for_each(|node| set[*node as usize] = true);
        set
    };
    let mut all = vec![false; p.nodes()];
    p.places.iter().flatten().for_each(|node| all[*node as usize] = true);
    let mut asked = vec![all];
    for list in &p.places {
        let set = set_of(list);
        if asked.len() <= SETS && !asked.contains(&set) {
            asked.push(set);
        }
    }
    let mut rows = Vec::new();
    for set in &asked {
        let nodes: Vec<u32> = (0..p.nodes() as u32).filter(|node| set[*node as usize]).collect();
        let within = |list: &Vec<u32>| list.iter().all(|node| set[*node as usize]);
        let inside: Vec<bool> = p.places.iter().map(within).collect();
        let jobs: Vec<usize> =
            (0..p.jobs.len()).filter(|k| inside[p.jobs[*k].place as usize]).collect();
        if nodes.is_empty() || jobs.is_empty() {
            continue;
        }
        for r in 0..p.width {
            of_resource(p, &nodes, &jobs, r, &mut rows);
        }
    }
    rows.extend(p.limited());
    rows
}

fn of_resource(p: &Problem, nodes: &[u32], jobs: &[usize], r: usize, rows: &mut Vec<Row>) {
    let least = |k: usize, of: &dyn Fn(u32) -> i128| -> i128 {
        match p.jobs[k].pair {
            None if p.jobs[k].shortest == p.jobs[k].longest => p.places(k).first().map(|n| of(*n)),
            _ => p.places(k).iter().map(|node| of(*node)).min(),
        }
        .unwrap_or(0)
    };
    let energy = |k: usize| {
        let one = |n: u32| i128::from(p.demand(k, n)[r]) * i128::from(p.duration(k, n));
        least(k, &one) * i128::from(p.jobs[k].units)
    };
    let offered: Vec<(u32, i64)> = nodes.iter().map(|node| (*node, p.room(*node)[r])).collect();
    let taking: Vec<(u32, i128)> =
        jobs.iter().map(|k| (*k as u32, energy(*k))).filter(|(_, energy)| *energy > 0).collect();
    if taking.is_empty() {
        return;
    }
    let why = "what all jobs take of a resource";
    rows.push(Row { supply: Supply::of(p, &offered), jobs: taking, machines: None, why });
    // Jobs of which no node holds more than a few at once.
    let room = offered.iter().map(|(_, room)| *room).max().unwrap_or(0);
    let mut before = 0;
    for few in 1..=AT_ONCE {
        let big = |k: &usize| {
            least(*k, &|node| i128::from(p.demand(*k, node)[r])) * i128::from(few + 1)
                > i128::from(room)
        };
        let big: Vec<usize> = jobs.iter().copied().filter(big).collect();
        if big.len() <= before {
            continue;
        }
        before = big.len();
        // Nodes that no such job may run on, or that are too small for any, offer nothing.
        let smallest = big.iter().map(|k| least(*k, &|n| i128::from(p.demand(*k, n)[r]))).min();
        let holds = |room: i64| {
            let each = smallest.unwrap_or(1).max(1);
            i64::try_from(i128::from(room) / each).unwrap_or(few).clamp(0, few)
        };
        let machines: Vec<(u32, i64)> = offered
            .iter()
            .map(|(node, room)| (*node, holds(*room)))
            .filter(|(_, many)| *many > 0)
            .collect();
        let many: i64 = machines.iter().map(|(_, many)| many).sum();
        let jobs = big.iter().map(|k| {
            let job = &p.jobs[*k];
            (*k as u32, i128::from(job.shortest) * i128::from(job.units))
        });
        rows.push(Row {
            supply: Supply::of(p, &machines),
            jobs: jobs.collect(),
            machines: Some(many as usize),
            why: "jobs that keep each other off the nodes",
        });
    }
}
