//! Bytes to API objects: JSON or YAML, one document or many, lists taken apart.

use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::super::json_error;
use super::super::source::Text;
use super::typed;
use base::error::{Error, Result};

/// Where an object stands: file, document of the file, item of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    document: usize,
    item: Option<usize>,
}

impl Place {
    /// `document 2, items[5]`; empty for the only object of a file.
    pub(super) fn within(self) -> String {
        let document = (self.document > 0).then(|| format!("document {}", self.document + 1));
        let item = self.item.map(|item| format!("items[{item}]"));
        let parts: Vec<String> = document.into_iter().chain(item).collect();
        parts.join(", ")
    }
}

/// An object that has a kind.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) place: Place,
    /// `apps` of `apps/v1`, empty for the core.
    pub(super) group: String,
    pub(super) kind: String,
    /// `namespace/name`, or the name alone.
    pub(super) name: String,
    pub(super) value: Value,
}

impl Object {
    /// `items[5] default/web-0`
    pub(super) fn whole_place(&self) -> String {
        let within = self.place.within();
        let between = if within.is_empty() { "" } else { " " };
        format!("{within}{between}{}", self.name)
    }

    /// Names become part of the ids of pods, `namespace/name`: they have no slash, as in the API.
    ///
    /// # Errors
    /// A name or a namespace that has one.
    pub(super) fn is_named_well(&self, source: Text) -> Result<()> {
        for field in ["name", "namespace"] {
            let text = self.value.pointer(&format!("/metadata/{field}")).and_then(Value::as_str);
            if let Some(text) = text.filter(|text| text.contains('/')) {
                let error = source.error(format!("`{text}` is no name of an object"));
                let place = format!("{}, metadata.{field}", self.whole_place());
                return Err(error.at(place).help("write it without a slash"));
            }
        }
        Ok(())
    }

    /// The object as one of the API's types, with the fields that the type does not have.
    ///
    /// # Errors
    /// Values of other types, with the field.
    pub(super) fn typed<T: DeserializeOwned>(&self, source: Text) -> Result<(T, Vec<String>)> {
        typed::read(&self.value).map_err(|(error, path)| {
            let field = if path.is_empty() { path } else { format!(", {path}") };
            source.error(error.to_string()).at(format!("{}{field}", self.whole_place()))
        })
    }
}

/// The JSON pointer of a place such as `spec.tasks[0].template`.
pub(super) fn pointer(place: &str) -> String {
    format!("/{}", place.replace(['.', '['], "/").replace(']', ""))
}

/// True for texts that begin like API objects.
pub(super) fn fits(text: &str) -> bool {
    let text = text.trim_start();
    // An array as `jq .items` prints it.
    let array = text.strip_prefix('[').map(str::trim_start);
    let text = array.unwrap_or(text);
    if text.starts_with('{') {
        return json_error::first_key(text, &["apiVersion", "kind", "pods", "nodes", "tasks"])
            .is_some_and(|key| match key {
                "nodes" => json_error::first_key(text, &["pods", "tasks"]) == Some("pods"),
                key => key != "tasks",
            });
    }
    let key = |line: &str| line.starts_with("apiVersion:") || line.starts_with("kind:");
    array.is_none() && text.lines().take(1000).any(key)
}

/// Hands every object of a text to `take`, in order.
///
/// # Errors
/// Broken JSON or YAML with its line, objects without a kind or name, whatever `take` says.
pub(super) fn each(
    file: usize,
    source: Text,
    take: &mut dyn FnMut(Object) -> Result<()>,
) -> Result<()> {
    if source.text.trim_start().starts_with(['{', '[']) {
        return each_json(file, source, take);
    }
    for (document, text) in yaml_serde::Deserializer::from_str(source.text).enumerate() {
        let value = Value::deserialize(text).map_err(|error| broken_yaml(source, &error))?;
        if !value.is_null() {
            let place = Place { file, document, item: None };
            whole(source, place, value, None, take)?;
        }
    }
    Ok(())
}

fn broken_yaml(source: Text, error: &yaml_serde::Error) -> Error {
    let full = error.to_string();
    let located = match error.location() {
        Some(at) => {
            let suffix = format!(" at line {} column {}", at.line(), at.column());
            let cause = full.replace(&suffix, "");
            source.error(format!("not valid YAML: {cause}")).at(format!(
                "line {} column {}",
                at.line(),
                at.column()
            ))
        }
        None => source.error(format!("not valid YAML: {full}")),
    };
    located.help("check the indentation, and quote what is to be a text")
}

/// Kinds of objects that are told apart by their names.
const NAMED: [&str; 12] = [
    "Deployment",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Pod",
    "PodGroup",
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
];

/// Lists of a snapshot of the scheduler's simulator: their keys, and what they are lists of.
const SNAPSHOT: [(&str, &str, &str); 7] = [
    ("namespaces", "v1", "Namespace"),
    ("nodes", "v1", "Node"),
    ("pods", "v1", "Pod"),
    ("priorityClasses", "scheduling.k8s.io/v1", "PriorityClass"),
    ("pvcs", "v1", "PersistentVolumeClaim"),
    ("pvs", "v1", "PersistentVolume"),
    ("storageClasses", "storage.k8s.io/v1", "StorageClass"),
];

/// The objects of a snapshot, which do not say of what kind they are.
fn snapshot(
    source: Text,
    place: Place,
    mut map: Map<String, Value>,
    take: &mut dyn FnMut(Object) -> Result<()>,
) -> Result<()> {
    let mut item = 0;
    for (key, version, kind) in SNAPSHOT {
        let list = map.remove(key).and_then(|list| list.as_array().cloned());
        for mut value in list.unwrap_or_default() {
            if let Value::Object(one) = &mut value {
                one.entry("apiVersion").or_insert_with(|| version.into());
            }
            whole(source, Place { item: Some(item), ..place }, value, Some(kind), &mut *take)?;
            item += 1;
        }
    }
    Ok(())
}

/// An object, or the items of a list.
fn whole(
    source: Text,
    place: Place,
    value: Value,
    of: Option<&str>,
    take: &mut dyn FnMut(Object) -> Result<()>,
) -> Result<()> {
    let Value::Object(mut map) = value else {
        let error = source.error("an API object is expected here").at(place.within());
        return Err(error.help("write objects with apiVersion, kind and metadata"));
    };
    let kind = match map.get("kind").and_then(Value::as_str) {
        Some(kind) => kind.to_owned(),
        None => of.map(str::to_owned).ok_or_else(|| {
            source
                .error("missing field `kind`")
                .at(place.within())
                .help("API objects have apiVersion and kind")
        })?,
    };
    let list =
        kind.ends_with("List") && map.get("items").is_some_and(|i| i.is_array() || i.is_null());
    if list {
        let of = kind.strip_suffix("List").filter(|kind| !kind.is_empty()).map(str::to_owned);
        let items = map.remove("items").and_then(|items| items.as_array().cloned());
        for (k, item) in items.unwrap_or_default().into_iter().enumerate() {
            whole(source, Place { item: Some(k), ..place }, item, of.as_deref(), take)?;
        }
        return Ok(());
    }
    object(source, place, kind, map, take)
}

fn object(
    source: Text,
    place: Place,
    kind: String,
    map: Map<String, Value>,
    take: &mut dyn FnMut(Object) -> Result<()>,
) -> Result<()> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let version = text(map.get("apiVersion")).unwrap_or_default();
    let group = version.split_once('/').map_or(String::new(), |(group, _)| group.to_owned());
    let metadata = map.get("metadata");
    let name = text(metadata.and_then(|m| m.get("name")));
    let generated = || text(metadata.and_then(|m| m.get("generateName")));
    let name = name.or_else(generated).filter(|name| !name.is_empty());
    // What is read needs a name; of the rest only the kind is said.
    let name = name.or_else(|| (!NAMED.contains(&kind.as_str())).then(String::new));
    let Some(name) = name else {
        let at = format!("{} {kind}", place.within());
        let error = source.error("missing field `metadata.name`").at(at.trim().to_owned());
        return Err(error.help("give every object a name"));
    };
    let name = match text(metadata.and_then(|m| m.get("namespace"))) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    };
    take(Object { place, group, kind, name, value: Value::Object(map) })
}

/// Lists are read item by item: a cluster's dump need not be in memory twice.
fn each_json(file: usize, source: Text, take: &mut dyn FnMut(Object) -> Result<()>) -> Result<()> {
    let failed = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(source.text);
    for document in 0.. {
        let place = Place { file, document, item: None };
        let seed = Document { source, place, take: &mut *take, failed: &failed };
        if let Err(error) = seed.deserialize(&mut reader) {
            let ours = failed.take();
            return Err(ours.unwrap_or_else(|| json_error::locate(source, &error)));
        }
        if reader.end().is_ok() {
            break;
        }
    }
    Ok(())
}

/// One JSON document.
struct Document<'a, 't> {
    source: Text<'a>,
    place: Place,
    take: &'t mut dyn FnMut(Object) -> Result<()>,
    failed: &'t RefCell<Option<Error>>,
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        from: D,
    ) -> std::result::Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn visit_seq<A: SeqAccess<'de>>(mut self, seq: A) -> std::result::Result<(), A::Error> {
        Items { document: &mut self, kind: Some(String::new()) }.visit_seq(seq)
    }

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an API object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut rest = Map::new();
        let mut listed = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "items" {
                listed = true;
                let kind = rest.get("kind").and_then(Value::as_str).map(str::to_owned);
                map.next_value_seed(Items { document: &mut self, kind })?;
            } else {
                rest.insert(key, map.next_value()?);
            }
        }
        if listed {
            return Ok(());
        }
        if !rest.contains_key("kind") && rest.contains_key("pods") {
            let done = snapshot(self.source, self.place, rest, self.take);
            return done.map_err(|error| keep(self.failed, error));
        }
        let done = whole(self.source, self.place, Value::Object(rest), None, self.take);
        done.map_err(|error| keep(self.failed, error))
    }
}

/// Takes our error past serde, which has its own.
fn keep<E: serde::de::Error>(failed: &RefCell<Option<Error>>, error: Error) -> E {
    let text = error.to_string();
    *failed.borrow_mut() = Some(error);
    E::custom(text)
}

/// The items of a list, taken one by one.
struct Items<'d, 'a, 't> {
    document: &'d mut Document<'a, 't>,
    /// The list's kind, where it stands before the items.
    kind: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        from: D,
    ) -> std::result::Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list of API objects")
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        let Document { source, place, take, failed } = self.document;
        let mut kind = self.kind;
        let mut k = 0;
        while let Some(item) = seq.next_element::<Value>()? {
            if kind.is_none() && item.get("kind").is_none() {
                kind = kind_of_list(*source, place.document);
            }
            let of = kind.as_deref().and_then(|kind| kind.strip_suffix("List"));
            let place = Place { item: Some(k), ..*place };
            whole(*source, place, item, of.filter(|kind| !kind.is_empty()), &mut **take)
                .map_err(|error| keep(failed, error))?;
            k += 1;
        }
        Ok(())
    }
}

/// The kind of the list that is document `at`, where it stands behind the items.
fn kind_of_list(source: Text, at: usize) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        kind: Option<String>,
    }
    let mut heads = serde_json::Deserializer::from_str(source.text).into_iter::<Head>();
    heads.nth(at)?.ok()?.kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> std::result::Result<Vec<String>, String> {
        let mut found = Vec::new();
        let source = Text { name: "f", text };
        let taken = each(0, source, &mut |object| {
            found.push(format!("{} {}", object.kind, object.whole_place()));
            Ok(())
        });
        taken.map(|()| found).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_documents_and_single_objects() {
        let node = r#"{"kind":"Node","metadata":{"name":"n"}}"#;
        assert_eq!(names(node).unwrap(), ["Node n"]);
        assert_eq!(names(&format!("{node}\n{node}")).unwrap(), ["Node n", "Node document 2 n"]);
        let list = format!(r#"{{"apiVersion":"v1","items":[{node},{node}],"kind":"List"}}"#);
        assert_eq!(names(&list).unwrap(), ["Node items[0] n", "Node items[1] n"]);
        let bare = r#"{"items":[{"metadata":{"name":"p","namespace":"d"}}],"kind":"PodList"}"#;
        assert_eq!(names(bare).unwrap(), ["Pod items[0] d/p"]);
        let yaml = "# all, of them\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n---\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: b}\n";
        assert_eq!(names(yaml).unwrap(), ["Pod a", "Pod document 3, items[0] b"]);
        assert_eq!(names(r#"{"kind":"List","items":null}"#).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_broken_says_where() {
        for (text, message) in [
            (
                r#"{"kind":"Node","metadata":{"name":"n"}"#,
                "f: line 1 column 38: the JSON ends too early",
            ),
            (r#"{"items":[{"metadata":{"name":"n"}}]}"#, "f: items[0]: missing field `kind`"),
            (
                r#"{"items":[{"kind":"Pod","metadata":{}}]}"#,
                "f: items[0] Pod: missing field `metadata.name`",
            ),
            (r#"{"kind":"List","items":[3]}"#, "f: items[0]: an API object is expected here"),
            (
                r#"{"kind":"List","items":3}"#,
                "f: line 1 column 24: invalid type: integer `3`, expected a list",
            ),
            ("kind: Node\nmetadata:\n  name: [a\n", "f: line 4 column 1: not valid YAML"),
            (
                "kind: Node\nmetadata: {name: n}\n---\n- 3\n",
                "f: document 2: an API object is expected",
            ),
        ] {
            let said = names(text).unwrap_err();
            assert!(said.starts_with(message), "{said}\nis not {message}");
        }
    }
}
