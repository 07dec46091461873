//! The time-indexed program (Pritsker, Watters, Wolfe 1969, DOI 10.1287/mnsc.16.1.93; Sousa, Wolsey
//! 1992, DOI 10.1007/BF01585718): how many jobs of each class start when, and how many of their
//! units on each group of nodes. One function per family of rows.

use super::super::margins::HIDDEN;
use super::super::program::{Col, Of, Program};
use super::limits::Limits;
use super::starts::starts;
use super::table::{Class, Group, Table};
use model::{ROUNDING, Shape, Tier, Worth};

/// Jobs of a class that start at `start`; each has ended by `end`.
pub(super) struct Start {
    pub(super) col: Col,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Units of those jobs on a group.
pub(super) struct Unit {
    pub(super) col: Col,
    /// Position of the class's start.
    pub(super) of: usize,
    pub(super) part: usize,
    pub(super) group: usize,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// A tier's program and what its columns mean.
pub(super) struct Model<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) program: Program,
    /// By class; those of plain jobs are the columns of their units, one each.
    pub(super) starts: Vec<Vec<Start>>,
    pub(super) units: Vec<Vec<Unit>>,
    /// Jobs of each class that are left out, where that may be.
    pub(super) out: Vec<Option<Col>>,
    /// Nodes of each group that are used, where that counts.
    pub(super) used: Vec<Option<Col>>,
    /// What the makespan is at least, and the rungs above: whether anything ends after a second,
    /// and the second at which it has if nothing ends after that.
    pub(super) span: (i64, Vec<(i64, i64, Col)>),
}

/// What came of building a program.
pub(super) enum Built<'a> {
    Model(Box<Model<'a>>),
    /// Some job cannot run at all.
    Impossible,
    /// So many columns or rows, or more.
    TooLarge(usize),
}

impl<'a> Model<'a> {
    /// The program that minimises `tier` where the earlier tiers keep their values. No schedule is
    /// looked for that is worse than `known` in the tier.
    pub(super) fn build(
        table: &'a Table<'a>,
        tier: &Tier,
        earlier: &[(&Tier, Worth)],
        known: Option<Worth>,
        most: usize,
    ) -> Built<'a> {
        let tiers = earlier.iter().copied().chain(known.map(|known| (tier, known)));
        let tiers: Vec<(&Tier, f64)> = tiers.map(|(tier, worth)| (tier, worth.near())).collect();
        let limits = Limits::new(table, &tiers);
        let Some(starts) = starts(table, &limits, most) else { return Built::TooLarge(most + 1) };
        let mut model = Model {
            table,
            program: Program::default(),
            starts: Vec::new(),
            units: Vec::new(),
            out: Vec::new(),
            used: vec![None; table.groups.len()],
            span: (0, Vec::new()),
        };
        for (k, starts) in starts.iter().enumerate() {
            model.columns(k, starts, &limits);
            if model.program.columns.len() > most {
                return Built::TooLarge(model.program.columns.len());
            }
        }
        let all = std::iter::once(tier).chain(earlier.iter().map(|(tier, _)| *tier));
        let terms = || all.clone().flat_map(|tier| &tier.terms).map(|part| part.term);
        if model.place_rows().is_none() {
            return Built::Impossible;
        }
        model.gang_rows();
        model.room_rows();
        model.after_rows();
        if terms().any(|term| table.groups.iter().any(|group| group.use_steps(term) > 0)) {
            model.used_rows();
        }
        if terms().any(|term| matches!(term.shape(), Shape::LastEnd)) {
            model.span_rows();
        }
        model.order_rows();
        for (k, (tier, value)) in earlier.iter().enumerate() {
            model.program.about("tier", &[Of::Number(k)]);
            model.settled_row(tier, value.near());
        }
        match model.program.columns.len().max(model.program.rows.len()) {
            size if size > most => Built::TooLarge(size),
            _ => Built::Model(Box::new(model)),
        }
    }

    /// When jobs of the class start, and where their units are. Units of a gang end at different
    /// times on different nodes: its starts are told apart by its end, and only units that end by
    /// then are there.
    fn columns(&mut self, k: usize, starts: &[i64], limits: &Limits) {
        let (table, class) = (self.table, &self.table.classes[k]);
        let example = Of::Task(class.example());
        let (mut own, mut units) = (Vec::new(), Vec::new());
        let jobs = class.jobs.len() as i64;
        for start in starts.iter().copied() {
            let open = |part: usize| {
                let places = class.parts[part].at.iter().zip(&table.groups).enumerate();
                places.filter_map(move |(g, (place, group))| {
                    let place = place.as_ref()?;
                    let end = start + place.seconds;
                    group.open(start, end).then(|| (g, end, most(group, &place.demand)))
                })
            };
            if class.plain() {
                for (group, end, most) in open(0) {
                    if limits.allow(k, (start, end), Some(group)) {
                        let node = Of::Node(table.groups[group].nodes[0]);
                        self.program.about("x", &[example, node, Of::Second(start)]);
                        let col = self.program.column(0.0, jobs.min(most) as f64, true);
                        units.push(Unit { col, of: own.len(), part: 0, group, start, end });
                        own.push(Start { col, start, end });
                    }
                }
                continue;
            }
            let parts = 0..class.parts.len();
            let mut ends: Vec<i64> =
                parts.clone().flat_map(|part| open(part).map(|o| o.1)).collect();
            ends.sort_unstable();
            ends.dedup();
            for end in ends {
                let within = |part| open(part).filter(move |(_, by, _)| *by <= end);
                let room = |part: usize| -> i64 { within(part).map(|(_, _, most)| most).sum() };
                let has_room =
                    parts.clone().all(|part| room(part) >= class.parts[part].units.len() as i64);
                if !has_room || !limits.allow(k, (start, end), None) {
                    continue;
                }
                self.program.about("start", &[example, Of::Second(start), Of::Second(end)]);
                let col = self.program.column(0.0, jobs as f64, true);
                for part in parts.clone() {
                    let many = class.parts[part].units.len() as i64;
                    let mut terms = vec![(col, -many as f64)];
                    for (group, by, most) in within(part) {
                        let node = Of::Node(table.groups[group].nodes[0]);
                        let label = [example, node, Of::Second(start), Of::Second(end)];
                        self.program.about("x", &label);
                        let unit = self.program.column(0.0, most.min(many * jobs) as f64, true);
                        terms.push((unit, 1.0));
                        units.push(Unit { col: unit, of: own.len(), part, group, start, end: by });
                    }
                    self.program.about("units", &[example, Of::Number(part), Of::Second(start)]);
                    self.program.equal(terms, 0.0);
                }
                own.push(Start { col, start, end });
            }
        }
        self.program.about("unplaced", &[example]);
        self.out.push(table.allow_unplaced.then(|| self.program.column(0.0, jobs as f64, true)));
        self.starts.push(own);
        self.units.push(units);
    }

    /// Each job starts once, or is left out where that may be.
    fn place_rows(&mut self) -> Option<()> {
        for (k, class) in self.table.classes.iter().enumerate() {
            let starts = self.starts[k].iter().map(|start| start.col);
            let terms: Vec<(Col, f64)> = starts.chain(self.out[k]).map(|col| (col, 1.0)).collect();
            if terms.is_empty() {
                return None;
            }
            self.program.about("place", &[Of::Task(class.example())]);
            self.program.equal(terms, class.jobs.len() as f64);
        }
        Some(())
    }

    /// Jobs that a rule places all or none: of two either both are left out or neither.
    fn gang_rows(&mut self) {
        for classes in self.table.gangs() {
            for pair in classes.windows(2) {
                let (Some(a), Some(b)) = (self.out[pair[0]], self.out[pair[1]]) else { continue };
                let names = [pair[0], pair[1]].map(|k| Of::Task(self.table.classes[k].example()));
                self.program.about("gang", &names);
                self.program.equal(vec![(a, 1.0), (b, -1.0)], 0.0);
            }
        }
    }

    /// Units on a group: their class, and themselves.
    fn on(&self, group: usize) -> impl Iterator<Item = (usize, &Unit)> {
        let classes = self.units.iter().enumerate();
        classes.flat_map(move |(k, units)| {
            units.iter().filter(move |unit| unit.group == group).map(move |unit| (k, unit))
        })
    }

    /// Seconds at which a group can be fullest: starts before the next of which something ends.
    fn instants(&self, group: usize) -> Vec<i64> {
        let mut events: Vec<(i64, bool)> =
            self.on(group).flat_map(|(_, unit)| [(unit.end, false), (unit.start, true)]).collect();
        events.sort_unstable();
        let full = events.windows(2).filter(|pair| pair[0].1 && !pair[1].1);
        full.map(|pair| pair[0].0).collect()
    }

    /// What runs on a group at a second, each with what it takes by `of`.
    fn running(&self, group: usize, second: i64, of: impl Fn(&[i64]) -> i64) -> Vec<(Col, f64)> {
        let there = self.on(group).filter(|(_, unit)| unit.start <= second && second < unit.end);
        let each = there.filter_map(|(k, unit)| {
            let place = self.table.classes[k].parts[unit.part].at[group].as_ref()?;
            Some((unit.col, of(&place.demand) as f64))
        });
        each.filter(|(_, a)| *a != 0.0).collect()
    }

    /// What runs at once has room, whenever something starts.
    fn room_rows(&mut self) {
        for (g, group) in self.table.groups.iter().enumerate() {
            let node = Of::Node(group.nodes[0]);
            let last = group.room.len() - 1;
            for second in self.instants(g) {
                if let Some(slots) = group.slots {
                    let terms = self.running(g, second, |_| 1);
                    self.program.about("at_once", &[node, Of::Second(second)]);
                    self.at_most(terms, slots.saturating_mul(group.nodes.len() as i64));
                    continue;
                }
                for (r, room) in group.room.iter().enumerate() {
                    let terms = self.running(g, second, |demand| demand[r]);
                    if r == last {
                        self.program.about("at_once", &[node, Of::Second(second)]);
                    } else {
                        let of = [node, Of::Resource(r), Of::Second(second)];
                        self.program.about("room", &of);
                    }
                    self.at_most(terms, *room);
                }
            }
        }
    }

    /// A row, unless its columns' own bounds keep it.
    fn at_most(&mut self, terms: Vec<(Col, f64)>, most: i64) {
        let columns = &self.program.columns;
        let all: f64 = terms.iter().map(|(col, a)| a * columns[*col as usize].upper).sum();
        if all > most as f64 {
            self.program.at_most(terms, most as f64);
        }
    }

    /// What comes after something has started by a second only if that has ended the lag before:
    /// one row a second, which is stronger than one for both starts (Christofides, Alvarez-Valdes,
    /// Tamarit 1987, DOI 10.1016/0377-2217(87)90240-2).
    fn after_rows(&mut self) {
        for (k, class) in self.table.classes.iter().enumerate() {
            for (other, lag) in &class.before {
                let ended = |by: i64| self.starts[*other].iter().filter(move |s| s.end + lag <= by);
                let mut seconds: Vec<i64> = self.starts[k].iter().map(|s| s.start).collect();
                seconds.dedup();
                let mut rows = Vec::new();
                for (at, second) in seconds.iter().enumerate() {
                    let many = ended(*second).count();
                    // With the next second's row in hand, only where more has ended by then.
                    if seconds.get(at + 1).is_some_and(|next| ended(*next).count() == many)
                        || (many == self.starts[*other].len() && self.out[*other].is_none())
                    {
                        continue;
                    }
                    let own = self.starts[k].iter().filter(|start| start.start <= *second);
                    let own = own.map(|start| (start.col, 1.0));
                    rows.push((
                        *second,
                        own.chain(ended(*second).map(|s| (s.col, -1.0))).collect(),
                    ));
                }
                let names = [class.example(), self.table.classes[*other].example()].map(Of::Task);
                for (second, terms) in rows {
                    self.program.about("after", &[names[0], names[1], Of::Second(second)]);
                    self.program.at_most(terms, 0.0);
                }
            }
        }
    }

    /// A node is used when anything ever runs there.
    fn used_rows(&mut self) {
        for (g, group) in self.table.groups.iter().enumerate() {
            let node = Of::Node(group.nodes[0]);
            self.program.about("used", &[node]);
            let used = self.program.column(0.0, group.nodes.len() as f64, true);
            self.used[g] = Some(used);
            for (k, class) in self.table.classes.iter().enumerate() {
                let on = self.units[k].iter().filter(|unit| unit.group == g);
                let mut terms: Vec<(Col, f64)> = on.map(|unit| (unit.col, 1.0)).collect();
                if !terms.is_empty() {
                    terms.push((used, -((class.jobs.len() * class.units()) as f64)));
                    self.program.about("uses", &[node, Of::Task(class.example())]);
                    self.program.at_most(terms, 0.0);
                }
            }
            // Of several, as many as the tasks at once take.
            if let Some(slots) = group.slots.filter(|_| group.nodes.len() > 1) {
                for second in self.instants(g) {
                    let mut terms = self.running(g, second, |_| 1);
                    terms.push((used, -(slots as f64)));
                    self.program.about("uses", &[node, Of::Second(second)]);
                    self.program.at_most(terms, 0.0);
                }
            }
        }
    }

    /// Classes whose ends no later job's end exceeds for sure.
    pub(super) fn last(&self) -> impl Iterator<Item = usize> {
        let classes = self.table.classes.iter().enumerate();
        let last = |class: &Class| class.after.is_empty() || self.table.allow_unplaced;
        classes.filter(move |(_, class)| last(class)).map(|(k, _)| k)
    }

    /// The makespan as a ladder: a rung for each second at which something can be the last to
    /// end. One row a class and rung is stronger than one bound on a column for all.
    fn span_rows(&mut self) {
        let ends = |k: usize| self.starts[k].iter().map(|start| start.end);
        let base = if self.table.allow_unplaced {
            0
        } else {
            self.last().filter_map(|k| ends(k).min()).max().unwrap_or(0)
        };
        let mut levels: Vec<i64> = self.last().flat_map(ends).filter(|end| *end > base).collect();
        levels.sort_unstable();
        levels.dedup();
        let mut below = base;
        let mut rungs = Vec::with_capacity(levels.len());
        for level in levels {
            self.program.about("ends_after", &[Of::Second(below)]);
            let rung = self.program.column(0.0, 1.0, true);
            rungs.push((below, level, rung));
            for k in self.last().collect::<Vec<usize>>() {
                let late = self.starts[k].iter().filter(|start| start.end > below);
                let mut terms: Vec<(Col, f64)> = late.map(|start| (start.col, 1.0)).collect();
                if !terms.is_empty() {
                    let class = &self.table.classes[k];
                    terms.push((rung, -(class.jobs.len() as f64)));
                    self.program.about("last", &[Of::Task(class.example()), Of::Second(below)]);
                    self.program.at_most(terms, 0.0);
                }
            }
            below = level;
        }
        self.span = (base, rungs);
    }

    /// Of equal nodes the first has the most to do.
    fn order_rows(&mut self) {
        for g in (1..self.table.groups.len()).filter(|g| self.table.groups[*g].twin) {
            let busy = |group: usize, sign: i64| {
                let on = self.on(group);
                on.map(move |(_, unit)| (unit.col, (sign * (unit.end - unit.start)) as f64))
            };
            let terms: Vec<(Col, f64)> = busy(g, 1).chain(busy(g - 1, -1)).collect();
            self.program.about("order", &[Of::Node(self.table.groups[g].nodes[0])]);
            self.program.at_most(terms, 0.0);
        }
    }

    /// An earlier tier gets no worse. Of a makespan alone, nothing that ends later is there.
    fn settled_row(&mut self, tier: &Tier, value: f64) {
        if tier.terms.iter().all(|part| matches!(part.term.shape(), Shape::LastEnd)) {
            return;
        }
        let form = self.form(tier);
        let most = (value * form.unit - form.constant) / form.step;
        let most = if form.whole {
            (most + 1e-6).floor() + 0.5 + ROUNDING * most.abs()
        } else {
            most + HIDDEN * (1.0 + (value * form.unit).abs())
        };
        let terms = form.terms.into_iter().map(|(col, a)| (col, a / form.step)).collect();
        self.program.at_most(terms, most);
    }
}

/// Tasks of one kind that a group takes at once.
fn most(group: &Group, demand: &[i64]) -> i64 {
    let each = group.room.iter().zip(demand).filter(|(_, demand)| **demand > 0);
    let most = each.map(|(room, demand)| room / demand).min().unwrap_or(i64::MAX);
    most.saturating_mul(group.nodes.len() as i64)
}
