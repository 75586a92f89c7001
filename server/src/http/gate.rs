//! Who asks, and whether the request was really meant: one middleware for pages, server functions, REST and sockets.

use super::problem::Refused;
use crate::{doors::Doors, origin::Origins, peer::Peer, trace::RequestId};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::Caller;
use http::{HeaderMap, Method, StatusCode, header, request::Parts};

/// The name of the browser's cookie.
pub(crate) const COOKIE: &str = "sandbox_login";
/// How a WebSocket client that cannot set headers offers its token, beside the subprotocol that it wants.
const BEARER_PROTOCOL: &str = "bearer.";

/// Puts the `Caller` into the request's extensions, or nothing where nobody is signed in.
pub(crate) async fn who_asks(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match identify(&doors, &parts).await {
        Ok(Some(caller)) => {
            parts.extensions.insert(caller);
        }
        Ok(None) => {}
        Err(refused) => return refused.into_response(),
    }
    next.run(Request::from_parts(parts, body)).await
}

async fn identify(doors: &Doors, request: &Parts) -> Result<Option<Caller>, Refused> {
    let headers = &request.headers;
    let id = request.extensions.get::<RequestId>().map(|id| id.0.clone());
    let peer = request.extensions.get::<Peer>();
    let address = peer.map(|peer| peer.address(doors.front(), headers).to_string());
    let named = |caller: Option<Caller>| {
        caller.map(|caller| Caller {
            request: id,
            address,
            ..caller
        })
    };
    if let Some(token) = token(headers)? {
        // A token that does not hold is refused even where a cookie would do: whoever sends one wants to be that.
        let caller = doors.engine().caller_of_token(token).await?;
        return caller.map_or_else(|| Err(Refused::unauthenticated()), |caller| Ok(named(Some(caller))));
    }
    check_origin(doors.origins(), request)?;
    match cookie(headers) {
        Some(cookie) => Ok(named(doors.engine().caller_of_cookie(cookie).await?)),
        None => Ok(None),
    }
}

/// Refuses what another site's page sends with this site's cookie. A browser always says where it comes from; a client
/// that says nothing is no browser.
fn check_origin(origins: &Origins, request: &Parts) -> Result<(), Refused> {
    let safe = matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let socket = request.headers.contains_key(header::UPGRADE) || request.method == Method::CONNECT;
    if (safe && !socket) || origins.admit(&request.headers, &request.uri) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "cross-origin",
        "This request came from another site's page. Use this site's own, or a token.",
    ))
}

/// The token of a request, from its header or from the protocols that a WebSocket client offers.
fn token(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bearer = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty());
        return bearer
            .map(|(_, token)| Some(token.trim()))
            .ok_or_else(Refused::unauthenticated);
    }
    let offered = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    Ok(offered
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(BEARER_PROTOCOL)))
}

/// The login's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// A cookie, by its name.
pub(crate) fn cookie_named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted && !value.is_empty()).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_token_comes_from_the_header_or_beside_the_wanted_protocol_and_never_from_the_address() {
        assert_eq!(
            token(&headers(&[("authorization", "Bearer sbp_x")])).ok(),
            Some(Some("sbp_x"))
        );
        assert_eq!(
            token(&headers(&[("authorization", "bearer  sbp_x ")])).ok(),
            Some(Some("sbp_x"))
        );
        let offered = headers(&[("sec-websocket-protocol", "sandbox.terminal.v1, bearer.sbp_x")]);
        assert_eq!(token(&offered).ok(), Some(Some("sbp_x")));
        assert!(token(&headers(&[("authorization", "Basic eDp5")])).is_err());
        assert_eq!(token(&headers(&[])).ok(), Some(None));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let jar = headers(&[("cookie", "theme=dark; sandbox_login=sbc_1; x=y")]);
        assert_eq!(cookie(&jar), Some("sbc_1"));
        assert_eq!(cookie(&headers(&[("cookie", "not_sandbox_login=1")])), None);
        assert_eq!(cookie(&headers(&[("cookie", "sandbox_login=")])), None);
    }
}
