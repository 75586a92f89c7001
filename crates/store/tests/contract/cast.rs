//! Who takes part in the stories: Ann and Bob of Acme, Eve of Other.

use domain::{
    OrgId, PersonId, Role, SessionId, Timestamp,
    audit::{Ask, Entry},
    event::Event,
    id::{InvitationId, LoginId, RequestId},
    invitation::Invitation,
    login::Login,
    member::Seat,
    org::Org,
    quota::{self, Dimension, Limit, Limits},
    session::Session,
};
use engine::ports::{
    Acceptance, Asked, Bounds, Hash, Member, NewLogin, Opened, Outgoing, Record, Scope, SeatPatch, Seated, Store,
    Visible,
};
/// All that a store answers, for whoever has one in hand.
pub(crate) use engine::ports::{
    Devices as _, Directories as _, Identities as _, Invitations as _, Letters as _, Logins as _, Members as _,
    Organizations as _, Policies as _, Quotas as _, Secrets as _, Sessions as _, Store as _, Switches as _,
    Tokens as _, Trails as _, Usages as _,
};
use serde_json::json;
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::JoinSet;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000).plus_seconds(second)
}

pub(crate) fn acme() -> OrgId {
    OrgId::new("acme")
}

pub(crate) fn other() -> OrgId {
    OrgId::new("other")
}

pub(crate) fn of(org: OrgId) -> Scope {
    Scope::Org(org)
}

pub(crate) fn person(id: &str) -> PersonId {
    PersonId::new(id)
}

pub(crate) fn hash(text: &str) -> Hash {
    Hash(text.to_owned())
}

/// Bounds that let so many sessions run at once.
pub(crate) fn at_most(live: u64) -> Bounds {
    Bounds {
        live: Some(live),
        ..Bounds::default()
    }
}

pub(crate) fn org(id: &OrgId) -> Org {
    Org::new(id.clone(), format!("The {id}"), at(0))
}

pub(crate) fn member(org: &OrgId, id: &str, role: Role) -> Member {
    Member {
        person: person(id),
        email: format!("{id}@example.org"),
        name: id.to_owned(),
        org: org.clone(),
        role,
    }
}

pub(crate) fn ann() -> Member {
    member(&acme(), "ann", Role::OrgAdmin)
}

pub(crate) fn bob() -> Member {
    member(&acme(), "bob", Role::Developer)
}

pub(crate) fn eve() -> Member {
    member(&other(), "eve", Role::Developer)
}

/// Two Organizations and their members.
pub(crate) async fn settle(store: &dyn Store) {
    for id in [acme(), other()] {
        store
            .record_org(&org(&id), Record::default())
            .await
            .expect("an Organization");
    }
    for (second, member) in (0..).zip([ann(), bob(), eve()]) {
        store
            .record_member(&member, at(second), Record::default())
            .await
            .expect("a member");
    }
}

pub(crate) fn session(owner: &Member, id: &str) -> Session {
    Session {
        created_at: at(100),
        active_at: at(100),
        owner_name: owner.name.clone(),
        owner_email: owner.email.clone(),
        ..Session::example(SessionId::new(id), owner.org.clone(), owner.person.clone())
    }
}

/// Records a session as it is given.
pub(crate) async fn open(store: &dyn Store, session: &Session) {
    let opened = store
        .record_opened(session, Bounds::default(), None, Record::default())
        .await
        .expect("opens");
    assert_eq!(opened, Opened::Recorded(session.clone()));
}

/// A login whose cookie has the hash `cookie-<id>`.
pub(crate) fn new_login(id: &str, expires_at: Timestamp) -> NewLogin {
    let login = Login {
        id: LoginId::new(id),
        user_agent: "Firefox".to_owned(),
        address: "127.0.0.1".to_owned(),
        created_at: at(10),
        seen_at: at(10),
        expires_at,
        current: false,
        narrowed: None,
    };
    NewLogin {
        login,
        hash: hash(&format!("cookie-{id}")),
    }
}

/// An invitation that was made at 10 and can be accepted until 1000.
pub(crate) fn invitation(org: &OrgId, id: &str, email: &str) -> Invitation {
    Invitation {
        id: InvitationId::new(id),
        org: org.clone(),
        email: email.to_owned(),
        role: Role::Developer,
        by: "ann@example.org".to_owned(),
        created_at: at(10),
        expires_at: at(1000),
        seat_ends_at: None,
        limits: Limits::default(),
        letter: None,
    }
}

/// Invites this address by the link `link-<address>`.
pub(crate) async fn invite(store: &dyn Store, org: &OrgId, email: &str) {
    let link = hash(&format!("link-{email}"));
    let asked = store
        .record_invitation(
            &invitation(org, email, email),
            &link,
            None,
            500,
            at(10),
            Record::default(),
        )
        .await
        .expect("an answer");
    assert_eq!(asked, Asked::Recorded);
}

/// Somebody of this id, new, or with the address of an account they have.
pub(crate) fn acceptance(id: &str, email: Option<&str>) -> Acceptance {
    Acceptance {
        person: person(id),
        name: id.to_owned(),
        email: email.map(str::to_owned),
        login: None,
    }
}

/// The seat of somebody who has one, or had.
pub(crate) async fn seat(store: &dyn Store, org: &OrgId, id: &str) -> Seat {
    let seat = store.find_seat(org, &person(id)).await.expect("an answer");
    seat.expect("a seat")
}

/// Changes a seat, which may be changed.
pub(crate) async fn change(store: &dyn Store, member: &Member, patch: SeatPatch) -> Seat {
    let was = seat(store, &member.org, member.person.as_str()).await;
    let answer = store.change_seat(&was, &patch, at(12), Record::default()).await;
    match answer.expect("an answer") {
        Seated::Done(seat) => seat,
        other => panic!("{other:?}"),
    }
}

/// Gives a seat that ends by itself.
pub(crate) async fn seat_until(store: &dyn Store, member: &Member, end: Timestamp) -> Seat {
    store
        .record_member(member, at(5), Record::default())
        .await
        .expect("added");
    let patch = SeatPatch {
        ends_at: Some(Some(end)),
        ..SeatPatch::default()
    };
    change(store, member, patch).await
}

/// A wish for five sessions at once, made at 10.
pub(crate) fn request(member: &Member, id: &str) -> quota::Request {
    quota::Request {
        id: RequestId::new(id),
        org: member.org.clone(),
        person: member.person.clone(),
        name: member.name.clone(),
        email: member.email.clone(),
        dimension: Dimension::ConcurrentSessions,
        wanted: Limit::At(5),
        days: Some(7),
        why: "There is much to do.".to_owned(),
        state: quota::State::Waiting,
        asked_at: at(10),
        answered_at: None,
        answered_by: None,
        answer: None,
        ends_at: None,
    }
}

/// An audit entry and an event that say so.
pub(crate) fn record(org: &OrgId, what: &str) -> Record {
    Record {
        audit: vec![entry(org, what, what)],
        events: vec![outgoing(org, what, None, false)],
    }
}

pub(crate) fn entry(org: &OrgId, action: &str, target: &str) -> Entry {
    Entry {
        at: at(200),
        org: org.clone(),
        person: Some(person("ann")),
        actor: "Ann".to_owned(),
        via: "login".to_owned(),
        role: Some("developer".to_owned()),
        address: Some("192.0.2.7".to_owned()),
        action: action.to_owned(),
        target: target.to_owned(),
        detail: json!({ "was": null, "is": ["ü", 1] }),
        request: Some("r-1".to_owned()),
    }
}

/// The newest audit entries, of one thing or (`""`) of all.
pub(crate) async fn audited(store: &dyn Store, scope: &Scope, target: &str) -> Vec<Entry> {
    let ask = Ask {
        target: target.to_owned(),
        limit: 100,
        ..Ask::default()
    };
    let trail = store.list_audit(scope, &ask).await.expect("entries");
    trail.lines.into_iter().map(|line| line.entry).collect()
}

pub(crate) fn outgoing(org: &OrgId, what: &str, owner: Option<&str>, shared: bool) -> Outgoing {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Outgoing {
        event: Event {
            id: format!("event-{number:06}"),
            kind: "sandbox.session.moved".to_owned(),
            source: "sandbox".to_owned(),
            timestamp: at(300),
            tenant_id: org.clone(),
            data: json!({ "what": what }),
            metadata: None,
        },
        owner: owner.map(person),
        shared,
    }
}

pub(crate) fn visible(scope: Scope, only: Option<&str>) -> Visible {
    Visible {
        scope,
        only: only.map(person),
        peers: domain::policy::Seeing::Own,
    }
}

/// What the events say that this caller finds from the beginning.
pub(crate) async fn told(store: &dyn Store, visible: &Visible) -> Vec<String> {
    let events = store.events_after(visible, 0, 1000).await.expect("events");
    let what = |event: &Event| event.data["what"].as_str().expect("says what").to_owned();
    events.iter().map(|(_, event)| what(event)).collect()
}

/// Does the same thing many times at once; the answers, in any order.
pub(crate) async fn at_once<T, F>(times: usize, what: impl Fn(usize) -> F) -> Vec<T>
where
    T: Debug + Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(times));
    let mut all = JoinSet::new();
    for number in 0..times {
        let (start, one) = (start.clone(), what(number));
        all.spawn(async move {
            start.wait().await;
            one.await
        });
    }
    all.join_all().await
}
