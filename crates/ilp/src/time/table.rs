//! The timed instance as the program sees it: jobs and nodes that nothing tells apart, told by
//! everything that the program reads of them.

use model::{Instance, NodeId, Prices, RuleId, Shape, TaskId, Term};

/// A task on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seconds: i64,
    /// Per resource, then 1: the task itself.
    pub(super) demand: Vec<i64>,
    /// What it adds to each term that is made of prices, in the term's steps.
    prices: Vec<(Term, i64)>,
}

impl Place {
    fn of(instance: &Instance, task: TaskId, node: NodeId) -> Option<Place> {
        let stays = !instance.runs_now(task) || instance.current(task) == Some(node);
        let may = stays && instance.eligible(task, node);
        let mut demand = instance.demand_on(task, node).to_vec();
        demand.push(1);
        let fits = demand.iter().zip(room(instance, node)).all(|(demand, room)| *demand <= room);
        (may && fits).then(|| Place {
            seconds: instance.duration_on(task, node),
            demand,
            prices: priced(instance, &|prices| prices.placement.price(instance, task, node)),
        })
    }

    /// What the placement adds to a term that is made of prices, in the term's steps.
    pub(super) fn steps(&self, term: Term) -> i64 {
        price_of(&self.prices, term)
    }
}

/// What something adds to each of the goal's terms that are made of prices.
fn priced(instance: &Instance, price: &dyn Fn(&Prices) -> i64) -> Vec<(Term, i64)> {
    let each = instance.goal().terms().filter_map(|term| match term.shape() {
        Shape::Prices(prices) => Some((term, price(prices))),
        _ => None,
    });
    each.collect()
}

fn price_of(prices: &[(Term, i64)], term: Term) -> i64 {
    prices.iter().find(|(of, _)| *of == term).map_or(0, |(_, price)| *price)
}

/// What the plan may fill on the node in each resource, then the tasks that it takes at once.
fn room(instance: &Instance, node: NodeId) -> Vec<i64> {
    let each = (0..instance.resources().len()).map(|r| instance.free(node, r));
    each.chain([i64::from(instance.max_tasks(node))]).collect()
}

/// Units of a job that nothing tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Their places among the job's units.
    pub(super) units: Vec<usize>,
    /// By group of nodes.
    pub(super) at: Vec<Option<Place>>,
}

impl Part {
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.at.iter().flatten()
    }
}

/// Jobs that nothing tells apart; what comes after or before something is alone, and so is what is
/// in a gang with others.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// By their first tasks.
    pub(super) jobs: Vec<TaskId>,
    pub(super) parts: Vec<Part>,
    pub(super) release: i64,
    /// Latest end, also for the sake of what has to follow.
    pub(super) latest: i64,
    due: Option<i64>,
    weight: i64,
    priority: i64,
    pub(super) running: bool,
    /// Rules of a gang that it shares with other jobs.
    gangs: Vec<RuleId>,
    /// Classes that it comes after, with the seconds between.
    pub(super) before: Vec<(usize, i64)>,
    /// Classes that come after it.
    pub(super) after: Vec<(usize, i64)>,
    /// No schedule has a job start or end before.
    pub(super) head: (i64, i64),
    /// Seconds from its end to the end of what has to follow, at least.
    pub(super) tail: i64,
}

impl Class {
    pub(super) fn example(&self) -> TaskId {
        self.jobs[0]
    }

    /// One task a job: columns of starts are those of units.
    pub(super) fn plain(&self) -> bool {
        self.parts.len() == 1 && self.parts[0].units.len() == 1
    }

    /// Tasks of one job.
    pub(super) fn units(&self) -> usize {
        self.parts.iter().map(|part| part.units.len()).sum()
    }

    /// Seconds that the job takes at least.
    fn shortest(&self) -> i64 {
        let each = self.parts.iter().filter_map(|p| p.places().map(|place| place.seconds).min());
        each.max().unwrap_or(0)
    }

    /// What a job from `start` to `end` adds to a term about time, in the term's steps.
    pub(super) fn steps(&self, term: Term, (start, end): (i64, i64)) -> i64 {
        match term.shape() {
            Shape::Seconds(seconds) => {
                self.weight * seconds.of((self.release, self.due), (start, end))
            }
            _ => 0,
        }
    }

    /// What a job adds to a term about places at least, in the term's steps.
    pub(super) fn least_steps(&self, term: Term) -> i64 {
        let each = self.parts.iter().map(|part| {
            let least = part.places().map(|place| place.steps(term)).min().unwrap_or(0);
            least * part.units.len() as i64
        });
        each.sum()
    }

    /// What a job that is left out adds to a term, in the term's steps.
    pub(super) fn out_steps(&self, term: Term) -> i64 {
        match term.shape() {
            Shape::LeftOut if term.priority().is_none_or(|p| p == self.priority) => {
                self.weight * self.units() as i64
            }
            _ => 0,
        }
    }

    fn same(&self, other: &Class) -> bool {
        let free = |class: &Class| {
            class.before.is_empty() && class.after.is_empty() && class.gangs.is_empty()
        };
        let key = |class: &Class| {
            (class.release, class.latest, class.due, class.weight, class.priority, class.running)
        };
        free(self) && free(other) && key(self) == key(other) && self.parts == other.parts
    }
}

/// Nodes that the program treats as one: one node, or equal ones of which only the number of
/// tasks at once matters. Tasks are intervals, and intervals of which no more than so many
/// overlap can be dealt out to so many places in the order of their starts.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) nodes: Vec<NodeId>,
    /// See [`room`].
    pub(super) room: Vec<i64>,
    /// Tasks that each node takes at once, where nothing else limits them.
    pub(super) slots: Option<i64>,
    pub(super) closed: Vec<(i64, i64)>,
    /// What using a node adds to each term that is made of prices, in the term's steps.
    prices: Vec<(Term, i64)>,
    /// The same as the group before.
    pub(super) twin: bool,
}

impl Group {
    /// What using a node adds to a term, in the term's steps.
    pub(super) fn use_steps(&self, term: Term) -> i64 {
        price_of(&self.prices, term)
    }

    pub(super) fn open(&self, from: i64, to: i64) -> bool {
        self.closed.iter().all(|(shut, again)| to <= *shut || *again <= from)
    }
}

/// Classes and groups.
pub(super) struct Table<'a> {
    pub(super) instance: &'a Instance,
    pub(super) classes: Vec<Class>,
    pub(super) groups: Vec<Group>,
    pub(super) allow_unplaced: bool,
}

impl<'a> Table<'a> {
    pub(super) fn new(instance: &'a Instance, allow_unplaced: bool) -> Table<'a> {
        let jobs: Vec<TaskId> = instance.jobs().collect();
        let mut single: Vec<Class> = jobs.iter().map(|job| class(instance, *job)).collect();
        for (k, job) in jobs.iter().enumerate() {
            // Units of a gang share what they come after; one as a predecessor means all.
            let mut before: Vec<(usize, i64)> = Vec::new();
            for (task, lag) in instance.after(*job) {
                let Ok(at) = jobs.binary_search(&instance.job(*task)) else { continue };
                if before.last().is_none_or(|(known, _)| *known != at) {
                    before.push((at, *lag));
                }
            }
            before.iter().for_each(|(other, lag)| single[*other].after.push((k, *lag)));
            single[k].before = before;
        }
        let groups = grouped(instance, &mut single);
        let mut table = Table { instance, classes: single, groups, allow_unplaced };
        table.set_heads();
        table.merge();
        table
    }

    /// Heads, tails and latest ends along what comes after what.
    fn set_heads(&mut self) {
        let mut open: Vec<usize> = self.classes.iter().map(|class| class.before.len()).collect();
        let mut order: Vec<usize> = (0..open.len()).filter(|k| open[*k] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            let k = order[at];
            at += 1;
            let class = &self.classes[k];
            let after = class.before.iter().map(|(o, lag)| self.classes[*o].head.1 + lag);
            let ready = after.fold(class.release, i64::max);
            let alone = class.parts.iter().map(|part| self.earliest(part, ready));
            let head = alone.fold((ready, ready), |a, b| (a.0.max(b.0), a.1.max(b.1)));
            for (next, _) in class.after.clone() {
                open[next] -= 1;
                if open[next] == 0 {
                    order.push(next);
                }
            }
            self.classes[k].head = head;
        }
        if self.allow_unplaced {
            return; // what follows may be left out
        }
        for k in order.into_iter().rev() {
            let follow = self.classes[k].after.clone();
            for (next, lag) in follow {
                let (next, seconds) = (&self.classes[next], self.classes[next].shortest());
                let (tail, latest) = (lag + seconds + next.tail, next.latest - seconds - lag);
                self.classes[k].tail = self.classes[k].tail.max(tail);
                self.classes[k].latest = self.classes[k].latest.min(latest);
            }
        }
    }

    /// The first start and the first end of a unit from `ready` on, on a node of its own.
    fn earliest(&self, part: &Part, ready: i64) -> (i64, i64) {
        let each = part.at.iter().zip(&self.groups).filter_map(|(place, group)| {
            let seconds = place.as_ref()?.seconds;
            let start = group.closed.iter().fold(ready, |start, (shut, again)| {
                if start < *again && *shut < start + seconds { *again } else { start }
            });
            Some((start, start + seconds))
        });
        let first = |a: (i64, i64), b: (i64, i64)| (a.0.min(b.0), a.1.min(b.1));
        each.reduce(first).unwrap_or((ready, ready))
    }

    /// Makes classes of equal jobs.
    fn merge(&mut self) {
        let single = std::mem::take(&mut self.classes);
        let mut at = Vec::with_capacity(single.len());
        for class in single {
            match self.classes.iter().position(|known| known.same(&class)) {
                Some(known) => {
                    self.classes[known].jobs.extend(class.jobs);
                    at.push(known);
                }
                None => {
                    at.push(self.classes.len());
                    self.classes.push(class);
                }
            }
        }
        for class in &mut self.classes {
            let all = class.before.iter_mut().chain(&mut class.after);
            all.for_each(|(other, _)| *other = at[*other]);
        }
    }

    /// Classes that are placed all or none, each list by the rule that says so.
    pub(super) fn gangs(&self) -> Vec<Vec<usize>> {
        let mut gangs: Vec<(RuleId, Vec<usize>)> = Vec::new();
        for (k, class) in self.classes.iter().enumerate() {
            for rule in &class.gangs {
                match gangs.iter_mut().find(|(known, _)| known == rule) {
                    Some((_, classes)) => classes.push(k),
                    None => gangs.push((*rule, vec![k])),
                }
            }
        }
        gangs.into_iter().map(|(_, classes)| classes).collect()
    }

    /// The group of each node.
    pub(super) fn group_of(&self) -> Vec<Option<usize>> {
        let mut of = vec![None; self.instance.nodes()];
        for (g, group) in self.groups.iter().enumerate() {
            group.nodes.iter().for_each(|node| of[node.index()] = Some(g));
        }
        of
    }
}

/// One job, its places by node, without what it comes after.
fn class(instance: &Instance, job: TaskId) -> Class {
    let mut parts: Vec<Part> = Vec::new();
    for (at, unit) in instance.units(job).map(TaskId::from).enumerate() {
        let place = |node| Place::of(instance, unit, node);
        let row: Vec<Option<Place>> = instance.node_ids().map(place).collect();
        match parts.iter_mut().find(|part| part.at == row) {
            Some(part) => part.units.push(at),
            None => parts.push(Part { units: vec![at], at: row }),
        }
    }
    Class {
        jobs: vec![job],
        parts,
        release: instance.release(job),
        latest: instance.deadline(job).unwrap_or(i64::MAX / 4),
        due: instance.due(job),
        weight: instance.drop_weight(job),
        priority: instance.priority(job),
        running: instance.runs_now(job),
        gangs: gangs(instance, job),
        before: Vec::new(),
        after: Vec::new(),
        head: (0, 0),
        tail: 0,
    }
}

/// The rules that place the job and others all or none.
fn gangs(instance: &Instance, job: TaskId) -> Vec<RuleId> {
    let of = |unit: usize| instance.rules_of(TaskId::from(unit)).iter().map(|(rule, _)| *rule);
    let mut rules: Vec<RuleId> = instance.units(job).flat_map(of).collect();
    rules.sort_unstable();
    rules.dedup();
    let size = instance.units(job).len();
    rules.retain(|rule| {
        let rule = &instance.rules()[*rule as usize];
        rule.all_or_none() && rule.tasks.len() > size
    });
    rules
}

/// Groups the nodes that anything may run on, equal ones next to each other; the parts' places
/// are by group from then on.
fn grouped(instance: &Instance, classes: &mut [Class]) -> Vec<Group> {
    let column = |node: NodeId| -> Vec<Option<&Place>> {
        let parts = classes.iter().flat_map(|class| &class.parts);
        parts.map(|part| part.at[node.index()].as_ref()).collect()
    };
    let mut kinds: Vec<(Vec<Option<&Place>>, Vec<NodeId>)> = Vec::new();
    for node in instance.node_ids() {
        let column = column(node);
        if column.iter().all(Option::is_none) {
            continue;
        }
        let same = |other: NodeId| {
            room(instance, other) == room(instance, node)
                && instance.closed(other) == instance.closed(node)
                && use_prices(instance, other) == use_prices(instance, node)
        };
        match kinds.iter_mut().find(|(known, nodes)| *known == column && same(nodes[0])) {
            Some((_, nodes)) => nodes.push(node),
            None => kinds.push((column, vec![node])),
        }
    }
    let mut groups = Vec::new();
    for (column, nodes) in kinds {
        let room = room(instance, nodes[0]);
        let slots = slots(&room, column.iter().flatten().map(|place| place.demand.as_slice()));
        let slots = slots.map(|slots| slots.min(instance.tasks() as i64));
        let sets: Vec<Vec<NodeId>> = match slots {
            Some(_) => vec![nodes],
            None => nodes.into_iter().map(|node| vec![node]).collect(),
        };
        for (k, nodes) in sets.into_iter().enumerate() {
            let closed = instance.closed(nodes[0]).to_vec();
            let prices = use_prices(instance, nodes[0]);
            groups.push(Group { nodes, room: room.clone(), slots, closed, prices, twin: k > 0 });
        }
    }
    for part in classes.iter_mut().flat_map(|class| &mut class.parts) {
        let by_node = std::mem::take(&mut part.at);
        part.at = groups.iter().map(|group| by_node[group.nodes[0].index()].clone()).collect();
    }
    groups
}

fn use_prices(instance: &Instance, node: NodeId) -> Vec<(Term, i64)> {
    priced(instance, &|prices| prices.of_use(instance, node))
}

/// Tasks that a node takes at once, when any so many fit and never more do.
fn slots<'p>(room: &[i64], demands: impl Iterator<Item = &'p [i64]> + Clone) -> Option<i64> {
    let ends = |r: usize| {
        let each = || demands.clone().map(|demand| demand[r]);
        (each().min().unwrap_or(0), each().max().unwrap_or(0))
    };
    let most = (0..room.len()).filter(|r| ends(*r).0 > 0).map(|r| room[r] / ends(r).0).min()?;
    let any = (0..room.len()).all(|r| most.saturating_mul(ends(r).1) <= room[r]);
    any.then_some(most)
}
