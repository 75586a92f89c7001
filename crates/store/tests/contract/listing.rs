use crate::{cast::*, place::Place};
use domain::{
    page::{ListSessions, Page, Sort},
    session::{Phase, Session, Sharing, Status},
    wire::Exit,
};
use engine::ports::{Patch, Record, Refusal, Scope, Store, Visible};

async fn page(store: &dyn Store, visible: &Visible, ask: &ListSessions) -> Page<Session> {
    store.list_sessions(visible, &ann().person, ask).await.expect("a page")
}

async fn ids(store: &dyn Store, visible: &Visible, ask: &ListSessions) -> Vec<String> {
    let page = page(store, visible, ask).await;
    assert_eq!(
        page.total,
        page.items.len() as u64,
        "all that match are on one page here"
    );
    page.items.into_iter().map(|session| session.id.to_string()).collect()
}

fn everything() -> Visible {
    visible(of(acme()), None)
}

fn search(words: &str) -> ListSessions {
    ListSessions {
        search: words.to_owned(),
        sort: Sort::Name,
        ..ListSessions::default()
    }
}

/// Follows the pages to the end.
async fn walk(store: &dyn Store, sort: Sort, limit: u32) -> Vec<String> {
    let mut ask = ListSessions {
        sort,
        limit,
        ..ListSessions::default()
    };
    let mut ids = Vec::new();
    loop {
        let page = page(store, &everything(), &ask).await;
        assert!(page.items.len() <= limit as usize);
        ids.extend(page.items.iter().map(|session| session.id.to_string()));
        ask.cursor = page.next;
        if ask.cursor.is_none() {
            return ids;
        }
    }
}

pub(crate) async fn pages_join_to_the_whole_list_in_every_order(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut all = Vec::new();
    for number in 0..23_i64 {
        // Times and names that are equal, so that ties are decided by the id; names in two cases.
        let session = Session {
            created_at: at(number * 7 % 5),
            active_at: at(number * 3 % 4),
            name: ["beta", "Beta", "alpha", "Ärger", "zeta"][number as usize % 5].to_owned(),
            ..session(&ann(), &format!("s{number:02}"))
        };
        open(&*store, &session).await;
        all.push(session);
    }
    open(&*store, &session(&eve(), "elsewhere")).await;
    for sort in Sort::ALL {
        match sort {
            Sort::Active => all.sort_by(|a, b| (b.active_at, &b.id).cmp(&(a.active_at, &a.id))),
            Sort::Created => all.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id))),
            Sort::Name => all.sort_by_key(|session| (session.name.to_lowercase(), session.id.clone())),
        }
        let expected: Vec<String> = all.iter().map(|session| session.id.to_string()).collect();
        for limit in [1, 5, 23, 200] {
            assert_eq!(walk(&*store, sort, limit).await, expected, "{sort:?} by {limit}");
        }
    }
    let first = page(
        &*store,
        &everything(),
        &ListSessions {
            limit: 5,
            ..ListSessions::default()
        },
    )
    .await;
    assert_eq!((first.total, first.items.len()), (23, 5));
    let most = page(
        &*store,
        &everything(),
        &ListSessions {
            limit: u32::MAX,
            ..ListSessions::default()
        },
    )
    .await;
    assert_eq!((most.items.len(), most.next), (23, None));
}

pub(crate) async fn a_cursor_holds_while_sessions_come_and_go(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for number in 0..9_i64 {
        open(
            &*store,
            &Session {
                created_at: at(number),
                ..session(&ann(), &format!("s{number}"))
            },
        )
        .await;
    }
    let mut ask = ListSessions {
        sort: Sort::Created,
        limit: 3,
        ..ListSessions::default()
    };
    let first = page(&*store, &everything(), &ask).await;
    // A new one at the top, and the very row at which the first page ended is deleted.
    open(
        &*store,
        &Session {
            created_at: at(50),
            ..session(&ann(), "new")
        },
    )
    .await;
    assert!(
        store
            .record_deleted(&acme(), &first.items[2].id, Record::default())
            .await
            .expect("an answer")
    );
    ask.cursor = first.next;
    let second = page(&*store, &everything(), &ask).await;
    let ids: Vec<_> = second.items.iter().map(|session| session.id.as_str()).collect();
    assert_eq!(ids, ["s5", "s4", "s3"], "nothing twice and nothing missed");
}

pub(crate) async fn a_search_takes_every_letter_literally(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let repo = Some("https://git.example.org/Team/Tool_box.git".to_owned());
    for (id, name, owner, repo) in [
        ("percent-aaaaa", "100% done", ann(), None),
        ("plain-aaaaa", "100 times", ann(), None),
        ("score-aaaaa", "a_b", bob(), repo),
        ("slash-aaaaa", "back\\slash", bob(), None),
        ("umlaut-aaaaa", "GRÖSSE", bob(), None),
    ] {
        open(
            &*store,
            &Session {
                name: name.to_owned(),
                repo,
                ..session(&owner, id)
            },
        )
        .await;
    }
    for (words, expected) in [
        ("100", &["plain-aaaaa", "percent-aaaaa"][..]),
        ("100%", &["percent-aaaaa"]),
        ("%", &["percent-aaaaa"]),
        ("_", &["score-aaaaa"]),
        ("a_b", &["score-aaaaa"]),
        ("a%b", &[]),
        ("\\", &["slash-aaaaa"]),
        ("\\%", &[]),
        ("größe", &["umlaut-aaaaa"][..0]),
        ("grösse", &["umlaut-aaaaa"]),
        ("tool_BOX team", &["score-aaaaa"]),
        ("team nothing", &[]),
        ("bob@example", &["score-aaaaa", "slash-aaaaa", "umlaut-aaaaa"]),
        ("UMLAUT-a", &["umlaut-aaaaa"]),
        ("'; DROP TABLE sessions; --", &[]),
        ("$1 ? ?", &[]),
        (
            "   ",
            &[
                "plain-aaaaa",
                "percent-aaaaa",
                "score-aaaaa",
                "slash-aaaaa",
                "umlaut-aaaaa",
            ],
        ),
    ] {
        let mut found = ids(&*store, &everything(), &search(words)).await;
        let mut expected: Vec<String> = expected.iter().map(|&id| id.to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{words:?}");
    }
    let endless = ids(&*store, &everything(), &search(&"100 ".repeat(10_000))).await;
    assert_eq!(endless.len(), 2, "only the beginning of a very long search counts");

    // A name that changed is found by the new one.
    let patch = Patch {
        name: Some("Fresh".to_owned()),
        ..Patch::default()
    };
    let id = domain::SessionId::new("plain-aaaaa");
    store
        .record_session(&acme(), &id, &patch, Record::default())
        .await
        .expect("an answer");
    assert_eq!(ids(&*store, &everything(), &search("fresh")).await, ["plain-aaaaa"]);
    assert!(ids(&*store, &everything(), &search("times")).await.is_empty());
}

pub(crate) async fn filters_narrow_by_status_agent_and_owner(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let exit = Some(Exit::Code(1));
    for (id, owner, agent, phase, exit) in [
        ("pending", ann(), "shell", Phase::Pending, None),
        ("making", ann(), "aider", Phase::Provisioning, None),
        ("running", bob(), "aider", Phase::Ready, None),
        ("ended", bob(), "shell", Phase::Ready, exit),
        ("asleep", ann(), "shell", Phase::Suspended, None),
        ("broken", ann(), "shell", Phase::Failed, None),
    ] {
        open(
            &*store,
            &Session {
                agent: agent.to_owned(),
                phase,
                exit,
                ..session(&owner, id)
            },
        )
        .await;
    }
    let by_name = || ListSessions {
        sort: Sort::Name,
        ..ListSessions::default()
    };
    for (status, expected) in [
        (Status::Pending, &["making", "pending"][..]),
        (Status::Running, &["running"]),
        (Status::Stopped, &["asleep", "ended"]),
        (Status::Failed, &["broken"]),
        (Status::Unknown, &[]),
    ] {
        let ask = ListSessions {
            status: Some(status),
            ..by_name()
        };
        assert_eq!(ids(&*store, &everything(), &ask).await, expected, "{status:?}");
    }
    let ask = ListSessions {
        agent: Some("aider".to_owned()),
        ..by_name()
    };
    assert_eq!(ids(&*store, &everything(), &ask).await, ["making", "running"]);
    let ask = ListSessions { mine: true, ..ask };
    assert_eq!(ids(&*store, &everything(), &ask).await, ["making"]);
    let ask = ListSessions {
        status: Some(Status::Failed),
        ..ask
    };
    assert!(
        ids(&*store, &everything(), &ask).await.is_empty(),
        "all conditions hold together"
    );
    // A status follows its session.
    let id = domain::SessionId::new("running");
    let patch = Patch {
        exit: Some(exit),
        ..Patch::default()
    };
    store
        .record_session(&acme(), &id, &patch, Record::default())
        .await
        .expect("an answer");
    let ask = ListSessions {
        status: Some(Status::Stopped),
        ..by_name()
    };
    assert_eq!(ids(&*store, &everything(), &ask).await, ["asleep", "ended", "running"]);
}

pub(crate) async fn a_cursor_of_another_list_is_refused(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for id in ["a", "b"] {
        open(&*store, &session(&ann(), id)).await;
    }
    let by_name = ListSessions {
        sort: Sort::Name,
        limit: 1,
        ..ListSessions::default()
    };
    let cursor = page(&*store, &everything(), &by_name).await.next.expect("a next page");
    for (sort, cursor) in [
        (Sort::Active, cursor.as_str()),
        (Sort::Created, &cursor),
        (Sort::Name, "nonsense"),
        (Sort::Name, ""),
        (Sort::Name, &cursor[..cursor.len() - 3]),
        (Sort::Active, "eyJzIjoiYWN0aXZlIiwiayI6IngiLCJpIjoieSJ9"),
    ] {
        let ask = ListSessions {
            sort,
            cursor: Some(cursor.to_owned()),
            ..ListSessions::default()
        };
        let refused = store
            .list_sessions(&everything(), &ann().person, &ask)
            .await
            .expect_err("refused");
        assert!(
            matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
            "{sort:?} {cursor:?}: {refused:?}"
        );
    }
}

pub(crate) async fn a_person_sees_their_own_and_what_is_shared(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for (id, owner, sharing) in [
        ("hers", ann(), Sharing::Private),
        ("his", bob(), Sharing::Private),
        ("watch", bob(), Sharing::Watch),
        ("drive", bob(), Sharing::Drive),
        ("away", eve(), Sharing::Drive),
    ] {
        open(
            &*store,
            &Session {
                sharing,
                ..session(&owner, id)
            },
        )
        .await;
    }
    let by_name = ListSessions {
        sort: Sort::Name,
        ..ListSessions::default()
    };
    for (visible, expected) in [
        (visible(of(acme()), Some("ann")), &["drive", "hers", "watch"][..]),
        (visible(of(acme()), Some("bob")), &["drive", "his", "watch"]),
        (visible(of(acme()), None), &["drive", "hers", "his", "watch"]),
        (visible(of(other()), Some("ann")), &["away"]),
        (visible(of(other()), Some("eve")), &["away"]),
        (visible(Scope::Fleet, None), &["away", "drive", "hers", "his", "watch"]),
        // Shared is with the members of its Organization, even where somebody asks for the whole fleet.
        (visible(Scope::Fleet, Some("ann")), &["drive", "hers", "watch"]),
    ] {
        assert_eq!(ids(&*store, &visible, &by_name).await, expected, "{visible:?}");
    }
}
