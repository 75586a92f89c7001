//! What was done, as a person says it.

use crate::words;
use domain::{
    audit::{Entry, FROM_ABOVE},
    session::Sharing,
};

/// What can be chosen to filter by, in groups: an action, or with a dot at its end all that begin so.
pub(super) const ACTIONS: [(&str, &str); 27] = [
    ("session.", "Sessions"),
    ("session.opened", "Session opened"),
    ("session.shared", "Sharing changed"),
    ("session.deleted", "Session deleted"),
    ("terminal.", "Terminals"),
    ("terminal.taken-over", "Terminal taken over"),
    ("recording.", "Recordings"),
    ("secret.", "Secrets"),
    ("secret.delivered", "Secrets given to sessions"),
    ("signed-in", "Signed in"),
    ("sign-in.refused", "Sign-in refused"),
    ("sign-in-link.made", "Sign-in link made"),
    ("identity.", "Ways to sign in"),
    ("identity.not-linked", "Linking refused"),
    ("token.", "Access tokens"),
    ("device.", "Devices"),
    ("member.", "Members"),
    ("invitation.", "Invitations withdrawn"),
    ("quota.", "Quotas and requests"),
    ("quota.refused", "Over quota"),
    ("policy.", "Policy"),
    ("org.", "The Organization"),
    ("directory.", "Directory's tokens"),
    ("group.", "Groups of the directory"),
    ("agent.", "Agents"),
    ("permit.refused", "Refusals"),
    ("audit.", "The audit itself"),
];

/// What was done to a thing, said beside the thing.
pub fn did(entry: &Entry) -> String {
    let said = |key: &str| text_of(entry, key);
    match action(entry) {
        "session.started" => "Started".to_owned(),
        "session.opened" => "Opened".to_owned(),
        "session.deleted" => "Deleted".to_owned(),
        "session.failed" => "Failed".to_owned(),
        "session.agent-exited" => "The agent ended".to_owned(),
        "session.renamed" => said("name").map_or_else(|| "Renamed".to_owned(), |name| format!("Renamed to {name}")),
        "session.shared" => match said("sharing").as_deref().and_then(Sharing::from_name) {
            Some(Sharing::Private) => "No longer shared".to_owned(),
            Some(Sharing::Watch) => "Shared for watching".to_owned(),
            Some(Sharing::Drive) => "Shared for typing".to_owned(),
            None => "Sharing changed".to_owned(),
        },
        "session.moved" => match said("phase").as_deref() {
            Some("Suspended") => "Suspended".to_owned(),
            Some("Pending") => "Resumed".to_owned(),
            Some("Ready") => "Ready".to_owned(),
            Some("Provisioning") => "Being prepared".to_owned(),
            Some("Failed") => "Failed".to_owned(),
            _ => "Changed".to_owned(),
        },
        "terminal.driven" => "Took the keyboard".to_owned(),
        "terminal.taken-over" => before(entry, "driver").map_or_else(
            || "Took the keyboard over".to_owned(),
            |name| format!("Took the keyboard over from {name}"),
        ),
        "terminal.watched" => "Looked at the screen, as the policy allows".to_owned(),
        "terminal.opened" => "Opened a shell".to_owned(),
        "recording.began" => "Began to be recorded, as the policy says".to_owned(),
        "recording.read" => match said("terminal").as_deref() {
            None | Some("agent") => "Read the recording".to_owned(),
            Some(terminal) => format!("Read the recording of {terminal}"),
        },
        "session.idle-warned" => "Warned of a long rest".to_owned(),
        "session.suspended-by-rule" => "Suspended by a rule".to_owned(),
        "session.lost" => "Lost with its machine".to_owned(),
        "secret.delivered" => match names_of(entry) {
            Some(names) => format!("Was given {names}"),
            None => "Was given secrets".to_owned(),
        },
        "quota.refused" => "Tried to go over quota".to_owned(),
        "terminal.closed" => "Closed a shell".to_owned(),
        "permit.refused" => format!("Tried to {}, and was refused", verb(entry)),
        other => words::capital(&other.replace(['.', '-', '_'], " ")),
    }
}

/// Whether it was not done.
pub(super) fn is_refused(entry: &Entry) -> bool {
    entry.action.ends_with("refused") || action(entry) == "identity.not-linked"
}

/// What was done, or tried, said by itself.
pub(super) fn what(entry: &Entry) -> String {
    match action(entry) {
        "session.agent-exited"
        | "session.idle-warned"
        | "terminal.driven"
        | "terminal.watched"
        | "terminal.taken-over"
        | "terminal.opened"
        | "terminal.closed" => did(entry),
        session if session.starts_with("session.") => format!("Session {}", uncapital(&did(entry))),
        "signed-in" => "Signed in".to_owned(),
        "signed-out" => "Signed out".to_owned(),
        "login.ended" => "Signed a browser out".to_owned(),
        "sign-in.refused" => "Tried to sign in".to_owned(),
        "sign-in-link.made" => "Sign-in link made".to_owned(),
        "token.minted" => "Access token made".to_owned(),
        "token.revoked" => "Access token revoked".to_owned(),
        "directory.token-minted" => "Directory's token made".to_owned(),
        "directory.token-revoked" => "Directory's token revoked".to_owned(),
        "directory.token-rested" => "Directory's token rests".to_owned(),
        "directory.token-taken-over" => "Directory's token taken over".to_owned(),
        "directory.token-works-again" => "Directory's token works again".to_owned(),
        "group.created" => "Group made".to_owned(),
        "group.changed" => "Group changed".to_owned(),
        "group.deleted" => "Group deleted".to_owned(),
        "member.added" => "Member added".to_owned(),
        "member.changed" => match (before(entry, "status").as_deref(), after(entry, "status").as_deref()) {
            (Some("active"), Some("disabled")) => "Member disabled".to_owned(),
            (Some("disabled"), Some("active")) => "Member enabled".to_owned(),
            _ => "Member changed".to_owned(),
        },
        "member.invited" => "Invited".to_owned(),
        "member.joined" => "Joined".to_owned(),
        "member.left" => "Member removed".to_owned(),
        "invitation.withdrawn" => "Invitation withdrawn".to_owned(),
        "secret.delivered" => match names_of(entry) {
            Some(names) => format!("{names} given"),
            None => "Secrets given".to_owned(),
        },
        "secret.created" => "Secret made".to_owned(),
        "secret.rotated" => "Secret rotated".to_owned(),
        "secret.bound" => "Secret bound".to_owned(),
        "secret.unbound" => "Secret bound to nobody".to_owned(),
        "secret.deleted" => "Secret deleted".to_owned(),
        "secret.resealed" => "Secrets sealed with another key".to_owned(),
        "quota.asked" => "Asked for more".to_owned(),
        "quota.answered" => match own(entry, "state").as_deref() {
            Some("granted") => "Request granted".to_owned(),
            Some("declined") => "Request declined".to_owned(),
            Some("withdrawn") => "Request withdrawn".to_owned(),
            _ => "Request answered".to_owned(),
        },
        "quota.changed" => "Limits changed".to_owned(),
        "policy.changed" => "Policy changed".to_owned(),
        "org.changed" => match after(entry, "state").as_deref() {
            Some("suspended") => "Organization suspended".to_owned(),
            Some("archived") => "Organization archived".to_owned(),
            Some("active") if before(entry, "state").is_some_and(|state| state != "active") => {
                "Organization opened again".to_owned()
            }
            _ if entry.detail.get("before").is_none() => "Organization made".to_owned(),
            _ => "Organization changed".to_owned(),
        },
        "switched-here" => "Came over from another Organization".to_owned(),
        "identity.linked" => "Way to sign in linked".to_owned(),
        "identity.unlinked" => "Way to sign in unlinked".to_owned(),
        "identity.not-linked" => "Tried to link a way to sign in".to_owned(),
        "device.approved" => "Device signed in".to_owned(),
        "device.denied" => "Device refused".to_owned(),
        "token.rested" => "Access token rests".to_owned(),
        "token.works-again" => "Access token works again".to_owned(),
        "agent.installed" => "Agent installed".to_owned(),
        "agent.removed" => "Agent removed".to_owned(),
        "agent.switched" => match after(entry, "enabled").as_deref() {
            Some("true") => "Agent switched on".to_owned(),
            Some("false") => "Agent switched off".to_owned(),
            _ => "Agent switched".to_owned(),
        },
        "permit.refused" => format!("Tried to {}", verb(entry)),
        "audit.exported" => "Audit exported".to_owned(),
        "audit.pruned" => match entry.detail.get("entries").and_then(serde_json::Value::as_u64) {
            Some(1) => "1 old audit entry removed".to_owned(),
            Some(count) => format!("{count} old audit entries removed"),
            None => "Old audit entries removed".to_owned(),
        },
        _ => did(entry),
    }
}

/// The thing: what it is called, and its page where it has one.
pub(super) fn thing(entry: &Entry) -> Option<(String, Option<String>)> {
    let own = |key: &str| own(entry, key);
    let target = Some(entry.target.clone()).filter(|target| !target.is_empty());
    let session = || target.clone().map(|id| (id.clone(), Some(format!("/sessions/{id}"))));
    match action(entry) {
        // What is deleted has no page any more.
        "session.deleted" => own("name").or_else(|| target.clone()).map(|name| (name, None)),
        "permit.refused" => match own("verb").as_deref() {
            Some("open-session") => target.map(|agent| (agent, None)),
            Some(verb)
                if ["-session", "-terminal", "-recording"]
                    .iter()
                    .any(|noun| verb.ends_with(noun)) =>
            {
                session()
            }
            _ => target.map(|target| (target, None)),
        },
        action
            if ["session.", "terminal.", "recording."]
                .iter()
                .any(|noun| action.starts_with(noun)) =>
        {
            session()
        }
        // Who got them is what is asked; the session in which is a step away.
        "secret.delivered" => match (own("to"), session()) {
            (Some(to), Some((_, page))) => Some((to, page)),
            (_, session) => session,
        },
        action if action.starts_with("secret.") => {
            let page = match entry.detail.get("owner").and_then(|owner| owner.get("kind")?.as_str()) {
                Some("person") => "/settings/secrets",
                _ => "/org/secrets",
            };
            own("name").or(target).map(|name| (name, Some(page.to_owned())))
        }
        action if action.starts_with("quota.") => own("person")
            .or_else(|| own("dimension"))
            .or(target)
            .map(|whose| (whose, None)),
        action if action.starts_with("policy.") => None,
        action if action.starts_with("agent.") => target.map(|slug| (slug, Some("/agents".to_owned()))),
        action
            if ["token.", "device.", "directory.", "group."]
                .iter()
                .any(|noun| action.starts_with(noun)) =>
        {
            own("name").or(target).map(|name| (name, None))
        }
        action if action.starts_with("member.") || action == "sign-in-link.made" => {
            own("email").or(target).map(|email| (email, None))
        }
        // A login has no name, and says nothing by its id.
        "signed-in" | "signed-out" | "login.ended" | "switched-here" => None,
        _ => target.map(|target| (target, None)),
    }
}

/// With what the actor proved who they were.
pub(super) fn with(entry: &Entry) -> &'static str {
    match entry.via.trim_start_matches(FROM_ABOVE) {
        "installation" => "Named to super-admins only",
        "login" => "A browser",
        "system" => "The system itself",
        "link" => "A sign-in link",
        via if via.starts_with("token:") => "An access token",
        via if via.starts_with("directory:") => "The directory's token",
        _ => "Another way",
    }
}

/// Who, as a sentence begins.
pub(super) fn who(entry: &Entry) -> String {
    words::who(&entry.actor)
}

/// The token it was done with.
pub(super) fn token(entry: &Entry) -> Option<&str> {
    entry.via.trim_start_matches(FROM_ABOVE).strip_prefix("token:")
}

/// A role as it was at that moment, said.
pub(super) fn role(name: &str) -> String {
    domain::Role::from_name(name).map_or_else(
        || words::capital(&name.replace('-', " ")),
        |role| crate::home::role_name(role).to_owned(),
    )
}

fn action(entry: &Entry) -> &str {
    entry.action.trim_start_matches("sandbox.")
}

/// What a field is now: of the change, or of an entry from before changes were told so.
fn text_of(entry: &Entry, key: &str) -> Option<String> {
    let old = |key: &str| entry.detail.get(key)?.as_str().map(str::to_owned);
    after(entry, key).or_else(|| old(key)).or_else(|| old("after"))
}

/// A text of the entry's own.
fn own(entry: &Entry, key: &str) -> Option<String> {
    entry.detail.get(key)?.as_str().map(str::to_owned)
}

/// The names of the secrets that were given, as many as can be read.
fn names_of(entry: &Entry) -> Option<String> {
    const READ: usize = 3;
    let given = entry.detail.get("secrets")?.as_array()?;
    let mut names: Vec<_> = given.iter().filter_map(|secret| secret.get("name")?.as_str()).collect();
    let more = names.len().saturating_sub(READ);
    names.truncate(READ);
    let names = names.join(", ");
    match more {
        _ if names.is_empty() => None,
        0 => Some(names),
        more => Some(format!("{names} and {more} more")),
    }
}

fn after(entry: &Entry, key: &str) -> Option<String> {
    side(entry, "after", key)
}

fn before(entry: &Entry, key: &str) -> Option<String> {
    side(entry, "before", key)
}

fn side(entry: &Entry, side: &str, key: &str) -> Option<String> {
    match entry.detail.get(side)?.get(key)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn verb(entry: &Entry) -> String {
    let verb = entry
        .detail
        .get("verb")
        .and_then(|verb| verb.as_str())
        .unwrap_or_default();
    match verb {
        "open-session" => "open a session".to_owned(),
        "drive-terminal" => "type into a terminal".to_owned(),
        "rename-session" => "rename a session".to_owned(),
        "share-session" => "share a session".to_owned(),
        "stop-session" => "suspend a session".to_owned(),
        "resume-session" => "resume a session".to_owned(),
        "delete-session" => "delete a session".to_owned(),
        "switch-fleet-agents" => "switch agents for everybody".to_owned(),
        "" => "do that".to_owned(),
        other => other.replace('-', " "),
    }
}

fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OrgId, Timestamp};
    use serde_json::{Value, json};

    fn entry(action: &str, target: &str, detail: Value) -> Entry {
        Entry {
            at: Timestamp::default(),
            org: OrgId::new("acme"),
            person: None,
            actor: "ada@example.org".to_owned(),
            via: "login".to_owned(),
            role: None,
            address: None,
            action: action.to_owned(),
            target: target.to_owned(),
            detail,
            request: None,
        }
    }

    #[test]
    fn entries_are_said_by_themselves_and_beside_their_thing() {
        let renamed = json!({ "before": { "name": "one" }, "after": { "name": "two" } });
        let older = json!({ "before": "one", "after": "two" });
        for (action, detail, beside, alone) in [
            ("session.renamed", renamed, "Renamed to two", "Session renamed to two"),
            ("session.renamed", older, "Renamed to two", "Session renamed to two"),
            (
                "session.shared",
                json!({ "after": { "sharing": "watch" } }),
                "Shared for watching",
                "Session shared for watching",
            ),
            (
                "session.moved",
                json!({ "phase": "Suspended" }),
                "Suspended",
                "Session suspended",
            ),
            (
                "session.moved",
                json!({ "before": { "phase": "Suspended" }, "after": { "phase": "Pending" } }),
                "Resumed",
                "Session resumed",
            ),
            (
                "terminal.taken-over",
                json!({ "before": { "driver": "Bob" } }),
                "Took the keyboard over from Bob",
                "Took the keyboard over from Bob",
            ),
            (
                "permit.refused",
                json!({ "verb": "rename-session" }),
                "Tried to rename a session, and was refused",
                "Tried to rename a session",
            ),
            (
                "agent.switched",
                json!({ "after": { "enabled": false } }),
                "Agent switched",
                "Agent switched off",
            ),
            (
                "org.changed",
                json!({ "before": { "state": "active" }, "after": { "state": "archived" } }),
                "Org changed",
                "Organization archived",
            ),
            (
                "secret.delivered",
                json!({ "secrets": [{ "name": "A" }, { "name": "B" }, { "name": "C" }, { "name": "D" }], "to": "ada@acme" }),
                "Was given A, B, C and 1 more",
                "A, B, C and 1 more given",
            ),
            (
                "quota.answered",
                json!({ "state": "granted" }),
                "Quota answered",
                "Request granted",
            ),
            (
                "identity.unlinked",
                json!({ "provider": "Acme" }),
                "Identity unlinked",
                "Way to sign in unlinked",
            ),
            (
                "identity.not-linked",
                json!({ "provider": "acme", "why": "identity-taken" }),
                "Identity not linked",
                "Tried to link a way to sign in",
            ),
            (
                "directory.token-taken-over",
                json!({ "name": "Entra", "before": { "maker": "ada@acme.test" }, "after": { "maker": "bob@acme.test" } }),
                "Directory token taken over",
                "Directory's token taken over",
            ),
            (
                "directory.token-rested",
                json!({ "name": "Entra" }),
                "Directory token rested",
                "Directory's token rests",
            ),
            (
                "something.else-entirely",
                json!({}),
                "Something else entirely",
                "Something else entirely",
            ),
        ] {
            let entry = entry(action, "x", detail);
            assert_eq!(
                (did(&entry).as_str(), what(&entry).as_str()),
                (beside, alone),
                "{action}"
            );
        }
    }

    #[test]
    fn who_wanted_to_link_what_is_anothers_was_refused() {
        for (action, refused) in [
            ("identity.not-linked", true),
            ("identity.linked", false),
            ("sign-in.refused", true),
        ] {
            assert_eq!(is_refused(&entry(action, "x", json!({}))), refused, "{action}");
            assert!(
                ACTIONS.iter().any(|(begins, _)| action.starts_with(begins)),
                "{action} is found"
            );
        }
    }

    #[test]
    fn a_thing_is_called_by_its_name_and_leads_to_its_page() {
        let of = |action: &str, target: &str, detail: Value| thing(&entry(action, target, detail));
        let page = |name: &str, page: &str| Some((name.to_owned(), Some(page.to_owned())));
        let plain = |name: &str| Some((name.to_owned(), None));
        assert_eq!(
            of("session.opened", "one-a", json!({})),
            page("one-a", "/sessions/one-a")
        );
        assert_eq!(of("session.deleted", "one-a", json!({ "name": "One" })), plain("One"));
        assert_eq!(
            of("token.minted", "0-0-0", json!({ "name": "laptop" })),
            plain("laptop")
        );
        assert_eq!(of("member.added", "0-0-0", json!({ "email": "a@b" })), plain("a@b"));
        assert_eq!(of("signed-in", "0-0-0", json!({})), None);
        assert_eq!(
            of("secret.delivered", "one-a", json!({ "to": "a@b", "secrets": [] })),
            page("a@b", "/sessions/one-a")
        );
        assert_eq!(
            of("permit.refused", "one-a", json!({ "verb": "share-session" })),
            page("one-a", "/sessions/one-a")
        );
        assert_eq!(of("permit.refused", "", json!({ "verb": "switch-agents" })), None);
    }
}
