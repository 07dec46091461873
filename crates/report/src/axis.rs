//! Axes of drawings.

use super::number;
use model::Measure;

/// A line of values on a screen.
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where those are drawn.
    pub(super) ends: (f64, f64),
    pub(super) logarithmic: bool,
}

impl Axis {
    /// Where a value is drawn.
    pub(super) fn at(&self, value: f64) -> f64 {
        let along = if self.logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.ends.0 + along.clamp(0.0, 1.0) * (self.ends.1 - self.ends.0)
    }

    /// Round values on it, 1, 2 or 5 times a power of ten apart; powers of ten on a
    /// logarithmic one.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let first = self.from.log10().ceil() as i32;
            return (first..).map(|e| 10f64.powi(e)).take_while(|t| *t <= self.to).collect();
        }
        let rough = (self.to - self.from) / 4.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(rough);
        let first = (self.from / step).ceil() as i64;
        (first..).map(|k| k as f64 * step).take_while(|t| *t <= self.to).take(20).collect()
    }
}

/// A value beside its axis.
pub(super) fn tick(measure: Measure, value: f64) -> String {
    match measure {
        Measure::Share => format!("{} %", number::plain(100.0 * value)),
        Measure::Time => number::measured(measure, value, 2),
        _ if value != 0.0 && value.abs() < 1e-3 => format!("{value:.1e}"),
        _ => number::plain(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis { from: 0.0, to: 9.3, ends: (0.0, 93.0), logarithmic: false };
        assert_eq!(axis.ticks(), [0.0, 5.0]);
        assert_eq!(axis.at(5.0).round(), 50.0);
        let axis = Axis { from: 0.02, to: 30.0, ends: (0.0, 1.0), logarithmic: true };
        assert_eq!(axis.ticks(), [0.1, 1.0, 10.0]);
        assert!(axis.at(0.001) == 0.0 && axis.at(30.0) == 1.0);
    }
}
