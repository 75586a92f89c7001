//! What is kept of a provider's tokens, encrypted under a key that is not in the database.

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// The key as base64url, for several servers on one database.
const VARIABLE: &str = "SANDBOX_OIDC_KEY";
/// What every text sealed in this way begins with.
const VERSION: &str = "v1.";
const KEY: usize = 32;
const NONCE: usize = 24;

/// Encrypts, and opens only what it has encrypted for the same purpose.
pub(super) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// The key of the environment, else the one in `keys/oidc.key`, which is made where there is none.
    pub(super) fn open(data_dir: &Path) -> Result<Self> {
        let text = match std::env::var(VARIABLE) {
            Ok(text) => text,
            Err(_) => of_file(&data_dir.join("keys"))?,
        };
        Self::of_text(&text)
            .with_context(|| format!("The key of {VARIABLE} or keys/oidc.key is not {KEY} bytes as base64url."))
    }

    fn of_text(text: &str) -> Result<Self> {
        let key = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='))?;
        ensure!(key.len() == KEY, "wrong length");
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| anyhow::anyhow!("wrong length"))?;
        Ok(Self(cipher))
    }

    /// Encrypts `text`; only [`Self::reveal`] with the same `purpose` gives it back.
    pub(super) fn seal(&self, text: &str, purpose: &str) -> Result<String> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: text.as_bytes(),
            aad: purpose.as_bytes(),
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| anyhow::anyhow!("encrypting failed"))?;
        Ok(format!(
            "{VERSION}{}",
            URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
        ))
    }

    /// What was sealed; tampering, another key and another purpose are one error.
    pub(super) fn reveal(&self, sealed: &str, purpose: &str) -> Result<String> {
        let whole = sealed.strip_prefix(VERSION).context("not sealed")?;
        let whole = URL_SAFE_NO_PAD.decode(whole)?;
        let (nonce, rest) = whole.split_first_chunk::<NONCE>().context("too short")?;
        let payload = Payload {
            msg: rest,
            aad: purpose.as_bytes(),
        };
        let text = self.0.decrypt(&XNonce::from(*nonce), payload);
        let text = text.map_err(|_| anyhow::anyhow!("it was changed, or sealed with another key"))?;
        Ok(String::from_utf8(text)?)
    }
}

fn of_file(folder: &Path) -> Result<String> {
    let path = folder.join("oidc.key");
    let cannot = |what: &str| format!("The key {} cannot be {what}.", path.display());
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| cannot("made"))?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; KEY]>());
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| cannot("written"))?;
            Ok(text)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(&path)
                .with_context(|| cannot("read"))?
                .permissions()
                .mode();
            ensure!(
                mode & 0o077 == 0,
                "The key {} can be read by others: give it the mode 600.",
                path.display()
            );
            std::fs::read_to_string(&path).with_context(|| cannot("read"))
        }
        Err(error) => Err(error).with_context(|| cannot("made")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_purpose_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let seal = Seal::of_text(&of_file(folder.path()).expect("a key")).expect("opens");
        let sealed = seal.seal("a refresh token", "ada").expect("seals");
        assert!(!sealed.contains("refresh"));
        assert_eq!(seal.reveal(&sealed, "ada").expect("opens"), "a refresh token");
        assert!(seal.reveal(&sealed, "bob").is_err(), "another purpose");
        let mut changed = sealed.clone().into_bytes();
        let last = changed.len() - 3;
        changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
        assert!(seal.reveal(&String::from_utf8(changed).expect("text"), "ada").is_err());
        for broken in ["", "v1.", "v1.AAAA", "v2.AAAA", "a refresh token"] {
            assert!(seal.reveal(broken, "ada").is_err(), "{broken}");
        }
        let again = Seal::of_text(&of_file(folder.path()).expect("the same key")).expect("opens");
        assert_eq!(again.reveal(&sealed, "ada").expect("opens"), "a refresh token");
        let other = Seal::of_text(&URL_SAFE_NO_PAD.encode([7; KEY])).expect("a key");
        assert!(other.reveal(&sealed, "ada").is_err(), "another key");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        of_file(folder.path()).expect("a key");
        let path = folder.path().join("oidc.key");
        assert_eq!(
            std::fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        assert!(of_file(folder.path()).expect_err("refused").to_string().contains("600"));
        assert!(Seal::of_text("short").is_err());
    }
}
