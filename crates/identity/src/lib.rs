//! Who is asking, as far as it can be known without remembering anything: secrets and their hashes, ids, the time,
//! where the server may listen and where it may send a browser; and the keys under which secrets are kept.
//!
//! It deliberately does not know what anybody may do (`domain::permit`), who is signed in (`store`), or HTTP (`server`).
//! Start at [`credentials`]; the embedded sign-in is the engine's `logins.rs` on top of it. Identity providers are
//! [`oidc`].

pub mod clock;
pub mod credentials;
pub mod keyring;
pub mod listen;
pub mod oidc;
pub mod redirect;
pub mod sign;

pub use clock::SystemClock;
pub use credentials::Local;
pub use keyring::Keyring;
pub use listen::{Front, check_listen};
pub use oidc::Oidc;
pub use redirect::is_safe_redirect;
pub use sign::hmac_sha256;
