//! What readers of foreign formats fill: nodes, tasks, and what is assumed about them.

use rustc_hash::FxHashMap;

use super::super::source::Text;
use super::item::{Item, Unit, amount};
use base::error::{Error, Result};
use model::{Ask, Assumption, Decimal, Direction, Draft, Goal, NodeDraft, TaskDraft, Term};

/// A draft in the making.
pub(super) struct Pool {
    pub(super) draft: Draft,
    /// Assumptions by what they say.
    said: FxHashMap<String, usize>,
    /// Nodes by name.
    at: FxHashMap<String, usize>,
    /// Jobs that run.
    pub(super) running: usize,
}

/// A field of an object that is an amount of a resource.
pub(super) struct Field {
    /// Keys with dots between.
    pub(super) path: &'static str,
    pub(super) resource: &'static str,
    pub(super) unit: Unit,
}

impl Pool {
    /// Resources in this order, `memory` in bytes.
    pub(super) fn new(resources: &[&str]) -> Pool {
        let mut draft = Draft::default();
        for name in resources {
            let r = draft.resource(name);
            let unit = match *name {
                "memory" | "disk" => Some("byte"),
                "cpu" => Some("core"),
                "gpu" => Some("card"),
                _ => None,
            };
            draft.resources[usize::from(r)].unit = unit.map(str::to_owned);
        }
        Pool { draft, said: FxHashMap::default(), at: FxHashMap::default(), running: 0 }
    }

    /// Notes what is not planned with as it is meant, each kind once.
    pub(super) fn assume(&mut self, direction: Direction, place: String, note: impl Into<String>) {
        let note = note.into();
        let list = &mut self.draft.assumptions;
        let k = *self.said.entry(note.clone()).or_insert(list.len());
        match list.get_mut(k) {
            Some(known) => known.count += 1,
            None => list.push(Assumption {
                object: place,
                field: String::new(),
                count: 1,
                direction,
                note,
            }),
        }
    }

    /// Amounts of an object, one a row; resources that it does not name are none.
    ///
    /// # Errors
    /// What is no amount, with its place.
    pub(super) fn amounts(&mut self, item: &Item, fields: &[Field]) -> Result<Vec<(u16, Decimal)>> {
        let mut list: Vec<(u16, Decimal)> = Vec::with_capacity(fields.len());
        for field in fields {
            let text = item.text(field.path)?;
            if text.is_empty() {
                continue;
            }
            let value = amount(&text, field.unit);
            let value =
                value.ok_or_else(|| item.wrong(field.path, format!("`{text}` is no amount")))?;
            let r = self.draft.resource(field.resource);
            if !list.iter().any(|(own, _)| *own == r) {
                list.push((r, value));
            }
        }
        Ok(list)
    }

    /// Adds a node.
    ///
    /// # Errors
    /// A name that is there already.
    pub(super) fn node(&mut self, place: &Item, node: NodeDraft) -> Result<()> {
        let next = self.draft.nodes.len();
        if self.at.insert(node.id.clone(), next).is_some() {
            let error = place.error(format!("the node `{}` appears twice", node.id));
            return Err(error.help("give one list of the nodes"));
        }
        self.draft.nodes.push(node);
        Ok(())
    }

    /// Puts load on a node; false where there is no such node.
    pub(super) fn load(&mut self, node: &str, load: &[(u16, Decimal)]) -> bool {
        self.running += 1;
        let Some(node) = self.at.get(node) else { return false };
        let node = &mut self.draft.nodes[*node];
        for (r, own) in load {
            match node.used.iter_mut().find(|(known, _)| known == r) {
                Some((_, used)) => *used = sum(*used, *own),
                None => node.used.push((*r, *own)),
            }
        }
        true
    }

    /// The draft.
    ///
    /// # Errors
    /// No nodes, or no tasks, with what to add.
    pub(super) fn finish(self, sources: &[Text], nodes: &str, jobs: &str) -> Result<Draft> {
        let source = sources.first().map_or("", |source| source.name);
        if self.draft.nodes.is_empty() {
            return Err(Error::input(source, "there are no nodes").help(format!("add {nodes}")));
        }
        if self.draft.tasks.is_empty() {
            let cause = match self.running {
                0 => "there are no jobs".to_owned(),
                n => format!("no job waits, {n} run"),
            };
            return Err(Error::input(source, cause).help(format!("add {jobs}")));
        }
        Ok(self.draft)
    }

    /// Makes it a question about time.
    pub(super) fn timed(&mut self, term: Term) {
        self.draft.goal = Some(Goal::single(term));
    }
}

/// Both together; the greatest there is where that is too much.
pub(super) fn sum(a: Decimal, b: Decimal) -> Decimal {
    let places = a.decimals().max(b.decimals());
    let whole = a.at_places(places).zip(b.at_places(places)).and_then(|(a, b)| a.checked_add(b));
    let scaled = whole.and_then(|whole| Decimal::parse(&format!("{whole}e-{places}")).ok());
    scaled.unwrap_or(a)
}

/// So many units of a task, each on a node of its own where that is asked.
pub(super) fn units(task: &mut TaskDraft, count: u32, apart: bool) {
    if count > 1 {
        task.replicas = Some(count);
        if apart {
            task.within.push((Ask::Apart, "node".to_owned()));
        }
    }
}

/// A whole amount.
pub(super) fn whole_amount(value: i64) -> Decimal {
    Decimal::from_integer(value).unwrap_or(Decimal::ZERO)
}
