//! A fingerprint of an instance, so that a plan can say what it was made for.

use sha2::{Digest, Sha256};

use model::{Field, Instance, Limit, NodeId, NodeState, RuleShape, Scale, Selection, TaskId};

/// `sha256:` and 64 hexadecimal digits over everything that decides which plans
/// are feasible and what they cost: names, quantities, rules. The goal and the
/// units' names are left out. Equal instances have equal digests whatever
/// format they came from; the order of tasks, nodes and resources matters, the
/// order of labels does not.
pub fn digest(instance: &Instance) -> String {
    let mut bytes = Canonical(Sha256::new());
    bytes.text("stowplan instance 1");
    bytes.count(instance.resources().len());
    for resource in instance.resources() {
        bytes.text(&resource.name);
        bytes.scale(resource.scale);
        bytes.integer(i64::from(resource.devices));
    }
    bytes.scale(instance.soft_scale());
    bytes.scale(instance.weight_scale());
    (0..instance.resources().len()).for_each(|r| bytes.integer(instance.safety_price(r)));
    // Instances divide integers by what they have in common, so a scale and its
    // integers are the same however the numbers were written. Without any cost
    // the scale means nothing.
    bytes.scale(if has_costs(instance) { instance.cost_scale() } else { Scale::ONE });
    nodes(&mut bytes, instance);
    tasks(&mut bytes, instance);
    bytes.integer(i64::from(instance.one_task_per_node()));
    rules(&mut bytes, instance);
    moves(&mut bytes, instance);
    deviations(&mut bytes, instance);
    times(&mut bytes, instance);
    watts(&mut bytes, instance);

    let mut text = String::from("sha256:");
    for byte in bytes.0.finalize().iter() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn has_costs(instance: &Instance) -> bool {
    instance.node_ids().any(|node| instance.price(node) != 0 || instance.rate(node) != 0)
        || instance.task_ids().any(|task| instance.pairs(task).any(|pair| pair.cost != 0))
}

fn nodes(bytes: &mut Canonical, instance: &Instance) {
    bytes.count(instance.nodes());
    for node in instance.node_ids() {
        bytes.text(instance.node_name(node));
        bytes.integers(instance.capacity(node));
        bytes.integers(instance.used(node));
        bytes.integer(match instance.state(node) {
            NodeState::Ready => 0,
            NodeState::Drain => 1,
            NodeState::Down => 2,
        });
        bytes.integer(instance.price(node));
        bytes.integer(instance.rate(node));
        bytes.integers(instance.limit(node));
        bytes.integers(instance.safety(node));
        bytes.integer(i64::from(instance.max_tasks(node)));
        bytes.count(instance.taints(node).len());
        instance.taints(node).iter().for_each(|taint| bytes.text(&taint.to_string()));
        let traffic = instance.traffic(node);
        bytes.text(&traffic.weight.to_string());
        bytes.count(traffic.connections as usize);
        bytes.text(&traffic.response_time.to_string());
        let mut labels: Vec<_> = instance.labels(node).iter().collect();
        labels.sort();
        bytes.count(labels.len());
        for (key, value) in labels {
            bytes.text(key);
            bytes.text(value);
        }
    }
}

/// Nothing where nobody says any.
fn watts(bytes: &mut Canonical, instance: &Instance) {
    if !instance.has_watts() {
        return;
    }
    bytes.text("watts");
    bytes.scale(instance.watt_scale());
    for node in instance.node_ids() {
        bytes.integer(instance.idle_watts(node));
        bytes.integers(instance.load_watts(node));
    }
}

fn tasks(bytes: &mut Canonical, instance: &Instance) {
    bytes.count(instance.tasks());
    for task in instance.task_ids() {
        bytes.text(instance.task_name(task));
        bytes.integers(instance.demand(task));
        bytes.integer(instance.duration(task));
        let requirement = instance.requirement(task);
        bytes.labels(&requirement.any_of);
        bytes.labels(&requirement.none_of);
        if !requirement.either.is_empty() {
            bytes.text("either");
            bytes.count(requirement.either.len());
            requirement.either.iter().for_each(|one| bytes.selection(one));
        }
        bytes.count(requirement.tolerations.len());
        requirement.tolerations.iter().for_each(|t| bytes.text(&t.to_string()));
        bytes.count(requirement.prefers.len());
        for preference in &requirement.prefers {
            bytes.selection(&preference.labels);
            bytes.text(&preference.weight.to_string());
        }
        bytes.integer(instance.priority(task));
        bytes.integer(instance.drop_weight(task));
        bytes.count(instance.current(task).map_or(0, |node| node.index() + 1));
        bytes.integer(i64::from(instance.pin(task).is_some()));
        bytes.text(instance.own_key(task).unwrap_or_default());
        if let Some(over) = instance.backup(task) {
            bytes.text("backup");
            bytes.text(over);
        }
        let pairs = instance.pairs(task);
        bytes.count(pairs.len());
        for pair in pairs {
            bytes.count(pair.node.index());
            bytes.integer(pair.cost);
            bytes.integers(pair.demand);
        }
    }
}

/// Times, each kind where there is any.
fn times(bytes: &mut Canonical, instance: &Instance) {
    let mut per_task = |name: &str, of: &dyn Fn(TaskId) -> i64| {
        if instance.task_ids().any(|task| of(task) != 0) {
            bytes.text(name);
            instance.task_ids().for_each(|task| bytes.integer(of(task)));
        }
    };
    // One more, so that 0 says something.
    let given = |time: Option<i64>| time.map_or(0, |time| time + 1);
    per_task("releases", &|task| instance.release(task));
    per_task("due", &|task| given(instance.due(task)));
    per_task("deadlines", &|task| given(instance.deadline(task)));
    per_task("elapsed", &|task| given(instance.elapsed(task)));
    if instance.has_precedence() {
        bytes.text("after");
        for task in instance.task_ids() {
            bytes.count(instance.after(task).len());
            for (other, lag) in instance.after(task) {
                bytes.count(other.index());
                bytes.integer(*lag);
            }
        }
    }
    for task in instance.task_ids() {
        for pair in instance.pairs(task) {
            if let Some(own) = instance.own_duration_on(task, pair.node) {
                bytes.text("duration");
                bytes.integers(&[i64::from(task.0), i64::from(pair.node.0), own]);
            }
        }
    }
    for node in instance.node_ids() {
        let (num, den) = instance.speed(node);
        if (num, den) != (1, 1) {
            bytes.text("speed");
            bytes.integers(&[i64::from(node.0), num, den]);
        }
        for (from, to) in instance.closed(node) {
            bytes.text("closed");
            bytes.integers(&[i64::from(node.0), *from, *to]);
        }
        for (at, ended) in instance.ending(node) {
            bytes.text("ending");
            bytes.integers(&[i64::from(node.0), *at]);
            bytes.integers(ended);
        }
    }
}

/// What instances need not have: each part begins with its name and is left out
/// where there is nothing to say.
fn moves(bytes: &mut Canonical, instance: &Instance) {
    let transient = (0..instance.resources().len()).filter(|r| instance.transient(*r));
    let transient: Vec<usize> = transient.collect();
    if !transient.is_empty() {
        bytes.text("transient");
        bytes.count(transient.len());
        transient.into_iter().for_each(|r| bytes.count(r));
    }
    let plain = instance.task_ids().all(|task| instance.own_move_cost(task) == 1);
    if !plain || instance.move_scale() != Scale::ONE {
        bytes.text("move costs");
        bytes.scale(instance.move_scale());
        instance.task_ids().for_each(|task| bytes.integer(instance.own_move_cost(task)));
    }
    if instance.has_routes() {
        bytes.text("routes");
        for from in instance.node_ids() {
            let row: Vec<_> = instance.routes_from(from).collect();
            bytes.count(row.len());
            for (to, cost) in row {
                bytes.count(to.index());
                bytes.integer(cost);
            }
        }
    }
    if !instance.ratios().is_empty() {
        bytes.text("ratios");
        bytes.count(instance.ratios().len());
        for ratio in instance.ratios() {
            bytes.count(ratio.room);
            bytes.count(ratio.with);
            bytes.integer(ratio.a);
            bytes.integer(ratio.b);
        }
    }
    if !instance.budgets().is_empty() {
        bytes.text("budgets");
        bytes.count(instance.budgets().len());
        for budget in instance.budgets() {
            bytes.text(&budget.name);
            bytes.count(budget.at_once as usize);
            bytes.count(budget.tasks.len());
            budget.tasks.iter().for_each(|task| bytes.count(task.index()));
        }
    }
    if !instance.groups().is_empty() {
        bytes.text("groups");
        bytes.count(instance.groups().len());
        for group in instance.groups() {
            bytes.count(group.len());
            group.iter().for_each(|task| bytes.count(task.index()));
        }
    }
}

/// Likewise, how demands vary and what risk is taken.
fn deviations(bytes: &mut Canonical, instance: &Instance) {
    if instance.has_deviations() {
        bytes.text("deviations");
        instance.task_ids().for_each(|task| bytes.integers(instance.deviation(task)));
    }
    if let Some(risk) = instance.risk() {
        bytes.text("risk");
        bytes.text(&risk.to_string());
    }
}

/// Rules in any order, without their names.
fn rules(bytes: &mut Canonical, instance: &Instance) {
    let numbers = |tasks: &[TaskId]| {
        tasks.iter().map(|task| task.0.to_string()).collect::<Vec<_>>().join(",")
    };
    let wishes = instance.wishes().iter();
    let wishes = wishes.map(|wish| (&wish.rule, instance.soft_scale().show(wish.price)));
    let mut texts: Vec<String> = (instance.rules().iter().map(|rule| (rule, String::new())))
        .chain(wishes)
        .map(|(rule, price)| {
            let plain = |field: &Field| matches!(field, Field::Price | Field::AsOne);
            let asks = match rule.shape() {
                // What a kind without fields of its own asks its name says.
                _ if rule.ask.info().fields.iter().all(plain) => String::new(),
                RuleShape::AllOrNone => String::new(),
                RuleShape::Values { at_least, at_most, max_skew } => {
                    format!("{at_least} {at_most} {max_skew:?}")
                }
                RuleShape::Beside { others } => numbers(others),
                RuleShape::Sum { limit: Some(limit), .. } => limited(instance, limit),
                RuleShape::Sum { limit: None, at_most } => at_most.to_string(),
            };
            let over = &instance.label_values()[rule.over as usize].key;
            let there = rule.present.iter().map(|(value, count)| format!(" {value}:{count}"));
            let there: String = there.collect();
            let once = if rule.as_one { " as one" } else { "" };
            let price = if price.is_empty() { price } else { format!(" at {price}") };
            format!("{} {asks} {} {over}{there}{once}{price}", rule.ask, numbers(&rule.tasks))
        })
        .collect();
    texts.sort();
    bytes.count(texts.len());
    texts.iter().for_each(|text| bytes.text(text));
}

/// What a limit counts.
fn limited(instance: &Instance, limit: &Limit) -> String {
    let what = instance.limited(limit);
    let Limit { at_most, always, values, amounts, later, .. } = limit;
    let node = |node: Option<NodeId>| node.map_or(String::new(), |node| format!("@{}", node.0));
    let values: String = values.iter().map(|value| format!(" {value}")).collect();
    let amounts = amounts.iter().map(|(t, at, amount)| format!(" {}{}:{amount}", t.0, node(*at)));
    let later: String = later.iter().map(|(from, most)| format!(" {from}={most}")).collect();
    format!("{what} {at_most}{later} {always}{values};{}", amounts.collect::<String>())
}

/// Bytes in which nothing can be mistaken for something else: texts and lists
/// go with their lengths.
struct Canonical(Sha256);

impl Canonical {
    fn integer(&mut self, value: i64) {
        self.0.update(value.to_le_bytes());
    }

    fn count(&mut self, value: usize) {
        self.0.update((value as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// Keys with values, whose order does not matter.
    fn selection(&mut self, selection: &Selection) {
        self.labels(&selection.any_of);
        if !selection.none_of.is_empty() {
            self.text("not");
            self.labels(&selection.none_of);
        }
    }

    fn labels(&mut self, any_of: &[(String, Vec<String>)]) {
        self.count(any_of.len());
        for (key, values) in any_of {
            self.text(key);
            let mut values: Vec<_> = values.iter().collect();
            values.sort();
            values.dedup();
            self.count(values.len());
            values.into_iter().for_each(|value| self.text(value));
        }
    }

    /// As many as there are resources, which is known.
    fn integers(&mut self, values: &[i64]) {
        values.iter().for_each(|value| self.integer(*value));
    }

    fn scale(&mut self, scale: Scale) {
        self.integer(scale.num);
        self.integer(scale.den);
    }
}
