//! A form that was sent without scripts and refused: what was typed, and why it was refused, on their way back to the
//! page of the form. The server sends the browser back with a cookie that scripts cannot read and that lasts a minute;
//! the page takes it up once. Nothing of it is in an address, where histories and logs would keep it.

#[cfg(feature = "ssr")]
pub use carried::{LIFETIME_SECONDS, NAME, Sending};

use leptos::{
    prelude::*,
    server::{ServerActionError, SharedValue},
    server_fn::ServerFn,
};
use serde::{Deserialize, Serialize};

/// What was sent to a server function by a form, and its refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The path and query of the form's page; on another page this means nothing.
    page: String,
    /// The path of the server function.
    function: String,
    /// The refusal, as Leptos writes it into addresses.
    refusal: String,
    /// The fields in the form's order; one that was too long to carry is missing.
    fields: Vec<(String, String)>,
}

impl Typed {
    /// The text of a field; nothing where it was not sent or was left empty.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let named = self.fields.iter().find(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }

    /// Whether a box of this name and value was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str, value: &str) -> bool {
        self.fields.iter().any(|(known, said)| known == name && said == value)
    }
}

/// In the context of every page.
#[derive(Clone, Copy)]
struct Brought(StoredValue<Option<Typed>>);

/// Takes up what the request brought. The server tells the browser what it took, so that both draw the same page.
pub(crate) fn provide() {
    let typed = SharedValue::new(brought).into_inner();
    if let Some(Typed { function, refusal, .. }) = &typed {
        provide_context(ServerActionError::new(function, refusal));
    }
    provide_context(Brought(StoredValue::new(typed)));
}

/// What was typed into a form of this server function, if the page is shown because that was refused. A browser is told
/// once: a form that is opened later starts afresh.
pub(crate) fn into_form_of<F: ServerFn>() -> Option<Typed> {
    let Brought(kept) = use_context()?;
    let typed = kept.get_value().filter(|typed: &Typed| typed.function == F::PATH)?;
    if cfg!(feature = "hydrate") {
        kept.set_value(None);
    }
    Some(typed)
}

#[cfg(not(feature = "ssr"))]
fn brought() -> Option<Typed> {
    None
}

#[cfg(feature = "ssr")]
fn brought() -> Option<Typed> {
    let parts = use_context::<http::request::Parts>()?;
    let page = parts.uri.path_and_query()?.as_str();
    let cookies = parts.headers.get_all(http::header::COOKIE);
    let value = cookies
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == NAME).then_some(value))?;
    let typed = carried::read(value).filter(|typed| typed.page == page)?;
    if let Some(options) = use_context::<leptos_axum::ResponseOptions>() {
        let over = http::HeaderValue::from_static(carried::OVER);
        options.append_header(http::header::SET_COOKIE, over);
    }
    Some(typed)
}

#[cfg(feature = "ssr")]
mod carried {
    use super::Typed;
    use crate::fault::Fault;
    use base64::{Engine as _, prelude::BASE64_URL_SAFE};
    use leptos::server_fn::error::FromServerFnError as _;

    /// The cookie's name.
    pub const NAME: &str = "sandbox_typed";
    /// How long a browser keeps it, in seconds: as long as a redirection takes, and a slow phone.
    pub const LIFETIME_SECONDS: u32 = 60;
    /// Takes the cookie away.
    pub(super) const OVER: &str = "sandbox_typed=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    /// The largest value: browsers drop cookies above 4096 bytes, name and attributes counted.
    const MAX: usize = 3800;
    /// So many fields are looked at; no form of ours has as many.
    const FIELDS_MAX: usize = 64;

    /// A refused form that is about to be sent back to its page.
    #[derive(Debug)]
    pub struct Sending<'a> {
        /// The path and query of the form's page.
        pub page: &'a str,
        /// The path of the server function.
        pub function: &'a str,
        /// The refusal, as Leptos writes it into addresses: base64 of its JSON.
        pub refusal: String,
        pub fields: Vec<(String, String)>,
    }

    impl<'a> Sending<'a> {
        /// A form that was refused with this.
        #[must_use]
        pub fn refused(page: &'a str, function: &'a str, fault: &Fault, fields: Vec<(String, String)>) -> Self {
            let refusal = BASE64_URL_SAFE.encode(fault.ser());
            Self {
                page,
                function,
                refusal,
                fields,
            }
        }

        /// The cookie's value. Fields that do not fit are left out; nothing where not even the refusal fits.
        #[must_use]
        pub fn value(self) -> Option<String> {
            let mut typed = Typed {
                page: self.page.to_owned(),
                function: self.function.to_owned(),
                refusal: self.refusal,
                fields: Vec::new(),
            };
            let mut value = written(&typed)?;
            for field in self.fields.into_iter().take(FIELDS_MAX) {
                typed.fields.push(field);
                match written(&typed) {
                    Some(longer) => value = longer,
                    None => {
                        typed.fields.pop();
                    }
                }
            }
            Some(value)
        }
    }

    fn written(typed: &Typed) -> Option<String> {
        let json = serde_json::to_vec(typed).ok()?;
        // Measured before it is encoded: a field may be as long as a body.
        (json.len().div_ceil(3) * 4 <= MAX).then(|| BASE64_URL_SAFE.encode(json))
    }

    pub(super) fn read(value: &str) -> Option<Typed> {
        let json = BASE64_URL_SAFE.decode(value).ok()?;
        serde_json::from_slice(&json).ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn sending(fields: &[(&str, &str)]) -> Sending<'static> {
            let fields = fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
            Sending {
                page: "/new?agent=shell",
                function: "/api/fn/sessions/open",
                refusal: "e30=".to_owned(),
                fields: fields.collect(),
            }
        }

        #[test]
        fn what_was_typed_comes_back_as_it_was() {
            let value = sending(&[
                ("name", "Ünïcode; \"quoted\""),
                ("box", "a"),
                ("box", "b"),
                ("repo", ""),
            ])
            .value()
            .expect("it fits");
            let typed = read(&value).expect("readable");
            assert_eq!(typed.field("name").as_deref(), Some("Ünïcode; \"quoted\""));
            assert_eq!(typed.field("repo"), None);
            assert!(typed.ticked("box", "a") && typed.ticked("box", "b") && !typed.ticked("box", "c"));
            assert_eq!(typed.page, "/new?agent=shell");
        }

        #[test]
        fn a_field_that_is_too_long_is_left_out_and_the_others_are_carried() {
            let long = "x".repeat(60_000);
            let value = sending(&[("first", "1"), ("long", &long), ("last", "2")])
                .value()
                .expect("it fits");
            assert!(value.len() <= MAX);
            let typed = read(&value).expect("readable");
            assert_eq!(typed.fields.len(), 2);
            assert_eq!(typed.field("last").as_deref(), Some("2"));
        }

        #[test]
        fn a_refusal_that_does_not_fit_is_not_carried_at_all() {
            let refusal = "x".repeat(4000);
            assert_eq!(
                Sending {
                    refusal,
                    ..sending(&[("a", "b")])
                }
                .value(),
                None
            );
        }

        #[test]
        fn a_cookie_of_somebody_elses_making_is_passed_over() {
            for value in ["", "!!", "e30=", "bnVsbA==", "{}"] {
                assert_eq!(read(value), None, "{value}");
            }
        }
    }
}
