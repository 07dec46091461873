//! Seeded random instances of stated distributions. The same settings give the
//! same instance on every platform.

mod cluster;
mod gap;
mod plain;
mod timed;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use base::error::{Error, Result};
use model::{Decimal, Draft};

/// What to generate.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which distribution.
    pub kind: &'static Kind,
    /// Number of tasks.
    pub tasks: usize,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of resources, for the kinds that leave it open.
    pub resources: usize,
    /// Total demand over total capacity in every resource, for those kinds.
    pub fill: f64,
    /// The longest time in seconds, for the types of parallel machines.
    pub longest: i64,
    /// Seed of everything random.
    pub seed: u64,
    /// Give nodes prices in proportion to their sizes, give or take a fifth.
    pub priced: bool,
    /// Standard deviation of demands as a part of the mean, give or take half of it; 0 for demands that
    /// do not vary.
    pub sd: f64,
}

/// A row of the table of distributions.
pub struct Kind {
    /// The name used in flags.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// Where it comes from, when it is published.
    pub reference: &'static str,
    make: fn(&Settings, &mut ChaCha8Rng) -> Draft,
    pairwise: bool,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const GAP: &str = "Chu, Beasley 1997, DOI 10.1016/S0305-0548(96)00032-9";

const FRANCA: &str = "Franca, Gendreau, Laporte, Mueller 1994, DOI 10.1016/0305-0548(94)90031-0";

/// Every distribution there is.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "uniform",
        help: "demands uniform 1 to 100 in each resource, node sizes 1, 1, 2 or 4 at random",
        reference: "",
        make: plain::uniform,
        pairwise: false,
    },
    Kind {
        name: "assignment",
        help: "as uniform, and each pair of task and node costs 1 to 100",
        reference: "",
        make: plain::assignment,
        pairwise: true,
    },
    Kind {
        name: "correlated",
        help: "a task is large or small in all resources: one size, give or take a fifth in each",
        reference: "",
        make: plain::correlated,
        pairwise: false,
    },
    Kind {
        name: "heavy-tailed",
        help: "Pareto demands of shape 1.5: many small tasks, few huge ones (at most 1000 times the least)",
        reference: "",
        make: plain::heavy_tailed,
        pairwise: false,
    },
    Kind {
        name: "gpu-cluster",
        help: "boxes with 8 A100, 8 H100 or 4 L40S cards and CPU-only ones; jobs of 0 to 8 cards, some for one model",
        reference: "",
        make: cluster::gpu_cluster,
        pairwise: false,
    },
    Kind {
        name: "gap-a",
        help: "GAP type A: loose capacities",
        reference: GAP,
        make: gap::a,
        pairwise: true,
    },
    Kind {
        name: "gap-b",
        help: "GAP type B: 70 % of type A's capacities",
        reference: GAP,
        make: gap::b,
        pairwise: true,
    },
    Kind {
        name: "gap-c",
        help: "GAP type C: capacities 80 % of the mean load",
        reference: GAP,
        make: gap::c,
        pairwise: true,
    },
    Kind {
        name: "gap-d",
        help: "GAP type D: costs inverse to demands, the hard one",
        reference: GAP,
        make: gap::d,
        pairwise: true,
    },
    Kind {
        name: "gap-e",
        help: "GAP type E: exponential demands, costs inverse to them",
        reference: "Laguna, Kelly, Gonzalez-Velarde, Glover 1995, DOI 10.1016/0377-2217(93)E0174-V",
        make: gap::e,
        pairwise: true,
    },
    Kind {
        name: "franca-uniform",
        help: "parallel machines, one task at a time: times uniform 1 to --longest; goal makespan",
        reference: FRANCA,
        make: timed::franca_uniform,
        pairwise: false,
    },
    Kind {
        name: "franca-non-uniform",
        help: "likewise: 98 % of the times in the highest tenth, the others in the lowest fifth",
        reference: FRANCA,
        make: timed::franca_non_uniform,
        pairwise: false,
    },
    Kind {
        name: "layered",
        help: "layers of tasks, each after 1 to 3 of the layer before, up to half a node large; goal makespan",
        reference: "",
        make: timed::layered,
        pairwise: false,
    },
    Kind {
        name: "week",
        help: "a week of jobs of a GPU cluster: daily rhythm, long tails, shares of cards and gangs; goal wait",
        reference: "",
        make: timed::week,
        pairwise: false,
    },
];

/// The distribution of that name.
///
/// # Errors
/// An unknown name, with the nearest known one.
pub fn kind(name: &str) -> Result<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        Error::unknown("type", name, &names)
    })
}

/// Pairs that a pairwise type may have at most.
const MOST_PAIRS: usize = 20_000_000;

/// Generates the instance.
///
/// # Errors
/// Settings out of range.
pub fn generate(settings: &Settings) -> Result<Draft> {
    let wrong = |cause: String| Err(Error::usage(cause));
    for (what, count, most) in [
        ("tasks", settings.tasks, 10_000_000),
        ("nodes", settings.nodes, 1_000_000),
        ("resources", settings.resources, 16),
    ] {
        if !(1..=most).contains(&count) {
            return wrong(format!("{count} {what}: use 1 to {most}"));
        }
    }
    if !(settings.fill > 0.0 && settings.fill <= 1.0) {
        return wrong(format!("fill {}: use more than 0 and at most 1", settings.fill));
    }
    if !(1..=1_000_000_000).contains(&settings.longest) {
        return wrong(format!("longest time {}: use 1 to 1000000000", settings.longest));
    }
    if settings.kind.pairwise && settings.tasks.saturating_mul(settings.nodes) > MOST_PAIRS {
        return wrong(format!(
            "{} is a table of tasks x nodes: use at most {MOST_PAIRS} pairs",
            settings.kind.name
        ));
    }
    if !(0.0..=2.0).contains(&settings.sd) {
        return wrong(format!("deviation {}: use 0 to 2", settings.sd));
    }
    let mut draft = (settings.kind.make)(settings, &mut ChaCha8Rng::seed_from_u64(settings.seed));
    if settings.sd > 0.0 {
        if draft.tasks.iter().all(|task| task.demand.is_empty()) {
            return wrong(format!("demands of {} do not vary", settings.kind.name));
        }
        vary(&mut draft, settings);
    }
    Ok(draft)
}

/// Gives demands deviations, rounded up to whole units; cards do not vary.
fn vary(draft: &mut Draft, settings: &Settings) {
    // A stream of its own: means are what they are without deviations.
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    rng.set_stream(1);
    let Draft { tasks, resources, .. } = draft;
    for task in tasks {
        for (r, mean) in &task.demand {
            let part = settings.sd * (0.5 + rng.random::<f64>());
            if !resources[usize::from(*r)].devices && !mean.is_zero() {
                task.deviation.push((*r, whole((part * mean.to_f64()).ceil() as i64)));
            }
        }
    }
}

/// A whole quantity; what generators draw is never negative.
fn whole(value: i64) -> Decimal {
    Decimal::from_integer(value.max(0)).unwrap_or(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Instance;

    fn settings(name: &str) -> Settings {
        Settings {
            kind: kind(name).unwrap(),
            tasks: 60,
            nodes: 8,
            resources: 2,
            fill: 0.85,
            longest: 100,
            seed: 1,
            priced: true,
            sd: 0.0,
        }
    }

    fn build(settings: &Settings) -> Instance {
        generate(settings).unwrap().build().unwrap()
    }

    #[test]
    fn a_seed_is_an_instance() {
        for kind in KINDS {
            let make = |seed| {
                format!("{:?}", generate(&Settings { seed, ..settings(kind.name) }).unwrap())
            };
            assert_eq!(make(1), make(1), "{}", kind.name);
            assert_ne!(make(1), make(2), "{}", kind.name);
            assert_eq!(build(&settings(kind.name)).jobs().count(), 60);
        }
    }

    #[test]
    fn clusters_are_as_full_as_asked() {
        for name in ["uniform", "correlated", "heavy-tailed"] {
            let instance = build(&Settings { tasks: 2000, ..settings(name) });
            for r in 0..2 {
                let demand: i64 = instance.task_ids().map(|t| instance.demand(t)[r]).sum();
                let capacity: i64 = instance.node_ids().map(|n| instance.capacity(n)[r]).sum();
                let fill = demand as f64 / capacity as f64;
                assert!((fill - 0.85).abs() < 0.01, "{name}: {fill}");
            }
        }
    }

    #[test]
    fn every_task_fits_somewhere() {
        for kind in KINDS {
            let instance = build(&settings(kind.name));
            for task in instance.task_ids() {
                let fits = instance.node_ids().any(|node| instance.fits_alone(task, node));
                assert!(fits, "{}: {}", kind.name, instance.task_name(task));
            }
        }
    }

    #[test]
    fn bad_settings_are_refused() {
        for (change, want) in [
            (Settings { tasks: 0, ..settings("uniform") }, "0 tasks"),
            (Settings { fill: f64::NAN, ..settings("uniform") }, "fill NaN"),
            (Settings { sd: -0.1, ..settings("uniform") }, "deviation -0.1"),
            (Settings { sd: 0.1, ..settings("gap-a") }, "do not vary"),
            (Settings { resources: 17, ..settings("uniform") }, "17 resources"),
            (Settings { tasks: 1_000_000, nodes: 1000, ..settings("gap-a") }, "table"),
        ] {
            let message = generate(&change).unwrap_err().to_string();
            assert!(message.contains(want), "{message}");
        }
        assert!(kind("unifrom").unwrap_err().remedy.contains("uniform"));
    }
}
