//! The list of sessions: filtered, searched and sorted where the rows are, a page at a time.

use super::row::{COLUMNS, read};
use crate::{
    db::{Db, Value, values},
    filter::Filter,
};
use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    PersonId,
    page::{ListSessions, Page, Sort, limit},
    session::Session,
};
use engine::ports::{Refusal, Visible};
use serde::{Deserialize, Serialize};

/// How many words of a search count, and how many characters.
const WORDS: usize = 12;
const SEARCH: usize = 200;

pub(crate) async fn list_sessions(
    db: &Db,
    visible: &Visible,
    caller: &PersonId,
    ask: &ListSessions,
) -> Result<Page<Session>> {
    let mut filter = matching(visible, caller, ask);
    let (sql, values) = filter.clone().select("COUNT(*) AS total FROM sessions", "", values![]);
    let total = db
        .row(sql, values)
        .await?
        .context("a count without a row")?
        .count("total")?;
    // Whoever types into a search often finds nothing: then every row was looked at already.
    if total == 0 && ask.cursor.is_none() {
        return Ok(Page {
            items: Vec::new(),
            next: None,
            total,
        });
    }
    if let Some(cursor) = &ask.cursor {
        let (condition, values) = Cursor::from_text(cursor, ask.sort)?.beyond(ask.sort);
        filter.and(condition, values);
    }
    let size = limit(ask.limit);
    let end = match ask.sort {
        Sort::Active => "ORDER BY active_at DESC, id DESC LIMIT ?",
        Sort::Created => "ORDER BY created_at DESC, id DESC LIMIT ?",
        Sort::Name => "ORDER BY name_key, id LIMIT ?",
    };
    // One more than a page tells whether there is a next one.
    let (sql, values) = filter.select(COLUMNS, end, values![size + 1]);
    let mut items: Vec<Session> = db.rows(sql, values).await?.iter().map(read).collect::<Result<_>>()?;
    let more = items.len() > size as usize;
    items.truncate(size as usize);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| Cursor::at(last, ask.sort).into_text());
    Ok(Page { items, next, total })
}

fn matching(visible: &Visible, caller: &PersonId, ask: &ListSessions) -> Filter {
    let mut filter = Filter::of_visible(visible, "sharing <> 'private'");
    if ask.mine {
        filter.and("owner = ?", values![caller]);
    }
    if let Some(status) = ask.status {
        filter.and("status = ?", values![status.as_str()]);
    }
    if let Some(agent) = &ask.agent {
        filter.and("agent = ?", values![agent]);
    }
    let search: String = ask.search.chars().take(SEARCH).collect::<String>().to_lowercase();
    for word in search.split_whitespace().take(WORDS) {
        let pattern = pattern(word);
        filter.and(
            "(words LIKE ? ESCAPE '\\' OR owner_words LIKE ? ESCAPE '\\')",
            values![&pattern, &pattern],
        );
    }
    filter
}

/// `%word%`, with what `LIKE` reads as more than itself taken literally.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// The last row of a page: the next begins after it, whatever came or went in between.
#[derive(Serialize, Deserialize)]
struct Cursor {
    #[serde(rename = "s")]
    sort: Sort,
    #[serde(rename = "k")]
    key: Key,
    #[serde(rename = "i")]
    id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Key {
    Time(i64),
    Name(String),
}

impl Cursor {
    fn at(session: &Session, sort: Sort) -> Self {
        let key = match sort {
            Sort::Active => Key::Time(session.active_at.millis()),
            Sort::Created => Key::Time(session.created_at.millis()),
            Sort::Name => Key::Name(session.name.to_lowercase()),
        };
        let id = session.id.as_str().to_owned();
        Self { sort, key, id }
    }

    fn from_text(text: &str, sort: Sort) -> Result<Self> {
        let read = || {
            let json = URL_SAFE_NO_PAD.decode(text).ok()?;
            let cursor: Self = serde_json::from_slice(&json).ok()?;
            let fits = matches!(cursor.key, Key::Name(_)) == (sort == Sort::Name);
            (cursor.sort == sort && fits).then_some(cursor)
        };
        let refusal = || Refusal::Invalid("The cursor is not one of this list. Start again without it.".to_owned());
        Ok(read().ok_or_else(refusal)?)
    }

    fn into_text(self) -> String {
        // Strings and a number: there is nothing in it that JSON could refuse.
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&self).unwrap_or_default())
    }

    fn beyond(self, sort: Sort) -> (&'static str, Vec<Value>) {
        let condition = match sort {
            Sort::Active => "(active_at, id) < (?, ?)",
            Sort::Created => "(created_at, id) < (?, ?)",
            Sort::Name => "(name_key, id) > (?, ?)",
        };
        let key = match self.key {
            Key::Time(at) => Value::from(at),
            Key::Name(name) => Value::from(name),
        };
        (condition, vec![key, Value::from(self.id)])
    }
}
