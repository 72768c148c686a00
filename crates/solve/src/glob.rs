//! Shell patterns over package names.

/// A pattern of `*`, `?`, `[abc]`, `[a-z]`, `[!abc]` and plain characters.
pub(crate) struct Glob {
    parts: Vec<Part>,
}

enum Part {
    Star,
    Any,
    One(char),
    Set {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
}

impl Glob {
    /// Whether a text has any of the characters that make it a pattern.
    pub(crate) fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '['])
    }

    /// Reads a pattern. A `[` that is not closed stands for itself.
    pub(crate) fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while at < characters.len() {
            let part = match characters[at] {
                // Several in a row are one, which bounds the work of matching.
                '*' if matches!(parts.last(), Some(Part::Star)) => None,
                '*' => Some(Part::Star),
                '?' => Some(Part::Any),
                '[' => match set(&characters[at + 1..]) {
                    Some((part, length)) => {
                        at += length;
                        Some(part)
                    }
                    None => Some(Part::One('[')),
                },
                other => Some(Part::One(other)),
            };
            parts.extend(part);
            at += 1;
        }
        Self { parts }
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let characters: Vec<char> = text.chars().collect();
        // Go back to the last star only: that is enough, and makes the work at most |pattern| × |text|.
        let (mut at, mut part) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        loop {
            let step = match (self.parts.get(part), characters.get(at)) {
                (None, None) => return true,
                (Some(Part::Star), _) => {
                    retry = Some((at, part + 1));
                    part += 1;
                    continue;
                }
                (Some(one), Some(character)) => one.takes(*character),
                _ => false,
            };
            if step {
                (at, part) = (at + 1, part + 1);
                continue;
            }
            match retry {
                Some((from, after)) if from < characters.len() => {
                    retry = Some((from + 1, after));
                    (at, part) = (from + 1, after);
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn takes(&self, character: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::One(one) => *one == character,
            Self::Set { ranges, negated } => {
                ranges
                    .iter()
                    .any(|(first, last)| (*first..=*last).contains(&character))
                    != *negated
            }
        }
    }
}

/// The set that begins behind a `[`, and how many characters it takes with its `]`.
fn set(rest: &[char]) -> Option<(Part, usize)> {
    let negated = matches!(rest.first(), Some('!' | '^'));
    let start = usize::from(negated);
    // A `]` that comes first is a member.
    let end = start + 1 + rest.get(start + 1..)?.iter().position(|c| *c == ']')?;
    let members = &rest[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if let [first, '-', last, ..] = members[at..] {
            ranges.push((first, last));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((Part::Set { ranges, negated }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn patterns_match_as_in_a_shell() {
        let cases = [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a*c*f", "abcde", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[a", "[a", true),
            ("**a**", "bab", true),
            ("a", "ab", false),
            ("lib*-dev", "libc6-dev", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
