//! Invitations: a link to a seat.

use crate::{
    Engine, Error, From, Result, SignedIn,
    logins::login,
    ports::{Acceptance, Accepted, Asked, NewLogin, Record},
    tokens,
};
use domain::{
    Caller, OrgId, PersonId, Problem,
    audit::Entry,
    caller::Proof,
    event::Kind,
    id::{InvitationId, LoginId},
    invitation::{Invitation, Invite, Invited, Letter},
    member,
    org::Org,
    permit::Verb,
};
use serde_json::json;

/// So many invitations of one Organization may wait at once.
const WAITING_MAX: u64 = 500;

impl Engine {
    /// Invites somebody; the link's secret is shown this once. The same address invited again gets a new link, and the
    /// older one ends.
    pub async fn invite(&self, caller: &Caller, org: &OrgId, invite: Invite) -> Result<Invited> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let now = self.0.clock.now();
        let invite = invite.checked(now)?;
        if !caller.role.may_grant(invite.role) {
            return Err(Error::forbidden("You cannot make anybody more than you are yourself."));
        }
        if self.0.store.find_org(org).await?.is_none() {
            return Err(Error::no_org());
        }
        self.check_ceiling(caller, org, &invite.limits).await?;
        let secret = self.0.credentials.mint("sbi_");
        let invitation = Invitation {
            id: InvitationId::new(self.0.credentials.new_id(now)),
            org: org.clone(),
            role: invite.role,
            by: caller.named_in(org).to_owned(),
            created_at: now,
            expires_at: now.plus_seconds(invite.days() * 24 * 3600),
            seat_ends_at: member::term(invite.seat_days, now)?,
            limits: invite.limits,
            email: invite.email,
            letter: None,
        };
        let letter = self.letter(&invitation, &secret.text)?;
        let detail = json!({ "email": invitation.email, "role": invitation.role.as_str(),
            "expires_at": invitation.expires_at, "seat_ends_at": invitation.seat_ends_at, "limits": invitation.limits });
        let record = self.org_record(caller, org, Kind::MemberInvited, None, invitation.id.as_str(), detail);
        let asked = self
            .0
            .store
            .record_invitation(&invitation, &secret.hash, letter.as_ref(), WAITING_MAX, now, record)
            .await?;
        let refused = match asked {
            Asked::Recorded => {
                self.announce();
                self.0.letters.notify_one();
                let letter = letter.map(|_| Letter::Waiting { why: None });
                return Ok(Invited {
                    secret: secret.text,
                    invitation: Invitation { letter, ..invitation },
                });
            }
            Asked::Full { seats } => Error::no_seat_left(seats),
            Asked::Member => {
                let detail = format!("{} has a seat in this Organization already.", invitation.email);
                Error::Conflict(Problem::new("already-a-member", detail).at("email"))
            }
            Asked::TooMany => {
                let detail = format!("{WAITING_MAX} invitations wait already. Withdraw those nobody will accept.");
                Error::Conflict(Problem::new("too-many-invitations", detail))
            }
        };
        Err(refused)
    }

    /// The invitations that wait, newest first.
    pub async fn invitations(&self, caller: &Caller, org: &OrgId) -> Result<Vec<Invitation>> {
        self.govern(caller, Verb::SeeMembers, org)?;
        Ok(self.0.store.list_invitations(org, self.0.clock.now()).await?)
    }

    /// Withdraws an invitation; one that is gone already is no error.
    pub async fn withdraw_invitation(&self, caller: &Caller, org: &OrgId, id: &InvitationId) -> Result<()> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let now = self.0.clock.now();
        let record = self.org_record(caller, org, Kind::InvitationWithdrawn, None, id.as_str(), json!({}));
        if self.0.store.withdraw_invitation(org, id, now, record).await? {
            self.announce();
        }
        Ok(())
    }

    /// What a link invites to, for whoever holds it; nothing is used up.
    pub async fn invitation(&self, link: &str) -> Result<(Invitation, Org)> {
        let link = self.0.credentials.hash(link);
        let found = self.0.store.find_invitation(&link, self.0.clock.now()).await?;
        found.ok_or_else(gone)
    }

    /// Accepts an invitation as somebody new, and signs their browser in. It always makes a new person, even where the
    /// address is known elsewhere: whoever invites also holds the link, and must not become somebody by it.
    pub async fn join(&self, link: &str, name: &str, from: &From) -> Result<SignedIn> {
        let now = self.0.clock.now();
        let name = member::name(name)?;
        let secret = self.0.credentials.mint("sbc_");
        let id = LoginId::new(self.0.credentials.new_id(now));
        let login = login(id.clone(), from, now);
        let expires_at = login.expires_at;
        let acceptance = Acceptance {
            person: PersonId::new(self.0.credentials.new_id(now)),
            name,
            email: None,
            login: Some(NewLogin {
                login,
                hash: secret.hash,
            }),
        };
        let member = self.accept(link, &acceptance, |entry| from.mark(entry)).await?;
        let caller = from.bring(tokens::caller(member, Proof::login(id)));
        Ok(SignedIn {
            cookie: secret.text,
            expires_at,
            caller,
        })
    }

    /// Accepts an invitation as who one is already; the Organization that one is now in too.
    pub async fn join_too(&self, caller: &Caller, link: &str) -> Result<OrgId> {
        if !matches!(caller.proof, Proof::Login { .. }) {
            return Err(Error::forbidden(
                "An invitation is accepted in a browser, not with a token.",
            ));
        }
        let acceptance = Acceptance {
            person: caller.person.clone(),
            name: caller.name.clone(),
            email: Some(caller.email.clone()),
            login: None,
        };
        let mark = |entry| Entry {
            address: caller.address.clone(),
            request: caller.request.clone(),
            ..entry
        };
        Ok(self.accept(link, &acceptance, mark).await?.org)
    }

    /// `mark` says in the entry where they come from.
    async fn accept(
        &self,
        link: &str,
        acceptance: &Acceptance,
        mark: impl FnOnce(Entry) -> Entry,
    ) -> Result<crate::ports::Member> {
        let now = self.0.clock.now();
        let link = self.0.credentials.hash(link);
        // The store names the Organization and the member: only it knows them for sure.
        let nowhere = OrgId::new("");
        let entry = Entry {
            person: Some(acceptance.person.clone()),
            via: "invitation".to_owned(),
            ..self.system_entry(&nowhere, "member.joined", acceptance.person.as_str(), json!({}))
        };
        let target = acceptance.person.as_str();
        let record = Record {
            audit: vec![mark(entry)],
            events: vec![self.org_event(Kind::MemberJoined, &nowhere, Some(&acceptance.person), target)],
        };
        match self.0.store.accept_invitation(&link, acceptance, now, record).await? {
            Accepted::Seated(member) => {
                self.announce();
                Ok(member)
            }
            Accepted::Gone => Err(gone()),
            Accepted::Member => {
                let detail = "You have a seat in this Organization already: sign in to it.";
                Err(Error::Conflict(Problem::new("already-a-member", detail)))
            }
        }
    }
}

fn gone() -> Error {
    let detail = "This invitation was accepted already, was withdrawn, or has expired. Ask for a new one.";
    Error::NotFound(Problem::new("no-such-invitation", detail))
}
