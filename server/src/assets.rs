//! The built page: hashed names, compressed ahead, cached for ever. A release carries it inside; a debug build reads
//! `target/site` from disk.

use crate::doors::Doors;
use anyhow::Context as _;
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

/// What the build has made, by name.
#[cfg(not(debug_assertions))]
fn built(name: &str) -> Option<Bytes> {
    #[derive(rust_embed::RustEmbed)]
    #[folder = "../target/site"]
    #[allow_missing = true]
    struct Built;

    Some(match Built::get(name)?.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

/// What the build has made, by name: a debug build reads it as it is now.
#[cfg(debug_assertions)]
fn built(name: &str) -> Option<Bytes> {
    let site = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site"));
    std::fs::read(site.join(name)).ok().map(Bytes::from)
}

/// What the build says of itself: logical names against files.
#[derive(Debug, Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    files: HashMap<String, Entry>,
    /// The addresses of the files that carry the code of a part of the pages.
    #[serde(default)]
    parts: HashMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    immutable: bool,
    /// The size of each compressed form that was kept beside the file.
    #[serde(default)]
    br: Option<u64>,
    #[serde(default)]
    gz: Option<u64>,
}

/// The files of the page; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    files: Arc<HashMap<String, File>>,
    addresses: app::Assets,
}

#[derive(Debug)]
struct File {
    name: String,
    kind: &'static str,
    immutable: bool,
    br: bool,
    gz: bool,
    /// Changes with the content.
    tag: HeaderValue,
}

impl Site {
    /// Reads the manifest; without a build there are no files, and pages work without scripts and styles.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let manifest: Manifest = match built("manifest.json") {
            Some(json) => serde_json::from_slice(&json).context("The built page's manifest.json is not understood.")?,
            None => {
                tracing::warn!("the page was not built: there are no scripts and styles (make wasm)");
                Manifest::default()
            }
        };
        let addresses = manifest
            .files
            .iter()
            .map(|(name, entry)| (name.clone(), format!("/{}", entry.file)));
        let addresses = app::Assets::new(addresses.collect(), manifest.parts);
        let files = manifest.files.into_values().filter_map(File::from_entry);
        let files = Arc::new(files.map(|file| (format!("/{}", file.name), file)).collect());
        Ok(Self { files, addresses })
    }

    /// What the page calls its files.
    pub(crate) const fn addresses(&self) -> &app::Assets {
        &self.addresses
    }

    /// The answer for a file's address; `None` where there is none.
    fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.files.get(path)?;
        let cache = if file.immutable {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let common = [
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::ETAG, file.tag.clone()),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            // A worker lives by the policy of its own file.
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'"),
            ),
        ];
        if has_it(headers, &file.tag) {
            return Some((StatusCode::NOT_MODIFIED, common).into_response());
        }
        let (suffix, encoding) = best(headers, file.br, file.gz);
        let (bytes, encoding) = match built(&format!("{}{suffix}", file.name)) {
            Some(bytes) => (bytes, encoding),
            None => (built(&file.name)?, None),
        };
        let mut response = (common, [(header::CONTENT_TYPE, file.kind)], Body::from(bytes)).into_response();
        if let Some(encoding) = encoding {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Some(response)
    }
}

impl File {
    fn from_entry(entry: Entry) -> Option<Self> {
        let Entry {
            file: name,
            immutable,
            br,
            gz,
        } = entry;
        // A name with a hash changes with the content; what has none is small.
        let tag = if immutable {
            name.clone()
        } else {
            let mut hasher = DefaultHasher::new();
            built(&name)?.hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        };
        // Weak, because each encoding has bytes of its own.
        let tag = HeaderValue::from_str(&format!("W/\"{tag}\"")).ok()?;
        Some(Self {
            kind: kind(&name),
            immutable,
            br: br.is_some(),
            gz: gz.is_some(),
            tag,
            name,
        })
    }
}

/// One route a file: what is no file goes on to the pages.
pub(crate) fn router(site: &Site) -> Router<Doors> {
    let router = site
        .files
        .keys()
        .fold(Router::new(), |router, path| router.route(path, get(answer)));
    // An address under /pkg that a newer build no longer knows is absent, not a page.
    router.route("/pkg/{*gone}", get(answer)).layer(Extension(site.clone()))
}

async fn answer(Extension(site): Extension<Site>, _: Method, uri: Uri, headers: HeaderMap) -> Response {
    site.answer(uri.path(), &headers).unwrap_or_else(|| {
        let cache = [(header::CACHE_CONTROL, "no-store")];
        (
            StatusCode::NOT_FOUND,
            cache,
            "There is no such file. Load the page again.",
        )
            .into_response()
    })
}

fn has_it(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = tag.to_str().map(opaque).unwrap_or_default();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    known.is_some_and(|known| known.split(',').any(|known| opaque(known) == tag))
}

/// The best form that the client reads: the suffix of its file, and its name.
fn best(headers: &HeaderMap, br: bool, gz: bool) -> (&'static str, Option<&'static str>) {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|accepted| accepted.to_str().ok())
        .unwrap_or_default();
    let reads = |name: &str| {
        accepted.split(',').any(|coding| {
            let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
            coding.trim().eq_ignore_ascii_case(name) && !refused
        })
    };
    if br && reads("br") {
        (".br", Some("br"))
    } else if gz && reads("gzip") {
        (".gz", Some("gzip"))
    } else {
        ("", None)
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "html" => "text/html; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(encodings: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(encodings))])
    }

    #[test]
    fn the_smallest_form_that_the_client_reads_is_sent() {
        assert_eq!(
            best(&accepting("gzip, deflate, br, zstd"), true, true),
            (".br", Some("br"))
        );
        assert_eq!(best(&accepting("gzip, br;q=0"), true, true), (".gz", Some("gzip")));
        assert_eq!(best(&accepting("br"), false, true), ("", None));
        assert_eq!(best(&HeaderMap::new(), true, true), ("", None));
    }

    #[test]
    fn a_client_that_has_the_file_is_not_sent_it_again() {
        let tag = HeaderValue::from_static("W/\"abc\"");
        let known =
            |known: &'static str| HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(known))]);
        assert!(has_it(&known("\"x\", W/\"abc\""), &tag) && has_it(&known("\"abc\""), &tag));
        assert!(!has_it(&known("\"abcd\""), &tag) && !has_it(&HeaderMap::new(), &tag));
    }
}
