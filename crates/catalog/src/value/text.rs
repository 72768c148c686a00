//! Texts with little structure of their own, that must still not break what they are written into.

use super::text_type;

/// Longest name of a time zone, a locale or a keyboard layout.
const MAX_SETTING: usize = 64;

fn is_setting(text: &str) -> bool {
    text.len() <= MAX_SETTING
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte))
}

text_type!(
    /// One line of text, without control characters.
    Line, "line", "a line of text", "one line without control characters", "^[^\\n\\r]*$",
    |text| !text.contains(char::is_control)
);

text_type!(
    /// A dependency as RPM writes it: `bash`, `libc6 >= 2.36`, `(a or b)`, `/usr/bin/sh`.
    DependencyText, "dependency", "a dependency",
    "what RPM takes: `name`, `name >= version`, `(a or b)` or an absolute path",
    "^[^\\n\\r]+$",
    |text| !text.trim().is_empty() && text.trim() == text && !text.contains(char::is_control)
);

text_type!(
    /// A host name of RFC 1123: labels of letters, digits and `-`, at most 64 bytes as Linux has it.
    HostName, "host-name", "a host name", "letters, digits, `-` and `.`, at most 64 of them",
    "^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$",
    |text| {
        text.len() <= 64
            && text.split('.').all(|label| {
                !label.is_empty()
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            })
    }
);

text_type!(
    /// A time zone of the tz database, by its file below `/usr/share/zoneinfo`: `Europe/Berlin`, `UTC`.
    TimeZone, "time-zone", "a time zone", "a name of the tz database, such as \"Europe/Berlin\" or \"UTC\"",
    "^[A-Za-z0-9][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*$",
    |text| {
        text.len() <= MAX_SETTING
            && text.split('/').all(|part| {
                part.starts_with(|first: char| first.is_ascii_alphanumeric())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
            })
    }
);

text_type!(
    /// A locale as setlocale(3) takes it: `C.UTF-8`, `de_DE.UTF-8`, `sr_RS.UTF-8@latin`.
    Locale, "locale", "a locale", "the name of a locale, such as \"C.UTF-8\" or \"de_DE.UTF-8\"",
    "^[A-Za-z][A-Za-z0-9_.@-]*$", is_setting
);

text_type!(
    /// A keyboard layout of the console, by its file: `us`, `de-latin1`.
    Keymap, "keymap", "a keyboard layout", "the name of a layout, such as \"us\" or \"de-latin1\"",
    "^[A-Za-z][A-Za-z0-9_.@-]*$", is_setting
);

text_type!(
    /// One argument of a kernel command line: `console=ttyS0`. No spaces: write one argument per entry.
    KernelArgument, "kernel-argument", "a kernel argument", "one argument without spaces, such as \"console=ttyS0\"",
    "^[^\\s\"]+$",
    |text| !text.is_empty() && !text.contains(|one: char| one.is_control() || one.is_whitespace() || one == '"')
);

text_type!(
    /// File capabilities in the text form of `cap_from_text(3)`: `cap_net_raw=ep`.
    Capabilities, "capabilities", "a list of file capabilities",
    "the text form of cap_from_text(3), such as \"cap_net_raw=ep\"",
    "^[a-z_0-9,]+[=+][eip]+( [a-z_0-9,]+[=+][eip]+)*$",
    |text| {
        !text.is_empty()
            && text.split(' ').all(|clause| {
                let Some((names, flags)) = clause.split_once(['=', '+']) else { return false };
                !flags.is_empty()
                    && flags.bytes().all(|flag| b"eip".contains(&flag))
                    && names.split(',').all(|name| {
                        name.starts_with("cap_")
                            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
                    })
            })
    }
);

text_type!(
    /// An absolute http or https address.
    Url, "url", "a web address", "an address that starts with https:// or http://", "^https?://[^\\s]+$",
    |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            && !text.contains(|one: char| one.is_control() || one.is_whitespace())
    }
);
