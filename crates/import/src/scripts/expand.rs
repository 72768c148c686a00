//! Expansion of words, as far as their values are known (2.6).

use super::ast::{Part, Script, Word};
use super::evaluate::Interpreter;
use super::words::{escape, has_pattern, matches};

/// A word after expansion and splitting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// Its value is known.
    Known(String),
    /// It is a file name pattern.
    Pattern(String),
    /// Its value is not known.
    Unknown,
}

impl Field {
    pub(super) fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            _ => None,
        }
    }
}

/// How many fields one word may become.
const MAX_FIELDS: usize = 4096;
/// How long a value may grow, in bytes; a longer one counts as unknown.
const MAX_VALUE: usize = 1 << 20;

/// Fields under construction.
struct Fields {
    done: Vec<Field>,
    /// The value so far; `None` once a part of it is unknown.
    current: Option<String>,
    /// The same with quoted characters protected.
    pattern: String,
    /// Whether there is a current field, even if it is empty.
    open: bool,
    unquoted_pattern: bool,
}

impl Fields {
    fn new() -> Self {
        Self {
            done: Vec::new(),
            current: Some(String::new()),
            pattern: String::new(),
            open: false,
            unquoted_pattern: false,
        }
    }

    fn push(&mut self, text: &str, quoted: bool) {
        self.open |= quoted || !text.is_empty();
        if quoted {
            self.pattern.push_str(&escape(text));
        } else {
            self.pattern.push_str(text);
            self.unquoted_pattern |= has_pattern(text);
        }
        match &mut self.current {
            Some(current) if current.len() + text.len() <= MAX_VALUE => current.push_str(text),
            current => *current = None,
        }
    }

    fn unknown(&mut self) {
        self.open = true;
        self.current = None;
    }

    fn finish(&mut self) {
        let value = self.current.replace(String::new());
        let pattern = std::mem::take(&mut self.pattern);
        let is_pattern = std::mem::take(&mut self.unquoted_pattern);
        if std::mem::take(&mut self.open) && self.done.len() < MAX_FIELDS {
            self.done.push(match value {
                None => Field::Unknown,
                Some(_) if is_pattern => Field::Pattern(pattern),
                Some(value) => Field::Known(value),
            });
        }
    }

    /// An unquoted value: split at white space.
    fn split(&mut self, value: &str) {
        let mut first = true;
        for piece in value.split([' ', '\t', '\n']) {
            if !first {
                self.finish();
            }
            first = false;
            self.push(piece, false);
        }
    }
}

impl<'s> Interpreter<'s> {
    /// The fields that some words become.
    pub(super) fn expand_all(&mut self, words: &'s [Word]) -> Vec<Field> {
        words.iter().flat_map(|word| self.expand(word)).collect()
    }

    /// The fields that a word becomes.
    pub(super) fn expand(&mut self, word: &'s Word) -> Vec<Field> {
        let mut fields = Fields::new();
        self.expand_parts(&word.0, false, &mut fields);
        fields.finish();
        fields.done
    }

    /// A word where no splitting happens: in assignments, `case`, redirections.
    pub(super) fn value(&mut self, word: &'s Word) -> Option<String> {
        let mut fields = Fields::new();
        self.expand_parts(&word.0, true, &mut fields);
        fields.current
    }

    /// A word as a pattern of `case`.
    pub(super) fn pattern(&mut self, word: &'s Word) -> Option<String> {
        let mut fields = Fields::new();
        self.expand_parts(&word.0, true, &mut fields);
        fields.current.map(|_| fields.pattern)
    }

    /// `whole`: the word stays one field, but unquoted text keeps its meaning as a pattern.
    fn expand_parts(&mut self, parts: &'s [Part], whole: bool, fields: &mut Fields) {
        for part in parts {
            match part {
                Part::Plain(text) => fields.push(text, false),
                Part::Exact(text) => fields.push(text, true),
                Part::Double(inner) => self.expand_double(inner, fields),
                Part::Variable { name, .. } if name == "@" || name == "*" => {
                    let positional = self.state.positional.clone();
                    for (index, value) in positional.into_iter().enumerate() {
                        if index > 0 {
                            if whole {
                                fields.push(" ", true)
                            } else {
                                fields.finish()
                            }
                        }
                        match value {
                            Some(value) => fields.push(&value, whole),
                            None => fields.unknown(),
                        }
                    }
                }
                other => match self.part_value(other) {
                    Some(value) if whole => fields.push(&value, false),
                    Some(value) => fields.split(&value),
                    None => fields.unknown(),
                },
            }
        }
    }

    fn expand_double(&mut self, parts: &'s [Part], fields: &mut Fields) {
        fields.push("", true);
        for part in parts {
            match part {
                Part::Plain(text) | Part::Exact(text) => fields.push(text, true),
                Part::Double(inner) => self.expand_double(inner, fields),
                Part::Variable { name, operator: None } if name == "@" => {
                    let positional = self.state.positional.clone();
                    if positional.is_empty() {
                        fields.open = !fields.current.as_deref().is_none_or(str::is_empty);
                    }
                    for (index, value) in positional.into_iter().enumerate() {
                        if index > 0 {
                            fields.finish();
                        }
                        match value {
                            Some(value) => fields.push(&value, true),
                            None => fields.unknown(),
                        }
                    }
                }
                other => match self.part_value(other) {
                    Some(value) => fields.push(&value, true),
                    None => fields.unknown(),
                },
            }
        }
    }

    fn part_value(&mut self, part: &'s Part) -> Option<String> {
        match part {
            Part::Plain(text) | Part::Exact(text) => Some(text.clone()),
            Part::Double(inner) => {
                let mut fields = Fields::new();
                self.expand_double(inner, &mut fields);
                fields.current
            }
            Part::Command(body) => self.substitute(body),
            Part::Arithmetic => None,
            Part::Here(index) => {
                let script: &'s Script = self.script;
                script.here.get(*index).and_then(|word| self.value(word))
            }
            Part::Variable { name, operator } => self.variable(name, operator.as_ref()),
        }
    }

    fn variable(&mut self, name: &str, operator: Option<&'s (String, Word)>) -> Option<String> {
        let value = self.lookup(name);
        let Some((sign, word)) = operator else {
            return value;
        };
        let set = self.is_set(name);
        let word = self.value_of_operand(word);
        match sign.as_str() {
            ":-" | ":=" => match value? {
                empty if empty.is_empty() => word.0,
                value => Some(value),
            },
            "-" | "=" => {
                if set {
                    value
                } else {
                    word.0
                }
            }
            ":+" => Some(if value?.is_empty() { String::new() } else { word.0? }),
            "+" => {
                if set {
                    word.0
                } else {
                    Some(String::new())
                }
            }
            "length" => Some(value?.chars().count().to_string()),
            "#" | "##" | "%" | "%%" => {
                let (value, pattern) = (value?, word.1?);
                Some(strip(sign, &value, &pattern))
            }
            _ => None,
        }
    }

    /// An operand as a text and as a pattern.
    fn value_of_operand(&mut self, word: &'s Word) -> (Option<String>, Option<String>) {
        let mut fields = Fields::new();
        self.expand_parts(&word.0, true, &mut fields);
        let pattern = fields.current.as_ref().map(|_| fields.pattern.clone());
        (fields.current, pattern)
    }
}

/// `${value#pattern}` and its kin.
fn strip(sign: &str, value: &str, pattern: &str) -> String {
    let mut cuts: Vec<usize> = value
        .char_indices()
        .map(|(at, _)| at)
        .chain([value.len()])
        .collect();
    let front = sign.starts_with('#');
    // The shortest piece first; for a doubled sign, the longest.
    if front == (sign.len() == 2) {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = value.split_at(cut);
        if front && matches(pattern, head) {
            return tail.to_owned();
        }
        if !front && matches(pattern, tail) {
            return head.to_owned();
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::strip;

    #[test]
    fn prefixes_and_suffixes() {
        for (sign, value, pattern, expected) in [
            ("#", "a/b/c", "*/", "b/c"),
            ("##", "a/b/c", "*/", "c"),
            ("%", "a.b.c", ".*", "a.b"),
            ("%%", "a.b.c", ".*", "a"),
            ("#", "abc", "x", "abc"),
        ] {
            assert_eq!(strip(sign, value, pattern), expected, "{sign} {value}");
        }
    }
}
