//! What moving tasks costs and how much counts twice while they move: costs of
//! tasks and routes, groups that should not move all at once, resources that are
//! taken on both nodes.

use rustc_hash::FxHashMap;

use super::draft::{DraftError, DraftItem, error};
use super::expand::Units;
use super::parts::{Moves, Routes};
use super::{Decimal, Draft, Instance, NodeId, Scale, TaskId, Term, gcd};
use base::nearest;

impl Default for Moves {
    fn default() -> Moves {
        Moves {
            own: Vec::new(),
            scale: Scale::ONE,
            routes: Routes::default(),
            held: Vec::new(),
            groups: Vec::new(),
            group_names: Vec::new(),
            groups_of: (Vec::new(), Vec::new()),
        }
    }
}

impl Routes {
    fn row(&self, from: NodeId) -> std::ops::Range<usize> {
        match self.start.get(from.index()..=from.index() + 1) {
            Some(&[from, to]) => from as usize..to as usize,
            _ => 0..0,
        }
    }
}

impl Instance {
    /// True when the resource is taken on both nodes while a task moves.
    pub fn transient(&self, resource: usize) -> bool {
        self.resources[resource].transient
    }

    /// True when any resource is transient and any task runs somewhere already.
    pub fn has_transient(&self) -> bool {
        !self.current.is_empty() && self.resources.iter().any(|resource| resource.transient)
    }

    /// What the tasks that run on the node now take of each transient resource, 0
    /// of the others. They hold it until all moves are done, wherever they go.
    pub fn held(&self, node: NodeId) -> &[i64] {
        let width = self.resources.len();
        &self.moves.held[node.index() * width..(node.index() + 1) * width]
    }

    /// What the plan may put on the node in one resource with tasks that run
    /// elsewhere now or nowhere: less than [`Instance::free`] where the resource is
    /// transient.
    pub fn free_for_others(&self, node: NodeId, resource: usize) -> i64 {
        let taken = self.used(node)[resource] + self.held(node)[resource];
        (self.limit(node)[resource] - taken).max(0)
    }

    /// Room for this task on the node in one resource when nothing else of the plan
    /// moves there.
    pub fn room_for(&self, task: TaskId, node: NodeId, resource: usize) -> i64 {
        if self.current(task) == Some(node) {
            self.free(node, resource)
        } else {
            self.free_for_others(node, resource)
        }
    }

    /// True when the task runs somewhere now and would run elsewhere then.
    pub fn moved(&self, task: TaskId, node: NodeId) -> bool {
        self.current(task).is_some_and(|current| current != node)
    }

    /// What it costs to have the task on the node: nothing where it runs now and for
    /// tasks that run nowhere yet; else the task's own cost and the route's. In
    /// steps of [`Instance::move_scale`].
    pub fn move_cost(&self, task: TaskId, node: NodeId) -> i64 {
        match self.current(task) {
            Some(from) if from != node => self.own_move_cost(task) + self.route(from, node),
            _ => 0,
        }
    }

    /// The task's own part of that cost.
    pub fn own_move_cost(&self, task: TaskId) -> i64 {
        self.moves.own.get(task.index()).copied().unwrap_or(1)
    }

    /// The route's part of that cost.
    pub fn route(&self, from: NodeId, to: NodeId) -> i64 {
        let routes = &self.moves.routes;
        let range = routes.row(from);
        let row = &routes.to[range.clone()];
        let at = if row.len() == self.nodes() {
            to.index() // a full row: position = node
        } else {
            match row.binary_search(&to) {
                Ok(at) => at,
                Err(_) => return 0,
            }
        };
        routes.cost[range.start + at]
    }

    /// The routes from a node that cost anything, sorted by where they lead.
    pub fn routes_from(&self, from: NodeId) -> impl Iterator<Item = (NodeId, i64)> + '_ {
        let routes = &self.moves.routes;
        let row = routes.row(from).map(|at| (routes.to[at], routes.cost[at]));
        row.filter(|(_, cost)| *cost != 0)
    }

    /// True when any route costs anything.
    pub fn has_routes(&self) -> bool {
        !self.moves.routes.to.is_empty()
    }

    /// What one step of a move's cost stands for.
    pub fn move_scale(&self) -> Scale {
        self.moves.scale
    }

    /// Tasks of each group that tasks name, in order of first appearance.
    pub fn groups(&self) -> &[Vec<TaskId>] {
        &self.moves.groups
    }

    /// What a group is called.
    pub fn group_name(&self, group: u32) -> &str {
        &self.moves.group_names[group as usize]
    }

    /// The groups of a task, as positions in [`Instance::groups`].
    pub fn groups_of(&self, task: TaskId) -> &[u32] {
        let (start, entries) = &self.moves.groups_of;
        match start.get(task.index()..=task.index() + 1) {
            Some(&[from, to]) => &entries[from as usize..to as usize],
            _ => &[],
        }
    }

    /// True when it matters where tasks run now: something is transient, or the goal
    /// counts moves.
    pub fn current_matters(&self) -> bool {
        !self.current.is_empty()
            && (self.has_transient() || self.goal().terms().any(Term::counts_moves))
    }
}

/// Works out costs of moves, groups, and what is held while tasks move.
pub(super) fn moves(
    instance: &Instance,
    draft: &Draft,
    units: &Units,
    node_at: &FxHashMap<&str, u32>,
) -> Result<Moves, DraftError> {
    let mut moves = Moves { held: held(instance), ..Moves::default() };
    for (name, mut tasks) in units.groups(draft) {
        tasks.sort_unstable();
        tasks.dedup();
        moves.group_names.push(name);
        moves.groups.push(tasks);
    }
    index_groups(&mut moves, units.len());
    moves.price(draft, units, node_at)?;
    Ok(moves)
}

/// Works out the groups of each task from the tasks of each group.
pub(super) fn index_groups(moves: &mut Moves, tasks: usize) {
    if moves.groups.is_empty() {
        moves.groups_of = (Vec::new(), Vec::new());
        return;
    }
    let mut entries: Vec<(TaskId, u32)> = Vec::new();
    for (k, group) in moves.groups.iter().enumerate() {
        entries.extend(group.iter().map(|task| (*task, k as u32)));
    }
    entries.sort_unstable();
    let mut start = vec![0u32; tasks + 1];
    entries.iter().for_each(|(task, _)| start[task.index() + 1] += 1);
    for k in 0..tasks {
        start[k + 1] += start[k];
    }
    moves.groups_of = (start, entries.into_iter().map(|(_, group)| group).collect());
}

/// What today's tasks hold of what is transient: nodes x resources.
pub(super) fn held(instance: &Instance) -> Vec<i64> {
    let width = instance.resources().len();
    let mut held = vec![0i64; instance.nodes() * width];
    if instance.has_transient() {
        for task in instance.task_ids() {
            let Some(node) = instance.current(task) else { continue };
            for (r, demand) in instance.demand_on(task, node).iter().enumerate() {
                if instance.transient(r) {
                    held[node.index() * width + r] += demand;
                }
            }
        }
    }
    held
}

const REMEDY: &str = "use smaller costs of moves, or fewer decimals";

impl Moves {
    /// Takes over the costs of tasks and routes, as integers of one scale.
    fn price(
        &mut self,
        draft: &Draft,
        units: &Units,
        node_at: &FxHashMap<&str, u32>,
    ) -> Result<(), DraftError> {
        let routes = collect_routes(draft, node_at)?;
        let own = || units.tasks().map(|k| draft.tasks[k].move_cost.unwrap_or(Decimal::ONE));
        if routes.is_empty() && own().all(|cost| cost == Decimal::ONE) {
            return Ok(());
        }
        let too_large = || {
            let cause = "what moves may cost adds up to more than 2^60 steps".to_owned();
            error(DraftItem::Whole, "move_cost", cause, REMEDY)
        };
        let all = own().chain(routes.iter().map(|(.., cost)| *cost));
        let places = all.map(Decimal::decimals).max().unwrap_or(0);
        let mut total: i128 = 0;
        for cost in own() {
            let whole = cost.at_places(places).ok_or_else(too_large)?;
            total += i128::from(whole);
            self.own.push(whole);
        }
        let nodes = draft.nodes.len();
        let mut longest = 0;
        for row in routes.chunk_by(|a, b| a.0 == b.0) {
            let from = row[0].0 as usize;
            while self.routes.start.len() <= from {
                self.routes.start.push(self.routes.to.len() as u32);
            }
            let first = self.routes.to.len();
            let full = row.len() * 2 >= nodes;
            if full {
                self.routes.to.extend((0..nodes).map(NodeId::from));
                self.routes.cost.resize(first + nodes, 0);
            }
            for (_, to, cost) in row {
                let whole = cost.at_places(places).ok_or_else(too_large)?;
                longest = longest.max(whole);
                if full {
                    self.routes.cost[first + *to as usize] = whole;
                } else {
                    self.routes.to.push(NodeId(*to));
                    self.routes.cost.push(whole);
                }
            }
        }
        if !self.routes.to.is_empty() {
            self.routes.start.resize(nodes + 1, self.routes.to.len() as u32);
        }
        total += i128::from(longest) * units.len() as i128;
        if total >= 1 << 60 {
            return Err(too_large());
        }
        let lists = self.own.iter().chain(&self.routes.cost);
        let shared = lists.fold(0, |g, value| gcd(g, *value)).max(1);
        self.own.iter_mut().chain(&mut self.routes.cost).for_each(|value| *value /= shared);
        let den = 10i64.checked_pow(u32::from(places)).ok_or_else(too_large)?;
        let g = gcd(shared, den);
        self.scale = Scale { num: shared / g, den: den / g };
        Ok(())
    }
}

/// Routes that cost anything, sorted by both ends.
fn collect_routes(
    draft: &Draft,
    node_at: &FxHashMap<&str, u32>,
) -> Result<Vec<(u32, u32, Decimal)>, DraftError> {
    let mut order: Vec<(u32, u32, usize)> = Vec::with_capacity(draft.routes.len());
    for (k, route) in draft.routes.iter().enumerate() {
        let find = |field: &str, id: &str| {
            node_at.get(id).copied().ok_or_else(|| {
                let remedy = nearest(id, node_at.keys().copied()).map_or_else(
                    || "name a node of this instance".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                error(DraftItem::Route(k), field, format!("there is no node `{id}`"), &remedy)
            })
        };
        let (from, to) = (find("from", &route.from)?, find("to", &route.to)?);
        if from == to {
            let cause = format!("a route from node `{}` to itself", route.from);
            let remedy = "leave it out: a task that stays costs nothing";
            return Err(error(DraftItem::Route(k), "to", cause, remedy));
        }
        order.push((from, to, k));
    }
    order.sort_unstable();
    if let Some(twice) = order.windows(2).find(|w| (w[0].0, w[0].1) == (w[1].0, w[1].1)) {
        let route = &draft.routes[twice[1].2];
        let cause = format!("the route from `{}` to `{}` is given twice", route.from, route.to);
        return Err(error(DraftItem::Route(twice[1].2), "", cause, "keep one of the two"));
    }
    let routes = order.into_iter().map(|(from, to, k)| (from, to, draft.routes[k].cost));
    Ok(routes.filter(|(.., cost)| !cost.is_zero()).collect())
}
