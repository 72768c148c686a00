//! Preset files: lines `enable PATTERN [INSTANCES…]`, `disable PATTERN`, `ignore PATTERN`; the first that matches
//! counts, and what matches none is enabled (systemd.preset(5)).

use crate::{Root, TransactionError};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::BTreeMap;

/// What a preset says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is enabled; a template for these instances.
    Enable(Vec<String>),
    /// It is not.
    Disable,
    /// It stays as it is.
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Enable,
    Disable,
    Ignore,
}

struct Rule {
    word: Word,
    pattern: GlobMatcher,
    instances: Vec<String>,
}

/// All rules of a root, in their order.
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    pub(super) fn of_root(root: &Root, folders: &[&str]) -> Result<Self, TransactionError> {
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for folder in folders {
            for name in root.list(folder.as_bytes())? {
                let name = crate::root::text(&name);
                if name.ends_with(".preset") {
                    files
                        .entry(name.clone())
                        .or_insert_with(|| format!("{folder}/{name}"));
                }
            }
        }
        let mut rules = Self(Vec::new());
        for path in files.values() {
            rules.parse(path, &root.read_text(path)?.unwrap_or_default())?;
        }
        Ok(rules)
    }

    fn parse(&mut self, file: &str, text: &str) -> Result<(), TransactionError> {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            let mut words = line.split_whitespace();
            let word = match words.next().unwrap_or_default() {
                "enable" => Word::Enable,
                "disable" => Word::Disable,
                "ignore" => Word::Ignore,
                // systemd warns and goes on, so that newer words do not break older systems.
                _ => continue,
            };
            let fail = |reason: String| TransactionError::Declaration {
                file: file.to_owned(),
                line: number,
                reason,
            };
            let pattern = words
                .next()
                .ok_or_else(|| fail("the unit's name is missing".to_owned()))?;
            let glob = GlobBuilder::new(pattern).build();
            let glob = glob.map_err(|error| fail(format!("`{pattern}` is no pattern: {}", error.kind())))?;
            let instances = words.map(str::to_owned).collect();
            self.0.push(Rule {
                word,
                pattern: glob.compile_matcher(),
                instances,
            });
        }
        Ok(())
    }

    pub(super) fn verdict(&self, unit: &str) -> Verdict {
        match self.0.iter().find(|rule| rule.pattern.is_match(unit)) {
            None => Verdict::Enable(Vec::new()),
            Some(rule) => match rule.word {
                Word::Enable => Verdict::Enable(rule.instances.clone()),
                Word::Disable => Verdict::Disable,
                Word::Ignore => Verdict::Ignore,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_match_counts() {
        let mut rules = Rules(Vec::new());
        let text = "# remark\nenable ssh.service\ndisable ssh*\nenable getty@.service tty1 tty2\nignore x.timer\n\
                    frobnicate y\ndisable *\n";
        rules.parse("90.preset", text).unwrap();
        assert_eq!(rules.verdict("ssh.service"), Verdict::Enable(vec![]));
        assert_eq!(rules.verdict("ssh.socket"), Verdict::Disable);
        assert_eq!(
            rules.verdict("getty@.service"),
            Verdict::Enable(vec!["tty1".to_owned(), "tty2".to_owned()])
        );
        assert_eq!(rules.verdict("x.timer"), Verdict::Ignore);
        assert_eq!(rules.verdict("y.timer"), Verdict::Disable);
        assert_eq!(Rules(Vec::new()).verdict("y.timer"), Verdict::Enable(vec![]));
        assert!(
            rules
                .parse("x", "enable\n")
                .unwrap_err()
                .to_string()
                .contains("x, line 1")
        );
    }
}
