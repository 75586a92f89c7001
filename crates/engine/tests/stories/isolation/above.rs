//! What is done in an Organization by whoever runs the installation, who sits in another one.

use super::{ORGS, World, pick};
use crate::house::grant;
use domain::{
    OrgId, Role,
    audit::Ask,
    id::SecretId,
    invitation::Invite,
    member::Leaving,
    org::Change,
    policy::{Policy, Seeing},
    quota::{Answer, Dimension, Limit, Limits, Subject},
    secret::{self, Bindings, New},
};
use engine::{AttachAsk, SeatChange, Shelf};

impl World {
    /// Whether it succeeds is nobody's question: who did it is named in no answer to anybody below, which is asked after.
    pub(super) async fn ruled(&mut self, (what, to, how): (u8, u8, u8)) {
        let (engine, root) = (self.house.engine.clone(), self.root.clone());
        let org = OrgId::new(ORGS[usize::from(how) % 3]);
        let Some(other) = pick(&self.people, to) else { return };
        match what % 10 {
            0 => {
                let invite = Invite {
                    email: format!("{}@new.example", self.fresh("mail")),
                    role: Role::Developer,
                    days: None,
                    seat_days: None,
                    limits: Limits::default(),
                };
                if let Ok(invited) = engine.invite(&root, &org, invite).await {
                    self.links.push(invited.secret);
                    self.invitations.push(invited.invitation.id);
                }
            }
            1 => {
                if let Some((org, id)) = pick(&self.requests, to) {
                    let answer = if how % 2 == 0 {
                        grant(Limit::At(9), Some(2))
                    } else {
                        Answer::Decline { word: "No.".to_owned() }
                    };
                    let _ = engine.answer_requests(&root, &org, vec![id], &answer).await;
                }
            }
            2 => {
                let limits = Limits([(Dimension::Sessions, Limit::At(40))].into());
                let subject = match to % 2 {
                    0 => Subject::Org,
                    _ => Subject::Person(other.person.clone()),
                };
                let _ = engine.set_limits(&root, &org, &subject, &limits).await;
            }
            3 => {
                for org in [Some(&org), None] {
                    let version = self.house.store.find_policy(org).await.unwrap().version;
                    let policy = Policy {
                        seeing: org.map(|_| [Seeing::Own, Seeing::Groups, Seeing::Org][usize::from(to) % 3]),
                        ..Policy::default()
                    };
                    engine.save_policy(&root, org, policy, version).await.unwrap();
                }
            }
            4 => {
                let shelf = Shelf::Org(org);
                let new = New {
                    name: self.fresh("KEY").replace('-', "_").to_uppercase(),
                    value: secret::Value::new("hidden"),
                    ..New::default()
                };
                if let Ok(held) = engine.create_secret(&root, &shelf, new).await {
                    self.secrets.push(held.secret.id);
                }
                if let Some(id) = pick::<SecretId>(&self.secrets, to) {
                    let _ = engine
                        .rotate_secret(&root, &shelf, &id, secret::Value::new("next"))
                        .await;
                    let people = [other.person.clone()].into();
                    let bindings = Bindings {
                        people,
                        ..Bindings::default()
                    };
                    let _ = engine.bind_secret(&root, &shelf, &id, bindings).await;
                }
            }
            5 => {
                let change = SeatChange {
                    name: Some(self.fresh("called")),
                    ..SeatChange::default()
                };
                let _ = engine.change_seat(&root, &other.org, &other.person, change).await;
                if how % 4 == 0 {
                    let _ = engine
                        .remove_member(&root, &other.org, &other.person, &Leaving::Archive)
                        .await;
                }
            }
            6 => {
                let change = Change {
                    display_name: Some(self.fresh("renamed")),
                    ..Change::default()
                };
                engine.change_org(&root, &org, &change).await.unwrap();
                let name = self.fresh("directory");
                let _ = engine.mint_directory_token(&root, &org, &name, None).await;
                let tokens = engine.directory_tokens(&root, &org).await.unwrap();
                if let Some(token) = pick(&tokens, to) {
                    let _ = engine.take_over_directory_token(&root, &org, &token.id).await;
                }
            }
            7 => {
                if let Some(token) = pick(&self.tokens, how) {
                    let _ = engine
                        .revoke_member_token(&root, &other.org, &other.person, &token)
                        .await;
                }
                let ask = Ask {
                    org: Some(org),
                    ..Ask::default()
                };
                engine.export_audit(&root, ask, "csv").await.unwrap();
            }
            _ => {
                let Some(id) = pick(&self.sessions, to) else { return };
                let _ = match what % 3 {
                    0 => engine.suspend(&root, &id).await.map(|_| ()),
                    1 => engine.delete(&root, &id).await,
                    // Refused, and written down.
                    _ => engine.attach(&root, &id, AttachAsk::default()).await.map(|_| ()),
                };
            }
        }
        self.mark().await;
        // Those who govern hear of it first.
        for person in self.people.clone() {
            if person.role >= Role::OrgAdmin
                && let Some(now) = self.now(&person).await
            {
                self.look(&now).await;
                break;
            }
        }
    }
}
