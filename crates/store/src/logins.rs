//! One-time sign-in links, and the browsers that are signed in.

use crate::{
    db::{Db, Row, Tx, values},
    ledger,
    people::{lock_member, read_member, seated},
};
use anyhow::Result;
use domain::{OrgId, PersonId, Timestamp, id::LoginId, login::Login};
use engine::ports::{Hash, Member, NewLogin, Record};

pub(crate) async fn record_sign_in_link(
    db: &Db,
    hash: &Hash,
    member: &Member,
    expires_at: Timestamp,
    record: &Record,
) -> Result<()> {
    let mut tx = db.begin().await?;
    // The member before what refers to them: whoever changes their address is waited for here, with nothing in hand.
    lock_member(&mut tx, &member.org, &member.person).await?;
    tx.execute(
        "INSERT INTO sign_in_links (hash, org, person, expires_at) VALUES ($1, $2, $3, $4)",
        values![&hash.0, &member.org, &member.person, expires_at],
    )
    .await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await
}

pub(crate) async fn redeem_sign_in_link(
    db: &Db,
    link: &Hash,
    new: &NewLogin,
    now: Timestamp,
) -> Result<Option<Member>> {
    let mut tx = db.begin().await?;
    // The member before the link and the login, like everybody who ends them: nobody waits in a circle.
    let sql =
        "UPDATE members SET role = role WHERE (org, person) IN (SELECT org, person FROM sign_in_links WHERE hash = $1)";
    tx.execute(sql, values![&link.0]).await?;
    // One statement finds and uses it up: of two who come at once, the second waits and then finds it used.
    let used = tx
        .row(
            "UPDATE sign_in_links SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $1 \
             RETURNING org, person",
            values![now, &link.0],
        )
        .await?;
    let Some(used) = used else { return Ok(None) };
    let (org, person) = (
        OrgId::new(used.get::<String>("org")?),
        PersonId::new(used.get::<String>("person")?),
    );
    let Some(member) = seated(&mut tx, &org, &person, now).await? else {
        return Ok(None);
    };
    insert_login(&mut tx, &org, &person, new).await?;
    tx.commit().await?;
    Ok(Some(member))
}

/// Signs a browser in, and so its person is seen. The member is locked.
pub(crate) async fn insert_login(tx: &mut Tx, org: &OrgId, person: &PersonId, new: &NewLogin) -> Result<()> {
    let login = &new.login;
    tx.execute(
        "INSERT INTO logins (id, hash, org, person, user_agent, address, created_at, seen_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            &login.id,
            &new.hash.0,
            org,
            person,
            &login.user_agent,
            &login.address,
            login.created_at,
            login.seen_at,
            login.expires_at,
        ],
    )
    .await?;
    see(tx, org, person, login.seen_at).await
}

/// Notes when a member was here last.
async fn see(tx: &mut Tx, org: &OrgId, person: &PersonId, at: Timestamp) -> Result<()> {
    let sql = "UPDATE members SET seen_at = $1 WHERE org = $2 AND person = $3";
    tx.execute(sql, values![at, org, person]).await?;
    Ok(())
}

pub(crate) async fn find_login(db: &Db, cookie: &Hash, now: Timestamp) -> Result<Option<(Login, Member)>> {
    let row = db
        .row(
            "SELECT l.id, l.user_agent, l.address, l.created_at, l.seen_at, l.expires_at, h.narrowed, \
                 m.person, m.email, m.name, m.org, m.role \
             FROM logins l JOIN members m ON m.org = l.org AND m.person = l.person JOIN orgs o ON o.id = l.org \
             LEFT JOIN held_logins h ON h.login = l.id \
             WHERE l.hash = $1 AND l.expires_at > $2 AND m.status = 'active' \
             AND (m.ends_at IS NULL OR m.ends_at > $2) AND o.state <> 'archived'",
            values![&cookie.0, now],
        )
        .await?;
    row.map(|row| Ok((read(&row)?, read_member(&row)?))).transpose()
}

pub(crate) async fn touch_login(db: &Db, login: &LoginId, seen_at: Timestamp, expires_at: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    // The member before the login, like everybody who ends logins: the other way round two could wait for each other.
    let sql = "UPDATE members SET seen_at = $1 WHERE (org, person) IN (SELECT org, person FROM logins WHERE id = $2)";
    tx.execute(sql, values![seen_at, login]).await?;
    let sql = "UPDATE logins SET seen_at = $1, expires_at = $2 WHERE id = $3";
    tx.execute(sql, values![seen_at, expires_at, login]).await?;
    tx.commit().await
}

pub(crate) async fn switch_login(
    db: &Db,
    login: &LoginId,
    person: &PersonId,
    org: &OrgId,
    now: Timestamp,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    // The member before the login, as above: where they come from and where they go, in one order everywhere.
    let row = tx.row("SELECT org FROM logins WHERE id = $1", values![login]).await?;
    let Some(row) = row else { return Ok(false) };
    let mut orgs = [OrgId::new(row.get::<String>("org")?), org.clone()];
    orgs.sort();
    for org in &orgs {
        let sql = "UPDATE members SET role = role WHERE org = $1 AND person = $2";
        tx.execute(sql, values![org, person]).await?;
    }
    let sql = "UPDATE logins SET org = $1 WHERE id = $2 AND person = $3 AND EXISTS (SELECT 1 FROM members m \
               JOIN orgs o ON o.id = m.org WHERE m.org = $1 AND m.person = $3 AND m.status = 'active' \
               AND (m.ends_at IS NULL OR m.ends_at > $4) AND o.state <> 'archived')";
    if tx.execute(sql, values![org, login, person, now]).await? == 0 {
        return Ok(false);
    }
    see(&mut tx, org, person, now).await?;
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn list_logins(db: &Db, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<Login>> {
    let rows = db
        .rows(
            "SELECT l.id, l.user_agent, l.address, l.created_at, l.seen_at, l.expires_at, h.narrowed FROM logins l \
             LEFT JOIN held_logins h ON h.login = l.id \
             WHERE l.org = $1 AND l.person = $2 AND l.expires_at > $3 ORDER BY l.seen_at DESC, l.id DESC LIMIT 100",
            values![org, person, now],
        )
        .await?;
    rows.iter().map(read).collect()
}

pub(crate) async fn end_login(
    db: &Db,
    org: &OrgId,
    person: &PersonId,
    login: &LoginId,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let sql = "DELETE FROM logins WHERE org = $1 AND person = $2 AND id = $3";
    if tx.execute(sql, values![org, person, login]).await? == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

/// Forgets links and logins that ended before.
pub(crate) async fn prune(db: &Db, before: Timestamp) -> Result<()> {
    let links = "DELETE FROM sign_in_links WHERE used_at < $1 OR expires_at < $1";
    db.execute(links, values![before]).await?;
    db.execute("DELETE FROM logins WHERE expires_at < $1", values![before])
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Login> {
    Ok(Login {
        id: LoginId::new(row.get::<String>("id")?),
        user_agent: row.get("user_agent")?,
        address: row.get("address")?,
        created_at: row.at("created_at")?,
        seen_at: row.at("seen_at")?,
        expires_at: row.at("expires_at")?,
        // Whoever asks knows with which login.
        current: false,
        narrowed: row.json_if_any("narrowed")?,
    })
}
