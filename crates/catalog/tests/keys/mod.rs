//! Which keys of the JSON schema a TOML text uses.

use std::collections::BTreeSet;

use lazuli_catalog::schema::json_schema;
use serde_json::Value;

/// The keys that were seen, as `Record.key`.
pub(crate) struct Used {
    schema: Value,
    seen: BTreeSet<String>,
}

impl Default for Used {
    fn default() -> Self {
        Used {
            schema: json_schema(),
            seen: BTreeSet::new(),
        }
    }
}

impl Used {
    /// Adds the keys of a text.
    pub(crate) fn read(&mut self, text: &str) {
        let document: toml::Table = toml::from_str(text).unwrap();
        let schema = self.schema.clone();
        self.walk("ConfigFile", &schema, &toml::Value::Table(document));
    }

    fn walk(&mut self, record: &str, schema: &Value, value: &toml::Value) {
        if let Some(name) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|path| path.rsplit('/').next())
        {
            let target = self.schema["$defs"][name].clone();
            return self.walk(name, &target, value);
        }
        match value {
            toml::Value::Array(items) => {
                for item in items {
                    self.walk(record, &schema["items"], item);
                }
            }
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let known = schema["properties"].get(key);
                    if known.is_some() {
                        self.seen.insert(format!("{record}.{key}"));
                    }
                    self.walk(record, known.unwrap_or(&schema["additionalProperties"]), value);
                }
            }
            _ => {}
        }
    }

    /// The keys of the schema that were not seen.
    pub(crate) fn missing(&self) -> Vec<String> {
        let records = self.schema["$defs"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, record)| (name.as_str(), record));
        let all = records
            .chain([("ConfigFile", &self.schema)])
            .flat_map(|(name, record)| {
                let keys = record["properties"].as_object().into_iter().flatten();
                keys.map(move |(key, _)| format!("{name}.{key}"))
            });
        all.filter(|key| !self.seen.contains(key)).collect()
    }
}
