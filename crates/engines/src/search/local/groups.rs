//! Groups of tasks that should not move all at once: how many of each have moved.

/// Counts of moved tasks, and the most of any one group.
#[derive(Clone)]
pub struct Groups {
    /// Moved tasks of each group.
    moved: Vec<u32>,
    /// How many groups there are with so many.
    with: Vec<u32>,
    pub most: u32,
}

impl Groups {
    /// Nothing has moved.
    pub fn new(groups: usize) -> Self {
        Groups { moved: vec![0; groups], with: vec![groups as u32], most: 0 }
    }

    /// The most if so many more tasks of each of these groups had moved.
    pub fn most_after(&self, changes: impl Iterator<Item = (u32, i64)>) -> u32 {
        let mut changed: Vec<(u32, i64)> = Vec::new();
        for (group, more) in changes {
            match changed.iter_mut().find(|(known, _)| *known == group) {
                Some((_, sum)) => *sum += more,
                None => changed.push((group, more)),
            }
        }
        changed.retain(|(_, more)| *more != 0);
        // The most among the others.
        let mut most = self.most;
        let here = |most: u32| {
            changed.iter().filter(|(group, _)| self.moved[*group as usize] == most).count()
        };
        while most > 0 && self.with[most as usize] as usize == here(most) {
            most -= 1;
        }
        let after =
            |(group, more): &(u32, i64)| (i64::from(self.moved[*group as usize]) + more) as u32;
        changed.iter().map(after).fold(most, u32::max)
    }

    /// A task of the group has moved, or is back.
    pub fn count(&mut self, group: u32, more: bool) {
        let moved = &mut self.moved[group as usize];
        self.with[*moved as usize] -= 1;
        *moved = if more { *moved + 1 } else { *moved - 1 };
        let now = *moved as usize;
        if now == self.with.len() {
            self.with.push(0);
        }
        self.with[now] += 1;
        self.most = self.most.max(now as u32);
        while self.most > 0 && self.with[self.most as usize] == 0 {
            self.most -= 1;
        }
    }
}
