//! The order of moves from one plan to another: waves of moves that may run at once, such
//! that no node and no rule between tasks is ever worse off than it may be.
//!
//! A task that moves takes room on both nodes until its wave is over. Where moves wait for
//! each other in a circle, a task goes to a third node first and to its own later. Finding
//! such an order is hard in general (a reconfiguration of bin packing; Ito et al., DOI
//! 10.1016/j.tcs.2010.12.005), so this is a greedy search with several priorities, and one through
//! everything on tiny instances: what it cannot order elsewhere may have an order all the same.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustc_hash::{FxHashMap, FxHashSet};

use super::budgets::Budgets;
use super::exhaust::shortest;
use base::stop::Stop;
use model::state::State;
use model::{Instance, Move, NodeId, NodeState, Plan, RuleId, Step, TaskId};

/// A move that has no place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The move.
    pub of: Move,
    /// Resources with how much of each is lacking where it goes, in steps of the resource.
    pub lacks: Vec<(usize, i64)>,
    /// Moves away from there that would make room and are stuck too.
    pub waits_for: Vec<TaskId>,
    /// Rules that forbid it as things stand.
    pub rules: Vec<RuleId>,
    /// Disruption budgets, by position, that allow no such move.
    pub budgets: Vec<usize>,
}

/// What happens when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Steps of one wave may run at once, in any order.
    pub waves: Vec<Vec<Step>>,
    /// Moves to nodes that tasks leave again.
    pub detours: usize,
    /// Moves that wait for each other.
    pub stuck: Vec<Stuck>,
    /// A stuck task that would break the circle if there were room for it anywhere else.
    pub spare: Option<TaskId>,
    /// Time ran out: what is stuck might have an order all the same.
    pub cut_short: bool,
}

impl Order {
    /// All moves, in order.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.waves.iter().flatten().flatten()
    }
}

/// Priorities that are tried.
const TRIES: u64 = 12;
/// Tasks that are tried as the one that breaks a circle.
const SPARES: usize = 64;
/// Nodes that are tried for a detour, and moves after which no further priority is tried.
const PLACES: usize = 200;
const MANY: usize = 20_000;
/// Steps tried after which nothing is moved aside any more.
const WORK: u64 = 2_000_000;

/// Where every task is today: on its current node, unless that is down.
pub fn today(instance: &Instance) -> Plan {
    let up = |node: &NodeId| instance.state(*node) != NodeState::Down;
    let placement = instance.task_ids().map(|task| instance.current(task).filter(up)).collect();
    Plan { placement, cards: Vec::new() }
}

/// Orders the moves from `start` to `end`. Once `stop` is reached what has no place in the order by
/// then is stuck.
pub fn order(instance: &Instance, start: &Plan, end: &Plan, seed: u64, stop: &Stop) -> Order {
    let instance = instance.without_transients();
    let begin = State::load_plan(&instance, start);
    let changes = instance.task_ids().filter_map(|task| {
        let (from, to) = (start.placement[task.index()], end.placement[task.index()]);
        (from != to).then_some(Move { task, from, to })
    });
    let moves: Vec<Move> = changes.collect();
    let worth = |order: &Order| (order.stuck.len(), order.detours, order.waves.len());
    let mut best: Option<Order> = None;
    let tries = if moves.len() > MANY { 1 } else { TRIES };
    for k in 0..tries {
        if k > 0 && stop.reached() {
            break;
        }
        let rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(k));
        let mut way = Way::new(&instance, begin.clone(), moves.clone(), rng, k == 0);
        way.run(true, stop);
        let found = way.finish();
        if best.as_ref().is_none_or(|best| worth(&found) < worth(best)) {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|best| best.stuck.is_empty() && best.detours == 0) {
            break;
        }
    }
    let mut best = best.unwrap_or_default();
    if !best.stuck.is_empty() && !stop.reached() {
        // Detours that did not help are no use.
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let mut way = Way::new(&instance, begin.clone(), moves.clone(), rng, true);
        way.run(false, stop);
        let plain = way.finish();
        if worth(&plain) < worth(&best) {
            best = plain;
        }
        if let Some(moves) = shortest(&instance, start, end) {
            let aside = |m: &&Move| end.placement[m.task.index()] != m.to;
            let detours = moves.iter().filter(aside).count();
            let waves = moves.into_iter().map(|m| vec![vec![m]]).collect();
            return Order { waves, detours, ..Order::default() };
        }
        best.spare = spare(&instance, &begin, &moves, &best, seed, stop);
    }
    best.cut_short = !best.stuck.is_empty() && stop.reached();
    best
}

/// The smallest stuck task with which out of the way everything else finds an order, and it too.
fn spare(
    instance: &Instance,
    begin: &State,
    moves: &[Move],
    best: &Order,
    seed: u64,
    stop: &Stop,
) -> Option<TaskId> {
    let running = |stuck: &&Stuck| stuck.of.from.is_some() && stuck.budgets.is_empty();
    let mut tasks: Vec<TaskId> = best.stuck.iter().filter(running).map(|s| s.of.task).collect();
    tasks.sort_by_key(|task| (instance.demand(*task).iter().sum::<i64>(), *task));
    tasks.truncate(SPARES);
    tasks.into_iter().take_while(|_| !stop.reached()).find(|task| {
        let mut state = begin.clone();
        state.remove(*task);
        let away = |m: &Move| if m.task == *task { Move { from: None, ..*m } } else { *m };
        let moves = moves.iter().map(away).collect();
        let mut way = Way::new(instance, state, moves, ChaCha8Rng::seed_from_u64(seed), true);
        way.run(false, stop);
        way.left.is_empty()
    })
}

/// An order under way.
pub(super) struct Way<'a> {
    instance: &'a Instance,
    state: State<'a>,
    left: Vec<Move>,
    order: Order,
    rng: ChaCha8Rng,
    /// By size instead of at random.
    sorted: bool,
    /// Room that tasks of this wave still take on the nodes that they leave.
    held: Vec<i64>,
    held_tasks: Vec<u32>,
    /// Tasks of this wave that give cards back, per node.
    held_cards: Vec<u32>,
    /// Rules whose tasks already move in this wave.
    touched: FxHashSet<RuleId>,
    budgets: Budgets<'a>,
    /// Detours of each task so far.
    detoured: FxHashSet<TaskId>,
    /// Steps tried so far.
    work: u64,
}

impl<'a> Way<'a> {
    fn new(
        instance: &'a Instance,
        state: State<'a>,
        left: Vec<Move>,
        rng: ChaCha8Rng,
        sorted: bool,
    ) -> Self {
        Way {
            instance,
            state,
            left,
            order: Order::default(),
            rng,
            sorted,
            held: vec![0; instance.nodes() * instance.resources().len()],
            held_tasks: vec![0; instance.nodes()],
            held_cards: vec![0; instance.nodes()],
            touched: FxHashSet::default(),
            budgets: Budgets::of(instance),
            detoured: FxHashSet::default(),
            work: 0,
        }
    }

    /// With nothing to be ordered, to ask about single moves.
    pub(super) fn alone(instance: &'a Instance, state: State<'a>) -> Self {
        Way::new(instance, state, Vec::new(), ChaCha8Rng::seed_from_u64(0), true)
    }

    /// Whether this move alone can be made as things stand.
    pub(super) fn can(&mut self, m: Move) -> bool {
        let can = self.go(&[m]);
        if can {
            self.undo(&[m]);
        }
        self.end_wave();
        can
    }

    /// Wave after wave until nothing is left, nothing can move or time is up.
    fn run(&mut self, detours: bool, stop: &Stop) {
        while !self.left.is_empty() && (self.order.waves.is_empty() || !stop.reached()) {
            let mut wave = self.singles();
            if wave.is_empty() {
                wave = self.bundles();
            }
            if wave.is_empty() && detours && self.work < WORK {
                wave = self.detour(stop).into_iter().collect();
            }
            if wave.is_empty() {
                return;
            }
            self.order.waves.push(wave);
            self.end_wave();
        }
    }

    /// What is left behind is free now.
    fn end_wave(&mut self) {
        self.held.fill(0);
        self.held_tasks.fill(0);
        self.held_cards.fill(0);
        self.touched.clear();
        self.budgets.end_wave();
    }

    /// Every move that can go now, those first that make room where others wait.
    fn singles(&mut self) -> Vec<Step> {
        let wanted: FxHashSet<NodeId> = self
            .left
            .iter()
            .filter(|m| self.lacks(m).next().is_some())
            .filter_map(|m| m.to)
            .collect();
        let mut queue: Vec<(bool, f64, Move)> = Vec::with_capacity(self.left.len());
        for m in &self.left {
            let opens = m.from.is_some_and(|from| wanted.contains(&from));
            queue.push((!opens, -self.size(m.task), *m));
        }
        if self.sorted {
            queue.sort_by(|a, b| {
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.task.cmp(&b.2.task))
            })
        } else {
            queue.shuffle(&mut self.rng);
            if self.rng.random_range(0..3u32) > 0 {
                queue.sort_by_key(|entry| entry.0);
            }
        }
        let mut wave = Vec::new();
        for (.., m) in queue {
            if self.go(&[m]) {
                wave.push(vec![m]);
            }
        }
        let gone: FxHashSet<TaskId> = wave.iter().flatten().map(|m: &Move| m.task).collect();
        self.left.retain(|m| !gone.contains(&m.task));
        wave
    }

    /// Moves that only a rule between their tasks stops, all those of the rule in one go.
    fn bundles(&mut self) -> Vec<Step> {
        let rules: FxHashSet<RuleId> = self
            .left
            .iter()
            .flat_map(|m| self.instance.rules_of(m.task))
            .map(|(rule, _)| *rule)
            .collect();
        let mut rules: Vec<RuleId> = rules.into_iter().collect();
        rules.sort_unstable();
        let mut wave = Vec::new();
        for rule in rules {
            let of = |m: &&Move| self.instance.rules_of(m.task).iter().any(|(own, _)| *own == rule);
            let step: Step = self.left.iter().filter(of).copied().collect();
            if step.len() > 1 && self.go(&step) {
                self.left.retain(|m| step.iter().all(|gone| gone.task != m.task));
                wave.push(step);
            }
        }
        wave
    }

    /// Takes a task off a node where others wait, to a node where nobody does if it can be:
    /// one that has to leave anyway rather than one that stays.
    fn detour(&mut self, stop: &Stop) -> Option<Step> {
        let instance = self.instance;
        let wanted: FxHashSet<NodeId> = self.left.iter().filter_map(|m| m.to).collect();
        let leaving: FxHashSet<TaskId> = self.left.iter().map(|m| m.task).collect();
        let on = |task: TaskId| self.state.node_of(task).filter(|node| wanted.contains(node));
        let free = |task: &TaskId| !self.detoured.contains(task) && instance.pin(*task).is_none();
        let mut tasks: Vec<(bool, f64, TaskId, NodeId)> = instance
            .task_ids()
            .filter(free)
            .filter_map(|task| {
                let from = on(task)?;
                Some((!leaving.contains(&task), self.size(task), task, from))
            })
            .collect();
        tasks.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut fallback = None;
        for (stays, _, task, from) in tasks {
            if stop.reached() {
                return None;
            }
            let mut places: Vec<NodeId> = instance
                .node_ids()
                .filter(|node| *node != from && instance.eligible(task, *node))
                .collect();
            places.sort_by_key(|node| wanted.contains(node));
            for to in places.into_iter().take(PLACES) {
                let aside = Move { task, from: Some(from), to: Some(to) };
                if !self.go(&[aside]) {
                    continue;
                }
                self.hold(task, from, -1);
                self.touched.clear();
                self.budgets.end_wave();
                let opens = self.left.iter().any(|m| {
                    m.task != task && m.to == Some(from) && self.lacks(m).next().is_none()
                });
                if opens {
                    self.aside(aside, stays);
                    return Some(vec![aside]);
                }
                self.state.remove(task);
                self.state.restore(task, from);
                fallback.get_or_insert((aside, stays));
                break;
            }
        }
        let (aside, stays) = fallback.filter(|(_, stays)| !stays)?;
        if !self.go(&[aside]) {
            return None;
        }
        self.aside(aside, stays);
        Some(vec![aside])
    }

    /// Notes a detour: the task still has to go where it belongs.
    fn aside(&mut self, aside: Move, stays: bool) {
        self.detoured.insert(aside.task);
        self.order.detours += 1;
        match self.left.iter_mut().find(|m| m.task == aside.task) {
            Some(m) => m.from = aside.to,
            None if stays => {
                self.left.push(Move { task: aside.task, from: aside.to, to: aside.from });
            }
            None => {}
        }
    }

    /// Makes the moves of a step if they can run beside those of this wave.
    fn go(&mut self, step: &[Move]) -> bool {
        let instance = self.instance;
        self.work += 1;
        let mut rules: Vec<RuleId> =
            step.iter().flat_map(|m| instance.rules_of(m.task)).map(|(rule, _)| *rule).collect();
        rules.sort_unstable();
        rules.dedup();
        if rules.iter().any(|rule| self.touched.contains(rule)) {
            return false;
        }
        if !self.budgets.allow(step) {
            return false;
        }
        let before: Vec<bool> = rules.iter().map(|rule| self.state.holds(*rule)).collect();
        for (k, m) in step.iter().enumerate() {
            self.leave(m);
            if !self.arrives(m) {
                self.come_back(m);
                self.undo(&step[..k]);
                return false;
            }
            if let Some(to) = m.to {
                self.state.restore(m.task, to);
            }
        }
        let worse = |(rule, before): (&RuleId, &bool)| *before && !self.state.holds(*rule);
        if rules.iter().zip(&before).any(worse) {
            self.undo(step);
            return false;
        }
        self.touched.extend(rules);
        self.budgets.add(step);
        true
    }

    /// Off its node, where it goes on taking room until the wave is over.
    fn leave(&mut self, m: &Move) {
        let Some(from) = m.from else { return };
        self.hold(m.task, from, 1);
        self.state.remove(m.task);
    }

    fn hold(&mut self, task: TaskId, node: NodeId, sign: i64) {
        let width = self.instance.resources().len();
        let row = &mut self.held[node.index() * width..(node.index() + 1) * width];
        let demand = self.instance.demand_on(task, node);
        row.iter_mut().zip(demand).for_each(|(held, demand)| *held += sign * demand);
        let change = |count: &mut u32| *count = if sign > 0 { *count + 1 } else { *count - 1 };
        change(&mut self.held_tasks[node.index()]);
        if self.instance.devices().iter().any(|device| demand[device.resource] > 0) {
            change(&mut self.held_cards[node.index()]);
        }
    }

    fn come_back(&mut self, m: &Move) {
        let Some(from) = m.from else { return };
        self.hold(m.task, from, -1);
        self.state.restore(m.task, from);
    }

    /// Takes back moves of this wave.
    fn undo(&mut self, step: &[Move]) {
        for m in step.iter().rev() {
            self.state.remove(m.task);
            self.come_back(m);
        }
    }

    /// Whether there is room for a task that has left its node where it goes.
    fn arrives(&self, m: &Move) -> bool {
        let Some(to) = m.to else { return true };
        let instance = self.instance;
        let tasks = self.state.count(to) + self.held_tasks[to.index()];
        instance.eligible(m.task, to)
            && tasks < instance.max_tasks(to)
            && self.lacks(m).next().is_none()
            && self.has_cards(m.task, to)
    }

    fn has_cards(&self, task: TaskId, to: NodeId) -> bool {
        let demand = self.instance.demand_on(task, to);
        let devices = self.instance.devices().iter().enumerate();
        let mut wanted = devices.filter(|(_, device)| demand[device.resource] > 0).peekable();
        // Cards that come free in this wave are free after it.
        if wanted.peek().is_some() && self.held_cards[to.index()] > 0 {
            return false;
        }
        wanted.all(|(d, _)| self.state.cards_after(task, to, d).is_some())
    }

    /// Resources of which there is too little where the move goes, with how much.
    fn lacks(&self, m: &Move) -> impl Iterator<Item = (usize, i64)> + '_ {
        let width = self.instance.resources().len();
        let to = m.to;
        let rows = to.map(|to| {
            let held = &self.held[to.index() * width..(to.index() + 1) * width];
            let (limit, load) = (self.instance.limit(to), self.state.load(to));
            (self.instance.demand_on(m.task, to), limit, load, held)
        });
        rows.into_iter().flat_map(move |(demand, limit, load, held)| {
            (0..width).filter_map(move |r| {
                let lack = load[r] + held[r] + demand[r] - limit[r];
                (demand[r] > 0 && lack > 0).then_some((r, lack))
            })
        })
    }

    /// Share of a mean node, the largest of any resource.
    fn size(&self, task: TaskId) -> f64 {
        let demand = self.instance.demand(task);
        let Some(node) = self.state.node_of(task) else { return 0.0 };
        let capacity = self.instance.capacity(node);
        let share = |r: usize| demand[r] as f64 / (capacity[r].max(1)) as f64;
        (0..demand.len()).map(share).fold(0.0, f64::max)
    }

    /// The order, with what is left over.
    fn finish(mut self) -> Order {
        let left = std::mem::take(&mut self.left);
        let mut leaving: FxHashMap<NodeId, Vec<TaskId>> = FxHashMap::default();
        for m in &left {
            m.from.iter().for_each(|from| leaving.entry(*from).or_default().push(m.task));
        }
        let stuck = left.iter().map(|m| {
            let waits = m.to.and_then(|to| leaving.get(&to)).cloned().unwrap_or_default();
            let rules = self.instance.rules_of(m.task).iter().map(|(rule, _)| *rule);
            let lacks: Vec<(usize, i64)> = self.lacks(m).collect();
            Stuck {
                budgets: self.budgets.closed(m),
                of: *m,
                waits_for: waits,
                rules: if lacks.is_empty() {
                    rules
                        .filter(|rule| self.instance.rules()[*rule as usize].has_places())
                        .collect()
                } else {
                    Vec::new()
                },
                lacks,
            }
        });
        let stuck = stuck.collect();
        Order { stuck, ..self.order }
    }
}
