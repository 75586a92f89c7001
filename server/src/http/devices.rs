//! Devices that ask to be signed in, in the shape of RFC 8628. What they are told is theirs alone; the person answers on
//! the page `/device`.

use super::{
    extract,
    openapi::Problem,
    problem::{Answer, Refused},
};
use crate::{doors::Doors, peer::Peer};
use axum::{
    Extension, Form, Json as Body,
    extract::{FromRequest, Request, State},
};
use domain::device::{Ask, Polled};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Doors> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(token))
}

/// A body as a form, which the RFC's clients send, or as JSON, like the rest of the API.
struct FormOrJson<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for FormOrJson<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let said = request.headers().get(header::CONTENT_TYPE);
        let is_form = said.is_some_and(|said| said.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        if !is_form {
            return extract::Json::from_request(request, state)
                .await
                .map(|extract::Json(body)| Self(body));
        }
        match Form::from_request(request, state).await {
            Ok(Form(body)) => Ok(Self(body)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(extract::too_large()),
            Err(rejection) => Err(Refused::invalid(
                "invalid_request",
                format!("{}.", rejection.body_text()),
            )),
        }
    }
}

/// What a device says when it asks.
#[derive(Deserialize, ToSchema)]
struct DeviceRequest {
    /// What it is to be called where the person answers, and in their list of tokens: `ada's laptop`.
    #[serde(default)]
    name: String,
    /// Capabilities, separated by blanks; nothing said is all that the person may.
    #[serde(default)]
    scope: String,
}

/// The two codes of a device: the only time they are told.
#[derive(Serialize, ToSchema)]
struct DeviceAnswer {
    /// What it fetches its token with; to be kept to itself.
    device_code: String,
    /// What the person types at `verification_uri`.
    user_code: String,
    verification_uri: String,
    /// The same, with the code in it.
    verification_uri_complete: String,
    /// Seconds until the codes end.
    expires_in: i64,
    /// Seconds to leave between two questions for the token.
    interval: i64,
}

/// Begins to sign a device in that has no browser (RFC 8628). Takes a form or JSON; no sign-in is needed.
#[utoipa::path(
    post, path = "/auth/device", tag = "tokens", operation_id = "ask_for_device", request_body = DeviceRequest,
    responses(
        (status = 200, body = DeviceAnswer), (status = 400, body = Problem, description = "`invalid_scope`"),
        (status = 429, body = Problem), (status = 503, body = Problem, description = "`too-many-devices`"),
    ),
    extensions(("x-permit" = json!("anybody"))),
)]
async fn ask(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
    FormOrJson(DeviceRequest { name, scope }): FormOrJson<DeviceRequest>,
) -> Answer<Body<DeviceAnswer>> {
    let address = peer.address(doors.front(), &headers).to_string();
    doors
        .expensive()
        .take(&address, Instant::now())
        .map_err(|wait| too_often(wait.as_secs()))?;
    let from = engine::From {
        address,
        ..engine::From::default()
    };
    let codes = doors.engine().ask_for_device(&Ask { name, scope }, &from).await?;
    let uri = format!("{}/device", doors.origins().here(&headers, &uri, doors.front()));
    let user_code = codes.user_code.shown();
    Ok(Body(DeviceAnswer {
        verification_uri_complete: format!("{uri}?code={user_code}"),
        verification_uri: uri,
        user_code,
        device_code: codes.device_code,
        expires_in: codes.expires_in,
        interval: codes.interval,
    }))
}

/// What a device says when it comes for its token.
#[derive(Deserialize, ToSchema)]
struct DeviceTokenRequest {
    /// `urn:ietf:params:oauth:grant-type:device_code`, or nothing.
    #[serde(default)]
    grant_type: Option<String>,
    #[serde(default)]
    #[schema(required)]
    device_code: String,
}

/// The token of a device: a personal access token of the person who approved it.
#[derive(Serialize, ToSchema)]
struct DeviceTokenAnswer {
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// Its capabilities, separated by blanks.
    scope: String,
    /// The token's id, for revoking it.
    jti: String,
    /// Its name in the person's list.
    name: String,
    /// RFC 3339.
    expires_at: String,
}

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Gives a device its token, once, when a person has approved it (RFC 8628).
#[utoipa::path(
    post, path = "/auth/device/token", tag = "tokens", operation_id = "device_token",
    request_body = DeviceTokenRequest,
    responses(
        (status = 200, body = DeviceTokenAnswer),
        (status = 400, body = Problem, description = "`authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`, `unsupported_grant_type`"),
        (status = 409, body = Problem, description = "`too-many-tokens`"), (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("anybody"))),
)]
async fn token(
    State(doors): State<Doors>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    FormOrJson(request): FormOrJson<DeviceTokenRequest>,
) -> Answer<Body<DeviceTokenAnswer>> {
    let address = peer.address(doors.front(), &headers).to_string();
    doors
        .calls()
        .take(&address, Instant::now())
        .map_err(|wait| too_often(wait.as_secs()))?;
    if request.grant_type.is_some_and(|grant| grant != GRANT) {
        return Err(Refused::invalid("unsupported_grant_type", format!("Say {GRANT}.")));
    }
    let from = engine::From {
        address,
        ..engine::From::default()
    };
    let minted = match doors.engine().poll_device(&request.device_code, &from).await? {
        Polled::Approved(minted) => minted,
        Polled::Pending => return Err(Refused::invalid("authorization_pending", "Nobody has answered yet.")),
        Polled::SlowDown { interval } => {
            let detail = format!("You ask too often. Leave {interval} s in between.");
            return Err(Refused::invalid("slow_down", detail));
        }
        Polled::Denied => return Err(Refused::invalid("access_denied", "The person said no.")),
        Polled::Expired => {
            let detail = "Nobody answered in time. Begin again.";
            return Err(Refused::invalid("expired_token", detail));
        }
        Polled::Unknown => {
            let detail = "There is no such code, or its token was fetched already. Begin again.";
            return Err(Refused::invalid("invalid_grant", detail));
        }
    };
    let domain::token::Minted { secret, token } = minted;
    Ok(Body(DeviceTokenAnswer {
        access_token: secret,
        token_type: "Bearer",
        expires_in: token.expires_at.seconds_since(token.created_at),
        scope: token.capabilities.join(" "),
        jti: token.id.as_str().to_owned(),
        name: token.name,
        expires_at: token.expires_at.rfc3339(),
    }))
}

fn too_often(seconds: u64) -> Refused {
    let detail = format!("You ask for this too often. Try again in {} s.", seconds + 1);
    Refused::too_many("too-many-requests", detail)
}
