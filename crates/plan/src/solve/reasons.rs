//! Why tasks are left without a node, and what would help.

use rustc_hash::FxHashMap;

use super::{Answer, NoPlan, Unplaced};
use engines::bounds::why_nowhere;
use model::state::{Block, State};
use model::{Instance, NodeState, Plan, TaskId};

/// Every code that an unplaced task can have, with a possible action.
pub const REASONS: [(&str, &str); 13] = [
    ("waits", "ask about it too: --all"),
    ("evicted", "run it again where there is room"),
    ("capacity", "add a node or capacity, or leave another task out"),
    ("risk", "take a higher risk, add a node or capacity, or leave another task out"),
    ("cards", "free a card: move shares together, or add cards"),
    ("requires", "label a node so that it will do, or ask for less"),
    ("tainted", "tolerate the taint, or lift it"),
    ("pinned", "unpin the task, or make its node ready"),
    ("state", "make a node ready"),
    ("max-tasks", "let nodes take more tasks, or add one"),
    ("rule", "loosen the rule, or add nodes on other values of its label"),
    ("gang", "ask for fewer units, or make room for all of them at once"),
    ("time", "give later deadlines, more nodes, or what it comes after a place"),
];

/// What could be done about a reason.
pub fn action(code: &str) -> &'static str {
    REASONS.iter().find(|(known, _)| *known == code).map_or("", |(_, action)| action)
}

/// What a person should know before anything is planned.
pub(super) fn notes(instance: &Instance) -> Vec<String> {
    let mut notes = Vec::new();
    if instance.has_deviations() && instance.risk().is_none() {
        notes.push("demands vary and no risk is given: planned by their means".to_owned());
    }
    let timed = |task| instance.release(task) > 0 || instance.deadline(task).is_some();
    if instance.has_precedence() || instance.task_ids().any(timed) {
        let goal = instance.goal();
        notes.push(format!(
            "the goal `{goal}` is not about time: releases, deadlines and what comes after what are left aside (--timed plans with them)"
        ));
    }
    notes
}

/// No plan exists, and why.
pub(super) fn impossible_answer(code: &'static str, cause: String) -> Answer {
    Answer::NoPlan(NoPlan {
        proven: true,
        code,
        cause,
        remedy: "add capacity or drop tasks; --allow-unplaced places as many as possible"
            .to_owned(),
    })
}

/// Every unplaced task with what stands in its way in this plan.
pub fn left_out(instance: &Instance, plan: &Plan) -> Vec<Unplaced> {
    if plan.placed() == instance.tasks() {
        return Vec::new();
    }
    let state = State::load_plan(instance, plan);
    // Tasks that ask the same get the same answer.
    let mut known = FxHashMap::default();
    let why = |task: TaskId| {
        let nowhere = !instance.node_ids().any(|node| instance.fits_alone(task, node));
        match instance.pin(task).filter(|_| !nowhere && instance.is_pinned(task)) {
            Some(node) => {
                let node = instance.node_name(node);
                ("evicted", format!("it runs on `{node}` and makes room for others"))
            }
            None if nowhere => why_nowhere(instance, task),
            None => why_not_now(&state, task),
        }
    };
    let plain = |task: TaskId| {
        let alone = instance.pin(task).is_none() && instance.current(task).is_none();
        alone && instance.rules_of(task).is_empty() && !instance.task_has_pairs(task)
    };
    plan.unplaced()
        .map(|task| {
            let (reason, detail) = if plain(task) {
                let requirement = instance.requirement_of(task);
                let key = (instance.demand(task), instance.deviation(task), requirement);
                known.entry(key).or_insert_with(|| why(task)).clone()
            } else {
                why(task)
            };
            Unplaced { task, reason, detail }
        })
        .collect()
}

/// What blocks the task on each node that could take it alone, as things stand.
fn why_not_now(state: &State, task: TaskId) -> (&'static str, String) {
    let instance = state.instance();
    let could = instance.node_ids().filter(|node| instance.fits_alone(task, *node));
    let blocks: Vec<Option<Block>> = could.map(|node| state.blocked(task, node)).collect();
    if let (true, Some((gang, _))) = (blocks.contains(&None), instance.gang_of(task)) {
        let detail = format!("gang `{}` has no room for all of its {} units", gang.name, gang.size);
        return ("gang", detail);
    }
    let mut tally: Vec<(Block, usize)> = Vec::new();
    for block in blocks.iter().flatten() {
        match tally.iter_mut().find(|(known, _)| known == block) {
            Some((_, count)) => *count += 1,
            None => tally.push((*block, 1)),
        }
    }
    tally.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if tally.is_empty() {
        return ("gang", with_others(instance, task));
    }
    let parts: Vec<String> =
        tally.iter().map(|(block, count)| many(instance, *block, *count)).collect();
    let code = tally.first().map_or("rule", |(block, _)| code(*block));
    (code, format!("of {} nodes it could run on, {}", blocks.len(), parts.join(", ")))
}

/// A task has room by itself and not with those that have to be placed together with it.
fn with_others(instance: &Instance, task: TaskId) -> String {
    let own = instance.rules_of(task).iter().filter(|(_, other)| !other);
    let rules = own.map(|(rule, _)| &instance.rules()[*rule as usize]);
    let gang = rules.filter(|rule| rule.all_or_none()).max_by_key(|rule| rule.tasks.len());
    match gang {
        Some(gang) => format!(
            "it has room by itself; all {} of `{}` together have not",
            gang.tasks.len(),
            gang.name
        ),
        None => "it has room by itself, not with the others of its rules".to_owned(),
    }
}

/// Short name of a block for scripts.
pub fn code(block: Block) -> &'static str {
    match block {
        Block::Ineligible => "requires",
        Block::Capacity(_) => "capacity",
        Block::Risk(_) => "risk",
        Block::Cards(_) => "cards",
        Block::MaxTasks => "max-tasks",
        Block::Rule(_) => "rule",
    }
}

/// "3 lack gpu"
fn many(instance: &Instance, block: Block, count: usize) -> String {
    match block {
        Block::Ineligible => format!("{count} will not do"),
        Block::Capacity(r) => format!("{count} lack {}", instance.resources()[r].name),
        Block::Risk(r) => {
            format!("{count} would be overloaded too often in {}", instance.resources()[r].name)
        }
        Block::Cards(r) => {
            format!("{count} have {} enough but on no card", instance.resources()[r].name)
        }
        Block::MaxTasks => format!("{count} have as many tasks as they take"),
        Block::Rule(rule) => {
            format!("{count} are barred by the rule `{}`", instance.rules()[rule as usize].name)
        }
    }
}

/// What blocks one task on one node, in words: "lacks 8 memory".
pub fn block_in_words(state: &State, task: TaskId, node: model::NodeId) -> Option<String> {
    let instance = state.instance();
    Some(match state.blocked(task, node)? {
        Block::Ineligible => ineligible(instance, task, node),
        Block::Capacity(r) => {
            let resource = &instance.resources()[r];
            let taken = state.taken(task, node)[r];
            let over = taken + instance.demand_on(task, node)[r] - instance.limit(node)[r];
            let reserved = if instance.limit(node)[r] < instance.capacity(node)[r] {
                " beside what is reserved"
            } else {
                ""
            };
            let own = resource.unit.as_ref().filter(|unit| *unit != "byte");
            let unit = own.map_or(String::new(), |unit| format!("{unit} "));
            format!("lacks {} {unit}{}{reserved}", resource.show(over), resource.name)
        }
        Block::Risk(r) => {
            let risk = instance.risk().map_or_else(String::new, |risk| risk.to_string());
            format!(
                "would be overloaded in {} with a chance above {risk}",
                instance.resources()[r].name
            )
        }
        Block::Cards(r) => format!("has no {} card with room", instance.resources()[r].name),
        Block::MaxTasks => format!("takes {} tasks and has them", instance.max_tasks(node)),
        Block::Rule(rule) => {
            format!("barred by the rule `{}`", instance.rules()[rule as usize].name)
        }
    })
}

fn ineligible(instance: &Instance, task: TaskId, node: model::NodeId) -> String {
    match instance.state(node) {
        NodeState::Drain => return "is drained".to_owned(),
        NodeState::Down => return "is down".to_owned(),
        NodeState::Ready => {}
    }
    let requirement = instance.requirement(task);
    let refusal = requirement.refusal(instance.labels(node), instance.taints(node));
    refusal.map_or_else(|| "is not the node it is pinned to".to_owned(), |r| r.to_string())
}
