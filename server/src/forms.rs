//! Forms that were sent without scripts and refused: the browser goes back to the form's page, and with it goes what was
//! typed. Leptos writes a refusal into the address of that page; here it moves into a cookie, beside the fields.

use crate::{
    doors::{BODY_MAX, Doors},
    headers::wants_page,
    http::problem::Refused,
};
use app::typed::{LIFETIME_SECONDS, NAME, Sending};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Form, FromRequest as _, Query, Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use identity::Front;

/// The fields of a form, in its order; a box that may be ticked often is there often.
pub(crate) type Fields = Vec<(String, String)>;

/// The functions whose fields are secrets, or tell of them: what was typed into them must not lie in a cookie, so their
/// forms come back empty.
const KEPT_NOWHERE: [&str; 2] = ["/secrets/", "/access/"];

/// Carries what was typed back to the page of a form that is refused.
pub(crate) async fn bring_back(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_form = request.method() == Method::POST
        && !KEPT_NOWHERE.iter().any(|noun| {
            path.strip_prefix(app::door::FUNCTIONS)
                .is_some_and(|rest| rest.starts_with(noun))
        })
        && wants_page(request.headers())
        && is_encoded_form(request.headers())
        && path.starts_with(app::door::FUNCTIONS);
    if !is_form {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        let detail = format!("A form has at most {} KiB.", BODY_MAX / 1024);
        return Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).into_response();
    };
    let kept = bytes.clone();
    let mut response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    if let Some(Back {
        page,
        function,
        refusal,
    }) = Back::of(response.headers())
    {
        let fields = fields(kept).await;
        let sending = Sending {
            page: &page,
            function: &function,
            refusal,
            fields,
        };
        if let Some(value) = sending.value()
            && let Ok(location) = HeaderValue::from_str(&page)
        {
            response.headers_mut().insert(header::LOCATION, location);
            response
                .headers_mut()
                .append(header::SET_COOKIE, cookie(&value, doors.front()));
        }
    }
    response
}

/// Sends the browser back to its form with a refusal and what was typed.
pub(crate) fn back(doors: &Doors, sending: Sending<'_>) -> Response {
    let redirect = Redirect::to(sending.page);
    match sending.value() {
        Some(value) => ([(header::SET_COOKIE, cookie(&value, doors.front()))], redirect).into_response(),
        None => redirect.into_response(),
    }
}

/// Where Leptos sends a refused form, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Back {
    /// The page's path and query, without the refusal.
    page: String,
    function: String,
    refusal: String,
}

impl Back {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let address: Uri = headers.get(header::LOCATION)?.to_str().ok()?.parse().ok()?;
        let Query(pairs) = Query::<Fields>::try_from_uri(&address).ok()?;
        // A page that was itself come to by a refusal may hold an older one: the last is ours.
        let last = |wanted: &str| {
            let named = pairs.iter().rev().find(|(name, _)| name == wanted);
            named.map(|(_, value)| value.clone())
        };
        let (function, refusal) = (last("__path")?, last("__err")?);
        let rest: Vec<&str> = address
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.starts_with("__path=") && !pair.starts_with("__err="))
            .collect();
        let path = address.path();
        let page = if rest.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", rest.join("&"))
        };
        identity::is_safe_redirect(&page).then_some(Self {
            page,
            function,
            refusal,
        })
    }
}

fn is_encoded_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// The fields of a body; none where it is no form.
async fn fields(body: Bytes) -> Fields {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body));
    let Ok(request) = request else { return Fields::new() };
    match Form::<Fields>::from_request(request, &()).await {
        Ok(Form(fields)) => fields,
        Err(_) => Fields::new(),
    }
}

/// Never readable by a script, never sent along by another site's page, and soon over.
fn cookie(value: &str, front: Front) -> HeaderValue {
    let secure = if front == Front::Tls { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={LIFETIME_SECONDS}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(location: &str) -> Option<Back> {
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, location.parse().expect("a header"));
        Back::of(&headers)
    }

    #[test]
    fn the_refusal_leaves_the_address_and_the_rest_of_it_stays() {
        let told = back("http://127.0.0.1:1/?q=a%20b&ask=rename&__path=%2Fold&__err=b2xk&__path=%2Ffn&__err=e30%3D");
        assert_eq!(
            told,
            Some(Back {
                page: "/?q=a%20b&ask=rename".to_owned(),
                function: "/fn".to_owned(),
                refusal: "e30=".to_owned(),
            })
        );
        assert_eq!(
            back("http://h/new?__path=%2Ffn&__err=e30%3D")
                .map(|back| back.page)
                .as_deref(),
            Some("/new")
        );
    }

    #[test]
    fn an_address_without_a_refusal_is_left_alone_and_another_site_is_never_led_to() {
        assert_eq!(back("/sessions/a"), None);
        assert_eq!(back("http://h//evil.test?__path=%2Ffn&__err=e30%3D"), None);
    }
}
