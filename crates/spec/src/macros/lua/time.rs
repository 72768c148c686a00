//! `os.date` and `os.time`, in UTC: the engine knows no time zone.

use mlua::{Lua, Table};

/// A moment in parts.
struct Moment {
    year: i64,
    /// 1 to 12.
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// 0 is Sunday.
    weekday: i64,
    /// 0 is the first of January.
    year_day: i64,
}

const SECONDS_A_DAY: i64 = 86_400;
/// Years beyond this say nothing and would overflow.
const LATEST: i64 = 1 << 45;

/// Days since 1970-01-01 of a date of the Gregorian calendar (years counted from March, as leap days end them).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn moment(at: i64) -> Moment {
    let at = at.clamp(-LATEST, LATEST);
    let (day_number, rest) = (at.div_euclid(SECONDS_A_DAY), at.rem_euclid(SECONDS_A_DAY));
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Moment {
        year,
        month,
        day: of_year - (153 * from_march + 2) / 5 + 1,
        hour: rest / 3_600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: (day_number + 4).rem_euclid(7),
        year_day: day_number - days(year, 1, 1),
    }
}

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Formats a moment as `strftime(3)` does in the C locale; none when a conversion is not known.
pub(super) fn format(format: &str, at: i64) -> Option<String> {
    let it = moment(at);
    let weekday = WEEKDAYS[usize::try_from(it.weekday).ok()?];
    let month = MONTHS[usize::try_from(it.month - 1).ok()?];
    let hour12 = (it.hour + 11) % 12 + 1;
    let half = if it.hour < 12 { "AM" } else { "PM" };
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let part = match letters.next()? {
            'a' => weekday[..3].to_owned(),
            'A' => weekday.to_owned(),
            'b' | 'h' => month[..3].to_owned(),
            'B' => month.to_owned(),
            'c' => self::format("%a %b %e %H:%M:%S %Y", at)?,
            'C' => format!("{:02}", it.year.div_euclid(100)),
            'd' => format!("{:02}", it.day),
            'D' | 'x' => self::format("%m/%d/%y", at)?,
            'e' => format!("{:2}", it.day),
            'F' => self::format("%Y-%m-%d", at)?,
            'H' => format!("{:02}", it.hour),
            'I' => format!("{hour12:02}"),
            'j' => format!("{:03}", it.year_day + 1),
            'm' => format!("{:02}", it.month),
            'M' => format!("{:02}", it.minute),
            'n' => "\n".to_owned(),
            'p' => half.to_owned(),
            'r' => self::format("%I:%M:%S %p", at)?,
            'R' => self::format("%H:%M", at)?,
            's' => at.to_string(),
            'S' => format!("{:02}", it.second),
            't' => "\t".to_owned(),
            'T' | 'X' => self::format("%H:%M:%S", at)?,
            'u' => if it.weekday == 0 { 7 } else { it.weekday }.to_string(),
            'U' => format!("{:02}", (it.year_day + 7 - it.weekday) / 7),
            'w' => it.weekday.to_string(),
            'W' => format!("{:02}", (it.year_day + 7 - (it.weekday + 6) % 7) / 7),
            'y' => format!("{:02}", it.year.rem_euclid(100)),
            'Y' => it.year.to_string(),
            'z' => "+0000".to_owned(),
            'Z' => "UTC".to_owned(),
            '%' => "%".to_owned(),
            _ => return None,
        };
        text.push_str(&part);
    }
    Some(text)
}

/// `os.date("*t")`.
pub(super) fn to_table(lua: &Lua, at: i64) -> mlua::Result<Table> {
    let it = moment(at);
    let table = lua.create_table()?;
    for (name, value) in [
        ("year", it.year),
        ("month", it.month),
        ("day", it.day),
        ("hour", it.hour),
        ("min", it.minute),
        ("sec", it.second),
        ("wday", it.weekday + 1),
        ("yday", it.year_day + 1),
    ] {
        table.set(name, value)?;
    }
    table.set("isdst", false)?;
    Ok(table)
}

/// `os.time{…}`.
pub(super) fn from_table(fields: &Table) -> mlua::Result<i64> {
    let field = |name: &str, default: Option<i64>| -> mlua::Result<i64> {
        let value = fields.get::<Option<i64>>(name)?.or(default);
        let value =
            value.ok_or_else(|| mlua::Error::runtime(format!("field '{name}' missing in date table")))?;
        // What is beyond is no date, and would overflow.
        Ok(value.clamp(-(1 << 31), 1 << 31))
    };
    let days = days(field("year", None)?, field("month", None)?, field("day", None)?);
    let seconds = field("hour", Some(12))? * 3_600 + field("min", Some(0))? * 60 + field("sec", Some(0))?;
    Ok(days * SECONDS_A_DAY + seconds)
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_are_as_in_the_calendar() {
        for (at, expected) in [
            (0, "1970-01-01 00:00:00 Thu 001"),
            (951_782_400, "2000-02-29 00:00:00 Tue 060"),
            (1_709_164_799, "2024-02-28 23:59:59 Wed 059"),
            (-1, "1969-12-31 23:59:59 Wed 365"),
        ] {
            assert_eq!(super::format("%F %T %a %j", at).as_deref(), Some(expected));
        }
    }
}
