//! What the plan means, in sentences for somebody who has never heard of bounds.

use super::{Report, Tile, number};
use judge::proof::Proof;
use model::{Measure, Term};
use plan::compare::Comparison;

/// The first tier that the instance itself asks for; before it stands what may be left out.
pub(super) fn own(report: &Report) -> Option<usize> {
    let goal = &report.outcome.goal;
    let own = report.instance.goal().tiers.len().min(goal.len());
    (goal.len() > own || own > 0).then(|| goal.len() - own).filter(|at| *at < goal.len())
}

/// The verdict.
pub(super) fn title(report: &Report) -> String {
    let open = report.outcome.goal.iter().find(|tier| tier.gap > 0.0);
    match open {
        None if report.metrics.unplaced > 0 => "As many tasks placed as can be".to_owned(),
        None => "The best plan there is".to_owned(),
        Some(tier) if tier.bound <= 0.0 => "A plan, its distance from the best unknown".to_owned(),
        Some(tier) => {
            let which = match report.outcome.goal.len() {
                1 => String::new(),
                _ => format!(" in {}", tier.tier),
            };
            format!("A plan; at most {} could be gained{which}", number::percent(tier.gap))
        }
    }
}

/// What was placed, what the goal came to, and whether better is possible.
pub(super) fn sentence(report: &Report) -> String {
    let instance = report.instance;
    let left = report.metrics.unplaced;
    let mut text = match left {
        0 => format!("All {} tasks have a node. ", number::grouped(instance.tasks())),
        1 => format!("Of {} tasks one has no node. ", number::grouped(instance.tasks())),
        _ => format!(
            "Of {} tasks {} have no node. ",
            number::grouped(instance.tasks()),
            number::grouped(left)
        ),
    };
    if let Some(tier) = own(report).map(|at| &report.outcome.goal[at]) {
        let (value, bound) = number::pair(&tier.tier, tier.value, tier.bound);
        text.push_str(&meaning(report, tier, &value));
        text.push_str(&match (tier.gap == 0.0, tier.bound > 0.0) {
            (true, _) if left > 0 => {
                "; with these tasks placed no plan does better, which is proven.".to_owned()
            }
            (true, _) if report.instance.may_be_too_narrow() => {
                "; no plan for what was read does better, which is proven.".to_owned()
            }
            (true, _) => "; no plan does better, which is proven.".to_owned(),
            (false, true) => format!(
                "; no plan gets below {bound}, so at most {} is left to gain.",
                number::percent(tier.gap)
            ),
            (false, false) => "; how much better a plan could be is not known.".to_owned(),
        });
    }
    text
}

/// What the value of a tier says about the plan.
fn meaning(report: &Report, tier: &Proof, value: &str) -> String {
    let metrics = &report.metrics;
    let said = match tier.tier.only() {
        Some(term) => term.info().says.replace("{}", value),
        None => format!("The goal {} comes to {value}", tier.tier),
    };
    match tier.tier.measure() {
        Measure::Variance => {
            let deviation = 100.0 * metrics.standard_deviation;
            format!("{said} (standard deviation {deviation:.2} percentage points)")
        }
        Measure::Share | Measure::Time | Measure::Number => said,
    }
}

/// The figures at the top.
pub(super) fn tiles(report: &Report) -> Vec<Tile> {
    let (instance, metrics) = (report.instance, &report.metrics);
    let tile =
        |name: &str, value: String, small: String| Tile { name: name.to_owned(), value, small };
    let mut tiles = Vec::new();
    if let Some(tier) = own(report).map(|at| &report.outcome.goal[at]) {
        let (value, bound) = number::pair(&tier.tier, tier.value, tier.bound);
        tiles.push(tile("value", value, format!("goal: {}", tier.tier)));
        tiles.push(tile("bound", bound, "no plan is below".to_owned()));
        let gap = if tier.gap == 0.0 { "proven optimal" } else { "value to bound" };
        tiles.push(tile("gap", number::percent(tier.gap), gap.to_owned()));
    }
    let placed = report.outcome.plan.placed();
    tiles.push(tile(
        "tasks placed",
        number::grouped(placed),
        format!("of {}", number::grouped(instance.tasks())),
    ));
    tiles.push(tile(
        "nodes used",
        number::grouped(metrics.nodes_used),
        format!("of {}", number::grouped(instance.nodes())),
    ));
    tiles.push(tile(
        "balance degree",
        number::small(metrics.balance_degree),
        "variance of node utilisation".to_owned(),
    ));
    if instance.current_matters() {
        tiles.push(tile(
            "moved",
            number::grouped(metrics.sum(Term::Moved) as usize),
            "running tasks".to_owned(),
        ));
    }
    tiles
}

/// Which method won how often.
pub(super) fn ranking(comparison: &Comparison, instances: usize) -> String {
    let mut firsts: Vec<(&str, usize)> = Vec::new();
    for row in comparison.rows.iter().filter(|row| row.rank == Some(1)) {
        match firsts.iter_mut().find(|(method, _)| *method == row.method) {
            Some((_, count)) => *count += 1,
            None => firsts.push((&row.method, 1)),
        }
    }
    firsts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let proven = comparison.rows.iter().filter(|row| row.status == "optimal").count();
    let times = |count: usize| match (instances, count) {
        (1, _) => String::new(),
        (all, count) => format!(" on {} of {}", number::grouped(count), number::grouped(all)),
    };
    let best: Vec<String> =
        firsts.iter().map(|(method, count)| format!("{method}{}", times(*count))).collect();
    if best.is_empty() {
        "No method found a plan.".to_owned()
    } else {
        format!(
            "First place{}: {}. {} of {} results are proven optimal.",
            if best.len() == 1 { "" } else { ", shared where equal" },
            best.join(", "),
            number::grouped(proven),
            number::grouped(comparison.rows.len())
        )
    }
}
