//! The last row of a page: the next begins after it, whatever came or went in between.

use crate::db::Value;
use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use engine::ports::Refusal;
use serde::{Deserialize, Serialize};

/// Where a list goes on. Opaque to whoever holds it; one of another list, or another order, is refused.
#[derive(Serialize, Deserialize)]
pub(crate) struct Cursor {
    #[serde(rename = "s")]
    order: String,
    #[serde(rename = "k")]
    key: Key,
    #[serde(rename = "i")]
    id: String,
}

/// What rows are sorted by before their ids decide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Time,
    Text,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Time(i64),
    Text(String),
}

impl Cursor {
    /// After a row of this time.
    pub(crate) fn at(order: &str, at: Timestamp, id: &str) -> Self {
        Self::new(order, Key::Time(at.millis()), id)
    }

    /// After a row of this text.
    pub(crate) fn after(order: &str, text: String, id: &str) -> Self {
        Self::new(order, Key::Text(text), id)
    }

    fn new(order: &str, key: Key, id: &str) -> Self {
        Self {
            order: order.to_owned(),
            key,
            id: id.to_owned(),
        }
    }

    /// Reads what [`Cursor::into_text`] wrote for a list in this order.
    pub(crate) fn from_text(text: &str, order: &str, by: By) -> Result<Self> {
        let read = || {
            let json = URL_SAFE_NO_PAD.decode(text).ok()?;
            let cursor: Self = serde_json::from_slice(&json).ok()?;
            let fits = matches!(cursor.key, Key::Text(_)) == (by == By::Text);
            (cursor.order == order && fits).then_some(cursor)
        };
        let refusal = || Refusal::Invalid("The cursor is not one of this list. Start again without it.".to_owned());
        Ok(read().ok_or_else(refusal)?)
    }

    /// As it is handed out.
    pub(crate) fn into_text(self) -> String {
        // Strings and a number: there is nothing in it that JSON could refuse.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self).unwrap_or_default())
    }

    /// The values of `(key, id) > (?, ?)`.
    pub(crate) fn values(self) -> Vec<Value> {
        let key = match self.key {
            Key::Time(at) => Value::from(at),
            Key::Text(text) => Value::from(text),
        };
        vec![key, Value::from(self.id)]
    }
}
