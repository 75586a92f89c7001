use crate::{cast::*, place::Place};
use domain::{
    SessionId, Timestamp,
    host::{Dimension, UsageFact},
    usage::{Attributed, Bar, Range, Share},
};
use engine::ports::{Member, Record, Refusal};

const HOUR: i64 = 3600;

/// A moment that is a multiple of an hour.
fn noon() -> Timestamp {
    Timestamp::from_millis(500_000 * HOUR * 1000)
}

fn fact(owner: &Member, session: &str, number: u64, second: i64, dimension: Dimension, quantity: u64) -> Attributed {
    let from = noon().plus_seconds(second);
    Attributed {
        org: owner.org.clone(),
        person: owner.person.clone(),
        session: SessionId::new(session),
        agent: "aider".to_owned(),
        fact: UsageFact {
            number,
            dimension,
            quantity,
            from: from.millis(),
            until: from.plus_seconds(60).millis(),
        },
    }
}

fn range(from: i64, until: i64, bucket_seconds: i64) -> Range {
    Range {
        from: noon().plus_seconds(from),
        until: noon().plus_seconds(until),
        bucket_seconds,
    }
}

fn bar(second: i64, dimension: Dimension, quantity: u64) -> Bar {
    Bar {
        at: noon().plus_seconds(second),
        dimension,
        quantity,
    }
}

pub(crate) async fn a_fact_counts_once(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let facts: Vec<_> = (1..=5)
        .map(|n| fact(&ann(), "s", n, n as i64, Dimension::ComputeCpu, 10))
        .collect();
    assert_eq!(
        store.last_usage(&acme(), &SessionId::new("s")).await.expect("a number"),
        0
    );
    store.record_usage(&facts[..3]).await.expect("recorded");
    store.record_usage(&[]).await.expect("nothing to record");
    // A part that is known, twice at the same time.
    let _ = at_once(4, |_| {
        let (store, facts) = (store.clone(), facts.clone());
        async move { store.record_usage(&facts[1..]).await.expect("recorded") }
    })
    .await;
    assert_eq!(
        store.last_usage(&acme(), &SessionId::new("s")).await.expect("a number"),
        5
    );
    assert_eq!(
        store
            .last_usage(&other(), &SessionId::new("s"))
            .await
            .expect("a number"),
        0
    );
    let bars = store
        .usage_bars(&acme(), None, &range(0, HOUR, HOUR))
        .await
        .expect("bars");
    assert_eq!(bars, [bar(0, Dimension::ComputeCpu, 50)]);
}

pub(crate) async fn sums_are_exact_beyond_one_whole_number(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let huge = i64::MAX as u64 - 1;
    let used = |session, number, second, quantity| fact(&ann(), session, number, second, Dimension::Storage, quantity);
    let day = range(0, 24 * HOUR, 24 * HOUR);
    let sum = async || {
        store
            .usage_bars(&acme(), None, &day)
            .await
            .expect("bars")
            .iter()
            .map(|bar| bar.quantity)
            .sum()
    };
    store
        .record_usage(&[used("a", 1, 0, huge), used("b", 1, 0, huge)])
        .await
        .expect("recorded");
    let both: u64 = sum().await;
    assert_eq!(both, huge * 2);
    store
        .record_usage(&[used("c", 1, 0, u64::MAX), used("c", 2, 1, 7)])
        .await
        .expect("recorded");
    store
        .record_usage(&[used("c", 3, 2, u64::MAX)])
        .await
        .expect("recorded");
    let all: u64 = sum().await;
    assert_eq!(all, u64::MAX, "and stop at the largest number");
}

/// The same sums, whether they come from hours or from facts, wherever the range begins and ends.
pub(crate) async fn hours_tell_what_their_facts_tell(place: Place) {
    let store = place.open().await;
    settle(&*store).await;
    let mut facts = Vec::new();
    for number in 0..200_u64 {
        let (second, owner) = (number as i64 * 137 - 9000, if number % 3 == 0 { bob() } else { ann() });
        facts.push(fact(
            &owner,
            &format!("{}-s", owner.name),
            number + 1,
            second,
            Dimension::ComputeCpu,
            number,
        ));
    }
    // In two parts that overlap, so that a fact that is known must not count again in its hour.
    store.record_usage(&facts[..120]).await.expect("recorded");
    store.record_usage(&facts[80..]).await.expect("recorded");
    for (from, until) in [
        (-2 * HOUR, 4 * HOUR),
        (-2 * HOUR - 1, 4 * HOUR + 1),
        (-9000, 1),
        (5, HOUR - 5),
        (1, HOUR),
        (0, HOUR),
        (HOUR - 1, HOUR + 1),
        (0, 0),
        (HOUR, 0),
    ] {
        for person in [None, Some(ann().person)] {
            let expected: u64 = facts
                .iter()
                .filter(|one| person.as_ref().is_none_or(|person| one.person == *person))
                .filter(|one| {
                    (noon().plus_seconds(from)..noon().plus_seconds(until))
                        .contains(&Timestamp::from_millis(one.fact.from))
                })
                .map(|one| one.fact.quantity)
                .sum();
            for bucket in [HOUR, 60 * 7] {
                let range = range(from, until, bucket);
                let bars = store.usage_bars(&acme(), person.as_ref(), &range).await.expect("bars");
                assert_eq!(
                    bars.iter().map(|bar| bar.quantity).sum::<u64>(),
                    expected,
                    "{from} to {until} by {bucket}"
                );
                let shares = store
                    .usage_shares(&acme(), person.as_ref(), &range, 9)
                    .await
                    .expect("shares");
                assert_eq!(
                    shares.iter().map(|share| share.quantity).sum::<u64>(),
                    expected,
                    "{from} to {until}"
                );
            }
        }
    }
}

pub(crate) async fn bars_and_shares_are_sums_of_the_range(place: Place) {
    use Dimension::{ComputeCpu, ComputeMemory};
    let store = place.open().await;
    settle(&*store).await;
    open(&*store, &session(&ann(), "kept")).await;
    open(&*store, &session(&bob(), "gone")).await;
    let facts = [
        fact(&ann(), "kept", 1, -1, ComputeCpu, 1000),
        fact(&ann(), "kept", 2, 0, ComputeCpu, 1),
        fact(&ann(), "kept", 3, 59, ComputeCpu, 2),
        fact(&ann(), "kept", 4, HOUR, ComputeCpu, 4),
        fact(&ann(), "kept", 5, 10, ComputeMemory, 8),
        fact(&bob(), "gone", 1, 10, ComputeCpu, 16),
        fact(&ann(), "kept", 6, 2 * HOUR, ComputeCpu, 1000),
        fact(&eve(), "away", 1, 10, ComputeCpu, 1000),
    ];
    store.record_usage(&facts).await.expect("recorded");
    assert!(
        store
            .record_deleted(&acme(), &SessionId::new("gone"), Record::default())
            .await
            .expect("an answer")
    );

    let range = range(0, 2 * HOUR, HOUR);
    let bars = store.usage_bars(&acme(), None, &range).await.expect("bars");
    let expected = [
        bar(0, ComputeCpu, 19),
        bar(0, ComputeMemory, 8),
        bar(HOUR, ComputeCpu, 4),
    ];
    assert_eq!(bars, expected);
    let hers = store
        .usage_bars(&acme(), Some(&ann().person), &range)
        .await
        .expect("bars");
    assert_eq!(
        hers,
        [
            bar(0, ComputeCpu, 3),
            bar(0, ComputeMemory, 8),
            bar(HOUR, ComputeCpu, 4)
        ]
    );

    let share = |session: &str, name: Option<&str>, dimension, quantity| Share {
        session: SessionId::new(session),
        name: name.map(str::to_owned),
        agent: "aider".to_owned(),
        dimension,
        quantity,
    };
    let shares = store.usage_shares(&acme(), None, &range, 20).await.expect("shares");
    let gone = share("gone", None, ComputeCpu, 16);
    let kept = share("kept", Some("kept"), ComputeCpu, 7);
    let memory = share("kept", Some("kept"), ComputeMemory, 8);
    assert_eq!(
        shares,
        [gone.clone(), kept, memory.clone()],
        "most first; a session that is gone has lost its name"
    );
    let most = store.usage_shares(&acme(), None, &range, 1).await.expect("shares");
    assert_eq!(most, [gone, memory]);
    assert!(
        store
            .usage_shares(&other(), Some(&ann().person), &range, 20)
            .await
            .expect("shares")
            .is_empty()
    );

    for (until, bucket) in [(HOUR, 59), (HOUR, 0), (HOUR, -60), (402 * 60, 60)] {
        let refused = store
            .usage_bars(&acme(), None, &self::range(0, until, bucket))
            .await
            .expect_err("refused");
        assert!(
            matches!(refused.downcast_ref(), Some(Refusal::Invalid(_))),
            "{refused:?}"
        );
    }
}
