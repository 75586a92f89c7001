use crate::{cast::*, place::Place};
use domain::{
    Timestamp,
    id::TokenId,
    pass::{Kind, ListPasses},
    token::Token,
};
use engine::ports::{Hash, Member, Record, Store};

async fn token(store: &dyn Store, member: &Member, number: i64, expires_at: Timestamp) {
    let id = format!("t{number:03}");
    let token = Token {
        id: TokenId::new(&id),
        name: format!("the {id}"),
        capabilities: vec!["sandbox.session.see".to_owned()],
        // Two at each moment: the id decides.
        created_at: at(number / 2),
        expires_at,
        used_at: None,
        revoked_at: None,
    };
    let held = store
        .record_token(member, &token, &Hash(id), 500, Record::default())
        .await;
    assert!(held.expect("an answer"));
}

pub(crate) async fn the_passes_of_an_organization_are_its_own_and_their_pages_join(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    for number in 0..30 {
        let holder = if number % 3 == 0 { ann() } else { bob() };
        token(&*store, &holder, number, at(1000)).await;
    }
    token(&*store, &eve(), 40, at(1000)).await;
    token(&*store, &bob(), 50, at(90)).await;
    let revoked = TokenId::new("t005");
    let did = store
        .revoke_token(&acme(), &person("bob"), &revoked, at(60), Record::default())
        .await;
    assert!(did.expect("an answer"));

    let list = async |search: &str, over, cursor, limit| {
        let ask = ListPasses {
            search: search.to_owned(),
            over,
            cursor,
            limit,
            ..ListPasses::default()
        };
        store.list_passes(&acme(), &ask, at(100)).await.expect("passes")
    };
    let all = list("", false, None, 200).await;
    assert_eq!(
        all.total, 29,
        "neither who was revoked, nor who expired, nor another Organization's"
    );
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = list("", false, cursor, 4).await;
        ids.extend(page.items.into_iter().map(|pass| pass.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let whole: Vec<_> = all.items.iter().map(|pass| pass.id.clone()).collect();
    assert_eq!(ids, whole);
    assert_eq!(whole[0], "t029", "newest first");
    assert_eq!(list("ann example", false, None, 200).await.total, 10);
    assert_eq!(list("eve", true, None, 200).await.total, 0);
    let over = list("", true, None, 200).await;
    assert_eq!(over.total, 31);
    let gone = over.items.iter().find(|pass| pass.id == "t005").expect("listed");
    assert_eq!((gone.revoked_at, gone.holds(at(100))), (Some(at(60)), false));
    assert_eq!((gone.email.as_str(), gone.rights), ("bob@example.org", 1));
    for (org, there) in [(acme(), true), (other(), false)] {
        let found = store.find_pass(&org, Kind::Token, "t001").await.expect("an answer");
        assert_eq!(found.is_some(), there);
    }

    // Browsers stand in a list of their own, and a cursor of the one leads nowhere in the other.
    let link = hash("link");
    store
        .record_sign_in_link(&link, &bob(), at(200), Record::default())
        .await
        .expect("a link");
    let login = new_login("l1", at(1000));
    store
        .redeem_sign_in_link(&link, &login, at(20))
        .await
        .expect("an answer")
        .expect("bob");
    let browsers = ListPasses {
        kind: Kind::Browser,
        ..ListPasses::default()
    };
    let page = store.list_passes(&acme(), &browsers, at(100)).await.expect("passes");
    assert_eq!((page.total, page.items[0].label.as_str()), (1, "Firefox"));
    assert_eq!(
        store
            .list_passes(&acme(), &browsers, at(1000))
            .await
            .expect("passes")
            .total,
        0
    );
    let wrong = ListPasses {
        cursor: list("", false, None, 4).await.next,
        ..browsers
    };
    assert!(store.list_passes(&acme(), &wrong, at(100)).await.is_err());
}
