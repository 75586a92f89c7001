//! A session as a row, and what is derived from it for lists.

use crate::{
    db::{Row, Tx, values},
    people::owner_words,
};
use anyhow::Result;
use domain::{
    OrgId, PersonId, SessionId,
    session::{Phase, Session, Sharing},
    wire::Exit,
};

/// What [`read`] reads.
pub(super) const COLUMNS: &str = "id, org, owner, owner_name, owner_email, name, agent, repo, branch, phase, reason, \
    exit_code, exit_signal, sharing, created_at, active_at, woken_at, by_hand, recorded, storage_bytes, version FROM sessions";

pub(super) fn read(row: &Row) -> Result<Session> {
    let code = row.get::<Option<i64>>("exit_code")?.map(|code| Exit::Code(code as i32));
    let signal = row
        .get::<Option<i64>>("exit_signal")?
        .map(|signal| Exit::Signal(signal as i32));
    Ok(Session {
        id: SessionId::new(row.get::<String>("id")?),
        org: OrgId::new(row.get::<String>("org")?),
        owner: PersonId::new(row.get::<String>("owner")?),
        owner_name: row.get("owner_name")?,
        owner_email: row.get("owner_email")?,
        name: row.get("name")?,
        agent: row.get("agent")?,
        repo: row.get("repo")?,
        branch: row.get("branch")?,
        phase: row.word("phase", Phase::from_name)?,
        reason: row.get("reason")?,
        exit: code.or(signal),
        sharing: row.word("sharing", Sharing::from_name)?,
        created_at: row.at("created_at")?,
        active_at: row.at("active_at")?,
        woken_at: row.at("woken_at")?,
        by_hand: row.get::<i64>("by_hand")? != 0,
        recorded: row.get::<i64>("recorded")? != 0,
        storage_bytes: row.count("storage_bytes")?,
        version: row.get("version")?,
    })
}

/// Adds the row; `false` where the id is taken.
pub(super) async fn insert(tx: &mut Tx, session: &Session, idempotency: Option<&str>) -> Result<bool> {
    let (code, signal) = exit(session);
    let added = tx
        .execute(
            "INSERT INTO sessions (id, org, owner, owner_name, owner_email, name, agent, repo, branch, phase, reason, \
                 exit_code, exit_signal, sharing, created_at, active_at, storage_bytes, version, idempotency, \
                 status, live, name_key, words, owner_words, woken_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
                 $20, $21, $22, $23, $24, $25) \
             ON CONFLICT (id) DO NOTHING",
            values![
                &session.id,
                &session.org,
                &session.owner,
                &session.owner_name,
                &session.owner_email,
                &session.name,
                &session.agent,
                &session.repo,
                &session.branch,
                session.phase.as_str(),
                &session.reason,
                code,
                signal,
                session.sharing.as_str(),
                session.created_at,
                session.active_at,
                session.storage_bytes,
                session.version,
                idempotency,
                session.status().as_str(),
                session.is_live(),
                session.name.to_lowercase(),
                words(session),
                owner_words(&session.owner_name, &session.owner_email),
                session.woken_at,
            ],
        )
        .await?;
    Ok(added > 0)
}

/// Writes what can change, except the version.
pub(super) async fn update(tx: &mut Tx, session: &Session) -> Result<()> {
    let (code, signal) = exit(session);
    tx.execute(
        "UPDATE sessions SET name = $3, phase = $4, reason = $5, exit_code = $6, exit_signal = $7, sharing = $8, \
             active_at = $9, storage_bytes = $10, status = $11, live = $12, name_key = $13, words = $14, \
             woken_at = $15, by_hand = $16, recorded = $17 \
         WHERE org = $1 AND id = $2",
        values![
            &session.org,
            &session.id,
            &session.name,
            session.phase.as_str(),
            &session.reason,
            code,
            signal,
            session.sharing.as_str(),
            session.active_at,
            session.storage_bytes,
            session.status().as_str(),
            session.is_live(),
            session.name.to_lowercase(),
            words(session),
            session.woken_at,
            session.by_hand,
            session.recorded,
        ],
    )
    .await?;
    Ok(())
}

fn exit(session: &Session) -> (Option<i64>, Option<i64>) {
    match session.exit {
        Some(Exit::Code(code)) => (Some(code.into()), None),
        Some(Exit::Signal(signal)) => (None, Some(signal.into())),
        None => (None, None),
    }
}

/// What a search finds it by, beside its owner.
fn words(session: &Session) -> String {
    let repo = session.repo.as_deref().unwrap_or_default();
    format!("{}\n{repo}\n{}", session.name, session.id).to_lowercase()
}
