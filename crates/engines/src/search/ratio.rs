//! Exact non-negative fractions: the value of `peak` is always one load over one capacity.

use std::cmp::Ordering;

use model::Worth;

/// A fraction `num / den` with `den > 0`. It is not reduced: 1/2 equals 2/4 when compared.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub num: i64,
    pub den: i64,
}

impl Ratio {
    pub const ZERO: Ratio = Ratio { num: 0, den: 1 };
    /// Larger than every peak that can occur.
    pub const MAX: Ratio = Ratio { num: i64::MAX, den: 1 };

    /// `num / den`; a denominator below 1 (a node without that resource) counts as nothing at all.
    pub fn new(num: i64, den: i64) -> Ratio {
        if den <= 0 { Ratio::ZERO } else { Ratio { num, den } }
    }

    /// A bound as a fraction; a hair below where it is known in floating point only.
    pub fn of(bound: Worth) -> Ratio {
        let exact = bound.fraction().and_then(|exact| {
            let (num, den) = exact.parts();
            Some(Ratio { num: i64::try_from(num).ok()?, den: i64::try_from(den).ok()? })
        });
        let den = 1i64 << 40;
        let near = || (bound.near() * (1.0 - 1e-9) * den as f64) as i64;
        exact.unwrap_or_else(|| Ratio { num: near(), den })
    }

    /// The largest integer not above `self * x`.
    pub fn floor_of(self, x: i64) -> i64 {
        let v = (self.num as i128 * x as i128).div_euclid(self.den as i128);
        v.clamp(i64::MIN as i128, i64::MAX as i128) as i64
    }

    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// A fraction between two others (floating point, denominator 2^40): a target to aim at.
    pub fn between(lo: Ratio, hi: Ratio, part: f64) -> Ratio {
        let den = 1i64 << 40;
        let z = lo.to_f64() + (hi.to_f64() - lo.to_f64()) * part;
        let mid = Ratio { num: (z * den as f64) as i64, den };
        mid.max(lo).min(hi)
    }
}

impl Ord for Ratio {
    fn cmp(&self, o: &Ratio) -> Ordering {
        (self.num as i128 * o.den as i128).cmp(&(o.num as i128 * self.den as i128))
    }
}
impl PartialOrd for Ratio {
    fn partial_cmp(&self, o: &Ratio) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl PartialEq for Ratio {
    fn eq(&self, o: &Ratio) -> bool {
        self.cmp(o) == Ordering::Equal
    }
}
impl Eq for Ratio {}
