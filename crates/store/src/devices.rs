//! Devices that ask to be signed in.

use crate::{
    db::{Db, Row, values},
    ledger,
    people::seated,
    tokens,
};
use anyhow::{Context as _, Result};
use domain::{
    OrgId, PersonId, Timestamp,
    device::{Device, INTERVAL_SECONDS, WAITING_MAX, WAITING_MAX_OF_ADDRESS},
    id::DeviceId,
    token::Token,
};
use engine::ports::{Approval, DeviceHashes, DeviceState, Hash, Member, Record, Redeemed};

/// How long a device that came too late is still told so, in seconds.
const REMEMBERED: i64 = 3600;

pub(crate) async fn record_device(db: &Db, device: &Device, hashes: &DeviceHashes) -> Result<bool> {
    let mut tx = db.begin().await?;
    // Whoever counts keeps the others from adding until the end of the transaction.
    tx.execute("UPDATE ledgers SET last = last WHERE name = 'audit'", values![])
        .await?;
    let ended = device.created_at.plus_seconds(-REMEMBERED);
    tx.execute("DELETE FROM devices WHERE expires_at < $1", values![ended])
        .await?;
    let count = tx
        .row(
            "SELECT COUNT(*) AS waiting, COUNT(CASE WHEN address = $1 THEN 1 END) AS of_address FROM devices \
             WHERE expires_at > $2 AND answer IS NULL",
            values![&device.address, device.created_at],
        )
        .await?
        .context("a count without a row")?;
    if count.count("waiting")? >= WAITING_MAX || count.count("of_address")? >= WAITING_MAX_OF_ADDRESS {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO devices (id, device_hash, user_hash, name, address, capabilities, created_at, expires_at, \
             pause_seconds) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            device.id.as_str(),
            &hashes.device.0,
            &hashes.user.0,
            &device.name,
            &device.address,
            serde_json::to_string(&device.capabilities)?,
            device.created_at,
            device.expires_at,
            INTERVAL_SECONDS,
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn find_device(db: &Db, user_code: &Hash, now: Timestamp) -> Result<Option<Device>> {
    let row = db
        .row(
            "SELECT id, name, address, capabilities, created_at, expires_at FROM devices \
             WHERE user_hash = $1 AND answer IS NULL AND expires_at > $2",
            values![&user_code.0, now],
        )
        .await?;
    row.as_ref().map(read).transpose()
}

pub(crate) async fn answer_device(
    db: &Db,
    user_code: &Hash,
    member: &Member,
    granted: Option<&[String]>,
    now: Timestamp,
    record: &Record,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    // One statement looks and answers: of two people who come at once, the second finds it answered.
    let answered = tx
        .execute(
            "UPDATE devices SET answer = $1, org = $2, person = $3, granted = $4 \
             WHERE user_hash = $5 AND answer IS NULL AND expires_at > $6",
            values![
                if granted.is_some() { "approved" } else { "denied" },
                &member.org,
                &member.person,
                serde_json::to_string(granted.unwrap_or_default())?,
                &user_code.0,
                now,
            ],
        )
        .await?;
    if answered == 0 {
        return Ok(false);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(true)
}

pub(crate) async fn poll_device(db: &Db, device_code: &Hash, now: Timestamp) -> Result<DeviceState> {
    let mut tx = db.begin().await?;
    let row = tx
        .row(
            "SELECT id, name, address, capabilities, created_at, expires_at, \
                 polled_at, pause_seconds, answer, org, person, granted, used_at \
             FROM devices WHERE device_hash = $1",
            values![&device_code.0],
        )
        .await?;
    let Some(row) = row else {
        return Ok(DeviceState::Unknown);
    };
    if row.at_if_any("used_at")?.is_some() {
        return Ok(DeviceState::Unknown);
    }
    let device = read(&row)?;
    if device.expires_at <= now {
        return Ok(DeviceState::Expired);
    }
    let pause: i64 = row.get("pause_seconds")?;
    let too_soon = row
        .at_if_any("polled_at")?
        .is_some_and(|polled| now < polled.plus_seconds(pause));
    let pause = if too_soon { pause + INTERVAL_SECONDS } else { pause };
    tx.execute(
        "UPDATE devices SET polled_at = $1, pause_seconds = $2 WHERE device_hash = $3",
        values![now, pause, &device_code.0],
    )
    .await?;
    let state = match row.get::<Option<String>>("answer")?.as_deref() {
        _ if too_soon => DeviceState::TooSoon { interval: pause },
        None => DeviceState::Waiting,
        Some("approved") => {
            let (org, person) = (
                OrgId::new(row.get::<String>("org")?),
                PersonId::new(row.get::<String>("person")?),
            );
            match seated(&mut tx, &org, &person, now).await? {
                Some(member) => DeviceState::Approved(Box::new(Approval {
                    device,
                    member,
                    granted: row.json("granted")?,
                })),
                None => DeviceState::Denied,
            }
        }
        Some(_) => DeviceState::Denied,
    };
    tx.commit().await?;
    Ok(state)
}

pub(crate) async fn redeem_device(
    db: &Db,
    device_code: &Hash,
    member: &Member,
    token: &Token,
    hash: &Hash,
    most: u64,
    record: &Record,
) -> Result<Redeemed> {
    let mut tx = db.begin().await?;
    let used = tx
        .execute(
            "UPDATE devices SET used_at = $1 \
             WHERE device_hash = $2 AND org = $3 AND person = $4 AND answer = 'approved' AND used_at IS NULL \
                 AND expires_at > $1",
            values![token.created_at, &device_code.0, &member.org, &member.person],
        )
        .await?;
    if used == 0 {
        return Ok(Redeemed::Gone);
    }
    if !tokens::hold(&mut tx, member, token, hash, most).await? {
        return Ok(Redeemed::TooMany);
    }
    ledger::write(&mut tx, record).await?;
    tx.commit().await?;
    Ok(Redeemed::Held)
}

/// Forgets those whose codes ended before.
pub(crate) async fn prune(db: &Db, before: Timestamp) -> Result<()> {
    db.execute("DELETE FROM devices WHERE expires_at < $1", values![before])
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Device> {
    Ok(Device {
        id: DeviceId::new(row.get::<String>("id")?),
        name: row.get("name")?,
        address: row.get("address")?,
        capabilities: row.json("capabilities")?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
    })
}
