//! Shares of GPUs: fractions and memory as KAI's annotations ask for them, memory and cores as HAMi's
//! resources do. They land on cards.

use k8s_openapi::api::core::v1::Node;

use model::Decimal;

/// What comes in cards, of which pods may share one.
pub(super) const GPU: &str = "nvidia.com/gpu";
/// Steps of one card.
pub(super) const CARD: i64 = 1_000_000_000;

/// KAI's annotations.
const FRACTION: &str = "gpu-fraction";
const MEMORY: &str = "gpu-memory";
const DEVICES: &str = "gpu-fraction-num-devices";
/// The label that says how much memory a card of the node has, in MiB.
pub(super) const CARD_MEMORY: &str = "nvidia.com/gpu.memory";

/// HAMi's list of a node's cards, and what pods ask of each.
const REGISTER: &str = "hami.io/node-nvidia-register";
pub(super) const GPU_MEMORY: &str = "nvidia.com/gpumem";
pub(super) const GPU_PERCENT: &str = "nvidia.com/gpumem-percentage";
pub(super) const GPU_CORES: &str = "nvidia.com/gpucores";
/// The same as shares of cards.
pub(super) const MEMORY_CARDS: &str = "nvidia.com/gpumem (cards)";
pub(super) const CORE_CARDS: &str = "nvidia.com/gpucores (cards)";

/// The share of a GPU that a pod's annotations ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// In steps of a card, of each of so many.
    Part(i64, i64),
    /// Memory in MiB, of each of so many.
    Memory(i64, i64),
}

/// The share that annotations ask for.
///
/// # Errors
/// What is no share, with its annotation.
pub(super) fn share(
    notes: Option<&std::collections::BTreeMap<String, String>>,
) -> Result<Option<Share>, (&'static str, String)> {
    let Some(notes) = notes else { return Ok(None) };
    let whole = |key: &'static str| match notes.get(key) {
        None => Ok(None),
        Some(text) => match text.trim().parse::<i64>() {
            Ok(number @ 1..) => Ok(Some(number)),
            _ => Err((key, format!("`{text}` is no number of 1 or more"))),
        },
    };
    let many = whole(DEVICES)?.unwrap_or(1);
    if let Some(text) = notes.get(FRACTION) {
        let part = Decimal::parse(text).ok().and_then(|part| part.up_to_places(CARD_PLACES));
        return match part {
            Some(part) if (1..=CARD).contains(&part) => Ok(Some(Share::Part(part, many))),
            _ => Err((FRACTION, format!("`{text}` is no part of a GPU"))),
        };
    }
    Ok(whole(MEMORY)?.map(|memory| Share::Memory(memory, many)))
}

const CARD_PLACES: u8 = 9;

/// Memory of each card that HAMi has registered for the node, in MiB.
pub(super) fn registered(node: &Node) -> Vec<i64> {
    let notes = node.metadata.annotations.as_ref();
    let list = notes.and_then(|notes| notes.get(REGISTER)).map_or("", String::as_str);
    let card = |text: &str| {
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        let healthy = fields.get(6).is_none_or(|word| *word != "false");
        fields.get(2)?.parse::<i64>().ok().filter(|memory| healthy && *memory > 0)
    };
    list.split(':').filter_map(card).collect()
}

/// So much of so much, in steps of a card. Rounded down: as many as fit by their memory fit so.
pub(super) fn steps_of(memory: i64, of: i64) -> i64 {
    let steps = i128::from(memory) * i128::from(CARD) / i128::from(of.max(1));
    i64::try_from(steps).unwrap_or(i64::MAX).max(1)
}

/// Whether a resource is counted in cards of which there can be shares.
pub(super) fn is_of_cards(resource: &str, shared: bool) -> bool {
    resource == MEMORY_CARDS || resource == CORE_CARDS || (shared && resource == GPU)
}

/// Amounts of what comes in cards, whatever they are called.
pub(super) fn in_cards(resource: &str) -> bool {
    is_of_cards(resource, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_shares_fit_as_their_memory_does() {
        for (memory, of, fit) in [(5000, 11264, 2), (1, 3, 3), (24576, 24576, 1), (4096, 24576, 6)]
        {
            let steps = steps_of(memory, of);
            assert!(steps * fit <= CARD && steps * (fit + 1) > CARD, "{memory} of {of}");
        }
    }

    #[test]
    fn annotations_are_read_or_said_to_be_none() {
        let notes = |list: &[(&str, &str)]| {
            let own = list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
            share(Some(&own.collect()))
        };
        assert_eq!(notes(&[("gpu-fraction", "0.5")]), Ok(Some(Share::Part(CARD / 2, 1))));
        let several = [("gpu-memory", "4096"), ("gpu-fraction-num-devices", "2")];
        assert_eq!(notes(&several), Ok(Some(Share::Memory(4096, 2))));
        assert_eq!(notes(&[("other", "1")]), Ok(None));
        for text in ["0", "1.5", "-1", "half"] {
            assert!(notes(&[("gpu-fraction", text)]).is_err(), "{text}");
        }
    }
}
