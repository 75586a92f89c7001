use crate::{cast::*, place::Place};
use domain::{
    SessionId,
    host::{Dimension, UsageFact},
    id::{LoginId, TokenId},
    page::ListSessions,
    session::{Phase, Session, Sharing},
    token::Token,
    usage::{Attributed, Range},
};
use engine::ports::{Bounds, Counts, Opened, Patch, Record};

/// Everything there is belongs to Acme, shared as widely as can be; Other asks every question.
pub(crate) async fn no_question_crosses_from_one_organization_to_another(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let id = SessionId::new("secret-aaaaa");
    let theirs = Session {
        phase: Phase::Suspended,
        sharing: Sharing::Drive,
        ..session(&ann(), id.as_str())
    };
    let opened = store
        .record_opened(&theirs, Bounds::default(), Some("key"), record(&acme(), "opened"))
        .await
        .expect("an answer");
    assert_eq!(opened, Opened::Recorded(theirs.clone()));
    let token = Token {
        id: TokenId::new("t"),
        name: "t".to_owned(),
        capabilities: vec![],
        created_at: at(0),
        expires_at: at(1000),
        used_at: None,
        revoked_at: None,
    };
    assert!(
        store
            .record_token(&ann(), &token, &hash("t"), 9, Record::default())
            .await
            .expect("an answer")
    );
    store
        .record_switch(Some(&acme()), "aider", false, Record::default())
        .await
        .expect("switched");
    let range = Range {
        from: at(0),
        until: at(600),
        bucket_seconds: 60,
    };
    let fact = UsageFact {
        number: 1,
        dimension: Dimension::Storage,
        quantity: 5,
        from: at(10).millis(),
        until: at(20).millis(),
    };
    let (org, person, agent) = (acme(), ann().person, "aider".to_owned());
    store
        .record_usage(&[Attributed {
            org,
            person,
            session: id.clone(),
            agent,
            fact,
        }])
        .await
        .expect("recorded");

    let (there, her) = (other(), ann().person);
    let nothing = Record::default;
    assert_eq!(
        store
            .find_member_by_email(&of(there.clone()), "ann@example.org", at(1))
            .await
            .expect("answers"),
        None
    );
    let members = store
        .members_with(&of(there.clone()), &domain::Role::ALL, at(1))
        .await
        .expect("answers");
    assert_eq!(members, [eve()]);
    assert!(
        store
            .list_logins(&there, &her, at(0))
            .await
            .expect("answers")
            .is_empty()
    );
    assert!(
        !store
            .end_login(&there, &her, &LoginId::new("l"), nothing())
            .await
            .expect("answers")
    );
    assert!(store.list_tokens(&there, &her).await.expect("answers").is_empty());
    assert!(
        !store
            .revoke_token(&there, &her, &token.id, at(1), nothing())
            .await
            .expect("answers")
    );
    assert_eq!(
        store.find_session(&of(there.clone()), &id).await.expect("answers"),
        None
    );
    for only in [None, Some("eve"), Some("ann")] {
        let visible = visible(of(there.clone()), only);
        let ask = ListSessions {
            mine: only == Some("ann"),
            ..ListSessions::default()
        };
        let page = store.list_sessions(&visible, &her, &ask).await.expect("answers");
        assert_eq!((page.items.len(), page.total), (0, 0), "{only:?}");
        assert!(
            store.events_after(&visible, 0, 100).await.expect("answers").is_empty(),
            "{only:?}"
        );
    }
    assert_eq!(
        store.count_sessions(&there, &her).await.expect("answers"),
        Counts::default()
    );
    let renamed = Patch {
        name: Some("mine now".to_owned()),
        ..Patch::default()
    };
    assert_eq!(
        store
            .record_session(&there, &id, &renamed, nothing())
            .await
            .expect("answers"),
        None
    );
    let woken = store
        .record_resumed(&there, &id, Bounds::default(), at(1), nothing())
        .await
        .expect("answers");
    assert_eq!(woken, Opened::Refused(None));
    assert!(!store.record_deleted(&there, &id, nothing()).await.expect("answers"));
    let same_key = session(&eve(), "hers-aaaaa");
    let opened = store
        .record_opened(&same_key, at_most(1), Some("key"), nothing())
        .await
        .expect("answers");
    assert_eq!(opened, Opened::Recorded(same_key));
    assert!(store.switched_off(&there).await.expect("answers").is_empty());
    assert_eq!(store.last_usage(&there, &id).await.expect("answers"), 0);
    assert!(
        store
            .usage_bars(&there, None, &range)
            .await
            .expect("answers")
            .is_empty()
    );
    assert!(
        store
            .usage_bars(&there, Some(&her), &range)
            .await
            .expect("answers")
            .is_empty()
    );
    assert!(
        store
            .usage_shares(&there, None, &range, 20)
            .await
            .expect("answers")
            .is_empty()
    );
    assert!(audited(&*store, &of(there.clone()), "").await.is_empty());
    assert!(audited(&*store, &of(there), "opened").await.is_empty());

    // Nothing of it was touched, and Acme finds all of it.
    assert_eq!(
        store.find_session(&of(acme()), &id).await.expect("answers"),
        Some(theirs)
    );
    assert_eq!(store.list_tokens(&acme(), &her).await.expect("answers"), [token]);
    assert_eq!(
        store
            .usage_shares(&acme(), None, &range, 20)
            .await
            .expect("answers")
            .len(),
        1
    );
    assert_eq!(audited(&*store, &of(acme()), "opened").await.len(), 1);
}
