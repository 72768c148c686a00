//! Changelogs: from messages to items, from entries to the text of `%changelog`.
//!
//! A message becomes items as rpmautospec's documentation has it: the subject is the first; if the body begins with `...`
//! or `…`, the text after that belongs to it still; lines that begin with a dash are items of their own; all else is
//! left out. A line `[skip changelog]` leaves out the whole entry, which counts for the release all the same.
//!
//! RPM refuses a changelog whose dates do not descend. Histories need not be in that order: a change of ours to an older
//! upstream commit may be newer than the next upstream commit. So an entry has the date of the one below it, if its own
//! is older.

use super::line::{Entry, HistoryLine, Origin};
use crate::provider::ChangelogFile;

/// Width that items are broken to.
const WIDTH: usize = 75;
/// What an entry says whose message is empty.
const NO_WORDS: &str = "Rebuild";
/// Whom an entry names whose author is not known.
const NOBODY: &str = "Unknown";

/// A changelog can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangelogError {
    /// The file `changelog` is not text.
    #[error("the file `changelog` is not UTF-8")]
    NotUtf8,
}

/// The items of a message, each on one line, as they stand in a spec: `%` is doubled.
#[must_use]
pub fn changelog_items(message: &str) -> Vec<String> {
    let mut lines = message
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .peekable();
    let mut first: Vec<&str> = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.is_empty()) {
        let line = match first.is_empty() {
            true => line.trim_start_matches('-').trim_start(),
            false => line,
        };
        first.push(line);
    }
    while lines.next_if(|line| line.is_empty()).is_some() {}
    if let Some(rest) = lines.peek().and_then(|line| after_ellipsis(line)) {
        lines.next();
        first.push(rest);
        while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with('-')) {
            first.push(line);
        }
        while lines.next_if(|line| line.is_empty()).is_some() {}
    }
    let mut items = vec![first];
    while let Some(line) = lines.next_if(|line| line.starts_with('-')) {
        let mut item = vec![line.trim_start_matches('-').trim_start()];
        while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with('-')) {
            item.push(line);
        }
        items.push(item);
    }
    let joined = items
        .into_iter()
        .map(|item| item.join(" ").trim().replace('%', "%%"));
    joined.filter(|item| !item.is_empty()).collect()
}

fn after_ellipsis(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('…');
    let rest = match rest.len() == line.len() {
        true => line.strip_prefix("...")?.trim_start_matches('.'),
        false => rest,
    };
    Some(rest.trim_start())
}

/// Whether a message has the line `[skip changelog]`.
#[must_use]
pub fn skips_changelog(message: &str) -> bool {
    message.lines().any(|line| {
        let magic = line
            .trim()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let mut parts = magic.into_iter().flat_map(|magic| magic.split(','));
        parts.any(|part| part.split_whitespace().eq(["skip", "changelog"]))
    })
}

/// The text that stands for `%autochangelog`: entries, the newest first, and then the file `changelog` as it is. Entries
/// of the upstream that are older than the last commit that changed that file are in it; ours never are.
pub(super) fn generated(line: &HistoryLine, file: Option<&[u8]>) -> Result<String, ChangelogError> {
    let file = match file {
        None => None,
        Some(content) => Some(std::str::from_utf8(content).map_err(|_| ChangelogError::NotUtf8)?),
    };
    let cut = file.and_then(|_| {
        let touches = |entry: &Entry| entry.changelog == ChangelogFile::Touched;
        line.entries.iter().rposition(touches)
    });
    let listed = line
        .entries
        .iter()
        .enumerate()
        .filter(|(index, entry)| entry.origin == Origin::Project || cut.is_none_or(|cut| *index > cut));
    let entries = listed.map(|(_, entry)| Written {
        entry,
        evr: format!("{}-{}", entry.version, entry.number),
    });
    let older = file.map(|text| text.replace('%', "%%")).unwrap_or_default();
    let mut text = written(entries, first_date(older.as_bytes()));
    if !older.trim().is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(older.trim_end());
        text.push('\n');
    }
    Ok(text)
}

/// Our entries for the top of a changelog that the upstream writes by hand, the newest first, with a final empty line.
/// `evr` gives the version and release of each of them; `section` is what stands below.
pub(super) fn own(line: &HistoryLine, evr: &dyn Fn(usize, &Entry) -> String, section: &[u8]) -> String {
    let own = line
        .entries
        .iter()
        .filter(|entry| entry.origin == Origin::Project);
    let entries = own.enumerate().map(|(index, entry)| Written {
        entry,
        evr: evr(index, entry),
    });
    let mut text = written(entries, first_date(section));
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

struct Written<'e> {
    entry: &'e Entry,
    evr: String,
}

/// Entries, which come the oldest first, as text, the newest first; none has an older date than `floor`.
fn written<'e>(entries: impl Iterator<Item = Written<'e>>, floor: Option<i64>) -> String {
    let mut floor = floor.unwrap_or(i64::MIN);
    let mut blocks = Vec::new();
    for Written { entry, evr } in entries.filter(|one| !skips_changelog(&one.entry.message)) {
        floor = floor.max(entry.time);
        let author = entry.author.to_string().replace('%', "%%");
        let author = match author.is_empty() {
            true => NOBODY.to_owned(),
            false => author,
        };
        let mut block = format!("* {} {author} - {evr}\n", date(floor));
        let mut items = changelog_items(&entry.message);
        if items.is_empty() {
            items.push(NO_WORDS.to_owned());
        }
        for item in items {
            wrap(&item, &mut block);
        }
        blocks.push(block);
    }
    blocks.reverse();
    blocks.join("\n")
}

/// `Wed Jul 25 2018`, in UTC, with English names whatever the machine's language is.
fn date(time: i64) -> String {
    let time = jiff::Timestamp::from_second(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a %b %d %Y")
        .to_string()
}

/// The date of the first header line, `* Wed Jul 25 2018 …` or `* Wed Jul 25 12:00:00 UTC 2018 …`, at the day's beginning.
fn first_date(text: &[u8]) -> Option<i64> {
    let line = text
        .split(|byte| *byte == b'\n')
        .find(|line| line.starts_with(b"*"))?;
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.trim_start_matches('*').split_whitespace().collect();
    let month = *words.get(1)?;
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let day: i8 = words.get(2)?.parse().ok()?;
    let year = if words.get(3)?.contains(':') {
        words.get(5)?
    } else {
        words.get(3)?
    };
    let year: i16 = year.parse().ok()?;
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, day).ok()?;
    let zoned = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_second())
}

/// An item in lines of [`WIDTH`] characters; a longer word has a line of its own.
fn wrap(item: &str, out: &mut String) {
    let mut width = 1;
    out.push('-');
    for word in item.split_whitespace() {
        let length = word.chars().count();
        if width > 1 && width + 1 + length > WIDTH {
            out.push_str("\n ");
            width = 1;
        }
        out.push(' ');
        out.push_str(word);
        width += 1 + length;
    }
    out.push('\n');
}
