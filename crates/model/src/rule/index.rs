//! What follows from an instance's rules: whom each concerns, and which values they could use.

use super::{LabelValues, Rule, RuleId, RuleShape, Wish};
use crate::parts::Rules;
use crate::{Instance, NodeState, RequirementId, TaskId};

impl Rules {
    /// These rules and wishes over these labels, with what follows from them in an instance.
    pub(crate) fn of(
        instance: &Instance,
        all: Vec<Rule>,
        wishes: Vec<Wish>,
        labels: Vec<LabelValues>,
    ) -> Rules {
        let tasks = instance.tasks();
        let of = rows(tasks, all.iter());
        let wishes_of = rows(tasks, wishes.iter().map(|wish| &wish.rule));
        let mut rules = Rules { all, of, wishes, wishes_of, labels };
        let usable = |rule: &Rule| {
            let mut asked: Vec<RequirementId> =
                rule.tasks.iter().map(|task| instance.requirement_of(*task)).collect();
            asked.dedup(); // a gang's units ask the same
            rules.usable_values(instance, rule, asked)
        };
        let values: Vec<Vec<u32>> = rules.all.iter().map(usable).collect();
        let wished: Vec<Vec<u32>> = rules.wishes.iter().map(|wish| usable(&wish.rule)).collect();
        let every = rules.all.iter_mut().chain(rules.wishes.iter_mut().map(|wish| &mut wish.rule));
        for (rule, values) in every.zip(values.into_iter().chain(wished)) {
            rule.values = values;
        }
        rules
    }

    /// Values that some task of the rule may use, or of which it says what is there, where an even
    /// spread has to know.
    pub(crate) fn usable_values(
        &self,
        instance: &Instance,
        rule: &Rule,
        mut asked: Vec<RequirementId>,
    ) -> Vec<u32> {
        if !matches!(rule.shape(), RuleShape::Values { max_skew: Some(_), .. }) {
            return Vec::new();
        }
        asked.sort_unstable();
        asked.dedup();
        let of = &self.labels[rule.over as usize].of;
        let nodes = instance.node_ids().filter(|node| {
            instance.state(*node) == NodeState::Ready
                && asked.iter().any(|r| instance.eligible_nodes(*r)[node.index()])
        });
        let mut values: Vec<u32> = nodes.map(|node| of[node.index()]).collect();
        values.retain(|value| *value != LabelValues::NONE);
        values.extend(rule.present.iter().map(|(value, _)| *value));
        values.sort_unstable();
        values.dedup();
        values
    }
}

impl Instance {
    /// The same with these rules between its tasks, and these wishes, instead.
    pub(crate) fn ruled(mut self, all: Vec<Rule>, wishes: Vec<Wish>) -> Instance {
        let labels = std::mem::take(&mut self.rules.labels);
        self.rules = Rules::of(&self, all, wishes, labels);
        self
    }

    /// The same after tasks or nodes are others: what follows from its rules is worked out anew.
    pub(crate) fn reruled(mut self) -> Instance {
        let Rules { all, wishes, .. } = &mut self.rules;
        let (all, wishes) = (std::mem::take(all), std::mem::take(wishes));
        self.ruled(all, wishes)
    }
}

/// The rules of each task, row by row, and whether it is one of its others.
fn rows<'a>(
    tasks: usize,
    rules: impl ExactSizeIterator<Item = &'a Rule>,
) -> (Vec<u32>, Vec<(RuleId, bool)>) {
    if rules.len() == 0 {
        return (Vec::new(), Vec::new());
    }
    let mut entries: Vec<(TaskId, RuleId, bool)> = Vec::new();
    for (k, rule) in rules.enumerate() {
        entries.extend(rule.tasks.iter().map(|task| (*task, k as RuleId, false)));
        entries.extend(rule.ask.others().iter().map(|task| (*task, k as RuleId, true)));
    }
    entries.sort_unstable();
    let mut start = vec![0u32; tasks + 1];
    entries.iter().for_each(|(task, ..)| start[task.index() + 1] += 1);
    for k in 0..tasks {
        start[k + 1] += start[k];
    }
    (start, entries.into_iter().map(|(_, rule, other)| (rule, other)).collect())
}
