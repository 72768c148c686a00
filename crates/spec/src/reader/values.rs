//! What the values of tags must look like.

use super::arguments::split_words;
use super::depend;
use super::error::{SpecError, SpecErrorKind as Kind};
use super::model::Qualifiers;
use super::options::UnknownMacros;
use super::state::Reader;
use super::tags::{self, TagLine, TextTag};

/// What else than letters and digits a name has; the last three are of macros that were not expanded.
pub(crate) const NAME_CHARACTERS: &str = ".-_+%{}";
const NAME_FIRST_CHARACTERS: &str = "_%{";
const VERSION_CHARACTERS: &str = "._+%{}~^";
impl Reader<'_> {
    pub(crate) fn check_single_word(&self, tag: &str, value: &str) -> Result<(), SpecError> {
        if value.contains(|character: char| character.is_ascii_whitespace()) && !self.leaves(value) {
            let kind = Kind::SingleWord {
                tag: tag.to_owned(),
                value: value.to_owned(),
            };
            return Err(self.lines.error(kind, value));
        }
        Ok(())
    }

    pub(crate) fn check_characters(
        &mut self,
        value: &str,
        tag: TextTag,
        checks_first: bool,
    ) -> Result<(), SpecError> {
        let (allowed, what) = match tag {
            TextTag::Name => (NAME_CHARACTERS, "the name"),
            TextTag::Version => (VERSION_CHARACTERS, "the version"),
            _ => (VERSION_CHARACTERS, "the release"),
        };
        let fits = |(at, character): (usize, char)| {
            let others = if at == 0 && tag == TextTag::Name && checks_first {
                NAME_FIRST_CHARACTERS
            } else {
                allowed
            };
            character.is_ascii_alphanumeric() || others.contains(character)
        };
        if let Some((_, character)) = value.char_indices().find(|&pair| !fits(pair))
            && !self.leaves(value)
        {
            let kind = Kind::IllegalCharacter {
                character,
                what,
                value: value.to_owned(),
            };
            let error = self.lines.error(kind, value);
            return Err(if character == '-' && tag != TextTag::Name {
                error.with_hint(
                    "a dash parts version and release; use `~` before pre-releases, `^` after, or `_`",
                )
            } else {
                error
            });
        }
        if value.contains("..") {
            let kind = Kind::IllegalSequence {
                what,
                value: value.to_owned(),
            };
            return Err(self.lines.error(kind, value));
        }
        if value.contains(['%', '{', '}']) {
            self.lines
                .warn(format!("a macro in {what} `{value}` may not be expanded"));
        }
        Ok(())
    }

    pub(crate) fn number(&self, what: &'static str, value: &str) -> Result<u32, SpecError> {
        value.parse().map_err(|_| {
            let kind = Kind::BadNumber {
                what,
                value: value.to_owned(),
            };
            self.lines.error(kind, value)
        })
    }

    /// How the words of dependencies end.
    pub(crate) fn dependency_words(&self) -> depend::Words {
        match self.options.unknown_macros {
            UnknownMacros::Leave => depend::Words::Macros,
            UnknownMacros::Refuse => depend::Words::Plain,
        }
    }

    pub(crate) fn words(&self, value: &str) -> Result<Vec<String>, SpecError> {
        split_words(value).map_err(|reason| {
            let kind = Kind::BadArguments {
                what: "list".to_owned(),
                reason,
            };
            self.lines.error(kind, value)
        })
    }

    pub(crate) fn qualifiers(&self, tag: &TagLine<'_>) -> Result<Qualifiers, SpecError> {
        tags::parse_qualifiers(tag.argument).map_err(|word| {
            let kind = Kind::BadQualifier {
                qualifier: word.to_owned(),
            };
            self.lines
                .error(kind, word)
                .with_hint("there are pre, post, preun, postun, pretrans, posttrans, verify, interp, meta")
        })
    }
}

/// Whether `AutoReq` and the like are on.
pub(crate) fn is_yes(value: &str) -> bool {
    !(value.starts_with(['n', 'N', '0'])
        || value.eq_ignore_ascii_case("false")
        || value.eq_ignore_ascii_case("off"))
}

/// A path without doubled slashes and without one at its end, as rpm writes it.
pub(crate) fn clean_path(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !clean.ends_with('/') {
            clean.push(character);
        }
    }
    if clean.len() > 1 && clean.ends_with('/') {
        clean.pop();
    }
    clean
}
