//! The same done to many members or passes at once. Each is a transaction of its own (`domain::many`), so that what is
//! refused for one is done for the others, and the answer says of each what became of it.

use crate::{Engine, Error, Result, members::SeatChange};
use domain::{
    Caller, OrgId, PersonId, Problem,
    caller::Proof,
    id::{LoginId, RequestId, TokenId},
    many::{self, Outcome, Was},
    member::{Leaving, Seat, Status},
    page::{self, Page},
    pass::{Kind, ListPasses, Pass},
    permit::Verb,
    quota::Answer,
};
use serde_json::json;

impl Engine {
    /// Changes the seats of many, the same for all. Nobody changes themselves so: the caller's own seat is left out, with
    /// a word.
    pub async fn change_seats(
        &self,
        caller: &Caller,
        org: &OrgId,
        people: Vec<PersonId>,
        change: &SeatChange,
    ) -> Result<Vec<Outcome>> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let mut outcomes = Vec::new();
        for person in many::checked(people)? {
            outcomes.push(self.change_one(caller, org, &person, change.clone()).await?);
        }
        Ok(outcomes)
    }

    /// Gives those whose seats were changed the role and the status that they had: exactly those, each their own.
    pub async fn change_seats_back(
        &self,
        caller: &Caller,
        org: &OrgId,
        before: Vec<(PersonId, Was)>,
    ) -> Result<Vec<Outcome>> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let mut outcomes = Vec::new();
        for (person, Was { role, status }) in many::checked(before)? {
            let change = SeatChange {
                role: Some(role),
                status: Some(status),
                ..SeatChange::default()
            };
            outcomes.push(self.change_one(caller, org, &person, change).await?);
        }
        Ok(outcomes)
    }

    async fn change_one(&self, caller: &Caller, org: &OrgId, person: &PersonId, change: SeatChange) -> Result<Outcome> {
        let seat = match self.another(caller, org, person).await? {
            Ok(seat) => seat,
            Err(outcome) => return Ok(outcome),
        };
        let was = Was {
            role: seat.role,
            status: seat.status,
        };
        let done = self.change_seat(caller, org, person, change).await;
        let changed = done
            .as_ref()
            .is_ok_and(|after| (after.role, after.status) != (was.role, was.status));
        Ok(Outcome {
            was: changed.then_some(was),
            ..outcome(person.as_str(), seat.name, done)
        })
    }

    /// Ends the seats of many. Their sessions are kept asleep, or all go to one other member.
    pub async fn remove_members(
        &self,
        caller: &Caller,
        org: &OrgId,
        people: Vec<PersonId>,
        leaving: &Leaving,
    ) -> Result<Vec<Outcome>> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let mut outcomes = Vec::new();
        for person in many::checked(people)? {
            outcomes.push(match self.another(caller, org, &person).await? {
                Ok(seat) => {
                    let done = self.remove_member(caller, org, &person, leaving).await;
                    outcome(person.as_str(), seat.name, done)
                }
                Err(outcome) => outcome,
            });
        }
        Ok(outcomes)
    }

    /// The seat of somebody who is not the caller; else what is answered instead.
    async fn another(&self, caller: &Caller, org: &OrgId, person: &PersonId) -> Result<Result<Seat, Outcome>> {
        let found = self.0.store.find_seat(org, person).await?;
        let Some(seat) = found.filter(|seat| seat.status != Status::Left) else {
            let id = person.as_str();
            return Ok(Err(outcome::<()>(id, id.to_owned(), Err(Error::no_member()))));
        };
        if *person == caller.person && *org == caller.org {
            let detail = "This is you. Change your own seat on its page, by itself.";
            let refused = Err(Error::Conflict(Problem::new("yourself", detail)));
            return Ok(Err(outcome::<()>(person.as_str(), seat.name, refused)));
        }
        Ok(Ok(seat))
    }

    /// Answers many requests for more, all the same way: just as each was asked for, or declined with one word for all.
    pub async fn answer_requests(
        &self,
        caller: &Caller,
        org: &OrgId,
        ids: Vec<RequestId>,
        answer: &Answer,
    ) -> Result<Vec<Outcome>> {
        self.govern(caller, Verb::ManageQuotas, org)?;
        let mut outcomes = Vec::new();
        for id in many::checked(ids)? {
            let asked = self.0.store.find_request(org, &id).await?;
            let name = asked.map_or_else(|| id.as_str().to_owned(), |request| request.name);
            let done = self.answer_request(caller, org, &id, answer.clone()).await;
            outcomes.push(outcome(id.as_str(), name, done));
        }
        Ok(outcomes)
    }

    /// A page of an Organization's passes: whose, called what, last used when, until when.
    pub async fn passes(&self, caller: &Caller, org: &OrgId, ask: &ListPasses) -> Result<Page<Pass>> {
        self.govern(caller, Verb::SeeMembers, org)?;
        let ask = ListPasses {
            limit: page::limit(ask.limit),
            ..ask.clone()
        };
        Ok(self.0.store.list_passes(org, &ask, self.0.clock.now()).await?)
    }

    /// Takes passes away: tokens are revoked, browsers signed out, and what is attached with them ends at once. Not those
    /// of whoever stands above the caller, and not the one that asks.
    pub async fn revoke_passes(
        &self,
        caller: &Caller,
        org: &OrgId,
        kind: Kind,
        ids: Vec<String>,
    ) -> Result<Vec<Outcome>> {
        self.govern(caller, Verb::ManageMembers, org)?;
        let mut outcomes = Vec::new();
        for id in many::checked(ids)? {
            outcomes.push(match self.0.store.find_pass(org, kind, &id).await? {
                Some(pass) => {
                    let done = self.revoke_pass(caller, org, &pass).await;
                    outcome(&id, pass.label, done)
                }
                None => {
                    let gone = Problem::new("no-such-pass", "It is gone already.");
                    outcome::<()>(&id, id.clone(), Err(Error::NotFound(gone)))
                }
            });
        }
        Ok(outcomes)
    }

    async fn revoke_pass(&self, caller: &Caller, org: &OrgId, pass: &Pass) -> Result<()> {
        let asks = match (&caller.proof, pass.kind) {
            (Proof::Login { id: login, .. }, Kind::Browser) => login.as_str() == pass.id,
            (Proof::Token { id, .. }, Kind::Token) => id.as_str() == pass.id,
            _ => false,
        };
        if asks {
            let detail = "You ask with this one. To be out here too, sign out.";
            return Err(Error::Conflict(Problem::new("yourself", detail)));
        }
        let person = &pass.person;
        if pass.kind == Kind::Token {
            return self
                .revoke_member_token(caller, org, person, &TokenId::new(&pass.id))
                .await;
        }
        let seat = self.seat(caller, org, person).await?;
        self.may_touch(caller, &seat, None)?;
        let login = LoginId::new(&pass.id);
        let record = self.audited_in(
            caller,
            org,
            "login.ended",
            login.as_str(),
            json!({ "owner": seat.email }),
        );
        if self.0.store.end_login(org, person, &login, record).await? {
            self.end_attachments_of_login(&login);
        }
        Ok(())
    }
}

/// What became of one; what broke on our side is in the log, and the others are still done.
fn outcome<T>(id: &str, name: String, done: Result<T>) -> Outcome {
    let refused = done.err().map(|error| {
        if let Error::Internal(cause) = &error {
            tracing::error!(id, error = format!("{cause:#}"), "one of many broke");
        }
        error.problem()
    });
    Outcome {
        id: id.to_owned(),
        name,
        was: None,
        refused,
    }
}
