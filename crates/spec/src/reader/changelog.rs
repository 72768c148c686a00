//! Texts: `%changelog`, `%description`, `%sepolicy`.

use super::error::{SpecError, SpecErrorKind as Kind};
use super::lines::Strip;
use super::model::{ChangelogEntry, DEFAULT_LANGUAGE};
use super::section::Section;
use super::state::{Naming, Reader};

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Reader<'_> {
    /// Reads `%description`, of any package and language.
    pub(crate) fn read_description(&mut self, header: &str) -> Result<Option<Section>, SpecError> {
        let index = self.text_owner("%description", header, "n:l:")?;
        let options = self.section_options("%description", header, "n:l:")?;
        let language = options.value('l').unwrap_or(DEFAULT_LANGUAGE).to_owned();
        let text = self.read_text(Strip::CommentsAndBlanks);
        let (text, next) = text?;
        let descriptions = &mut self.packages[index].descriptions;
        match descriptions.iter_mut().find(|(other, _)| *other == language) {
            Some((_, before)) => {
                *before = text;
                self.lines.warn(format!(
                    "a second %description for `{}`",
                    self.packages[index].name
                ));
            }
            None => descriptions.push((language, text)),
        }
        Ok(next)
    }

    /// Reads `%sepolicy`, whose text nothing uses.
    pub(crate) fn read_policies(&mut self, header: &str) -> Result<Option<Section>, SpecError> {
        self.text_owner("%sepolicy", header, "n:")?;
        self.each_line(Strip::CommentsAndBlanks, |_| Ok(()))
    }

    /// The package that a section names.
    fn text_owner(&self, section: &'static str, header: &str, known: &str) -> Result<usize, SpecError> {
        let options = self.section_options(section, header, known)?;
        if options.words.len() > usize::from(!options.has('n')) {
            return Err(self.bad_arguments(section, "only one name is expected".to_owned(), header));
        }
        let naming = if options.has('n') {
            Naming::Full
        } else {
            Naming::Suffix
        };
        self.find_package(
            section,
            options.value('n').or(options.words.first().map(String::as_str)),
            naming,
        )
    }

    /// Reads lines up to the next section; their text is kept if everything is read.
    fn read_text(&mut self, strip: Strip) -> Result<(String, Option<Section>), SpecError> {
        let full = self.is_full();
        let mut text = String::new();
        self.lines.start_skimming(!full);
        let next = self.each_line(strip, |reader| {
            if full {
                text.push_str(reader.lines.line());
                if strip == Strip::CommentsAndBlanks {
                    text.push('\n');
                }
            }
            Ok(())
        });
        self.lines.start_skimming(false);
        text.truncate(text.trim_ascii_end().len());
        Ok((text, next?))
    }

    /// Reads `%changelog`.
    pub(crate) fn read_changelog(&mut self) -> Result<Option<Section>, SpecError> {
        if self.seen_changelog {
            let section = "%changelog".to_owned();
            return Err(self.lines.error(Kind::SecondSection { section }, "%changelog"));
        }
        self.seen_changelog = true;
        let (text, next) = self.read_text(Strip::Comments)?;
        let (entries, problem) = parse(&text);
        self.changelog = entries;
        if let Some(problem) = problem {
            self.lines
                .warn(format!("a bad entry of %changelog, which ends it: {problem}"));
        }
        Ok(next)
    }
}

/// Takes a changelog apart: the entries up to the first that is wrong, and what is wrong with it. rpm goes on as well where
/// it only reads a spec; it builds none with such an entry.
fn parse(text: &str) -> (Vec<ChangelogEntry>, Option<&'static str>) {
    let mut entries: Vec<ChangelogEntry> = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        match parse_entry(rest, entries.last()) {
            Ok((entry, after)) => {
                entries.push(entry);
                rest = after;
            }
            Err(problem) => return (entries, Some(problem)),
        }
    }
    (entries, None)
}

fn parse_entry<'a>(
    text: &'a str,
    before: Option<&ChangelogEntry>,
) -> Result<(ChangelogEntry, &'a str), &'static str> {
    let Some(entry) = text.strip_prefix('*') else {
        return Err("an entry begins with `*`");
    };
    let end = entry.find("\n*").map_or(entry.len(), |at| at + 1);
    let (entry, after) = entry.split_at(end);
    let Some((first, text)) = entry.split_once('\n') else {
        return Err("an entry has no text");
    };
    let (time, name) = parse_first_line(first.trim_ascii())?;
    if before.is_some_and(|before| before.time < time) {
        return Err("the entries are not in order, the newest first");
    }
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err("an entry has no text");
    }
    Ok((
        ChangelogEntry {
            time,
            name: name.to_owned(),
            text: text.to_owned(),
        },
        after,
    ))
}

/// The words of a text, each with what comes after it.
fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    let end = text
        .find(|character: char| character.is_ascii_whitespace())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn parse_first_line(line: &str) -> Result<(i64, &str), &'static str> {
    const BAD_DATE: &str = "the date is not of the form `Mon Jan 01 2024`";
    let (day_name, rest) = next_word(line);
    let (month, rest) = next_word(rest);
    let (day, rest) = next_word(rest);
    let (fourth, mut rest) = next_word(rest);
    let month = MONTHS.iter().position(|name| *name == month).ok_or(BAD_DATE)?;
    let day: u32 = day.parse().map_err(|_| BAD_DATE)?;
    if !DAYS.contains(&day_name) || day == 0 || day > LENGTHS[month] {
        return Err(BAD_DATE);
    }
    // Noon in UTC is the same day nearly everywhere.
    let mut seconds = 12 * 3600;
    let mut year = fourth;
    if let Some(time) = parse_time(fourth) {
        // A longer form has the time and the zone between the day and the year, as date(1) prints it.
        let (zone, after) = next_word(rest);
        let (word, after) = next_word(after);
        seconds = time - zone_offset(zone);
        year = word;
        rest = after;
    }
    let year: i64 = year.parse().map_err(|_| BAD_DATE)?;
    if !(1990..3000).contains(&year) {
        return Err(BAD_DATE);
    }
    let month = i64::try_from(month).map_err(|_| BAD_DATE)? + 1;
    let name = rest.trim_ascii();
    if name.is_empty() {
        return Err("the name is missing after the date");
    }
    Ok((
        days_from_civil(year, month, i64::from(day)) * 86400 + seconds,
        name,
    ))
}

fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut part = |limit: i64| {
        parts
            .next()
            .and_then(|part| part.parse::<i64>().ok())
            .filter(|value| (0..limit).contains(value))
    };
    let (hours, minutes, seconds) = (part(24)?, part(60)?, part(61)?);
    parts
        .next()
        .is_none()
        .then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Seconds that a zone is ahead of UTC; names other than these are not told apart from UTC.
fn zone_offset(zone: &str) -> i64 {
    match zone {
        "CET" => 3600,
        "CEST" | "EET" => 2 * 3600,
        "EST" => -5 * 3600,
        "EDT" => -4 * 3600,
        "PST" => -8 * 3600,
        "PDT" => -7 * 3600,
        _ => 0,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar; a 29th of February that is none is the day after the 28th.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month <= 2 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for (date, expected) in [
            ((1970, 1, 1), 0),
            ((2000, 2, 29), 11016),
            ((2024, 1, 1), 19723),
            ((1999, 12, 31), 10956),
        ] {
            assert_eq!(days_from_civil(date.0, date.1, date.2), expected, "{date:?}");
        }
    }
}
