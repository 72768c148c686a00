//! Debian changelogs (deb-changelog(5)).

use crate::version::Version;

/// One entry of a changelog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangelogEntry {
    /// The source package.
    pub source: String,
    /// The version that the entry is about.
    pub version: Version,
    /// The suites it was uploaded to.
    pub distributions: Vec<String>,
    /// The `key=value` pairs of the first line, such as `urgency`.
    pub metadata: Vec<(String, String)>,
    /// What changed: the lines between, without their common indent of two blanks and without empty lines around.
    pub text: String,
    /// `Name <address>`
    pub maintainer: String,
    /// When, in seconds since 1970.
    pub time: i64,
}

/// A changelog, the newest entry first.
///
/// The oldest entries of real changelogs often predate the format. What comes before the first line that cannot be
/// understood is in `entries`; that line is in `problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changelog {
    /// The entries that were understood.
    pub entries: Vec<ChangelogEntry>,
    /// Where and why the parser stopped, if it did before the end (or before as many entries as were asked for).
    pub problem: Option<ChangelogProblem>,
}

/// Why the rest of a changelog was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("changelog, line {line}: {reason}")]
pub struct ChangelogProblem {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// An entry whose trailer has not come yet.
struct Open {
    entry: ChangelogEntry,
    lines: Vec<String>,
}

impl Changelog {
    /// Parses at most `limit` entries. Bytes that are no UTF-8 are replaced: old entries may be in other encodings.
    pub fn parse(bytes: &[u8], limit: usize) -> Self {
        let mut changelog = Self {
            entries: Vec::new(),
            problem: None,
        };
        let mut open: Option<Open> = None;
        let mut last_line = 0;
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if changelog.entries.len() >= limit {
                return changelog;
            }
            last_line = index + 1;
            let line = String::from_utf8_lossy(line.trim_ascii_end());
            match parse_line(&line, &mut open) {
                Ok(entry) => changelog.entries.extend(entry),
                Err(reason) => {
                    changelog.problem = Some(ChangelogProblem {
                        line: last_line,
                        reason,
                    });
                    return changelog;
                }
            }
        }
        if open.is_some() && changelog.entries.len() < limit {
            let reason = "the last entry has no line with maintainer and date";
            changelog.problem = Some(ChangelogProblem {
                line: last_line,
                reason,
            });
        }
        changelog
    }
}

/// Takes one line; gives an entry when the line ends it.
fn parse_line(line: &str, open: &mut Option<Open>) -> Result<Option<ChangelogEntry>, &'static str> {
    let Some(current) = open else {
        if !line.is_empty() && !is_comment(line) {
            *open = Some(Open {
                entry: parse_header(line)?,
                lines: Vec::new(),
            });
        }
        return Ok(None);
    };
    if line.is_empty() {
        current.lines.push(String::new());
    } else if let Some(trailer) = line.strip_prefix(" -- ") {
        let Open { mut entry, lines } = open.take().ok_or("no entry is open")?;
        (entry.maintainer, entry.time) = parse_trailer(trailer)?;
        entry.text = lines.join("\n").trim_matches('\n').to_owned();
        return Ok(Some(entry));
    } else if line.starts_with([' ', '\t']) {
        current
            .lines
            .push(line.strip_prefix("  ").unwrap_or(line.trim_start()).to_owned());
    } else if !is_comment(line) {
        return Err("neither a change, nor a line with maintainer and date");
    }
    Ok(None)
}

/// `#` and `/* */` comments, and the hints that editors leave at the end of files.
fn is_comment(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.starts_with('#')
        || (lower.starts_with("/*") && lower.ends_with("*/"))
        || lower.starts_with("vim:")
        || lower.starts_with("local variables:")
        || lower.starts_with("mode:")
        || lower.starts_with("end:")
}

/// `SOURCE (VERSION) DISTRIBUTION…; KEY=VALUE, …`
fn parse_header(line: &str) -> Result<ChangelogEntry, &'static str> {
    const REASON: &str = "not of the form `SOURCE (VERSION) DISTRIBUTION; urgency=…`";
    let (head, metadata) = line.split_once(';').ok_or(REASON)?;
    let (source, rest) = head.split_once(" (").ok_or(REASON)?;
    let (version, distributions) = rest.split_once(')').ok_or(REASON)?;
    let pairs = metadata.split(',').filter_map(|pair| pair.split_once('='));
    Ok(ChangelogEntry {
        source: source.trim().to_owned(),
        version: Version::parse(version.trim()).map_err(|_| "its version is no Debian version")?,
        distributions: distributions
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect(),
        metadata: pairs
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        text: String::new(),
        maintainer: String::new(),
        time: 0,
    })
}

/// `NAME <ADDRESS>  DATE`
fn parse_trailer(trailer: &str) -> Result<(String, i64), &'static str> {
    let end = trailer.rfind('>').ok_or("the maintainer has no address")? + 1;
    let (maintainer, date) = trailer.split_at(end);
    let time = parse_date(date).ok_or("the date is not of the form `Mon, 02 Jan 2006 15:04:05 +0000`")?;
    Ok((maintainer.trim().to_owned(), time))
}

/// Parses a date of RFC 5322, § 3.3, as changelogs and `Release` files have it: seconds since 1970.
///
/// The day of the week is optional and is not checked, for real changelogs err.
pub fn parse_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let text = text.trim();
    let text = text.split_once(',').map_or(text, |(_, rest)| rest);
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [day, month, year, clock, zone, ..] = words[..] else {
        return None;
    };
    let month = month.to_ascii_lowercase();
    // `Sept` and full names are common in old entries.
    let month = 1 + MONTHS.iter().position(|name| month.starts_with(name))? as i64;
    let (day, year) = (number(day, 1..=31)?, number(year, 1970..=9999)?);
    let mut clock = clock.split(':');
    let hour = number(clock.next()?, 0..=23)?;
    let minute = number(clock.next()?, 0..=59)?;
    let second = number(clock.next().unwrap_or("0"), 0..=60)?;
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - parse_zone(zone)?)
}

/// `+0130` in seconds; letters are taken as UTC, as RFC 5322 § 4.3 says of those that are not known.
fn parse_zone(zone: &str) -> Option<i64> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return zone.bytes().all(|c| c.is_ascii_alphabetic()).then_some(0),
    };
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    Some(sign * (number(hours, 0..=24)? * 3600 + number(minutes, 0..=59)? * 60))
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|c| c.is_ascii_digit());
    digits
        .then(|| text.parse().ok())?
        .filter(|value| range.contains(value))
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar. Years begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}
