//! The list of sessions: filtered, searched and sorted where the rows are, a page at a time.

use super::row::{COLUMNS, read};
use crate::{
    cursor::{By, Cursor},
    db::{Db, values},
    filter::Filter,
};
use anyhow::{Context as _, Result};
use domain::{
    PersonId,
    page::{ListSessions, Page, Sort, limit},
    session::Session,
};
use engine::ports::Visible;

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
        let (condition, by) = match ask.sort {
            Sort::Active => ("(active_at, id) < (?, ?)", By::Time),
            Sort::Created => ("(created_at, id) < (?, ?)", By::Time),
            Sort::Name => ("(name_key, id) > (?, ?)", By::Text),
        };
        let cursor = Cursor::from_text(cursor, ask.sort.as_str(), by)?;
        filter.and(condition, cursor.values());
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
        .map(|last| after(last, ask.sort).into_text());
    Ok(Page { items, next, total })
}

fn matching(visible: &Visible, caller: &PersonId, ask: &ListSessions) -> Filter {
    let mut filter = Filter::of_visible(visible, "sharing <> 'private'", "1 = 1");
    if ask.mine {
        filter.and("owner = ?", values![caller]);
    }
    if let Some(status) = ask.status {
        filter.and("status = ?", values![status.as_str()]);
    }
    if let Some(agent) = &ask.agent {
        filter.and("agent = ?", values![agent]);
    }
    filter.search(&["words", "owner_words"], &ask.search);
    filter
}

fn after(session: &Session, sort: Sort) -> Cursor {
    let id = session.id.as_str();
    match sort {
        Sort::Active => Cursor::at(sort.as_str(), session.active_at, id),
        Sort::Created => Cursor::at(sort.as_str(), session.created_at, id),
        Sort::Name => Cursor::after(sort.as_str(), session.name.to_lowercase(), id),
    }
}
