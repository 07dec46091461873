//! The seconds at which a job can have to start.
//!
//! For goals that are never served by starting later some best schedule has nothing that could
//! start a second earlier where everything else stays. There, what keeps a job from it is its
//! release, the end of a window on a node of its own, the end of what it comes after plus the
//! lag, or the end of a task that made room. So its start is a release or the end of a window plus
//! the sum of durations, and lags, of other jobs, each at most once (compare Sousa, Wolsey 1992,
//! DOI 10.1007/BF01585718, who take every instant).

use super::limits::Limits;
use super::table::{Class, Table};

/// The seconds at which a job of each class may start, ascending; `None` where a class has more
/// than `most`.
pub(super) fn starts(table: &Table, limits: &Limits, most: usize) -> Option<Vec<Vec<i64>>> {
    let last: Vec<i64> = (0..table.classes.len()).map(|k| limits.last_start(k)).collect();
    let until = last.iter().copied().max().unwrap_or(0);
    let windows = table.groups.iter().flat_map(|group| group.closed.iter().map(|(_, to)| *to));
    let releases = table.classes.iter().map(|class| class.release);
    let bases = sorted(windows.chain(releases).filter(|base| *base <= until).collect());
    let each = table.classes.iter().enumerate().map(|(k, class)| {
        if class.running {
            return Some(vec![0]);
        }
        let mut sums = bases.clone();
        for (other, of) in table.classes.iter().enumerate() {
            let steps = steps(of);
            for _ in 0..of.jobs.len() - usize::from(other == k) {
                let before = sums.len();
                let more = sums.iter().flat_map(|sum| steps.iter().map(move |step| sum + step));
                let more: Vec<i64> = more.filter(|sum| *sum <= last[k]).collect();
                sums = sorted([sums, more].concat());
                if sums.len() > most {
                    return None;
                }
                if sums.len() == before {
                    break; // what is there already stays all there is
                }
            }
        }
        sums.retain(|start| (class.head.0..=last[k]).contains(start));
        Some(sums)
    });
    each.collect()
}

fn sorted(mut seconds: Vec<i64>) -> Vec<i64> {
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// What a job may put between its start and the start of another.
fn steps(class: &Class) -> Vec<i64> {
    let places = || class.parts.iter().flat_map(|part| part.places());
    let lags = || [0].into_iter().chain(class.after.iter().map(|(_, lag)| *lag));
    sorted(places().flat_map(|place| lags().map(|lag| place.seconds + lag)).collect())
}
