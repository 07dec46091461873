//! The critical path in words.

use super::{View, clock};
use judge::metrics::{Link, Waits};

/// Why a task of the chain starts when it does.
pub(super) fn reason(view: &View, link: &Link) -> String {
    let node = |node| view.instance.node_name(node);
    match link.waits {
        Waits::Start => "starts with the plan".to_owned(),
        Waits::Release => "is released then".to_owned(),
        Waits::Opening(at) => format!("{} is closed until then", node(at)),
        Waits::Ending(at) => format!("what ran on {} before ends then", node(at)),
        Waits::After(task, 0) => format!("after {}", view.task(task)),
        Waits::After(task, lag) => format!("after {} plus {}", view.task(task), clock(lag)),
        Waits::Room(task, at) => format!("room on {}, when {} ends", node(at), view.task(task)),
        Waits::Limit(rule, ended) => {
            let name = &view.instance.rules()[rule as usize].name;
            match ended {
                Some(task) => format!("room in the limit `{name}`, when {} ends", view.task(task)),
                None => format!("room in the limit `{name}`"),
            }
        }
        Waits::Nothing => "nothing here holds it back".to_owned(),
    }
}

/// Short name of the reason for scripts.
pub(super) fn code(waits: Waits) -> &'static str {
    match waits {
        Waits::Start => "start",
        Waits::Release => "release",
        Waits::Opening(_) => "closed",
        Waits::Ending(_) => "ending",
        Waits::After(..) => "after",
        Waits::Room(..) => "room",
        Waits::Limit(..) => "limit",
        Waits::Nothing => "nothing",
    }
}

/// The chain in one sentence.
pub(crate) fn story(view: &View) -> String {
    let Some(first) = view.chain.first() else { return "nothing runs".to_owned() };
    let runs: i64 = view.chain.iter().map(|link| link.run.end - link.run.start).sum();
    let last = view.chain.last().map_or(0, |link| link.run.end);
    let count = match view.chain.len() {
        1 => "one task".to_owned(),
        many => format!("{many} tasks"),
    };
    format!(
        "{count}, {} in all, between {} and {}; the first: {}",
        clock(runs),
        clock(first.run.start),
        clock(last),
        reason(view, first)
    )
}
