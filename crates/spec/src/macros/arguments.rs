//! Arguments of parametric macros: words, quotes and options.

/// Stands around a quoted argument within a text (ASCII unit separator), as rpm has it.
pub(crate) const QUOTE: u8 = 0x1f;

/// Parts a text into words at blanks; what is between quote marks is one word, also when it is empty.
pub(crate) fn split_quoted(text: &[u8], separators: &[u8], words: &mut Vec<Vec<u8>>) {
    let mut start = 0;
    let mut quoted = false;
    for place in 0..=text.len() {
        let byte = text.get(place).copied();
        if !quoted && byte.is_none_or(|c| separators.contains(&c)) {
            if place > start {
                words.push(
                    text[start..place]
                        .iter()
                        .copied()
                        .filter(|&c| c != QUOTE)
                        .collect(),
                );
            }
            start = place + 1;
        }
        if byte == Some(QUOTE) {
            quoted = !quoted;
        }
    }
}

/// Joins words with quote marks around each.
pub(crate) fn join_quoted(words: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(words.iter().map(|word| word.len() + 3).sum());
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            joined.push(b' ');
        }
        joined.push(QUOTE);
        joined.extend_from_slice(word);
        joined.push(QUOTE);
    }
    joined
}

/// Joins words with blanks.
pub(crate) fn join(words: &[Vec<u8>]) -> Vec<u8> {
    words.join(&b' ')
}

/// Removes quote marks from the end of a text.
pub(crate) fn unquote(text: &mut Vec<u8>, from: usize) {
    if memchr::memchr(QUOTE, &text[from..]).is_some() {
        let mut kept = from;
        for place in from..text.len() {
            if text[place] != QUOTE {
                text[kept] = text[place];
                kept += 1;
            }
        }
        text.truncate(kept);
    }
}

/// An option that was given.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GivenOption {
    pub(crate) letter: u8,
    pub(crate) value: Option<Vec<u8>>,
}

/// The options and the other words of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) options: Vec<GivenOption>,
    pub(crate) words: Vec<Vec<u8>>,
    /// The letter of an option that is not declared, or that lacks its value: nothing after it is read.
    pub(crate) refused: Option<u8>,
}

/// How a declared option takes its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// Only in the same word.
    Attached,
}

fn declared(options: &[u8], letter: u8) -> Option<Takes> {
    if letter == b':' || letter == b';' {
        return None;
    }
    let place = memchr::memchr(letter, options)?;
    let colons = options[place + 1..].iter().take_while(|&&c| c == b':').count();
    Some(match colons {
        0 => Takes::Nothing,
        1 => Takes::Value,
        _ => Takes::Attached,
    })
}

/// Parts words into options and others as `getopt(3)` of the GNU C library does: `words[0]` is the macro's name, options
/// may stand anywhere unless the declaration begins with `+`, and `--` ends them.
pub(crate) fn parse_options(declaration: &[u8], words: &[Vec<u8>]) -> Parsed {
    let mut parsed = Parsed::default();
    if declaration == b"-" {
        parsed.words = words.iter().skip(1).cloned().collect();
        return parsed;
    }
    let posix = declaration.first() == Some(&b'+');
    let in_order = declaration.first() == Some(&b'-');
    let flagged = posix || in_order;
    let declared_options = if flagged { &declaration[1..] } else { declaration };
    let silent = declared_options.first() == Some(&b':');
    let mut at = 1;
    while at < words.len() {
        let word = &words[at];
        at += 1;
        if word == b"--" {
            parsed.words.extend_from_slice(&words[at..]);
            return parsed;
        }
        if word.len() < 2 || word[0] != b'-' {
            if in_order {
                // The library hands out the word as option 1, which nobody declares; rpm then takes all words as they
                // came, the name too.
                parsed.words = words.to_vec();
                return parsed;
            }
            if posix {
                parsed.words.extend_from_slice(&words[at - 1..]);
                return parsed;
            }
            parsed.words.push(word.clone());
            continue;
        }
        let mut letter = 1;
        while letter < word.len() {
            let option = word[letter];
            letter += 1;
            let Some(takes) = declared(declared_options, option) else {
                parsed.refused = Some(option);
                return parsed;
            };
            let attached = (letter < word.len()).then(|| word[letter..].to_vec());
            let value = match takes {
                Takes::Nothing => None,
                Takes::Attached => attached,
                Takes::Value => match attached.or_else(|| words.get(at).cloned()) {
                    None if silent => {
                        parsed.options.push(GivenOption {
                            letter: b':',
                            value: None,
                        });
                        break;
                    }
                    None => {
                        parsed.refused = Some(option);
                        return parsed;
                    }
                    value => {
                        at += usize::from(letter == word.len());
                        value
                    }
                },
            };
            parsed.options.push(GivenOption {
                letter: option,
                value,
            });
            if takes != Takes::Nothing {
                break;
            }
        }
    }
    parsed
}
