//! What the engine asks of the store about devices that ask to be signed in.

use super::{Hash, Member, Record};
use anyhow::Result;
use async_trait::async_trait;
use domain::{Timestamp, device::Device, token::Token};

/// The hashes of a device's two codes.
#[derive(Clone, Debug)]
pub struct DeviceHashes {
    /// Of what the device fetches its token with.
    pub device: Hash,
    /// Of what the person types.
    pub user: Hash,
}

/// What became of a device that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// There is none with this code, or its token was fetched already.
    Unknown,
    Expired,
    /// It asked before its time, and has to leave so many seconds from now on.
    TooSoon {
        interval: i64,
    },
    Waiting,
    Denied,
    Approved(Box<Approval>),
}

/// A device that may have its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    pub device: Device,
    /// Who approved it, as they are now.
    pub member: Member,
    /// The capabilities that they granted.
    pub granted: Vec<String>,
}

/// What came of the wish to give a device its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It holds the token.
    Held,
    /// The code was used meanwhile, or has expired.
    Gone,
    /// The person holds as many tokens as one may.
    TooMany,
}

/// What is remembered of devices that ask to be signed in.
#[async_trait]
pub trait Devices: Send + Sync {
    /// Remembers a device that asks to be signed in, unless too many wait already (`domain::device`); whether it did.
    async fn record_device(&self, device: &Device, hashes: &DeviceHashes) -> Result<bool>;
    /// The device that a person's code belongs to, unless it was answered or its time is over.
    async fn find_device(&self, user_code: &Hash, now: Timestamp) -> Result<Option<Device>>;
    /// Answers a device that waits: with capabilities, or no. Whether this was the first answer.
    async fn answer_device(
        &self,
        user_code: &Hash,
        member: &Member,
        granted: Option<&[String]>,
        now: Timestamp,
        record: Record,
    ) -> Result<bool>;
    /// Notes that a device asks what became of it, and says so.
    async fn poll_device(&self, device_code: &Hash, now: Timestamp) -> Result<DeviceState>;
    /// Uses an approved device's code up and remembers the token that it is given, in one transaction.
    async fn redeem_device(
        &self,
        device_code: &Hash,
        member: &Member,
        token: &Token,
        hash: &Hash,
        most: u64,
        record: Record,
    ) -> Result<Redeemed>;
}
