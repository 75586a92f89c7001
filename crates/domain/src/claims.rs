//! What an identity provider says of a person, and what follows from it: seats, roles, groups, each with its reason.
//!
//! Rules are data. Mapping is one pure function, so that a page can show for any token what it would give and why.

use crate::{
    OrgId, Role, Timestamp,
    permit::{Verb, has_capability},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// So many values of one claim are looked at.
const VALUES_MAX: usize = 1000;
/// So many groups of one person in one Organization are kept.
const GROUPS_MAX: usize = 200;
/// So many reasons are given.
const REASONS_MAX: usize = 200;
/// So many capabilities of one login are kept.
const CAPABILITIES_MAX: usize = 200;
/// The longest value that is looked at, in bytes: longer ones name nothing here.
const VALUE_MAX: usize = 256;

/// How a provider's claims become seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The claims that name a person's Organization by its slug; the first that says something counts.
    pub org: Vec<String>,
    /// The claim that lists groups as paths, `/acme/admins`; the leading slash may be missing.
    pub groups: String,
    /// Whether a path that begins with an Organization's slug gives a seat there.
    pub group_seats: bool,
    /// Roles in the Organization that the claims name. The strongest that applies counts.
    pub roles: Vec<Rule>,
    /// Roles by the rest of a group's path in its Organization. The strongest that applies counts.
    pub group_roles: Vec<GroupRule>,
    /// The role of a new seat for which no rule says one.
    pub new_role: Role,
    /// The claim with the e-mail address.
    pub email: String,
    /// The claims with the name to show; the first that says something counts.
    pub name: Vec<String>,
    /// The claim that lists what a login may do: where it is there, the login does nothing else. Empty: no claim does.
    pub capabilities: String,
}

/// A role for a value of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The claim's name; dots go into objects, as in `realm_access.roles`.
    pub claim: String,
    pub value: String,
    pub role: Role,
    /// The claim lists capabilities, of which one must cover the value ([`has_capability`]).
    #[serde(default)]
    pub capability: bool,
}

/// A role for a group of an Organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// The path below the Organization's, without slashes around it: `admins` for `/acme/admins`.
    pub group: String,
    pub role: Role,
}

impl Default for Rules {
    /// The platform's published claims.
    fn default() -> Self {
        let text = str::to_owned;
        let rule = |claim: &str, value: &str, role| Rule {
            claim: text(claim),
            value: text(value),
            role,
            capability: false,
        };
        let capability = |value: &str, role| Rule {
            capability: true,
            ..rule("capabilities", value, role)
        };
        let group = |group: &str, role| GroupRule {
            group: text(group),
            role,
        };
        Self {
            org: vec![text("org_id"), text("org")],
            groups: text("groups"),
            group_seats: true,
            roles: vec![
                rule("realm_access.roles", "sovereign-admin", Role::SuperAdmin),
                rule("realm_access.roles", "superadmin", Role::SuperAdmin),
                rule("groups", "sovereign-admins", Role::SuperAdmin),
                rule("role", "sovereign-admin", Role::SuperAdmin),
                rule("role", "superadmin", Role::SuperAdmin),
                rule("role", "member", Role::Developer),
                rule("tier", "owner", Role::Owner),
                rule("tier", "admin", Role::OrgAdmin),
                rule("tier", "operator", Role::Developer),
                rule("tier", "developer", Role::Developer),
                rule("tier", "viewer", Role::Viewer),
                capability("sandbox.org.manage", Role::OrgAdmin),
                capability("sandbox.session.open", Role::Developer),
            ],
            group_roles: vec![
                group("owners", Role::Owner),
                group("admins", Role::OrgAdmin),
                group("developers", Role::Developer),
                group("viewers", Role::Viewer),
            ],
            new_role: Role::Developer,
            email: text("email"),
            name: vec![text("name"), text("preferred_username")],
            capabilities: text("capabilities"),
        }
    }
}

/// What is mapped, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub claims: &'a Value,
    pub rules: &'a Rules,
    /// The one Organization that the provider speaks for; `None`: it speaks for the installation.
    pub bound: Option<&'a OrgId>,
    /// Organizations that exist, among those of [`named`].
    pub known: &'a [OrgId],
    /// Where who names no Organization belongs, in an installation with a single tenant.
    pub tenant: Option<&'a OrgId>,
    /// The installation's own Organization, where its super-admins sit who name no other.
    pub home: &'a OrgId,
}

/// What claims give.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// The seats; a sign-in begins in the first.
    pub grants: Vec<Grant>,
    /// Organizations that the claims name and that do not exist here, or that the provider may not speak for.
    pub refused: Vec<String>,
    /// What the login is held to, whatever the role may ([`narrowed`]).
    pub narrowed: Option<Vec<String>>,
    pub reasons: Vec<Reason>,
}

/// A seat that claims give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub org: OrgId,
    /// `None`: no rule says one; a seat that is there keeps its own.
    pub role: Option<Role>,
    /// Sorted, without slashes around them and without the Organization's own part.
    pub groups: Vec<String>,
}

/// Why something was given, or was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub claim: String,
    pub value: String,
    /// The rule, in words.
    pub rule: String,
    /// What follows, in words.
    pub effect: String,
}

/// What claims say, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The provider by whose rules.
    pub provider: String,
    /// When the provider said so; `None`: it was pasted.
    pub proven_at: Option<Timestamp>,
    /// Names and values, by name; long values are cut.
    pub claims: Vec<(String, String)>,
    pub mapped: Mapped,
}

/// The values of a claim: a text, a list of texts, a number or a truth; dots in `path` go into objects.
pub fn values<'a>(claims: &'a Value, path: &str) -> Vec<&'a str> {
    let found = find(claims, path);
    let fits = |value: &'a Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty() && text.len() <= VALUE_MAX)
    };
    match found {
        Some(Value::Array(list)) => list.iter().filter_map(fits).take(VALUES_MAX).collect(),
        Some(value) => fits(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn find<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| {
        path.split('.')
            .try_fold(claims, |inside, part| inside.as_object()?.get(part))
    })
}

/// The slugs that claims may mean: those of which [`Ask::known`] has to say whether they exist.
pub fn named(claims: &Value, rules: &Rules) -> Vec<OrgId> {
    let mut slugs: Vec<&str> = rules.org.iter().flat_map(|claim| values(claims, claim)).collect();
    if rules.group_seats {
        slugs.extend(groups(claims, rules).map(|path| path.split('/').next().unwrap_or_default()));
    }
    slugs.retain(|slug| crate::org::slug(slug).is_ok());
    slugs.sort_unstable();
    slugs.dedup();
    slugs.into_iter().take(GROUPS_MAX).map(OrgId::new).collect()
}

/// What a login with these claims is held to; `None`: the claim is not there, and the login may do all that its role may.
/// It takes and never gives. A claim that is there and names nothing, or is no list of texts, leaves nothing: whoever
/// meant to narrow is believed rather than overlooked.
pub fn narrowed(claims: &Value, rules: &Rules) -> Option<Vec<String>> {
    if rules.capabilities.is_empty() {
        return None;
    }
    match find(claims, &rules.capabilities)? {
        Value::Null => None,
        _ => {
            let mut all: Vec<String> = values(claims, &rules.capabilities)
                .into_iter()
                .map(str::to_owned)
                .collect();
            all.sort_unstable();
            all.dedup();
            all.truncate(CAPABILITIES_MAX);
            Some(all)
        }
    }
}

/// Maps claims to seats, with a reason for everything.
pub fn map(ask: Ask<'_>) -> Mapped {
    let mut map = Mapping {
        ask,
        mapped: Mapped::default(),
    };
    map.organizations();
    map.group_seats();
    map.roles();
    map.narrowed();
    map.mapped
}

struct Mapping<'a> {
    ask: Ask<'a>,
    mapped: Mapped,
}

impl Mapping<'_> {
    /// Seats by the claims that name an Organization, or by where the provider or the installation stands.
    fn organizations(&mut self) {
        let Ask { claims, rules, .. } = self.ask;
        let said = rules
            .org
            .iter()
            .map(|claim| (claim, values(claims, claim)))
            .find(|(_, slugs)| !slugs.is_empty());
        if let Some((claim, slugs)) = said {
            for slug in slugs.into_iter().take(GROUPS_MAX) {
                self.seat(claim, slug);
            }
            return;
        }
        let asked = rules.org.join(", ");
        if let Some(bound) = self.ask.bound {
            self.grant(bound.clone());
            self.reason(
                &asked,
                "",
                "the provider speaks for one Organization",
                format!("a seat in {bound}"),
            );
        } else if let Some(tenant) = self.ask.tenant {
            self.grant(tenant.clone());
            self.reason(
                &asked,
                "",
                "the installation has a single tenant",
                format!("a seat in {tenant}"),
            );
        } else {
            self.reason(&asked, "", "no claim names an Organization", "no seat by it".to_owned());
        }
    }

    fn seat(&mut self, claim: &str, slug: &str) {
        let rule = "the claim names the Organization";
        let org = OrgId::new(slug);
        if self.ask.bound.is_some_and(|bound| *bound != org) {
            self.mapped.refused.push(slug.to_owned());
            let effect = "nothing: this provider may not speak for it".to_owned();
            self.reason(claim, slug, rule, effect);
        } else if self.ask.known.contains(&org) {
            self.grant(org);
            self.reason(claim, slug, rule, format!("a seat in {slug}"));
        } else {
            self.mapped.refused.push(slug.to_owned());
            self.reason(claim, slug, rule, "nothing: there is no such Organization".to_owned());
        }
    }

    /// Seats, groups and roles by the paths of groups.
    fn group_seats(&mut self) {
        let Ask { claims, rules, .. } = self.ask;
        let first = self.mapped.grants.first().map(|grant| grant.org.clone());
        // Whoever names an Organization that is not theirs here is let into no other by the way.
        let refused = first.is_none() && !self.mapped.refused.is_empty();
        for path in groups(claims, rules).collect::<Vec<_>>() {
            let (top, below) = path.split_once('/').unwrap_or((path, ""));
            let org = OrgId::new(top);
            if !self.ask.known.contains(&org) {
                // A group of no Organization in particular counts where the person sits.
                if let Some(first) = &first {
                    self.group(first, path, path);
                }
                continue;
            }
            let may_speak = self.ask.bound.is_none_or(|bound| *bound == org) && !refused;
            let has_seat = self.mapped.grants.iter().any(|grant| grant.org == org);
            if !may_speak || !(has_seat || rules.group_seats) {
                continue;
            }
            if !has_seat {
                self.grant(org.clone());
                let rule = "a group's path begins with the Organization";
                self.reason(&rules.groups, path, rule, format!("a seat in {org}"));
            }
            if !below.is_empty() {
                self.group(&org, path, below);
            }
        }
    }

    fn group(&mut self, org: &OrgId, path: &str, group: &str) {
        let claim = &self.ask.rules.groups;
        let Some(grant) = self.mapped.grants.iter_mut().find(|grant| grant.org == *org) else {
            return;
        };
        match grant.groups.binary_search_by(|known| known.as_str().cmp(group)) {
            Err(place) if grant.groups.len() < GROUPS_MAX => grant.groups.insert(place, group.to_owned()),
            _ => return,
        }
        self.reason(claim, path, "a group", format!("in the group {group} of {org}"));
        let rule = self.ask.rules.group_roles.iter().filter(|rule| rule.group == group);
        if let Some(rule) = rule.max_by_key(|rule| rule.role)
            && path != group
        {
            self.role(org, claim, path, rule.role, "a group that gives a role");
        }
    }

    /// Roles by other claims, in the Organization where the sign-in begins.
    fn roles(&mut self) {
        let Ask { claims, rules, .. } = self.ask;
        for rule in &rules.roles {
            let held = values(claims, &rule.claim);
            let by_group = rule.claim == rules.groups;
            let found = held.iter().find(|held| match (rule.capability, by_group) {
                (true, _) => has_capability(&[(**held).to_owned()], &rule.value),
                (false, true) => trimmed(held) == trimmed(&rule.value),
                (false, false) => **held == rule.value,
            });
            let Some(found) = found else { continue };
            if self.mapped.grants.is_empty() {
                // Somebody who runs the installation and names no Organization sits in the installation's own.
                let runs_it = rule.role == Role::SuperAdmin && self.ask.bound.is_none();
                if !runs_it || !self.mapped.refused.is_empty() {
                    continue;
                }
                self.grant(self.ask.home.clone());
            }
            let org = self.mapped.grants[0].org.clone();
            let words = if rule.capability {
                "a capability that gives a role"
            } else {
                "a value that gives a role"
            };
            self.role(&org, &rule.claim, found, rule.role, words);
        }
    }

    /// What the login is held to.
    fn narrowed(&mut self) {
        let Ask { claims, rules, .. } = self.ask;
        let Some(narrowed) = narrowed(claims, rules) else {
            return;
        };
        // What of it means something here; the platform's other parts have capabilities of their own.
        let ours: Vec<&str> = Verb::ALL
            .into_iter()
            .map(Verb::capability)
            .filter(|capability| has_capability(&narrowed, capability))
            .collect();
        let effect = match (ours.len(), Verb::ALL.len()) {
            (0, _) => "narrowed to nothing: none of these is a capability here".to_owned(),
            (some, all) if some == all => "narrowed by nothing: all capabilities here are among these".to_owned(),
            _ => format!("narrowed to {}, and to no more than the role may", ours.join(", ")),
        };
        let value = narrowed.join(", ");
        self.reason(
            &rules.capabilities,
            &value,
            "the claim lists what a login may do",
            effect,
        );
        self.mapped.narrowed = Some(narrowed);
    }

    fn role(&mut self, org: &OrgId, claim: &str, value: &str, role: Role, rule: &str) {
        // A provider that speaks for one Organization makes nobody more than its owner.
        let (role, capped) = match self.ask.bound {
            Some(_) if role > Role::Owner => (Role::Owner, true),
            _ => (role, false),
        };
        let Some(grant) = self.mapped.grants.iter_mut().find(|grant| grant.org == *org) else {
            return;
        };
        let before = grant.role;
        grant.role = before.max(Some(role));
        let mut effect = format!("{} in {org}", role.as_str());
        if capped {
            effect.push_str(", the most that this provider may give");
        } else if before > Some(role) {
            effect.push_str(", but a stronger role counts");
        }
        self.reason(claim, value, rule, effect);
    }

    fn grant(&mut self, org: OrgId) {
        if !self.mapped.grants.iter().any(|grant| grant.org == org) {
            self.mapped.grants.push(Grant {
                org,
                role: None,
                groups: Vec::new(),
            });
        }
    }

    fn reason(&mut self, claim: &str, value: &str, rule: &str, effect: String) {
        if self.mapped.reasons.len() < REASONS_MAX {
            self.mapped.reasons.push(Reason {
                claim: claim.to_owned(),
                value: value.to_owned(),
                rule: rule.to_owned(),
                effect,
            });
        }
    }
}

fn groups<'a>(claims: &'a Value, rules: &Rules) -> impl Iterator<Item = &'a str> {
    values(claims, &rules.groups).into_iter().map(trimmed)
}

fn trimmed(path: &str) -> &str {
    path.trim_matches('/')
}

#[cfg(test)]
mod tests;
