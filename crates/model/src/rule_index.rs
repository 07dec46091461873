//! What follows from an instance's rules: whom each concerns, and which values they could use.

use super::{Ask, Instance, LabelValues, NodeState, RequirementId, Rule, RuleId, TaskId};

/// Works out what follows from an instance's rules: which tasks they concern and
/// which values those could use.
pub(super) fn index_rules(instance: &mut Instance) {
    let mut rules = std::mem::take(&mut instance.rules);
    for rule in &mut rules {
        let mut asked: Vec<RequirementId> =
            rule.tasks.iter().map(|task| instance.requirement_of(*task)).collect();
        asked.dedup(); // a gang's units ask the same
        rule.values = usable_values(instance, rule, asked);
    }
    instance.rules_of = rows(instance.tasks(), &rules);
    instance.rules = rules;
}

/// The rules of each task, row by row, and whether it is one of `near`'s others.
fn rows(tasks: usize, rules: &[Rule]) -> (Vec<u32>, Vec<(RuleId, bool)>) {
    if rules.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut entries: Vec<(TaskId, RuleId, bool)> = Vec::new();
    for (k, rule) in rules.iter().enumerate() {
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

/// Values that some task of the rule may use, or of which it says what is there, where an even
/// spread has to know.
pub(super) fn usable_values(
    instance: &Instance,
    rule: &Rule,
    mut asked: Vec<RequirementId>,
) -> Vec<u32> {
    if !matches!(rule.ask, Ask::Spread { max_skew: Some(_), .. }) {
        return Vec::new();
    }
    asked.sort_unstable();
    asked.dedup();
    let of = &instance.label_values[rule.over as usize].of;
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
