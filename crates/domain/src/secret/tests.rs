use super::*;

fn secret(id: &str, owner: Subject, kind: Kind, name: &str, bindings: Bindings) -> Secret {
    Secret {
        id: SecretId::new(id),
        org: OrgId::new("acme"),
        owner,
        kind,
        name: name.to_owned(),
        version: 1,
        bindings,
        created_at: Timestamp::default(),
        changed_at: Timestamp::default(),
        changed_by: "ada@example.org".to_owned(),
    }
}

fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

fn words(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

#[test]
fn names_of_variables_and_files_are_safe_ones() {
    for good in ["A", "_", "STRIPE_KEY", "GIT_TOKEN", "X9", "PATHS", "HTTP_PROXY"] {
        assert_eq!(name(Kind::Env, good).as_deref(), Ok(good));
    }
    for bad in [
        "",
        "a",
        "1A",
        "A-B",
        "A B",
        "Ä",
        "A=B",
        "PATH",
        "HOME",
        "TERM",
        "LD_PRELOAD",
        "SANDBOX_SECRETS_KEY",
        "BASH_ENV",
        "LC_ALL",
        "A\0",
        &"A".repeat(129),
    ] {
        assert_eq!(name(Kind::Env, bad).expect_err(bad).field.as_deref(), Some("name"));
    }
    for good in [".netrc", ".ssh/id_ed25519", "keys/app@2x.pem", " .npmrc "] {
        assert_eq!(name(Kind::File, good).as_deref(), Ok(good.trim()));
    }
    for bad in [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a b",
        "a\\b",
        "~/x",
        "$HOME",
        "a\nb",
    ] {
        assert!(name(Kind::File, bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_value_is_bounded_and_never_repeated() {
    for (kind, text, fine) in [
        (Kind::Env, "x".to_owned(), true),
        (Kind::Env, "x".repeat(VALUE_MAX), true),
        (Kind::Env, "x".repeat(VALUE_MAX + 1), false),
        (Kind::Env, String::new(), false),
        (Kind::Env, "canary\0".to_owned(), false),
        (Kind::File, "canary\0\n".to_owned(), true),
    ] {
        let checked = value(kind, Value::new(text));
        assert_eq!(checked.is_ok(), fine);
        assert!(!format!("{checked:?}").contains("canary"));
    }
    let wrong = serde_json::from_str::<Value>("4711").expect_err("no text").to_string();
    assert!(!wrong.contains("4711"), "{wrong}");
}

#[test]
fn values_are_json_only_where_they_are_carried() {
    let carried = Carried {
        env: [("KEY".to_owned(), Value::new("canary"))].into(),
        files: [(".netrc".to_owned(), Value::new("machine h"))].into(),
    };
    assert!(!format!("{carried:?}").contains("canary"));
    let json = serde_json::to_string(&carried).expect("JSON");
    assert_eq!(serde_json::from_str::<Carried>(&json).expect("the same"), carried);
    assert_eq!(carried.values().count(), 2);
}

#[test]
fn repositories_have_one_location() {
    for (repo, expected) in [
        ("https://Git.Example.org/team/api.git", Some("git.example.org/team/api")),
        (
            "https://git.example.org:443/team/api/",
            Some("git.example.org/team/api"),
        ),
        (
            "https://git.example.org:8443/team/api",
            Some("git.example.org:8443/team/api"),
        ),
        (
            "ssh://git@git.example.org:22/team/api",
            Some("git.example.org/team/api"),
        ),
        ("git@git.example.org:team/api.git", Some("git.example.org/team/api")),
        ("https://git.example.org@evil.test/team/api", Some("evil.test/team/api")),
        ("team/api", Some("git.example.org/team/api")),
        ("https://git.example.org/team/../evil/api", None),
        ("https://git.example.org/team//api", None),
        ("https://git.example.org/team/%2e%2e/api", None),
        ("https://git.example.org\\@evil.test/x", None),
        ("file:///etc", None),
    ] {
        let base = Some("https://git.example.org/");
        assert_eq!(location(repo, base).as_deref(), expected, "{repo}");
    }
    assert_eq!(location("team/api", None), None, "nobody has said where that is");
}

#[test]
fn patterns_fit_part_by_part() {
    for (text, at, yes) in [
        ("git.example.org/team/*", "git.example.org/team/api", true),
        ("git.example.org/team/*", "git.example.org/team/api/deep", false),
        ("git.example.org/team/*", "git.example.org/teams/api", false),
        ("git.example.org/**", "git.example.org/team/api/deep", true),
        ("git.example.org/team/**", "git.example.org/other/api", false),
        ("*/team/api", "evil.test/team/api", true),
        ("*.example.org/a/*-web*", "git.example.org/a/x-web-y", true),
        ("*.example.org/a/*-web*", "git.example.org.evil.test/a/x-web", false),
        ("git.example.org/*/api", "git.example.org/team/api", true),
        ("git.example.org/team", "git.example.org/team/api", false),
    ] {
        assert_eq!(fits(&pattern(text).expect(text), at), yes, "{text} and {at}");
    }
    for bad in [
        "",
        "host",
        "https://h/x",
        "h//x",
        "h/../x",
        "h/**/x",
        "h/a**",
        "h/ x",
        "u@h/x",
        &"h/x".repeat(200),
    ] {
        assert!(pattern(bad).is_err(), "{bad:?}");
    }
    assert_eq!(
        pattern(" GIT.Example.org/Team/ ").as_deref(),
        Ok("git.example.org/Team")
    );
}

#[test]
fn every_line_that_names_something_must_fit() {
    let (ada, groups) = (PersonId::new("ada"), words(&["/dev"]));
    let to = Recipient {
        person: &ada,
        groups: &groups,
        agent: "claude-code",
        repository: Some("h/team/api"),
    };
    let nobody = Bindings::default();
    let people = |people: &[&str]| Bindings {
        people: set(people.iter().map(|&id| PersonId::new(id))),
        ..Bindings::default()
    };
    let org = Subject::Org;
    for (what, owner, bindings, yes) in [
        ("nothing bound", &org, nobody.clone(), false),
        ("everyone", &org, Bindings::everyone(), true),
        ("her", &org, people(&["ada", "bob"]), true),
        ("others", &org, people(&["bob"]), false),
        (
            "her group",
            &org,
            Bindings {
                groups: words(&["/dev"]),
                ..nobody.clone()
            },
            true,
        ),
        (
            "another group",
            &org,
            Bindings {
                groups: words(&["/ops"]),
                ..nobody.clone()
            },
            false,
        ),
        (
            "others or her group",
            &org,
            Bindings {
                groups: words(&["/dev"]),
                ..people(&["bob"])
            },
            true,
        ),
        (
            "the agent",
            &org,
            Bindings {
                agents: words(&["claude-code"]),
                ..nobody.clone()
            },
            true,
        ),
        (
            "another agent",
            &org,
            Bindings {
                agents: words(&["aider"]),
                ..Bindings::everyone()
            },
            false,
        ),
        (
            "the repository",
            &org,
            Bindings {
                repositories: words(&["h/team/*"]),
                ..nobody.clone()
            },
            true,
        ),
        (
            "another repository",
            &org,
            Bindings {
                repositories: words(&["h/x/*"]),
                ..people(&["ada"])
            },
            false,
        ),
        (
            "her on the repository",
            &org,
            Bindings {
                repositories: words(&["h/team/*"]),
                ..people(&["ada"])
            },
            true,
        ),
        (
            "others on the repository",
            &org,
            Bindings {
                repositories: words(&["h/team/*"]),
                ..people(&["bob"])
            },
            false,
        ),
        (
            "her group's",
            &Subject::Group("/dev".to_owned()),
            Bindings::everyone(),
            true,
        ),
        (
            "another group's",
            &Subject::Group("/ops".to_owned()),
            people(&["ada"]),
            false,
        ),
        ("her own", &Subject::Person(ada.clone()), Bindings::everyone(), true),
        (
            "a colleague's own",
            &Subject::Person(PersonId::new("bob")),
            Bindings::everyone(),
            false,
        ),
    ] {
        let secret = secret("s", owner.clone(), Kind::Env, "KEY", bindings);
        assert_eq!(secret.reaches(&to), yes, "{what}");
    }
    let empty = Recipient { repository: None, ..to };
    let bound = Bindings {
        repositories: words(&["*/**"]),
        ..nobody
    };
    assert!(
        !secret("s", Subject::Org, Kind::Env, "KEY", bound).reaches(&empty),
        "an empty workspace is no repository"
    );
}

#[test]
fn of_one_name_the_nearest_owners_is_given() {
    let (ada, groups) = (PersonId::new("ada"), words(&["/a", "/b"]));
    let to = Recipient {
        person: &ada,
        groups: &groups,
        agent: "shell",
        repository: None,
    };
    let env = |id: &str, owner: &Subject, bindings: Bindings| secret(id, owner.clone(), Kind::Env, "KEY", bindings);
    let (all, org, me) = (Bindings::everyone(), Subject::Org, Subject::Person(ada.clone()));
    let (a, b) = (Subject::Group("/a".to_owned()), Subject::Group("/b".to_owned()));
    for (held, expected) in [
        (vec![], vec![]),
        (vec![env("org", &org, all.clone())], vec!["org"]),
        (
            vec![env("org", &org, all.clone()), env("b", &b, all.clone())],
            vec!["b"],
        ),
        (vec![env("b", &b, all.clone()), env("a", &a, all.clone())], vec!["a"]),
        (
            vec![
                env("org", &org, all.clone()),
                env("me", &me, all.clone()),
                env("a", &a, all.clone()),
            ],
            vec!["me"],
        ),
        // What is not bound to her hides nothing.
        (
            vec![env("me", &me, Bindings::default()), env("org", &org, all.clone())],
            vec!["org"],
        ),
        // A file and a variable are two things, and names are told apart whole.
        (
            vec![
                secret("file", org.clone(), Kind::File, "KEY", all.clone()),
                env("var", &org, all.clone()),
                secret("other", org.clone(), Kind::Env, "KEY_2", all.clone()),
            ],
            vec!["var", "other", "file"],
        ),
    ] {
        let ids: Vec<_> = resolve(&held, &to).iter().map(|secret| secret.id.as_str()).collect();
        assert_eq!(ids, expected, "{held:?}");
    }
}

#[test]
fn bindings_are_bounded_and_a_persons_own_are_theirs() {
    let many = Bindings {
        agents: (0..101).map(|number| format!("a{number}")).collect(),
        ..Bindings::default()
    };
    assert_eq!(
        many.checked(&Subject::Org).expect_err("too many").field.as_deref(),
        Some("agents")
    );
    let others = Bindings {
        people: set([PersonId::new("bob")]),
        ..Bindings::default()
    };
    assert!(others.clone().checked(&Subject::Org).is_ok());
    assert!(others.checked(&Subject::Person(PersonId::new("ada"))).is_err());
}
