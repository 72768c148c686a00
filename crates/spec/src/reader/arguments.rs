//! Words and options of section lines, split as popt does it.

/// Splits a line into words: blanks part them, `'…'` and `"…"` keep them together, a backslash keeps the next
/// character. An open quote ends with the line.
pub(crate) fn split_words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(open), '\\') => match characters.next() {
                None => return Err("nothing follows the backslash".to_owned()),
                Some(next) => {
                    let word = word.get_or_insert_default();
                    // Within quotes a backslash is itself, unless it keeps the quote from ending.
                    if next != open {
                        word.push('\\');
                    }
                    word.push(next);
                }
            },
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some(character);
            }
            (None, '\\') => match characters.next() {
                None => return Err("nothing follows the backslash".to_owned()),
                Some(next) => word.get_or_insert_default().push(next),
            },
            (None, _) if character.is_ascii_whitespace() => {
                // popt gives no empty words, not even quoted ones.
                words.extend(word.take().filter(|word| !word.is_empty()));
            }
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word.filter(|word| !word.is_empty()));
    Ok(words)
}

/// Options that were found, in order: the letter, and the value of those that take one.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) found: Vec<(char, Option<String>)>,
    /// Words that are no options.
    pub(crate) words: Vec<String>,
}

impl Options {
    /// The last value of an option.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.found
            .iter()
            .rev()
            .find(|(found, _)| *found == letter)
            .and_then(|(_, value)| value.as_deref())
    }

    /// All values of an option.
    pub(crate) fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.found
            .iter()
            .filter(move |(found, _)| *found == letter)
            .filter_map(|(_, value)| value.as_deref())
    }

    pub(crate) fn has(&self, letter: char) -> bool {
        self.found.iter().any(|(found, _)| *found == letter)
    }
}

/// Sorts words into options and others; `known` has the letters, each with `:` after it if it takes a value.
/// Options may come after words, and `--` ends them.
pub(crate) fn parse_options(words: &[String], known: &str) -> Result<Options, String> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            options.words.extend(words.cloned());
            break;
        }
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            options.words.push(word.clone());
            continue;
        };
        let mut rest = letters;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            let index = known.find(letter).filter(|_| letter != ':');
            let Some(index) = index else {
                return Err(format!("unknown option `-{letter}`"));
            };
            if known[index + letter.len_utf8()..].starts_with(':') {
                let value = if rest.is_empty() {
                    words.next().cloned()
                } else {
                    // `-n=name` is the same as `-n name`.
                    Some(rest.strip_prefix('=').unwrap_or(rest).to_owned())
                };
                let Some(value) = value else {
                    return Err(format!("the option `-{letter}` needs a value"));
                };
                options.found.push((letter, Some(value)));
                break;
            }
            options.found.push((letter, None));
        }
    }
    Ok(options)
}
