//! Plans in time as a drawing: bars by node, or how full nodes are, and the load over time.

use askama::Template;

use super::{View, clock, story, ticks};
use base::error::{Error, Kind, Result};
use judge::metrics::load_over_time;
use model::{Instance, Run, Schedule};

/// Lanes up to which tasks are drawn one by one, and runs.
const LANES: usize = 150;
const RUNS: usize = 4000;
/// Rows and columns of the picture that is drawn of more.
const ROWS: usize = 60;
const COLUMNS: usize = 120;
/// Where bars begin and end, and how high rows are.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 985.0;
const TOP: f64 = 46.0;
const ROW: f64 = 22.0;
/// Height of the load over time.
const LOAD: f64 = 90.0;
/// Characters of a name before the bars; pixels of a character within one.
const NAME: usize = 20;
const CHARACTER: f64 = 7.5;
/// Pixels between bars.
const GAP: f64 = 1.0;
/// Resources whose load is drawn.
const LINES: usize = 4;

/// A rectangle with what it stands for.
pub(crate) struct Bar {
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    /// Style: `run`, `path`, `shut`, or `h0` to `h9`.
    pub class: String,
    pub name: String,
    pub title: String,
}

/// Text at a place.
pub(crate) struct Mark {
    pub x: String,
    pub y: String,
    pub text: String,
}

/// A resource's load over time.
pub(crate) struct Steps {
    pub class: usize,
    pub points: String,
    pub name: String,
}

/// The drawing, in pixels.
pub(crate) struct Gantt {
    pub caption: String,
    pub height: String,
    /// Where bars end and times stand.
    pub foot: String,
    pub top: String,
    pub times: Vec<Mark>,
    pub nodes: Vec<Mark>,
    pub bars: Vec<Bar>,
    /// Where the load over time is drawn: 100 % and 0 %.
    pub full: String,
    pub empty: String,
    pub steps: Vec<Steps>,
}

#[derive(Template)]
#[template(path = "gantt.svg")]
struct Drawing {
    gantt: Gantt,
}

/// The plan in time as a drawing of its own.
///
/// # Errors
/// None that a person can cause: the template does not fit.
pub fn gantt_svg(instance: &Instance, schedule: &Schedule) -> Result<String> {
    let drawing = Drawing { gantt: gantt(&View::of(instance, schedule)) };
    drawing.render().map_err(|error| Error::new(Kind::Io, error.to_string()))
}

fn pixels(at: f64) -> String {
    format!("{at:.1}")
}

fn short(name: &str, most: usize) -> String {
    if name.chars().count() > most {
        name.chars().take(most.saturating_sub(1)).chain(['…']).collect()
    } else {
        name.to_owned()
    }
}

/// What is drawn.
pub(crate) fn gantt(view: &View) -> Gantt {
    let x = |second: f64| LEFT + (RIGHT - LEFT) * second / view.end as f64;
    let lanes = view.lanes();
    let drawn = lanes.len() <= LANES && view.schedule.plan.placed() <= RUNS;
    let (mut nodes, mut bars) = (Vec::new(), Vec::new());
    let rows =
        if drawn {
            for (k, lane) in lanes.iter().enumerate() {
                let y = TOP + ROW * k as f64;
                if lane.first {
                    nodes.push(label(view.instance.node_name(lane.node), y));
                }
                for (from, to) in view.instance.closed(lane.node) {
                    let (from, to) = ((*from).min(view.end), (*to).min(view.end));
                    let title = format!("closed {} to {}", clock(from), clock(to));
                    bars.extend((from < to).then(|| {
                        bar((x(from as f64), x(to as f64)), y, "shut", String::new(), title)
                    }));
                }
                bars.extend(lane.runs.iter().map(|run| run_bar(view, run, y, &x)));
            }
            lanes.len()
        } else {
            let heat = view.heat(ROWS, COLUMNS);
            for (k, (name, levels)) in heat.iter().enumerate() {
                let y = TOP + ROW * k as f64;
                nodes.push(label(name, y));
                for (c, level) in levels.iter().enumerate().filter(|(_, level)| **level > 0.0) {
                    let edge = |c: usize| view.end as f64 * c as f64 / COLUMNS as f64;
                    let class = format!("h{}", ((level * 10.0) as usize).min(9));
                    let title = format!("{:.0} %", 100.0 * level);
                    bars.push(bar((x(edge(c)), x(edge(c + 1))), y, &class, String::new(), title));
                }
            }
            heat.len()
        };
    let foot = TOP + ROW * rows as f64;
    let (full, empty) = (foot + 40.0, foot + 40.0 + LOAD);
    let mut caption = if drawn {
        "Who runs where and when. Dark: the critical path".to_owned()
    } else {
        "How full nodes are, by their fullest resource. The critical path".to_owned()
    };
    caption.push_str(&format!(": {}", story(view)));
    let times = ticks(view.end, 9).into_iter().map(|second| Mark {
        x: pixels(x(second as f64)),
        y: String::new(),
        text: clock(second),
    });
    Gantt {
        caption,
        height: pixels(empty + 30.0),
        foot: pixels(foot),
        top: pixels(TOP),
        times: times.collect(),
        nodes,
        bars,
        full: pixels(full),
        empty: pixels(empty),
        steps: steps(view, &x, (full, empty)),
    }
}

fn label(name: &str, y: f64) -> Mark {
    Mark { x: pixels(LEFT - 8.0), y: pixels(y + ROW * 0.68), text: short(name, NAME) }
}

fn bar((from, to): (f64, f64), y: f64, class: &str, name: String, title: String) -> Bar {
    Bar {
        x: pixels(from),
        y: pixels(y + 1.0),
        width: pixels((to - from - GAP).max(0.5)),
        height: pixels(ROW - 2.0),
        class: class.to_owned(),
        name,
        title,
    }
}

fn run_bar(view: &View, run: &Run, y: f64, x: &dyn Fn(f64) -> f64) -> Bar {
    let (from, to) = (x(run.start as f64), x(run.end as f64));
    let class = if view.critical[run.task.index()] { "path" } else { "run" };
    let name = view.task(run.task);
    let fits = name.chars().count() as f64 * CHARACTER + 6.0 <= to - from;
    let name = if fits { name.to_owned() } else { String::new() };
    bar((from, to), y, class, name, view.title(run))
}

/// Loads over time as parts of the capacity, the first resources of any.
fn steps(view: &View, x: &dyn Fn(f64) -> f64, (full, empty): (f64, f64)) -> Vec<Steps> {
    let instance = view.instance;
    let capacity = |r: usize| {
        let counted = instance.node_ids().filter(|node| instance.counted(*node));
        counted.map(|node| instance.capacity(node)[r]).sum::<i64>()
    };
    let drawn = (0..instance.resources().len()).filter(|r| capacity(*r) > 0).take(LINES);
    let line = |(class, r): (usize, usize)| {
        let y = |load: i64| empty - (empty - full) * (load as f64 / capacity(r) as f64).min(1.0);
        let mut points = Vec::new();
        let mut level = None;
        // At most two points a pixel: what changes within one is not seen.
        let mut last = f64::MIN;
        for (at, load) in load_over_time(instance, view.schedule, r) {
            let at = x(at.min(view.end) as f64);
            if at - last < 0.5 && level.is_some() {
                level = Some(load);
                continue;
            }
            points.extend(level.map(|before| format!("{at:.1},{:.1}", y(before))));
            points.push(format!("{at:.1},{:.1}", y(load)));
            (level, last) = (Some(load), at);
        }
        points.extend(level.map(|load| format!("{:.1},{:.1}", x(view.end as f64), y(load))));
        let name = instance.resources()[r].name.clone();
        Steps { class, points: points.join(" "), name }
    };
    drawn.enumerate().map(line).collect()
}
