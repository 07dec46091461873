//! What a tier of the goal is worth: a fraction of whole numbers wherever it is one, so that a
//! value and its bound are compared without rounding.

use std::cmp::Ordering;

use super::Scale;

/// A fraction in lowest terms; the denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    num: i128,
    den: i128,
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs()
}

impl Fraction {
    /// Zero.
    pub const ZERO: Fraction = Fraction { num: 0, den: 1 };

    /// `num / den`; `den` must be positive.
    pub fn new(num: i128, den: i128) -> Fraction {
        debug_assert!(den > 0, "{num} / {den}");
        let by = gcd(num, den).max(1);
        Fraction { num: num / by, den: den / by }
    }

    /// Numerator and denominator.
    pub fn parts(self) -> (i128, i128) {
        (self.num, self.den)
    }

    /// A whole number.
    pub fn whole(num: i128) -> Fraction {
        Fraction { num, den: 1 }
    }

    /// The decimal number that this floating point number is written as, `0.1` for 0.1: weights
    /// and limits of a goal are what a person wrote. `None` where that has too many digits.
    pub fn written(value: f64) -> Option<Fraction> {
        let text = value.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let den = 10i128.checked_pow(u32::try_from(part.len()).ok()?)?;
        let num = format!("{whole}{part}").parse().ok()?;
        Some(Fraction::new(num, den))
    }

    /// The sum; `None` where it does not fit.
    pub fn plus(self, other: Fraction) -> Option<Fraction> {
        let by = gcd(self.den, other.den).max(1);
        let (left, right) = (other.den / by, self.den / by);
        let num = self.num.checked_mul(left)?.checked_add(other.num.checked_mul(right)?)?;
        Some(Fraction::new(num, self.den.checked_mul(left)?))
    }

    /// The product; `None` where it does not fit.
    pub fn times(self, other: Fraction) -> Option<Fraction> {
        let (a, b) = (Fraction::new(self.num, other.den), Fraction::new(other.num, self.den));
        Some(Fraction { num: a.num.checked_mul(b.num)?, den: a.den.checked_mul(b.den)? })
    }

    /// The difference as a floating point number: its sign is exact where the difference fits.
    fn minus(self, other: Fraction) -> f64 {
        let less = Fraction { num: -other.num, den: other.den };
        self.plus(less).map_or(self.near() - other.near(), Fraction::near)
    }

    /// The largest number of which both are whole multiples; of zero and another, the other.
    pub fn common(self, other: Fraction) -> Option<Fraction> {
        let by = gcd(self.den, other.den).max(1);
        let (left, right) = (other.den / by, self.den / by);
        let num = gcd(self.num.checked_mul(left)?, other.num.checked_mul(right)?);
        Some(Fraction::new(num, self.den.checked_mul(left)?))
    }

    /// The least number of these steps that is not below `value`, but for `value`'s own rounding.
    /// `None` where no sensible number is.
    pub fn steps_to(self, value: f64) -> Option<i128> {
        let steps = value / self.near();
        let steps = (steps - HAIR * steps.abs() - ROUNDING).ceil();
        (steps.abs() < 1e30).then_some(steps as i128)
    }

    /// The multiple of this step that [`Fraction::steps_to`] counts.
    pub fn raise(self, value: f64) -> Option<Fraction> {
        Fraction::whole(self.steps_to(value)?).times(self)
    }

    /// How many of these steps this is, where it is a whole number of them.
    pub fn in_steps(self, step: Fraction) -> Option<i128> {
        let num = self.num.checked_mul(step.den)?;
        let den = self.den.checked_mul(step.num)?;
        (den != 0 && num % den == 0).then(|| num / den)
    }

    /// The nearest floating point number.
    pub fn near(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

impl Ord for Fraction {
    /// By whole parts, then by the rests turned upside down: nothing overflows.
    fn cmp(&self, other: &Fraction) -> Ordering {
        let (mut a, mut b) = (*self, *other);
        loop {
            let (whole, against) = (a.num.div_euclid(a.den), b.num.div_euclid(b.den));
            let (rest, other) = (a.num.rem_euclid(a.den), b.num.rem_euclid(b.den));
            match (whole.cmp(&against), rest, other) {
                (Ordering::Equal, 0, 0) => return Ordering::Equal,
                (Ordering::Equal, 0, _) => return Ordering::Less,
                (Ordering::Equal, _, 0) => return Ordering::Greater,
                (Ordering::Equal, _, _) => {
                    let turned = Fraction { num: b.den, den: other };
                    (a, b) = (turned, Fraction { num: a.den, den: rest });
                }
                (unequal, _, _) => return unequal,
            }
        }
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Scale {
    /// What one count stands for.
    pub fn step(self) -> Fraction {
        Fraction::new(self.num.into(), self.den.into())
    }
}

/// The value of a tier, or a bound on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    near: f64,
    exact: Option<Fraction>,
}

/// Relative tolerance where one of two values is known in floating point only.
const NEAR: f64 = 1e-6;
/// Values so near each other are equal: near zero a relative tolerance says nothing.
pub const HAIR: f64 = 1e-12;
/// What sums in floating point may be off, as a part of them.
pub const ROUNDING: f64 = 1e-9;

/// Whether two values of a tier, known in floating point, are not the same, rounding aside.
pub fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > ROUNDING * a.abs().max(b.abs())
}

impl Worth {
    /// A value known in floating point only.
    pub fn real(near: f64) -> Worth {
        Worth { near, exact: None }
    }

    /// An exact value.
    pub fn exact(value: Fraction) -> Worth {
        Worth { near: value.near(), exact: Some(value) }
    }

    /// So many steps of a scale.
    pub fn counted(steps: impl Into<i128>, scale: Scale) -> Worth {
        let steps = steps.into();
        let near = steps as f64 * scale.factor();
        Fraction::whole(steps).times(scale.step()).map_or(Worth::real(near), Worth::exact)
    }

    /// A value in floating point and, where it is one, as a fraction.
    pub fn new(near: f64, exact: Option<Fraction>) -> Worth {
        Worth { near, exact }
    }

    /// In floating point.
    pub fn near(self) -> f64 {
        self.near
    }

    /// As a fraction, where it is known as one.
    pub fn fraction(self) -> Option<Fraction> {
        self.exact
    }

    /// As a bound on a tier whose values are multiples of `step`: the next of them.
    pub fn raised(self, step: Option<Fraction>) -> Worth {
        match (self.exact, step) {
            (None, Some(step)) => step.raise(self.near).map_or(self, Worth::exact),
            _ => self,
        }
    }

    /// How much higher this is: exact in its sign where both are known as fractions.
    pub fn over(self, other: Worth) -> f64 {
        match (self.exact, other.exact) {
            (Some(a), Some(b)) if a == b => 0.0,
            (Some(a), Some(b)) => {
                let over = a.minus(b);
                // What differs differs, however little.
                if over == 0.0 {
                    if a > b { f64::MIN_POSITIVE } else { -f64::MIN_POSITIVE }
                } else {
                    over
                }
            }
            _ => self.near - other.near,
        }
    }

    /// This value, with `bound` below it, cannot be beaten: exactly where both are known as
    /// fractions, else within a millionth.
    pub fn meets(self, bound: Worth) -> bool {
        match (self.exact, bound.exact) {
            (Some(value), Some(bound)) => value <= bound,
            _ => self.near - bound.near <= NEAR * self.near.abs() + HAIR,
        }
    }

    /// No proof can say this of something that is worth `value`.
    pub fn contradicts(self, value: Worth) -> bool {
        match (self.exact, value.exact) {
            (Some(bound), Some(value)) => bound > value,
            _ => self.near > value.near + NEAR * value.near.abs() + ROUNDING,
        }
    }

    /// Order by value: exact where both are known as fractions, else a hair apart is equal.
    pub fn order(self, other: Worth) -> Ordering {
        match (self.exact, other.exact) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ if (self.near - other.near).abs() <= HAIR => Ordering::Equal,
            _ => self.near.total_cmp(&other.near),
        }
    }

    /// Not above another, but for rounding where one of them is known in floating point only.
    pub fn at_most(self, other: Worth) -> bool {
        match (self.exact, other.exact) {
            (Some(a), Some(b)) => a <= b,
            _ => self.near <= other.near + ROUNDING * other.near.abs(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_compared_without_rounding() {
        let big = 1i128 << 100;
        let (a, b) = (Fraction::new(big, big + 1), Fraction::new(big - 1, big));
        assert!(a > b && a.near() == b.near());
        assert!(Fraction::new(-1, 3) < Fraction::new(-1, 4));
        assert_eq!(Fraction::new(2, 4).cmp(&Fraction::new(1, 2)), Ordering::Equal);
        assert!(Worth::exact(a).over(Worth::exact(b)) > 0.0);
        assert!(!Worth::exact(a).meets(Worth::exact(b)));
    }

    #[test]
    fn weights_are_what_is_written() {
        assert_eq!(Fraction::written(0.1), Some(Fraction::new(1, 10)));
        assert_eq!(Fraction::written(1e-9), Some(Fraction::new(1, 1_000_000_000)));
        assert_eq!(Fraction::written(1e12), Some(Fraction::whole(1_000_000_000_000)));
    }

    #[test]
    fn bounds_are_raised_to_the_next_step() {
        let step = Fraction::new(3, 10);
        assert_eq!(step.raise(0.31), Some(Fraction::new(6, 10)));
        assert_eq!(step.raise(0.6 + 1e-14), Some(Fraction::new(6, 10)));
        assert_eq!(step.common(Fraction::new(1, 2)), Some(Fraction::new(1, 10)));
        // Beyond what doubles resolve a bound is rather a little too low.
        let far = Fraction::whole(1).raise(1e17 + 1e3).unwrap();
        assert!(far <= Fraction::whole(100_000_000_000_001_000));
    }
}
