//! Whatever happens in three Organizations, and in them from above, nobody hears anything of one in which they have no
//! seat; nor of the fourth, whose people run the installation.

mod above;
mod arrivals;
mod look;

use crate::{
    house::{House, grant},
    identity::Script,
};
use domain::{
    Caller, OrgId, Role, SessionId,
    caller::Proof,
    directory::Directory,
    id::{InvitationId, LoginId, RequestId, SecretId},
    invitation::Invite,
    member::{Leaving, ListMembers, Status},
    org::{Change, State},
    page::ListSessions,
    policy::{Policy, Seeing},
    quota::{Answer, Ask, Dimension, Limit, Limits, Subject},
    session::{Open, Sharing},
    token::Mint,
};
use engine::{From, SeatChange, ports::Scope};
use proptest::{prelude::*, test_runner::Config};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

const ORGS: [&str; 3] = ["alpha-qx", "beta-qy", "gamma-qz"];
/// Where whoever runs the installation sits.
const ABOVE: &str = "omega-qw";

/// What somebody does: which thing, and who, where and to what, each taken modulo what there is.
type Step = (u8, u8, u8, u8);

struct World {
    house: House,
    /// What the providers say of whom.
    script: Arc<Script>,
    root: Caller,
    /// Everybody who ever had a seat, once for each Organization they had one in.
    people: Vec<Caller>,
    cookies: Vec<(String, Caller)>,
    links: Vec<String>,
    sessions: Vec<SessionId>,
    secrets: Vec<SecretId>,
    requests: Vec<(OrgId, RequestId)>,
    invitations: Vec<InvitationId>,
    tokens: Vec<domain::id::TokenId>,
    /// Directories, and who made their token.
    directories: Vec<(Directory, Caller)>,
    /// What is an Organization's own: ids, names, addresses of all that it ever held.
    marks: BTreeMap<OrgId, BTreeSet<String>>,
    number: usize,
}

fn pick<T: Clone>(from: &[T], number: u8) -> Option<T> {
    (!from.is_empty()).then(|| from[usize::from(number) % from.len()].clone())
}

impl World {
    async fn new() -> Self {
        let script = Script::of(&arrivals::PROVIDERS);
        let house = House::with_providers(script.clone(), false).await;
        let root = house.person(ABOVE, "ruler-x", Role::SuperAdmin).await;
        let mut people = Vec::new();
        for org in ORGS {
            for role in [Role::Owner, Role::OrgAdmin, Role::Developer, Role::Viewer] {
                let name = format!("person-{:02}-x", people.len());
                let person = house.person(org, &name, role).await;
                // Called otherwise than their address says: whoever writes the one has not said the other.
                let change = SeatChange {
                    name: Some(format!("called-{:02}-x", people.len())),
                    ..SeatChange::default()
                };
                house
                    .engine
                    .change_seat(&root, &person.org, &person.person, change)
                    .await
                    .unwrap();
                people.push(house.again(&person).await);
            }
        }
        let mut world = Self {
            house,
            script,
            root,
            people,
            cookies: Vec::new(),
            links: Vec::new(),
            sessions: Vec::new(),
            secrets: Vec::new(),
            requests: Vec::new(),
            invitations: Vec::new(),
            tokens: Vec::new(),
            directories: Vec::new(),
            marks: BTreeMap::new(),
            number: 0,
        };
        for (index, person) in world.people.clone().into_iter().enumerate() {
            if index % 4 != 3 {
                let browser = world.house.browser(&person).await;
                world.people[index] = browser.caller.clone();
                world.cookies.push((browser.cookie, browser.caller));
            }
        }
        world.mark().await;
        world
    }

    fn fresh(&mut self, what: &str) -> String {
        self.number += 1;
        format!("{what}-{:04}-x", self.number)
    }

    /// The person as their seat is now; nobody where it does not hold: the doors let them in no more.
    async fn now(&self, caller: &Caller) -> Option<Caller> {
        let seat = self.house.store.find_seat(&caller.org, &caller.person).await.unwrap()?;
        seat.holds(self.house.now()).then(|| Caller {
            role: seat.role,
            name: seat.name,
            email: seat.email,
            ..caller.clone()
        })
    }

    /// Notes what belongs to each Organization by now.
    async fn mark(&mut self) {
        let store = &self.house.store;
        for slug in ORGS.into_iter().chain([ABOVE]) {
            let org = OrgId::new(slug);
            let marks = self.marks.entry(org.clone()).or_default();
            marks.insert(slug.to_owned());
            let found = store.find_org(&org).await.unwrap().unwrap();
            // Founded by hand, an Organization is called by its slug until it is renamed.
            marks.insert(found.display_name);
            for status in [None, Some(Status::Left)] {
                let ask = ListMembers {
                    status,
                    limit: 200,
                    ..ListMembers::default()
                };
                let seats = store.list_members(&org, &ask, self.house.now()).await.unwrap();
                for seat in seats.items {
                    for known in store.identities_of(&seat.person).await.unwrap() {
                        marks.extend([known.identity.subject].into_iter().chain(known.identity.address));
                    }
                    marks.extend([seat.person.to_string(), seat.email, seat.name]);
                    let tokens = store.list_tokens(&org, &seat.person).await.unwrap();
                    marks.extend(tokens.into_iter().flat_map(|token| [token.id.to_string(), token.name]));
                }
            }
            let visible = engine::ports::Visible {
                scope: Scope::Org(org.clone()),
                only: None,
                peers: Seeing::Own,
            };
            let ask = ListSessions {
                limit: 200,
                ..ListSessions::default()
            };
            let sessions = store.list_sessions(&visible, &self.root.person, &ask).await.unwrap();
            for session in sessions.items {
                marks.extend([session.id.to_string(), session.name]);
            }
            for directory in store.list_directory_tokens(&org).await.unwrap() {
                marks.extend([directory.token.id.to_string(), directory.token.name]);
            }
            for invitation in store.list_invitations(&org, self.house.now()).await.unwrap() {
                marks.extend([invitation.id.to_string(), invitation.email]);
            }
            for request in store.list_requests(&org, None, None, 500).await.unwrap() {
                marks.extend([request.id.to_string(), request.why]);
            }
            for secret in store.list_secrets(&org, None).await.unwrap() {
                marks.extend([secret.id.to_string(), secret.name]);
            }
        }
    }

    /// What must not reach this person: what belongs only to Organizations in which they have no seat.
    async fn foreign(&self, caller: &Caller) -> Vec<String> {
        let (mut own, mut foreign) = (BTreeSet::new(), BTreeSet::new());
        for (org, marks) in &self.marks {
            let seat = self.house.store.find_seat(org, &caller.person).await.unwrap();
            let sits = seat.is_some_and(|seat| seat.status != Status::Left);
            if sits { &mut own } else { &mut foreign }.extend(marks.iter().cloned());
        }
        foreign.difference(&own).cloned().collect()
    }

    /// Fails where an answer tells what is not the caller's to know, beyond what they said themselves.
    async fn heard(&self, caller: &Caller, what: &str, answer: &impl Debug, said: &[String]) {
        let mut answer = format!("{answer:?}");
        for own in said {
            answer = answer.replace(own, "what they said");
        }
        for foreign in self.foreign(caller).await {
            assert!(
                !answer.contains(&foreign),
                "{} of {} ({:?}) heard {foreign:?} from {what}: {answer}",
                caller.name,
                caller.org,
                caller.role
            );
        }
    }

    async fn step(&mut self, (what, who, to, how): Step) {
        let Some(caller) = pick(&self.people, who) else { return };
        let Some(caller) = self.now(&caller).await else { return };
        let Some(other) = pick(&self.people, to) else { return };
        let org = OrgId::new(ORGS[usize::from(how) % 3]);
        let engine = self.house.engine.clone();
        let roles = [Role::Viewer, Role::Developer, Role::OrgAdmin, Role::Owner];
        let role = roles[usize::from(how) % 4];
        match what {
            0 | 1 => {
                // A new address, or one that somebody has already, here or elsewhere.
                let email = if what == 0 {
                    format!("{}@new.example", self.fresh("mail"))
                } else {
                    other.email.clone()
                };
                let invite = Invite {
                    email: email.clone(),
                    role,
                    days: None,
                    seat_days: None,
                    limits: Limits::default(),
                };
                let answer = engine.invite(&caller, &caller.org, invite).await;
                self.heard(&caller, "invite", &answer, &[email]).await;
                if let Ok(invited) = answer {
                    self.links.push(invited.secret);
                    self.invitations.push(invited.invitation.id);
                }
            }
            2 => {
                let name = self.fresh("joined");
                let Some(link) = pick(&self.links, to) else { return };
                if let Ok(joined) = engine.join(&link, &name, &From::default()).await {
                    self.people.push(joined.caller.clone());
                    self.cookies.push((joined.cookie, joined.caller));
                }
            }
            3 => {
                let Some(link) = pick(&self.links, to) else { return };
                let answer = engine.join_too(&caller, &link).await;
                self.mark().await;
                self.heard(&caller, "join_too", &answer, &[]).await;
                if let Ok(org) = answer {
                    self.people.push(Caller { org, ..caller });
                }
            }
            4 => {
                let name = self.fresh("work");
                let open = Open {
                    agent: "shell".to_owned(),
                    name: Some(name),
                    ..Open::default()
                };
                let answer = engine.open(&caller, open, None).await;
                self.mark().await;
                self.heard(&caller, "open", &answer, &[]).await;
                if let Ok(view) = answer {
                    self.sessions.push(view.session.id);
                }
            }
            5 => {
                let Some(id) = pick(&self.sessions, to) else { return };
                let sharing = [Sharing::Private, Sharing::Watch, Sharing::Drive][usize::from(how) % 3];
                let said = [id.to_string()];
                let answer = engine.share(&caller, &id, sharing).await;
                self.heard(&caller, "share", &answer, &said).await;
                let answer = match how % 4 {
                    0 => engine.suspend(&caller, &id).await,
                    1 => engine.resume(&caller, &id).await,
                    2 => engine.rename(&caller, &id, &self.fresh("renamed")).await,
                    _ => engine.show(&caller, &id).await,
                };
                self.mark().await;
                self.heard(&caller, "a change of a session", &answer, &said).await;
            }
            6 => {
                let ask = Ask {
                    dimension: Dimension::ConcurrentSessions,
                    wanted: Limit::Unlimited,
                    days: Some(1),
                    why: self.fresh("why"),
                };
                let answer = engine.ask_for_more(&caller, ask).await;
                self.mark().await;
                self.heard(&caller, "ask_for_more", &answer, &[]).await;
                if let Ok(request) = answer {
                    self.requests.push((request.org, request.id));
                }
            }
            7 => {
                let Some((_, id)) = pick(&self.requests, to) else {
                    return;
                };
                let said = [id.to_string(), org.to_string()];
                let answer = if how % 2 == 0 {
                    grant(Limit::At(9), Some(2))
                } else {
                    Answer::Decline { word: "No.".to_owned() }
                };
                let org = if how % 5 == 0 { org } else { caller.org.clone() };
                let answer = engine.answer_request(&caller, &org, &id, answer).await;
                self.heard(&caller, "answer_request", &answer, &said).await;
            }
            8 => {
                let limits = Limits([(Dimension::Sessions, Limit::At(50))].into());
                let subject = match how % 3 {
                    0 => Subject::Org,
                    1 => Subject::Group("team".to_owned()),
                    _ => Subject::Person(other.person.clone()),
                };
                let answer = engine.set_limits(&caller, &caller.org, &subject, &limits).await;
                self.heard(&caller, "set_limits", &answer, &[other.person.to_string()])
                    .await;
            }
            9 => {
                let change = SeatChange {
                    role: Some(role),
                    status: (how % 3 == 0).then_some(Status::Disabled),
                    name: (how % 5 == 0).then(|| self.fresh("called")),
                    ..SeatChange::default()
                };
                let said = [other.person.to_string(), other.org.to_string()];
                let answer = engine.change_seat(&caller, &other.org, &other.person, change).await;
                self.mark().await;
                self.heard(&caller, "change_seat", &answer, &said).await;
            }
            10 => {
                let leaving = match pick(&self.people, how) {
                    Some(heir) if how % 2 == 0 => Leaving::HandOver { to: heir.person },
                    _ => Leaving::Archive,
                };
                let answer = engine.remove_member(&caller, &other.org, &other.person, &leaving).await;
                self.heard(&caller, "remove_member", &answer, &[]).await;
            }
            11 => {
                let Some((cookie, _)) = pick(&self.cookies, to) else {
                    return;
                };
                let Some(caller) = engine.caller_of_cookie(&cookie).await.unwrap() else {
                    return;
                };
                let answer = engine.switch(&caller, &org).await;
                self.heard(&caller, "switch", &answer, &[org.to_string()]).await;
                let caller = engine.caller_of_cookie(&cookie).await.unwrap();
                let caller = caller.expect("a switch loses nobody");
                self.look(&caller).await;
            }
            12 => {
                let state = if how % 4 == 0 { State::Suspended } else { State::Active };
                engine.set_org_state(&self.root, &org, state).await.unwrap();
            }
            13 => {
                let mint = Mint {
                    name: self.fresh("token"),
                    ..Mint::default()
                };
                let answer = engine.mint_token(&caller, mint).await;
                self.mark().await;
                if let Ok(minted) = answer {
                    self.heard(&caller, "mint_token", &minted.token, &[]).await;
                    self.tokens.push(minted.token.id.clone());
                    let bot = engine.caller_of_token(&minted.secret).await.unwrap();
                    self.look(&bot.expect("it holds")).await;
                }
            }
            14 => {
                let change = Change {
                    display_name: Some(self.fresh("renamed")),
                    ..Change::default()
                };
                let answer = engine.change_org(&caller, &org, &change).await;
                self.mark().await;
                self.heard(&caller, "change_org", &answer, &[]).await;
                if let Some(id) = pick(&self.invitations, to) {
                    let answer = engine.withdraw_invitation(&caller, &caller.org, &id).await;
                    self.heard(&caller, "withdraw_invitation", &answer, &[id.to_string()])
                        .await;
                }
            }
            15 => {
                // A directory takes up who is there, makes who is not, and puts both into a group.
                let minted = engine
                    .mint_directory_token(&caller, &org, &self.fresh("directory"), None)
                    .await;
                self.mark().await;
                self.heard(&caller, "mint_directory_token", &minted, &[org.to_string()])
                    .await;
                if let Ok(minted) = minted {
                    let directory = engine.directory_of_token(&minted.secret).await.unwrap();
                    self.directories.push((directory.expect("it holds"), caller.clone()));
                }
                let Some((directory, minter)) = pick(&self.directories, to) else {
                    return;
                };
                // Who has left hears nothing: the answer is the Organization's.
                if self.now(&minter).await.is_none() {
                    return;
                }
                let email = if how % 2 == 0 {
                    format!("{}@new.example", self.fresh("mail"))
                } else {
                    other.email.clone()
                };
                let user = json!({ "userName": email, "displayName": self.fresh("called"), "externalId": self.fresh("outside") });
                let answer = engine.create_user(&directory, &user).await;
                self.mark().await;
                self.heard(&minter, "create_user", &answer, &[email]).await;
                let members: Vec<_> = answer.iter().map(|user| &user.person).chain([&other.person]).collect();
                let members: Vec<_> = members.into_iter().map(|person| json!({ "value": person })).collect();
                let group = json!({ "displayName": self.fresh("group"), "members": members });
                let answer = engine.create_group(&directory, &group).await;
                self.heard(&minter, "create_group", &answer, &[other.person.to_string()])
                    .await;
            }
            16 => {
                // Many at once, whoever they are; and each seen by more, or fewer.
                let many: Vec<_> = (0..4)
                    .filter_map(|more| pick(&self.people, to.wrapping_add(more)))
                    .collect();
                let said: Vec<_> = many.iter().map(|one| one.person.to_string()).collect();
                let change = SeatChange {
                    role: Some(role),
                    ..SeatChange::default()
                };
                let people = many.into_iter().map(|one| one.person).collect();
                let answer = engine.change_seats(&caller, &caller.org, people, &change).await;
                self.heard(&caller, "change_seats", &answer, &said).await;
                let policy = Policy {
                    seeing: Some([Seeing::Own, Seeing::Groups, Seeing::Org][usize::from(how) % 3]),
                    ..Policy::default()
                };
                let version = self.house.store.find_policy(Some(&org)).await.unwrap().version;
                let answer = engine.save_policy(&caller, Some(&org), policy, version).await;
                self.heard(&caller, "save_policy", &answer, &[org.to_string()]).await;
            }
            17 => self.arrive((who, to, how)).await,
            18 => self.link(&caller, how).await,
            19..=22 => self.ruled((who, to, how)).await,
            _ => {
                let Some(token) = pick(&self.tokens, how) else { return };
                let answer = engine
                    .revoke_member_token(&caller, &other.org, &other.person, &token)
                    .await;
                self.heard(&caller, "revoke_member_token", &answer, &[]).await;
                if let Some(id) = pick(&self.sessions, to) {
                    let answer = engine.delete(&caller, &id).await;
                    self.heard(&caller, "delete", &answer, &[id.to_string()]).await;
                }
            }
        }
        self.mark().await;
    }
}

fn live_through(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for step in steps {
            Box::pin(world.step(step)).await;
        }
        for caller in world.people.clone() {
            if let Some(caller) = world.now(&caller).await {
                world.look(&caller).await;
                world.listen(&caller).await;
            }
        }
    });
}

proptest! {
    #![proptest_config(Config { cases: 8, max_shrink_iters: 40, failure_persistence: None, ..Config::default() })]

    #[test]
    fn nobody_hears_anything_of_an_organization_in_which_they_have_no_seat(
        steps in prop::collection::vec((0..24_u8, any::<u8>(), any::<u8>(), any::<u8>()), 20..60)
    ) {
        live_through(steps);
    }
}

#[test]
fn a_proof_that_finds_nothing_would_find_something() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let heard = runtime.block_on(async {
        let world = World::new().await;
        let stranger = Caller {
            proof: Proof::login(LoginId::new("none")),
            ..world.people[0].clone()
        };
        let secret = world.people[4].email.clone();
        let heard = tokio::spawn(async move { world.heard(&stranger, "a rumour", &secret, &[]).await });
        heard.await
    });
    assert!(heard.is_err(), "an address of another Organization is heard");
}
