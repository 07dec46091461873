//! The exact 0/1 knapsack with one resource by dynamic programming (Bellman 1957), and what it is
//! worth with one item forced in or out.

/// Work space that is kept between calls. Row `k` holds the best profit of the first `k` items for
/// every room up to the capacity.
#[derive(Default)]
pub struct Table {
    ahead: Vec<i64>,
    back: Vec<i64>,
    width: usize,
    items: usize,
}

/// Profit and weight of an item; both are positive, or the weight is zero.
pub type Weighed = (i64, i64);

impl Table {
    /// Fills the table; the best profit.
    pub fn solve(&mut self, items: &[Weighed], room: i64) -> i64 {
        (self.width, self.items) = (room as usize + 1, items.len());
        self.ahead.clear();
        self.ahead.resize(self.width * (items.len() + 1), 0);
        for (k, item) in items.iter().enumerate() {
            let (done, rest) = self.ahead.split_at_mut((k + 1) * self.width);
            next_row(&done[k * self.width..], &mut rest[..self.width], *item);
        }
        self.ahead[self.ahead.len() - 1]
    }

    /// Calls `take` with every item of one best choice.
    pub fn chosen(&self, items: &[Weighed], mut take: impl FnMut(usize)) {
        let mut w = self.width - 1;
        for k in (0..self.items).rev() {
            let at = k * self.width + w;
            if self.ahead[at + self.width] != self.ahead[at] {
                take(k);
                w -= items[k].1 as usize;
            }
        }
    }

    /// The best profit with `lost` of the room taken away.
    pub fn with_less(&self, lost: i64) -> i64 {
        self.ahead[self.ahead.len() - 1 - lost as usize]
    }

    /// Prepares `without` by filling the table from the other end.
    pub fn turn(&mut self, items: &[Weighed]) {
        self.back.clear();
        self.back.resize(self.ahead.len(), 0);
        for (k, item) in items.iter().enumerate().rev() {
            let (rest, done) = self.back.split_at_mut((k + 1) * self.width);
            next_row(&done[..self.width], &mut rest[k * self.width..], *item);
        }
    }

    /// The best profit without item `k` and with `lost` of the room taken away.
    pub fn without(&self, k: usize, lost: i64) -> i64 {
        let most = self.width - lost as usize;
        let ahead = &self.ahead[k * self.width..][..most];
        let back = &self.back[(k + 1) * self.width..][..most];
        ahead.iter().zip(back.iter().rev()).map(|(a, b)| a + b).max().unwrap_or(0)
    }
}

/// The row with one more item.
fn next_row(before: &[i64], row: &mut [i64], (profit, weight): Weighed) {
    let weight = (weight as usize).min(row.len());
    row[..weight].copy_from_slice(&before[..weight]);
    let (skip, take) = (&before[weight..], &before[..before.len() - weight]);
    for ((to, a), b) in row[weight..].iter_mut().zip(skip).zip(take) {
        *to = (*a).max(*b + profit);
    }
}
