//! Reading `sysusers.d(5)`: lines `Type Name ID GECOS Home Shell`.

use crate::TransactionError;

/// How an id is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Id {
    /// Any free one.
    Automatic,
    /// This one; for a user, its group has the same.
    Fixed(u32),
    /// A user id and a group id.
    Pair(u32, u32),
    /// A user id and the name of a group.
    InGroup(Option<u32>, String),
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// `u`: a user, and a group of the same name.
    User {
        name: String,
        id: Id,
        gecos: String,
        home: String,
        shell: String,
        locked: bool,
    },
    /// `g`: a group.
    Group { name: String, id: Id },
    /// `m`: a user is a member of a group.
    Member { user: String, group: String },
}

/// Longest name of a user or group.
const MAX_NAME: usize = 256;

/// Reads one file. `r` lines (ranges to allocate from) are understood and passed over: ours is fixed.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Line>, TransactionError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parsed = words(line)
            .and_then(|words| parse_line(&words))
            .map_err(|reason| TransactionError::Declaration {
                file: file.to_owned(),
                line: number,
                reason,
            })?;
        lines.extend(parsed);
    }
    Ok(lines)
}

/// Splits at blanks; `"` and `'` quote, and a backslash escapes the next character.
pub(crate) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (_, '\\') => current.get_or_insert_default().extend(characters.next()),
            (None, '"' | '\'') => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(current.take()),
            _ => current.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(current);
    Ok(words)
}

fn parse_line(words: &[String]) -> Result<Option<Line>, String> {
    let word = |at: usize| {
        words
            .get(at)
            .map(String::as_str)
            .filter(|w| *w != "-" && !w.is_empty())
    };
    let kind = word(0).unwrap_or_default();
    if words.len() > 6 {
        return Err("there are more than six fields".to_owned());
    }
    if kind == "r" {
        return Ok(None);
    }
    let name = word(1).ok_or("the name is missing")?;
    check_name(name)?;
    let third = word(2);
    Ok(Some(match kind {
        "u" | "u!" => Line::User {
            name: name.to_owned(),
            id: third.map_or(Ok(Id::Automatic), parse_id)?,
            gecos: checked(word(3).unwrap_or_default())?,
            home: checked(word(4).unwrap_or("/"))?,
            shell: checked(word(5).unwrap_or_default())?,
            locked: kind == "u!",
        },
        "g" => match third.map_or(Ok(Id::Automatic), parse_id)? {
            id @ (Id::Automatic | Id::Fixed(_)) => Line::Group {
                name: name.to_owned(),
                id,
            },
            _ => return Err("a group has one id".to_owned()),
        },
        "m" => {
            let group = third.ok_or("the group is missing")?;
            check_name(group)?;
            Line::Member {
                user: name.to_owned(),
                group: group.to_owned(),
            }
        }
        _ => return Err(format!("`{kind}` is no type of line")),
    }))
}

fn parse_id(text: &str) -> Result<Id, String> {
    // `/path` asks for the owner of a file, which is known only when all files are there: any id will do.
    if text.starts_with('/') {
        return Ok(Id::Automatic);
    }
    let number = |text: &str| match text.parse::<u32>() {
        // Both are "no id" for chown(2) and friends.
        Ok(u32::MAX | 0xffff) | Err(_) => Err(format!("`{text}` is no id")),
        Ok(id) => Ok(id),
    };
    match text.split_once(':') {
        None => number(text).map(Id::Fixed),
        Some((user, group)) => {
            let user = if user == "-" { None } else { Some(number(user)?) };
            match (user, group.parse::<u32>()) {
                (Some(user), Ok(_)) => Ok(Id::Pair(user, number(group)?)),
                (None, Ok(_)) => Err(format!("`{text}` has a group id but no user id")),
                (user, Err(_)) => {
                    check_name(group)?;
                    Ok(Id::InGroup(user, group.to_owned()))
                }
            }
        }
    }
}

/// What may stand in a name: no separators of the files it goes into, nothing that shells or paths mind.
fn check_name(name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '+');
    let start = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '+');
    if name.len() > MAX_NAME || !start || !name.chars().all(good) {
        return Err(format!("`{name}` is no name of a user or group"));
    }
    Ok(())
}

fn checked(text: &str) -> Result<String, String> {
    if text.contains(|c: char| c == ':' || c.is_control()) {
        return Err(format!("`{text}` has a character that /etc/passwd cannot hold"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(text: &str) -> Line {
        parse("test.conf", text).unwrap().remove(0)
    }

    #[test]
    fn lines_are_understood() {
        let user = |id, gecos: &str, home: &str, shell: &str, locked| Line::User {
            name: "httpd".to_owned(),
            id,
            gecos: gecos.to_owned(),
            home: home.to_owned(),
            shell: shell.to_owned(),
            locked,
        };
        assert_eq!(
            one("u httpd 404 \"HTTP User\""),
            user(Id::Fixed(404), "HTTP User", "/", "", false)
        );
        assert_eq!(
            one("u! httpd - 'a \\' b' /srv /bin/sh"),
            user(Id::Automatic, "a ' b", "/srv", "/bin/sh", true)
        );
        assert_eq!(one("u httpd 4:5"), user(Id::Pair(4, 5), "", "/", "", false));
        assert_eq!(
            one("u httpd 4:mail"),
            user(Id::InGroup(Some(4), "mail".to_owned()), "", "/", "", false)
        );
        assert_eq!(
            one("u httpd -:mail"),
            user(Id::InGroup(None, "mail".to_owned()), "", "/", "", false)
        );
        assert_eq!(
            one("g input -"),
            Line::Group {
                name: "input".to_owned(),
                id: Id::Automatic
            }
        );
        assert_eq!(
            one("m a b"),
            Line::Member {
                user: "a".to_owned(),
                group: "b".to_owned()
            }
        );
        assert_eq!(parse("x", "# no\n\nr - 500-900\n").unwrap(), []);
    }

    #[test]
    fn nonsense_is_refused_with_its_line() {
        for text in [
            "x a",
            "u",
            "u a:b",
            "u a 99999999999",
            "g a 1:2",
            "m a",
            "u a 4294967295",
            "u a - \"open",
            "u a - a:b",
            "u 1a 1",
        ] {
            let error = parse("/usr/lib/sysusers.d/x.conf", &format!("\n{text}\n"))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("/usr/lib/sysusers.d/x.conf, line 2"),
                "{text}: {error}"
            );
        }
    }
}
