//! A mixed-integer program as columns and sparse rows, before any solver sees it.

/// A column's number.
pub(super) type Col = u32;

/// A variable.
#[derive(Clone, Debug)]
pub(super) struct Column {
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
    pub(super) terms: Vec<(Col, f64)>,
    pub(super) sense: Sense,
    pub(super) rhs: f64,
}

/// min cost x subject to rows and bounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Row>,
}

impl Program {
    pub(super) fn column(&mut self, lower: f64, upper: f64, integer: bool) -> Col {
        self.columns.push(Column { lower, upper, integer, cost: 0.0 });
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
            self.rows.push(Row { terms, sense, rhs });
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
