//! The line between the program and its server: TLS that ends in front of the server, and proxies in between. No name
//! of these tests' servers can be resolved: who reaches them by name was led there by a proxy.

use super::{Machine, WIDE};
use crate::{
    stop::Program,
    world::{Data, PATIENCE, Person},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::{
    net::{Ipv4Addr, SocketAddr},
    process::{Output, Stdio},
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// A name that only a proxy knows.
const NAME: &str = "sandbox.example.test";

/// A company's own authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn called(name: &str) -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("signed").pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// What a server shows that this authority vouches for, under these names, until that year.
    fn vouches(&self, names: &[&str], until: i32) -> Arc<ServerConfig> {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.expect("a certificate"))
    }
}

/// What ends TLS in front of a server.
struct Front {
    address: SocketAddr,
    shows: watch::Sender<Arc<ServerConfig>>,
    _serves: JoinSet<()>,
}

impl Front {
    async fn of(server: SocketAddr, shows: Arc<ServerConfig>) -> Self {
        let (listener, address) = listen().await;
        let (shows, shown) = watch::channel(shows);
        let mut serves = JoinSet::new();
        serves.spawn(async move {
            let mut all = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let mut shown = shown.clone();
                all.spawn(async move {
                    let config = Arc::clone(&shown.borrow_and_update());
                    let talk = async {
                        let mut outside = TlsAcceptor::from(config).accept(stream).await?;
                        let mut inside = TcpStream::connect(server).await?;
                        copy_bidirectional(&mut outside, &mut inside).await
                    };
                    tokio::select! {
                        _ = talk => {}
                        _ = shown.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            shows,
            _serves: serves,
        }
    }

    /// Shows this from now on; whoever is connected is cut off.
    fn show(&self, shows: Arc<ServerConfig>) {
        self.shows.send_replace(shows);
    }
}

/// A proxy that leads everybody to one server, whatever name they say.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _serves: JoinSet<()>,
}

/// How a proxy is minded.
#[derive(Clone, Copy, Default)]
struct Minded {
    /// What the header says of whom it serves.
    knows: Option<&'static str>,
    no_tunnels: bool,
}

impl Proxy {
    async fn to(server: SocketAddr, minded: Minded) -> Self {
        let (listener, address) = listen().await;
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let mut serves = JoinSet::new();
        let notes = Arc::clone(&asked);
        serves.spawn(async move {
            let mut all = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let notes = Arc::clone(&notes);
                all.spawn(async move {
                    let _ = lead(stream, server, minded, &notes).await;
                });
            }
        });
        Self {
            address,
            asked,
            _serves: serves,
        }
    }

    fn url(&self, who: &str) -> String {
        format!("http://{who}{}", self.address)
    }

    /// What it was asked since the last time, without the paths.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

async fn lead(
    mut stream: TcpStream,
    server: SocketAddr,
    minded: Minded,
    notes: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next().unwrap_or_default();
    let tunnel = line.starts_with("CONNECT ");
    let asked = if tunnel {
        line.split(' ').take(2).collect::<Vec<_>>().join(" ")
    } else {
        "a request".to_owned()
    };
    notes.lock().expect("no panic").push(asked);
    let known = minded.knows.is_none_or(|proof| {
        text.lines()
            .any(|line| line.to_ascii_lowercase().starts_with("proxy-authorization:") && line.ends_with(proof))
    });
    if !known || (tunnel && minded.no_tunnels) {
        let status = if known {
            "403 Forbidden"
        } else {
            "407 Proxy Authentication Required"
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        return stream.write_all(answer.as_bytes()).await;
    }
    let mut inside = TcpStream::connect(server).await?;
    if tunnel {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        inside.write_all(&head).await?;
    }
    copy_bidirectional(&mut stream, &mut inside).await.map(|_| ())
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// A server, somebody's session there, and their machine.
struct Stage {
    _data: Data,
    _server: Program,
    address: SocketAddr,
    browser: Person,
    machine: Machine,
    token: String,
    id: String,
}

impl Stage {
    async fn set() -> Self {
        let data = Data::new();
        let mut server = Program::at(&data, "127.0.0.1:0", &[], Stdio::null());
        let browser = server.admin().await;
        let (_, minted) = browser.post("/tokens", serde_json::json!({ "name": "line" })).await;
        Self {
            address: browser
                .origin
                .trim_start_matches("http://")
                .parse()
                .expect("an address"),
            token: minted["token"].as_str().expect("a secret").to_owned(),
            id: browser.open_shell("work").await,
            machine: Machine::new(),
            browser,
            _data: data,
            _server: server,
        }
    }

    /// Writes a file of the machine; where it is.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.machine.file(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    }

    fn environment<'a>(&'a self, server: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let whom = [("SANDBOX_SERVER", server), ("SANDBOX_TOKEN", &self.token)];
        whom.into_iter().chain(more.iter().copied()).collect()
    }

    /// A request from the machine, in this environment.
    async fn list(&self, server: &str, more: &[(&str, &str)]) -> Output {
        let environment = self.environment(server, more);
        self.machine.run_in(&environment, &["sessions", "list"]).await
    }

    async fn lists(&self, server: &str, more: &[(&str, &str)]) {
        let output = self.list(server, more).await;
        assert!(output.status.success(), "{more:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("work"), "{output:?}");
    }

    /// A request that does not reach the server, and says these words.
    async fn is_told(&self, server: &str, more: &[(&str, &str)], words: &[&str]) {
        let output = self.list(server, more).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{more:?}: {output:?}");
        for word in words {
            assert!(said.contains(word), "{word} in {said}");
        }
    }

    /// Attaches from the machine, types, and leaves.
    async fn visits(&self, server: &str, more: &[(&str, &str)], word: &str) {
        let mut desk = self
            .machine
            .sit_down_in(&self.environment(server, more), ATTACH, WIDE)
            .await;
        desk.type_in(&format!("echo {word}-$((1+1))\r")).await;
        desk.until(&format!("{word}-2")).await;
        desk.type_in("\x1d").await;
        desk.until("code-0").await;
        desk.handle.close().await;
    }
}

const ATTACH: &str = "\"$SANDBOX\" sessions attach work; echo code-$?";

#[tokio::test]
async fn requests_and_terminals_believe_the_same_certificates_and_say_what_is_wrong_with_others() {
    let stage = Stage::set().await;
    let (own, strange) = (Authority::called("Own"), Authority::called("Strange"));
    let namesake = Authority::called("Own");
    let good = own.vouches(&["localhost"], 2200);
    let front = Front::of(stage.address, Arc::clone(&good)).await;
    let server = &format!("https://localhost:{}", front.address.port());
    let trusts_own = stage.file("own.pem", &own.pem);
    let trusts_strange = stage.file("strange.pem", &strange.pem);
    let trusts = &[("SSL_CERT_FILE", &*trusts_own)];
    stage.lists(server, trusts).await;
    stage.visits(server, trusts, "seen").await;

    let unknown = ["authority that this machine does not know", "SSL_CERT_FILE"];
    stage
        .is_told(server, &[("SSL_CERT_FILE", &trusts_strange)], &unknown)
        .await;
    let none = ["knows no authority", "/nowhere.pem", "SSL_CERT_FILE"];
    stage.is_told(server, &[("SSL_CERT_FILE", "/nowhere.pem")], &none).await;

    let environment = stage.environment(server, trusts);
    let mut desk = stage.machine.sit_down_in(&environment, ATTACH, WIDE).await;
    desk.until("seen-2").await;
    let wrong = [
        (strange.vouches(&["localhost"], 2200), "does not know"),
        (namesake.vouches(&["localhost"], 2200), "does not know"),
        (
            own.vouches(&["elsewhere.example.test"], 2200),
            "for another name (elsewhere.example.test)",
        ),
        (own.vouches(&["localhost"], 2001), "expired on 2001-01-01"),
    ];
    for (shows, word) in wrong {
        front.show(shows);
        stage.is_told(server, trusts, &[word]).await;
        // Whoever is attached is cut off, is told why, and is not let go.
        desk.until_titled(word).await;
    }
    front.show(good);
    desk.type_in("echo back-$((1+1))\r").await;
    desk.until("back-2").await;
    desk.until_titled("leaves it running").await;
    desk.type_in("\x1d").await;
    desk.until("code-0").await;

    // A server without TLS where TLS was meant.
    let plain = format!("https://{}", stage.address);
    stage.is_told(&plain, trusts, &["does not speak TLS", "http://"]).await;
}

#[tokio::test]
async fn a_proxy_makes_tunnels_for_terminals_as_for_requests() {
    let stage = Stage::set().await;
    let own = Authority::called("Own");
    let front = Front::of(stage.address, own.vouches(&[NAME, "localhost", "127.0.0.1"], 2200)).await;
    let trusts_own = stage.file("own.pem", &own.pem);
    let trusts = ("SSL_CERT_FILE", &*trusts_own);
    let by_name = &format!("https://{NAME}");
    let tunnel = format!("CONNECT {NAME}:443");

    let proxy = Proxy::to(front.address, Minded::default()).await;
    let url = proxy.url("");
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let more = &[trusts, (variable, &*url)];
        stage.lists(by_name, more).await;
        assert_eq!(proxy.asked(), [&*tunnel], "{variable}");
        stage.visits(by_name, more, variable).await;
        let asked = proxy.asked();
        // Requests share a tunnel; the terminal's socket has its own.
        assert!(
            asked.len() >= 2 && asked.iter().all(|asked| *asked == tunnel),
            "{variable}: {asked:?}"
        );
    }

    // Around it: by name, by a domain above, by an address in a range; not by what only ends alike.
    let local = &format!("https://localhost:{}", front.address.port());
    let number = &format!("https://127.0.0.1:{}", front.address.port());
    for (server, none) in [
        (local, "localhost"),
        (local, "*"),
        (number, "10.0.0.0/8, 127.0.0.0/8"),
        (number, "127.0.0.1"),
    ] {
        for variable in ["NO_PROXY", "no_proxy"] {
            let more = &[trusts, ("HTTPS_PROXY", &*url), (variable, none)];
            stage.lists(server, more).await;
            stage.visits(server, more, "around").await;
            assert_eq!(proxy.asked(), [""; 0], "{variable} {none}");
        }
    }
    for none in ["example.com", "andbox.example.test", "10.0.0.0/8"] {
        let more = &[trusts, ("HTTPS_PROXY", &*url), ("NO_PROXY", none)];
        stage.lists(by_name, more).await;
        stage.visits(by_name, more, "through").await;
        assert!(proxy.asked().iter().all(|asked| *asked == tunnel), "{none}");
    }
    let beyond = &[trusts, ("HTTPS_PROXY", &*url), ("NO_PROXY", ".example.test")];
    stage.is_told(by_name, beyond, &["cannot be reached"]).await;
    assert_eq!(proxy.asked(), [""; 0]);

    // One that wants to know who asks: `who:pa@ss`.
    let minded = Minded {
        knows: Some("Basic d2hvOnBhQHNz"),
        ..Minded::default()
    };
    let strict = Proxy::to(front.address, minded).await;
    let (nobody, wrong, right) = (strict.url(""), strict.url("who:what@"), strict.url("who:pa%40ss@"));
    let named = &*strict.address.to_string();
    stage
        .is_told(
            by_name,
            &[trusts, ("HTTPS_PROXY", &nobody)],
            &["asks who you are (407)", named],
        )
        .await;
    stage
        .is_told(
            by_name,
            &[trusts, ("HTTPS_PROXY", &wrong)],
            &["does not accept", "(407)", named],
        )
        .await;
    stage.lists(by_name, &[trusts, ("HTTPS_PROXY", &right)]).await;
    stage.visits(by_name, &[trusts, ("HTTPS_PROXY", &right)], "known").await;

    // One that is not there, one that will not, and one of another kind.
    let gone = &[trusts, ("HTTPS_PROXY", "http://127.0.0.1:9")];
    let words = [
        "The proxy http://127.0.0.1:9 cannot be reached",
        "NO_PROXY=sandbox.example.test",
    ];
    stage.is_told(by_name, gone, &words).await;
    let minded = Minded {
        no_tunnels: true,
        ..Minded::default()
    };
    let closed = Proxy::to(front.address, minded).await;
    let refuses = format!("refuses to connect to {NAME}:443");
    stage
        .is_told(by_name, &[trusts, ("HTTPS_PROXY", &closed.url(""))], &[&refuses])
        .await;
    let socks = &[trusts, ("ALL_PROXY", "socks5://127.0.0.1:9")];
    stage.is_told(by_name, socks, &["of the kind socks5"]).await;
}

#[tokio::test]
async fn without_tls_a_proxy_is_handed_requests_and_asked_for_a_tunnel_by_terminals() {
    let stage = Stage::set().await;
    let by_name = &format!("http://{NAME}");
    let tunnel = format!("CONNECT {NAME}:80");
    let proxy = Proxy::to(stage.address, Minded::default()).await;
    let url = proxy.url("");
    let more = &[("HTTP_PROXY", &*url)];
    stage.lists(by_name, more).await;
    assert_eq!(proxy.asked(), ["a request"]);
    stage.visits(by_name, more, "plain").await;
    let asked = proxy.asked();
    assert_eq!(asked.iter().filter(|asked| **asked == tunnel).count(), 1, "{asked:?}");
    let around = [("HTTP_PROXY", &*url), ("NO_PROXY", "127.0.0.1")];
    stage.visits(&stage.browser.origin, &around, "around").await;
    assert_eq!(proxy.asked(), [""; 0]);

    // Requests come through and the terminal does not: who attaches is told why, and need not wait.
    for (minded, word) in [
        (
            Minded {
                no_tunnels: true,
                ..Minded::default()
            },
            format!("refuses to connect to {NAME}:80"),
        ),
        (
            Minded {
                knows: Some("Basic d2hvOnBhQHNz"),
                ..Minded::default()
            },
            "asks who you are (407)".to_owned(),
        ),
    ] {
        let proxy = Proxy::to(stage.address, minded).await;
        let url = proxy.url("");
        let environment = stage.environment(by_name, &[("HTTP_PROXY", &url)]);
        let attach = ["sessions", "attach", &*stage.id, "--read-only"];
        let run = stage.machine.run_in(&environment, &attach);
        let output = tokio::time::timeout(PATIENCE, run).await.expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(5) && said.contains(&word),
            "{word}: {output:?}"
        );
    }
}
