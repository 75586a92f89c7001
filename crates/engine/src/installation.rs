//! The installation as a whole: its first start, its members, its health.

use crate::{
    Engine, Error, Result,
    ports::{Member, Record, Scope},
};
use domain::{
    Caller, OrgId, PersonId, Problem, Role, Timestamp, login::LINK_SECONDS, org::Org, permit::Verb, session::Phase,
};
use serde_json::json;

/// A one-time link, at the moment it is made.
pub struct SignInLink {
    /// The last part of the address; used once, within 15 minutes.
    pub secret: String,
    pub email: String,
    pub expires_at: Timestamp,
}

impl Engine {
    /// On the first start: makes the Organization and its super-admin. Whether it was the first.
    pub async fn found(&self) -> Result<bool> {
        let now = self.0.clock.now();
        let org = Org::new(OrgId::new(&self.0.options.org), "Local", now);
        let member = self.new_member(&org.id, &self.0.options.admin_email, "Admin", Role::SuperAdmin)?;
        let entry = self.system_entry(
            &org.id,
            "installation.founded",
            org.id.as_str(),
            json!({ "admin": member.email }),
        );
        Ok(self
            .0
            .store
            .found(
                &org,
                &member,
                now,
                Record {
                    audit: vec![entry],
                    events: Vec::new(),
                },
            )
            .await?)
    }

    /// Adds a member, or changes the role of one; the Organization is made where it does not exist. For whoever runs
    /// the machine: no caller is asked for.
    pub async fn add_member(&self, org: &str, email: &str, name: &str, role: Role) -> Result<Member> {
        let id = domain::org::slug(org)?;
        let now = self.0.clock.now();
        // Also one whose seat is disabled or has ended: it is given back.
        let found = self.0.store.find_seat_by_email(&id, email.trim()).await?;
        let before = found
            .as_ref()
            .map(|seat| json!({ "name": seat.name, "role": seat.role.as_str(), "status": seat.status.as_str() }));
        let member = match found {
            Some(seat) => Member {
                person: seat.person,
                email: seat.email,
                name: name.to_owned(),
                org: id.clone(),
                role,
            },
            None => self.new_member(&id, email, name, role)?,
        };
        let action = if before.is_some() {
            "member.changed"
        } else {
            "member.added"
        };
        let after = json!({ "name": member.name, "role": role.as_str() });
        let detail = json!({ "email": member.email, "before": before, "after": after });
        let record = Record {
            audit: vec![self.system_entry(&id, action, member.person.as_str(), detail)],
            events: Vec::new(),
        };
        self.0
            .store
            .record_org(&Org::new(id.clone(), org, now), Record::default())
            .await?;
        self.0.store.record_member(&member, now, record).await?;
        Ok(member)
    }

    /// A new one-time sign-in link for a member, or for the installation's first account. For whoever runs the machine.
    /// An address with seats in several Organizations needs `org` to say which.
    pub async fn sign_in_link(&self, email: Option<&str>, org: Option<&str>) -> Result<SignInLink> {
        let email = email.unwrap_or(&self.0.options.admin_email);
        let now = self.0.clock.now();
        let orgs = self.0.store.orgs_of_email(email, now).await?;
        let org = match (org, orgs.as_slice()) {
            (Some(org), _) => OrgId::new(org),
            (None, [org]) => org.clone(),
            // The first account of an installation is meant where nobody says anything.
            (None, several) if email == self.0.options.admin_email && several.iter().any(|org| self.is_first(org)) => {
                OrgId::new(&self.0.options.org)
            }
            (None, []) => {
                let detail =
                    format!("Nobody here has the address {email}. Add them with `sandbox member --email {email}`.");
                return Err(Error::NotFound(Problem::new("no-such-member", detail)));
            }
            (None, several) => {
                let detail = format!(
                    "{email} has a seat in several Organizations: {}. Say which with --in.",
                    listed(several)
                );
                return Err(Error::Conflict(Problem::new("several-organizations", detail).at("in")));
            }
        };
        let scope = Scope::Org(org.clone());
        let Some(member) = self.0.store.find_member_by_email(&scope, email, now).await? else {
            let there = match orgs.as_slice() {
                [] => format!("Add them with `sandbox member --email {email} --in {org}`."),
                several => format!("There is a seat in {}.", listed(several)),
            };
            let detail = format!("Nobody in {org} has the address {email}, or their seat does not hold. {there}");
            return Err(Error::NotFound(Problem::new("no-such-member", detail)));
        };
        let expires_at = now.plus_seconds(LINK_SECONDS);
        let secret = self.0.credentials.mint("sbl_");
        let entry = self.system_entry(
            &member.org,
            "sign-in-link.made",
            member.person.as_str(),
            json!({ "email": email }),
        );
        let record = Record {
            audit: vec![entry],
            events: Vec::new(),
        };
        self.0
            .store
            .record_sign_in_link(&secret.hash, &member, expires_at, record)
            .await?;
        Ok(SignInLink {
            secret: secret.text,
            email: member.email,
            expires_at,
        })
    }

    /// What the About page says of the installation, in order.
    pub async fn installation(&self, caller: &Caller) -> Result<Vec<(String, String)>> {
        self.permit(caller, Verb::SeeInstallation)?;
        let mut facts = vec![("Store".to_owned(), self.0.store.describe().await?)];
        facts.extend(self.0.runtime.describe().await?);
        Ok(facts)
    }

    /// Whether requests can be answered: the store is there.
    pub async fn ready(&self) -> anyhow::Result<()> {
        self.0.store.describe().await.map(|_| ())
    }

    /// How many sessions are in each phase, for the metrics.
    pub async fn gauges(&self) -> anyhow::Result<Vec<(Phase, u64)>> {
        self.0.store.count_phases().await
    }

    fn is_first(&self, org: &OrgId) -> bool {
        org.as_str() == self.0.options.org
    }

    fn new_member(&self, org: &OrgId, email: &str, name: &str, role: Role) -> Result<Member> {
        let email = domain::member::email(email)?;
        let person = PersonId::new(self.0.credentials.new_id(self.0.clock.now()));
        let name = name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        Ok(Member {
            person,
            email,
            name,
            org: org.clone(),
            role,
        })
    }
}

fn listed(orgs: &[OrgId]) -> String {
    orgs.iter().map(OrgId::as_str).collect::<Vec<_>>().join(", ")
}
