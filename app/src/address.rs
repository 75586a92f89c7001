//! Addresses of this site: what a list shows is in its address, so it can be sent to a colleague.

use leptos_router::location::Url;

/// `path` with these fields as its query; fields without a value are left out. `path` may have a query already.
pub(crate) fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(name);
        address.push('=');
        address.push_str(&Url::escape(value));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::with_query;

    #[test]
    fn only_what_is_said_is_in_the_address() {
        assert_eq!(with_query("/a", &[("q", ""), ("of", "")]), "/a");
        assert_eq!(with_query("/a", &[("q", "b&c"), ("of", "acme")]), "/a?q=b%26c&of=acme");
        assert_eq!(with_query("/a?x=1", &[("of", "acme")]), "/a?x=1&of=acme");
    }
}
