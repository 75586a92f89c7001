//! Finding entries: newest first, a page at a time, with an index for each filter.
//!
//! A part of a name is no index's business. So it is first looked up in `audit_words`, which has few rows; each whole
//! word that it finds is then asked for by itself, along an index that is in the order of the list, and the answers
//! are merged: what is read is bounded by words x page, whatever the audit has grown to. A part that fits very many
//! words is common, and found soon by walking the list itself.

use super::{COLUMNS, MOST, chain::Fields, read};
use crate::{
    db::{Db, Row, Value, values},
    filter::{Filter, numbered},
};
use anyhow::{Context as _, Result};
use domain::{
    audit::{Ask, Line, State, Trail},
    page::LIMIT_DEFAULT,
};
use engine::ports::{Refusal, Scope};

/// Whole words that are asked for one by one.
const WORDS: usize = 50;
const NEWEST_FIRST: &str = "ORDER BY at DESC, position DESC LIMIT ?";

/// The last line of a page: the next begins after it, whatever was added in between.
struct Cursor {
    at: i64,
    position: i64,
}

impl Cursor {
    fn from_text(text: &str) -> Result<Self> {
        let parts = text.split_once('.');
        let read = parts.and_then(|(at, position)| {
            Some(Self {
                at: at.parse().ok()?,
                position: position.parse().ok()?,
            })
        });
        read.with_context(|| Refusal::Invalid("The cursor is not one of this list. Begin again without it.".to_owned()))
    }

    fn after(line: &Line) -> String {
        format!("{}.{}", line.entry.at.millis(), line.position)
    }
}

pub(crate) async fn list_audit(db: &Db, scope: &Scope, ask: &Ask) -> Result<Trail> {
    let size = if ask.limit == 0 {
        LIMIT_DEFAULT
    } else {
        ask.limit.min(MOST)
    };
    let common = common(ask)?;
    let Some(ways) = ways(db, scope, ask).await? else {
        return Ok(Trail::default());
    };
    // One more than a page tells whether there is a next one.
    let count = || values![size + 1];
    let mut branches = Vec::with_capacity(ways.len());
    let mut all = Vec::new();
    for mut way in ways {
        way.append(common.clone());
        let (conditions, values) = way.into_parts();
        branches.push(format!("SELECT {COLUMNS} FROM audit{conditions} {NEWEST_FIRST}"));
        all.extend(values);
        all.extend(count());
    }
    let sql = match branches.as_slice() {
        [only] => only.clone(),
        many => {
            let many: Vec<String> = (0..)
                .zip(many)
                .map(|(number, branch)| format!("SELECT * FROM ({branch}) AS b{number}"))
                .collect();
            all.extend(count());
            format!("{} {NEWEST_FIRST}", many.join(" UNION ALL "))
        }
    };
    let mut lines: Vec<Line> = db
        .rows(numbered(&sql), all)
        .await?
        .iter()
        .map(read)
        .collect::<Result<_>>()?;
    let more = lines.len() > size as usize;
    lines.truncate(size as usize);
    let next = lines.last().filter(|_| more).map(Cursor::after);
    Ok(Trail { lines, next })
}

/// What holds for every line, whichever way it is found.
fn common(ask: &Ask) -> Result<Filter> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    if let Some(from) = ask.from {
        filter.and("at >= ?", values![from]);
    }
    if let Some(until) = ask.until {
        filter.and("at < ?", values![until]);
    }
    if let Some(cursor) = &ask.cursor {
        let Cursor { at, position } = Cursor::from_text(cursor)?;
        filter.and("(at, position) < (?, ?)", values![at, position]);
    }
    Ok(filter)
}

/// The ways along which lines are found, each by one index; `None`: there are none.
async fn ways(db: &Db, scope: &Scope, ask: &Ask) -> Result<Option<Vec<Filter>>> {
    let mut whole = Filter::of_scope(scope);
    if !ask.target.is_empty() {
        whole.and("target = ?", values![&ask.target]);
    }
    if !ask.request.is_empty() {
        whole.and("request = ?", values![&ask.request]);
    }
    let found = !ask.target.is_empty() || !ask.request.is_empty();
    let mut filters = [actor_filter(&ask.actor, ask.above), action_filter(&ask.action)];
    // Along the first that has few words; the other only sifts.
    for kind in 0..filters.len() {
        let Some(filter) = filters[kind].as_ref().filter(|_| !found) else {
            continue;
        };
        let words = words(db, scope, filter).await?;
        if words.is_empty() {
            return Ok(None);
        }
        if words.len() > WORDS {
            continue;
        }
        let column = filter.column;
        filters[kind] = None;
        let ways = words.into_iter().map(|Word { org, word, above }| {
            let mut way = Filter::of_scope(&Scope::Fleet);
            way.and("org = ?", values![org]);
            way.and(format!("{column} = ?"), values![word]);
            if let Some(person) = above {
                way.and("person = ?", values![person]);
            }
            for Sieve { condition, sifted, .. } in filters.iter().flatten() {
                way.and(*condition, sifted.clone());
            }
            way
        });
        return Ok(Some(ways.collect()));
    }
    for Sieve { condition, sifted, .. } in filters.into_iter().flatten() {
        whole.and(condition, sifted);
    }
    Ok(Some(vec![whole]))
}

/// A filter by a part of a word: how it is looked up among the words, and how it sifts lines.
struct Sieve {
    /// Which of the words are looked through.
    kinds: &'static str,
    /// The column of `audit` that holds the whole word.
    column: &'static str,
    lookup: &'static str,
    looked_up: Vec<Value>,
    condition: &'static str,
    sifted: Vec<Value>,
}

/// Those above find whoever acted from above by name; to everybody else that is `the installation`, and nobody's id.
fn actor_filter(text: &str, above: bool) -> Option<Sieve> {
    let part = format!("%{}", begins(&text.to_lowercase()));
    let looked_up = values![part.clone(), text];
    let sieve = if above {
        Sieve {
            kinds: "(kind = 'above' OR (kind = 'actor' AND word <> 'the installation'))",
            column: "actor_key",
            lookup: "(word LIKE ? ESCAPE '\\' OR person = ?)",
            looked_up,
            condition: "((actor_key <> 'the installation' AND actor_key LIKE ? ESCAPE '\\') OR person = ? OR \
                        (actor_key = 'the installation' AND person IN (SELECT person FROM audit_words \
                        WHERE kind = 'above' AND word LIKE ? ESCAPE '\\')))",
            sifted: values![part.clone(), text, part],
        }
    } else {
        Sieve {
            kinds: "kind = 'actor'",
            column: "actor_key",
            lookup: "(word LIKE ? ESCAPE '\\' OR person = ?)",
            looked_up,
            condition: "(actor_key LIKE ? ESCAPE '\\' OR (actor_key <> 'the installation' AND person = ?))",
            sifted: values![part, text],
        }
    };
    (!text.is_empty()).then_some(sieve)
}

fn action_filter(text: &str) -> Option<Sieve> {
    let (lookup, condition, value) = if text.ends_with('.') {
        ("word LIKE ? ESCAPE '\\'", "action LIKE ? ESCAPE '\\'", begins(text))
    } else {
        ("word = ?", "action = ?", text.to_owned())
    };
    (!text.is_empty()).then(|| Sieve {
        kinds: "kind = 'action'",
        column: "action",
        lookup,
        looked_up: values![value.clone()],
        condition,
        sifted: values![value],
    })
}

/// `text%`, with what `LIKE` reads as more than itself taken literally.
fn begins(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// A whole word, and how lines are found by it.
struct Word {
    org: String,
    word: String,
    /// Who acted from above, where that is what was asked for.
    above: Option<String>,
}

/// The whole words that fit, each with its Organization; one more than [`WORDS`] says that there are too many.
async fn words(db: &Db, scope: &Scope, sieve: &Sieve) -> Result<Vec<Word>> {
    let mut filter = Filter::of_scope(scope);
    filter.and(sieve.kinds, values![]);
    filter.and(sieve.lookup, sieve.looked_up.clone());
    let (sql, values) = filter.select(
        "DISTINCT org, CASE WHEN kind = 'above' THEN 'the installation' ELSE word END AS word, \
         CASE WHEN kind = 'above' THEN person END AS above FROM audit_words",
        "ORDER BY org, word LIMIT ?",
        values![WORDS as u64 + 1],
    );
    let rows = db.rows(sql, values).await?;
    let word = |row: &Row| {
        Ok(Word {
            org: row.get("org")?,
            word: row.get("word")?,
            above: row.get("above")?,
        })
    };
    rows.iter().map(word).collect()
}

/// One entry, and whether it and its place in the chain are as they were.
pub(crate) async fn find_audit(db: &Db, scope: &Scope, position: i64) -> Result<Option<(Line, State)>> {
    let mut filter = Filter::of_scope(scope);
    filter.and("position = ?", values![position]);
    let (sql, values) = filter.select(&format!("{COLUMNS} FROM audit"), "", values![]);
    let Some(row) = db.row(sql, values).await? else {
        return Ok(None);
    };
    let (line, fields) = (read(&row)?, Fields::read(&row)?);
    let state = if fields.hash(line.link.number, &line.link.previous) == line.link.hash {
        place(db, &line).await?
    } else {
        State::Changed
    };
    Ok(Some((line, state)))
}

/// Whether what an entry follows is still there.
async fn place(db: &Db, line: &Line) -> Result<State> {
    let before = db
        .row(
            "SELECT hash FROM audit WHERE org = $1 AND number = $2",
            values![&line.entry.org, line.link.number - 1],
        )
        .await?;
    if let Some(before) = before {
        let follows = before.get::<Option<String>>("hash")?.as_deref() == Some(&*line.link.previous);
        return Ok(if follows { State::Intact } else { State::Detached });
    }
    let anchor = db
        .row(
            "SELECT anchor_hash FROM audit_chains WHERE org = $1 AND anchor_number = $2",
            values![&line.entry.org, line.link.number - 1],
        )
        .await?;
    match anchor {
        Some(anchor) if anchor.get::<String>("anchor_hash")? == line.link.previous => Ok(State::First),
        Some(_) | None => Ok(State::Detached),
    }
}
