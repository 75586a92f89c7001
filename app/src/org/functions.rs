//! What the pages of an Organization ask of the server: each is one call of the engine.

use crate::fault::Fault;
use domain::{
    OrgId, PersonId,
    id::{InvitationId, RequestId, TokenId},
    invitation::{Invitation, Invited},
    many::Outcome,
    member::{Held, ListMembers, Seat},
    org::Overview,
    page::Page,
    quota::{Limit, Limited, Limits, ListLimits, Quota, Request, Standing},
    token::Token,
};
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::{
    door::{ask, land},
    org::{address, limits},
};
#[cfg(feature = "ssr")]
use domain::quota::Subject;

/// One Organization, with its figures.
#[server(prefix = "/api/fn", endpoint = "org/overview", input = GetUrl)]
pub async fn org_overview(org: OrgId) -> Result<Overview, Fault> {
    ask(async move |engine, caller| engine.org(&caller, &org).await).await
}

/// What one member may run and keep who has no limits of their own, and what was done here lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lately {
    pub running: Limit,
    pub storage: Limit,
    /// Who runs most now.
    pub busiest: Vec<Held>,
    pub lines: Vec<domain::audit::Line>,
}

/// The rest of the overview: limits and the newest entries of the audit, a question each.
#[server(name = AskLately, prefix = "/api/fn", endpoint = "org/lately", input = GetUrl)]
pub async fn org_lately(org: OrgId) -> Result<Lately, Fault> {
    use domain::quota::Dimension;
    const SHOWN: u32 = 8;
    ask(async move |engine, caller| {
        let (plan, limits) = engine.limits(&caller, &org).await?;
        let everybody = |dimension| limits.0.get(&dimension).copied().unwrap_or_else(|| plan.of(dimension));
        let asked = domain::audit::Ask {
            org: Some(org.clone()),
            limit: SHOWN,
            ..Default::default()
        };
        Ok(Lately {
            running: everybody(Dimension::ConcurrentSessions),
            storage: everybody(Dimension::Storage),
            busiest: engine.busiest(&caller, &org).await?,
            lines: engine.audit(&caller, asked).await?.lines,
        })
    })
    .await
}

/// A page of seats.
#[server(name = AskMembers, prefix = "/api/fn", endpoint = "org/members", input = GetUrl)]
pub async fn list_members(org: OrgId, want: ListMembers) -> Result<Page<Seat>, Fault> {
    ask(async move |engine, caller| engine.members(&caller, &org, &want).await).await
}

/// A page of seats, each beside what its holder may have.
#[server(name = AskHeld, prefix = "/api/fn", endpoint = "org/members/held", input = GetUrl)]
pub async fn list_held(org: OrgId, want: ListMembers) -> Result<Page<Held>, Fault> {
    ask(async move |engine, caller| engine.members_held(&caller, &org, &want).await).await
}

/// The invitations that wait.
#[server(name = AskInvitations, prefix = "/api/fn", endpoint = "org/invitations", input = GetUrl)]
pub async fn list_invitations(org: OrgId) -> Result<Vec<Invitation>, Fault> {
    ask(async move |engine, caller| engine.invitations(&caller, &org).await).await
}

/// Where the form to invite goes without scripts; the server answers there with a plain page.
pub const INVITED: &str = "/org/members/invited";
/// The server function whose form it is: a refusal there is a refusal of this.
#[cfg(feature = "ssr")]
pub const INVITE: &str = <Invite as server_fn::ServerFn>::PATH;

/// What the fields of the form to invite ask for.
#[cfg(feature = "ssr")]
pub fn inviting(field: impl Fn(&str) -> Option<String>) -> Result<domain::invitation::Invite, domain::Problem> {
    use domain::{Role, quota::Dimension};
    let mut given = Limits::default();
    let text = field("concurrent_sessions").unwrap_or_default();
    if let Some(limit) = limits::parse(Dimension::ConcurrentSessions, &text)? {
        given.0.insert(Dimension::ConcurrentSessions, limit);
    }
    let role = field("role").unwrap_or_else(|| Role::Developer.as_str().to_owned());
    let role = Role::from_name(&role);
    Ok(domain::invitation::Invite {
        email: field("email").unwrap_or_default(),
        role: role.ok_or_else(|| domain::Problem::new("invalid-value", "Choose one of the roles.").at("role"))?,
        days: None,
        seat_days: limits::days(field("seat_days").as_deref(), "seat_days")?,
        limits: given,
    })
}

/// Invites somebody; the answer is the only one with the link.
#[server(prefix = "/api/fn", endpoint = "org/invite")]
pub async fn invite(
    org: OrgId,
    email: String,
    role: domain::Role,
    seat_days: Option<String>,
    concurrent_sessions: Option<String>,
) -> Result<Invited, Fault> {
    ask(async move |engine, caller| {
        let invite = inviting(|name| match name {
            "email" => Some(email.clone()),
            "role" => Some(role.as_str().to_owned()),
            "seat_days" => seat_days.clone(),
            _ => concurrent_sessions.clone(),
        })?;
        engine.invite(&caller, &org, invite).await
    })
    .await
}

/// Withdraws an invitation.
#[server(prefix = "/api/fn", endpoint = "org/withdraw")]
pub async fn withdraw_invitation(org: OrgId, id: InvitationId, back: Option<String>) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.withdraw_invitation(&caller, &org, &id).await).await?;
    land(back.as_deref().unwrap_or("/org/members"));
    Ok(())
}

/// All that the page of one member shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub seat: Seat,
    pub standing: Standing,
    /// What is set for this member alone.
    pub limits: Limits,
    pub tokens: Vec<Token>,
}

/// One member.
#[server(name = AskMember, prefix = "/api/fn", endpoint = "org/member", input = GetUrl)]
pub async fn show_member(org: OrgId, person: PersonId) -> Result<Member, Fault> {
    ask(async move |engine, caller| {
        let seat = engine.seat(&caller, &org, &person).await?;
        let standing = engine.member_standing(&caller, &org, &person).await?;
        let limits = engine
            .limits_of(&caller, &org, &Subject::Person(person.clone()))
            .await?;
        let tokens = engine.member_tokens(&caller, &org, &person).await?;
        Ok(Member {
            seat,
            standing,
            limits,
            tokens,
        })
    })
    .await
}

/// Changes a seat.
#[server(prefix = "/api/fn", endpoint = "org/seat")]
pub async fn change_seat(
    org: OrgId,
    person: PersonId,
    role: Option<domain::Role>,
    status: Option<domain::member::Status>,
    seat_days: Option<String>,
    back: Option<String>,
) -> Result<Seat, Fault> {
    let fallback = address(&format!("/org/members/{person}"), Some(&org));
    let seat = ask(async move |engine, caller| {
        let change = engine::SeatChange {
            role,
            status,
            seat_days: limits::days(seat_days.as_deref(), "seat_days")?,
            name: None,
        };
        engine.change_seat(&caller, &org, &person, change).await
    })
    .await?;
    land(back.as_deref().unwrap_or(&fallback));
    Ok(seat)
}

/// Removes a member; their sessions are kept asleep, or go to `to`.
#[server(prefix = "/api/fn", endpoint = "org/remove")]
pub async fn remove_member(org: OrgId, person: PersonId, to: Option<String>) -> Result<(), Fault> {
    use domain::member::Leaving;
    let list = address("/org/members", Some(&org));
    let leaving = match to.filter(|to| !to.is_empty()) {
        Some(to) => Leaving::HandOver { to: PersonId::new(to) },
        None => Leaving::Archive,
    };
    ask(async move |engine, caller| engine.remove_member(&caller, &org, &person, &leaving).await).await?;
    land(&list);
    Ok(())
}

/// Revokes a member's token.
#[server(prefix = "/api/fn", endpoint = "org/revoke")]
pub async fn revoke_member_token(org: OrgId, person: PersonId, id: TokenId) -> Result<(), Fault> {
    let back = address(&format!("/org/members/{person}"), Some(&org));
    ask(async move |engine, caller| engine.revoke_member_token(&caller, &org, &person, &id).await).await?;
    land(&back);
    Ok(())
}

/// What an Organization limits, and who asks for more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quotas {
    pub plan: Quota,
    /// What is set for everybody.
    pub limits: Limits,
    pub waiting: Vec<Request>,
    pub answered: Vec<Request>,
}

/// The quotas of an Organization.
#[server(name = AskQuotas, prefix = "/api/fn", endpoint = "org/quotas", input = GetUrl)]
pub async fn quotas(org: OrgId) -> Result<Quotas, Fault> {
    use domain::quota::State;
    ask(async move |engine, caller| {
        let (plan, limits) = engine.limits(&caller, &org).await?;
        let all = engine.requests(&caller, &org, None).await?;
        let (waiting, mut answered): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|request| request.state == State::Waiting);
        answered.truncate(20);
        Ok(Quotas {
            plan,
            limits,
            waiting,
            answered,
        })
    })
    .await
}

/// A page of what is set for groups, and for people alone.
#[server(name = AskLimits, prefix = "/api/fn", endpoint = "org/limits/list", input = GetUrl)]
pub async fn list_limits(org: OrgId, want: ListLimits) -> Result<Page<Limited>, Fault> {
    ask(async move |engine, caller| engine.limits_of_others(&caller, &org, &want).await).await
}

/// The limits of a form, one text a dimension; what is empty is left to the layer before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LimitFields {
    #[serde(default)]
    pub concurrent_sessions: String,
    #[serde(default)]
    pub sessions: String,
    #[serde(default)]
    pub cpu: String,
    #[serde(default)]
    pub memory: String,
    #[serde(default)]
    pub storage: String,
    #[serde(default)]
    pub lifetime: String,
    #[serde(default)]
    pub idle: String,
}

/// Sets the limits of everybody (`org`), a group or a person, whole.
#[server(prefix = "/api/fn", endpoint = "org/limits")]
pub async fn set_limits(
    org: OrgId,
    kind: String,
    subject: Option<String>,
    limits: LimitFields,
    back: Option<String>,
) -> Result<(), Fault> {
    ask(async move |engine, caller| {
        let named = subject.unwrap_or_default();
        let subject = Subject::from_parts(&kind, named.trim()).ok_or_else(|| {
            domain::Problem::new("invalid-value", "A limit is of an Organization, a group or a person.").at("kind")
        })?;
        let limits = limits::read(&limits)?;
        engine.set_limits(&caller, &org, &subject, &limits).await
    })
    .await?;
    land(back.as_deref().unwrap_or("/org/quotas"));
    Ok(())
}

/// Grants or declines a request.
#[server(prefix = "/api/fn", endpoint = "org/answer")]
pub async fn answer_request(
    org: OrgId,
    id: RequestId,
    granted: bool,
    days: Option<String>,
    word: Option<String>,
    back: Option<String>,
) -> Result<Request, Fault> {
    use domain::quota::Answer;
    let request = ask(async move |engine, caller| {
        let answer = if granted {
            Answer::Grant {
                limit: None,
                days: limits::days(days.as_deref(), "days")?,
            }
        } else {
            Answer::Decline {
                word: word.unwrap_or_default(),
            }
        };
        engine.answer_request(&caller, &org, &id, answer).await
    })
    .await?;
    land(back.as_deref().unwrap_or("/org/quotas"));
    Ok(request)
}

/// Answers many requests: each just as it was asked for, or none and why not. The answer says what became of each.
#[server(prefix = "/api/fn", endpoint = "org/answer/many")]
pub async fn answer_requests(
    org: OrgId,
    granted: bool,
    word: String,
    #[server(default)] ids: Vec<RequestId>,
) -> Result<Vec<Outcome>, Fault> {
    ask(async move |engine, caller| {
        let answer = domain::quota::Answer::to_all(granted, word);
        engine.answer_requests(&caller, &org, ids, &answer).await
    })
    .await
}

/// Gives an Organization another name.
#[server(prefix = "/api/fn", endpoint = "org/rename")]
pub async fn rename_org(org: OrgId, display_name: String, back: Option<String>) -> Result<Overview, Fault> {
    let overview = ask(async move |engine, caller| {
        let change = domain::org::Change {
            display_name: Some(display_name),
            ..Default::default()
        };
        engine.change_org(&caller, &org, &change).await
    })
    .await?;
    land(back.as_deref().unwrap_or("/org/settings"));
    Ok(overview)
}

/// The reader's own requests for more.
#[server(name = AskMyRequests, prefix = "/api/fn", endpoint = "quota/mine", input = GetUrl)]
pub async fn my_requests() -> Result<Vec<Request>, Fault> {
    ask(async |engine, caller| engine.my_requests(&caller).await).await
}

/// Asks for more.
#[server(prefix = "/api/fn", endpoint = "quota/ask")]
pub async fn ask_for_more(
    dimension: domain::quota::Dimension,
    wanted: String,
    days: Option<String>,
    why: String,
    back: Option<String>,
) -> Result<Request, Fault> {
    let request = ask(async move |engine, caller| {
        let wanted = limits::parse(dimension, &wanted)
            .map_err(|problem| problem.at("wanted"))?
            .ok_or_else(|| domain::Problem::new("missing-field", "Say how much you need.").at("wanted"))?;
        let ask = domain::quota::Ask {
            dimension,
            wanted,
            days: limits::days(days.as_deref(), "days")?,
            why,
        };
        engine.ask_for_more(&caller, ask).await
    })
    .await?;
    land(back.as_deref().unwrap_or("/usage"));
    Ok(request)
}

/// Takes one of the reader's own requests back.
#[server(prefix = "/api/fn", endpoint = "quota/withdraw")]
pub async fn withdraw_request(id: RequestId) -> Result<(), Fault> {
    ask(async move |engine, caller| engine.withdraw_request(&caller, &id).await).await?;
    land("/usage");
    Ok(())
}

/// A policy as a form gives it: lists one entry a line, numbers as text; what is empty is no rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyFields {
    /// `some` where only the ticked agents may be opened.
    #[serde(default)]
    pub which_agents: String,
    #[serde(default)]
    pub agents: Vec<String>,
    #[serde(default)]
    pub repositories: String,
    #[serde(default)]
    pub sharing: String,
    #[serde(default)]
    pub lifetime_hours: String,
    #[serde(default)]
    pub idle_minutes: String,
    #[serde(default)]
    pub idle_action: String,
    #[serde(default)]
    pub seeing: String,
    /// `yes`, `no`, or nothing.
    #[serde(default)]
    pub admins_watch: String,
    /// `no`, or nothing.
    #[serde(default)]
    pub recording: String,
    #[serde(default)]
    pub token_days: String,
    #[serde(default)]
    pub egress: String,
}

/// Both documents of an Organization; `None` for the installation, whose floor is then its own.
#[server(name = AskPolicy, prefix = "/api/fn", endpoint = "org/policy", input = GetUrl)]
pub async fn show_policy(org: Option<OrgId>) -> Result<Policies, Fault> {
    ask(async move |engine, caller| match org {
        Some(org) => {
            let engine::Policies { floor, own } = engine.policy(&caller, &org).await?;
            Ok(Policies { floor, own })
        }
        None => Ok(Policies {
            floor: domain::policy::Version::none(),
            own: engine.fleet_policy(&caller).await?,
        }),
    })
    .await
}

/// What holds: the floor of the installation, and the document that the page is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policies {
    pub floor: domain::policy::Version,
    pub own: domain::policy::Version,
}

/// What a policy would have refused in the last week; nothing is saved.
#[server(prefix = "/api/fn", endpoint = "org/policy/try")]
pub async fn try_policy(org: Option<OrgId>, policy: PolicyFields) -> Result<domain::policy::DryRun, Fault> {
    ask(async move |engine, caller| {
        let policy = crate::org::policy::read(policy)?;
        engine.try_policy(&caller, org.as_ref(), policy).await
    })
    .await
}

/// Saves a policy, based on the version that was read.
#[server(prefix = "/api/fn", endpoint = "org/policy/save")]
pub async fn save_policy(
    org: Option<OrgId>,
    policy: PolicyFields,
    based_on: i64,
) -> Result<domain::policy::Version, Fault> {
    let back = match &org {
        Some(_) => address("/org/policy", org.as_ref()),
        None => "/fleet/policy".to_owned(),
    };
    let version = ask(async move |engine, caller| {
        let policy = crate::org::policy::read(policy)?;
        engine.save_policy(&caller, org.as_ref(), policy, based_on).await
    })
    .await?;
    land(&back);
    Ok(version)
}
