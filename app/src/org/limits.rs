//! Limits as people write and read them: processors, GiB, hours and minutes.

use domain::quota::{Dimension, Limit, Request, Source};

/// How a dimension is called.
#[must_use]
pub(crate) const fn dimension_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::ConcurrentSessions => "Running sessions",
        Dimension::Sessions => "Sessions in all",
        Dimension::Cpu => "Processors a session",
        Dimension::Memory => "Memory a session",
        Dimension::Storage => "Storage",
        Dimension::Lifetime => "Longest run",
        Dimension::Idle => "Longest rest",
    }
}

/// The unit that a number is written in, and how much of the domain's unit it is, in thousandths.
pub(super) const fn unit(dimension: Dimension) -> (&'static str, u64) {
    match dimension {
        Dimension::ConcurrentSessions | Dimension::Sessions => ("sessions", 1000),
        Dimension::Cpu => ("CPUs", 1_000_000),
        Dimension::Memory | Dimension::Storage => ("GiB", (1 << 30) * 1000),
        Dimension::Lifetime => ("hours", 3600 * 1000),
        Dimension::Idle => ("minutes", 60 * 1000),
    }
}

/// A limit as it is written in a field, without its unit.
pub(super) fn field(dimension: Dimension, limit: Option<Limit>) -> String {
    match limit {
        None => String::new(),
        Some(Limit::Unlimited) => "unlimited".to_owned(),
        Some(Limit::At(most)) => {
            let (_, size) = unit(dimension);
            let thousandths = (u128::from(most) * 1_000_000 / u128::from(size)) as u64;
            if thousandths.is_multiple_of(1000) {
                (thousandths / 1000).to_string()
            } else {
                format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
                    .trim_end_matches('0')
                    .to_owned()
            }
        }
    }
}

/// A limit as a person reads it: `3 sessions`, `1.5 GiB`, `no limit`.
#[must_use]
pub(crate) fn limit_words(dimension: Dimension, limit: Limit) -> String {
    match limit {
        Limit::Unlimited => "no limit".to_owned(),
        Limit::At(1) if matches!(dimension, Dimension::ConcurrentSessions | Dimension::Sessions) => {
            "1 session".to_owned()
        }
        limit => {
            let number = field(dimension, Some(limit));
            let (unit, _) = unit(dimension);
            let unit = if number == "1" {
                unit.trim_end_matches('s')
            } else {
                unit
            };
            format!("{number} {unit}")
        }
    }
}

/// What somebody asks for, as a sentence without its end: `5 sessions running at once, for 7 days`.
#[must_use]
pub(crate) fn ask_words(request: &Request) -> String {
    let what = format!(
        "{}: {}",
        dimension_name(request.dimension),
        limit_words(request.dimension, request.wanted)
    );
    match request.days {
        Some(days) => format!("{what}, for {}", crate::words::count(days.unsigned_abs(), "day")),
        None => format!("{what}, for good"),
    }
}

/// Where a limit comes from.
#[must_use]
pub(crate) fn source_words(source: &Source) -> String {
    match source {
        Source::Plan => "Plan".to_owned(),
        Source::Ceiling => "This installation".to_owned(),
        Source::Org => "Organization".to_owned(),
        Source::Group { name } => format!("Group {name}"),
        Source::Person => "Set for this person".to_owned(),
        Source::Grant { until: None } => "Granted".to_owned(),
        Source::Grant { until: Some(until) } => format!("Granted until {}", crate::words::day(*until, 0)),
    }
}

#[cfg(feature = "ssr")]
mod reading {
    use super::{Dimension, Limit, unit};
    use crate::org::LimitFields;
    use domain::{Problem, quota::Limits};

    /// Reads a field: empty is `None`, else a number in the field's unit, or the word `unlimited`.
    pub(crate) fn parse(dimension: Dimension, text: &str) -> Result<Option<Limit>, Problem> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.eq_ignore_ascii_case("unlimited") {
            return Ok(Some(Limit::Unlimited));
        }
        let (name, size) = unit(dimension);
        let wrong = || {
            let detail = format!("Write a number of {name}, the word unlimited, or nothing.");
            Problem::new("invalid-limit", detail).at(dimension.as_str())
        };
        let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
        if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) || whole.len() > 12 {
            return Err(wrong());
        }
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| wrong())?
        };
        let thousandths = whole * 1000 + format!("{part:0<3}").parse::<u128>().map_err(|_| wrong())?;
        let most = u64::try_from(thousandths * u128::from(size) / 1_000_000).map_err(|_| wrong())?;
        let limit = Limit::At(most);
        domain::quota::within(dimension, limit).map_err(|problem| {
            let (least, _) = dimension.bounds();
            let least = super::limit_words(dimension, Limit::At(least));
            Problem::new(problem.code, format!("At least {least}; for no limit write unlimited."))
                .at(dimension.as_str())
        })?;
        Ok(Some(limit))
    }

    /// Reads a whole form.
    pub(crate) fn read(fields: &LimitFields) -> Result<Limits, Problem> {
        let mut limits = Limits::default();
        for dimension in Dimension::ALL {
            let text = match dimension {
                Dimension::ConcurrentSessions => &fields.concurrent_sessions,
                Dimension::Sessions => &fields.sessions,
                Dimension::Cpu => &fields.cpu,
                Dimension::Memory => &fields.memory,
                Dimension::Storage => &fields.storage,
                Dimension::Lifetime => &fields.lifetime,
                Dimension::Idle => &fields.idle,
            };
            if let Some(limit) = parse(dimension, text)? {
                limits.0.insert(dimension, limit);
            }
        }
        Ok(limits)
    }

    /// Reads a number of days; empty is `None`.
    pub(crate) fn days(text: Option<&str>, field: &str) -> Result<Option<i64>, Problem> {
        match text.map(str::trim).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| Problem::new("invalid-days", "Write a number of days, or nothing.").at(field)),
        }
    }
}

#[cfg(feature = "ssr")]
pub(crate) use reading::{days, parse, read};

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (dimension, text, limit) in [
            (Dimension::ConcurrentSessions, "3", Limit::At(3)),
            (Dimension::Cpu, "1.5", Limit::At(1500)),
            (Dimension::Memory, "0.5", Limit::At(512 << 20)),
            (Dimension::Storage, "50", Limit::At(50 << 30)),
            (Dimension::Lifetime, "12", Limit::At(12 * 3600)),
            (Dimension::Idle, "45", Limit::At(2700)),
            (Dimension::Idle, "unlimited", Limit::Unlimited),
        ] {
            assert_eq!(parse(dimension, text), Ok(Some(limit)), "{text}");
            assert_eq!(field(dimension, Some(limit)), text);
        }
        assert_eq!(parse(Dimension::Cpu, "1,5"), Ok(Some(Limit::At(1500))));
        assert_eq!(parse(Dimension::Cpu, "  "), Ok(None));
        for bad in ["0", "-1", "x", "1e9", "9999999999999", "1.2345"] {
            let problem = parse(Dimension::Memory, bad).expect_err(bad);
            assert_eq!(problem.field.as_deref(), Some("memory"), "{bad}");
        }
    }

    #[test]
    fn limits_read_like_words() {
        assert_eq!(limit_words(Dimension::ConcurrentSessions, Limit::At(1)), "1 session");
        assert_eq!(limit_words(Dimension::ConcurrentSessions, Limit::At(3)), "3 sessions");
        assert_eq!(limit_words(Dimension::Memory, Limit::At(3 << 29)), "1.5 GiB");
        assert_eq!(limit_words(Dimension::Lifetime, Limit::At(3600)), "1 hour");
        assert_eq!(limit_words(Dimension::Cpu, Limit::Unlimited), "no limit");
    }
}
