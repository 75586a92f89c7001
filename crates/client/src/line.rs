//! The line to a server: by which proxy, and whom to believe in TLS. Requests and terminals' sockets go by the same,
//! and where it fails the same sentence says why and what helps.

use crate::{
    out,
    trouble::{Kind, Trouble},
};
use core::error::Error;
use domain::Timestamp;
use http::{Request, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::{Intercept, Matcher},
    },
    rt::TokioIo,
};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::{io, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config, tungstenite::Error as SocketError,
};
use tower::ServiceExt as _;

/// How to reach one server.
pub(crate) struct Line {
    server: String,
    address: Uri,
    tls: Arc<ClientConfig>,
    /// The proxy that the environment names for this server.
    proxy: Option<Intercept>,
    /// Why some of this machine's authorities could not be read.
    unread: Option<String>,
}

/// A WebSocket over it.
pub(crate) type WebSocket = WebSocketStream<MaybeTlsStream<Wire>>;

/// The server's bytes, perhaps through a proxy (which may be reached by TLS itself).
type Wire = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

/// Why there is no WebSocket.
pub(crate) enum Missed {
    /// The server answered so.
    Answered(u16),
    Line(NoLine),
}

/// Why a server is not reached.
pub(crate) struct NoLine {
    pub(crate) sentence: String,
    /// Only a person can change it: trying again does not help.
    pub(crate) lasting: bool,
}

impl From<NoLine> for Trouble {
    fn from(no: NoLine) -> Self {
        Self::new(Kind::Unreachable, no.sentence)
    }
}

/// For a socket to open. Shorter than a link waits for a greeting, so that the reason is heard.
const PATIENCE: Duration = Duration::from_secs(9);

/// The variables that name a proxy.
const VARIABLES: &str = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY";

impl Line {
    /// The line to a server, by what this machine's environment says now.
    pub(crate) fn new(server: &str) -> Result<Self, Trouble> {
        let address: Uri = format!("{server}/")
            .parse()
            .map_err(|error| Trouble::refused(format!("{server} is no address: {error}.")))?;
        let mut line = Self {
            server: server.to_owned(),
            // What reqwest asks, so that both ask for the same.
            proxy: Matcher::from_system().intercept(&address),
            address,
            tls: Arc::new(trusting(RootCertStore::empty())),
            unread: None,
        };
        if let Some(scheme) = line.proxy_scheme().filter(|scheme| scheme.starts_with("socks")) {
            return Err(line
                .lasting(format!(
                    "{} is a proxy of the kind {scheme}, which this program cannot go by. Name one that speaks HTTP in \
                     {VARIABLES}, or go around it with NO_PROXY={}.",
                    line.proxy_name(),
                    line.host()
                ))
                .into());
        }
        if line.is_tls() || line.proxy_scheme() == Some("https") {
            line.trust()?;
        }
        Ok(line)
    }

    /// Reads whom this machine trusts: its own authorities, or in their place those that `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name.
    fn trust(&mut self) -> Result<(), Trouble> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (known, _) = roots.add_parsable_certificates(found.certs);
        self.unread = found.errors.first().map(ToString::to_string);
        if known == 0 {
            let sentence = format!(
                "This machine knows no authority whose certificates it could trust{}. Install them (on Debian the \
                 package ca-certificates), or name their file in SSL_CERT_FILE.",
                self.unread_words()
            );
            return Err(self.lasting(sentence).into());
        }
        self.tls = Arc::new(trusting(roots));
        Ok(())
    }

    /// Begins an HTTP client that goes by this line.
    pub(crate) fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder().use_preconfigured_tls((*self.tls).clone())
    }

    /// Opens a WebSocket. A proxy is always asked for a tunnel, also to a server without TLS (RFC 6455, section 4.1):
    /// few proxies would pass on an upgrade.
    pub(crate) async fn open(&self, request: Request<()>) -> Result<WebSocket, Missed> {
        let Ok(opened) = tokio::time::timeout(PATIENCE, self.connect(request)).await else {
            let by = self
                .proxy
                .as_ref()
                .map(|_| format!(" by the proxy {}", self.proxy_name()));
            let sentence = format!(
                "{}{} does not answer within {} seconds.",
                self.server,
                by.unwrap_or_default(),
                PATIENCE.as_secs()
            );
            return Err(Missed::Line(NoLine {
                sentence,
                lasting: false,
            }));
        };
        opened
    }

    async fn connect(&self, request: Request<()>) -> Result<WebSocket, Missed> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnector::from((tcp, Arc::clone(&self.tls)));
        let wire = match &self.proxy {
            None => connector.oneshot(self.place()).await,
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
                if let Some(proof) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(proof.clone());
                }
                tunnel.oneshot(self.place()).await.map_err(Into::into)
            }
        };
        let wire = wire.map_err(|error| Missed::Line(self.missed(&*error, false)))?;
        let tls = Connector::Rustls(Arc::clone(&self.tls));
        let opening = client_async_tls_with_config(request, TokioIo::new(wire), None, Some(tls));
        match Box::pin(opening).await {
            Ok((socket, _)) => Ok(socket),
            Err(SocketError::Http(answer)) => Err(Missed::Answered(answer.status().as_u16())),
            Err(error) => Err(Missed::Line(self.missed(&error, false))),
        }
    }

    /// Where the server listens, as a place to connect to; TLS with it, where it speaks TLS, comes after.
    fn place(&self) -> Uri {
        format!("http://{}:{}/", self.host(), self.port())
            .parse()
            .unwrap_or_else(|_| self.address.clone())
    }

    fn host(&self) -> &str {
        self.address.host().unwrap_or_default()
    }

    fn port(&self) -> u16 {
        let usual = if self.is_tls() { 443 } else { 80 };
        self.address.port_u16().unwrap_or(usual)
    }

    fn is_tls(&self) -> bool {
        self.address.scheme_str() == Some("https")
    }

    fn proxy_scheme(&self) -> Option<&str> {
        self.proxy.as_ref()?.uri().scheme_str()
    }

    /// The proxy's address, without what proves who asks.
    fn proxy_name(&self) -> String {
        let address = self.proxy.as_ref().map(|proxy| proxy.uri().to_string());
        address.unwrap_or_default().trim_end_matches('/').to_owned()
    }

    /// Why a request did not reach the server. One without TLS is handed to the proxy as a whole, so what fails before
    /// an answer fails there.
    pub(crate) fn missed_request(&self, error: &reqwest::Error) -> NoLine {
        self.missed(error, error.is_connect() && !self.is_tls())
    }

    /// A proxy does not take a request that it was handed as a whole; `None` where no proxy is asked.
    pub(crate) fn proxy_asks(&self) -> Option<NoLine> {
        let proxy = self.proxy.as_ref()?;
        let sentence = if proxy.basic_auth().is_some() {
            format!(
                "The proxy {} does not accept the name and password that its address holds (407). Correct them in \
                 {VARIABLES}.",
                self.proxy_name()
            )
        } else {
            format!(
                "The proxy {} asks who you are (407). Write your name and password into its address in {VARIABLES}, \
                 such as http://name:password@proxy.example.org:3128.",
                self.proxy_name()
            )
        };
        Some(self.lasting(sentence))
    }

    /// Why something did not reach the server: the proxy, where it is known to have been its doing (`at_proxy`, or a
    /// tunnel that was not made), else the server itself.
    fn missed(&self, error: &(dyn Error + 'static), at_proxy: bool) -> NoLine {
        let tunnel = causes(error).find_map(|cause| cause.to_string().strip_prefix(TUNNEL).map(str::to_owned));
        let at_proxy = self.proxy.is_some() && (at_proxy || tunnel.is_some());
        let tls = causes(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
        if let Some(tls) = tls {
            let who = if at_proxy {
                format!("The proxy {}", self.proxy_name())
            } else {
                self.server.clone()
            };
            return self.distrusted(&who, tls);
        }
        let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
        if !at_proxy {
            let sentence = format!(
                "{} cannot be reached: {cause}. Look at the address and the network, then try again.",
                self.server
            );
            return NoLine {
                sentence,
                lasting: false,
            };
        }
        let around = format!("go around it with NO_PROXY={}", self.host());
        match tunnel.as_deref() {
            Some("proxy authorization required") => self.proxy_asks().unwrap_or_else(|| self.lasting(cause)),
            Some("unsuccessful") => self.lasting(format!(
                "The proxy {} refuses to connect to {}:{}. Whoever runs it can allow that; or {around}.",
                self.proxy_name(),
                self.host(),
                self.port()
            )),
            _ => NoLine {
                sentence: format!(
                    "The proxy {} cannot be reached: {}. Look at {VARIABLES}, or {around}.",
                    self.proxy_name(),
                    cause.strip_prefix(TUNNEL).unwrap_or(&cause)
                ),
                lasting: false,
            },
        }
    }

    /// What somebody whose TLS is not taken should be told.
    fn distrusted(&self, who: &str, error: &rustls::Error) -> NoLine {
        let day = |time: &rustls::pki_types::UnixTime| {
            let millis = i64::try_from(time.as_secs().saturating_mul(1000)).unwrap_or(i64::MAX);
            Timestamp::from_millis(millis)
                .rfc3339()
                .get(..10)
                .unwrap_or_default()
                .to_owned()
        };
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return self.lasting(format!(
                "{who} does not speak TLS as this program does: {error}. Look at the address: http:// is without TLS, \
                 https:// with it."
            ));
        };
        let sentence = match wrong {
            // A signature is wrong where somebody else's authority bears the name of one that is known.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
                "{who} shows a certificate of an authority that this machine does not know{}. Where that is your \
                 company's own, install its certificate on this machine, or name its file in SSL_CERT_FILE.",
                self.unread_words()
            ),
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
                format!(
                    "{who} shows a certificate for another name ({}). Use the name that it is for, or let it be made \
                     for this one.",
                    out::clean(&names.join(", "))
                )
            }
            CertificateError::NotValidForName => {
                format!("{who} shows a certificate for another name. Use the name that it is for.")
            }
            CertificateError::ExpiredContext { not_after, .. } => format!(
                "{who} shows a certificate that expired on {}. Whoever runs it has to renew it; where that is wrong, \
                 look at this machine's clock.",
                day(not_after)
            ),
            CertificateError::NotValidYetContext { not_before, .. } => format!(
                "{who} shows a certificate that is good from {} only. Look at this machine's clock.",
                day(not_before)
            ),
            other => {
                format!("{who} shows a certificate that cannot be trusted: {other}. Whoever runs it has to replace it.")
            }
        };
        self.lasting(sentence)
    }

    fn unread_words(&self) -> String {
        let unread = self.unread.as_ref();
        unread.map(|why| format!(" ({why})")).unwrap_or_default()
    }

    fn lasting(&self, sentence: String) -> NoLine {
        NoLine {
            sentence,
            lasting: true,
        }
    }
}

/// How a tunnel that is not made begins to say why: its type has no name outside its library.
const TUNNEL: &str = "tunnel error: ";

fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// An error, and what is behind it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    core::iter::successors(Some(error), |error| behind(*error))
}

fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // What an IO error wraps is not its source, but itself.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The name alone, where it is written as `DnsName("sandbox.example.org")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}
