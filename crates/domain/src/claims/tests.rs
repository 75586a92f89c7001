use super::*;
use serde_json::json;

/// Organization, role and groups.
type Seat = (String, Option<Role>, String);

struct Place {
    rules: Rules,
    bound: Option<OrgId>,
    tenant: Option<OrgId>,
}

impl Place {
    fn platform() -> Self {
        Self {
            rules: Rules::default(),
            bound: None,
            tenant: None,
        }
    }

    fn map(&self, claims: &Value) -> Mapped {
        let known = ["acme", "beta", "local"].map(OrgId::new);
        let known: Vec<OrgId> = named(claims, &self.rules)
            .into_iter()
            .filter(|org| known.contains(org))
            .collect();
        map(Ask {
            claims,
            rules: &self.rules,
            bound: self.bound.as_ref(),
            known: &known,
            tenant: self.tenant.as_ref(),
            home: &OrgId::new("local"),
        })
    }

    fn seats(&self, claims: Value) -> Vec<Seat> {
        let seat = |grant: Grant| (grant.org.as_str().to_owned(), grant.role, grant.groups.join(" "));
        self.map(&claims).grants.into_iter().map(seat).collect()
    }
}

fn seat(org: &str, role: impl Into<Option<Role>>, groups: &str) -> Seat {
    (org.to_owned(), role.into(), groups.to_owned())
}

#[test]
fn the_published_claims_give_what_the_platform_says() {
    use Role::{Developer, OrgAdmin, Owner, SuperAdmin, Viewer};
    let table: Vec<(Value, Vec<Seat>)> = vec![
        (json!({ "org_id": "acme" }), vec![seat("acme", None, "")]),
        // The legacy name counts only where the new one says nothing.
        (json!({ "org": "acme" }), vec![seat("acme", None, "")]),
        (json!({ "org_id": "beta", "org": "acme" }), vec![seat("beta", None, "")]),
        (json!({ "org_id": "", "org": "acme" }), vec![seat("acme", None, "")]),
        // Slugs are compared exactly.
        (json!({ "org_id": "Acme" }), vec![]),
        (json!({ "org_id": "nobody" }), vec![]),
        (
            json!({ "org_id": ["acme", "beta"] }),
            vec![seat("acme", None, ""), seat("beta", None, "")],
        ),
        (
            json!({ "org_id": "acme", "realm_access": { "roles": ["offline_access", "sovereign-admin"] } }),
            vec![seat("acme", SuperAdmin, "")],
        ),
        (
            json!({ "org_id": "acme", "realm_access": { "roles": "superadmin" } }),
            vec![seat("acme", SuperAdmin, "")],
        ),
        (
            json!({ "realm_access": { "roles": ["superadmin"] } }),
            vec![seat("local", SuperAdmin, "")],
        ),
        (
            json!({ "org_id": "acme", "role": "superadmin" }),
            vec![seat("acme", SuperAdmin, "")],
        ),
        (
            json!({ "org_id": "acme", "role": "member" }),
            vec![seat("acme", Developer, "")],
        ),
        (
            json!({ "org_id": "acme", "role": "king" }),
            vec![seat("acme", None, "")],
        ),
        (
            json!({ "org_id": "acme", "tier": "viewer" }),
            vec![seat("acme", Viewer, "")],
        ),
        (
            json!({ "org_id": "acme", "tier": "operator" }),
            vec![seat("acme", Developer, "")],
        ),
        (
            json!({ "org_id": "acme", "tier": "admin" }),
            vec![seat("acme", OrgAdmin, "")],
        ),
        (
            json!({ "org_id": "acme", "tier": "owner" }),
            vec![seat("acme", Owner, "")],
        ),
        // The strongest counts.
        (
            json!({ "org_id": "acme", "tier": "viewer", "role": "member" }),
            vec![seat("acme", Developer, "")],
        ),
        // The leading slash is optional, and the rest of a path is a group of its Organization.
        (
            json!({ "org_id": "acme", "groups": ["/acme/admins"] }),
            vec![seat("acme", OrgAdmin, "admins")],
        ),
        (
            json!({ "org_id": "acme", "groups": ["acme/admins"] }),
            vec![seat("acme", OrgAdmin, "admins")],
        ),
        (
            json!({ "org_id": "acme", "groups": ["/acme/team/backend", "/acme/viewers", "/acme"] }),
            vec![seat("acme", Viewer, "team/backend viewers")],
        ),
        // A group of another Organization gives a seat there, and nothing here.
        (
            json!({ "org_id": "acme", "groups": ["/beta/admins"] }),
            vec![seat("acme", None, ""), seat("beta", OrgAdmin, "admins")],
        ),
        (json!({ "groups": ["/beta"] }), vec![seat("beta", None, "")]),
        // A group of no Organization counts where the person sits, and gives no role by its name.
        (
            json!({ "org_id": "acme", "groups": ["/admins"] }),
            vec![seat("acme", None, "admins")],
        ),
        (
            json!({ "org_id": "acme", "groups": ["/sovereign-admins"] }),
            vec![seat("acme", SuperAdmin, "sovereign-admins")],
        ),
        (
            json!({ "org_id": "acme", "capabilities": ["sandbox.session.*"] }),
            vec![seat("acme", Developer, "")],
        ),
        (
            json!({ "org_id": "acme", "capabilities": ["sandbox.*"] }),
            vec![seat("acme", OrgAdmin, "")],
        ),
        (
            json!({ "org_id": "acme", "capabilities": [".*", "sandbox"] }),
            vec![seat("acme", None, "")],
        ),
        // Whoever names an Organization that is not there is let into no other by the way.
        (
            json!({ "org_id": "nobody", "groups": ["/acme/admins"], "role": "superadmin" }),
            vec![],
        ),
        // What is not shaped as it should be gives nothing.
        (
            json!({ "org_id": 7, "groups": { "acme": true }, "realm_access": "sovereign-admin" }),
            vec![],
        ),
        (json!({}), vec![]),
        (json!([]), vec![]),
        (json!("acme"), vec![]),
        (Value::Null, vec![]),
    ];
    for (claims, expected) in table {
        assert_eq!(Place::platform().seats(claims.clone()), expected, "{claims}");
    }
}

#[test]
fn a_provider_of_one_organization_speaks_for_no_other_and_makes_no_super_admin() {
    let place = Place {
        bound: Some(OrgId::new("acme")),
        ..Place::platform()
    };
    for (claims, expected) in [
        (json!({}), vec![seat("acme", None, "")]),
        (
            json!({ "org_id": "acme", "tier": "admin" }),
            vec![seat("acme", Role::OrgAdmin, "")],
        ),
        (json!({ "role": "superadmin" }), vec![seat("acme", Role::Owner, "")]),
        (
            json!({ "groups": ["/beta/admins", "/acme/viewers"] }),
            vec![seat("acme", Role::Viewer, "viewers")],
        ),
        (json!({ "groups": ["/team"] }), vec![seat("acme", None, "team")]),
        (json!({ "org_id": "beta" }), vec![]),
        (json!({ "org_id": "beta", "groups": ["/acme/admins"] }), vec![]),
        (json!({ "org_id": "beta", "role": "superadmin" }), vec![]),
    ] {
        let seats = place.seats(claims.clone());
        assert_eq!(seats, expected, "{claims}");
    }
}

#[test]
fn a_single_tenant_takes_who_names_no_organization_and_nobody_else() {
    let place = Place {
        tenant: Some(OrgId::new("local")),
        ..Place::platform()
    };
    assert_eq!(place.seats(json!({})), vec![seat("local", None, "")]);
    assert_eq!(place.seats(json!({ "org_id": "acme" })), vec![seat("acme", None, "")]);
    assert_eq!(place.seats(json!({ "org_id": "nobody" })), vec![]);
}

#[test]
fn every_seat_role_and_group_has_its_reason() {
    let mapped = Place::platform().map(&json!({
        "org_id": "acme", "groups": ["/acme/admins", "/beta/developers"], "tier": "viewer",
    }));
    let told: Vec<String> = mapped
        .reasons
        .iter()
        .map(|reason| format!("{}={}: {}", reason.claim, reason.value, reason.effect))
        .collect();
    assert_eq!(
        told,
        [
            "org_id=acme: a seat in acme",
            "groups=acme/admins: in the group admins of acme",
            "groups=acme/admins: org-admin in acme",
            "groups=beta/developers: a seat in beta",
            "groups=beta/developers: in the group developers of beta",
            "groups=beta/developers: developer in beta",
            "tier=viewer: viewer in acme, but a stronger role counts",
        ]
    );
    let lost = Place::platform().map(&json!({ "org_id": "nobody" }));
    assert_eq!(lost.refused, ["nobody"]);
    assert_eq!(lost.reasons[0].effect, "nothing: there is no such Organization");
}

#[test]
fn claims_of_other_names_do_as_well() {
    let rules = Rules {
        org: vec!["https://example.org/tenant".to_owned()],
        groups: "resource_access.sandbox.roles".to_owned(),
        ..Rules::default()
    };
    let place = Place {
        rules,
        ..Place::platform()
    };
    let claims = json!({
        "https://example.org/tenant": "acme", "org_id": "beta",
        "resource_access": { "sandbox": { "roles": ["acme/owners"] } },
    });
    assert_eq!(place.seats(claims), vec![seat("acme", Role::Owner, "owners")]);
}

#[test]
fn a_login_is_held_to_what_its_claim_lists_where_the_claim_is_there() {
    let rules = Rules::default();
    for (claims, held_to) in [
        (json!({}), None),
        (json!({ "capabilities": null }), None),
        (json!({ "capabilities": ["b.*", "a", "a"] }), Some(vec!["a", "b.*"])),
        (json!({ "capabilities": "a" }), Some(vec!["a"])),
        // Whoever meant to narrow is believed: what cannot be read leaves nothing.
        (json!({ "capabilities": [] }), Some(vec![])),
        (json!({ "capabilities": [1, {}, ""] }), Some(vec![])),
        (json!({ "capabilities": { "a": true } }), Some(vec![])),
    ] {
        let held_to = held_to.map(|all| all.into_iter().map(str::to_owned).collect());
        assert_eq!(narrowed(&claims, &rules), held_to, "{claims}");
    }
    let none = Rules {
        capabilities: String::new(),
        ..Rules::default()
    };
    assert_eq!(
        narrowed(&json!({ "capabilities": [] }), &none),
        None,
        "no claim narrows here"
    );
    let many: Vec<String> = (0..5000).map(|number| format!("c{number}")).collect();
    let bounded = narrowed(&json!({ "capabilities": many }), &rules).expect("narrowed");
    assert_eq!(bounded.len(), CAPABILITIES_MAX);
}

#[test]
fn what_narrows_is_explained_and_gives_no_role_beyond_the_rules() {
    let explained = |list: Value| {
        let mapped = Place::platform().map(&json!({ "org_id": "acme", "capabilities": list }));
        let reason = mapped
            .reasons
            .iter()
            .find(|reason| reason.rule.contains("login may do"));
        (mapped.grants[0].role, reason.expect("explained").effect.clone())
    };
    let (role, effect) = explained(json!(["sandbox.quota.see", "elsewhere.*"]));
    assert_eq!(role, None);
    assert!(effect.contains("narrowed to sandbox.quota.see,"), "{effect}");
    assert!(explained(json!(["elsewhere.*"])).1.contains("narrowed to nothing"));
    assert!(explained(json!(["sandbox.*"])).1.contains("narrowed by nothing"));
}

#[test]
fn however_many_values_a_token_holds_what_follows_is_bounded() {
    let groups: Vec<String> = (0..5000).map(|number| format!("/acme/g{number}")).collect();
    let long = "x".repeat(100_000);
    let mapped = Place::platform().map(&json!({ "org_id": "acme", "groups": groups, "tier": long }));
    assert_eq!(mapped.grants[0].groups.len(), GROUPS_MAX);
    assert_eq!(mapped.reasons.len(), REASONS_MAX);
}
