//! The integer program over classes: how many tasks of each class
//! go to each node. One function per family of rows.
//!
//! With one group a node and integer counts it is the exact model; with one
//! group a class of nodes and fractional counts it is the LP relaxation, whose
//! value equals that of the full LP, because averaging a solution over tasks
//! and nodes that nothing can tell apart changes neither rows nor objective.

use super::columns::{BalanceRows, Model, Settled, Shape, limits, most_that_fit};
use super::margins::HIDDEN;
use super::moves::room;
use super::objective::{counted, unit};
use super::program::{Col, Of, Program};
use super::risk::{Breaks, most_in_risk};
use judge::metrics;
use model::{Instance, Plan, Prices, ROUNDING, Shape as GoalShape, Term, Tier};

impl<'a> Model<'a> {
    /// The model that minimises `tier` while the earlier tiers keep their
    /// values. `points` are where the parabola of the variance gets tangents, `breaks` where the root of
    /// a load's variance is met.
    /// `None` when some task has no node to go to.
    pub(super) fn build(
        shape: &'a Shape<'a>,
        tier: &Tier,
        settled: &[Settled],
        points: &[f64],
        breaks: &Breaks,
    ) -> Option<Model<'a>> {
        let mut model = Model {
            shape,
            program: Program::default(),
            counts: Vec::new(),
            unplaced: Vec::new(),
            used: Vec::new(),
            peak: None,
            balance: None,
            margins: Vec::new(),
            margins_constant: 0.0,
            group_moves: None,
            cards: Vec::new(),
            derived: Vec::new(),
            chords: Vec::new(),
            unit: unit(shape.instance, tier),
            offset: 0.0,
            key: key_resource(shape.instance),
        };
        let all = std::iter::once(tier).chain(settled.iter().map(|earlier| &earlier.tier));
        let terms = || all.clone().flat_map(|tier| &tier.terms).map(|part| part.term.shape());
        let wanted = |of: &dyn Fn(&GoalShape) -> bool| terms().any(of);
        let prices = |of: &dyn Fn(&Prices) -> bool| {
            terms().any(|shape| matches!(shape, GoalShape::Prices(prices) if of(prices)))
        };
        let limits = limits(shape, settled);
        model.count_columns(&limits);
        model.assignment_rows()?;
        if prices(&|prices| prices.any_use(shape.instance)) {
            model.used_columns();
        }
        model.capacity_rows(&limits);
        model.transient_rows();
        model.risk_rows(breaks);
        model.max_tasks_rows();
        if shape.integer {
            model.card_rows();
            model.rule_rows();
            model.failure_rows();
        }
        if prices(&|prices| prices.margins) {
            model.excess_rows();
            model.ratio_rows();
            if shape.integer {
                model.wish_rows();
            }
        }
        if wanted(&|shape| matches!(shape, GoalShape::LargestGroup)) {
            model.group_moves_rows();
        }
        // A peak that is settled alone is a matter of limits.
        let peak = |tier: &Tier| {
            tier.terms.iter().any(|part| matches!(part.term.shape(), GoalShape::Highest))
        };
        if peak(tier) || settled.iter().any(|earlier| earlier.peak.is_none() && peak(&earlier.tier))
        {
            model.peak_rows();
        }
        if wanted(&|shape| matches!(shape, GoalShape::Variance)) {
            let rows = BalanceRows::add(&mut model.program, shape, &model.counts, points);
            model.balance = Some(rows);
        }
        if shape.integer {
            model.symmetry_rows();
        }
        for (k, earlier) in settled.iter().enumerate() {
            model.program.about("tier", &[Of::Number(k)]);
            model.settled_row(earlier);
        }
        model.objective(tier);
        Some(model)
    }

    fn count_columns(&mut self, limits: &[Vec<i64>]) {
        let shape = self.shape;
        for class in &shape.classes.tasks {
            let task = class.example();
            let row = shape.groups.iter().zip(limits).map(|(group, limit)| {
                let node = group[0];
                let demand = shape.instance.demand_on(task, node);
                let most = if shape.instance.has_transient() {
                    most_that_fit(demand, &room(shape, task, node, limit))
                } else {
                    most_that_fit(demand, limit)
                };
                let most = most.min(class.tasks.len() as i64);
                let most = most_in_risk(shape.instance, task, node, most);
                if !shape.instance.eligible(task, node) || most == 0 {
                    return None;
                }
                let most = most.saturating_mul(group.len() as i64).min(class.tasks.len() as i64);
                self.program.about("x", &[Of::Task(task), Of::Node(node)]);
                Some(self.program.column(0.0, most as f64, shape.integer))
            });
            self.counts.push(row.collect());
        }
    }

    /// Each class is placed whole, up to what may stay unplaced.
    fn assignment_rows(&mut self) -> Option<()> {
        for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
            let tasks = class.tasks.len() as f64;
            let mut terms: Vec<(Col, f64)> =
                counts.iter().flatten().map(|col| (*col, 1.0)).collect();
            let example = Of::Task(class.example());
            if self.shape.allow_unplaced {
                self.program.about("unplaced", &[example]);
                let left = self.program.column(0.0, tasks, self.shape.integer);
                self.unplaced.push(left);
                terms.push((left, 1.0));
            }
            if terms.is_empty() {
                return None;
            }
            self.program.about("place", &[example]);
            self.program.equal(terms, tasks);
        }
        Some(())
    }

    /// How many nodes of each group are used at all.
    fn used_columns(&mut self) {
        let integer = self.shape.integer;
        for group in &self.shape.groups {
            self.program.about("used", &[Of::Node(group[0])]);
            self.used.push(self.program.column(0.0, group.len() as f64, integer));
        }
    }

    /// Loads within capacities; nothing on nodes that are not used.
    fn capacity_rows(&mut self, limits: &[Vec<i64>]) {
        let instance = self.shape.instance;
        for (g, group) in self.shape.groups.iter().enumerate() {
            let size = group.len() as f64;
            for (r, limit) in limits[g].iter().enumerate() {
                let mut terms = self.load_terms(g, r, 1.0);
                let limit = *limit as f64;
                self.program.about("capacity", &[Of::Resource(r), Of::Node(group[0])]);
                let all: f64 = self.largest_load(&terms);
                if all <= limit && self.used.is_empty() {
                    continue; // not even everything together is too much
                }
                if let Some(used) = self.used.get(g) {
                    terms.push((*used, -limit));
                    self.program.at_most(terms, 0.0);
                } else {
                    self.program.at_most(terms, limit * size);
                }
            }
            // Tasks that demand nothing make a node used all the same.
            let Some(used) = self.used.get(g).copied() else { continue };
            for (class, counts) in self.shape.classes.tasks.iter().zip(&self.counts) {
                let Some(col) = counts[g] else { continue };
                let demand = instance.demand_on(class.example(), group[0]);
                if demand.iter().all(|d| *d == 0) {
                    let most = class.tasks.len() as f64;
                    let about = [Of::Task(class.example()), Of::Node(group[0])];
                    self.program.about("uses", &about);
                    self.program.at_most(vec![(col, 1.0), (used, -most)], 0.0);
                }
            }
        }
    }

    /// No more tasks on a node than it takes.
    fn max_tasks_rows(&mut self) {
        for (g, group) in self.shape.groups.iter().enumerate() {
            let most = f64::from(self.shape.instance.max_tasks(group[0]));
            let terms: Vec<(Col, f64)> =
                self.counts.iter().filter_map(|row| row[g]).map(|col| (col, 1.0)).collect();
            if self.largest_load(&terms) <= most {
                continue;
            }
            self.program.about("max_tasks", &[Of::Node(group[0])]);
            match self.used.get(g) {
                Some(used) => {
                    let used = (*used, -most);
                    self.program.at_most(terms.into_iter().chain([used]).collect(), 0.0);
                }
                None => self.program.at_most(terms, most * group.len() as f64),
            }
        }
    }

    /// z is at least every utilisation.
    fn peak_rows(&mut self) {
        let instance = self.shape.instance;
        let mut floor = 0.0f64;
        for node in instance.node_ids().filter(|node| instance.counted(*node)) {
            for (used, capacity) in instance.used(node).iter().zip(instance.capacity(node)) {
                if *capacity > 0 {
                    floor = floor.max(*used as f64 / *capacity as f64);
                }
            }
        }
        self.program.about("peak", &[]);
        let z = self.program.column(floor, f64::INFINITY, false);
        self.peak = Some(z);
        for (g, group) in self.shape.groups.iter().enumerate() {
            let size = group.len() as f64;
            for r in 0..instance.resources().len() {
                let capacity = instance.capacity(group[0])[r] as f64;
                if capacity == 0.0 {
                    continue;
                }
                let mut terms = self.load_terms(g, r, 1.0 / (capacity * size));
                if terms.is_empty() {
                    continue;
                }
                terms.push((z, -1.0));
                self.program.about("peak", &[Of::Resource(r), Of::Node(group[0])]);
                self.program.at_most(terms, -(instance.used(group[0])[r] as f64) / capacity);
            }
        }
    }

    /// Identical nodes in order of load: of all the plans that differ only in
    /// which twin is which, one is enough.
    fn symmetry_rows(&mut self) {
        for g in 1..self.shape.groups.len() {
            if !self.twins(g - 1, g) {
                continue;
            }
            let mut terms = self.load_terms(g, self.key, 1.0);
            terms.extend(self.load_terms(g - 1, self.key, -1.0));
            self.program.about("order", &[Of::Node(self.shape.groups[g][0])]);
            self.program.at_most(terms, 0.0);
            if let (Some(a), Some(b)) = (self.used.get(g - 1), self.used.get(g)) {
                let terms = vec![(*b, 1.0), (*a, -1.0)];
                self.program.at_most(terms, 0.0);
            }
        }
    }

    /// Whether two neighbouring groups are nodes of one class.
    pub(super) fn twins(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.shape.groups[a][0], self.shape.groups[b][0]);
        self.shape.classes.nodes.iter().any(|class| {
            class.nodes.binary_search(&a).is_ok() && class.nodes.binary_search(&b).is_ok()
        }) && self.shape.fail_alike(a, b)
    }

    /// An earlier tier gets no worse.
    fn settled_row(&mut self, earlier: &Settled) {
        if earlier.peak.is_some() {
            return; // already in the capacities
        }
        let unit = unit(self.shape.instance, &earlier.tier);
        let (terms, constant) = self.tier_terms(&earlier.tier, unit);
        let value = earlier.worth.near() * unit;
        let slack = match counted(self.shape.instance, &earlier.tier) {
            Some(_) => 0.5 + ROUNDING * value.abs(),
            None => HIDDEN * (1.0 + value.abs()),
        };
        self.program.at_most(terms, value - constant + slack);
    }

    fn objective(&mut self, tier: &Tier) {
        let (terms, constant) = self.tier_terms(tier, self.unit);
        for (col, cost) in terms {
            self.program.columns[col as usize].cost += cost;
        }
        self.offset = constant;
    }
}

/// The resource whose total demand is largest against the total capacity.
fn key_resource(instance: &Instance) -> usize {
    let share = |r: usize| {
        let demand: f64 = instance.task_ids().map(|task| instance.demand(task)[r] as f64).sum();
        let capacity: f64 = instance.node_ids().map(|node| instance.capacity(node)[r] as f64).sum();
        if capacity > 0.0 { demand / capacity } else { 0.0 }
    };
    let shares: Vec<f64> = (0..instance.resources().len()).map(share).collect();
    (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]).then(b.cmp(a))).unwrap_or(0)
}

/// The tier with its value in a plan, ready to be held there.
pub(super) fn settle(instance: &Instance, plan: &Plan, tier: &Tier) -> Settled {
    let worth = metrics::worth_of(instance, plan, tier);
    let peak = matches!(tier.only().map(Term::shape), Some(GoalShape::Highest));
    let peak = peak.then(|| highest(instance, plan));
    Settled { tier: tier.clone(), worth, peak }
}

/// Highest load over capacity as an exact fraction.
fn highest(instance: &Instance, plan: &Plan) -> (i64, i64) {
    let width = instance.resources().len();
    let loads = metrics::loads(instance, plan);
    let mut best = (0i64, 1i64);
    for node in instance.node_ids().filter(|node| instance.counted(*node)) {
        for (r, capacity) in instance.capacity(node).iter().enumerate() {
            let load = loads[node.index() * width + r];
            let higher =
                i128::from(load) * i128::from(best.1) > i128::from(best.0) * i128::from(*capacity);
            if *capacity > 0 && higher {
                best = (load, *capacity);
            }
        }
    }
    best
}
