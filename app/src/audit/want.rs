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

/// On which page the entries are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// `/audit`: the reader's own Organization, and for super-admins whichever they choose.
    #[default]
    Own,
    /// `/org/audit`: the Organization that the pages around it are about.
    Org,
    /// `/fleet/audit`: every Organization, or one of them.
    Fleet,
}

impl Place {
    /// Its path.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Own => "/audit",
            Self::Org => "/org/audit",
            Self::Fleet => "/fleet/audit",
        }
    }

    /// The name that an Organization has in its address.
    pub(super) const fn org(self) -> &'static str {
        match self {
            Self::Org => "of",
            Self::Own | Self::Fleet => ORG,
        }
    }
}

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
    pub place: Place,
    #[serde(default)]
    pub cursor: Option<String>,
}

impl Want {
    /// Reads the address.
    pub(super) fn from_query(place: Place, query: &ParamsMap) -> Self {
        Self::from_fields(place, |name| query.get(name).unwrap_or_default())
    }

    /// Reads fields by their names.
    pub(super) fn from_fields(place: Place, field: impl Fn(&str) -> String) -> Self {
        let text = |name: &str| field(name).trim().chars().take(200).collect::<String>();
        Self {
            actor: text(ACTOR),
            action: text(ACTION),
            target: text(TARGET),
            from: text(FROM),
            until: text(UNTIL),
            request: text(REQUEST),
            org: match (place, text(place.org())) {
                (Place::Fleet, org) if org.is_empty() => EVERY.to_owned(),
                (_, org) => org,
            },
            place,
            cursor: Some(field(AFTER)).filter(|text| !text.is_empty()),
        }
    }

    /// The address of the list that shows this.
    pub(super) fn address(&self) -> String {
        let after = [(AFTER, self.cursor.as_deref().unwrap_or_default())];
        // Everybody's is what the page of the fleet shows without a word.
        let org = match (self.place, self.org.as_str()) {
            (Place::Fleet, EVERY) => "",
            (_, org) => org,
        };
        let path = self.place.path();
        format!("{path}{}", self.query((self.place.org(), org), &after))
    }

    /// The address of the same entries as a file.
    pub(super) fn export(&self, format: &str) -> String {
        let (org, fleet) = match self.org.as_str() {
            EVERY => ("", "true"),
            org => (org, ""),
        };
        let more = [("fleet", fleet), ("format", format)];
        format!("/api/v1/audit/export{}", self.query((ORG, org), &more))
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

    fn query(&self, org: (&str, &str), more: &[(&str, &str)]) -> String {
        let own = [
            (ACTOR, self.actor.as_str()),
            (ACTION, &self.action),
            (TARGET, &self.target),
            (FROM, &self.from),
            (UNTIL, &self.until),
            (REQUEST, &self.request),
            org,
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
            place: Place::Own,
            cursor: Some("1790000000000.42".to_owned()),
        };
        let address = want.address();
        let mut query = ParamsMap::new();
        for pair in address.trim_start_matches("/audit?").split('&') {
            let (name, value) = pair.split_once('=').expect("a pair");
            query.insert(name.to_owned(), Url::unescape(value));
        }
        assert_eq!(Want::from_query(Place::Own, &query), want);
        assert_eq!(Want::default().address(), "/audit");
        let fleet = Want::from_query(Place::Fleet, &ParamsMap::new());
        assert_eq!((fleet.org.as_str(), fleet.address().as_str()), (EVERY, "/fleet/audit"));
        let mut query = ParamsMap::new();
        query.insert("of".to_owned(), "acme".to_owned());
        let org = Want::from_query(Place::Org, &query);
        assert_eq!(
            (org.org.as_str(), org.address().as_str()),
            ("acme", "/org/audit?of=acme")
        );
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
