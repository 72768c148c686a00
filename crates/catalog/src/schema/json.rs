//! The JSON schema of a configuration file.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::{ConfigFile, OverlayFile};

/// The JSON schema (draft 2020-12) of a configuration file, generated from the types of this module.
#[must_use]
pub fn json_schema() -> Value {
    generate::<ConfigFile>("Lazuli configuration file")
}

/// The JSON schema of a file of overlays.
#[must_use]
pub fn overlay_file_schema() -> Value {
    generate::<OverlayFile>("Lazuli overlay file")
}

fn generate<T: schemars::JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(TomlHasNoNull);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// An optional value can be `null` in JSON; in TOML the key is left out instead. Empty defaults say nothing either.
#[derive(Debug, Clone)]
struct TomlHasNoNull;

impl Transform for TomlHasNoNull {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        transform_subschemas(self, schema);
        let Some(object) = schema.as_object_mut() else {
            return;
        };
        if let Some(Value::Array(kinds)) = object.get_mut("type") {
            kinds.retain(|kind| kind != "null");
            if let [only] = kinds.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(values)) = object.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
            branches.retain(|branch| branch.get("type").is_none_or(|kind| kind != "null"));
            if let [Value::Object(only)] = branches.as_mut_slice() {
                let only = std::mem::take(only);
                object.remove("anyOf");
                for (key, value) in only {
                    object.entry(key).or_insert(value);
                }
            }
        }
        let empty = |value: &Value| match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        };
        if object.get("default").is_some_and(empty) {
            object.remove("default");
        }
    }
}
