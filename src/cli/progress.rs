//! What a terminal shows while a plan is being looked for: time, value, bound and gap in one
//! line that goes away. Pipes see nothing of it.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::say;

/// How often the line is drawn again.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// Answers that come sooner need no line.
const SOON: Duration = Duration::from_millis(300);

/// The line on standard error.
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// A line for work of at most `limit`; none where standard error is no terminal.
    pub(super) fn new(limit: Duration, shown: bool) -> Progress {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(millis(limit)), target);
        let style = ProgressStyle::with_template("{spinner} {prefix} {bar:16} {wide_msg}");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
        }
        Progress { bar, began: Instant::now() }
    }

    /// Draws the line again with what `standing` says.
    pub(super) fn tick(&self, standing: impl FnOnce() -> String) {
        let elapsed = self.began.elapsed();
        if self.bar.is_hidden() || elapsed < SOON {
            return;
        }
        self.bar.set_prefix(format!("{:5.1} s", elapsed.as_secs_f64()));
        self.bar.set_message(standing());
        self.bar.set_position(millis(elapsed));
        self.bar.tick();
    }

    /// Prints a line above.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
