//! Which pages' requests are taken for this site's own.

use http::{HeaderMap, Uri, header};
use identity::Front;

/// What a browser may say it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    /// The one address under which people reach the server, where it is known.
    public: Option<String>,
}

impl Origins {
    pub(crate) const fn new(public: Option<String>) -> Self {
        Self { public }
    }

    /// A path of this site as it can be sent to somebody; the path alone where the public address is not known.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.public.as_deref().unwrap_or_default())
    }

    /// The address under which whoever asks reaches this site: the public one, else the one that they asked
    /// for, else the one of this machine.
    pub(crate) fn here(&self, headers: &HeaderMap, uri: &Uri, front: Front) -> String {
        self.address(headers, uri, front)
            .unwrap_or_else(|| "http://localhost".to_owned())
    }

    /// The address under which the asker reaches this server: the public one, else the one that was asked for. It is told
    /// to identity providers, which know the addresses that they may send people back to.
    pub(crate) fn address(&self, headers: &HeaderMap, uri: &Uri, front: Front) -> Option<String> {
        if let Some(public) = &self.public {
            return Some(public.clone());
        }
        let host = asked_for(headers, uri)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let scheme = if front == Front::Tls { "https" } else { "http" };
        (!host.is_empty() && host.len() <= 255 && host.bytes().all(is_plain)).then(|| format!("{scheme}://{host}"))
    }

    /// Whether the request comes from this site's own page, or from no page at all.
    pub(crate) fn admit(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
        if site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")) {
            return false;
        }
        let Some(origin) = headers.get(header::ORIGIN) else {
            return true;
        };
        let Ok(origin) = origin.to_str().map(str::to_ascii_lowercase) else {
            return false;
        };
        // A page that sends no referrer (the sign-in page, whose address is a secret) hides its origin too; the browser
        // itself says that it is ours. A sandboxed frame has the same origin `null`, but is never `same-origin`.
        if origin == "null" && site == Some(b"same-origin") {
            return true;
        }
        if self.public.as_ref().is_some_and(|public| *public == origin) {
            return true;
        }
        // Behind a proxy the scheme is not known here; the host is, and a cookie never leaves its host. The address
        // that was asked for counts beside the public one, so that a person on the machine itself is let in.
        let host = asked_for(headers, uri);
        let named = origin.split_once("://").map(|(_, authority)| authority);
        named.is_some() && named == host.map(str::to_ascii_lowercase).as_deref()
    }
}

/// The host, and perhaps port, that a request asks for.
fn asked_for<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.or_else(|| uri.authority().map(http::uri::Authority::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn admit(public: Option<&str>, pairs: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), HeaderValue::from_static(value)))
            .collect();
        Origins::new(public.map(str::to_owned)).admit(&headers, &Uri::from_static("/x"))
    }

    #[test]
    fn only_this_sites_pages_are_its_own() {
        let host = ("host", "sandbox.test:7780");
        assert!(admit(None, &[host]), "no browser");
        assert!(admit(None, &[host, ("origin", "http://sandbox.test:7780")]));
        assert!(admit(
            None,
            &[
                host,
                ("origin", "https://Sandbox.test:7780"),
                ("sec-fetch-site", "same-origin")
            ]
        ));
        for other in [
            "http://evil.test",
            "http://sandbox.test",
            "http://sandbox.test:7780.evil.test",
            "null",
            "",
        ] {
            assert!(!admit(None, &[host, ("origin", other)]), "{other}");
        }
        assert!(admit(
            None,
            &[host, ("origin", "null"), ("sec-fetch-site", "same-origin")]
        ));
        assert!(!admit(
            None,
            &[host, ("origin", "null"), ("sec-fetch-site", "cross-site")]
        ));
        assert!(!admit(None, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!admit(None, &[host, ("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn a_public_address_counts_whatever_the_proxy_made_of_the_host() {
        let inside = ("host", "10.0.0.7:7780");
        let public = Some("https://sandbox.example.org");
        assert!(admit(public, &[inside, ("origin", "https://sandbox.example.org")]));
        assert!(!admit(public, &[inside, ("origin", "https://example.org")]));
        assert!(!admit(public, &[inside, ("origin", "http://sandbox.example.org")]));
    }
}
