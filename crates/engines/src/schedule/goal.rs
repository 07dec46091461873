//! What a schedule is worth: the tiers of the goal as numbers, before the metrics say so too.

use super::problem::{NEVER, Problem};
use super::serial::Builder;
use judge::metrics::{TimeFigures, step, unit};
use model::{
    Fraction, Goal, Instance, NodeId, Prices, Scale, Shape, TaskId, Term, Tier, WeightedTerm,
};

/// What a tier is worth while a schedule is built: so many of the tier's steps, or a real number
/// where it has none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Amount {
    Steps(i128),
    Real(f64),
}

impl Amount {
    /// Within the gap above another of the same tier.
    fn within(self, gap: f64, floor: Amount) -> bool {
        match (self, floor) {
            _ if self <= floor => true,
            (Amount::Steps(value), Amount::Steps(floor)) => {
                (value - floor) as f64 <= gap * value.unsigned_abs() as f64
            }
            (Amount::Real(value), Amount::Real(floor)) => value - floor <= gap * value.abs(),
            _ => false,
        }
    }
}

/// How a tier is counted.
#[derive(Clone)]
struct Measure {
    step: Fraction,
    /// What a unit of each term adds, in steps.
    factors: Vec<i128>,
    /// What is enough, in steps.
    enough: Option<i128>,
}

/// Factors beyond this leave too little of 128 bits to the counts.
const FACTOR: i128 = 1 << 60;

impl Measure {
    /// `None` for tiers that are no sums of whole numbers, or of too large ones.
    fn of(instance: &Instance, tier: &Tier) -> Option<Measure> {
        let step = step(instance, tier)?;
        let factor = |part: &WeightedTerm| {
            let each = unit(instance, part.term)?.step();
            let factor = Fraction::written(part.weight)?.times(each)?.in_steps(step);
            factor.filter(|factor| *factor <= FACTOR)
        };
        let enough = match tier.enough {
            Some(enough) => Some(Fraction::written(enough)?.in_steps(step)?),
            None => None,
        };
        let factors = tier.terms.iter().map(factor).collect::<Option<Vec<i128>>>()?;
        Some(Measure { step, factors, enough })
    }
}

/// Which of two values is better: the earlier tiers first.
pub(super) fn less(a: &[Amount], b: &[Amount]) -> bool {
    let differ = a.iter().zip(b).find(|(a, b)| a != b);
    differ.is_some_and(|(a, b)| a < b)
}

/// When a schedule is good enough: at its bounds, or as near to them as is asked for.
pub(super) struct Target {
    /// What values cannot be below, as [`Aim::value`] gives them.
    floors: Vec<Amount>,
    /// Part of each tier's value that may lie above its bound.
    gap: f64,
    /// Tasks left out where none may be: that value has no gap.
    whole: usize,
}

impl Target {
    /// Every tier is within the gap.
    pub fn reached(&self, value: &[Amount]) -> bool {
        value.iter().zip(&self.floors).enumerate().all(|(k, (value, floor))| {
            value.within(if k < self.whole { 0.0 } else { self.gap }, *floor)
        })
    }
}

/// The goal, with what decides about single placements.
#[derive(Clone)]
pub(super) struct Aim {
    pub goal: Goal,
    /// How each tier is counted, where it is.
    measures: Vec<Option<Measure>>,
    /// Weight of a second in the first tier that is not about tasks left out; 0 when that tier is
    /// about places alone.
    second: f64,
    /// Prices of places in that tier, and in all later ones, with their weights.
    places: [Vec<(Prices, f64)>; 2],
    /// Seconds count once for each unit of weight.
    weighted: bool,
}

impl Aim {
    pub fn new(p: &Problem, allow_unplaced: bool) -> Aim {
        let own = p.instance.goal();
        let goal = match allow_unplaced {
            true => own.with_unplaced_first(&p.instance.priorities()),
            false => own.clone(),
        };
        let prices = |tiers: &[model::Tier]| -> Vec<(Prices, f64)> {
            let all = tiers.iter().flat_map(|tier| &tier.terms);
            let priced = all.filter_map(|part| match part.term.shape() {
                Shape::Prices(prices) => Some((*prices, part.weight)),
                _ => None,
            });
            priced.collect()
        };
        let timed = own.tiers[0].terms.iter().filter(|t| t.term.is_timed());
        Aim {
            second: timed.clone().map(|t| t.weight).sum(),
            weighted: timed.clone().any(|t| matches!(t.term.shape(), Shape::Seconds(_))),
            places: [prices(&own.tiers[..1]), prices(&own.tiers[1..])],
            measures: goal.tiers.iter().map(|tier| Measure::of(p.instance, tier)).collect(),
            goal,
        }
    }

    /// Time decides, whatever the goal.
    pub fn by_time(p: &Problem) -> Aim {
        let aim = Aim::new(p, false);
        Aim { places: Default::default(), second: 1.0, ..aim }
    }

    /// Nothing but time decides where a task goes.
    pub fn time_alone(&self) -> bool {
        self.places.iter().all(Vec::is_empty)
    }

    /// The lower the better: the job on the node until `end`.
    pub fn score(&self, b: &Builder, job: usize, node: u32, end: i64) -> (f64, f64) {
        let first = self.price(b, job, node, 0);
        if self.second == 0.0 {
            return (first, end as f64);
        }
        let weight = if self.weighted { b.p.jobs[job].weight.max(1) as f64 } else { 1.0 };
        (self.second * weight * end as f64 + first, self.price(b, job, node, 1))
    }

    /// The lower the better when time is no matter any more.
    pub fn place_score(&self, b: &Builder, job: usize, node: u32, end: i64) -> (f64, f64) {
        (self.price(b, job, node, 0) + self.price(b, job, node, 1), end as f64)
    }

    fn price(&self, b: &Builder, job: usize, node: u32, which: usize) -> f64 {
        let instance = b.p.instance;
        let (task, at) = (TaskId(b.p.jobs[job].first), NodeId(node));
        let fresh = b.on[node as usize] == 0;
        let units = i64::from(b.p.jobs[job].units);
        let each = self.places[which].iter().map(|(prices, weight)| {
            let open = if fresh { prices.of_use(instance, at) } else { 0 };
            let tasks = prices.placement.price(instance, task, at) as f64 * units as f64;
            weight * (prices.scale)(instance).factor() * (tasks + open as f64)
        });
        each.sum()
    }

    /// The bounds of the goal's tiers as a target, with the gap to them.
    pub fn target(&self, bounds: impl Iterator<Item = f64>, gap: f64) -> Target {
        let floors = bounds.zip(&self.measures).map(|(bound, measure)| match measure {
            Some(measure) => Amount::Steps(measure.step.steps_to(bound).unwrap_or(i128::MIN)),
            None => Amount::Real(bound),
        });
        let whole = self.left_out_first();
        let first = whole.then_some(Amount::Steps(0));
        Target { floors: first.into_iter().chain(floors).collect(), gap, whole: whole.into() }
    }

    /// Whether a value begins with the number of jobs left out: where none may be.
    fn left_out_first(&self) -> bool {
        !matches!(self.goal.tiers[0].terms[0].term.shape(), Shape::LeftOut)
    }

    /// The tier's amount as a number.
    pub fn near(&self, tier: usize, amount: Amount) -> f64 {
        match (amount, &self.measures[tier]) {
            (Amount::Steps(steps), Some(measure)) => steps as f64 * measure.step.near(),
            (Amount::Steps(steps), None) => steps as f64,
            (Amount::Real(value), _) => value,
        }
    }

    /// A tier, from what its terms are worth in their own steps.
    fn amount(&self, b: &Builder, k: usize, of: &dyn Fn(Term) -> Amount) -> Amount {
        let tier = &self.goal.tiers[k];
        let Some(measure) = &self.measures[k] else {
            let near = |term| match of(term) {
                Amount::Steps(steps) => {
                    let scale = unit(b.p.instance, term).map_or(1.0, Scale::factor);
                    steps as f64 * scale
                }
                Amount::Real(value) => value,
            };
            return Amount::Real(
                tier.worth(tier.terms.iter().map(|part| part.weight * near(part.term)).sum()),
            );
        };
        let terms = tier.terms.iter().zip(&measure.factors);
        let sum = terms.fold(0i128, |sum, (part, factor)| match of(part.term) {
            Amount::Steps(steps) => sum.saturating_add(steps.saturating_mul(*factor)),
            Amount::Real(_) => sum,
        });
        Amount::Steps(measure.enough.map_or(sum, |enough| sum.max(enough)))
    }

    /// Every tier from what its terms are worth, after the number of jobs left out where none may
    /// be.
    pub fn amounts(&self, b: &Builder, left: usize, of: &dyn Fn(Term) -> Amount) -> Vec<Amount> {
        let first = self.left_out_first().then_some(Amount::Steps(left as i128));
        let tiers = (0..self.goal.tiers.len()).map(|k| self.amount(b, k, of));
        first.into_iter().chain(tiers).collect()
    }

    /// Every tier, after the number of jobs left out where none may be.
    pub fn value(&self, b: &Builder) -> Vec<Amount> {
        let left = b.start.iter().filter(|start| **start >= NEVER).count();
        self.amounts(b, left, &|term| self.term(b, term))
    }

    /// What a term is worth, of what has a place, in its own steps.
    pub fn term(&self, b: &Builder, term: Term) -> Amount {
        let p = b.p;
        let instance = p.instance;
        let jobs = || p.jobs.iter().enumerate().filter(|(k, _)| b.start[*k] < NEVER);
        let sum = |of: &dyn Fn(usize) -> i64| -> i128 {
            jobs().map(|(k, job)| i128::from(job.weight) * i128::from(of(k))).sum()
        };
        Amount::Steps(match term.shape() {
            Shape::LastEnd => jobs().map(|(k, _)| b.end[k]).max().unwrap_or(0).into(),
            Shape::Seconds(seconds) => {
                sum(&|k| seconds.of((p.jobs[k].release, p.jobs[k].due), (b.start[k], b.end[k])))
            }
            Shape::Prices(prices) => {
                let nodes = (0..p.nodes()).filter(|node| b.on[*node] > 0);
                let used = nodes.map(|node| prices.of_use(instance, NodeId::from(node)));
                let tasks = jobs().flat_map(|(_, job)| job.tasks());
                let placed = tasks.map(|task| {
                    prices.placement.price(instance, task, NodeId(b.node[task.index()]))
                });
                used.chain(placed).map(i128::from).sum()
            }
            Shape::LeftOut => {
                let priority = term.priority();
                let out = p.jobs.iter().enumerate().filter(|(k, job)| {
                    b.start[*k] >= NEVER && priority.is_none_or(|p| job.priority == p)
                });
                out.map(|(_, job)| i128::from(job.weight) * i128::from(job.units)).sum()
            }
            Shape::Highest => return Amount::Real(TimeFigures::of(instance, &b.schedule()).peak),
            // Refused beside goals about time.
            Shape::Amounts | Shape::Variance | Shape::LargestGroup => 0,
        })
    }
}
