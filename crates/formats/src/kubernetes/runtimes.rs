//! What a runtime class adds to its pods when they are made: overhead, a node selector, tolerations.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::api::node::v1::RuntimeClass;

use super::objects::Object;

/// The classes by name.
#[derive(Debug, Default)]
pub(super) struct Runtimes(BTreeMap<String, RuntimeClass>);

/// Whether the object is a pod that the API server has not seen and that names a runtime class: it
/// can be read once all classes are known.
pub(super) fn waits_for_class(object: &Object) -> bool {
    object.kind == "Pod"
        && object.value.pointer("/spec/runtimeClassName").is_some()
        && object.value.pointer("/metadata/uid").is_none()
}

impl Runtimes {
    pub(super) fn take(&mut self, class: RuntimeClass) {
        self.0.insert(class.metadata.name.clone().unwrap_or_default(), class);
    }

    /// Does to a pod what admission does; a class that is not known stays in the specification.
    pub(super) fn fill_in(&self, spec: &mut PodSpec) {
        let name = spec.runtime_class_name.as_ref();
        let Some(class) = name.and_then(|name| self.0.get(name)) else { return };
        spec.runtime_class_name = None;
        if spec.overhead.is_none() {
            spec.overhead = class.overhead.as_ref().and_then(|all| all.pod_fixed.clone());
        }
        let Some(asks) = &class.scheduling else { return };
        let selector = spec.node_selector.get_or_insert_default();
        for (key, value) in asks.node_selector.iter().flatten() {
            selector.entry(key.clone()).or_insert_with(|| value.clone());
        }
        let more = asks.tolerations.iter().flatten().cloned();
        spec.tolerations.get_or_insert_default().extend(more);
    }
}
