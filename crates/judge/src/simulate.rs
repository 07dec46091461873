//! How often nodes are overloaded when demands vary: many draws of every demand of a plan, counted.
//! It shares nothing with what the search takes for true: loads are drawn and added up.

use std::sync::atomic::{AtomicU64, Ordering};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, LogNormal, Normal};
use rayon::prelude::*;

use model::{Instance, NodeId, Plan, TaskId, normal_quantile};

/// How demands are drawn around their means, with their deviations. Draws below 0 count as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Normal.
    Normal,
    /// All values between mean - sqrt(3) sd and mean + sqrt(3) sd alike.
    Uniform,
    /// Gamma: skewed, with an exponential tail.
    Gamma,
    /// Lognormal: skewed, with a heavy tail.
    Lognormal,
    /// One time in ten a peak of mean + 3 sd, else mean - sd / 3.
    Peaks,
    /// One time in a thousand a peak of mean + 31.6 sd, else nearly the mean.
    RarePeaks,
}

impl Shape {
    /// Every shape with its name.
    pub const ALL: [(Shape, &'static str); 6] = [
        (Shape::Normal, "normal"),
        (Shape::Uniform, "uniform"),
        (Shape::Gamma, "gamma"),
        (Shape::Lognormal, "lognormal"),
        (Shape::Peaks, "peaks"),
        (Shape::RarePeaks, "rare-peaks"),
    ];
}

/// What to draw.
pub struct Settings<'a> {
    /// How demands are distributed.
    pub shape: Shape,
    /// Draws of all demands, at least 1.
    pub draws: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// Per task what was observed: rows with a number a resource, in integer steps. One of them is
    /// drawn for a task that has any. May be empty.
    pub observed: &'a [Vec<Vec<f64>>],
}

/// How often something happened, with the interval in which its chance lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frequency {
    /// How often.
    pub count: u64,
    /// Out of how often.
    pub of: u64,
    /// Wilson's interval.
    pub interval: (f64, f64),
}

impl Frequency {
    /// With an interval that the chance is outside of with chance `doubt` (Wilson 1927, DOI
    /// 10.1080/01621459.1927.10502953).
    fn new(count: u64, of: u64, doubt: f64) -> Frequency {
        let (n, z) = (of as f64, normal_quantile(1.0 - doubt / 2.0));
        let p = count as f64 / n;
        let (square, scale) = (z * z / n, 1.0 + z * z / n);
        let middle = (p + square / 2.0) / scale;
        let half = (p * (1.0 - p) * square + square * square / 4.0).sqrt() / scale;
        let low = if count == 0 { 0.0 } else { (middle - half).max(0.0) };
        let high = if count == of { 1.0 } else { (middle + half).min(1.0) };
        Frequency { count, of, interval: (low, high) }
    }

    /// Count over draws.
    pub fn value(&self) -> f64 {
        self.count as f64 / self.of as f64
    }
}

/// What came of the draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Overloads {
    /// Draws of all demands.
    pub draws: u32,
    /// Node and resource that were overloaded most often; the interval holds for all of them at
    /// once.
    pub worst: (NodeId, usize, Frequency),
    /// Over all nodes and resources that vary: the mean of how often each was overloaded.
    pub mean: f64,
    /// How many they are.
    pub loads: usize,
    /// Draws in which any node was overloaded.
    pub any: Frequency,
}

/// Confidence of all intervals.
const DOUBT: f64 = 0.05;

/// A demand that varies, of one task in the resources of its node.
struct Drawn<'a> {
    parts: Vec<(usize, Law)>,
    observed: &'a [Vec<f64>],
}

enum Law {
    Normal(Normal<f64>),
    Gamma(Gamma<f64>),
    Lognormal(LogNormal<f64>),
    /// Between two values.
    Uniform(f64, f64),
    /// The chance of the second value.
    Two(f64, f64, f64),
}

impl Law {
    /// `None` where the shape has no such mean and deviation: both are positive and finite here.
    fn of(shape: Shape, mean: f64, sd: f64) -> Option<Law> {
        let two = |p: f64| {
            Law::Two(mean - sd * (p / (1.0 - p)).sqrt(), mean + sd * ((1.0 - p) / p).sqrt(), p)
        };
        Some(match shape {
            Shape::Normal => Law::Normal(Normal::new(mean, sd).ok()?),
            Shape::Uniform => Law::Uniform(mean - 3f64.sqrt() * sd, mean + 3f64.sqrt() * sd),
            Shape::Gamma => Law::Gamma(Gamma::new((mean / sd).powi(2), sd * sd / mean).ok()?),
            Shape::Lognormal => {
                let square = libm::log1p((sd / mean).powi(2));
                let log_mean = libm::log(mean) - square / 2.0;
                Law::Lognormal(LogNormal::new(log_mean, square.sqrt()).ok()?)
            }
            Shape::Peaks => two(0.1),
            Shape::RarePeaks => two(0.001),
        })
    }

    fn draw(&self, rng: &mut impl Rng) -> f64 {
        match self {
            Law::Normal(law) => law.sample(rng),
            Law::Gamma(law) => law.sample(rng),
            Law::Lognormal(law) => law.sample(rng),
            Law::Uniform(low, high) => low + (high - low) * rng.random::<f64>(),
            Law::Two(low, high, p) => {
                if rng.random::<f64>() < *p {
                    *high
                } else {
                    *low
                }
            }
        }
    }
}

/// Draws the demands of a plan and counts how often the load of a node exceeds what the plan may
/// fill of it: its capacity less what is reserved. The same seed gives the same counts on any
/// number of threads. `None` where no demand varies.
pub fn simulate(instance: &Instance, plan: &Plan, settings: &Settings) -> Option<Overloads> {
    let on = plan.by_node(instance.nodes());
    let nodes: Vec<NodeId> = instance.node_ids().collect();
    let any: Vec<AtomicU64> = (0..settings.draws.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
    let draw = |node: &NodeId| draw_node(instance, *node, &on[node.index()], settings, &any);
    let each: Vec<Vec<(usize, u64)>> = nodes.par_iter().map(draw).collect();
    let loads =
        || nodes.iter().zip(&each).flat_map(|(n, of)| of.iter().map(move |(r, c)| (*n, *r, *c)));
    let number = loads().count();
    // The first of those that are worst.
    let worst = loads().reduce(|a, b| if b.2 > a.2 { b } else { a })?;
    let draws = u64::from(settings.draws);
    let total: u64 = loads().map(|(_, _, count)| count).sum();
    let happened = any.into_iter().map(|bits| u64::from(bits.into_inner().count_ones())).sum();
    Some(Overloads {
        draws: settings.draws,
        worst: (worst.0, worst.1, Frequency::new(worst.2, draws, DOUBT / number as f64)),
        mean: total as f64 / draws as f64 / number as f64,
        loads: number,
        any: Frequency::new(happened, draws, DOUBT),
    })
}

/// How often the node was overloaded in each resource that varies there; `any` gets a bit for each
/// draw in which it was in any of them.
fn draw_node(
    instance: &Instance,
    node: NodeId,
    tasks: &[TaskId],
    settings: &Settings,
    any: &[AtomicU64],
) -> Vec<(usize, u64)> {
    let width = instance.resources().len();
    let mut fixed: Vec<f64> = instance.used(node).iter().map(|used| *used as f64).collect();
    let mut varies = vec![false; width];
    let mut drawn = Vec::new();
    for task in tasks {
        let observed = settings.observed.get(task.index()).map_or(&[][..], |rows| rows);
        let mut parts = Vec::new();
        for (r, mean) in instance.demand_on(*task, node).iter().enumerate() {
            let sd = (instance.variance_on(*task, node, r) as f64).sqrt();
            let law = if sd > 0.0 { Law::of(settings.shape, *mean as f64, sd) } else { None };
            match law {
                Some(law) => {
                    varies[r] = true;
                    parts.push((r, law));
                }
                None => fixed[r] += *mean as f64,
            }
        }
        if !parts.is_empty() {
            drawn.push(Drawn { parts, observed });
        }
    }
    let mut counts: Vec<(usize, u64)> = (0..width).filter(|r| varies[*r]).map(|r| (r, 0)).collect();
    if counts.is_empty() {
        return counts;
    }
    let seed = settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(node.0));
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut load = fixed.clone();
    for draw in 0..settings.draws as usize {
        load.copy_from_slice(&fixed);
        for task in &drawn {
            let row = match task.observed {
                [] => None,
                rows => Some(&rows[rng.random_range(0..rows.len() as u32) as usize]),
            };
            for (r, law) in &task.parts {
                load[*r] += row.map_or_else(|| law.draw(&mut rng), |row| row[*r]).max(0.0);
            }
        }
        for (r, count) in &mut counts {
            // A hair for what adding up rounds.
            if load[*r] > instance.limit(node)[*r] as f64 * (1.0 + 1e-12) {
                *count += 1;
                any[draw / 64].fetch_or(1 << (draw % 64), Ordering::Relaxed);
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every shape has the mean and the deviation that it is asked for.
    #[test]
    fn shapes_have_their_moments() {
        let (mean, sd) = (40.0, 8.0);
        for (shape, name) in Shape::ALL {
            let law = Law::of(shape, mean, sd).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            // Peaks of one in a thousand show their deviation in many draws only.
            let (n, slack) = match shape {
                Shape::RarePeaks => (4_000_000, 0.25),
                _ => (400_000, 0.15),
            };
            let draws: Vec<f64> = (0..n).map(|_| law.draw(&mut rng)).collect();
            let m = draws.iter().sum::<f64>() / f64::from(n);
            let v = draws.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / f64::from(n);
            assert!((m - mean).abs() < 0.1, "{name}: mean {m}");
            assert!((v.sqrt() - sd).abs() < slack, "{name}: deviation {}", v.sqrt());
        }
    }

    #[test]
    fn intervals_are_wilsons() {
        let f = Frequency::new(10, 100, 0.05);
        assert!(
            (f.interval.0 - 0.05523).abs() < 1e-4 && (f.interval.1 - 0.17437).abs() < 1e-4,
            "{f:?}"
        );
        assert_eq!(Frequency::new(0, 50, 0.05).interval.0, 0.0);
        assert_eq!(Frequency::new(50, 50, 0.05).interval.1, 1.0);
    }
}
