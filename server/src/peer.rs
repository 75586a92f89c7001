//! The other end of a connection.

use http::HeaderMap;
use identity::Front;
use std::net::{IpAddr, SocketAddr};

/// Where a connection comes from; in the extensions of each of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Peer {
    /// The address of the person, as far as it is known: behind our own proxy what it says last, else the connection's.
    pub(crate) fn address(self, front: Front, headers: &HeaderMap) -> IpAddr {
        let told = || {
            headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()?
                .to_str()
                .ok()?
                .rsplit(',')
                .next()?
                .trim()
                .parse()
                .ok()
        };
        let told = if front == Front::Tls { told() } else { None };
        told.unwrap_or_else(|| self.0.ip().to_canonical())
    }

    /// Whether a program on this machine asks for itself, not a proxy for somebody else.
    pub(crate) fn is_this_machine(self, headers: &HeaderMap) -> bool {
        let passed_on = ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"];
        self.0.ip().to_canonical().is_loopback() && passed_on.iter().all(|name| !headers.contains_key(*name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(told: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_static(told),
        )])
    }

    #[test]
    fn only_our_own_proxy_is_believed_and_only_its_last_word() {
        let peer = Peer("127.0.0.1:5".parse().expect("an address"));
        let told = headers("6.6.6.6, 203.0.113.7");
        assert_eq!(peer.address(Front::Tls, &told).to_string(), "203.0.113.7");
        assert_eq!(peer.address(Front::Nothing, &told).to_string(), "127.0.0.1");
        assert_eq!(peer.address(Front::Tls, &headers("rubbish")).to_string(), "127.0.0.1");
    }

    #[test]
    fn what_a_proxy_passes_on_is_not_this_machine() {
        let peer = Peer("[::ffff:127.0.0.1]:5".parse().expect("an address"));
        assert!(peer.is_this_machine(&HeaderMap::new()));
        assert!(!peer.is_this_machine(&headers("203.0.113.7")));
        assert!(!Peer("192.0.2.1:5".parse().expect("an address")).is_this_machine(&HeaderMap::new()));
    }
}
