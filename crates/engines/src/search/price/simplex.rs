//! A small linear program solver: the revised primal simplex method with a dense inverse.
//!
//! Columns and costs may change between solves; the last basis stays feasible as the right-hand
//! side never changes. Floating point throughout: whoever needs a proof takes the multipliers
//! found here and does the sums again in integers.

/// A column: rows and entries.
pub type Column = Vec<(u32, f64)>;

/// Reduced costs above minus this count as zero, and pivots below the other.
const PRICE: f64 = 1e-9;
const PIVOT: f64 = 1e-8;
/// Relative size of the perturbation of the right-hand side, against cycling.
const SHAKE: f64 = 1e-7;

/// minimise cost x, where columns x = rhs, x >= 0. The first columns are unit columns, one a row,
/// and the first basis.
pub struct Lp {
    rows: usize,
    pub cost: Vec<f64>,
    columns: Vec<Column>,
    /// Column of each row of the basis, and whether a column is in it.
    basis: Vec<usize>,
    basic: Vec<bool>,
    rhs: Vec<f64>,
    x: Vec<f64>,
    inverse: Vec<f64>,
    /// Multipliers of the rows, as of the last solve.
    pub dual: Vec<f64>,
    since: usize,
    /// Floating point operations, about.
    pub work: u64,
}

/// How a solve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Optimal,
    Unbounded,
    Limit,
}

impl Lp {
    /// `rhs` must not be negative; `cost` is that of the unit columns.
    pub fn new(rhs: &[f64], cost: &[f64]) -> Self {
        let m = rhs.len();
        let largest = rhs.iter().copied().fold(0.0, f64::max).max(1e-6);
        let shake = |i: usize| {
            let mixed = (i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            SHAKE * (1.0 + mixed as f64 / (1u64 << 24) as f64)
        };
        let rhs: Vec<f64> =
            rhs.iter().enumerate().map(|(i, b)| b + shake(i) * b.max(largest * 0.01)).collect();
        let mut inverse = vec![0.0; m * m];
        (0..m).for_each(|i| inverse[i * m + i] = 1.0);
        Lp {
            rows: m,
            cost: cost.to_vec(),
            columns: (0..m).map(|i| vec![(i as u32, 1.0)]).collect(),
            basis: (0..m).collect(),
            basic: vec![true; m],
            x: rhs.clone(),
            rhs,
            inverse,
            dual: vec![0.0; m],
            since: 0,
            work: 0,
        }
    }

    /// Adds a column and tells its number.
    pub fn add(&mut self, cost: f64, column: Column) -> usize {
        self.cost.push(cost);
        self.columns.push(column);
        self.basic.push(false);
        self.columns.len() - 1
    }

    /// The value of every column that is not zero.
    pub fn solution(&self) -> Vec<(usize, f64)> {
        let pairs = self.basis.iter().zip(&self.x);
        pairs.filter(|(_, x)| **x > 1e-7).map(|(j, x)| (*j, *x)).collect()
    }

    /// The value of the last solution.
    pub fn value(&self) -> f64 {
        self.basis.iter().zip(&self.x).map(|(j, x)| self.cost[*j] * x).sum()
    }

    fn reduced(&self, j: usize) -> f64 {
        self.cost[j] - self.columns[j].iter().map(|(i, a)| self.dual[*i as usize] * a).sum::<f64>()
    }

    /// Solves on from the last basis, with at most `pivots` pivots.
    pub fn solve(&mut self, pivots: usize) -> End {
        if self.since > 3 * self.rows + 100 {
            self.refactor();
        }
        self.price_rows();
        for _ in 0..pivots {
            let Some(enter) = self.entering() else { return End::Optimal };
            let change = self.transformed(enter);
            let Some(row) = self.leaving(&change) else { return End::Unbounded };
            self.pivot(enter, row, &change);
        }
        End::Limit
    }

    fn price_rows(&mut self) {
        let m = self.rows;
        self.dual.fill(0.0);
        for i in 0..m {
            let c = self.cost[self.basis[i]];
            if c != 0.0 {
                let row = &self.inverse[i * m..(i + 1) * m];
                self.dual.iter_mut().zip(row).for_each(|(y, b)| *y += c * b);
            }
        }
        self.work += (m * m) as u64;
    }

    /// The column with the least reduced cost (Dantzig's rule).
    fn entering(&mut self) -> Option<usize> {
        let mut best = (0.0, None);
        for j in 0..self.columns.len() {
            if !self.basic[j] {
                let d = self.reduced(j);
                if d < best.0 && d < -PRICE * (1.0 + self.cost[j].abs()) {
                    best = (d, Some(j));
                }
            }
            self.work += self.columns[j].len() as u64;
        }
        best.1
    }

    /// The column in terms of the basis.
    fn transformed(&mut self, j: usize) -> Vec<f64> {
        let m = self.rows;
        self.work += (m * self.columns[j].len()) as u64;
        let column = &self.columns[j];
        let row =
            |i: usize| column.iter().map(|(k, a)| self.inverse[i * m + *k as usize] * a).sum();
        (0..m).map(row).collect()
    }

    fn leaving(&self, change: &[f64]) -> Option<usize> {
        let mut best: Option<(f64, usize)> = None;
        for (i, a) in change.iter().enumerate().filter(|(_, a)| **a > PIVOT) {
            let ratio = self.x[i].max(0.0) / a;
            let better = best
                .is_none_or(|(r, k)| ratio < r - 1e-12 || (ratio <= r + 1e-12 && *a > change[k]));
            if better {
                best = Some((ratio, i));
            }
        }
        best.map(|b| b.1)
    }

    fn pivot(&mut self, enter: usize, row: usize, change: &[f64]) {
        let m = self.rows;
        let d = self.reduced(enter);
        let scale = 1.0 / change[row];
        let ratio = self.x[row].max(0.0) * scale;
        let own: Vec<f64> =
            self.inverse[row * m..(row + 1) * m].iter().map(|b| b * scale).collect();
        for (i, a) in change.iter().enumerate().filter(|(i, a)| *i != row && **a != 0.0) {
            let line = &mut self.inverse[i * m..(i + 1) * m];
            line.iter_mut().zip(&own).for_each(|(b, o)| *b -= a * o);
            self.x[i] -= a * ratio;
        }
        self.inverse[row * m..(row + 1) * m].copy_from_slice(&own);
        self.x[row] = ratio;
        self.dual.iter_mut().zip(&own).for_each(|(y, o)| *y += d * o);
        self.basic[self.basis[row]] = false;
        self.basic[enter] = true;
        self.basis[row] = enter;
        self.since += 1;
        self.work += (m * m) as u64;
    }

    /// Inverts the basis afresh (Gauss and Jordan): rounding errors do not pile up.
    fn refactor(&mut self) {
        let m = self.rows;
        self.since = 0;
        let columns: Vec<usize> = self.basis.clone();
        let mut free = vec![true; m];
        self.inverse.fill(0.0);
        (0..m).for_each(|i| self.inverse[i * m + i] = 1.0);
        for j in columns {
            let change = self.transformed(j);
            let open = (0..m).filter(|i| free[*i]);
            let Some(row) = open.max_by(|a, b| change[*a].abs().total_cmp(&change[*b].abs()))
            else {
                return;
            };
            free[row] = false;
            self.eliminate(row, &change);
            self.basis[row] = j;
        }
        let line = |i: usize| self.inverse[i * m..(i + 1) * m].iter().zip(&self.rhs);
        self.x = (0..m).map(|i| line(i).map(|(b, r)| b * r).sum::<f64>().max(0.0)).collect();
    }

    fn eliminate(&mut self, row: usize, change: &[f64]) {
        let m = self.rows;
        let scale = 1.0 / change[row];
        let own: Vec<f64> =
            self.inverse[row * m..(row + 1) * m].iter().map(|b| b * scale).collect();
        for (i, a) in change.iter().enumerate().filter(|(i, a)| *i != row && **a != 0.0) {
            let line = &mut self.inverse[i * m..(i + 1) * m];
            line.iter_mut().zip(&own).for_each(|(b, o)| *b -= a * o);
        }
        self.inverse[row * m..(row + 1) * m].copy_from_slice(&own);
        self.work += (m * m) as u64;
    }
}
