//! Limits beside the plan's, and the wishes for more.

use crate::{
    cursor::{By, Cursor},
    db::{Db, Row, Tx, Value, values},
    filter::{Filter, numbered, places},
    ledger,
    people::lock_member,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Timestamp,
    id::RequestId,
    page::{Page, limit as size_of},
    quota::{Dimension, Layer, Limit, Limited, Limits, ListLimits, Request, Source, State, Subject},
};
use engine::ports::{LayersOf, Record, Scope};

/// How a ceiling is stored, beside a subject's parts.
const CEILING: (&str, &str) = ("ceiling", "");
/// The most wishes in one answer.
const MOST: u32 = 500;
const REQUEST: &str = "q.id, q.org, q.person, m.name, m.email, q.dimension, q.wanted, q.days, q.why, q.state, \
    q.asked_at, q.answered_at, q.answered_by, q.answer, q.ends_at \
    FROM quota_requests q JOIN members m ON m.org = q.org AND m.person = q.person";

pub(crate) async fn quota_layers(
    db: &Db,
    org: &OrgId,
    person: &PersonId,
    now: Timestamp,
) -> Result<(Option<String>, Vec<Layer>)> {
    let mut found = quota_layers_of(db, org, core::slice::from_ref(person), now).await?;
    let own = found.own.remove(person).unwrap_or_default();
    found.shared.extend(own);
    Ok((found.plan, found.shared))
}

pub(crate) async fn quota_layers_of(db: &Db, org: &OrgId, people: &[PersonId], now: Timestamp) -> Result<LayersOf> {
    // One question for all layers of all of them: the plan's name, what is set, and what was granted. PostgreSQL takes a
    // bare NULL for text, two rows before it learns better.
    let among = places(people.len());
    let sql = format!(
        "SELECT 'plan' AS kind, plan AS subject, '' AS limits, CAST(NULL AS BIGINT) AS wanted, \
             CAST(NULL AS BIGINT) AS ends_at, '' AS person FROM orgs WHERE id = ? \
         UNION ALL SELECT kind, subject, limits, NULL, NULL, '' FROM quotas WHERE org = ? AND kind IN ('org', 'ceiling') \
         UNION ALL SELECT kind, subject, limits, NULL, NULL, subject FROM quotas \
             WHERE org = ? AND kind = 'person' AND subject IN ({among}) \
         UNION ALL SELECT q.kind, q.subject, q.limits, NULL, NULL, g.person FROM member_groups g \
             JOIN quotas q ON q.org = g.org AND q.kind = 'group' AND q.subject = g.name \
             WHERE g.org = ? AND g.person IN ({among}) \
         UNION ALL SELECT 'grant', dimension, '', wanted, ends_at, person FROM quota_requests \
             WHERE org = ? AND person IN ({among}) AND state = 'granted' AND (ends_at IS NULL OR ends_at > ?)"
    );
    let mut values = values![org, org, org];
    values.extend(people.iter().map(Value::from));
    values.push(org.into());
    values.extend(people.iter().map(Value::from));
    values.push(org.into());
    values.extend(people.iter().map(Value::from));
    values.push(now.into());
    let mut found = LayersOf::default();
    for row in db.rows(numbered(&sql), values).await? {
        let kind: String = row.get("kind")?;
        let source = match kind.as_str() {
            "plan" => {
                found.plan = row.get("subject")?;
                continue;
            }
            "grant" => Source::Grant {
                until: row.at_if_any("ends_at")?,
            },
            "ceiling" => Source::Ceiling,
            "org" => Source::Org,
            "group" => Source::Group {
                name: row.get("subject")?,
            },
            _ => Source::Person,
        };
        let limits = match source {
            Source::Grant { .. } => {
                let dimension = row.word("subject", Dimension::from_name)?;
                Limits([(dimension, limit(&row)?)].into())
            }
            _ => row.json("limits")?,
        };
        let layer = Layer { source, limits };
        match row.get::<String>("person")? {
            nobody if nobody.is_empty() => found.shared.push(layer),
            person => found.own.entry(PersonId::new(person)).or_default().push(layer),
        }
    }
    Ok(found)
}

/// Groups first, then people by name.
const KEY: &str = "(q.kind || ' ' || COALESCE(m.name_key, q.subject))";
const SET: &str = "FROM quotas q LEFT JOIN members m ON q.kind = 'person' AND m.org = q.org AND m.person = q.subject";

pub(crate) async fn list_limits(db: &Db, org: &OrgId, ask: &ListLimits) -> Result<Page<Limited>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("q.org = ? AND q.kind NOT IN ('org', 'ceiling')", values![org]);
    filter.search(&["COALESCE(m.words, LOWER(q.subject))"], &ask.search);
    let (sql, values) = filter
        .clone()
        .select(&format!("COUNT(*) AS total {SET}"), "", values![]);
    let total = db
        .row(sql, values)
        .await?
        .context("a count without a row")?
        .count("total")?;
    if let Some(cursor) = &ask.cursor {
        let cursor = Cursor::from_text(cursor, "limits", By::Text)?;
        filter.and(format!("({KEY}, q.subject) > (?, ?)"), cursor.values());
    }
    let size = size_of(ask.limit);
    let what = format!("q.kind, q.subject, q.limits, {KEY} AS key, m.name, m.email {SET}");
    let end = format!("ORDER BY {KEY}, q.subject LIMIT ?");
    let (sql, values) = filter.select(&what, &end, values![size + 1]);
    let rows = db.rows(sql, values).await?;
    let (mut items, mut next) = (Vec::new(), None);
    for row in rows.iter().take(size as usize) {
        let (kind, subject) = (row.get::<String>("kind")?, row.get::<String>("subject")?);
        if items.len() + 1 == size as usize && rows.len() > size as usize {
            next = Some(Cursor::after("limits", row.get("key")?, &subject).into_text());
        }
        items.push(Limited {
            subject: Subject::from_parts(&kind, &subject).context("limits of nobody known")?,
            name: row.get("name")?,
            email: row.get("email")?,
            limits: row.json("limits")?,
        });
    }
    Ok(Page { items, next, total })
}

pub(crate) async fn find_limits(db: &Db, org: &OrgId, subject: &Subject) -> Result<Option<Limits>> {
    find(db, org, subject.parts()).await
}

pub(crate) async fn find_ceiling(db: &Db, org: &OrgId) -> Result<Limits> {
    Ok(find(db, org, CEILING).await?.unwrap_or_default())
}

async fn find(db: &Db, org: &OrgId, (kind, name): (&str, &str)) -> Result<Option<Limits>> {
    let sql = "SELECT limits FROM quotas WHERE org = $1 AND kind = $2 AND subject = $3";
    let row = db.row(sql, values![org, kind, name]).await?;
    row.map(|row| row.json("limits")).transpose()
}

pub(crate) async fn record_limits(
    db: &Db,
    org: &OrgId,
    subject: &Subject,
    limits: &Limits,
    above: bool,
    record: &Record,
) -> Result<()> {
    let mut tx = db.begin().await?;
    set_limits(&mut tx, org, subject, limits).await?;
    if above && *subject == Subject::Org {
        set(&mut tx, org, CEILING, limits).await?;
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}

/// Sets the limits of a subject, whole; none takes them away.
pub(crate) async fn set_limits(tx: &mut Tx, org: &OrgId, subject: &Subject, limits: &Limits) -> Result<()> {
    set(tx, org, subject.parts(), limits).await
}

async fn set(tx: &mut Tx, org: &OrgId, (kind, name): (&str, &str), limits: &Limits) -> Result<()> {
    if limits.is_empty() {
        let sql = "DELETE FROM quotas WHERE org = $1 AND kind = $2 AND subject = $3";
        tx.execute(sql, values![org, kind, name]).await?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO quotas (org, kind, subject, limits) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (org, kind, subject) DO UPDATE SET limits = excluded.limits",
        values![org, kind, name, serde_json::to_string(limits)?],
    )
    .await?;
    Ok(())
}

pub(crate) async fn record_request(db: &Db, request: &Request, most: u64, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    lock_member(&mut tx, &request.org, &request.person).await?;
    let waiting = tx
        .row(
            "SELECT COUNT(*) AS waiting FROM quota_requests WHERE org = $1 AND person = $2 AND state = 'waiting'",
            values![&request.org, &request.person],
        )
        .await?
        .context("a count without a row")?
        .count("waiting")?;
    if waiting >= most {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO quota_requests (id, org, person, dimension, wanted, days, why, state, asked_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            &request.id,
            &request.org,
            &request.person,
            request.dimension.as_str(),
            request.wanted.most().map(|most| most as i64),
            request.days,
            &request.why,
            request.state.as_str(),
            request.asked_at,
        ],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn find_request(db: &Db, org: &OrgId, id: &RequestId) -> Result<Option<Request>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("q.org = ? AND q.id = ?", values![org, id]);
    let (sql, values) = filter.select(REQUEST, "", values![]);
    db.row(sql, values).await?.as_ref().map(read).transpose()
}

pub(crate) async fn list_requests(
    db: &Db,
    org: &OrgId,
    person: Option<&PersonId>,
    state: Option<State>,
    limit: u32,
) -> Result<Vec<Request>> {
    let mut filter = Filter::of_scope(&Scope::Fleet);
    filter.and("q.org = ?", values![org]);
    if let Some(person) = person {
        filter.and("q.person = ?", values![person]);
    }
    if let Some(state) = state {
        filter.and("q.state = ?", values![state.as_str()]);
    }
    let end = "ORDER BY q.asked_at DESC, q.id DESC LIMIT ?";
    let (sql, values) = filter.select(REQUEST, end, values![limit.min(MOST)]);
    db.rows(sql, values).await?.iter().map(read).collect()
}

pub(crate) async fn answer_request(db: &Db, request: &Request, record: &Record) -> Result<bool> {
    let mut tx = db.begin().await?;
    // Of two admins who answer at once, the second finds that it waits no more.
    let sql = "UPDATE quota_requests SET state = $1, wanted = $2, days = $3, answered_at = $4, answered_by = $5, \
               answer = $6, ends_at = $7 WHERE org = $8 AND id = $9 AND state = 'waiting'";
    let values = values![
        request.state.as_str(),
        request.wanted.most().map(|most| most as i64),
        request.days,
        request.answered_at,
        &request.answered_by,
        &request.answer,
        request.ends_at,
        &request.org,
        &request.id,
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

fn limit(row: &Row) -> Result<Limit> {
    Ok(match row.get::<Option<i64>>("wanted")? {
        Some(most) => Limit::At(most.max(0) as u64),
        None => Limit::Unlimited,
    })
}

fn read(row: &Row) -> Result<Request> {
    Ok(Request {
        id: RequestId::new(row.get::<String>("id")?),
        org: OrgId::new(row.get::<String>("org")?),
        person: PersonId::new(row.get::<String>("person")?),
        name: row.get("name")?,
        email: row.get("email")?,
        dimension: row.word("dimension", Dimension::from_name)?,
        wanted: limit(row)?,
        days: row.get("days")?,
        why: row.get("why")?,
        state: row.word("state", State::from_name)?,
        asked_at: row.at("asked_at")?,
        answered_at: row.at_if_any("answered_at")?,
        answered_by: row.get("answered_by")?,
        answer: row.get("answer")?,
        ends_at: row.at_if_any("ends_at")?,
    })
}
