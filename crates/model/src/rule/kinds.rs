//! The kinds of rules: one list, a file each.

use super::info::{Reading, RuleFields, RuleInfo};

/// The rules that a person may write.
pub const RULES: [&RuleInfo; 6] = [
    &super::gang::INFO,
    &super::together::INFO,
    &super::apart::INFO,
    &super::spread::INFO,
    &super::near::INFO,
    &super::limit::INFO,
];

impl RuleInfo {
    /// What a rule of this kind with these fields asks.
    ///
    /// # Errors
    /// A field that rules of this kind do not have, or one that is missing or makes no sense.
    pub fn ask(&self, fields: &RuleFields) -> Reading {
        if let Some(field) = fields.given().find(|field| !self.fields.contains(field)) {
            let own = RULES.iter().filter(|info| info.fields.contains(&field));
            let own: Vec<String> = own.map(|info| format!("`{}`", info.name)).collect();
            let (name, word) = field.name();
            let whose = match own.split_last() {
                Some((last, [])) => format!("only the rule {last} has"),
                Some((last, others)) => {
                    format!("only the rules {} and {last} have", others.join(", "))
                }
                None => "no rule has".to_owned(),
            };
            return Err((
                name,
                word.map_or(format!("{whose} it"), |word| format!("{whose} `{word}`")),
            ));
        }
        (self.read)(fields)
    }
}
