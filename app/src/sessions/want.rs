//! Which sessions are wanted, as the address says it: a list can be sent to a colleague, and the back button works.

use crate::address::with_query;
use domain::{
    page::{ListSessions, Sort},
    session::Status,
};
use leptos_router::params::ParamsMap;

pub(super) const SEARCH: &str = "q";
pub(super) const STATUS: &str = "status";
pub(super) const AGENT: &str = "agent";
pub(super) const WHOSE: &str = "whose";
pub(super) const MINE: &str = "mine";
pub(super) const SORT: &str = "sort";
const AFTER: &str = "after";

/// Reads the address.
pub(super) fn from_query(query: &ParamsMap) -> ListSessions {
    from_fields(|name| query.get(name).unwrap_or_default())
}

/// Reads fields by their names; what is not understood is not wanted.
pub(super) fn from_fields(field: impl Fn(&str) -> String) -> ListSessions {
    let some = |name: &str| Some(field(name)).filter(|text| !text.is_empty());
    ListSessions {
        search: field(SEARCH).trim().chars().take(200).collect(),
        status: some(STATUS).and_then(|status| Status::from_name(&status)),
        agent: some(AGENT),
        mine: field(WHOSE) == MINE,
        sort: some(SORT).and_then(|sort| Sort::from_name(&sort)).unwrap_or_default(),
        cursor: some(AFTER),
        limit: 0,
    }
}

/// The address of the list that shows this.
pub(super) fn address(want: &ListSessions) -> String {
    let sort = if want.sort == Sort::default() {
        ""
    } else {
        want.sort.as_str()
    };
    with_query(
        "/",
        &[
            (SEARCH, &want.search),
            (STATUS, want.status.map_or("", Status::as_str)),
            (AGENT, want.agent.as_deref().unwrap_or_default()),
            (WHOSE, if want.mine { MINE } else { "" }),
            (SORT, sort),
            (AFTER, want.cursor.as_deref().unwrap_or_default()),
        ],
    )
}

/// Whether anything is left out.
pub(super) fn is_filtered(want: &ListSessions) -> bool {
    !want.search.is_empty() || want.status.is_some() || want.agent.is_some() || want.mine
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos_router::location::Url;

    #[test]
    fn an_address_leads_back_to_the_same_list() {
        let want = ListSessions {
            search: "a&b=c d/ü".to_owned(),
            status: Some(Status::Running),
            agent: Some("aider".to_owned()),
            mine: true,
            sort: Sort::Name,
            cursor: Some("x+/=".to_owned()),
            limit: 0,
        };
        let address = address(&want);
        let mut query = ParamsMap::new();
        for pair in address.trim_start_matches("/?").split('&') {
            let (name, value) = pair.split_once('=').expect("a pair");
            query.insert(name.to_owned(), Url::unescape(value));
        }
        assert_eq!(from_query(&query), want);
    }

    #[test]
    fn a_plain_list_has_a_plain_address() {
        assert_eq!(address(&ListSessions::default()), "/");
        assert_eq!(from_query(&ParamsMap::new()), ListSessions::default());
    }
}
