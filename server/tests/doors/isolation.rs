//! What the doors answer, whatever they are asked: nothing of an Organization in which one has no seat, nor of the one whose
//! people run the installation. Every route that reads, as the document lists them, the pages, the exports, the stream and
//! SCIM, each with one's own ids and with those of the others.

use crate::world::{Person, World};
use domain::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What people go to.
const PAGES: [&str; 25] = [
    "/",
    "/new",
    "/usage",
    "/agents",
    "/about",
    "/more",
    "/audit",
    "/settings",
    "/settings/access",
    "/settings/secrets",
    "/org",
    "/org/members",
    "/org/members/{person}",
    "/org/quotas",
    "/org/secrets",
    "/org/policy",
    "/org/tokens",
    "/org/audit",
    "/org/settings",
    "/fleet",
    "/fleet/policy",
    "/fleet/audit",
    "/fleet/health",
    "/fleet/{org}",
    "/sessions/{id}",
];

/// An Organization with something of everything, and what it is known by.
struct Company {
    slug: &'static str,
    /// One of each role, strongest first.
    people: Vec<Person>,
    directory: Person,
    /// Each thing's id, by the name that a route's address gives it.
    ids: Vec<(&'static str, String)>,
    /// What nobody else may read.
    marks: BTreeSet<String>,
}

impl Company {
    /// Founded and filled by its own people, and governed from above by `root`.
    async fn new(world: &World, root: &Person, slug: &'static str) -> Self {
        let mut company = Self {
            slug,
            people: Vec::new(),
            directory: world.nobody(),
            ids: Vec::new(),
            marks: [format!("{slug}-"), format!("@{slug}.test")].into(),
        };
        for role in [Role::Owner, Role::OrgAdmin, Role::Developer, Role::Viewer] {
            let email = format!("{slug}-{}@{slug}.test", role.as_str());
            company.people.push(world.member(slug, &email, role).await);
        }
        let [owner, admin, developer, _] = &company.people[..] else {
            unreachable!()
        };
        let session = developer.open_shell(&format!("{slug}-work")).await;
        let me = get(developer, "/me").await;
        let token = made(developer, "/tokens", json!({ "name": format!("{slug}-token") })).await;
        for (by, name) in [(owner, "own"), (root, "above")] {
            let of = |what: &str| format!("/orgs/{slug}/{what}");
            let email = format!("{slug}-{name}-new@{slug}.test");
            made(by, &of("invitations"), json!({ "email": email })).await;
            made(
                by,
                &of("secrets"),
                json!({ "name": format!("{}_{}", slug.to_uppercase(), name.to_uppercase()), "value": "x" }),
            )
            .await;
            made(by, &of("directory/tokens"), json!({ "name": format!("{slug}-{name}") })).await;
            let version = get(owner, &of("policy")).await["own"]["version"].clone();
            let policy = json!({ "policy": { "recording": name == "own" }, "basedOn": version });
            let (status, said) = by.api(Method::PUT, &of("policy"), Some(policy)).await;
            assert_eq!(status, StatusCode::OK, "{said}");
            let limits = json!({ "kind": "org", "limits": { "concurrent_sessions": 50 } });
            let (status, said) = by.api(Method::PUT, &of("quotas"), Some(limits)).await;
            assert!(status.is_success(), "{said}");
        }
        let request = made(
            developer,
            "/quota/requests",
            json!({ "dimension": "concurrent_sessions", "wanted": 900, "why": format!("{slug}-why") }),
        )
        .await;
        let answered = json!({ "granted": true, "days": 3 });
        let id = request["id"].as_str().expect("an id");
        let (status, said) = root
            .post(&format!("/orgs/{slug}/quota-requests/{id}/answer"), answered)
            .await;
        assert_eq!(status, StatusCode::OK, "{said}");
        let minted = made(
            admin,
            &format!("/orgs/{slug}/directory/tokens"),
            json!({ "name": format!("{slug}-scim") }),
        )
        .await;
        company.directory = admin.with_token(minted["secret"].as_str().expect("a secret"));
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        let secrets = get(owner, &format!("/orgs/{slug}/secrets")).await;
        let person = text(&me["id"]);
        company.ids = vec![
            ("{org}", slug.to_owned()),
            ("/sessions/{id}", format!("/sessions/{session}")),
            (
                "/secrets/{id}",
                format!("/secrets/{}", text(&secrets["secrets"][0]["id"])),
            ),
            ("{person}", person.clone()),
            ("{request}", text(&request["id"])),
            ("{token}", text(&token["jti"])),
            ("{slug}", "shell".to_owned()),
            ("{position}", "1".to_owned()),
        ];
        company
            .marks
            .extend([session, person, text(&request["id"]), text(&token["jti"])]);
        company
    }

    /// An address with this Organization's ids in it.
    fn filled(&self, path: &str) -> String {
        let ids = self.ids.iter();
        ids.fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

/// What was made.
async fn made(person: &Person, path: &str, body: Value) -> Value {
    let (status, said) = person.post(path, body).await;
    assert_eq!(status, StatusCode::CREATED, "{path}: {said}");
    said
}

async fn get(person: &Person, path: &str) -> Value {
    let (status, said) = person.get(path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {said}");
    said
}

/// The whole answer, its address and its headers among it, less what was asked for; how many bytes it had.
async fn hears_nothing(person: &Person, path: &str, who: &str, foreign: &BTreeSet<String>) -> usize {
    let answer = person.ask(Method::GET, path).send().await.expect("an answer");
    let status = answer.status();
    assert!(
        status.as_u16() < 500 && status != StatusCode::TOO_MANY_REQUESTS,
        "{path}: {status}"
    );
    let headers = format!("{:?}", answer.headers());
    let body = answer.text().await.expect("text");
    let mut heard = format!("{headers}\n{body}");
    let length = body.len();
    for part in path.split(['/', '?', '=', '&']).filter(|part| part.len() > 3) {
        heard = heard.replace(part, "what was asked for");
    }
    for word in foreign {
        let around = heard
            .find(word.as_str())
            .map(|at| heard[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        assert_eq!(around, None, "{who} heard {word:?} from {path} ({status})");
    }
    length
}

#[tokio::test]
async fn no_door_tells_of_an_organization_in_which_one_has_no_seat() {
    let world = World::with(&["--plan", "sandbox-ent", "--expensive-per-minute", "10000"]).await;
    let root = world.admin().await;
    let above = get(&root, "/me").await;
    let companies = [
        Company::new(&world, &root, "acme").await,
        Company::new(&world, &root, "globex").await,
    ];
    let document = get(&world.nobody(), "/openapi.json").await;
    let mut paths: Vec<String> = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if operations.get("get").is_some() && path != "/api/v1/events" && !path.ends_with("/openapi.json") {
            paths.push(path.clone());
        }
    }
    assert!(paths.len() > 35, "every route that reads: {}", paths.len());
    for query in [
        "?fleet=true",
        "?format=csv",
        "?format=jsonl",
        "?actor=installation",
        "?actor=admin",
        "?limit=200",
    ] {
        paths.push(format!("/api/v1/audit{query}"));
    }
    paths.extend(PAGES.map(str::to_owned));
    for (own, other) in [(0, 1), (1, 0)] {
        let (own, other) = (&companies[own], &companies[other]);
        let mut foreign = other.marks.clone();
        foreign.extend([
            "admin@localhost".to_owned(),
            above["id"].as_str().expect("an id").to_owned(),
        ]);
        for (person, role) in own.people.iter().zip(["owner", "admin", "developer", "viewer"]) {
            let who = format!("the {role} of {}", own.slug);
            let mut read = 0;
            for path in &paths {
                read += hears_nothing(person, &own.filled(path), &who, &foreign).await;
                hears_nothing(person, &other.filled(path), &who, &foreign).await;
            }
            assert!(read > 20_000, "{who} read something: {read}");
            // The stream, from the very beginning to what is done now.
            let mut events = person.events(Some("0")).await;
            let name = json!({ "displayName": format!("{}-{role}", own.slug) });
            let path = format!("/orgs/{}", own.slug);
            let (status, said) = own.people[0].api(Method::PATCH, &path, Some(name)).await;
            assert_eq!(status, StatusCode::OK, "{said}");
            if ["owner", "admin"].contains(&role) {
                loop {
                    let event = events.next().await.expect("an event");
                    let heard = event.data.to_string();
                    let word = foreign.iter().find(|word| heard.contains(word.as_str()));
                    assert_eq!(word, None, "{who} heard it in the stream: {heard}");
                    if event.data["type"] == "sandbox.org.changed" {
                        break;
                    }
                }
            }
        }
        for path in [
            "/scim/v2/Users",
            "/scim/v2/Groups",
            "/scim/v2/Users/{person}",
            "/scim/v2/Schemas",
        ] {
            let who = format!("the directory of {}", own.slug);
            hears_nothing(&own.directory, &own.filled(path), &who, &foreign).await;
            hears_nothing(&own.directory, &other.filled(path), &who, &foreign).await;
        }
    }
}
