//! Who is attached now, so that a right that is taken away ends what it allowed.

mod drive;

pub use drive::Drive;

use crate::{
    Engine,
    live::Pulse,
    ports::{Conversation, FromTerminal, ToTerminal},
};
use domain::{
    Caller, OrgId, PersonId, SessionId, Timestamp,
    caller::Proof,
    id::{LoginId, TokenId},
    permit::Verb,
    session::Session,
};
use std::collections::{HashMap, HashSet};
use tokio_util::sync::CancellationToken;

/// A conversation with a terminal, for as long as the caller may have it. Dropping it detaches.
pub struct Attachment {
    pub to_terminal: ToTerminal,
    pub from_terminal: FromTerminal,
    /// Cancelled when the caller may not have it any more (sharing was narrowed, the login or token ended, the session
    /// was deleted): the door closes the socket.
    pub revoked: CancellationToken,
    /// To be told what the terminal says.
    pub drive: Drive,
    _held: Held,
}

/// Takes the attachment off the list, however it ends.
struct Held {
    engine: Engine,
    number: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.engine.attached().held.remove(&self.number);
    }
}

/// Every attachment of this process.
#[derive(Default)]
pub(crate) struct Attachments {
    held: HashMap<u64, One>,
    next: u64,
    /// Logins and tokens that ended lately, and when: whoever was let in just before is not let on.
    ended: HashMap<String, Timestamp>,
}

/// A login or token that has ended is remembered for so many seconds, longer than any request takes; and so many at once.
const ENDED_FOR: i64 = 600;
const ENDED_MAX: usize = 10_000;

struct One {
    session: SessionId,
    caller: Caller,
    may_type: bool,
    /// Neither its owner nor shared with: the policy lets them look.
    by_policy: bool,
    revoked: CancellationToken,
}

/// The id of what a caller came with.
fn proof(caller: &Caller) -> &str {
    match &caller.proof {
        Proof::Login { id, .. } => id.as_str(),
        Proof::Token { id, .. } => id.as_str(),
    }
}

impl Attachment {
    /// The client speaks no words, and hears none: that it may type is all that is known.
    pub(crate) fn plain(self, may_type: bool) -> Self {
        if may_type {
            self.drive.note_plain();
        }
        self
    }
}

impl Engine {
    /// Puts a conversation with a terminal on the list.
    pub(crate) fn hold(
        &self,
        caller: &Caller,
        session: &Session,
        terminal: &str,
        conversation: Conversation,
    ) -> Attachment {
        let revoked = CancellationToken::new();
        let one = One {
            session: session.id.clone(),
            caller: caller.clone(),
            may_type: caller.may(Verb::DriveTerminal, session),
            by_policy: !caller.may(Verb::WatchTerminal, session),
            revoked: revoked.clone(),
        };
        let mut attached = self.attached();
        if attached.ended.contains_key(proof(caller)) {
            one.revoked.cancel();
        }
        let number = attached.next;
        attached.next += 1;
        attached.held.insert(number, one);
        let Conversation {
            to_terminal,
            from_terminal,
        } = conversation;
        Attachment {
            to_terminal,
            from_terminal,
            revoked,
            drive: Drive::new(self.clone(), caller.clone(), session.clone(), terminal.to_owned()),
            _held: Held {
                engine: self.clone(),
                number,
            },
        }
    }

    /// Ends the attachments to a session whose caller has lost, or gained, a right by its new state: they come back with
    /// what they may do now, or not at all.
    pub(crate) fn recheck(&self, session: &Session) {
        self.revoke(|one| {
            one.session == session.id
                && (!(one.by_policy || one.caller.may(Verb::WatchTerminal, session))
                    || one.caller.may(Verb::DriveTerminal, session) != one.may_type)
        });
    }

    /// Ends every attachment to a session that is gone.
    pub(crate) fn end_attachments(&self, session: &SessionId) {
        self.revoke(|one| one.session == *session);
    }

    /// Ends what was attached with a login that has ended.
    pub(crate) fn end_attachments_of_login(&self, login: &LoginId) {
        self.note_ended(login.as_str());
        self.detach_login(login);
    }

    /// Ends what was attached with a login that goes on, in the name of another Organization.
    pub(crate) fn detach_login(&self, login: &LoginId) {
        self.revoke(|one| matches!(&one.caller.proof, Proof::Login { id, .. } if id == login));
    }

    fn note_ended(&self, proof: &str) {
        let now = self.0.clock.now();
        let mut attached = self.attached();
        if attached.ended.len() >= ENDED_MAX {
            attached.ended.retain(|_, at| now.seconds_since(*at) < ENDED_FOR);
        }
        if attached.ended.len() < ENDED_MAX {
            attached.ended.insert(proof.to_owned(), now);
        }
    }

    /// Ends what was attached with a token that was revoked.
    pub(crate) fn end_attachments_of_token(&self, token: &TokenId) {
        self.note_ended(token.as_str());
        self.revoke(|one| matches!(&one.caller.proof, Proof::Token { id, .. } if id == token));
    }

    /// Ends everything that a member has attached or reads live: their seat is gone, or not what it was.
    pub(crate) fn end_attachments_of_member(&self, org: &OrgId, person: &PersonId) {
        self.revoke(|one| one.caller.org == *org && one.caller.person == *person);
        self.unseat(org, Some(person));
    }

    /// Ends everything that the members of an Organization have attached or read live: nobody is let in any more.
    pub(crate) fn end_attachments_of_org(&self, org: &OrgId) {
        self.revoke(|one| one.caller.org == *org);
        self.unseat(org, None);
    }

    /// Ends what members of an Organization, or of every one, see of one another by a policy that is not any more what it
    /// was; who still may comes back.
    pub(crate) fn end_sights(&self, org: Option<&OrgId>) {
        self.revoke(|one| one.by_policy && org.is_none_or(|org| one.caller.org == *org));
        // Nobody reads at the moment: nothing to do.
        let _ = self.0.pulse.send(Pulse::Rules { org: org.cloned() });
    }

    /// Ends what people of an Organization read live of others by their groups: these are in others now. They come back with
    /// what they may know; everybody else forgets who is near.
    pub(crate) fn regroup(&self, org: &OrgId, people: impl IntoIterator<Item = PersonId>) {
        let people: HashSet<PersonId> = people.into_iter().collect();
        // Nobody reads at the moment: nothing to do.
        let _ = self.0.pulse.send(Pulse::Groups {
            org: org.clone(),
            people: people.into(),
        });
    }

    fn unseat(&self, org: &OrgId, person: Option<&PersonId>) {
        // Nobody reads at the moment: nothing to do.
        let _ = self.0.pulse.send(Pulse::Seat {
            org: org.clone(),
            person: person.cloned(),
        });
    }

    /// The logins with which somebody is attached.
    pub(crate) fn attached_logins(&self) -> HashSet<LoginId> {
        let attached = self.attached();
        let login = |one: &One| match &one.caller.proof {
            Proof::Login { id, .. } => Some(id.clone()),
            Proof::Token { .. } => None,
        };
        attached.held.values().filter_map(login).collect()
    }

    fn revoke(&self, lost: impl Fn(&One) -> bool) {
        for one in self.attached().held.values().filter(|one| lost(one)) {
            one.revoked.cancel();
        }
    }

    fn attached(&self) -> std::sync::MutexGuard<'_, Attachments> {
        self.0
            .attachments
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
