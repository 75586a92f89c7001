//! Which entries are wanted, as the address says it: a filter can be sent to a colleague, and the back button works.

use leptos_router::{location::Url, params::ParamsMap};
use serde::{Deserialize, Serialize};

pub(super) const ACTOR: &str = "actor";
pub(super) const ACTION: &str = "action";
pub(super) const TARGET: &str = "target";
pub(super) const FROM: &str = "from";
pub(super) const UNTIL: &str = "until";
pub(super) const REQUEST: &str = "request";
pub(super) const ORG: &str = "org";
/// As `org`: every Organization. No slug begins with an asterisk.
pub(super) const EVERY: &str = "*";
const AFTER: &str = "after";

/// The fields of the filter, as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    #[serde(default)]
    pub actor: String,
    #[serde(default)]
    pub action: String,
    #[serde(default)]
    pub target: String,
    /// A day.
    #[serde(default)]
    pub from: String,
    /// The last day.
    #[serde(default)]
    pub until: String,
    #[serde(default)]
    pub request: String,
    /// Another Organization, or [`EVERY`].
    #[serde(default)]
    pub org: String,
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Want {
    /// Reads the address.
    pub(super) fn from_query(query: &ParamsMap) -> Self {
        Self::from_fields(|name| query.get(name).unwrap_or_default())
    }

    /// Reads fields by their names.
    pub(super) fn from_fields(field: impl Fn(&str) -> String) -> Self {
        let text = |name: &str| field(name).trim().chars().take(200).collect::<String>();
        Self {
            actor: text(ACTOR),
            action: text(ACTION),
            target: text(TARGET),
            from: text(FROM),
            until: text(UNTIL),
            request: text(REQUEST),
            org: text(ORG),
            cursor: Some(field(AFTER)).filter(|text| !text.is_empty()),
        }
    }

    /// The address of the list that shows this.
    pub(super) fn address(&self) -> String {
        format!(
            "/audit{}",
            self.query(&[(AFTER, self.cursor.as_deref().unwrap_or_default())])
        )
    }

    /// The address of the same entries as a file.
    pub(super) fn export(&self, format: &str) -> String {
        let (org, fleet) = match self.org.as_str() {
            EVERY => ("", "true"),
            org => (org, ""),
        };
        let plain = Self {
            org: org.to_owned(),
            ..self.clone()
        };
        format!(
            "/api/v1/audit/export{}",
            plain.query(&[("fleet", fleet), ("format", format)])
        )
    }

    /// The same, begun anew with one field changed.
    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = Self {
            cursor: None,
            ..self.clone()
        };
        change(&mut other);
        other
    }

    /// Whether anything is left out.
    pub(super) fn is_narrow(&self) -> bool {
        let texts = [
            &self.actor,
            &self.action,
            &self.target,
            &self.from,
            &self.until,
            &self.request,
        ];
        texts.iter().any(|text| !text.is_empty())
    }

    fn query(&self, more: &[(&str, &str)]) -> String {
        let own = [
            (ACTOR, self.actor.as_str()),
            (ACTION, &self.action),
            (TARGET, &self.target),
            (FROM, &self.from),
            (UNTIL, &self.until),
            (REQUEST, &self.request),
            (ORG, &self.org),
        ];
        let mut query = String::new();
        for (name, value) in own.iter().chain(more).filter(|(_, value)| !value.is_empty()) {
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(name);
            query.push('=');
            query.push_str(&Url::escape(value));
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_the_same_list() {
        let want = Want {
            actor: "a&b=c d/ü".to_owned(),
            action: "session.".to_owned(),
            target: "one-abcde".to_owned(),
            from: "2026-11-01".to_owned(),
            until: "2026-11-24".to_owned(),
            request: "r+1".to_owned(),
            org: EVERY.to_owned(),
            cursor: Some("1790000000000.42".to_owned()),
        };
        let address = want.address();
        let mut query = ParamsMap::new();
        for pair in address.trim_start_matches("/audit?").split('&') {
            let (name, value) = pair.split_once('=').expect("a pair");
            query.insert(name.to_owned(), Url::unescape(value));
        }
        assert_eq!(Want::from_query(&query), want);
        assert_eq!(Want::default().address(), "/audit");
    }

    #[test]
    fn an_export_is_of_the_same_entries_from_the_first_on() {
        let want = Want {
            action: "opened".to_owned(),
            org: EVERY.to_owned(),
            cursor: Some("1.2".to_owned()),
            ..Want::default()
        };
        assert_eq!(
            want.export("csv"),
            "/api/v1/audit/export?action=opened&fleet=true&format=csv"
        );
        assert_eq!(Want::default().export("jsonl"), "/api/v1/audit/export?format=jsonl");
    }
}
