use std::collections::HashMap;
use std::sync::Arc;

/// Where each static file really lies: its logical name (`app.css`) against its hashed address.
///
/// The server reads it from the build's `manifest.json` and puts it in the page's context.
#[derive(Clone, Debug, Default)]
pub struct Assets(Arc<HashMap<String, String>>);

impl Assets {
    /// Takes logical names and the addresses that answer for them.
    pub fn new(addresses: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(Arc::new(addresses.into_iter().collect()))
    }

    /// The address of a file, or its plain place under `/pkg` where the build knows no such file.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| format!("/pkg/{name}"))
    }
}
