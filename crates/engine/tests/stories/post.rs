//! Invitations that are sent: what a letter says, how it is tried again, and that its secret lies nowhere in the clear.

use crate::house::{House, PATIENCE};
use async_trait::async_trait;
use domain::{Caller, Role, invitation::Letter};
use engine::{
    From,
    ports::{Mail, Post, Unsent},
};
use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

/// A post that does as it is told, and keeps what it took.
#[derive(Default)]
struct Letterbox {
    says: Mutex<Option<Unsent>>,
    tried: Mutex<u64>,
    taken: Mutex<Vec<(String, String, String)>>,
}

#[async_trait]
impl Post for Letterbox {
    fn site(&self) -> Option<&str> {
        Some("https://sandbox.example.org")
    }

    async fn send(&self, mail: &Mail) -> Result<(), Unsent> {
        *self.tried.lock().unwrap() += 1;
        if let Some(unsent) = self.says.lock().unwrap().clone() {
            return Err(unsent);
        }
        let mail = (mail.to.clone(), mail.subject.clone(), mail.text.clone());
        self.taken.lock().unwrap().push(mail);
        Ok(())
    }
}

fn later() -> Unsent {
    Unsent::Later("The mail server cannot be reached.".to_owned())
}

async fn letter(house: &House, boss: &Caller, wanted: impl Fn(&Letter) -> bool) -> Letter {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let waiting = house.engine.invitations(boss, &boss.org).await.unwrap();
        if let Some(letter) = waiting.into_iter().find_map(|one| one.letter).filter(&wanted) {
            return letter;
        }
        tokio::task::yield_now().await;
    }
    panic!("the letter never became as wanted");
}

#[tokio::test]
async fn an_invitation_is_sent_with_a_link_that_works() {
    let post = Arc::new(Letterbox::default());
    let house = House::with_post(post.clone()).await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    let link = house.invite(&boss, "new@example.org").await;
    letter(&house, &boss, |letter| *letter == Letter::Sent).await;
    let (to, subject, text) = post.taken.lock().unwrap()[0].clone();
    assert_eq!(
        (to.as_str(), subject.as_str()),
        ("new@example.org", "boss@example.org invites you to acme")
    );
    assert!(
        text.contains(&format!("https://sandbox.example.org/join/{link}\n")),
        "{text}"
    );
    house
        .engine
        .join(&link, "New", &From::default())
        .await
        .expect("the link works");
}

#[tokio::test]
async fn a_letter_outlives_a_server_that_dies_and_waits_for_a_mail_server() {
    let away = Arc::new(Letterbox {
        says: Mutex::new(Some(later())),
        ..Letterbox::default()
    });
    let house = House::with_post(away.clone()).await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    let link = house.invite(&boss, "new@example.org").await;
    let why = letter(&house, &boss, |letter| {
        matches!(letter, Letter::Waiting { why: Some(_) })
    })
    .await;
    assert_eq!(
        why,
        Letter::Waiting {
            why: Some("The mail server cannot be reached.".to_owned())
        }
    );
    // Between the tries nobody is asked.
    house.minute().await;
    assert_eq!(*away.tried.lock().unwrap(), 1);
    // Nothing in the database tells the link.
    let bytes = house.remembered();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("admin@localhost") && !holds(&link));
    let post = Arc::new(Letterbox::default());
    let house = house.restarted_with(post.clone(), |_| {}).await;
    house.clock.forward(31);
    house.minute().await;
    letter(&house, &boss, |letter| *letter == Letter::Sent).await;
    assert!(post.taken.lock().unwrap()[0].2.contains(&link));
}

#[tokio::test]
async fn a_letter_is_given_up_in_words_when_it_is_refused_or_too_old() {
    let refused = Unsent::Never("The mail server refused it: no such mailbox.".to_owned());
    let post = Arc::new(Letterbox {
        says: Mutex::new(Some(refused)),
        ..Letterbox::default()
    });
    let house = House::with_post(post.clone()).await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    let link = house.invite(&boss, "nobody@example.org").await;
    let failed = letter(&house, &boss, |letter| matches!(letter, Letter::Failed { .. })).await;
    assert!(matches!(failed, Letter::Failed { why } if why.contains("no such mailbox")));
    house
        .engine
        .invitation(&link)
        .await
        .expect("the link works all the same");
    let waiting = house.engine.invitations(&boss, &boss.org).await.unwrap();
    house
        .engine
        .withdraw_invitation(&boss, &boss.org, &waiting[0].id)
        .await
        .unwrap();

    *post.says.lock().unwrap() = Some(later());
    house.invite(&boss, "slow@example.org").await;
    letter(&house, &boss, |letter| {
        matches!(letter, Letter::Waiting { why: Some(_) })
    })
    .await;
    house.clock.forward(24 * 3600);
    house.minute().await;
    letter(&house, &boss, |letter| matches!(letter, Letter::Failed { .. })).await;
    let tried = *post.tried.lock().unwrap();
    house.clock.forward(3600);
    house.minute().await;
    assert_eq!(*post.tried.lock().unwrap(), tried, "it is over");
}

#[tokio::test]
async fn who_is_invited_no_more_gets_no_letter() {
    let post = Arc::new(Letterbox {
        says: Mutex::new(Some(later())),
        ..Letterbox::default()
    });
    let house = House::with_post(post.clone()).await;
    let boss = house.person("acme", "boss", Role::Owner).await;
    house.invite(&boss, "new@example.org").await;
    letter(&house, &boss, |letter| {
        matches!(letter, Letter::Waiting { why: Some(_) })
    })
    .await;
    let id = house.engine.invitations(&boss, &boss.org).await.unwrap()[0].id.clone();
    house.engine.withdraw_invitation(&boss, &boss.org, &id).await.unwrap();
    *post.says.lock().unwrap() = None;
    house.clock.forward(60);
    let again = house.invite(&boss, "other@example.org").await;
    letter(&house, &boss, |letter| *letter == Letter::Sent).await;
    let taken = post.taken.lock().unwrap();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].2.contains(&again));
}
