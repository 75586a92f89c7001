//! Every route of the document x every role x one's own, a colleague's and another Organization's session: what comes
//! back is what the one table of `domain::permit` says.

use crate::world::{Person, World};
use domain::{
    Caller, OrgId, PersonId, Role, SessionId,
    caller::Proof,
    id::LoginId,
    permit::{Reach, Verb, reach},
    session::Session,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One route, and the verb that it says it needs.
struct Route {
    method: Method,
    path: String,
    /// `None`: whoever is signed in.
    verb: Option<Verb>,
}

impl Route {
    fn is_of_a_session(&self) -> bool {
        self.path.starts_with("/api/v1/sandbox/sessions/{id}")
    }

    /// A deletion ends what the others need.
    fn is_last(&self) -> bool {
        self.method == Method::DELETE && self.path == "/api/v1/sandbox/sessions/{id}"
    }

    fn is_of_an_organization(&self) -> bool {
        self.path.starts_with("/api/v1/orgs/{org}")
    }

    /// Whether it is of a thing that is not there, whoever asks.
    fn is_of_nothing(&self) -> bool {
        ["{person}", "{request}", "{invitation}", "{token}", "{terminal}", "{id}"]
            .iter()
            .any(|part| self.path.contains(part))
    }

    /// A request that gets as far as the permit, and does no more than it must.
    async fn ask(&self, person: &Person, session: &str, org: &str) -> StatusCode {
        let path = self.path.replace("/sessions/{id}", &format!("/sessions/{session}"));
        let path = path
            .replace("{org}", org)
            .replace("{slug}", "shell")
            .replace("{terminal}", "none")
            .replace("{person}", "none")
            .replace("{request}", "none")
            .replace("{invitation}", "none")
            .replace("{token}", "none")
            .replace("{position}", "1")
            .replace("{id}", "none");
        let body = match path.rsplit('/').next().unwrap_or_default() {
            "organization" => json!({ "org": org }),
            "state" => json!({ "state": "active" }),
            "quotas" => json!({ "kind": "org", "limits": {} }),
            "requests" => json!({ "dimension": "sessions", "wanted": 5, "why": "x" }),
            "answer" => json!({ "granted": false, "word": "x" }),
            "sessions" => json!({ "agent": "none" }),
            "resize" => json!({ "rows": 24, "cols": 80 }),
            "signal" => json!({ "signal": "WINCH" }),
            "many" => json!({ "members": ["none"], "role": "viewer", "requests": ["none"], "granted": true }),
            "revoke" => json!({ "ids": ["none"] }),
            "switch" => json!({ "enabled": true }),
            _ => json!({ "name": "x" }),
        };
        let request = person.ask(self.method.clone(), &path);
        let request = if self.method == Method::GET {
            request
        } else {
            request.json(&body)
        };
        request.send().await.expect("an answer").status()
    }
}

fn routes(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let permit = &operation["x-permit"];
            // What anybody may ask says so, and has its own tests.
            if permit == "anybody" {
                continue;
            }
            let verb = (permit != "signed-in").then(|| serde_json::from_value(permit.clone()).expect("a verb"));
            let method = method.to_uppercase().parse().expect("a method");
            routes.push(Route {
                method,
                path: path.clone(),
                verb,
            });
        }
    }
    routes.sort_by_key(Route::is_last);
    routes
}

async fn documented(world: &World) -> Vec<Route> {
    let request = world.nobody().ask(Method::GET, "/api/v1/openapi.json");
    let document = request.send().await.expect("an answer").json().await.expect("JSON");
    let routes = routes(&document);
    assert!(routes.len() > 50, "the whole document: {}", routes.len());
    routes
}

/// What the table says of a session of `owner` in `acme`.
fn expected(verb: Verb, caller: &Caller, owner: &str) -> [u16; 1] {
    let session = Session::example(SessionId::new("s"), OrgId::new("acme"), PersonId::new(owner));
    match (caller.may(verb, &session), caller.may(Verb::SeeSession, &session)) {
        (true, _) => [200],
        (false, true) => [403],
        (false, false) => [404],
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_lets_in() {
    let world = World::with(&["--plan", "sandbox-ent", "--expensive-per-minute", "10000"]).await;
    let routes = documented(&world).await;
    let ada = world.member("acme", "ada@acme.test", Role::Developer).await;
    for role in Role::ALL {
        for (whose, org) in [("own", "acme"), ("colleague", "acme"), ("stranger", "globex")] {
            let email = format!("{whose}-{}@{org}.test", role.as_str());
            // A viewer has sessions of their own only from a time when they were more.
            let person = world.member(org, &email, role.max(Role::Developer)).await;
            let owner = if whose == "own" { &person } else { &ada };
            let id = owner.open_shell("matrix").await;
            world.member(org, &email, role).await;
            let caller = Caller {
                person: PersonId::new(whose),
                email: email.clone(),
                name: whose.to_owned(),
                org: OrgId::new(org),
                role,
                proof: Proof::login(LoginId::new("l")),
                request: None,
                address: None,
            };
            for route in &routes {
                if route.is_of_an_organization() {
                    of_an_organization(route, &person, role, org).await;
                    continue;
                }
                let status = route.ask(&person, &id, org).await.as_u16();
                let who = format!("{} {} by {email}: {status}", route.method, route.path);
                assert_ne!(status, 401, "{who}");
                assert!(status < 500 || status == 503, "{who}");
                let Some(verb) = route.verb else { continue };
                if !route.is_of_a_session() {
                    assert_eq!(status == 403, reach(role, verb) == Reach::Nothing, "{who}");
                    continue;
                }
                match expected(verb, &caller, if whose == "own" { "own" } else { "ada" }) {
                    // Deleting what is not there succeeds, and so does deleting what one may not know of.
                    [404] if route.is_last() => {
                        assert_eq!(status, 204, "{who}");
                        let (still, _) = owner.get(&format!("/sandbox/sessions/{id}")).await;
                        assert_eq!(still, StatusCode::OK, "{who}, and it was deleted");
                    }
                    [200] => assert!(
                        status != 403 && (status != 404 || route.path.ends_with("{terminal}")),
                        "{who}"
                    ),
                    [refused] => assert_eq!(status, refused, "{who}"),
                }
            }
            owner
                .api(Method::DELETE, &format!("/sandbox/sessions/{id}"), None)
                .await;
        }
    }
}

/// Their own Organization answers those who govern it; another's is not there, except for those who run the installation.
async fn of_an_organization(route: &Route, person: &Person, role: Role, org: &str) {
    let verb = route.verb.expect("whoever governs an Organization needs a verb for it");
    let reach = reach(role, verb);
    let elsewhere = if org == "acme" { "globex" } else { "acme" };
    for (asked, needed) in [(org, Reach::Org), (elsewhere, Reach::Fleet)] {
        let status = route.ask(person, "none", asked).await.as_u16();
        let who = format!(
            "{} {} of {asked} by {} of {org}: {status}",
            route.method,
            route.path,
            role.as_str()
        );
        match reach {
            Reach::Nothing => assert_eq!(status, 403, "{who}"),
            reach if reach < needed => assert_eq!(status, 404, "{who}"),
            _ => {
                assert!(status != 401 && status != 403 && status < 500, "{who}");
                assert!(status != 404 || route.is_of_nothing(), "{who}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_signing_in_and_a_token_no_further_than_it_says() {
    let world = World::new().await;
    let routes = documented(&world).await;
    let admin = world.admin().await;
    let id = admin.open_shell("matrix").await;
    let (_, minted) = admin
        .post(
            "/tokens",
            json!({ "name": "little", "capabilities": ["sandbox.quota.see"] }),
        )
        .await;
    let program = admin.with_token(minted["token"].as_str().expect("a secret"));
    for route in &routes {
        let who = format!("{} {}", route.method, route.path);
        assert_eq!(
            route.ask(&world.nobody(), &id, "local").await,
            StatusCode::UNAUTHORIZED,
            "{who}"
        );
        let status = route.ask(&program, &id, "local").await;
        let may = matches!(route.verb, None | Some(Verb::SeeQuota));
        assert_eq!(status != StatusCode::FORBIDDEN, may, "{who}: {status}");
    }
    assert_eq!(
        admin.get(&format!("/sandbox/sessions/{id}")).await.0,
        StatusCode::OK,
        "nothing was done"
    );
}
