//! People who come from identity providers: who they are, the seats that providers give, and what is kept of their tokens.

mod ways;

use crate::{
    Sql,
    db::{Db, Row, Tx, Value, values},
    directory,
    filter::numbered,
    ledger,
    logins::insert_login,
    members::{another_owns, name_sessions, owns},
    orgs::{lock_org, seats_used},
    people::{lock_member, owner_words, upsert_member},
};
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use domain::{
    OrgId, PersonId, Role, Timestamp,
    id::LoginId,
    member::{Seat, Status},
    org::State,
};
use engine::ports::{
    Flow, Hash, Held, Identities, Identity, KnownIdentity, Linked, Member, NewLogin, ProposedLink, Provide, Provided,
    Record,
};

#[async_trait]
impl Identities for Sql {
    async fn record_flow(&self, flow: &Flow, most: u64, now: Timestamp) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM sign_ins WHERE expires_at <= $1", values![now])
            .await?;
        // Counted roughly, on purpose: a few more than the most harm nobody, and nobody waits for anybody.
        let sql = "SELECT COUNT(*) AS open FROM sign_ins";
        let open = tx.row(sql, values![]).await?.context("a count without a row")?;
        if open.count("open")? >= most {
            tx.commit().await?;
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO sign_ins (state, browser, provider, next, links, sealed, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                &flow.state.0,
                &flow.browser.0,
                &flow.provider,
                &flow.next,
                flow.links.as_ref().map(LoginId::as_str),
                &flow.sealed,
                flow.expires_at,
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn take_flow(&self, state: &Hash, now: Timestamp) -> Result<Option<Flow>> {
        let mut tx = self.db.begin().await?;
        // One statement finds and uses it up: of two who come at once, the second finds nothing.
        let sql = "DELETE FROM sign_ins WHERE state = $1 \
                   RETURNING state, browser, provider, next, links, sealed, expires_at";
        let row = tx.row(sql, values![&state.0]).await?;
        tx.commit().await?;
        let flow = row.as_ref().map(read_flow).transpose()?;
        Ok(flow.filter(|flow| flow.expires_at > now))
    }

    async fn find_identity(&self, issuer: &str, subject: &str) -> Result<Option<PersonId>> {
        let sql = "SELECT person FROM identities WHERE issuer = $1 AND subject = $2";
        let row = self.db.row(sql, values![issuer, subject]).await?;
        row.map(|row| Ok(PersonId::new(row.get::<String>("person")?)))
            .transpose()
    }

    async fn record_identity(&self, identity: &Identity, person: &PersonId, now: Timestamp) -> Result<PersonId> {
        let mut tx = self.db.begin().await?;
        // Of two first sign-ins at once the second waits here, and is whom the first has made.
        let sql = "INSERT INTO identities (issuer, subject, person, created_at, address) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (issuer, subject) DO UPDATE SET address = excluded.address RETURNING person";
        let values = values![&identity.issuer, &identity.subject, person, now, &identity.address];
        let row = tx.row(sql, values).await?;
        tx.commit().await?;
        let row = row.context("an identity without a row")?;
        Ok(PersonId::new(row.get::<String>("person")?))
    }

    async fn identities_of(&self, person: &PersonId) -> Result<Vec<KnownIdentity>> {
        let rows = self.db.rows(ways::OF_PERSON, values![person]).await?;
        rows.iter().map(ways::read).collect()
    }

    async fn propose_link(&self, proposed: &ProposedLink, now: Timestamp) -> Result<()> {
        ways::propose(&self.db, proposed, now).await
    }

    async fn take_proposed(&self, hash: &Hash, login: &LoginId, now: Timestamp) -> Result<Option<ProposedLink>> {
        ways::take_proposed(&self.db, hash, login, now).await
    }

    async fn link(
        &self,
        identity: &Identity,
        person: &PersonId,
        proven: bool,
        most: u64,
        now: Timestamp,
        record: Record,
    ) -> Result<Linked> {
        ways::link(&self.db, identity, person, proven, most, now, &record).await
    }

    async fn unlink(
        &self,
        person: &PersonId,
        seen: &[KnownIdentity],
        identity: &Identity,
        record: Record,
    ) -> Result<Option<Vec<LoginId>>> {
        ways::unlink(&self.db, person, seen, identity, &record).await
    }

    async fn seats_only_by(&self, identity: &Identity, person: &PersonId) -> Result<Vec<OrgId>> {
        ways::seats_only_by(&self.db, identity, person).await
    }

    async fn confirmed(&self, org: &OrgId, person: &PersonId) -> Result<Option<Option<Timestamp>>> {
        ways::confirmed(&self.db, org, person).await
    }

    async fn disown(&self, issuer: &str, subject: &str) -> Result<()> {
        let sql = "UPDATE identities SET proven_at = NULL WHERE issuer = $1 AND subject = $2";
        self.db.execute(sql, values![issuer, subject]).await?;
        Ok(())
    }

    async fn provide_seat(&self, seat: &Provide, now: Timestamp, record: Record) -> Result<Provided> {
        provide_seat(&self.db, seat, now, &record).await
    }

    async fn provided_seats(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>> {
        let sql = "SELECT p.org FROM provided_seats p JOIN members m ON m.org = p.org AND m.person = p.person \
                   WHERE p.person = $1 AND p.issuer = $2 AND m.status <> 'left' AND NOT EXISTS (SELECT 1 FROM directory_users d \
                       WHERE d.org = p.org AND d.person = p.person AND d.version > 0) ORDER BY p.org LIMIT 1000";
        let rows = self.db.rows(sql, values![person, issuer]).await?;
        rows.iter()
            .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
            .collect()
    }

    async fn record_provider_login(
        &self,
        org: &OrgId,
        person: &PersonId,
        login: &NewLogin,
        held: &Held,
        record: Record,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        lock_member(&mut tx, org, person).await?;
        prove(&mut tx, held).await?;
        insert_login(&mut tx, org, person, login).await?;
        tx.execute(
            "INSERT INTO held_logins (provider, issuer, subject, sid, claims, kept, refresh_at, proven_at, narrowed, login) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            of_held(held)?,
        )
        .await?;
        let sql = format!("DELETE FROM unproven WHERE {WAKES}");
        tx.execute(numbered(&sql), values![person, &held.issuer, &held.issuer])
            .await?;
        ledger::write(&mut tx, &record).await?;
        tx.commit().await
    }

    async fn find_held(&self, login: &LoginId) -> Result<Option<Held>> {
        let sql = "SELECT login, provider, issuer, subject, sid, claims, kept, refresh_at, proven_at, narrowed \
                   FROM held_logins WHERE login = $1";
        let row = self.db.row(sql, values![login]).await?;
        row.as_ref().map(read_held).transpose()
    }

    async fn refresh_due(&self, login: &LoginId) -> Result<Option<Timestamp>> {
        let sql = "SELECT refresh_at FROM held_logins WHERE login = $1";
        let row = self.db.row(sql, values![login]).await?;
        row.map(|row| row.at("refresh_at")).transpose()
    }

    async fn claim_refresh(&self, login: &LoginId, now: Timestamp, until: Timestamp) -> Result<Option<Held>> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE held_logins SET claimed_until = $3 WHERE login = $1 AND refresh_at <= $2 \
                   AND (claimed_until IS NULL OR claimed_until <= $2) \
                   RETURNING login, provider, issuer, subject, sid, claims, kept, refresh_at, proven_at, narrowed";
        let row = tx.row(sql, values![login, now, until]).await?;
        tx.commit().await?;
        row.as_ref().map(read_held).transpose()
    }

    async fn record_refreshed(&self, held: &Held) -> Result<()> {
        let sql = "UPDATE held_logins SET provider = $1, issuer = $2, subject = $3, sid = $4, claims = $5, kept = $6, \
                   refresh_at = $7, proven_at = $8, narrowed = $9, claimed_until = NULL WHERE login = $10";
        let mut tx = self.db.begin().await?;
        prove(&mut tx, held).await?;
        tx.execute(sql, of_held(held)?).await?;
        tx.commit().await
    }

    async fn end_provider_login(&self, login: &LoginId, record: Record) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM logins WHERE id = $1";
        if tx.execute(sql, values![login]).await? == 0 {
            return Ok(false);
        }
        ledger::write(&mut tx, &record).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn logins_of(
        &self,
        issuer: &str,
        subject: Option<&str>,
        sid: Option<&str>,
        person: Option<&PersonId>,
    ) -> Result<Vec<(OrgId, PersonId, LoginId)>> {
        let sql = "SELECT l.org, l.person, l.id FROM held_logins h JOIN logins l ON l.id = h.login \
                   WHERE h.issuer = $1 AND (CAST($2 AS TEXT) IS NULL OR h.subject = $2) \
                   AND (CAST($3 AS TEXT) IS NULL OR h.sid = $3) \
                   AND (CAST($4 AS TEXT) IS NULL OR l.person = $4) ORDER BY l.id LIMIT 1000";
        let rows = self.db.rows(sql, values![issuer, subject, sid, person]).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    OrgId::new(row.get::<String>("org")?),
                    PersonId::new(row.get::<String>("person")?),
                    LoginId::new(row.get::<String>("id")?),
                ))
            })
            .collect()
    }

    async fn org_of_login(&self, login: &LoginId) -> Result<Option<OrgId>> {
        let row = self
            .db
            .row("SELECT org FROM logins WHERE id = $1", values![login])
            .await?;
        row.map(|row| Ok(OrgId::new(row.get::<String>("org")?))).transpose()
    }

    async fn due_logins(&self, org: &OrgId, person: &PersonId, now: Timestamp) -> Result<Vec<LoginId>> {
        let sql = "SELECT l.id FROM logins l JOIN held_logins h ON h.login = l.id \
                   WHERE l.org = $1 AND l.person = $2 AND h.refresh_at <= $3 ORDER BY l.id LIMIT 20";
        let rows = self.db.rows(sql, values![org, person, now]).await?;
        rows.iter()
            .map(|row| Ok(LoginId::new(row.get::<String>("id")?)))
            .collect()
    }

    async fn hasten(&self, issuer: &str, subject: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE held_logins SET refresh_at = $3 WHERE issuer = $1 AND subject = $2 AND refresh_at > $3";
        self.db.execute(sql, values![issuer, subject, now]).await?;
        Ok(())
    }

    async fn is_in_by_link(&self, person: &PersonId, now: Timestamp) -> Result<bool> {
        let sql = "SELECT l.id FROM logins l LEFT JOIN held_logins h ON h.login = l.id \
                   WHERE l.person = $1 AND l.expires_at > $2 AND h.login IS NULL LIMIT 1";
        Ok(self.db.row(sql, values![person, now]).await?.is_some())
    }

    async fn seats_behind(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>> {
        let sql = "SELECT m.org FROM members m WHERE m.person = $1 AND m.status <> 'left' AND (EXISTS (SELECT 1 \
                       FROM provided_seats p WHERE p.org = m.org AND p.person = m.person AND p.issuer = $2) \
                   OR EXISTS (SELECT 1 FROM directory_users d WHERE d.org = m.org AND d.person = m.person \
                       AND d.version > 0)) ORDER BY m.org LIMIT 1000";
        let rows = self.db.rows(sql, values![person, issuer]).await?;
        rows.iter()
            .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
            .collect()
    }

    async fn record_unproven(
        &self,
        org: &OrgId,
        person: &PersonId,
        issuer: &str,
        now: Timestamp,
        record: Record,
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        lock_member(&mut tx, org, person).await?;
        let sql = "SELECT issuer FROM unproven WHERE org = $1 AND person = $2 LIMIT 1";
        if tx.row(sql, values![org, person]).await?.is_some() {
            return Ok(false);
        }
        let sql = "INSERT INTO unproven (org, person, issuer, since) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (org, person, issuer) DO NOTHING";
        if tx.execute(sql, values![org, person, issuer, now]).await? == 0 {
            return Ok(false);
        }
        ledger::write(&mut tx, &record).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn unproven_in(&self, issuer: &str, person: &PersonId) -> Result<Vec<OrgId>> {
        let sql = format!("SELECT DISTINCT org FROM unproven WHERE {WAKES} ORDER BY org LIMIT 1000");
        let rows = self.db.rows(numbered(&sql), values![person, issuer, issuer]).await?;
        rows.iter()
            .map(|row| Ok(OrgId::new(row.get::<String>("org")?)))
            .collect()
    }

    async fn record_heard(&self, issuer: &str, jti: &str, until: Timestamp, now: Timestamp) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM heard WHERE until <= $1", values![now]).await?;
        let sql = "INSERT INTO heard (issuer, jti, until) VALUES ($1, $2, $3) ON CONFLICT (issuer, jti) DO NOTHING";
        let is_new = tx.execute(sql, values![issuer, jti, until]).await? > 0;
        tx.commit().await?;
        Ok(is_new)
    }
}

async fn provide_seat(db: &Db, seat: &Provide, now: Timestamp, record: &Record) -> Result<Provided> {
    let mut tx = db.begin().await?;
    // From here on nobody else promises, takes or changes a seat: what is counted stays true.
    let org = match lock_org(&mut tx, &seat.org).await? {
        Some(org) if org.state != State::Archived => org,
        other => return Ok(Provided::Closed(other.map(|org| org.state))),
    };
    let before = find_seat(&mut tx, seat).await?;
    let there = before.as_ref().filter(|before| before.status != Status::Left);
    if let Some(there) = there
        && !there.holds(now)
    {
        return Ok(Provided::Disabled);
    }
    if there.is_none()
        && let Some(seats) = org.seats
        && seats_used(&mut tx, &seat.org, now).await? >= seats
    {
        return Ok(Provided::Full { seats });
    }
    let kept = match there {
        Some(_) => directory::kept(&mut tx, &seat.org, &seat.person).await?,
        None => None,
    };
    let role = match there {
        // The directory says who somebody is there; signing in only proves that it is they.
        Some(there) if kept.is_some_and(|kept| kept.role.is_some()) => there.role,
        Some(there) => {
            let wanted = seat.role.unwrap_or(there.role);
            let would_be = Seat {
                role: wanted,
                ..there.clone()
            };
            // The last owner stays one, whatever the provider says.
            let keeps = owns(there) && !owns(&would_be) && !another_owns(&mut tx, &seat.org, &seat.person).await?;
            if keeps { there.role } else { wanted }
        }
        None => seat.role.unwrap_or(seat.new_role),
    };
    let (email, name) = match there {
        Some(there) if kept.is_some() => (there.email.clone(), there.name.clone()),
        _ => (seat.email.clone(), seat.name.clone()),
    };
    let member = Member {
        person: seat.person.clone(),
        email,
        name,
        org: seat.org.clone(),
        role,
    };
    // What the directory keeps is the directory's alone.
    let by_directory = directory::kept_among(&mut tx, &seat.org, &seat.groups).await?;
    let mut wanted = seat.groups.clone();
    wanted.retain(|group| !by_directory.contains(group));
    let regrouped = groups(&mut tx, seat).await? != wanted;
    let changed = regrouped
        || there.is_none_or(|there| there.role != role || there.email != member.email || there.name != member.name);
    if changed {
        write_seat(&mut tx, &member, there, now).await?;
    }
    if regrouped {
        set_groups(&mut tx, seat, &wanted).await?;
    }
    if kept.is_none() {
        let sql = "INSERT INTO provided_seats (org, person, issuer) VALUES ($1, $2, $3) \
                   ON CONFLICT (org, person, issuer) DO NOTHING";
        tx.execute(sql, values![&seat.org, &seat.person, &seat.issuer]).await?;
    }
    if changed {
        ledger::write(&mut tx, record).await?;
    }
    let before = there.map(|there| there.role);
    tx.commit().await?;
    Ok(Provided::Seated {
        member,
        before,
        regrouped,
    })
}

async fn find_seat(tx: &mut Tx, seat: &Provide) -> Result<Option<Seat>> {
    let sql = "SELECT email, name, role, status, created_at, ends_at FROM members WHERE org = $1 AND person = $2";
    let Some(row) = tx.row(sql, values![&seat.org, &seat.person]).await? else {
        return Ok(None);
    };
    Ok(Some(Seat {
        person: seat.person.clone(),
        org: seat.org.clone(),
        email: row.get("email")?,
        name: row.get("name")?,
        role: row.word("role", Role::from_name)?,
        status: row.word("status", Status::from_name)?,
        joined_at: row.at("created_at")?,
        ends_at: row.at_if_any("ends_at")?,
        seen_at: None,
        live: 0,
        sessions: 0,
        storage_bytes: 0,
    }))
}

/// Writes a seat. An address that belongs to another member stays theirs: the seat shows it, and is not found by it.
async fn write_seat(tx: &mut Tx, member: &Member, there: Option<&Seat>, now: Timestamp) -> Result<()> {
    let key = member.email.to_lowercase();
    let sql = "SELECT person FROM members WHERE org = $1 AND email_key = $2 AND person <> $3";
    let taken = tx.row(sql, values![&member.org, &key, &member.person]).await?.is_some();
    let key = if taken { member.person.as_str() } else { &key };
    match there {
        None => {
            // By its own name first, so that the address is never the other member's, not even for a moment.
            let unnamed = Member {
                email: member.person.as_str().to_owned(),
                ..member.clone()
            };
            upsert_member(tx, &unnamed, now).await?;
        }
        Some(_) => name_sessions(tx, &member.org, &member.person, &member.name, &member.email).await?,
    }
    tx.execute(
        "UPDATE members SET email = $1, email_key = $2, name = $3, name_key = $4, words = $5, role = $6 \
         WHERE org = $7 AND person = $8",
        values![
            &member.email,
            key,
            &member.name,
            member.name.to_lowercase(),
            owner_words(&member.name, &member.email),
            member.role.as_str(),
            &member.org,
            &member.person,
        ],
    )
    .await?;
    Ok(())
}

async fn groups(tx: &mut Tx, seat: &Provide) -> Result<Vec<String>> {
    let sql = "SELECT name FROM member_groups WHERE org = $1 AND person = $2 AND by_directory = 0 ORDER BY name";
    let rows = tx.rows(sql, values![&seat.org, &seat.person]).await?;
    rows.iter().map(|row| row.get("name")).collect()
}

/// Writes the groups of a member that the provider says, whole.
async fn set_groups(tx: &mut Tx, seat: &Provide, groups: &[String]) -> Result<()> {
    let sql = "DELETE FROM member_groups WHERE org = $1 AND person = $2 AND by_directory = 0";
    tx.execute(sql, values![&seat.org, &seat.person]).await?;
    for group in groups {
        let sql = "INSERT INTO member_groups (org, person, name) VALUES ($1, $2, $3)";
        tx.execute(sql, values![&seat.org, &seat.person, group]).await?;
    }
    Ok(())
}

/// Which tokens work again when the person has signed in with an issuer: those that rested because of it, and those whose
/// seat it stands behind. Its values are the person and twice the issuer.
const WAKES: &str = "person = ? AND (issuer = ? OR EXISTS (SELECT 1 FROM provided_seats p WHERE p.org = unproven.org \
    AND p.person = unproven.person AND p.issuer = ?) OR EXISTS (SELECT 1 FROM directory_users d \
    WHERE d.org = unproven.org AND d.person = unproven.person AND d.version > 0))";

/// Writes down that a provider has just proven somebody. Whoever changes identities and logins begins with the identity:
/// nobody waits in a circle.
async fn prove(tx: &mut Tx, held: &Held) -> Result<()> {
    let sql = "UPDATE identities SET proven_at = $1 WHERE issuer = $2 AND subject = $3";
    tx.execute(sql, values![held.proven_at, &held.issuer, &held.subject])
        .await?;
    Ok(())
}

/// The columns of what is kept, with the login last.
fn of_held(held: &Held) -> Result<Vec<Value>> {
    Ok(values![
        &held.provider,
        &held.issuer,
        &held.subject,
        &held.sid,
        serde_json::to_string(&held.claims)?,
        &held.kept,
        held.refresh_at,
        held.proven_at,
        held.narrowed
            .as_ref()
            .map(serde_json::to_string)
            .transpose()?
            .as_deref(),
        &held.login,
    ])
}

fn read_held(row: &Row) -> Result<Held> {
    Ok(Held {
        login: LoginId::new(row.get::<String>("login")?),
        provider: row.get("provider")?,
        issuer: row.get("issuer")?,
        subject: row.get("subject")?,
        sid: row.get("sid")?,
        claims: row.json("claims")?,
        kept: row.get("kept")?,
        refresh_at: row.at("refresh_at")?,
        proven_at: row.at("proven_at")?,
        narrowed: row.json_if_any("narrowed")?,
    })
}

fn read_flow(row: &Row) -> Result<Flow> {
    Ok(Flow {
        state: Hash(row.get("state")?),
        browser: Hash(row.get("browser")?),
        provider: row.get("provider")?,
        next: row.get("next")?,
        links: row.get::<Option<String>>("links")?.map(LoginId::new),
        sealed: row.get("sealed")?,
        expires_at: row.at("expires_at")?,
    })
}
