//! Who is attached now, so that a right that is taken away ends what it allowed.

use crate::{
    Engine,
    ports::{Conversation, Message},
};
use domain::{
    Caller, OrgId, PersonId, SessionId,
    caller::Proof,
    id::{LoginId, TokenId},
    permit::Verb,
    session::Session,
};
use std::collections::{HashMap, HashSet};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A conversation with a terminal, for as long as the caller may have it. Dropping it detaches.
pub struct Attachment {
    pub to_terminal: mpsc::Sender<Message>,
    pub from_terminal: mpsc::Receiver<Message>,
    /// Cancelled when the caller may not have it any more (sharing was narrowed, the login or token ended, the session
    /// was deleted): the door closes the socket.
    pub revoked: CancellationToken,
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
}

struct One {
    session: SessionId,
    caller: Caller,
    may_type: bool,
    revoked: CancellationToken,
}

impl Engine {
    /// Puts a conversation on the list.
    pub(crate) fn hold(&self, caller: &Caller, session: &Session, conversation: Conversation) -> Attachment {
        let revoked = CancellationToken::new();
        let one = One {
            session: session.id.clone(),
            caller: caller.clone(),
            may_type: caller.may(Verb::DriveTerminal, session),
            revoked: revoked.clone(),
        };
        let mut attached = self.attached();
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
                && (!one.caller.may(Verb::WatchTerminal, session)
                    || one.caller.may(Verb::DriveTerminal, session) != one.may_type)
        });
    }

    /// Ends every attachment to a session that is gone.
    pub(crate) fn end_attachments(&self, session: &SessionId) {
        self.revoke(|one| one.session == *session);
    }

    /// Ends what was attached with a login that has ended.
    pub(crate) fn end_attachments_of_login(&self, login: &LoginId) {
        self.revoke(|one| matches!(&one.caller.proof, Proof::Login(id) if id == login));
    }

    /// Ends what was attached with a token that was revoked.
    pub(crate) fn end_attachments_of_token(&self, token: &TokenId) {
        self.revoke(|one| matches!(&one.caller.proof, Proof::Token { id, .. } if id == token));
    }

    /// Ends everything that a member has attached: their seat is gone, or not what it was.
    pub(crate) fn end_attachments_of_member(&self, org: &OrgId, person: &PersonId) {
        self.revoke(|one| one.caller.org == *org && one.caller.person == *person);
    }

    /// The logins with which somebody is attached.
    pub(crate) fn attached_logins(&self) -> HashSet<LoginId> {
        let attached = self.attached();
        let login = |one: &One| match &one.caller.proof {
            Proof::Login(id) => Some(id.clone()),
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
