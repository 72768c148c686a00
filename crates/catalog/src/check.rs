//! Checks a TOML document against the shape that the JSON schema describes, and finds all that is wrong in one pass.
//!
//! Serde stops at the first error. So the document is checked here first: unknown keys, wrong types, missing keys and
//! values that their type refuses. The schema is the one that is generated from the types which serde then fills, hence
//! the two cannot disagree on what is allowed.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::suggest::nearest;
use crate::value::check_format;

/// How many known keys or values an error lists.
const MAX_LISTED: usize = 14;
/// Tables in tables; the deepest of the schema are at 7.
const MAX_DEPTH: usize = 32;

/// The shape of a value.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// Whatever it is.
    Any,
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    /// Text, of the type that the format names.
    Text {
        format: Option<String>,
    },
    /// One of these texts.
    Choice(Vec<String>),
    List(Box<Shape>),
    /// One of several kinds of value.
    Either(Vec<Shape>),
    /// A table with known keys.
    Record {
        keys: BTreeMap<String, Shape>,
        required: Vec<String>,
    },
    /// A table with free keys.
    Map {
        key_format: Option<String>,
        values: Box<Shape>,
    },
}

/// Something wrong in a document.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: Option<String>,
    pub(crate) help: Option<String>,
}

impl Shape {
    /// Reads the shape of a schema's root.
    pub(crate) fn from_schema(schema: &Value) -> Shape {
        Self::read(schema, schema.get("$defs").unwrap_or(&Value::Null), 0)
    }

    fn read(schema: &Value, definitions: &Value, depth: usize) -> Shape {
        if depth > MAX_DEPTH {
            return Shape::Any;
        }
        let read = |schema: &Value| Self::read(schema, definitions, depth + 1);
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.rsplit('/').next().unwrap_or_default();
            return definitions.get(name).map_or(Shape::Any, read);
        }
        if let Some(choices) = choices(schema) {
            return Shape::Choice(choices);
        }
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            return Shape::Either(branches.iter().map(read).collect());
        }
        let format = |schema: &Value| schema.get("format").and_then(Value::as_str).map(str::to_owned);
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Shape::Boolean,
            Some("integer") => match format(schema).as_deref() {
                Some("uint32") => Shape::Integer {
                    min: 0,
                    max: u32::MAX.into(),
                },
                Some("int32") => Shape::Integer {
                    min: i32::MIN.into(),
                    max: i32::MAX.into(),
                },
                Some("uint64") => Shape::Integer {
                    min: 0,
                    max: i64::MAX,
                },
                _ => Shape::Integer {
                    min: i64::MIN,
                    max: i64::MAX,
                },
            },
            Some("string") => Shape::Text {
                format: format(schema),
            },
            Some("array") => Shape::List(Box::new(schema.get("items").map_or(Shape::Any, read))),
            Some("object") => match schema.get("properties").and_then(Value::as_object) {
                Some(properties) => Shape::Record {
                    keys: properties
                        .iter()
                        .map(|(key, value)| (key.clone(), read(value)))
                        .collect(),
                    required: strings(schema.get("required")),
                },
                None => Shape::Map {
                    key_format: schema.get("propertyNames").and_then(format),
                    values: Box::new(schema.get("additionalProperties").map_or(Shape::Any, read)),
                },
            },
            _ => Shape::Any,
        }
    }

    /// What such a value is called.
    fn describe(&self) -> String {
        match self {
            Shape::Any => "anything".to_owned(),
            Shape::Boolean => "true or false".to_owned(),
            Shape::Integer { .. } => "a whole number".to_owned(),
            Shape::Text { .. } | Shape::Choice(_) => "a string".to_owned(),
            Shape::List(items) => match **items {
                Shape::Record { .. } | Shape::Map { .. } => "a list of tables".to_owned(),
                Shape::Text { .. } | Shape::Choice(_) => "a list of strings".to_owned(),
                _ => "a list".to_owned(),
            },
            Shape::Record { .. } | Shape::Map { .. } => "a table".to_owned(),
            Shape::Either(branches) => {
                let all: Vec<String> = branches.iter().map(Shape::describe).collect();
                all.join(" or ")
            }
        }
    }

    /// Whether a value is of this kind, whatever is in it.
    fn fits(&self, value: &DeValue<'_>) -> bool {
        match self {
            Shape::Any => true,
            Shape::Boolean => matches!(value, DeValue::Boolean(_)),
            Shape::Integer { .. } => matches!(value, DeValue::Integer(_)),
            Shape::Text { .. } | Shape::Choice(_) => matches!(value, DeValue::String(_)),
            Shape::List(_) => matches!(value, DeValue::Array(_)),
            Shape::Record { .. } | Shape::Map { .. } => matches!(value, DeValue::Table(_)),
            Shape::Either(branches) => branches.iter().any(|branch| branch.fits(value)),
        }
    }
}

/// The texts of an enumeration, in either of the forms that the generator writes.
fn choices(schema: &Value) -> Option<Vec<String>> {
    if schema.get("enum").is_some() {
        return Some(strings(schema.get("enum")));
    }
    if let Some(only) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![only.to_owned()]);
    }
    let branches = schema.get("oneOf")?.as_array()?;
    let texts: Option<Vec<Vec<String>>> = branches.iter().map(choices).collect();
    texts.map(|texts| texts.concat())
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// All that is wrong in `document`.
pub(crate) fn check(document: &Spanned<DeTable<'_>>, shape: &Shape) -> Vec<Finding> {
    let mut checker = Checker {
        findings: Vec::new(),
        path: Vec::new(),
        in_list: false,
    };
    checker.table(document.get_ref(), document.span(), shape);
    checker.findings
}

struct Checker {
    findings: Vec<Finding>,
    /// The keys down to the table at hand.
    path: Vec<String>,
    /// Whether the value at hand is an entry of the list that the last key names.
    in_list: bool,
}

impl Checker {
    fn find(&mut self, span: Range<usize>, message: String, label: Option<String>, help: Option<String>) {
        self.findings.push(Finding {
            span,
            message,
            label,
            help,
        });
    }

    /// The table at hand, as a header would name it.
    fn place(&self) -> String {
        match self.path.is_empty() {
            true => "the file".to_owned(),
            false => format!("[{}]", self.path.join(".")),
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, shape: &Shape) {
        match shape {
            Shape::Record { keys, required } => {
                for (key, value) in table {
                    match keys.get(key.get_ref().as_ref()) {
                        Some(shape) => self.descend(key.get_ref(), value, shape),
                        None => self.unknown_key(key, keys),
                    }
                }
                for missing in required.iter().filter(|key| !table.contains_key(key.as_str())) {
                    let message = format!("{} needs the key `{missing}`", self.place());
                    let help = keys.get(missing).map(|shape| match shape {
                        Shape::Choice(values) => {
                            list("its value is one of ", values.iter().map(String::as_str))
                        }
                        shape => format!("its value is {}", shape.describe()),
                    });
                    self.find(span.clone(), message, None, help);
                }
            }
            Shape::Map { key_format, values } => {
                for (key, value) in table {
                    let checked = key_format
                        .as_ref()
                        .map_or(Ok(()), |format| check_format(format, key.get_ref()));
                    if let Err(error) = checked {
                        self.find(key.span(), error.to_string(), None, None);
                    }
                    self.descend(key.get_ref(), value, values);
                }
            }
            _ => {}
        }
    }

    fn descend(&mut self, key: &str, value: &Spanned<DeValue<'_>>, shape: &Shape) {
        self.path.push(key.to_owned());
        let outer = std::mem::replace(&mut self.in_list, false);
        self.value(value, shape);
        self.in_list = outer;
        self.path.pop();
    }

    fn unknown_key(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, keys: &BTreeMap<String, Shape>) {
        let name = key.get_ref().as_ref();
        let known = || {
            keys.keys()
                .map(String::as_str)
                .filter(|known| !known.starts_with('$'))
        };
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => list("known keys are ", known()),
        };
        self.find(
            key.span(),
            format!("unknown key `{name}` in {}", self.place()),
            None,
            Some(help),
        );
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, shape: &Shape) {
        match (shape, value.get_ref()) {
            (Shape::Any, _) | (Shape::Boolean, DeValue::Boolean(_)) => {}
            (Shape::Integer { min, max }, DeValue::Integer(number)) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                if !parsed.is_ok_and(|number| (*min..=*max).contains(&number)) {
                    let message = format!("`{}` must be from {min} to {max}, not {number}", self.key());
                    self.find(value.span(), message, None, None);
                }
            }
            (Shape::Text { format }, DeValue::String(text)) => {
                let checked = format
                    .as_ref()
                    .map_or(Ok(()), |format| check_format(format, text));
                if let Err(error) = checked {
                    let message = format!("`{}` is not {}", error.value, error.kind);
                    self.find(
                        value.span(),
                        message,
                        None,
                        Some(format!("expected {}", error.expected)),
                    );
                }
            }
            (Shape::Choice(choices), DeValue::String(text)) => {
                if !choices.iter().any(|choice| choice == text.as_ref()) {
                    let known = || {
                        choices
                            .iter()
                            .map(String::as_str)
                            .filter(|choice| !choice.is_empty())
                    };
                    let help = match nearest(text, known()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => list("expected one of ", known()),
                    };
                    let message = format!("unknown value `{text}` of `{}`", self.key());
                    self.find(value.span(), message, None, Some(help));
                }
            }
            (Shape::List(items), DeValue::Array(values)) => {
                let outer = std::mem::replace(&mut self.in_list, true);
                values.iter().for_each(|value| self.value(value, items));
                self.in_list = outer;
            }
            (Shape::Record { .. } | Shape::Map { .. }, DeValue::Table(table)) => {
                self.table(table, value.span(), shape)
            }
            (Shape::Either(branches), given) => match branches.iter().find(|branch| branch.fits(given)) {
                Some(branch) => self.value(value, branch),
                None => self.wrong_type(value.span(), shape, given),
            },
            (shape, given) => self.wrong_type(value.span(), shape, given),
        }
    }

    /// The key at hand.
    fn key(&self) -> &str {
        self.path.last().map_or("the file", String::as_str)
    }

    fn wrong_type(&mut self, span: Range<usize>, shape: &Shape, given: &DeValue<'_>) {
        let help = match (shape, given) {
            (Shape::List(_), DeValue::String(text)) => Some(format!("write `{} = [\"{text}\"]`", self.key())),
            (Shape::Boolean, DeValue::String(text)) if matches!(text.as_ref(), "true" | "false") => {
                Some("leave out the quotation marks".to_owned())
            }
            (Shape::Text { .. } | Shape::Choice(_), DeValue::Integer(number)) => {
                Some(format!("write \"{number}\""))
            }
            (Shape::Text { .. } | Shape::Choice(_), DeValue::Float(number)) => {
                Some(format!("write \"{}\"", number.as_str()))
            }
            (Shape::Text { .. }, DeValue::Datetime(time)) => Some(format!("write \"{time}\"")),
            _ => None,
        };
        let given = match given {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(true) => "true",
            DeValue::Boolean(false) => "false",
            DeValue::Datetime(_) => "a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let expected = shape.describe();
        let subject = if self.in_list { "an entry of " } else { "" };
        let message = format!("{subject}`{}` must be {expected}, not {given}", self.key());
        self.find(span, message, Some(format!("expected {expected}")), help);
    }
}

/// `prefix` and the names; if they are too many, the first and how many more.
fn list<'a>(prefix: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let shown: Vec<String> = names
        .iter()
        .take(MAX_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(MAX_LISTED) {
        0 => format!("{prefix}{}", shown.join(", ")),
        more => format!("{prefix}{} and {more} more", shown.join(", ")),
    }
}
