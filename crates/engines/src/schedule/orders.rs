//! Orders in which jobs are placed: priority rules.

use rand::{Rng, RngExt};

use super::problem::{NEVER, Problem};

/// A rule that says which job comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The job with the longest way to the end.
    CriticalPath,
    /// The job with the most jobs after it.
    Successors,
    /// The job that takes the most of the nodes, for the longest time.
    Area,
    /// The highest priority.
    Priority,
    /// The shortest job.
    Shortest,
    /// The longest job.
    Longest,
    /// The job that is due first.
    Due,
    /// The job that is released first.
    Release,
    /// The most weight for what it takes.
    Weight,
    /// The job that can wait the shortest time.
    Slack,
}

/// Every rule, with its name and a line of help.
pub const RULES: [(Rule, &str, &str); 10] = [
    (Rule::CriticalPath, "critical-path", "the job with the longest way to the end first"),
    (Rule::Successors, "successors", "the job with the most jobs after it first"),
    (Rule::Area, "area", "the job that takes most, for longest, first"),
    (Rule::Priority, "priority", "the highest priority first"),
    (Rule::Shortest, "shortest", "the shortest job first"),
    (Rule::Longest, "longest", "the longest job first"),
    (Rule::Due, "due", "the job that is due first"),
    (Rule::Release, "release", "the job that is released first"),
    (Rule::Weight, "weight", "the most weight for what a job takes first"),
    (Rule::Slack, "slack", "the job that can wait the shortest time first"),
];

/// What rules look at, per job.
pub(super) struct Figures {
    /// Seconds from the job's start to the end of everything after it.
    pub tail: Vec<i64>,
    /// When it can start at the earliest if nodes are no matter.
    pub head: Vec<i64>,
    /// Jobs that come after it, directly or not, at most 64 levels counted twice.
    followers: Vec<f64>,
    /// Share of all nodes times seconds.
    pub area: Vec<f64>,
    /// Latest end that lets everything after it meet due times and deadlines.
    latest: Vec<i64>,
}

impl Figures {
    pub fn of(p: &Problem) -> Figures {
        let n = p.jobs.len();
        let (mut head, mut tail) = (vec![0i64; n], vec![0i64; n]);
        let (mut followers, mut latest) = (vec![0.0f64; n], vec![NEVER; n]);
        for k in p.topological.iter().map(|k| *k as usize) {
            let job = &p.jobs[k];
            let after = job
                .before
                .iter()
                .map(|(other, lag)| head[*other as usize] + p.jobs[*other as usize].shortest + lag);
            head[k] = after.max().unwrap_or(0).max(job.release);
        }
        for k in p.topological.iter().rev().map(|k| *k as usize) {
            let job = &p.jobs[k];
            let rest = job.after.iter().map(|(other, lag)| tail[*other as usize] + lag);
            tail[k] = job.shortest + rest.max().unwrap_or(0);
            followers[k] = job.after.iter().map(|(o, _)| 1.0 + followers[*o as usize]).sum();
            let own = job.due.unwrap_or(NEVER).min(job.deadline);
            let others = job.after.iter().map(|(other, lag)| {
                latest[*other as usize] - p.jobs[*other as usize].shortest - lag
            });
            latest[k] = others.min().unwrap_or(NEVER).min(own);
        }
        let total = |r: usize| p.room.iter().skip(r).step_by(p.width).sum::<i64>().max(1) as f64;
        let total: Vec<f64> = (0..p.width).map(total).collect();
        let area = |k: usize| {
            let Some(node) = p.places(k).first() else { return 0.0 };
            let shares = p.demand(k, *node).iter().zip(&total).map(|(d, t)| *d as f64 / t);
            shares.sum::<f64>() * f64::from(p.jobs[k].units) * p.jobs[k].shortest as f64
        };
        Figures { area: (0..n).map(area).collect(), tail, head, followers, latest }
    }

    /// The order of the rule; `noise` shakes it.
    pub fn order(&self, p: &Problem, rule: Rule, noise: f64, rng: &mut impl Rng) -> Vec<u32> {
        let key = |k: usize| -> f64 {
            let job = &p.jobs[k];
            match rule {
                Rule::CriticalPath => -(self.tail[k] as f64),
                Rule::Successors => -self.followers[k],
                Rule::Area => -self.area[k],
                Rule::Priority => -(job.priority as f64),
                Rule::Shortest => job.shortest as f64,
                Rule::Longest => -(job.shortest as f64),
                Rule::Due => self.latest[k] as f64,
                Rule::Release => job.release as f64,
                Rule::Weight => -(job.weight as f64) / self.area[k].max(1e-12),
                Rule::Slack => (self.latest[k] - self.head[k]) as f64,
            }
        };
        let mut keyed: Vec<(f64, i64, u32)> = (0..p.jobs.len())
            .map(|k| {
                let shake = 1.0 + noise * (rng.random::<f64>() - 0.5);
                (key(k) * shake, -self.tail[k], k as u32)
            })
            .collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        keyed.into_iter().map(|(_, _, k)| k).collect()
    }
}
