//! Letters against a mail server on this machine: a small one, that really speaks SMTP and really speaks TLS.

#![allow(clippy::unwrap_used, reason = "a panic is a failing test with a line number")]

use engine::ports::{Mail, Post as _, Unsent};
use mail::{Options, Smtp, Tls};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// How a server is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Clear,
    Starttls,
    Tls,
}

/// What a server was told: envelopes, signed-in names, and letters as they came.
type Told = Arc<Mutex<Vec<String>>>;

fn keys(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(file)
}

fn acceptor() -> TlsAcceptor {
    let cert = CertificateDer::from_pem_file(keys("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(keys("server.key")).expect("a key");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .expect("they fit");
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, kind: Kind, told: Told) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(greet(socket, kind, told.clone()));
    }
}

async fn greet(mut socket: TcpStream, kind: Kind, told: Told) -> std::io::Result<()> {
    match kind {
        Kind::Clear => speak(&mut socket, true, false, &told).await.map(|_| ()),
        Kind::Tls => speak(&mut acceptor().accept(socket).await?, true, false, &told)
            .await
            .map(|_| ()),
        Kind::Starttls => {
            if speak(&mut socket, true, true, &told).await? {
                speak(&mut acceptor().accept(socket).await?, false, false, &told).await?;
            }
            Ok(())
        }
    }
}

/// Whether the client wants to go on in TLS.
async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut S,
    greets: bool,
    starttls: bool,
    told: &Told,
) -> std::io::Result<bool> {
    let mut socket = BufReader::new(socket);
    if greets {
        socket.write_all(b"220 localhost ESMTP\r\n").await?;
    }
    let mut line = String::new();
    loop {
        line.clear();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let word = line.trim_end().to_owned();
        let upper = word.to_uppercase();
        let answer = if upper.starts_with("EHLO") {
            if starttls {
                "250-localhost\r\n250 STARTTLS\r\n"
            } else {
                "250-localhost\r\n250 AUTH PLAIN\r\n"
            }
        } else if upper == "STARTTLS" {
            socket.write_all(b"220 Go on\r\n").await?;
            return Ok(true);
        } else if upper.starts_with("AUTH") {
            told.lock().unwrap().push(word);
            "235 Welcome\r\n"
        } else if upper.starts_with("RCPT") {
            let rejected = word.contains("nobody@");
            let later = word.contains("later@");
            told.lock().unwrap().push(word);
            match (rejected, later) {
                (true, _) => "550 5.1.1 No such mailbox\r\n",
                (_, true) => "451 4.7.1 Try again later\r\n",
                _ => "250 Fine\r\n",
            }
        } else if upper == "DATA" {
            socket.write_all(b"354 Go on\r\n").await?;
            let mut letter = String::new();
            loop {
                line.clear();
                socket.read_line(&mut line).await?;
                if line == ".\r\n" {
                    break;
                }
                letter.push_str(&line);
            }
            told.lock().unwrap().push(letter);
            "250 Taken\r\n"
        } else if upper == "QUIT" {
            socket.write_all(b"221 Bye\r\n").await?;
            return Ok(false);
        } else {
            "250 Fine\r\n"
        };
        socket.write_all(answer.as_bytes()).await?;
    }
}

async fn server(kind: Kind) -> (u16, Told) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let told = Told::default();
    tokio::spawn(serve(listener, kind, told.clone()));
    (port, told)
}

fn options(port: u16, tls: Tls) -> Options {
    Options {
        smtp_host: Some("localhost".to_owned()),
        smtp_port: Some(port),
        smtp_tls: tls,
        smtp_ca: Some(keys("ca.pem")),
        smtp_from: Some("Sandbox <sandbox@example.org>".to_owned()),
        ..Options::default()
    }
}

fn smtp(options: &Options) -> Smtp {
    Smtp::new(options, Some("https://sandbox.example.org"))
        .expect("good options")
        .expect("a server")
}

fn mail(to: &str) -> Mail {
    Mail {
        id: "0198".to_owned(),
        to: to.to_owned(),
        subject: "Ada invites you to Zürich".to_owned(),
        text: "https://sandbox.example.org/join/sbi_1".to_owned(),
        html: "<p>https://sandbox.example.org/join/sbi_1</p>".to_owned(),
    }
}

#[tokio::test]
async fn a_letter_arrives_whichever_way_the_connection_is_kept() {
    for (kind, tls) in [
        (Kind::Clear, Tls::None),
        (Kind::Starttls, Tls::Starttls),
        (Kind::Tls, Tls::Tls),
    ] {
        let (port, told) = server(kind).await;
        smtp(&options(port, tls))
            .send(&mail("new@example.org"))
            .await
            .expect("sent");
        let told = told.lock().unwrap();
        assert_eq!(told[0], "RCPT TO:<new@example.org>");
        let letter = &told[1];
        // The link in base64, as it is in the plain part.
        for part in [
            "From: Sandbox <sandbox@example.org>",
            "To: new@example.org",
            "text/plain",
            "text/html",
            "aHR0cHM6Ly9zYW5kYm94LmV4YW1wbGUub3JnL2pvaW4vc2JpXzE=",
        ] {
            assert!(letter.contains(part), "{part} in {letter}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_told_apart_from_what_may_be_tried_again() {
    let (port, _) = server(Kind::Clear).await;
    let post = smtp(&options(port, Tls::None));
    let Err(Unsent::Never(why)) = post.send(&mail("nobody@example.org")).await else {
        panic!("there is no such mailbox")
    };
    assert!(why.contains("No such mailbox"), "{why}");
    let Err(Unsent::Later(why)) = post.send(&mail("later@example.org")).await else {
        panic!("not yet")
    };
    assert!(why.contains("Try again later"), "{why}");
    assert!(matches!(
        post.send(&mail("not an address")).await,
        Err(Unsent::Never(_))
    ));
}

#[tokio::test]
async fn a_server_that_is_away_is_told_and_found_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let post = smtp(&options(port, Tls::None));
    assert!(matches!(
        post.send(&mail("new@example.org")).await,
        Err(Unsent::Later(_))
    ));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port again");
    tokio::spawn(serve(listener, Kind::Clear, Told::default()));
    post.send(&mail("new@example.org")).await.expect("it is back");
}

#[tokio::test]
async fn nothing_goes_in_the_clear_where_tls_is_asked_for() {
    // A server without STARTTLS, one that speaks no TLS at all, and one whose certificate nobody vouches for.
    let (clear, told) = server(Kind::Clear).await;
    let stranger = |port| Options {
        smtp_ca: None,
        ..options(port, Tls::Tls)
    };
    let (secure, other) = server(Kind::Tls).await;
    for options in [
        options(clear, Tls::Starttls),
        options(clear, Tls::Tls),
        stranger(secure),
    ] {
        let (_dir, file) = password();
        let options = Options {
            smtp_user: Some("sandbox".to_owned()),
            smtp_password_file: Some(file),
            ..options
        };
        let refused = smtp(&options).send(&mail("new@example.org")).await;
        assert!(matches!(refused, Err(Unsent::Later(_))), "{refused:?}");
    }
    assert!(
        told.lock().unwrap().is_empty() && other.lock().unwrap().is_empty(),
        "no name, no letter"
    );
}

/// A file with a password that only its owner reads; it goes with the first of the two.
fn password() -> (tempfile::TempDir, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("password");
    std::fs::write(&file, "a secret\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("closed");
    (dir, file)
}

#[tokio::test]
async fn who_signs_in_does_so_in_tls_with_a_password_that_others_cannot_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let (port, told) = server(Kind::Tls).await;
    let (_dir, file) = password();
    let signed = Options {
        smtp_user: Some("sandbox".to_owned()),
        smtp_password_file: Some(file.clone()),
        ..options(port, Tls::Tls)
    };
    smtp(&signed).send(&mail("new@example.org")).await.expect("sent");
    // PLAIN: a name and a password between zeros, in base64.
    assert_eq!(told.lock().unwrap()[0], "AUTH PLAIN AHNhbmRib3gAYSBzZWNyZXQ=");
    let site = Some("https://sandbox.example.org");
    let refused = |options: &Options, site| Smtp::new(options, site).err().expect("refused").to_string();
    assert!(
        refused(
            &Options {
                smtp_tls: Tls::None,
                ..signed.clone()
            },
            site
        )
        .contains("not sent in the clear")
    );
    assert!(
        refused(
            &Options {
                smtp_from: None,
                ..signed.clone()
            },
            site
        )
        .contains("--smtp-from")
    );
    assert!(refused(&signed, None).contains("--public-url"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("opened");
    assert!(refused(&signed, site).contains("Others may read"));
    assert!(
        Smtp::new(&Options::default(), None)
            .expect("nothing is asked for")
            .is_none()
    );
}
