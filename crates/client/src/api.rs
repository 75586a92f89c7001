//! The published API, asked with a token.

use crate::{
    line::{Line, NoLine},
    trouble::{Kind, Trouble},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// One server.
pub(crate) struct Api {
    http: Client,
    pub(crate) line: Arc<Line>,
    pub(crate) server: String,
    pub(crate) token: Option<String>,
}

/// What a server answered: JSON, as it came.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// A refusal of the API, as it came: a code for programs beside the sentence.
pub(crate) struct Refused {
    pub(crate) code: String,
    /// Whether the same may work in a moment.
    pub(crate) passing: bool,
    pub(crate) trouble: Trouble,
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        refused.trouble
    }
}

impl From<NoLine> for Refused {
    fn from(no: NoLine) -> Self {
        Self {
            code: String::new(),
            passing: !no.lasting,
            trouble: no.into(),
        }
    }
}

/// Longer than the server itself gives a request.
const PATIENCE: Duration = Duration::from_secs(60);

impl Api {
    pub(crate) fn new(server: &str, token: Option<&str>) -> Result<Self, Trouble> {
        let line = Line::new(server)?;
        let http = line
            .client()
            .timeout(PATIENCE)
            .connect_timeout(Duration::from_secs(15))
            // A token goes where it was meant for, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sandbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Trouble::refused(format!("The HTTP client cannot be made: {error}.")))?;
        Ok(Self {
            http,
            line: Arc::new(line),
            server: server.to_owned(),
            token: token.map(str::to_owned),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Refused> {
        self.ask(Method::GET, path, &[], None).await
    }

    pub(crate) async fn find(&self, path: &str, query: &[(&str, String)]) -> Result<Answer, Refused> {
        self.ask(Method::GET, path, query, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Answer, Refused> {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Refused> {
        self.ask(Method::DELETE, path, &[], None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Answer, Refused> {
        let mut request = self.http.request(method, format!("{}{path}", self.server)).query(query);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && let Some(asks) = self.line.proxy_asks()
        {
            return Err(asks.into());
        }
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        let json = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(Answer { text, json });
        }
        Err(self.refused(status, &json))
    }

    fn refused(&self, status: StatusCode, json: &Value) -> Refused {
        let code = json["error"].as_str().unwrap_or_default().to_owned();
        let detail = json["detail"].as_str().map(str::to_owned);
        let trouble = match status {
            StatusCode::UNAUTHORIZED => Trouble::signed_out(Some(&self.server)),
            StatusCode::NOT_FOUND => {
                let nothing = || format!("{} does not know this. Is it a Sandbox server?", self.server);
                Trouble::new(Kind::Unclear, detail.unwrap_or_else(nothing))
            }
            status => {
                let broken = || format!("{} answered with {status}. Try again later.", self.server);
                Trouble::refused(detail.unwrap_or_else(broken))
            }
        };
        let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        Refused { code, passing, trouble }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Refused {
        self.line.missed_request(error).into()
    }
}
