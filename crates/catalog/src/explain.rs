//! Where the values of a component come from: file, line and layer of each, and what it overrides.
//!
//! The layers of a component are read again from their files, key by key, and laid over each other by the rules that
//! [`schema::Layer`](crate::schema::Layer) has for their types. A list that grows has a value for each entry.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::catalog::Catalog;
use crate::diagnostic::Location;
use crate::error::Error;
use crate::load::BUILT_IN;
use crate::resolve::{LayerOrigin, ResolvedComponent, ResolvedDistro};
use crate::value::ComponentName;

/// Lists of which a later layer takes the earlier one's place.
const REPLACED_LISTS: [&str; 3] = ["overlay-files", "versions", "architectures"];
/// Tables of which a later layer takes the earlier one's place.
const REPLACED_TABLES: [&str; 1] = ["generate"];
/// The table of which the version goes when another distribution is named.
const REFERENCE: &str = "spec.upstream-distro";

/// A value that a component has, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExplainedValue {
    /// Its key below the component: `spec.upstream-distro.name`. An entry of a list that grows has its index, as it is in
    /// the list that all layers make: `build.with[2]`.
    pub key: String,
    /// The value as it is written in TOML, in one line.
    pub value: String,
    /// The layer that has it.
    pub layer: LayerOrigin,
    /// Where it is written.
    pub location: Location,
    /// What earlier layers say instead, the latest first.
    pub overridden: Vec<OverriddenValue>,
}

/// A value that a later layer has overridden.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct OverriddenValue {
    /// The value as it is written in TOML, in one line.
    pub value: String,
    /// The layer that has it.
    pub layer: LayerOrigin,
    /// Where it is written.
    pub location: Location,
}

impl Catalog {
    /// Where the values of a component come from, sorted by their keys.
    ///
    /// # Errors
    /// As [`component`](Catalog::component).
    pub fn explain(
        &self,
        name: &ComponentName,
        distro: &ResolvedDistro,
    ) -> Result<Vec<ExplainedValue>, Error> {
        let resolved = self.component(name, distro)?;
        let mut node = Node::default();
        for origin in &resolved.layers {
            self.lay(origin, name, distro, &mut node);
        }
        let mut found = Vec::new();
        node.flatten("", &mut found);
        self.explain_overlay_files(&resolved, &mut found);
        Ok(found)
    }

    /// Lays all that one layer says, in all files that have a part of it.
    fn lay(&self, origin: &LayerOrigin, name: &ComponentName, distro: &ResolvedDistro, node: &mut Node) {
        let (keys, below): (Vec<String>, Option<&str>) = match origin {
            LayerOrigin::DistroImport => (
                texts(&["distros", distro.name.as_str(), "import"]),
                Some("import"),
            ),
            LayerOrigin::DistroVersion => {
                let version = distro.version.as_str();
                (
                    texts(&[
                        "distros",
                        distro.name.as_str(),
                        "versions",
                        version,
                        "default-component-config",
                    ]),
                    None,
                )
            }
            LayerOrigin::Project => (texts(&["default-component-config"]), None),
            LayerOrigin::Group(group) => (
                texts(&["component-groups", group.as_str(), "default-component-config"]),
                None,
            ),
            LayerOrigin::SpecFile(group) => return self.lay_spec(origin, group.as_str(), name, node),
            LayerOrigin::Template(template) => (
                texts(&[
                    "component-templates",
                    template.as_str(),
                    "default-component-config",
                ]),
                None,
            ),
            LayerOrigin::TemplateValue {
                template,
                axis,
                value,
            } => {
                let matrix = self
                    .config
                    .component_templates
                    .get(template)
                    .map(|template| template.matrix.as_slice());
                let index = matrix
                    .and_then(|matrix| matrix.iter().position(|one| one.axis == *axis))
                    .unwrap_or_default();
                (
                    texts(&[
                        "component-templates",
                        template.as_str(),
                        "matrix",
                        &index.to_string(),
                        "values",
                        value.as_str(),
                    ]),
                    None,
                )
            }
            LayerOrigin::Component => (texts(&["components", name.as_str()]), None),
        };
        let mut rule = Lists::Append;
        for (path, text) in self.files.iter().filter(|(path, _)| *path != Path::new(BUILT_IN)) {
            // Most files have nothing of it; what they are asked for stands in them as it is, or in quotation marks.
            if !keys
                .first()
                .is_some_and(|section| text.contains(section.as_str()))
            {
                continue;
            }
            let (tree, _) = DeTable::parse_recoverable(text);
            let Some(table) = descend(tree.get_ref(), &keys) else {
                continue;
            };
            let source = LayerText {
                origin,
                path,
                text,
                version: distro.version.as_str(),
            };
            match below {
                Some(key) => source.lay_table(table, key, node.child(key), rule),
                None => source.lay_component(table, node, rule),
            }
            // What further files say of the same object replaces its lists.
            rule = Lists::Replace;
        }
    }

    /// The spec that a group's glob matches has no key of its own: the glob is where it comes from.
    fn lay_spec(&self, origin: &LayerOrigin, group: &str, name: &ComponentName, node: &mut Node) {
        let Some((path, _)) = self.specs.get(name) else {
            return;
        };
        let location = self.locate("component-groups", group, &["specs".to_owned()]);
        let path = toml::Value::String(path.to_string_lossy().into_owned());
        let spec = node.child("spec");
        for (key, value) in [("type", toml::Value::String("local".to_owned())), ("path", path)] {
            spec.child(key).set(Said {
                value: one_line(&value),
                layer: origin.clone(),
                location: location.clone(),
            });
        }
    }

    /// The overlays of overlay files come after those of all layers.
    fn explain_overlay_files(&self, resolved: &ResolvedComponent, found: &mut Vec<ExplainedValue>) {
        let inline = resolved.config.overlays.len();
        let at = found
            .iter()
            .rposition(|one| one.key.starts_with("overlays["))
            .map_or_else(
                || found.partition_point(|one| one.key.as_str() < "overlays["),
                |at| at + 1,
            );
        let values = resolved
            .overlays
            .iter()
            .enumerate()
            .skip(inline)
            .map(|(index, overlay)| {
                let location = self.locate_place(&overlay.place);
                let value = self
                    .overlay_lists
                    .values()
                    .flatten()
                    .filter(|document| *document.path == *overlay.place.file);
                let value = value
                    .flat_map(|document| &document.file.overlays)
                    .find(|one| one.place() == Some(&overlay.place));
                let value = value
                    .and_then(|one| toml::Value::try_from(&**one).ok())
                    .map(without_empty);
                ExplainedValue {
                    key: format!("overlays[{index}]"),
                    value: value.map(|value| one_line(&value)).unwrap_or_default(),
                    layer: overlay.layer.clone(),
                    location,
                    overridden: Vec::new(),
                }
            });
        found.splice(at..at, values);
    }
}

/// Without empty lists and tables: the form in which overlays are written.
fn without_empty(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => {
            let kept = table.into_iter().map(|(key, value)| (key, without_empty(value)));
            toml::Value::Table(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        other => other,
    }
}

fn is_empty(value: &toml::Value) -> bool {
    match value {
        toml::Value::Table(table) => table.is_empty(),
        toml::Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn texts(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

/// The table at a path of keys; a number selects an entry of a list.
fn descend<'t, 'i>(table: &'t DeTable<'i>, keys: &[String]) -> Option<&'t DeTable<'i>> {
    let Some((first, rest)) = keys.split_first() else {
        return Some(table);
    };
    match table.get(first.as_str())?.get_ref() {
        DeValue::Table(table) => descend(table, rest),
        DeValue::Array(items) => {
            let (index, rest) = rest.split_first()?;
            match items.get(index.parse::<usize>().ok()?)?.get_ref() {
                DeValue::Table(table) => descend(table, rest),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What happens to a list that there is already.
#[derive(Clone, Copy, PartialEq)]
enum Lists {
    Append,
    Replace,
}

/// A part of a layer: one file's.
struct LayerText<'t> {
    origin: &'t LayerOrigin,
    path: &'t Path,
    text: &'t str,
    version: &'t str,
}

impl LayerText<'_> {
    fn lay_component(&self, table: &DeTable<'_>, node: &mut Node, rule: Lists) {
        self.lay_table(table, "", node, rule);
        let keys = texts(&["per-version", self.version]);
        if let Some(added) = descend(table, &keys) {
            self.lay_table(added, "", node, Lists::Append);
        }
    }

    fn lay_table(&self, table: &DeTable<'_>, path: &str, node: &mut Node, rule: Lists) {
        if path == REFERENCE {
            self.drop_version(table, node);
        }
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if path.is_empty() && name == "per-version" {
                continue;
            }
            let below = match path.is_empty() {
                true => name.to_owned(),
                false => format!("{path}.{name}"),
            };
            match value.get_ref() {
                DeValue::Table(inner) if !REPLACED_TABLES.contains(&below.as_str()) => {
                    self.lay_table(inner, &below, node.child(name), rule);
                }
                DeValue::Array(items) if !REPLACED_LISTS.contains(&below.as_str()) => {
                    let said: Vec<Said> = items.iter().map(|item| self.said(item, item.span())).collect();
                    node.child(name).extend(said, rule);
                }
                _ => node.child(name).set(self.said(value, key.span())),
            }
        }
    }

    /// Another distribution's version does not stay.
    fn drop_version(&self, table: &DeTable<'_>, node: &mut Node) {
        let Some(name) = table.get("name") else { return };
        let name = self.said(name, name.span()).value;
        let same = node
            .entries
            .get("name")
            .and_then(|node| node.said.last())
            .is_none_or(|said| said.value == name);
        if !same && !table.contains_key("version") {
            node.entries.remove("version");
        }
    }

    fn said(&self, value: &Spanned<DeValue<'_>>, span: std::ops::Range<usize>) -> Said {
        // What was parsed once is parsed again; and a value of a file that loads can be read.
        let plain = toml::Value::deserialize(ValueDeserializer::from(value.clone()));
        Said {
            value: plain.map(|value| one_line(&value)).unwrap_or_default(),
            layer: self.origin.clone(),
            location: Location::new(self.path, self.text, span),
        }
    }
}

/// What a layer says of a key.
struct Said {
    value: String,
    layer: LayerOrigin,
    location: Location,
}

/// A key, and what layers say of it.
#[derive(Default)]
struct Node {
    /// Of a value: what layers say, the earliest first.
    said: Vec<Said>,
    /// Of a list that grows: its entries.
    items: Vec<Said>,
    /// Of a table: its keys.
    entries: BTreeMap<String, Node>,
}

impl Node {
    fn child(&mut self, key: &str) -> &mut Node {
        self.entries.entry(key.to_owned()).or_default()
    }

    fn set(&mut self, said: Said) {
        self.said.push(said);
    }

    fn extend(&mut self, items: Vec<Said>, rule: Lists) {
        // As for files, an empty list leaves an earlier one as it is.
        if rule == Lists::Replace && !items.is_empty() {
            let of = items.first().map(|item| item.layer.clone());
            self.items.retain(|item| Some(&item.layer) != of.as_ref());
        }
        self.items.extend(items);
    }

    fn flatten(mut self, path: &str, found: &mut Vec<ExplainedValue>) {
        if let Some(said) = self.said.pop() {
            let overridden = self.said.into_iter().rev().map(|said| OverriddenValue {
                value: said.value,
                layer: said.layer,
                location: said.location,
            });
            found.push(ExplainedValue {
                key: path.to_owned(),
                value: said.value,
                layer: said.layer,
                location: said.location,
                overridden: overridden.collect(),
            });
        }
        for (index, said) in self.items.into_iter().enumerate() {
            found.push(ExplainedValue {
                key: format!("{path}[{index}]"),
                value: said.value,
                layer: said.layer,
                location: said.location,
                overridden: Vec::new(),
            });
        }
        for (key, node) in self.entries {
            let key = toml_key(&key);
            let below = match path.is_empty() {
                true => key,
                false => format!("{path}.{key}"),
            };
            node.flatten(&below, found);
        }
    }
}

/// A value as TOML has it in one line.
pub(crate) fn one_line(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) if text.contains(char::is_control) => {
            let escaped: String = text.chars().map(escape).collect();
            format!("\"{escaped}\"")
        }
        toml::Value::Array(items) => {
            let items: Vec<String> = items.iter().map(one_line).collect();
            format!("[{}]", items.join(", "))
        }
        toml::Value::Table(table) if table.is_empty() => "{}".to_owned(),
        toml::Value::Table(table) => {
            let entries: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), one_line(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A character of a basic string, TOML 1.0, "String".
fn escape(one: char) -> String {
    match one {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        one if one.is_control() => format!("\\u{:04X}", u32::from(one)),
        one => one.to_string(),
    }
}

/// A key as it is written, in quotation marks only where it must be.
pub(crate) fn toml_key(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !key.is_empty() && key.bytes().all(is_bare) {
        true => key.to_owned(),
        false => one_line(&toml::Value::String(key.to_owned())),
    }
}
