use std::collections::HashMap;
use std::sync::Arc;

/// Where each static file really lies: its logical name (`app.css`) against its hashed address, and which files carry
/// the code of which part of the pages.
///
/// The server reads it from the build's `manifest.json` and puts it in the page's context.
#[derive(Clone, Debug, Default)]
pub struct Assets(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    addresses: HashMap<String, String>,
    parts: HashMap<String, Vec<String>>,
}

impl Assets {
    /// Takes logical names and the addresses that answer for them, and the addresses of each part's files.
    #[must_use]
    pub fn new(addresses: HashMap<String, String>, parts: HashMap<String, Vec<String>>) -> Self {
        Self(Arc::new(Known { addresses, parts }))
    }

    /// The address of a file, or its plain place under `/pkg` where the build knows no such file.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        let known = self.0.addresses.get(name);
        known.cloned().unwrap_or_else(|| format!("/pkg/{name}"))
    }

    /// The addresses of the files that carry the code of a part of the pages; none where the build knows no such part.
    #[must_use]
    pub fn part(&self, name: &str) -> &[String] {
        self.0.parts.get(name).map_or(&[], Vec::as_slice)
    }
}
