//! ISO 8601 times as Discord writes them and as its clients send them back.

const DAY_MS: i64 = 86_400_000;

/// `2026-01-01T00:00:00.000000+00:00`: always six decimals, always UTC.
pub fn format(unix_ms: i64) -> String {
    let (year, month, day) = civil(unix_ms.div_euclid(DAY_MS));
    let of_day = unix_ms.rem_euclid(DAY_MS);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}000+00:00",
        of_day / 3_600_000,
        of_day / 60_000 % 60,
        of_day / 1_000 % 60,
        of_day % 1_000,
    )
}

/// Parses a date and time with any number of decimals, followed by `Z`, an offset, or
/// nothing (UTC). A space is accepted for the `+` of an offset, because clients forget to
/// escape it in a query.
pub fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);

    let zone_at = rest.find(['Z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let mut time = time.splitn(3, ':');
    let hour = time.next()?.parse::<i64>().ok()?;
    let minute = time.next()?.parse::<i64>().ok()?;
    let second = time.next().unwrap_or("0").parse::<f64>().ok()?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0.0..61.0).contains(&second);
    if !in_range {
        return None;
    }

    let of_day = (hour * 60 + minute) * 60_000 + (second * 1_000.0).round() as i64;
    Some(days(year, month, day) * DAY_MS + of_day - offset_ms(zone)?)
}

fn offset_ms(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some(sign * minutes * 60_000)
}

/// Days from 1970 to a date. The year is taken to start in March, so that the leap day is
/// its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_six_decimals_in_utc() {
        assert_eq!(
            format(1_462_015_105_796),
            "2016-04-30T11:18:25.796000+00:00"
        );
        assert_eq!(
            format(1_709_164_800_000),
            "2024-02-29T00:00:00.000000+00:00"
        );
    }

    #[test]
    fn what_was_written_is_read_back() {
        for unix_ms in (0..4_000_000_000_000).step_by(12_345_678_901) {
            assert_eq!(parse(&format(unix_ms)), Some(unix_ms));
        }
    }

    #[test]
    fn zones_and_missing_decimals_are_understood() {
        let at = Some(1_709_164_800_000);
        assert_eq!(parse("2024-02-29T00:00:00Z"), at);
        assert_eq!(parse("2024-02-29T02:00:00+02:00"), at);
        assert_eq!(parse("2024-02-29T02:00:00 02:00"), at);
        assert_eq!(parse("2024-02-28T19:00:00.000-05:00"), at);
        assert_eq!(parse("yesterday"), None);
    }
}
