//! Where the server may listen.

use domain::Problem;
use std::net::SocketAddr;

/// What stands between the server and its people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Front {
    /// Nothing that was told.
    #[default]
    Nothing,
    /// A proxy that ends TLS: cookies are `Secure`.
    Tls,
    /// Nothing, and whoever started it says that this is fine (a network that is trusted).
    Insecure,
}

/// Refuses an address that people on other machines reach, unless it was said what stands in front: sign-in links and
/// cookies would cross the network for everybody to read.
pub fn check_listen(address: SocketAddr, front: Front) -> Result<(), Problem> {
    if front == Front::Nothing && !address.ip().to_canonical().is_loopback() {
        let detail = format!(
            "Refusing to listen on {address}: anybody on the network could read cookies and terminals. Listen on \
             127.0.0.1, put a proxy with TLS in front and say so, or allow plain HTTP explicitly (see --help)."
        );
        return Err(Problem::new("invalid-listen", detail).at("listen"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_open_without_a_word() {
        for (address, alone) in [
            ("127.0.0.1:8080", true),
            ("127.8.8.8:0", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("0.0.0.0:8080", false),
            ("[::]:8080", false),
            ("192.168.1.2:80", false),
            ("[::ffff:10.0.0.1]:80", false),
            ("[fe80::1]:80", false),
        ] {
            let address: SocketAddr = address.parse().expect(address);
            assert_eq!(check_listen(address, Front::Nothing).is_ok(), alone, "{address}");
            assert_eq!(check_listen(address, Front::Tls), Ok(()));
            assert_eq!(check_listen(address, Front::Insecure), Ok(()));
        }
    }

    #[test]
    fn the_refusal_names_the_address_and_a_way_out() {
        let address = "0.0.0.0:8080".parse().expect("an address");
        let refusal = check_listen(address, Front::Nothing).expect_err("refused").detail;
        assert!(
            refusal.contains("0.0.0.0:8080") && refusal.contains("127.0.0.1"),
            "{refusal}"
        );
    }
}
