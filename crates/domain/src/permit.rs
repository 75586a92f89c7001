//! Who may do what: one table, asked by every door.
//!
//! [`reach`] is the table. [`Caller::reach`] also heeds what a token or a login is held to. What an Organization's policy shows
//! its members of one another beyond that is a [`Sight`], and [`Caller::may_by`] heeds it. What lies beyond a caller's reach
//! looks absent where it is another's thing, and is refused where it is a verb the caller has not got at all.

use crate::{
    Caller, OrgId, PersonId, Role,
    session::{Session, Sharing},
};
use serde::{Deserialize, Serialize};

/// Something that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    OpenSession,
    /// List and show sessions: what they are, not what is on their screen.
    SeeSession,
    /// See a session's terminals.
    WatchTerminal,
    /// Read what was recorded of a session's terminals.
    ReadRecording,
    /// Type into a session's terminals, open shells, send signals.
    DriveTerminal,
    RenameSession,
    ShareSession,
    /// Suspend a running session.
    StopSession,
    ResumeSession,
    DeleteSession,
    SeeAgents,
    InstallAgents,
    /// Switch an agent on or off for the Organization.
    SwitchAgents,
    /// Switch an agent on or off for the whole installation.
    SwitchFleetAgents,
    SeeQuota,
    SeeUsage,
    ManageTokens,
    ManageLogins,
    SeeEvents,
    SeeAudit,
    /// See the installation's health.
    SeeInstallation,
    /// See an Organization as a whole: its seats, its quotas, what it uses.
    SeeOrg,
    /// Rename an Organization.
    ManageOrg,
    /// See who has a seat, and who is invited.
    SeeMembers,
    /// Invite, change roles, end seats.
    ManageMembers,
    /// Ask for a larger quota for oneself.
    AskQuota,
    /// Set quotas and answer those who ask for more.
    ManageQuotas,
    /// Read what the Organization's policy allows.
    SeePolicy,
    ManagePolicy,
    /// See, make and revoke the tokens of the Organization's directory, which fills its seats.
    ManageDirectory,
    /// See secrets: what they are called and who receives them, never a value.
    SeeSecrets,
    /// Make, rotate, bind and delete secrets.
    ManageSecrets,
    /// Make, suspend and archive Organizations, and set the policy that none of them may loosen.
    ManageFleet,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 33] = [
        Self::OpenSession,
        Self::SeeSession,
        Self::WatchTerminal,
        Self::ReadRecording,
        Self::DriveTerminal,
        Self::RenameSession,
        Self::ShareSession,
        Self::StopSession,
        Self::ResumeSession,
        Self::DeleteSession,
        Self::SeeAgents,
        Self::InstallAgents,
        Self::SwitchAgents,
        Self::SwitchFleetAgents,
        Self::SeeQuota,
        Self::SeeUsage,
        Self::ManageTokens,
        Self::ManageLogins,
        Self::SeeEvents,
        Self::SeeAudit,
        Self::SeeInstallation,
        Self::SeeOrg,
        Self::ManageOrg,
        Self::SeeMembers,
        Self::ManageMembers,
        Self::AskQuota,
        Self::ManageQuotas,
        Self::SeePolicy,
        Self::ManagePolicy,
        Self::ManageDirectory,
        Self::SeeSecrets,
        Self::ManageSecrets,
        Self::ManageFleet,
    ];

    /// The capability that a token needs for it.
    pub const fn capability(self) -> &'static str {
        match self {
            Self::OpenSession => "sandbox.session.open",
            Self::SeeSession => "sandbox.session.see",
            Self::WatchTerminal => "sandbox.session.watch",
            Self::ReadRecording => "sandbox.session.recording",
            Self::DriveTerminal => "sandbox.session.drive",
            Self::RenameSession => "sandbox.session.rename",
            Self::ShareSession => "sandbox.session.share",
            Self::StopSession => "sandbox.session.stop",
            Self::ResumeSession => "sandbox.session.resume",
            Self::DeleteSession => "sandbox.session.delete",
            Self::SeeAgents => "sandbox.agent.see",
            Self::InstallAgents => "sandbox.agent.install",
            Self::SwitchAgents => "sandbox.agent.switch",
            Self::SwitchFleetAgents => "sandbox.fleet.agent.switch",
            Self::SeeQuota => "sandbox.quota.see",
            Self::SeeUsage => "sandbox.usage.see",
            Self::ManageTokens => "sandbox.token.manage",
            Self::ManageLogins => "sandbox.login.manage",
            Self::SeeEvents => "sandbox.event.see",
            Self::SeeAudit => "sandbox.audit.see",
            Self::SeeInstallation => "sandbox.installation.see",
            Self::SeeOrg => "sandbox.org.see",
            Self::ManageOrg => "sandbox.org.manage",
            Self::SeeMembers => "sandbox.member.see",
            Self::ManageMembers => "sandbox.member.manage",
            Self::AskQuota => "sandbox.quota.ask",
            Self::ManageQuotas => "sandbox.quota.manage",
            Self::SeePolicy => "sandbox.policy.see",
            Self::ManagePolicy => "sandbox.policy.manage",
            Self::ManageDirectory => "sandbox.directory.manage",
            Self::SeeSecrets => "sandbox.secret.see",
            Self::ManageSecrets => "sandbox.secret.manage",
            Self::ManageFleet => "sandbox.fleet.manage",
        }
    }
}

impl Verb {
    /// Whether it only looks: refusing it is not worth an entry in the audit, and whoever looks around would fill it.
    pub const fn only_looks(self) -> bool {
        matches!(
            self,
            Self::SeeSession
                | Self::WatchTerminal
                | Self::SeeAgents
                | Self::SeeQuota
                | Self::SeeUsage
                | Self::SeeEvents
                | Self::SeeAudit
                | Self::SeeInstallation
        )
    }
}

/// How far a verb reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Not at all.
    Nothing,
    /// One's own things, and what their owner shares for it.
    Own,
    /// Everything in the caller's Organization.
    Org,
    /// Everything in the installation.
    Fleet,
}

/// The table.
pub const fn reach(role: Role, verb: Verb) -> Reach {
    use Reach::{Fleet, Nothing, Org, Own};
    use Role::{Developer, OrgAdmin, Owner, SuperAdmin, Viewer};
    match (verb, role) {
        // Terminals are private: whoever administers sees and stops sessions, and reads or types only where invited.
        (Verb::WatchTerminal, _) => Own,
        // Also of what was on the screen before its owner shared it: sharing does not reach it.
        (Verb::ReadRecording, _) => Own,
        (Verb::DriveTerminal, Viewer) => Nothing,
        (Verb::DriveTerminal, _) => Own,
        (Verb::OpenSession | Verb::ResumeSession | Verb::AskQuota, Viewer) => Nothing,
        (Verb::OpenSession | Verb::ResumeSession | Verb::AskQuota, _) => Own,
        (Verb::RenameSession | Verb::ShareSession, _) => Own,
        (Verb::ManageTokens | Verb::ManageLogins | Verb::SeeQuota, _) => Own,
        (
            Verb::SeeSession | Verb::StopSession | Verb::DeleteSession | Verb::SeeUsage | Verb::SeeEvents,
            Viewer | Developer,
        ) => Own,
        (
            Verb::SeeSession | Verb::StopSession | Verb::DeleteSession | Verb::SeeUsage | Verb::SeeEvents,
            OrgAdmin | Owner,
        ) => Org,
        (Verb::SeeSession | Verb::StopSession | Verb::DeleteSession | Verb::SeeUsage | Verb::SeeEvents, SuperAdmin) => {
            Fleet
        }
        (Verb::SeePolicy, SuperAdmin) => Fleet,
        // One's own, and by those who govern the Organization's; a colleague's own are nobody else's at all.
        (Verb::ManageSecrets, Viewer) => Nothing,
        (Verb::SeeSecrets, Viewer) | (Verb::SeeSecrets | Verb::ManageSecrets, Developer) => Own,
        (Verb::SeeSecrets | Verb::ManageSecrets, OrgAdmin | Owner) => Org,
        (Verb::SeeSecrets | Verb::ManageSecrets, SuperAdmin) => Fleet,
        (Verb::SeeAgents | Verb::SeePolicy, _) => Org,
        (Verb::SwitchAgents | Verb::SeeAudit, Viewer | Developer) => Nothing,
        (Verb::SwitchAgents, OrgAdmin | Owner | SuperAdmin) => Org,
        (Verb::SeeAudit, OrgAdmin | Owner) => Org,
        (Verb::SeeAudit, SuperAdmin) => Fleet,
        (Verb::InstallAgents | Verb::SwitchFleetAgents | Verb::ManageFleet, Viewer | Developer | OrgAdmin | Owner) => {
            Nothing
        }
        (Verb::InstallAgents | Verb::SwitchFleetAgents | Verb::ManageFleet, SuperAdmin) => Fleet,
        (Verb::SeeInstallation, Viewer | Developer | OrgAdmin | Owner) => Org,
        (Verb::SeeInstallation, SuperAdmin) => Fleet,
        (
            Verb::SeeOrg
            | Verb::ManageOrg
            | Verb::SeeMembers
            | Verb::ManageMembers
            | Verb::ManageQuotas
            | Verb::ManagePolicy
            | Verb::ManageDirectory,
            role,
        ) => match role {
            Viewer | Developer => Nothing,
            OrgAdmin | Owner => Org,
            SuperAdmin => Fleet,
        },
    }
}

/// What the policy shows one member of another's session in the same Organization, beside what its owner shares. It is
/// made by [`crate::policy::Rules::sight`], and only ever lets somebody look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// What the session is: its place in lists, its page, its events.
    pub listed: bool,
    /// What is on its screens.
    pub screen: bool,
}

impl Caller {
    /// How far this caller's `verb` reaches, by role and by the capabilities that the token or the login is held to.
    pub fn reach(&self, verb: Verb) -> Reach {
        match self.proof.held_to() {
            Some(capabilities) if !has_capability(capabilities, verb.capability()) => Reach::Nothing,
            _ => reach(self.role, verb),
        }
    }

    /// Whether the caller may do `verb` to `session`.
    pub fn may(&self, verb: Verb, session: &Session) -> bool {
        let reach = self.reach(verb);
        reach >= self.needs(&session.org, &session.owner) || (reach >= Reach::Own && self.is_shared(verb, session))
    }

    /// The same, also by what the policy of the session's Organization shows the caller of it.
    pub fn may_by(&self, verb: Verb, session: &Session, sight: Sight) -> bool {
        let shown = match verb {
            Verb::SeeSession | Verb::SeeEvents => sight.listed,
            Verb::WatchTerminal | Verb::ReadRecording => sight.screen,
            _ => false,
        };
        self.may(verb, session) || (shown && session.org == self.org && self.reach(verb) >= Reach::Own)
    }

    /// Whether the caller may do `verb` to all of the Organization `org`.
    pub fn may_in(&self, verb: Verb, org: &OrgId) -> bool {
        let needed = if *org == self.org { Reach::Org } else { Reach::Fleet };
        self.reach(verb) >= needed
    }

    /// The reach needed for a thing of `owner` in `org`.
    fn needs(&self, org: &OrgId, owner: &PersonId) -> Reach {
        match (*org == self.org, *owner == self.person) {
            (true, true) => Reach::Own,
            (true, false) => Reach::Org,
            (false, _) => Reach::Fleet,
        }
    }

    /// Whether the owner of `session` lets other members of the Organization do this.
    fn is_shared(&self, verb: Verb, session: &Session) -> bool {
        session.org == self.org
            && match verb {
                Verb::SeeSession | Verb::WatchTerminal | Verb::SeeEvents => session.sharing >= Sharing::Watch,
                Verb::DriveTerminal => session.sharing >= Sharing::Drive,
                _ => false,
            }
    }

    /// The capabilities a token of this caller may carry: those of the role, or of the token it is minted with.
    pub fn capabilities(&self) -> Vec<String> {
        Verb::ALL
            .into_iter()
            .filter(|verb| self.reach(*verb) > Reach::Nothing)
            .map(|verb| verb.capability().to_owned())
            .collect()
    }
}

/// Whether `held` grants `wanted`: exactly, or by a stem that ends in `.*` (platform contract, `HasCapability`). A bare
/// stem does not cover what lies below it, and `.*` alone grants nothing.
pub fn has_capability(held: &[String], wanted: &str) -> bool {
    !wanted.is_empty()
        && held.iter().any(|held| match held.strip_suffix(".*") {
            Some("") => false,
            Some(stem) => wanted == stem || wanted.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.')),
            None => held == wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SessionId,
        caller::Proof,
        id::{LoginId, TokenId},
    };

    fn caller(role: Role, person: &str, org: &str) -> Caller {
        Caller {
            person: PersonId::new(person),
            email: format!("{person}@example.org"),
            name: person.to_owned(),
            org: OrgId::new(org),
            role,
            proof: Proof::login(LoginId::new("l1")),
            request: None,
            address: None,
        }
    }

    fn session(sharing: Sharing) -> Session {
        Session {
            sharing,
            ..Session::example(SessionId::new("s-1"), OrgId::new("acme"), PersonId::new("ada"))
        }
    }

    #[test]
    fn the_whole_table_for_sessions() {
        use Role::{Developer, OrgAdmin, Owner, SuperAdmin};
        const NOT_VIEWERS: &[Role] = &[Developer, OrgAdmin, Owner, SuperAdmin];
        let private = session(Sharing::Private);
        // verb, then for (own, same Org, other Org): which roles may
        type Roles = &'static [Role];
        let expected: [(Verb, Roles, Roles, Roles); 9] = [
            (
                Verb::SeeSession,
                &Role::ALL,
                &[OrgAdmin, Owner, SuperAdmin],
                &[SuperAdmin],
            ),
            (
                Verb::StopSession,
                &Role::ALL,
                &[OrgAdmin, Owner, SuperAdmin],
                &[SuperAdmin],
            ),
            (
                Verb::DeleteSession,
                &Role::ALL,
                &[OrgAdmin, Owner, SuperAdmin],
                &[SuperAdmin],
            ),
            (Verb::WatchTerminal, &Role::ALL, &[], &[]),
            (Verb::ReadRecording, &Role::ALL, &[], &[]),
            (Verb::DriveTerminal, NOT_VIEWERS, &[], &[]),
            (Verb::RenameSession, &Role::ALL, &[], &[]),
            (Verb::ShareSession, &Role::ALL, &[], &[]),
            (Verb::ResumeSession, NOT_VIEWERS, &[], &[]),
        ];
        for (verb, own, same, other) in expected {
            for role in Role::ALL {
                for (person, org, allowed) in [("ada", "acme", own), ("bob", "acme", same), ("eve", "evil", other)] {
                    assert_eq!(
                        caller(role, person, org).may(verb, &private),
                        allowed.contains(&role),
                        "{verb:?} by {role:?} {person}@{org}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_policy_lets_look_and_nothing_else_and_only_at_home() {
        let private = session(Sharing::Private);
        let screens = [Verb::WatchTerminal, Verb::ReadRecording];
        let lists = [Verb::SeeSession, Verb::SeeEvents];
        for listed in [false, true] {
            for screen in [false, true] {
                let sight = Sight { listed, screen };
                for role in Role::ALL {
                    for verb in Verb::ALL {
                        let (bob, eve) = (caller(role, "bob", "acme"), caller(role, "eve", "evil"));
                        let shown = (screen && screens.contains(&verb)) || (listed && lists.contains(&verb));
                        assert_eq!(
                            bob.may_by(verb, &private, sight),
                            bob.may(verb, &private) || shown,
                            "{verb:?} by {role:?}"
                        );
                        assert_eq!(eve.may_by(verb, &private, sight), eve.may(verb, &private), "{verb:?}");
                    }
                }
                let mut token = caller(Role::Owner, "bob", "acme");
                token.proof = Proof::Token {
                    id: TokenId::new("t"),
                    capabilities: vec!["sandbox.session.see".to_owned()],
                };
                assert!(
                    !token.may_by(Verb::WatchTerminal, &private, sight),
                    "a token is held to what it carries"
                );
            }
        }
    }

    #[test]
    fn an_organization_is_governed_by_its_own_admins_and_from_above() {
        use Role::{OrgAdmin, Owner, SuperAdmin};
        let (acme, evil) = (OrgId::new("acme"), OrgId::new("evil"));
        for verb in [
            Verb::SeeOrg,
            Verb::ManageOrg,
            Verb::SeeMembers,
            Verb::ManageMembers,
            Verb::ManageQuotas,
            Verb::ManagePolicy,
            Verb::ManageDirectory,
            Verb::SeeSecrets,
            Verb::ManageSecrets,
        ] {
            for role in Role::ALL {
                let ada = caller(role, "ada", "acme");
                let governs = [OrgAdmin, Owner, SuperAdmin].contains(&role);
                assert_eq!(ada.may_in(verb, &acme), governs, "{verb:?} by {role:?}");
                assert_eq!(
                    ada.may_in(verb, &evil),
                    role == SuperAdmin,
                    "{verb:?} elsewhere by {role:?}"
                );
            }
        }
        for role in Role::ALL {
            assert_eq!(
                caller(role, "ada", "acme").may_in(Verb::ManageFleet, &acme),
                role == SuperAdmin
            );
        }
    }

    #[test]
    fn a_developer_has_secrets_of_their_own_and_a_viewer_none() {
        for (verb, role, own) in [
            (Verb::SeeSecrets, Role::Viewer, Reach::Own),
            (Verb::ManageSecrets, Role::Viewer, Reach::Nothing),
            (Verb::SeeSecrets, Role::Developer, Reach::Own),
            (Verb::ManageSecrets, Role::Developer, Reach::Own),
        ] {
            assert_eq!(reach(role, verb), own, "{verb:?} by {role:?}");
        }
    }

    #[test]
    fn nobody_lifts_anybody_above_themselves() {
        for giver in Role::ALL {
            for role in Role::ALL {
                let may = giver >= Role::OrgAdmin && role <= giver;
                assert_eq!(giver.may_grant(role), may, "{giver:?} gives {role:?}");
            }
        }
    }

    #[test]
    fn sharing_lets_colleagues_watch_or_drive_and_nobody_else() {
        let bob = caller(Role::Developer, "bob", "acme");
        let eve = caller(Role::SuperAdmin, "eve", "evil");
        for (sharing, watch, drive) in [
            (Sharing::Private, false, false),
            (Sharing::Watch, true, false),
            (Sharing::Drive, true, true),
        ] {
            let session = session(sharing);
            assert_eq!(bob.may(Verb::WatchTerminal, &session), watch);
            assert_eq!(bob.may(Verb::DriveTerminal, &session), drive);
            assert!(!bob.may(Verb::DeleteSession, &session));
            assert!(
                !eve.may(Verb::WatchTerminal, &session),
                "another Organization is never shared with"
            );
        }
    }

    #[test]
    fn a_token_does_no_more_than_it_says() {
        let mut bot = caller(Role::SuperAdmin, "ada", "acme");
        bot.proof = Proof::Token {
            id: TokenId::new("t"),
            capabilities: vec!["sandbox.session.see".into()],
        };
        let session = session(Sharing::Private);
        assert!(bot.may(Verb::SeeSession, &session));
        assert!(!bot.may(Verb::DeleteSession, &session));
        assert_eq!(bot.capabilities(), vec!["sandbox.session.see"]);
    }

    #[test]
    fn a_login_that_its_provider_narrows_does_no_more_than_that_and_mints_no_more() {
        let session = session(Sharing::Private);
        let narrowed = |role, to: &[&str]| Caller {
            proof: Proof::Login {
                id: LoginId::new("l1"),
                narrowed: Some(to.iter().map(|&one| one.to_owned()).collect()),
            },
            ..caller(role, "ada", "acme")
        };
        let ada = narrowed(Role::OrgAdmin, &["sandbox.session.see", "sandbox.org.*"]);
        assert!(ada.may(Verb::SeeSession, &session) && ada.may_in(Verb::ManageOrg, &OrgId::new("acme")));
        assert!(!ada.may(Verb::DeleteSession, &session) && !ada.may_in(Verb::ManageMembers, &OrgId::new("acme")));
        assert_eq!(
            ada.capabilities(),
            ["sandbox.session.see", "sandbox.org.see", "sandbox.org.manage"]
        );
        // It only ever takes: what the role has not got, no claim gives.
        let viewer = narrowed(Role::Viewer, &["sandbox.*"]);
        for verb in Verb::ALL {
            assert_eq!(viewer.reach(verb), reach(Role::Viewer, verb), "{verb:?}");
            assert_eq!(narrowed(Role::SuperAdmin, &[]).reach(verb), Reach::Nothing, "{verb:?}");
        }
    }

    #[test]
    fn capabilities_match_as_published() {
        let held = |c: &str| vec![c.to_owned()];
        assert!(has_capability(&held("sandbox.db.provision"), "sandbox.db.provision"));
        assert!(has_capability(&held("sandbox.db.*"), "sandbox.db.provision"));
        assert!(has_capability(&held("sandbox.db.*"), "sandbox.db"));
        assert!(!has_capability(&held("sandbox.db"), "sandbox.db.provision"));
        assert!(!has_capability(&held("sandbox.d.*"), "sandbox.db.provision"));
        assert!(!has_capability(&held(".*"), "sandbox.db"));
        assert!(!has_capability(&held("sandbox.*"), ""));
        assert!(!has_capability(&[], "x"));
    }
}
