//! Seconds as people read them, exactly, and round times for axes.

/// `2d 3h 20m 5s`, `1h 30m`, `45s`; `0s` for nothing.
pub(crate) fn clock(seconds: i64) -> String {
    let mut rest = seconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, size) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
        if rest >= size {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    let sign = if seconds < 0 { "-" } else { "" };
    if parts.is_empty() { "0s".to_owned() } else { format!("{sign}{}", parts.join(" ")) }
}

/// The same to two units, rounded down.
pub(crate) fn brief(seconds: i64) -> String {
    clock(seconds).split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// Steps between marks of an axis.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000,
];

/// Round times from 0 to `end`, at most `most` of them but two.
pub(crate) fn ticks(end: i64, most: usize) -> Vec<i64> {
    let most = most.max(2) as i64;
    let fits = |step: &&i64| end / **step < most;
    let coarsest = STEPS[STEPS.len() - 1];
    let step = STEPS.iter().find(fits).copied();
    let step = step.unwrap_or_else(|| coarsest * (end / coarsest / most + 1));
    (0..=end / step).map(|k| k * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_and_short() {
        for (seconds, text) in
            [(0, "0s"), (45, "45s"), (5400, "1h 30m"), (86_400, "1d"), (90_061, "1d 1h 1m 1s")]
        {
            assert_eq!(clock(seconds), text);
        }
        assert_eq!(brief(90_061), "1d 1h");
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(7200, 5), [0, 1800, 3600, 5400, 7200]);
        assert_eq!(ticks(3, 10), [0, 1, 2, 3]);
        for end in [1, 59, 3599, 100_000, 10_000_000, 400_000_000_000] {
            let list = ticks(end, 8);
            assert!(
                (1..=8).contains(&list.len()) && list[list.len() - 1] <= end,
                "{end}: {list:?}"
            );
        }
    }
}
