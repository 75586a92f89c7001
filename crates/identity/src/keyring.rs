//! The keys under which secrets are kept: XChaCha20-Poly1305, with a random nonce for each value, bound to its place.
//!
//! Keys come from the environment, or from a file that only the server's user may read. A file is read again when it
//! changes, so that a key can be added while a server runs.

use anyhow::{Context as _, Result, bail};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use domain::secret::Value;
use engine::ports::{Place, Sealed, Unreadable};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, Metadata, OpenOptions, Permissions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::RwLock,
};
use zeroize::Zeroizing;

/// Bytes of a nonce: so many that random ones never meet.
const NONCE: usize = 24;
/// A file with more keys was not made by us.
const KEYS_MAX: usize = 100;

/// The keys of a server.
pub struct Keyring {
    /// The file that they come from; `None`: they were given once.
    file: Option<PathBuf>,
    /// Never locked while anything is waited for.
    loaded: RwLock<Loaded>,
}

struct Loaded {
    keys: Vec<Key>,
    /// Which state of the file this is.
    stamp: Option<Stamp>,
}

/// A file's number, size and time of change: whoever replaces it changes one of them.
type Stamp = (u64, u64, i64, i64);

struct Key {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

impl core::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keyring")
            .field("file", &self.file)
            .field("keys", &"****")
            .finish()
    }
}

impl Keyring {
    /// Keys that are given as text: base64 of 32 bytes each, separated by commas, spaces or lines; the first seals.
    pub fn given(text: &str) -> Result<Self> {
        let loaded = Loaded {
            keys: parse(text).context("The key for secrets in the environment is wrong")?,
            stamp: None,
        };
        Ok(Self {
            file: None,
            loaded: RwLock::new(loaded),
        })
    }

    /// The keys in a file, which must be there.
    pub fn in_file(path: &Path) -> Result<Self> {
        Ok(Self {
            file: Some(path.to_owned()),
            loaded: RwLock::new(load(path)?),
        })
    }

    /// The keys in a file; it is made, with a new key, where it is not there.
    pub fn made(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .with_context(|| format!("The folder {} for keys cannot be made", folder.display()))?;
        }
        // Of two servers that start at once, one makes it and the other reads it.
        let begun = beside(path);
        write_new(&begun, &format!("{}\n", *new_key()))?;
        let placed = fs::hard_link(&begun, path);
        let _ = fs::remove_file(&begun);
        match placed {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("The key file {} cannot be made", path.display()))
            }
            _ => Self::in_file(path),
        }
    }

    /// Puts a new key before those in a file; its id. A server that runs takes it up by itself.
    pub fn add_key(path: &Path) -> Result<String> {
        let (before, _) = read(path)?;
        let key = new_key();
        let text = Zeroizing::new(format!("{}\n{}", *key, *before));
        let begun = beside(path);
        write_new(&begun, &text)?;
        fs::rename(&begun, path).with_context(|| format!("The key file {} cannot be written", path.display()))?;
        Ok(parse(&key)?.swap_remove(0).id)
    }

    /// Looks at what there is now; a file that cannot be read any more is told, and what was read stays.
    fn with_keys<T>(&self, what: impl FnOnce(&[Key]) -> T) -> Result<T> {
        if let Some(path) = &self.file {
            let stamp = fs::metadata(path)
                .map(|meta| stamp(&meta))
                .with_context(|| format!("The key file {} cannot be read", path.display()))?;
            let stale = {
                let loaded = self.loaded.read().unwrap_or_else(|poisoned| poisoned.into_inner());
                loaded.stamp != Some(stamp)
            };
            if stale {
                let fresh = load(path)?;
                *self.loaded.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = fresh;
            }
        }
        let loaded = self.loaded.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        Ok(what(&loaded.keys))
    }
}

impl engine::ports::Keyring for Keyring {
    fn seal(&self, place: &Place<'_>, value: &Value) -> Result<Sealed> {
        self.with_keys(|keys| {
            let key = keys.first().context("there is no key for secrets")?;
            let nonce: [u8; NONCE] = rand::random();
            let payload = Payload {
                msg: value.expose().as_bytes(),
                aad: &bound_to(place),
            };
            let Ok(sealed) = cipher(key).encrypt(&nonce.into(), payload) else {
                bail!("a value could not be sealed");
            };
            Ok(Sealed {
                key: key.id.clone(),
                text: URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()),
            })
        })?
    }

    fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Value, Unreadable> {
        let opened = self.with_keys(|keys| {
            let key = keys.iter().find(|key| key.id == sealed.key);
            let key = key.ok_or_else(|| Unreadable::NoKey(sealed.key.clone()))?;
            let open = || {
                let bytes = URL_SAFE_NO_PAD.decode(&sealed.text).ok()?;
                let (nonce, text) = bytes.split_first_chunk::<NONCE>()?;
                let payload = Payload {
                    msg: text,
                    aad: &bound_to(place),
                };
                let opened = cipher(key).decrypt(&(*nonce).into(), payload).ok()?;
                // Sealed from text, and authentic: it is text.
                String::from_utf8(opened).ok().map(Value::new)
            };
            open().ok_or_else(|| Unreadable::Tampered(sealed.key.clone()))
        });
        opened.map_err(|error| Unreadable::NoKeys(format!("{error:#}")))?
    }

    fn keys(&self) -> Result<Vec<String>> {
        self.with_keys(|keys| keys.iter().map(|key| key.id.clone()).collect())
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.bytes).into())
}

/// The place as bytes: each part with its length, so that no two places read alike.
fn bound_to(place: &Place<'_>) -> Vec<u8> {
    let version = place.version.to_string();
    let parts = [
        "sandbox secret 1",
        place.org.as_str(),
        place.secret.as_str(),
        &version,
        place.column,
    ];
    parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.bytes()))
        .collect()
}

/// A key's name: the first eight digits of a hash of it.
fn id_of(key: &[u8; 32]) -> String {
    let hash = Sha256::new_with_prefix(b"sandbox secrets key id")
        .chain_update(key)
        .finalize();
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// A new key, as text.
pub fn new_key() -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
    Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&bytes))
}

/// Reads keys; what is wrong is told without repeating it.
fn parse(text: &str) -> Result<Vec<Key>> {
    // Written by hand, or by any tool: with padding or without, in either alphabet.
    let lenient = |alphabet| {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        GeneralPurpose::new(alphabet, config)
    };
    let (plain, url) = (lenient(&alphabet::STANDARD), lenient(&alphabet::URL_SAFE));
    let words = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = words
        .flat_map(|line| line.split([',', ' ', '\t', '\r']))
        .filter(|word| !word.is_empty());
    let mut keys: Vec<Key> = Vec::new();
    for (number, word) in (1..).zip(words) {
        let decoded = plain.decode(word).or_else(|_| url.decode(word)).map(Zeroizing::new);
        let bytes = decoded
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        let Some(bytes) = bytes.map(Zeroizing::new) else {
            bail!("key {number} is not the base64 of 32 bytes: make one with `sandbox secrets new-key`");
        };
        let id = id_of(&bytes);
        if number > KEYS_MAX {
            bail!("there are more than {KEYS_MAX} keys");
        }
        // The same key twice is one key; two keys with one name could not be told apart.
        match keys.iter().find(|key| key.id == id) {
            None => keys.push(Key { id, bytes }),
            Some(key) if *key.bytes == *bytes => {}
            Some(_) => bail!("two different keys have the same name {id}: replace one"),
        }
    }
    if keys.is_empty() {
        bail!("there is no key: make one with `sandbox secrets new-key`");
    }
    Ok(keys)
}

fn load(path: &Path) -> Result<Loaded> {
    let (text, stamp) = read(path)?;
    let keys = parse(&text).with_context(|| format!("The key file {} is wrong", path.display()))?;
    let stamp = Some(stamp);
    Ok(Loaded { keys, stamp })
}

/// The text of a key file, which nobody else may read.
fn read(path: &Path) -> Result<(Zeroizing<String>, Stamp)> {
    use std::io::Read as _;
    let unreadable = || format!("The key file {} cannot be read", path.display());
    let mut file = fs::File::open(path).with_context(unreadable)?;
    let meta = file.metadata().with_context(unreadable)?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "The key file {0} can be read by others than its owner (mode {mode:o}): run `chmod 600 {0}`, and make a new \
             key if somebody could have read it.",
            path.display()
        );
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).with_context(unreadable)?;
    Ok((text, stamp(&meta)))
}

fn stamp(meta: &Metadata) -> Stamp {
    (meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:08x}.new", rand::random::<u32>()));
    name.into()
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            // Whatever the umask took away: its owner reads and writes it.
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.with_context(|| format!("The key file {} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OrgId, id::SecretId};
    use engine::ports::Keyring as _;

    struct Row {
        org: OrgId,
        secret: SecretId,
    }

    fn row(org: &str, secret: &str) -> Row {
        Row {
            org: OrgId::new(org),
            secret: SecretId::new(secret),
        }
    }

    fn at(row: &Row, version: u64) -> Place<'_> {
        Place {
            org: &row.org,
            secret: &row.secret,
            version,
            column: "value",
        }
    }

    #[test]
    fn a_value_opens_at_its_own_place_alone() {
        let keyring = Keyring::given(&new_key()).expect("a key");
        let (here, value) = (row("acme", "s1"), Value::new("canary"));
        let sealed = keyring.seal(&at(&here, 1), &value).expect("sealed");
        assert!(!sealed.text.contains("canary"));
        assert_eq!(keyring.open(&at(&here, 1), &sealed), Ok(value.clone()));
        let tampered = Err(Unreadable::Tampered(sealed.key.clone()));
        for (elsewhere, version) in [(row("acme", "s2"), 1), (row("evil", "s1"), 1), (row("acme", "s1"), 2)] {
            assert_eq!(keyring.open(&at(&elsewhere, version), &sealed), tampered);
        }
        // Lengths are part of it: parts cannot lend each other letters.
        let (one, other) = (row("ab", "c"), row("a", "bc"));
        let lent = keyring.seal(&at(&one, 1), &value).expect("sealed");
        assert_eq!(keyring.open(&at(&other, 1), &lent), tampered);
        let elsewhere = Place {
            column: "bindings",
            ..at(&here, 1)
        };
        assert_eq!(keyring.open(&elsewhere, &sealed), tampered);
        let again = keyring.seal(&at(&here, 1), &value).expect("sealed");
        assert_ne!(again.text, sealed.text, "a nonce of its own");
    }

    #[test]
    fn what_was_changed_or_cut_is_found() {
        let keyring = Keyring::given(&new_key()).expect("a key");
        let here = row("acme", "s1");
        let sealed = keyring.seal(&at(&here, 1), &Value::new("canary")).expect("sealed");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed.text).expect("base64");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            for wrong in [changed, bytes[..place].to_vec()] {
                let wrong = Sealed {
                    text: URL_SAFE_NO_PAD.encode(wrong),
                    ..sealed.clone()
                };
                assert_eq!(
                    keyring.open(&at(&here, 1), &wrong),
                    Err(Unreadable::Tampered(sealed.key.clone()))
                );
            }
        }
        let other = Keyring::given(&new_key()).expect("a key");
        assert_eq!(
            other.open(&at(&here, 1), &sealed),
            Err(Unreadable::NoKey(sealed.key.clone()))
        );
        // A wrong key that claims the right name.
        let claimed = Sealed {
            key: other.keys().expect("keys").swap_remove(0),
            ..sealed
        };
        assert_eq!(
            other.open(&at(&here, 1), &claimed),
            Err(Unreadable::Tampered(claimed.key.clone()))
        );
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = (new_key(), new_key());
        let here = row("acme", "s1");
        let before = Keyring::given(&old).expect("a key");
        let sealed = before.seal(&at(&here, 1), &Value::new("x")).expect("sealed");
        let both = Keyring::given(&format!("{}, {} {}", *new, *old, *old)).expect("keys");
        assert_eq!(both.keys().expect("keys").len(), 2);
        assert_eq!(both.open(&at(&here, 1), &sealed), Ok(Value::new("x")));
        assert_ne!(
            both.seal(&at(&here, 1), &Value::new("x")).expect("sealed").key,
            sealed.key
        );
    }

    #[test]
    fn a_file_is_made_for_its_owner_alone_and_a_new_key_is_taken_up() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/secrets.key");
        let running = Keyring::made(&path).expect("made");
        let again = Keyring::made(&path).expect("there already");
        assert_eq!(running.keys().expect("keys"), again.keys().expect("keys"));
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));

        let here = row("acme", "s1");
        let sealed = running.seal(&at(&here, 1), &Value::new("x")).expect("sealed");
        let added = Keyring::add_key(&path).expect("added");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(running.keys().expect("keys"), [added.clone(), sealed.key.clone()]);
        assert_eq!(
            running.seal(&at(&here, 2), &Value::new("y")).expect("sealed").key,
            added
        );
        assert_eq!(running.open(&at(&here, 1), &sealed), Ok(Value::new("x")));
        assert_eq!(
            fs::read_dir(path.parent().expect("a folder")).expect("reads").count(),
            1
        );

        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("opened");
        let refused = Keyring::in_file(&path).expect_err("others read it").to_string();
        assert!(
            refused.contains("mode 640") && refused.contains("chmod 600"),
            "{refused}"
        );
    }

    #[test]
    fn a_wrong_key_is_refused_without_being_repeated() {
        for wrong in ["", "# nothing", "canary", "Y2FuYXJ5", "canary,canary"] {
            let refused = format!("{:#}", Keyring::given(wrong).expect_err(wrong));
            assert!(
                !refused.contains("canary") && !refused.contains("Y2FuYXJ5"),
                "{refused}"
            );
        }
        let keyring = Keyring::given(&new_key()).expect("a key");
        assert!(format!("{keyring:?}").contains("****"));
    }
}
