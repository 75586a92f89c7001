use crate::{cast::*, place::Place};
use engine::ports::Scope;

pub(crate) async fn an_agent_is_switched_for_one_organization_or_for_all(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let switch = async |org: Option<_>, agent: &str, enabled| {
        store
            .record_switch(org.as_ref(), agent, enabled, record(&acme(), agent))
            .await
            .expect("switched");
    };
    switch(None, "aider", false).await;
    switch(Some(acme()), "shell", false).await;
    switch(Some(acme()), "shell", false).await;
    switch(Some(other()), "opencode", false).await;
    let off = async |org| store.switched_off(&org).await.expect("an answer");
    assert_eq!(
        off(acme()).await,
        [(None, "aider".to_owned()), (Some(acme()), "shell".to_owned())]
    );
    assert_eq!(
        off(other()).await,
        [(None, "aider".to_owned()), (Some(other()), "opencode".to_owned())]
    );

    switch(Some(acme()), "aider", true).await;
    assert_eq!(
        off(acme()).await.len(),
        2,
        "an Organization cannot switch on what is off for all"
    );
    switch(None, "aider", true).await;
    switch(Some(acme()), "shell", true).await;
    assert!(off(acme()).await.is_empty());
    assert_eq!(told(&*store, &visible(Scope::Fleet, None)).await.len(), 7);
}
