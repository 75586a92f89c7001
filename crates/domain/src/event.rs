//! Events: facts, in the past tense, that leave through the outbox.

use crate::{OrgId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event in the platform's envelope; its subject on a bus is `catalyst.<type>` and its message id is `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// A UUID (v7): later events sort later.
    pub id: String,
    /// Such as `sandbox.session.opened`; see [`Kind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Who says so: `sandbox`.
    pub source: String,
    pub timestamp: Timestamp,
    /// The Organization's slug.
    pub tenant_id: OrgId,
    pub data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

/// The types of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    SessionOpened,
    /// Its phase, reason or exit changed; `data.phase` says to what.
    SessionMoved,
    SessionRenamed,
    SessionShared,
    SessionDeleted,
    AgentSwitched,
    AgentInstalled,
    AgentRemoved,
    /// An Organization's name, state, seats or plan changed.
    OrgChanged,
    MemberInvited,
    /// An invitation was withdrawn.
    InvitationWithdrawn,
    MemberJoined,
    /// A role, a term or a status changed.
    MemberChanged,
    MemberLeft,
    /// Somebody asks for more.
    QuotaAsked,
    QuotaAnswered,
    /// Limits of the Organization, a group or a person were set.
    QuotaChanged,
    PolicyChanged,
    /// A secret was made, rotated, bound or deleted; the audit says which.
    SecretChanged,
    /// A token of the directory was made or revoked, or a group that it keeps changed; the audit says which.
    DirectoryChanged,
}

impl Kind {
    /// Every type.
    pub const ALL: [Self; 20] = [
        Self::SessionOpened,
        Self::SessionMoved,
        Self::SessionRenamed,
        Self::SessionShared,
        Self::SessionDeleted,
        Self::AgentSwitched,
        Self::AgentInstalled,
        Self::AgentRemoved,
        Self::OrgChanged,
        Self::MemberInvited,
        Self::InvitationWithdrawn,
        Self::MemberJoined,
        Self::MemberChanged,
        Self::MemberLeft,
        Self::QuotaAsked,
        Self::QuotaAnswered,
        Self::QuotaChanged,
        Self::PolicyChanged,
        Self::SecretChanged,
        Self::DirectoryChanged,
    ];

    /// The `type` on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionOpened => "sandbox.session.opened",
            Self::SessionMoved => "sandbox.session.moved",
            Self::SessionRenamed => "sandbox.session.renamed",
            Self::SessionShared => "sandbox.session.shared",
            Self::SessionDeleted => "sandbox.session.deleted",
            Self::AgentSwitched => "sandbox.agent.switched",
            Self::AgentInstalled => "sandbox.agent.installed",
            Self::AgentRemoved => "sandbox.agent.removed",
            Self::OrgChanged => "sandbox.org.changed",
            Self::MemberInvited => "sandbox.member.invited",
            Self::InvitationWithdrawn => "sandbox.invitation.withdrawn",
            Self::MemberJoined => "sandbox.member.joined",
            Self::MemberChanged => "sandbox.member.changed",
            Self::MemberLeft => "sandbox.member.left",
            Self::QuotaAsked => "sandbox.quota.asked",
            Self::QuotaAnswered => "sandbox.quota.answered",
            Self::QuotaChanged => "sandbox.quota.changed",
            Self::PolicyChanged => "sandbox.policy.changed",
            Self::SecretChanged => "sandbox.secret.changed",
            Self::DirectoryChanged => "sandbox.directory.changed",
        }
    }
}

/// What reaches the reader of a live stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Live {
    /// An event of the outbox at its position, from which a reader can go on.
    Event { position: i64, event: Event },
    /// Something that is not remembered changed (who watches, a title, progress): ask for the new state.
    Touched { what: Touched },
    /// The reader was too slow or away for too long: ask for everything.
    Missed,
}

/// What changed without being remembered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touched {
    Session(crate::SessionId),
    Agent(String),
}
