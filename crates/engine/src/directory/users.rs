//! People, as their Organization's directory gives, changes and takes seats.

use super::{TRIES, busy, not_as_seen, taken};
use crate::{
    Engine, Error, Result,
    members::not_seated,
    ports::{Provision, Provisioned, Seated},
    rules::Rule,
};
use domain::{
    PersonId, Problem, Role,
    directory::Directory,
    event::Kind,
    member::{Leaving, Seat},
    scim::{
        Condition, Filter, Of, Operation, Window,
        user::{Draft, User, Wanted},
    },
};
use serde_json::{Value, json};

/// Whether somebody is still who whoever asks has seen.
pub type UserCheck<'a> = &'a (dyn Fn(&User) -> bool + Send + Sync);

/// What a directory does to a user who is there.
#[derive(Clone, Debug)]
pub enum UserChange<'a> {
    /// All that it says of them.
    Replace(&'a Value),
    Patch(&'a [Operation]),
}

impl Engine {
    /// A page of those who have a seat, whoever gave it; and how many there are.
    pub async fn directory_users(
        &self,
        directory: &Directory,
        filter: Option<&str>,
        window: Window,
    ) -> Result<(Vec<User>, u64)> {
        let condition = match filter {
            Some(filter) => Condition::of(Of::Users, &Filter::parse(filter)?)?,
            None => Condition::Always(true),
        };
        let now = self.0.clock.now();
        Ok(self.0.store.list_users(&directory.org, &condition, window, now).await?)
    }

    /// Somebody who has a seat.
    pub async fn directory_user(&self, directory: &Directory, person: &PersonId) -> Result<User> {
        let found = self
            .0
            .store
            .find_user(&directory.org, person, self.0.clock.now())
            .await?;
        found.ok_or_else(Error::no_member)
    }

    /// Gives somebody a seat. Whoever has one already, by invitation or by signing in, with the same address, is the same
    /// person, and their seat is the directory's from now on; somebody whom the directory keeps is not made twice. Who
    /// left and comes back with the same address and the same id of the directory's is who they were.
    pub async fn create_user(&self, directory: &Directory, resource: &Value) -> Result<User> {
        let draft = Draft::of_resource(resource)?;
        let wanted = draft.clone().checked()?;
        for _ in 0..TRIES {
            let now = self.0.clock.now();
            let (org, external_id) = (&directory.org, wanted.external_id.as_deref());
            let known = self.0.store.find_known(org, &wanted.email, external_id).await?;
            let before = match &known {
                Some(person) => self.0.store.find_user(org, person, now).await?,
                None => None,
            };
            if before.as_ref().is_some_and(|before| before.version > 0) {
                return Err(taken("userName"));
            }
            let person = known.unwrap_or_else(|| PersonId::new(self.0.credentials.new_id(now)));
            if let Some(user) = self.write_user(directory, &person, before, draft.clone()).await? {
                return Ok(user);
            }
        }
        Err(busy())
    }

    /// Changes what the directory says of somebody. Who is not active any more is out at once, everywhere.
    pub async fn change_user(
        &self,
        directory: &Directory,
        person: &PersonId,
        change: UserChange<'_>,
        as_seen: UserCheck<'_>,
    ) -> Result<User> {
        for _ in 0..TRIES {
            let before = self.directory_user(directory, person).await?;
            if !as_seen(&before) {
                return Err(not_as_seen());
            }
            let draft = match &change {
                UserChange::Replace(resource) => Draft::of_resource(resource)?,
                UserChange::Patch(operations) => Draft::of_user(&before).patched(operations)?,
            };
            if let Some(user) = self.write_user(directory, person, Some(before), draft).await? {
                return Ok(user);
            }
        }
        Err(busy())
    }

    /// Ends a seat, as an admin does: out at once, sessions asleep and kept under the leaver's name.
    pub async fn delete_user(&self, directory: &Directory, person: &PersonId, as_seen: UserCheck<'_>) -> Result<()> {
        let org = &directory.org;
        for _ in 0..TRIES {
            let before = self.directory_user(directory, person).await?;
            if !as_seen(&before) {
                return Err(not_as_seen());
            }
            may_touch(directory, &before)?;
            let Some(seat) = self.0.store.find_seat(org, person).await? else {
                return Err(Error::no_member());
            };
            let detail = json!({
                "email": seat.email, "role": seat.role.as_str(), "sessions": seat.sessions, "leaving": Leaving::Archive,
                "before": shown(&before), "after": null,
            });
            let target = person.as_str();
            let record = self.by_directory(directory, Kind::MemberLeft, "member.left", Some(person), target, detail);
            let now = self.0.clock.now();
            match self
                .0
                .store
                .record_leaving(&seat, &Leaving::Archive, now, record)
                .await?
            {
                Seated::Done(_) => {}
                Seated::Changed => continue,
                refused => return Err(not_seated(&refused)),
            }
            self.end_attachments_of_member(org, person);
            self.announce();
            self.sleep_sessions_of(org, person, Rule::left).await?;
            return self.note_rest_of(org, person).await;
        }
        Err(busy())
    }

    /// Writes what the directory wants of a seat; `None`: it changed meanwhile.
    async fn write_user(
        &self,
        directory: &Directory,
        person: &PersonId,
        before: Option<User>,
        draft: Draft,
    ) -> Result<Option<User>> {
        let seat = provision(directory, person, before, draft)?;
        if let Some(before) = seat.was.as_ref().filter(|before| is_same(before, &seat)) {
            return Ok(Some(before.clone()));
        }
        let now = self.0.clock.now();
        let kind = match &seat.was {
            Some(_) => Kind::MemberChanged,
            None => Kind::MemberJoined,
        };
        let is_adopted = seat.was.as_ref().is_some_and(|before| before.version == 0);
        let mut detail = json!({
            "email": seat.email, "role": seat.role.as_str(), "before": seat.was.as_ref().map(shown), "after": wanted(&seat),
        });
        if is_adopted {
            detail["adopted"] = json!("The seat was there; the directory keeps it from now on.");
        }
        let action = kind.as_str().trim_start_matches("sandbox.");
        let record = self.by_directory(directory, kind, action, Some(person), person.as_str(), detail);
        match self.0.store.record_user(&seat, now, record).await? {
            Provisioned::Done => {}
            Provisioned::Changed => return Ok(None),
            Provisioned::Taken(attribute) => return Err(taken(attribute)),
            Provisioned::Full { seats } => return Err(Error::no_seat_left(seats)),
            Provisioned::LastOwner => return Err(not_seated::<Seat>(&Seated::LastOwner)),
            Provisioned::Gone | Provisioned::NoSuch(_) | Provisioned::TooMany => return Err(Error::no_member()),
        }
        self.announce();
        if let Some(before) = &seat.was
            && (before.role != seat.role || (before.active && !seat.active))
        {
            // They come back with what they may do now, or not at all.
            self.end_attachments_of_member(&directory.org, person);
        }
        if !seat.active {
            self.sleep_sessions_of(&directory.org, person, Rule::disabled).await?;
        }
        self.note_rest_of(&directory.org, person).await?;
        self.directory_user(directory, person).await.map(Some)
    }
}

/// The seat that a draft means. The roles of owners and of those above are given and taken in the console alone.
fn provision(directory: &Directory, person: &PersonId, before: Option<User>, mut draft: Draft) -> Result<Provision> {
    if let Some(before) = &before {
        may_touch(directory, before)?;
        let is_owner = before.role > Role::OrgAdmin;
        if let Some(roles) = &mut draft.roles {
            // A directory that sends back what it has read changes nothing by it.
            roles.retain(|role| !(is_owner && role.eq_ignore_ascii_case(before.role.as_str())));
        }
        let says_none = draft.roles.as_ref().is_some_and(Vec::is_empty);
        if is_owner || (says_none && before.given_role.is_none()) {
            draft.roles = draft.roles.filter(|roles| is_owner && !roles.is_empty());
        }
    }
    let Wanted {
        user_name,
        external_id,
        given_name,
        family_name,
        formatted,
        display_name,
        name,
        email,
        active,
        role,
        primary,
    } = draft.checked()?;
    let standing = before
        .as_ref()
        .map(|before| before.role)
        .filter(|role| *role > Role::OrgAdmin);
    let (role, given_role) = match (standing, role, &before) {
        (Some(owner), ..) => (owner, None),
        (None, Some(Some(given)), _) => (given, Some(given)),
        (None, None, Some(before)) => (before.role, before.given_role),
        // Whose role was taken away, and who never had one, is what everybody is, until somebody else says more.
        (None, Some(None), _) | (None, None, None) => (Role::Developer, None),
    };
    Ok(Provision {
        org: directory.org.clone(),
        person: person.clone(),
        user_name,
        external_id,
        given_name,
        family_name,
        formatted,
        display_name,
        name,
        email,
        role,
        given_role,
        primary,
        active: active.unwrap_or_else(|| before.as_ref().is_none_or(|before| before.active)),
        was: before,
    })
}

fn may_touch(directory: &Directory, before: &User) -> Result<()> {
    if directory.rank.may_grant(before.role) {
        return Ok(());
    }
    let detail = format!(
        "This seat's role is {}, above what this directory's token may change. An owner can make a token for the directory \
         that may.",
        before.role.as_str()
    );
    Err(Error::Forbidden(Problem::new("forbidden", detail)))
}

/// Whether nothing would change.
fn is_same(before: &User, seat: &Provision) -> bool {
    before.version > 0
        && before.user_name == seat.user_name
        && before.external_id == seat.external_id
        && before.given_name == seat.given_name
        && before.family_name == seat.family_name
        && before.formatted == seat.formatted
        && before.display_name == seat.display_name
        && before.name == seat.name
        && before.email == seat.email
        && before.role == seat.role
        && before.given_role == seat.given_role
        && before.primary == seat.primary
        && before.active == seat.active
}

fn shown(user: &User) -> Value {
    json!({
        "user_name": user.user_name, "external_id": user.external_id, "name": user.name, "email": user.email,
        "role": user.role.as_str(), "active": user.active,
    })
}

fn wanted(seat: &Provision) -> Value {
    json!({
        "user_name": seat.user_name, "external_id": seat.external_id, "name": seat.name, "email": seat.email,
        "role": seat.role.as_str(), "active": seat.active,
    })
}
