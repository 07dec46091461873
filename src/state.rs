//! The mutable counterpart of a plan: loads kept incrementally, in integers.

use crate::model::{Instance, NodeId, Plan, TaskId};

/// A plan under construction, with what each node carries.
#[derive(Clone, Debug)]
pub struct State<'a> {
    instance: &'a Instance,
    /// Row-major, nodes x resources, existing load included.
    load: Vec<i64>,
    /// Tasks of the plan per node.
    count: Vec<u32>,
    placement: Vec<Option<NodeId>>,
}

impl<'a> State<'a> {
    /// Nothing placed yet.
    pub fn new(instance: &'a Instance) -> State<'a> {
        State {
            instance,
            load: instance
                .node_ids()
                .flat_map(|node| instance.used(node).iter().copied())
                .collect(),
            count: vec![0; instance.nodes()],
            placement: vec![None; instance.tasks()],
        }
    }

    /// The instance being planned.
    pub fn instance(&self) -> &'a Instance {
        self.instance
    }

    /// Load per resource.
    pub fn load(&self, node: NodeId) -> &[i64] {
        let width = self.instance.resources().len();
        &self.load[node.index() * width..(node.index() + 1) * width]
    }

    /// Tasks of the plan on the node.
    pub fn count(&self, node: NodeId) -> u32 {
        self.count[node.index()]
    }

    /// True when no rule forbids the task on the node as things stand.
    pub fn fits(&self, task: TaskId, node: NodeId) -> bool {
        let instance = self.instance;
        if !instance.eligible(task, node) || (instance.one_task_per_node() && self.count(node) > 0)
        {
            return false;
        }
        let capacity = instance.capacity(node);
        let load = self.load(node);
        instance
            .demand_on(task, node)
            .iter()
            .enumerate()
            .all(|(r, demand)| *demand == 0 || load[r] + demand <= capacity[r])
    }

    /// Puts an unplaced task on a node.
    pub fn place(&mut self, task: TaskId, node: NodeId) {
        debug_assert!(self.placement[task.index()].is_none(), "placed twice");
        debug_assert!(self.fits(task, node), "placed where it does not fit");
        let width = self.instance.resources().len();
        let row = &mut self.load[node.index() * width..(node.index() + 1) * width];
        for (load, demand) in row.iter_mut().zip(self.instance.demand_on(task, node)) {
            *load += demand;
        }
        self.count[node.index()] += 1;
        self.placement[task.index()] = Some(node);
    }

    /// The plan as it stands.
    pub fn unload(self) -> Plan {
        Plan { placement: self.placement }
    }
}
