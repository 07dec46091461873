//! Demands that vary: means, deviations, and the chance that a node is overloaded.
//!
//! Demands vary independently, and their sum is taken for normal: a node keeps the risk p in a resource
//! where (sum of means) + z sqrt(sum of squared deviations) <= what the plan may fill, z the quantile of
//! 1 - p. Where any distribution is to be allowed for, z is the square root of (1 - p) / p: Cantelli's
//! inequality, the least that holds for all with this mean and deviation. Loads everywhere else are means.

use super::Decimal;

/// Parts of one in which z squared is held.
const STEPS: f64 = 1e6;

/// The chance with which each node may be overloaded, in each resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Risk {
    chance: Decimal,
    /// z squared in millionths, rounded up.
    squared: i64,
    /// Whatever the distribution of loads.
    any: bool,
}

/// What stands behind a chance that holds whatever the distribution.
const ANY: &str = "any";

impl std::fmt::Display for Risk {
    /// As read: `0.01` or `0.01 any`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.chance)?;
        if self.any { write!(f, " {ANY}") } else { Ok(()) }
    }
}

impl Risk {
    /// Reads `0.01` or `1%`, and `1% any` for whatever the distribution.
    ///
    /// # Errors
    /// What is no number above 0 and below one half.
    pub fn parse(text: &str) -> Result<Risk, String> {
        let words = text.trim();
        let share = words.strip_suffix(ANY).filter(|share| share.ends_with(' '));
        let chance = parse_share(share.unwrap_or(words))?;
        let value = chance.to_f64();
        if !(1e-9..0.5).contains(&value) {
            return Err(format!("a risk of {chance}: use 0.000000001 or more, and less than 0.5"));
        }
        let any = share.is_some();
        let squared = match normal_quantile(1.0 - value) {
            _ if any => (1.0 - value) / value,
            z => z * z,
        };
        Ok(Risk { chance, squared: (squared * STEPS).ceil() as i64, any })
    }

    /// The chance as given.
    pub fn chance(self) -> Decimal {
        self.chance
    }

    /// Whether it holds whatever the distribution of loads.
    pub fn any(self) -> bool {
        self.any
    }

    /// The square of the quantile z, as a fraction.
    pub fn squared_quantile(self) -> (i64, i64) {
        (self.squared, STEPS as i64)
    }

    /// The quantile z.
    pub fn quantile(self) -> f64 {
        (self.squared as f64 / STEPS).sqrt()
    }

    /// Whether so much room above the sum of means is enough for this variance: slack >= z
    /// sqrt(variance), decided exactly. In steps of a resource and their square.
    #[inline]
    pub fn covers(self, slack: i64, variance: i128) -> bool {
        if slack < 0 || variance == 0 {
            return slack >= 0;
        }
        let (have, need) =
            (slack as f64 * slack as f64, self.squared as f64 / STEPS * variance as f64);
        if (have - need).abs() > 1e-9 * need {
            return have > need;
        }
        let need = (i128::from(self.squared) * variance + STEPS as i128 - 1) / STEPS as i128;
        i128::from(slack) * i128::from(slack) >= need
    }

    /// The least room above the sum of means that covers this variance.
    pub fn margin(self, variance: i128) -> i64 {
        let mut margin = (self.quantile() * (variance as f64).sqrt()) as i64;
        while margin > 0 && self.covers(margin - 1, variance) {
            margin -= 1;
        }
        while !self.covers(margin, variance) {
            margin += 1;
        }
        margin
    }

    /// The chance that a load of this variance exceeds its mean by more than `slack`: the highest
    /// that any distribution has, or that of a normal one.
    pub fn chance_here(self, slack: i64, variance: i128) -> f64 {
        match (self.any, variance) {
            (true, 1..) if slack > 0 => {
                let variance = variance as f64;
                variance / (variance + slack as f64 * slack as f64)
            }
            (true, 1..) => 1.0,
            _ => Risk::chance_of(slack, variance),
        }
    }

    /// The chance that a normal load of this variance exceeds its mean by more than `slack`.
    pub fn chance_of(slack: i64, variance: i128) -> f64 {
        match variance {
            0 => f64::from(slack < 0),
            _ => normal_tail(slack as f64 / (variance as f64).sqrt()),
        }
    }
}

/// The chance that a standard normal variable exceeds `x`.
pub fn normal_tail(x: f64) -> f64 {
    0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value that a standard normal variable stays below with chance `p`, by bisection: the same
/// on every platform.
pub fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        // From the side on which little is lost to rounding.
        let below = if p < 0.5 { normal_tail(-middle) < p } else { normal_tail(middle) > 1.0 - p };
        if below { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// Reads a part of one: `0.1` or `10%`.
///
/// # Errors
/// What is no number.
pub fn parse_share(text: &str) -> Result<Decimal, String> {
    let bad = || format!("`{text}` is no part of one: write 0.01 or 1%");
    match text.trim().strip_suffix('%') {
        Some(number) => {
            let percent = Decimal::parse(number).map_err(|_| bad())?;
            Decimal::ONE.percent(percent).ok_or_else(bad)
        }
        None => Decimal::parse(text).map_err(|_| bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (p, z) in
            [(0.5, 0.0), (0.95, 1.644_853_627), (0.99, 2.326_347_874), (0.001, -3.090_232_306)]
        {
            assert!((normal_quantile(p) - z).abs() < 1e-8, "{p}: {}", normal_quantile(p));
            assert!((normal_tail(z) - (1.0 - p)).abs() < 1e-9);
        }
        let risk = Risk::parse("1%").unwrap();
        assert_eq!(risk, Risk::parse("0.01").unwrap());
        assert_eq!(risk.squared_quantile(), (5_411_895, 1_000_000));
        let any = Risk::parse(" 1% any").unwrap();
        assert_eq!((any.squared_quantile().0, any.to_string().as_str()), (99_000_000, "0.01 any"));
        assert_eq!(Risk::parse(&any.to_string()), Ok(any));
    }

    #[test]
    fn what_is_no_risk_says_so() {
        for text in ["0", "0.5", "60%", "-1%", "one", "", "1e-12", "any", "1%any", "1% all"] {
            assert!(Risk::parse(text).is_err(), "{text}");
        }
    }

    /// Around the point where squares are equal, the quick answer is the exact one.
    #[test]
    fn margins_are_exact() {
        let risk = Risk::parse("0.01").unwrap();
        let (num, den) = risk.squared_quantile();
        for deviation in [1i128, 7, 1000, 123_456_789, 1 << 40, (1 << 49) + 12_345] {
            let variance = deviation * deviation + 17;
            let margin = risk.margin(variance);
            let enough = |slack: i64| {
                let square = i128::from(slack) * i128::from(slack);
                square >= (i128::from(num) * variance + i128::from(den) - 1) / i128::from(den)
            };
            for slack in [margin - 2, margin - 1, margin, margin + 1] {
                assert_eq!(
                    risk.covers(slack, variance),
                    slack >= 0 && enough(slack),
                    "{variance} {slack}"
                );
            }
            assert!(enough(margin) && !enough(margin - 1));
        }
        assert!(risk.covers(0, 0) && !risk.covers(-1, 0) && !risk.covers(i64::MIN / 4, 1));
        assert_eq!(risk.margin(0), 0);
    }
}
