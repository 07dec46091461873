//! What is left out, by priority: queues have as many priorities as jobs.

/// Weights of tasks by priority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(Vec<(i64, i64)>);

impl LeftOut {
    /// Of so many tasks, each a priority and a weight in steps of the weights' scale.
    pub fn of(tasks: impl Iterator<Item = (i64, i64)>) -> LeftOut {
        let mut list: Vec<(i64, i64)> = tasks.collect();
        list.sort_unstable();
        list.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            sum.1 += if same { next.1 } else { 0 };
            same
        });
        LeftOut(list)
    }

    /// Their weight, of one priority or of all.
    pub fn weight(&self, priority: Option<i64>) -> i64 {
        match priority {
            None => self.0.iter().map(|(_, weight)| weight).sum(),
            Some(priority) => {
                let at = self.0.binary_search_by_key(&priority, |(own, _)| *own);
                at.map_or(0, |at| self.0[at].1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LeftOut;

    #[test]
    fn weights_add_up_by_priority() {
        let left = LeftOut::of([(2, 5), (-1, 1), (2, 7), (0, 0)].into_iter());
        assert_eq!(left.weight(Some(2)), 12);
        assert_eq!(left.weight(Some(-1)), 1);
        assert_eq!(left.weight(Some(3)), 0);
        assert_eq!(left.weight(None), 13);
    }
}
