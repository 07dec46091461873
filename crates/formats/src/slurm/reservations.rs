//! `scontrol show reservation --json`: nodes that are kept for some jobs, or for nobody, from when until
//! when. Other jobs do not run into that time; jobs of the reservation run within it.

use super::bounds::Reservation;
use super::cluster::{Cluster, Node, Pending};
use super::features::YES;
use super::fields::At;
use super::owner::Owner;
use super::words::hosts;
use base::error::Result;
use model::{CENTURY, Direction, Labels, NodeState, When, joined};

/// Begins the label of the nodes that are kept for a reservation.
const RESERVATION: &str = "reservation:";
/// The label that says in how many seconds the node is kept; behind a colon, for another reservation
/// than this.
const KEPT: &str = "kept_in";
/// Stands between a node and the reservation in which it is a node of its own.
pub(super) const WITHIN: char = '@';

/// An entry of `reservations`.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    let flags = at.words("flags")?;
    let nodes = hosts(&at.text("node_list")?).map_err(|cause| at.wrong("node_list", cause))?;
    let mut tell = |errs: Direction, key: &str, cause: &str| {
        cluster.warnings.assume(errs, at.path_of(key), cause);
    };
    for flag in &flags {
        match flag.as_str() {
            "HOURLY" | "DAILY" | "WEEKDAY" | "WEEKEND" | "WEEKLY" => {
                let cause = "the reservation comes again: it is planned with once";
                tell(Direction::Wider, "flags", cause);
            }
            "TIME_FLOAT" | "FLOAT" => {
                let cause = "the reservation begins later and later: planned as it stands now";
                tell(Direction::Either, "flags", cause);
            }
            "FLEX" | "MAGNETIC" => {
                let cause = "jobs may use the reservation without asking for it, or more than it: planned with what asks, on its nodes";
                tell(Direction::Narrower, "flags", cause);
            }
            _ => {}
        }
    }
    if !at.text("licenses")?.is_empty() {
        let cause = "licences that a reservation keeps later are not planned with";
        tell(Direction::Wider, "licenses", cause);
    }
    let cores = at.number("core_count")?.unwrap_or(0);
    let own = |name: &String| cluster.at.get(name).map(|k| &cluster.nodes[*k]);
    let all = nodes.iter().map(|name| own(name).map(|node| node.has.cpu / node.threads.max(1)));
    let all = all.sum::<Option<i64>>();
    if cores > 0 && all.is_some_and(|all| cores < all) {
        let cause = "the reservation keeps some cores of its nodes: planned as if all were kept";
        cluster.warnings.assume(Direction::Narrower, at.path_of("core_count"), cause);
    }
    let start = at.number("start_time")?.unwrap_or(0);
    let end = at.number("end_time")?.filter(|end| *end > 0);
    let end = end.unwrap_or_else(|| start.saturating_add(CENTURY));
    cluster.reservations.push(Reservation { name: at.text("name")?, start, end, nodes });
    Ok(())
}

/// Whether the labels are those of what the reservation has.
pub(super) fn is_within(labels: &Labels, reservation: &str) -> bool {
    labels.iter().any(|(key, _)| key.strip_prefix(RESERVATION) == Some(reservation))
}

impl Reservation {
    fn active(&self, now: i64) -> bool {
        self.start <= now && now < self.end
    }
}

impl Cluster {
    /// Whether the files say when all reservations are that the job may run in.
    pub(super) fn reserves(&self, owner: &Owner) -> bool {
        let known = |name: &String| self.reservations.iter().any(|own| own.name == *name);
        !owner.reservations.is_empty() && owner.reservations.iter().all(known)
    }

    /// Keeps jobs out of reservations that are not theirs, and those that ask for one within it.
    pub(super) fn keep(&mut self) {
        let asked: Vec<String> =
            self.pending.iter().flat_map(|job| job.owner.reservations.iter().cloned()).collect();
        let Some(now) = self.times.now else {
            if !self.reservations.is_empty() {
                let cause =
                    "nothing says what time it is, so reservations are left out: give --start-date";
                self.warnings.assume(Direction::Wider, "reservations".to_owned(), cause);
                self.reservations.clear();
            }
            return self.keep_by_state(&asked, None);
        };
        let (there, over): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.reservations).into_iter().partition(|own| own.end > now);
        self.reservations = there;
        let names: Vec<&String> = over.iter().map(|own| &own.name).collect();
        let late = |job: &Pending| {
            let own = &job.owner.reservations;
            !own.is_empty() && own.iter().all(|name| names.contains(&name))
        };
        let (out, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.pending).into_iter().partition(late);
        self.pending = kept;
        if !out.is_empty() {
            let ids = out.into_iter().map(|job| job.task.id).collect();
            self.out.push(("its reservation is over".to_owned(), ids));
        }
        self.keep_by_state(&asked, Some(now));
        if self.reservations.is_empty() {
            return;
        }
        if self.untimed { self.keep_from_now(now) } else { self.keep_windows(now, &asked) }
    }

    /// Nodes that are said to be kept now: open where a reservation that is known says the rest.
    fn keep_by_state(&mut self, asked: &[String], now: Option<i64>) {
        let mut named = false;
        for node in self.nodes.iter_mut().filter(|node| node.reserved) {
            let of = |own: &&Reservation| {
                now.is_some_and(|now| own.active(now)) && own.nodes.contains(node.real())
            };
            if self.reservations.iter().any(|own| of(&own)) {
                continue;
            }
            if asked.contains(&node.reservation) {
                node.labels.push((format!("{RESERVATION}{}", node.reservation), YES.to_owned()));
                node.labels.push((KEPT.to_owned(), "0".to_owned()));
                named = true;
            } else if node.state == NodeState::Ready {
                node.state = NodeState::Drain;
            }
        }
        let mut out = Vec::new();
        for mut job in std::mem::take(&mut self.pending) {
            let key = job.owner.reservations.first().map(|name| format!("{RESERVATION}{name}"));
            match key {
                Some(_) if self.reserves(&job.owner) => {}
                Some(key) => {
                    let here = |node: &Node| node.labels.iter().any(|(known, _)| *known == key);
                    if !self.nodes.iter().any(here) {
                        out.push(job.task.id);
                        continue;
                    }
                    job.requires((key, YES), true);
                }
                None if named => job.requires((KEPT.to_owned(), "*"), false),
                None => {}
            }
            self.pending.push(job);
        }
        if !out.is_empty() {
            self.out.push(("which nodes its reservation keeps is not said".to_owned(), out));
        }
    }

    /// What starts now: no job runs into the time of a reservation that is not its own.
    fn keep_from_now(&mut self, now: i64) {
        let all = self.reservations.clone();
        for node in &mut self.nodes {
            let mine = |own: &&Reservation| own.nodes.contains(node.real());
            let first = |besides: Option<&str>| {
                let others = all.iter().filter(mine).filter(|own| besides != Some(&own.name));
                others.map(|own| (own.start - now).max(0)).min()
            };
            let mut labels = Vec::new();
            labels.extend(first(None).map(|wait| (KEPT.to_owned(), wait.to_string())));
            for own in all.iter().filter(mine).filter(|own| own.active(now)) {
                let other = first(Some(&own.name));
                let key = format!("{KEPT}:{}", own.name);
                labels.extend(other.map(|wait| (key, wait.to_string())));
                labels.push((format!("{RESERVATION}{}", own.name), YES.to_owned()));
            }
            node.labels.extend(labels);
        }
        for job in &mut self.pending {
            let before = |seconds: Option<i64>| {
                seconds.map_or_else(|| "*".to_owned(), |seconds| format!("<{seconds}"))
            };
            let run = before(job.task.duration);
            let names = job.owner.reservations.clone();
            let known = all.iter().filter(|own| names.contains(&own.name));
            match known.clone().find(|own| own.active(now)).or(known.clone().next()) {
                None if names.is_empty() => job.requires((KEPT.to_owned(), &run), false),
                None => {}
                Some(own) if own.active(now) => {
                    job.requires((format!("{RESERVATION}{}", own.name), YES), true);
                    job.requires((format!("{KEPT}:{}", own.name), &run), false);
                }
                Some(_) => job.wishes.blocked = Some("its reservation begins later".to_owned()),
            }
        }
    }

    /// In time: nodes are closed while they are kept. For jobs of a reservation its nodes are nodes of
    /// their own, on which these run from its start to its end.
    fn keep_windows(&mut self, now: i64, asked: &[String]) {
        let all = self.reservations.clone();
        let window = |own: &Reservation| (own.start.max(now), own.end);
        let mut twins = Vec::new();
        for node in &mut self.nodes {
            let here = |own: &&Reservation| own.nodes.contains(node.real());
            for own in all.iter().filter(here).filter(|own| asked.contains(&own.name)) {
                let others = all.iter().filter(here).filter(|other| other.name != own.name);
                let mut twin = Node {
                    name: format!("{}{WITHIN}{}", node.name, own.name),
                    alias: Some(node.name.clone()),
                    closed: apart(others.map(window).collect()),
                    ..node.clone()
                };
                twin.labels.push((format!("{RESERVATION}{}", own.name), YES.to_owned()));
                twin.labels.push((KEPT.to_owned(), "0".to_owned()));
                twins.push(twin);
            }
            node.closed = apart(all.iter().filter(here).map(window).collect());
        }
        let some = !twins.is_empty();
        self.nodes.extend(twins);
        let (mut kept, mut out) = (Vec::new(), Vec::new());
        for mut job in std::mem::take(&mut self.pending) {
            let names = &job.owner.reservations;
            let Some(own) = all.iter().find(|own| names.contains(&own.name)) else {
                if some && names.is_empty() {
                    job.requires((KEPT.to_owned(), "*"), false);
                }
                kept.push(job);
                continue;
            };
            let (from, to) = window(own);
            job.requires((format!("{RESERVATION}{}", own.name), YES), true);
            let release = match job.task.release {
                Some(When::On(release)) => release.max(from),
                _ => from,
            };
            job.task.release = Some(release).filter(|at| *at > now).map(When::On);
            let until = match job.task.deadline {
                Some(When::On(deadline)) => deadline.min(to),
                _ => to,
            };
            job.task.deadline = Some(When::On(until));
            let ends = release.saturating_add(job.task.duration.unwrap_or(0));
            if ends > until {
                out.push(job.task.id);
            } else {
                kept.push(job);
            }
        }
        self.pending = kept;
        if !out.is_empty() {
            let cause = "jobs that are longer than what is left of their reservation are not planned in time";
            self.warnings.assume(Direction::Narrower, "reservations".to_owned(), cause);
            self.out.push(("its reservation ends before it would".to_owned(), out));
        }
    }
}

impl Pending {
    /// The job's nodes have the label with this value, or do not.
    fn requires(&mut self, (key, value): (String, &str), has: bool) {
        let asks = &mut self.task.requires;
        let list = if has { &mut asks.any_of } else { &mut asks.none_of };
        list.push((key, vec![value.to_owned()]));
        list.sort();
        list.dedup();
    }
}

/// Windows without overlaps, sorted.
fn apart(mut windows: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    windows.retain(|(from, to)| from < to);
    windows.sort_unstable();
    joined(windows)
}
