//! How numbers and times are said: sizes in GiB, times relative with the exact one beside.

use domain::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `3 minutes ago`, as of `now`; also `in 2 days` for what is to come.
#[must_use]
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    let past = now.seconds_since(at);
    let ahead = at.seconds_since(now);
    let seconds = past.max(ahead);
    let span = match seconds {
        0..45 if ahead == 0 => return "just now".to_owned(),
        0..90 => "1 min".to_owned(),
        90..HOUR => format!("{} min", (seconds + 30) / MINUTE),
        HOUR..DAY => format!("{} h", (seconds + 30 * MINUTE) / HOUR),
        DAY..2_592_000 => count(((seconds + 12 * HOUR) / DAY).unsigned_abs(), "day"),
        _ => return day(at, 0),
    };
    if ahead > 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// `22 Nov 2026, 10:00:05`, in the zone `offset` minutes east of UTC; without one in UTC, which is then said.
#[must_use]
pub fn exact(at: Timestamp, offset: Option<i64>) -> String {
    let minutes = offset.unwrap_or(0);
    let zone = if offset.is_none() { " UTC" } else { "" };
    format!("{}, {}{zone}", day(at, minutes), clock(at, minutes))
}

/// `22 Nov 2026`.
#[must_use]
pub fn day(at: Timestamp, offset: i64) -> String {
    let (year, month, day) = date(at, offset);
    format!("{day} {} {year}", MONTHS[month as usize - 1])
}

/// `22 Nov`.
#[must_use]
pub fn short_day(at: Timestamp) -> String {
    let (_, month, day) = date(at, 0);
    format!("{day} {}", MONTHS[month as usize - 1])
}

/// `10:00:05`.
#[must_use]
pub fn clock(at: Timestamp, offset: i64) -> String {
    let second = (at.millis().div_euclid(1000) + offset * MINUTE).rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}", second / HOUR, second / MINUTE % 60, second % 60)
}

/// `2026-11-22T10:00:05Z`, for machines.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let (year, month, day) = date(at, 0);
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(at, 0))
}

/// The civil date (after Howard Hinnant's `civil_from_days`): a calendar library would cost the page more than this.
fn date(at: Timestamp, offset: i64) -> (i64, i64, i64) {
    let days = (at.millis().div_euclid(1000) + offset * MINUTE).div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// `1.5 GiB`; three figures at most, so that a column is calm.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return if bytes == 0 {
            "0".to_owned()
        } else {
            format!("{bytes} B")
        };
    }
    let mut tenths = bytes.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit < UNITS.len() - 1 {
        tenths /= 1024;
        unit += 1;
    }
    if tenths >= 1000 || tenths.is_multiple_of(10) {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// `1 session`, `3 sessions`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Processor time: `4 s`, `12 min`, `3.5 h`.
#[must_use]
pub fn cpu_time(micros: u64) -> String {
    let tenths = micros / 100_000;
    match tenths {
        0 if micros == 0 => "0 s".to_owned(),
        0 => format!("{} ms", micros.div_ceil(1000)),
        1..600 => one_decimal(tenths, "s"),
        600..36_000 => one_decimal(tenths / 60, "min"),
        _ => one_decimal(tenths / 3600, "h"),
    }
}

/// Byte-seconds by the hour: `1.5 GiB h` is that much, held for an hour.
#[must_use]
pub fn byte_time(byte_seconds: u64) -> String {
    match byte_seconds / 3600 {
        0 => "0 GiB h".to_owned(),
        held => format!("{} h", bytes(held)),
    }
}

fn one_decimal(tenths: u64, unit: &str) -> String {
    if tenths >= 1000 || tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// The sentence with a capital letter at its beginning; an address or a path stays as it is.
#[must_use]
pub fn capital(text: &str) -> String {
    // An address is no sentence.
    if text.split(' ').next().is_some_and(|word| word.contains("://")) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
        None => String::new(),
    }
}

/// Somebody as a sentence begins with them.
pub fn who(name: &str) -> String {
    if name == domain::caller::INSTALLATION {
        capital(name)
    } else {
        name.to_owned()
    }
}

/// `AL` for Ada Lovelace: what fits into a small circle.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name
        .split([' ', '.', '-', '_', '@'])
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let second = if name.contains('@') { None } else { words.next_back() };
    first.into_iter().chain(second).flat_map(char::to_uppercase).collect()
}

/// A repository's address as a person says it: `example.org/team/project`.
#[must_use]
pub fn repo(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    rest.trim_end_matches('/').trim_end_matches(".git").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_341_605_000);

    #[test]
    fn times_are_said_relative_to_now() {
        for (seconds, said) in [
            (0, "just now"),
            (50, "1 min ago"),
            (600, "10 min ago"),
            (7200, "2 h ago"),
            (86_400 * 3, "3 days ago"),
            (-3600 * 24 * 7, "in 7 days"),
            (86_400 * 60, "23 Sep 2026"),
        ] {
            assert_eq!(ago(NOW, NOW.plus_seconds(-seconds)), said, "{seconds}");
        }
    }

    #[test]
    fn dates_are_right_at_the_edges_of_the_calendar() {
        assert_eq!(exact(NOW, None), "22 Nov 2026, 10:00:05 UTC");
        assert_eq!(exact(NOW, Some(-11 * 60)), "21 Nov 2026, 23:00:05");
        assert_eq!(iso(Timestamp::from_millis(951_782_400_000)), "2000-02-29T00:00:00Z");
        assert_eq!(iso(Timestamp::from_millis(0)), "1970-01-01T00:00:00Z");
        assert_eq!(iso(Timestamp::from_millis(-1000)), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn sizes_have_three_figures_at_most() {
        for (size, said) in [
            (0, "0"),
            (512, "512 B"),
            (1536, "1.5 KiB"),
            (1 << 20, "1 MiB"),
            (340 << 20, "340 MiB"),
            (3 << 29, "1.5 GiB"),
            (u64::MAX, "1638 PiB"),
        ] {
            assert_eq!(bytes(size), said, "{size}");
        }
    }

    #[test]
    fn initials_fit_a_small_circle() {
        assert_eq!(initials("Ada Lovelace"), "AL");
        assert_eq!(initials("admin@localhost"), "A");
        assert_eq!(initials("grace brewster hopper"), "GH");
        assert_eq!(initials(""), "");
    }

    #[test]
    fn repositories_lose_what_only_machines_need() {
        assert_eq!(repo("https://example.org/team/project.git"), "example.org/team/project");
        assert_eq!(repo("git@example.org:team/project.git"), "example.org:team/project");
        assert_eq!(repo("team/project"), "team/project");
    }

    #[test]
    fn quantities_of_use_are_said_in_hours() {
        assert_eq!(cpu_time(90_000_000), "1.5 min");
        assert_eq!(cpu_time(400), "1 ms");
        assert_eq!(byte_time(3600 << 30), "1 GiB h");
        assert_eq!(byte_time(0), "0 GiB h");
    }
}
