//! `scontrol show licenses --json`: how many there are, and how many of them jobs may have now.

use super::bounds::Licence;
use super::cluster::Cluster;
use super::fields::At;
use base::error::Result;
use model::Direction;

/// An entry of `licenses`.
pub(super) fn read(cluster: &mut Cluster, at: &At) -> Result<()> {
    // The names of 22.05 and later, and of the form that later versions could take.
    let number = |keys: [&str; 2]| -> Result<i64> {
        let [first, second] = keys;
        Ok(at.number(first)?.or(at.number(second)?).unwrap_or(0))
    };
    let mut name = at.text("LicenseName")?;
    if name.is_empty() {
        name = at.text("name")?;
    }
    if name.is_empty() {
        return Err(at.error("the licence has no name"));
    }
    let (total, used) = (number(["Total", "total"])?, number(["Used", "used"])?);
    let kept = number(["Reserved", "reserved"])?;
    let lacking = number(["LastDeficit", "last_deficit"])?;
    if kept > 0 {
        let cause = "licences that are kept for a reservation are nobody's";
        cluster.warnings.assume(Direction::Narrower, at.path_of("Reserved"), cause);
    }
    let most = total.saturating_sub(kept).saturating_sub(lacking).max(0);
    cluster.licences.insert(name, Licence { most, used });
    Ok(())
}
