//! Times as text, in the one form that is the same everywhere: ISO 8601 in UTC.

const DAY_SECONDS: i64 = 86_400;

/// Unix seconds of a text such as `2026-03-01`, `2026-03-01T12:30:00.5`, `2026-03-01 12:30Z` or `…+01:00`; without a zone
/// it is UTC. `None` when it is no such text.
pub(super) fn from_iso(text: &str) -> Option<f64> {
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day == 0 || day > month_days(year, month) {
        return None;
    }
    let midnight = (days_before(year, month, day) * DAY_SECONDS) as f64;
    Some(midnight + clock.map_or(Some(0.0), clock_seconds)?)
}

/// Unix seconds as a text such as `2026-03-01T12:30:00.500000Z`; whole seconds have no fraction. Years beyond 0 to 9999,
/// and what is no time at all, are written as the number.
pub fn to_iso(seconds: f64) -> String {
    let micros = (seconds * 1e6).round();
    // From the year 0 to the year 9999.
    if !(-62_167_219_200e6..253_402_300_800e6).contains(&micros) {
        return seconds.to_string();
    }
    let (whole, micros) = ((micros as i64).div_euclid(1_000_000), (micros as i64).rem_euclid(1_000_000));
    let (days, clock) = (whole.div_euclid(DAY_SECONDS), whole.rem_euclid(DAY_SECONDS));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn clock_seconds(text: &str) -> Option<f64> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = match parts.next() {
        None => 0.0,
        Some(second) => {
            let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
            let fraction = Some(fraction).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits(whole, 2)? as f64 + format!("0.{fraction}").parse::<f64>().ok()?
        }
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second >= 61.0 {
        return None;
    }
    Some((hour * 3600 + minute * 60) as f64 + second - zone_seconds(zone)? as f64)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    let sign = match zone.bytes().next() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let (hour, minute) = match zone[1..].split_once(':') {
        Some((hour, minute)) => (hour, minute),
        None if zone.len() == 5 => (&zone[1..3], &zone[3..]),
        None => (&zone[1..], "00"),
    };
    Some(sign * (digits(hour, 2)? * 3600 + digits(minute, 2)? * 60))
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date of the Gregorian calendar; Howard Hinnant's `days_from_civil`.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_before`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [
            ("1970-01-01", 0.0),
            ("2000-02-29T00:00:00Z", 951_782_400.0),
            ("2026-11-25T18:42:37", 1_795_632_157.0),
            ("2026-11-25 18:42:37.25Z", 1_795_632_157.25),
            ("2026-11-25T19:42:37+01:00", 1_795_632_157.0),
            ("2026-11-25T13:42:37-0500", 1_795_632_157.0),
            ("1969-12-31T23:59", -60.0),
        ] {
            assert_eq!(from_iso(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "2026-01-01T25:00",
            "2026-01-01T1",
            "2026-01-01T10:00:00x",
        ] {
            assert_eq!(from_iso(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_written_so_that_they_read_back() {
        assert_eq!(to_iso(1_795_632_157.0), "2026-11-25T18:42:37Z");
        assert_eq!(to_iso(-0.5), "1969-12-31T23:59:59.500000Z");
        assert_eq!(to_iso(f64::NAN), "NaN");
        for days in (-719_528..2_932_896).step_by(97) {
            let seconds = (days * DAY_SECONDS) as f64 + 3661.5;
            assert_eq!(from_iso(&to_iso(seconds)), Some(seconds), "{days}");
        }
    }
}
