//! Where macros and brackets end in a text.

/// A blank: what parts words within a line.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The end of a line.
pub(crate) fn is_end_of_line(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// White space as C has it.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// A byte of a macro's name.
pub(crate) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The place of the first byte from `at` on that is no blank.
pub(crate) fn skip_blanks(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&c| !is_blank(c)).unwrap_or(rest.len())
}

/// The place after the bracket that closes the one at `at`; a backslash hides the byte after it.
pub(crate) fn bracket_end(text: &[u8], at: usize, open: u8, close: u8) -> Option<usize> {
    let mut level = 0usize;
    let mut place = at;
    while let Some(found) = memchr::memchr3(open, close, b'\\', text.get(place..)?) {
        place += found;
        let byte = text[place];
        place += 1;
        if byte == b'\\' {
            place += 1;
        } else if byte == open {
            level += 1;
        } else {
            level = level.saturating_sub(1);
            if level == 0 {
                return Some(place);
            }
        }
    }
    None
}

/// The place after the macro whose `%` is just before `at`; none when its bracket is not closed.
pub(crate) fn macro_end(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at) {
        Some(b'(') => return bracket_end(text, at, b'(', b')'),
        Some(b'{') => return bracket_end(text, at, b'{', b'}'),
        Some(b'[') => return bracket_end(text, at, b'[', b']'),
        _ => {}
    }
    let mut place = at;
    let is = |place: usize, byte: u8| text.get(place) == Some(&byte);
    while is(place, b'?') || is(place, b'!') {
        place += 1;
    }
    if is(place, b'-') {
        place += 1;
    }
    while text.get(place).is_some_and(|&c| is_name(c)) {
        place += 1;
    }
    if is(place, b'*') && is(place + 1, b'*') {
        place += 2;
    } else if is(place, b'*') || is(place, b'#') {
        place += 1;
    }
    Some(place)
}

/// Counts the brackets of macros in a text, to find where a definition or a line of a macro file ends.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Brackets {
    braces: usize,
    parentheses: usize,
    squares: usize,
}

impl Brackets {
    /// Whether all brackets of macros are closed.
    pub(crate) fn closed(&self) -> bool {
        self.braces == 0 && self.parentheses == 0 && self.squares == 0
    }

    /// Whether a brace or parenthesis is open: these carry a definition over the end of a line.
    pub(crate) fn carry_lines(&self) -> bool {
        self.braces > 0 || self.parentheses > 0
    }

    /// Takes `%` and the byte after it into account; whether that byte belongs to it.
    pub(crate) fn percent(&mut self, next: Option<u8>) -> bool {
        match next {
            Some(b'{') => self.braces += 1,
            Some(b'(') => self.parentheses += 1,
            Some(b'[') => self.squares += 1,
            Some(b'%') => {}
            _ => return false,
        }
        true
    }

    /// Takes a byte into account that is no `%`: brackets count only within those of a macro.
    pub(crate) fn byte(&mut self, byte: u8) {
        let (count, opens) = match byte {
            b'{' => (&mut self.braces, true),
            b'}' => (&mut self.braces, false),
            b'(' => (&mut self.parentheses, true),
            b')' => (&mut self.parentheses, false),
            b'[' => (&mut self.squares, true),
            b']' => (&mut self.squares, false),
            _ => return,
        };
        if *count > 0 {
            *count = if opens { *count + 1 } else { *count - 1 };
        }
    }
}
