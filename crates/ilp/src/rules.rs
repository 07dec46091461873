//! Rules between tasks and soft rules as rows. A class of tasks lies under a
//! rule as a whole, because what rules a task is under is part of its class.

use std::collections::BTreeMap;

use super::columns::{Above, Derived, Model};
use super::program::{Col, Of, merged};
use model::{LabelValues, Rule, RuleShape, TaskId};

impl Derived {
    /// Fills in the column from the others in `point`.
    pub(super) fn start(&self, point: &mut [f64]) {
        let sum = |cols: &[Col]| cols.iter().map(|col| point[*col as usize]).sum::<f64>();
        match self {
            Derived::Any { col, of } => point[*col as usize] = f64::from(sum(of) > 0.5),
            Derived::Most { col, of } => {
                let full = |(cols, there): &(Vec<Col>, f64)| match sum(cols) {
                    own if own > 0.5 => own + there,
                    _ => 0.0,
                };
                point[*col as usize] = of.iter().map(full).fold(0.0, f64::max);
            }
            Derived::Over { col, of } => {
                let above = |(terms, limit): &Above| {
                    terms.iter().map(|(col, a)| a * point[*col as usize]).sum::<f64>() - limit
                };
                point[*col as usize] = of.iter().map(above).fold(0.0, f64::max);
            }
        }
    }
}

/// Columns of tasks by the value of a label, values in order.
type ByValue = Vec<(u32, Vec<Col>)>;

impl Model<'_> {
    /// Every rule between tasks.
    pub(super) fn rule_rows(&mut self) {
        let shape = self.shape;
        for (k, rule) in shape.instance.rules().iter().enumerate() {
            self.program.about("rule", &[Of::Rule(k)]);
            let members = self.classes_of(&rule.tasks);
            let on = self.by_value(rule, &members);
            let n = rule.tasks.len() as f64;
            match rule.shape() {
                RuleShape::AllOrNone => self.gang_rows(&members, n),
                RuleShape::Values { at_least, at_most, max_skew } => {
                    self.distinct_rows(&members, &on, n, (at_least, at_most));
                    if let Some(skew) = max_skew {
                        self.skew_rows(rule, &on, skew);
                    }
                }
                RuleShape::Beside { others } => {
                    let others = self.classes_of(others);
                    let there = self.by_value(rule, &others);
                    self.near_rows(&on, &there, n);
                }
                RuleShape::Sum { at_most, .. } => self.sum_rows(rule, at_most, &members),
            }
        }
    }

    /// No more on any value than there may be.
    fn sum_rows(&mut self, rule: &Rule, at_most: i64, members: &[usize]) {
        let (shape, mut on) = (self.shape, BTreeMap::new());
        for (g, group) in shape.groups.iter().enumerate() {
            let Some(value) = shape.instance.value_of(rule, group[0]) else { continue };
            let terms: &mut Vec<(Col, f64)> = on.entry(value).or_default();
            for k in members {
                let amount = rule.adds(shape.classes.tasks[*k].example(), group[0]);
                let own = self.counts[*k][g].filter(|_| amount > 0);
                terms.extend(own.map(|col| (col, amount as f64)));
            }
        }
        for terms in on.into_values() {
            if self.largest_load(&terms) > at_most as f64 {
                self.program.at_most(terms, at_most as f64);
            }
        }
    }

    /// The classes that the tasks make up.
    fn classes_of(&self, tasks: &[TaskId]) -> Vec<usize> {
        let classes = self.shape.classes.tasks.iter().enumerate();
        let own = classes.filter(|(_, class)| tasks.binary_search(&class.example()).is_ok());
        own.map(|(k, _)| k).collect()
    }

    fn by_value(&self, rule: &Rule, classes: &[usize]) -> ByValue {
        let label = &self.shape.instance.label_values()[rule.over as usize];
        let mut on: ByValue = Vec::new();
        for (g, group) in self.shape.groups.iter().enumerate() {
            let value = label.of[group[0].index()];
            let cols = classes.iter().filter_map(|k| self.counts[*k][g]);
            let cols: Vec<Col> = cols.collect();
            if value == LabelValues::NONE || cols.is_empty() {
                continue;
            }
            match on.binary_search_by_key(&value, |(known, _)| *known) {
                Ok(at) => on[at].1.extend(cols),
                Err(at) => on.insert(at, (value, cols)),
            }
        }
        on
    }

    /// A binary that is 1 exactly when any of the columns is positive; `most` is
    /// the most that they add up to.
    fn any(&mut self, cols: &[Col], most: f64) -> Col {
        let any = self.program.column(0.0, 1.0, true);
        let mut terms = ones(cols);
        terms.push((any, -most));
        self.program.at_most(terms, 0.0);
        let mut terms: Vec<(Col, f64)> = cols.iter().map(|col| (*col, -1.0)).collect();
        terms.push((any, 1.0));
        self.program.at_most(terms, 0.0);
        self.derived.push(Derived::Any { col: any, of: cols.to_vec() });
        any
    }

    /// All or none: where tasks may stay unplaced, all of the gang's do together.
    fn gang_rows(&mut self, members: &[usize], n: f64) {
        if !self.shape.allow_unplaced {
            return;
        }
        let left: Vec<Col> = members.iter().map(|k| self.unplaced[*k]).collect();
        let any = self.any(&left, n);
        let mut terms = ones(&left);
        terms.push((any, -n));
        self.program.equal(terms, 0.0);
    }

    /// At least and at most so many values in use.
    fn distinct_rows(
        &mut self,
        members: &[usize],
        on: &ByValue,
        n: f64,
        (at_least, at_most): (u32, u32),
    ) {
        if at_least <= 1 && at_most as usize >= on.len() {
            return;
        }
        let used: Vec<Col> = on.iter().map(|(_, cols)| self.any(cols, n)).collect();
        if (at_most as usize) < on.len() {
            self.program.at_most(ones(&used), f64::from(at_most));
        }
        if at_least > 1 {
            let mut terms: Vec<(Col, f64)> = used.iter().map(|col| (*col, -1.0)).collect();
            if self.shape.allow_unplaced {
                let all = members.iter().flat_map(|k| self.counts[*k].iter().flatten().copied());
                let all: Vec<Col> = all.collect();
                let placed = self.any(&all, n);
                terms.push((placed, f64::from(at_least)));
                self.program.at_most(terms, 0.0);
            } else if terms.is_empty() {
                // No task of the rule has a node; the assignment rows say so.
            } else {
                self.program.at_most(terms, -f64::from(at_least));
            }
        }
    }

    /// The number of tasks on the fullest value with any of the plan.
    fn fullest(&mut self, rule: &Rule, on: &ByValue) -> Col {
        let most = self.program.column(0.0, f64::INFINITY, false);
        for (value, cols) in on {
            let there = f64::from(rule.present_on(*value));
            let mut terms = ones(cols);
            terms.push((most, -1.0));
            if there > 0.0 {
                // What is there counts as full only where the plan adds to it.
                terms.push((self.any(cols, rule.tasks.len() as f64), there));
            }
            self.program.at_most(terms, 0.0);
        }
        let there = |value: u32| f64::from(rule.present_on(value));
        let of = on.iter().map(|(value, cols)| (cols.clone(), there(*value))).collect();
        self.derived.push(Derived::Most { col: most, of });
        most
    }

    /// Counts on all values that could be used are no further below the fullest than the skew.
    fn skew_rows(&mut self, rule: &Rule, on: &ByValue, skew: u32) {
        for (terms, limit) in self.below_fullest(rule, on, skew) {
            self.program.at_most(terms, limit);
        }
    }

    /// For each value that could be used: how far its count is below the fullest, and how far it
    /// may be.
    fn below_fullest(&mut self, rule: &Rule, on: &ByValue, skew: u32) -> Vec<Above> {
        let most = self.fullest(rule, on);
        let each = rule.values.iter().map(|value| {
            let cols = on.iter().find(|(known, _)| known == value).map_or(&[][..], |(_, c)| c);
            let mut terms: Vec<(Col, f64)> = cols.iter().map(|col| (*col, -1.0)).collect();
            terms.push((most, 1.0));
            (terms, f64::from(skew) + f64::from(rule.present_on(*value)))
        });
        each.collect()
    }

    /// Members only where one of the others is.
    fn near_rows(&mut self, on: &ByValue, there: &ByValue, n: f64) {
        for (value, cols) in on {
            let others = there.iter().find(|(known, _)| known == value);
            let mut terms = ones(cols);
            if let Some((_, others)) = others {
                terms.extend(others.iter().map(|col| (*col, -n)));
            }
            let own: Vec<(Col, f64)> = merged(terms);
            self.program.at_most(own, 0.0);
        }
    }

    /// Columns for breaches of wishes, priced.
    pub(super) fn wish_rows(&mut self) {
        let (shape, factor) = (self.shape, self.shape.instance.soft_scale().factor());
        for (k, wish) in shape.instance.wishes().iter().enumerate() {
            let (rule, price) = (&wish.rule, wish.price as f64 * factor);
            self.program.about("wish", &[Of::Number(k)]);
            let members = self.classes_of(&rule.tasks);
            let on = self.by_value(rule, &members);
            let n = rule.tasks.len() as f64;
            match rule.shape() {
                // They have no price.
                RuleShape::AllOrNone => {}
                RuleShape::Sum { at_most, .. } => {
                    for (_, cols) in on {
                        self.breach(ones(&cols), at_most as f64, price);
                    }
                }
                RuleShape::Values { at_least, at_most, max_skew } => {
                    if at_least > 0 || (at_most as usize) < on.len() {
                        self.distinct_breaches(&members, &on, n, (at_least, at_most), price);
                    }
                    if let Some(skew) = max_skew {
                        let each = self.below_fullest(rule, &on, skew);
                        self.priced(each, price);
                    }
                }
                RuleShape::Beside { others } => {
                    let others_placed = others.len() as f64;
                    let others = self.classes_of(others);
                    let there = self.by_value(rule, &others);
                    for (value, cols) in &on {
                        let beside = there.iter().find(|(known, _)| known == value);
                        let beside = beside.map_or(Vec::new(), |(_, cols)| cols.clone());
                        let any = self.any(&beside, others_placed);
                        let mut terms = ones(cols);
                        terms.push((any, -n));
                        self.breach(terms, 0.0, price);
                    }
                    let stray = self.stray(rule, &members);
                    self.margins.extend(stray.into_iter().map(|col| (col, price)));
                }
            }
        }
    }

    /// The most that any of the sums is above its limit costs so much each.
    pub(super) fn priced(&mut self, of: Vec<Above>, price: f64) {
        let over = self.program.column(0.0, f64::INFINITY, false);
        for (terms, limit) in &of {
            let mut row = terms.clone();
            row.push((over, -1.0));
            self.program.at_most(row, *limit);
        }
        self.derived.push(Derived::Over { col: over, of });
        self.margins.push((over, price));
    }

    /// What the terms are above the limit costs so much each.
    fn breach(&mut self, terms: Vec<(Col, f64)>, limit: f64, price: f64) {
        self.priced(vec![(merged(terms), limit)], price);
    }

    /// Values in use beyond the most, and short of the fewest once any of the tasks is placed.
    fn distinct_breaches(
        &mut self,
        members: &[usize],
        on: &ByValue,
        n: f64,
        (at_least, at_most): (u32, u32),
        price: f64,
    ) {
        let used: Vec<Col> = on.iter().map(|(_, cols)| self.any(cols, n)).collect();
        if (at_most as usize) < on.len() {
            self.breach(ones(&used), f64::from(at_most), price);
        }
        if at_least > 0 {
            let all = members.iter().flat_map(|k| self.counts[*k].iter().flatten().copied());
            let all: Vec<Col> = all.collect();
            let placed = self.any(&all, n);
            let mut terms: Vec<(Col, f64)> = used.iter().map(|col| (*col, -1.0)).collect();
            terms.push((placed, f64::from(at_least)));
            self.breach(terms, 0.0, price);
        }
    }

    /// Counts of the classes on nodes without the rule's label.
    fn stray(&self, rule: &Rule, classes: &[usize]) -> Vec<Col> {
        let instance = self.shape.instance;
        let groups = self.shape.groups.iter().enumerate();
        let bare = groups.filter(|(_, group)| instance.value_of(rule, group[0]).is_none());
        bare.flat_map(|(g, _)| classes.iter().filter_map(move |k| self.counts[*k][g])).collect()
    }

    /// Columns for load above safety capacities, priced.
    pub(super) fn excess_rows(&mut self) {
        let instance = self.shape.instance;
        let factor = instance.soft_scale().factor();
        for (g, group) in self.shape.groups.iter().enumerate() {
            let node = group[0];
            for (r, safety) in instance.safety(node).iter().enumerate() {
                let price = instance.safety_price(r) as f64 * factor;
                let used = instance.used(node)[r];
                if price == 0.0 || *safety >= instance.limit(node)[r] {
                    continue;
                }
                let terms = self.load_terms(g, r, 1.0);
                if terms.is_empty() {
                    continue;
                }
                let limit = (*safety - used).max(0) as f64 * group.len() as f64;
                self.program.about("excess", &[Of::Resource(r), Of::Node(node)]);
                self.priced(vec![(terms, limit)], price);
            }
        }
    }
}

fn ones(cols: &[Col]) -> Vec<(Col, f64)> {
    cols.iter().map(|col| (*col, 1.0)).collect()
}
