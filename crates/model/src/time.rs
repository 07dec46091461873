//! What happens when: releases, due times and deadlines of tasks, what comes after what, speeds
//! of nodes and the times in which nothing runs on them. Whole seconds from the start of the plan.

use super::parts::Times;
use std::fmt;

use super::draft::{DraftError, DraftItem, error};
use super::edit::kept;
use super::{Goal, Instance, NodeId, Rule, TaskId, When};

impl Times {
    /// The times of the tasks that stay; those of pairs are left to the caller.
    pub(super) fn only(&self, keep: &[bool], new_id: &[Option<TaskId>]) -> Times {
        Times {
            start: self.start,
            release: kept(&self.release, keep),
            due: kept(&self.due, keep),
            deadline: kept(&self.deadline, keep),
            elapsed: kept(&self.elapsed, keep),
            precedence: self.precedence.only(new_id),
            speed: self.speed.clone(),
            closed: self.closed.clone(),
            ending: self.ending.clone(),
            pair_duration: Vec::new(),
        }
    }

    /// One more node, as fast as node `j` and always open.
    pub(super) fn add_node_like(&mut self, j: usize) {
        self.speed.extend(self.speed.get(j).copied());
        if !self.closed.is_empty() {
            self.closed.push(Vec::new());
        }
        if !self.ending.is_empty() {
            self.ending.push(Vec::new());
        }
    }
}

impl Instance {
    /// True when the goal is about time: it names makespan, completion, tardiness or wait.
    pub fn is_timed(&self) -> bool {
        self.goal().is_timed()
    }

    /// Seconds since 1970 (UTC) at which the plan starts, where dates are spoken of.
    pub fn start(&self) -> Option<i64> {
        self.times.start
    }

    /// Seconds that the task runs on the node: the pair's duration, or the task's over the
    /// node's speed, rounded up; less what has elapsed of a task that runs now. 0 when unknown.
    pub fn duration_on(&self, task: TaskId, node: NodeId) -> i64 {
        let whole = self.whole_duration_on(task, node);
        match self.elapsed(task) {
            None => whole,
            Some(elapsed) => (whole - elapsed).max(0),
        }
    }

    pub(super) fn whole_duration_on(&self, task: TaskId, node: NodeId) -> i64 {
        match self.own_duration_on(task, node) {
            Some(own) => own,
            None => self.at_speed(self.duration(task), node),
        }
    }

    /// The duration that the pair of task and node has of its own, before anything elapsed.
    pub fn own_duration_on(&self, task: TaskId, node: NodeId) -> Option<i64> {
        if self.times.pair_duration.is_empty() {
            return None;
        }
        let own = self.times.pair_duration[self.pair_position(task, node)?];
        (own > 0).then_some(own)
    }

    fn at_speed(&self, duration: i64, node: NodeId) -> i64 {
        match self.times.speed.get(node.index()) {
            None => duration,
            Some((num, den)) => (duration * den + num - 1) / num,
        }
    }

    /// How many times as fast as usual tasks run on the node: a fraction.
    pub fn speed(&self, node: NodeId) -> (i64, i64) {
        self.times.speed.get(node.index()).copied().unwrap_or((1, 1))
    }

    /// The longest that the task may run on any node.
    pub fn longest(&self, task: TaskId) -> i64 {
        let slowest = |a: &(i64, i64), b: &(i64, i64)| (a.0 * b.1).cmp(&(b.0 * a.1));
        let usual = match self.times.speed.iter().copied().min_by(|a, b| slowest(a, b)) {
            None => self.duration(task),
            Some((num, den)) => (self.duration(task) * den + num - 1) / num,
        };
        let own = self.times.pair_duration.get(self.pair_range(task)).unwrap_or_default();
        own.iter().copied().fold(usual, i64::max)
    }

    /// Earliest start.
    pub fn release(&self, task: TaskId) -> i64 {
        self.times.release.get(task.index()).copied().unwrap_or(0)
    }

    /// The end that tardiness counts from.
    pub fn due(&self, task: TaskId) -> Option<i64> {
        self.times.due.get(task.index()).copied().flatten()
    }

    /// Latest end.
    pub fn deadline(&self, task: TaskId) -> Option<i64> {
        self.times.deadline.get(task.index()).copied().flatten()
    }

    /// What has to end before the task starts, each with the seconds that have to pass between;
    /// a gang stands there with all of its units.
    pub fn after(&self, task: TaskId) -> &[(TaskId, i64)] {
        self.times.precedence.of(task)
    }

    /// True when any task comes after another.
    pub fn has_precedence(&self) -> bool {
        !self.times.precedence.is_empty()
    }

    /// Seconds that the task has been running on its current node.
    pub fn elapsed(&self, task: TaskId) -> Option<i64> {
        self.times.elapsed.get(task.index()).copied().flatten()
    }

    /// True when the task is known to be running: it starts at 0 on its current node and
    /// cannot be moved.
    pub fn runs_now(&self, task: TaskId) -> bool {
        self.elapsed(task).is_some()
    }

    /// Times in which nothing runs on the node, each from its start to before its end; sorted
    /// and disjoint. One that starts at 0 ends when the node becomes available.
    pub fn closed(&self, node: NodeId) -> &[(i64, i64)] {
        self.times.closed.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// Parts of the load that is there already, by resource, each with the second at which it
    /// ends; sorted. Plans without time take no note of it.
    pub fn ending(&self, node: NodeId) -> &[(i64, Vec<i64>)] {
        self.times.ending.get(node.index()).map_or(&[], Vec::as_slice)
    }

    /// The load that is there already and has not ended by the second.
    pub fn used_at(&self, node: NodeId, second: i64) -> Vec<i64> {
        let mut used = self.used(node).to_vec();
        for (_, ended) in self.ending(node).iter().take_while(|(at, _)| *at <= second) {
            used.iter_mut().zip(ended).for_each(|(used, ended)| *used -= ended);
        }
        used
    }

    /// What tells tasks apart in time, beside their durations.
    pub(super) fn time_key(&self, task: TaskId) -> Vec<i64> {
        let (due, deadline) = (self.due(task), self.deadline(task));
        let mut key = vec![
            self.release(task),
            due.unwrap_or(-1),
            deadline.unwrap_or(-1),
            self.elapsed(task).unwrap_or(-1),
        ];
        key.extend(self.after(task).iter().flat_map(|(other, lag)| [i64::from(other.0), *lag]));
        key.push(i64::MIN); // keeps what comes before apart from what follows
        key
    }

    /// A time at which everything can have ended: one task after the other, once every node is
    /// open for good, what ends on it has ended and every task is released.
    pub fn horizon(&self) -> i64 {
        let windows = self.times.closed.iter().flatten().map(|(_, to)| *to);
        let ends = self.times.ending.iter().flatten().map(|(at, _)| *at);
        let releases = self.times.release.iter().copied();
        let limits = self.rules().iter().filter_map(Rule::instant);
        let steps = limits.flat_map(|limit| &limit.later).map(|(from, _)| *from);
        let from = windows.chain(ends).chain(releases).chain(steps).max().unwrap_or(0);
        let each = self.jobs().map(|job| {
            let lag = self.after(job).iter().map(|(_, lag)| *lag).max().unwrap_or(0);
            (lag + self.longest(job)).saturating_mul(self.units(job).len() as i64)
        });
        each.fold(from, i64::saturating_add)
    }

    /// Whether a goal about time can be planned for.
    ///
    /// # Errors
    /// A task without a duration, goals that cannot be joined with ones about time, weights and
    /// times whose products do not fit 60 bits.
    pub fn check_times(&self) -> Result<(), DraftError> {
        let terms = self.goal().tiers.iter().flat_map(|tier| &tier.terms);
        if let Some(other) = terms.map(|part| part.term).find(|term| !term.joins_time()) {
            let cause = format!("the goal `{other}` cannot be joined with goals about time");
            let remedy = "beside makespan, completion, tardiness and wait there may be cost, \
                          nodes, soft, peak, moves and moved";
            return Err(error(DraftItem::Whole, "goal", cause, remedy));
        }
        if !self.wishes().is_empty() {
            let cause = "rules that may be broken have no price in time".to_owned();
            let remedy = "drop their `price`, or goals about time";
            return Err(error(DraftItem::Whole, "goal", cause, remedy));
        }
        if !self.soft.ratios.is_empty() || self.soft.price.iter().any(|price| *price > 0) {
            let cause = "load above safety capacities and room beside room have no price in time";
            let remedy = "drop `safety_price` and `ratios`, or goals about time";
            return Err(error(DraftItem::Whole, "goal", cause.to_owned(), remedy));
        }
        for (k, job) in self.jobs().enumerate() {
            let own = self.times.pair_duration.get(self.pair_range(job)).unwrap_or_default();
            let all = own.len() == self.nodes() && own.iter().all(|own| *own > 0);
            if self.duration(job) == 0 && !all {
                let cause = format!(
                    "the task `{}` has no duration, which the goal `{}` needs",
                    self.job_name(job),
                    self.goal()
                );
                let remedy = "give every task a duration of a second or more";
                return Err(error(DraftItem::Task(k), "duration", cause, remedy));
            }
        }
        let weight: i128 = self.task_ids().map(|task| i128::from(self.drop_weight(task))).sum();
        if weight * i128::from(self.horizon()) >= 1 << 60 {
            let cause = "weights times times add up to more than 2^60".to_owned();
            let remedy = "use smaller weights, or fewer decimals";
            return Err(error(DraftItem::Whole, "weight", cause, remedy));
        }
        Ok(())
    }
}

impl Goal {
    /// True when any tier is about time.
    pub fn is_timed(&self) -> bool {
        self.tiers.iter().flat_map(|tier| &tier.terms).any(|part| part.term.is_timed())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::In(seconds) => write!(f, "{seconds} s"),
            When::On(seconds) => write!(f, "{seconds} s since 1970"),
        }
    }
}
