//! temp
mod json;
mod source;
mod value;
pub use json::{instance_schema, write_instance};
pub use source::Source;
pub fn digest(_: &crate::model::Instance) -> String {
    "sha256:x".into()
}
pub fn read_json(s: &Source) -> crate::Result<crate::model::Instance> {
    Ok(json::read(s)?.build().map_err(|e| crate::Error::input("x", e.to_string()))?)
}
