//! A mixed-integer program as columns and sparse rows, before any solver sees it.

use model::{NodeId, TaskId};

/// A column's number.
pub(super) type Col = u32;

/// What a column or row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A task, for all of its class.
    Task(TaskId),
    /// A node, for all of its group.
    Node(NodeId),
    /// A resource, by position.
    Resource(usize),
    /// A rule, by position.
    Rule(usize),
    /// A card or a tier, by position.
    Number(usize),
    /// A second from the start of the plan.
    Second(i64),
}

/// The family that a column or row belongs to and what it is about. Files make a name of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) family: &'static str,
    pub(super) of: [Option<Of>; 4],
}

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) label: Label,
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) integer: bool,
    /// Coefficient in the objective, which is minimised.
    pub(super) cost: f64,
}

/// How a row compares with its right-hand side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    AtMost,
    Equal,
}

/// A linear constraint.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: Label,
    /// A column may come more than once: then its coefficients add up.
    pub(super) terms: Vec<(Col, f64)>,
    pub(super) sense: Sense,
    pub(super) rhs: f64,
}

/// min cost x subject to rows and bounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
    /// Of what is added next.
    label: Label,
}

impl Program {
    /// Says what the columns and rows added from now on are about: at most four things.
    pub(super) fn about(&mut self, family: &'static str, of: &[Of]) {
        self.label = Label { family, ..Label::default() };
        self.label.of.iter_mut().zip(of).for_each(|(place, of)| *place = Some(*of));
    }

    pub(super) fn column(&mut self, lower: f64, upper: f64, integer: bool) -> Col {
        self.columns.push(Column { label: self.label, lower, upper, integer, cost: 0.0 });
        (self.columns.len() - 1) as Col
    }

    pub(super) fn at_most(&mut self, terms: Vec<(Col, f64)>, rhs: f64) {
        self.row(terms, Sense::AtMost, rhs);
    }

    pub(super) fn equal(&mut self, terms: Vec<(Col, f64)>, rhs: f64) {
        self.row(terms, Sense::Equal, rhs);
    }

    fn row(&mut self, terms: Vec<(Col, f64)>, sense: Sense, rhs: f64) {
        if !terms.is_empty() {
            self.rows.push(Row { label: self.label, terms, sense, rhs });
        }
    }

    /// Objective of a point.
    pub(super) fn objective(&self, point: &[f64]) -> f64 {
        self.columns.iter().zip(point).map(|(column, x)| column.cost * x).sum()
    }

    /// The largest amount by which a point misses a row, a bound or integrality,
    /// relative to the size of the row.
    pub(super) fn violation(&self, point: &[f64]) -> f64 {
        let rows = self.rows.iter().map(|row| {
            let value: f64 = row.terms.iter().map(|(col, a)| a * point[*col as usize]).sum();
            let size: f64 = row.terms.iter().map(|(_, a)| a.abs()).fold(1.0, f64::max);
            let over = value - row.rhs;
            match row.sense {
                Sense::AtMost => over.max(0.0) / size,
                Sense::Equal => over.abs() / size,
            }
        });
        let columns = self.columns.iter().zip(point).map(|(column, x)| {
            let outside = (column.lower - x).max(x - column.upper).max(0.0);
            let fraction = if column.integer { (x - x.round()).abs() } else { 0.0 };
            outside.max(fraction)
        });
        rows.chain(columns).fold(0.0, f64::max)
    }
}

/// One term a column.
pub(super) fn merged(mut terms: Vec<(Col, f64)>) -> Vec<(Col, f64)> {
    terms.sort_by_key(|(col, _)| *col);
    terms.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    terms
}
