//! The link against a host in a few lines that keeps its promises, over a network that keeps none.

use super::*;

/// A terminal that prints what it is told and remembers what was typed, as `sandbox-host` does.
struct Host {
    output: Vec<u8>,
    typed: Vec<u8>,
    /// Output before this position is no longer held: who is further behind gets a snapshot.
    held_from: u64,
    epoch: u64,
}

/// One socket, seen from the host.
struct Socket {
    sent: u64,
    acknowledged: u64,
    down: VecDeque<Message>,
}

enum Message {
    Text(String),
    Binary(Vec<u8>),
}

fn text(message: &FromTerminal) -> Message {
    Message::Text(serde_json::to_string(message).expect("serialises"))
}

impl Host {
    fn attach(&self, since: Option<u64>, epoch: Option<u64>) -> Socket {
        let end = self.output.len() as u64;
        let held = since.filter(|since| epoch == Some(self.epoch) && *since >= self.held_from && *since <= end);
        let seq = held.unwrap_or(end);
        let size = Size::default();
        let input = self.typed.len() as u64;
        let snapshot = held.is_none();
        let hello = FromTerminal::Attached {
            attachment: 1,
            epoch: self.epoch,
            input,
            size,
            driver: true,
            may_type: true,
            seq,
            snapshot,
        };
        let mut socket = Socket {
            sent: seq,
            acknowledged: seq,
            down: VecDeque::from([text(&hello)]),
        };
        if snapshot {
            socket.down.push_back(Message::Binary(
                Frame::Snapshot {
                    seq,
                    size,
                    ansi: &self.output,
                }
                .encode(),
            ));
        }
        socket
    }

    fn pump(&self, socket: &mut Socket, most: u64) {
        let until = (socket.sent + most)
            .min(self.output.len() as u64)
            .min(socket.acknowledged + crate::wire::CREDIT);
        if until > socket.sent {
            let bytes = &self.output[socket.sent as usize..until as usize];
            socket.down.push_back(Message::Binary(
                Frame::Output {
                    seq: socket.sent,
                    bytes,
                }
                .encode(),
            ));
            socket.sent = until;
        }
    }

    fn take(&mut self, socket: &mut Socket, message: Message) {
        match message {
            Message::Binary(bytes) => {
                let Ok(Frame::Input { at, bytes }) = Frame::decode(&bytes) else {
                    panic!("a client sends only input");
                };
                let written = self.typed.len() as u64;
                assert!(at <= written, "input never has a gap");
                self.typed.extend(bytes.iter().skip((written - at) as usize));
                socket.down.push_back(text(&FromTerminal::InputAck {
                    at: self.typed.len() as u64,
                }));
            }
            Message::Text(json) => match serde_json::from_str(&json).expect("a known message") {
                FromClient::Ack { seq } => {
                    assert!(seq <= socket.sent, "nothing is acknowledged that was not sent");
                    socket.acknowledged = socket.acknowledged.max(seq);
                }
                FromClient::Ping { t } => socket.down.push_back(text(&FromTerminal::Pong { t })),
                _ => {}
            },
        }
    }
}

/// xterm.js, as far as the link is concerned: what it shows, and what it has yet to parse.
#[derive(Default)]
struct Emulator {
    shown: Vec<u8>,
    waiting: VecDeque<(u32, u64)>,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Runs one story of random output, typing, drops at random moments (both directions lose what is under way), and
/// checks that after the storm both sides hold the same bytes.
fn storm(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut host = Host {
        output: Vec::new(),
        typed: Vec::new(),
        held_from: 0,
        epoch: 1,
    };
    let mut link = Link::new(seed);
    let mut emulator = Emulator::default();
    let mut socket: Option<Socket> = None;
    let mut meant: Vec<u8> = Vec::new();
    let mut now = 0;
    link.start(now);
    for step in 0..400 {
        let calm = step >= 340;
        now += if calm { 20_000 } else { dice.roll(400) };
        match dice.roll(6) {
            0 | 1 if !calm => {
                let length = dice.roll(50_000);
                host.output.extend((0..length).map(|n| (n % 251) as u8));
            }
            2 if !calm => {
                let bytes: Vec<u8> = (0..dice.roll(30)).map(|n| (n + step) as u8).collect();
                link.type_bytes(&bytes).expect("there is room");
                meant.extend(bytes);
            }
            3 if !calm && dice.roll(3) == 0 && socket.take().is_some() => link.closed(1006, now),
            4 if !calm && dice.roll(20) == 0 => host.held_from = host.output.len() as u64,
            5 => {
                for _ in 0..dice.roll(4) {
                    if let Some((round, until)) = emulator.waiting.pop_front() {
                        link.parsed(round, until, now);
                    }
                }
            }
            _ => {}
        }
        link.tick(now);
        loop {
            let mut moved = false;
            while let Some(effect) = link.effect() {
                moved = true;
                match effect {
                    Effect::Connect { since, epoch } => {
                        socket = (calm || dice.roll(3) > 0).then(|| host.attach(since, epoch));
                        if socket.is_some() {
                            link.opened(now)
                        } else {
                            link.closed(1006, now)
                        }
                    }
                    Effect::Disconnect => socket = None,
                    Effect::Text(json) => {
                        if let Some(socket) = &mut socket {
                            host.take(socket, Message::Text(json));
                        }
                    }
                    Effect::Binary(bytes) => {
                        // What was sent may never arrive.
                        if !calm && dice.roll(10) == 0 {
                            socket = None;
                            link.closed(1006, now);
                        } else if let Some(socket) = &mut socket {
                            host.take(socket, Message::Binary(bytes));
                        }
                    }
                    Effect::Restore { round, ansi, until, .. } => {
                        emulator.shown = ansi;
                        emulator.waiting.push_back((round, until));
                    }
                    Effect::Write { round, bytes, until } => {
                        emulator.shown.extend(bytes);
                        assert_eq!(emulator.shown.len() as u64, until);
                        emulator.waiting.push_back((round, until));
                    }
                    Effect::Notice(notice) => panic!("nobody is to be told anything, but: {notice:?}"),
                    Effect::Probe | Effect::Resize(_) | Effect::Title(_) | Effect::Changed => {}
                }
            }
            if let Some(open) = &mut socket {
                host.pump(open, 1 + dice.roll(40_000));
                let some = if calm { usize::MAX } else { dice.roll(4) as usize };
                for _ in 0..some.min(open.down.len()) {
                    moved = true;
                    match open.down.pop_front() {
                        Some(Message::Text(json)) => link.text(&json, now),
                        Some(Message::Binary(bytes)) => link.binary(&bytes, now),
                        None => {}
                    }
                }
            }
            if calm {
                for (round, until) in std::mem::take(&mut emulator.waiting) {
                    link.parsed(round, until, now);
                }
            }
            if !moved {
                break;
            }
        }
    }
    assert_eq!(link.state(), State::Attached, "seed {seed}");
    assert!(
        emulator.shown == host.output,
        "seed {seed}: {} of {} bytes shown",
        emulator.shown.len(),
        host.output.len()
    );
    assert!(
        host.typed == meant,
        "seed {seed}: {} of {} bytes typed",
        host.typed.len(),
        meant.len()
    );
}

#[test]
fn drops_at_random_moments_lose_nothing_and_double_nothing() {
    for seed in 0..100 {
        storm(seed);
    }
}

/// A link that is attached to a host with this output.
fn attached(output: &[u8]) -> (Link, Host) {
    let host = Host {
        output: output.to_vec(),
        typed: Vec::new(),
        held_from: 0,
        epoch: 1,
    };
    let mut link = Link::new(1);
    link.start(0);
    greet(&mut link, &host, None, 0);
    (link, host)
}

fn greet(link: &mut Link, host: &Host, since: Option<u64>, now: u64) {
    link.opened(now);
    for message in host.attach(since, Some(host.epoch)).down {
        match message {
            Message::Text(json) => link.text(&json, now),
            Message::Binary(bytes) => link.binary(&bytes, now),
        }
    }
}

fn effects(link: &mut Link) -> Vec<Effect> {
    std::iter::from_fn(|| link.effect()).collect()
}

fn say(link: &mut Link, message: &FromTerminal, now: u64) {
    link.text(&serde_json::to_string(message).expect("serialises"), now);
}

#[test]
fn the_first_screen_is_shown_and_then_what_follows() {
    let (mut link, _) = attached(b"hello");
    link.binary(&Frame::Output { seq: 5, bytes: b" you" }.encode(), 1);
    let effects = effects(&mut link);
    assert!(effects.contains(&Effect::Restore {
        round: 1,
        size: Size::default(),
        ansi: b"hello".to_vec(),
        until: 5
    }));
    assert!(effects.contains(&Effect::Write {
        round: 1,
        bytes: b" you".to_vec(),
        until: 9
    }));
    assert_eq!(link.state(), State::Attached);
}

#[test]
fn the_colours_of_the_page_are_told_at_every_greeting_and_when_they_change() {
    let said = |effects: Vec<Effect>| {
        let texts = effects.into_iter().filter_map(|effect| match effect {
            Effect::Text(json) => serde_json::from_str(&json).ok(),
            _ => None,
        });
        let colors = texts.filter_map(|message| match message {
            FromClient::Colors { colors } => Some(colors),
            _ => None,
        });
        colors.collect::<Vec<_>>()
    };
    let dark = Colors::default();
    let light = Colors {
        foreground: dark.background,
        background: dark.foreground,
        cursor: dark.cursor,
    };
    let mut link = Link::new(1);
    link.paint(dark);
    let host = Host {
        output: b"hello".to_vec(),
        typed: Vec::new(),
        held_from: 0,
        epoch: 1,
    };
    link.start(0);
    assert_eq!(said(effects(&mut link)), [], "nobody listens yet");
    greet(&mut link, &host, None, 0);
    assert_eq!(said(effects(&mut link)), [dark]);
    link.paint(dark);
    link.paint(light);
    assert_eq!(said(effects(&mut link)), [light]);
    link.closed(1006, 10);
    link.tick(1_000);
    greet(&mut link, &host, Some(5), 1_001);
    assert_eq!(said(effects(&mut link)), [light]);
}

#[test]
fn a_gap_is_never_papered_over() {
    let (mut link, _) = attached(b"hello");
    effects(&mut link);
    link.binary(&Frame::Output { seq: 7, bytes: b"x" }.encode(), 1);
    let effects = effects(&mut link);
    assert_eq!(effects[0], Effect::Disconnect);
    assert!(effects.contains(&Effect::Connect {
        since: Some(5),
        epoch: Some(1)
    }));
    assert_eq!(link.state(), State::Stale);
}

#[test]
fn keys_typed_while_nobody_listens_arrive_once_the_link_is_back() {
    let (mut link, host) = attached(b"$ ");
    link.closed(1006, 10);
    link.type_bytes(b"ls\r").expect("it is held");
    link.tick(1_000);
    effects(&mut link);
    greet(&mut link, &host, Some(2), 1_001);
    assert!(effects(&mut link).contains(&Effect::Binary(Frame::Input { at: 0, bytes: b"ls\r" }.encode())));
}

#[test]
fn keys_meant_for_a_program_that_has_gone_do_not_reach_the_next_one() {
    let (mut link, mut host) = attached(b"$ ");
    link.closed(1006, 10);
    link.type_bytes(b"rm -r build\r").expect("it is held");
    link.tick(1_000);
    effects(&mut link);
    host.epoch = 2;
    greet(&mut link, &host, Some(2), 1_001);
    let effects = effects(&mut link);
    assert!(effects.contains(&Effect::Notice(Notice::Dropped)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Binary(_))));
}

#[test]
fn more_than_can_be_held_is_refused_in_words() {
    let (mut link, _) = attached(b"$ ");
    link.closed(1006, 10);
    assert_eq!(link.type_bytes(&vec![b'x'; typed::HELD + 1]), Err(Notice::TooMuch));
    assert_eq!(link.type_bytes(b"x"), Ok(()));
}

#[test]
fn a_restarting_server_is_returned_to_at_once() {
    let (mut link, _) = attached(b"$ ");
    effects(&mut link);
    say(
        &mut link,
        &FromTerminal::Reconnect {
            reason: "restart".into(),
        },
        50,
    );
    assert!(effects(&mut link).contains(&Effect::Connect {
        since: Some(2),
        epoch: Some(1)
    }));
}

#[test]
fn coming_online_does_not_wait_for_the_next_try() {
    let (mut link, _) = attached(b"$ ");
    for now in 0..20 {
        link.closed(1006, now);
        link.tick(now + 20_000);
        link.opened(now + 20_000);
    }
    link.closed(1006, 30_000);
    effects(&mut link);
    link.nudge(30_001);
    assert!(effects(&mut link).contains(&Effect::Connect {
        since: Some(2),
        epoch: Some(1)
    }));
}

#[test]
fn a_socket_that_died_in_its_sleep_is_found_three_seconds_after_waking() {
    let (mut link, _) = attached(b"$ ");
    effects(&mut link);
    link.nudge(5_000);
    assert_eq!(effects(&mut link), [Effect::Text(r#"{"type":"ping","t":5000}"#.into())]);
    link.tick(8_000);
    assert_eq!(effects(&mut link)[0], Effect::Disconnect);
    assert_eq!(link.state(), State::Stale);
}

#[test]
fn a_server_that_will_not_have_us_is_not_asked_again_until_the_person_is() {
    let mut link = Link::new(1);
    link.start(0);
    link.closed(1006, 1);
    assert!(effects(&mut link).contains(&Effect::Probe));
    link.probed(Some(401));
    assert_eq!(link.state(), State::Refused(Refusal::SignedOut));
    assert_eq!(link.deadline(), None);
    effects(&mut link);
    link.nudge(2);
    assert!(matches!(effects(&mut link)[0], Effect::Connect { .. }));
}

#[test]
fn acknowledgements_are_few_but_never_forgotten() {
    let (mut link, _) = attached(b"");
    effects(&mut link);
    let mut seq = 0;
    for _ in 0..64 {
        link.binary(
            &Frame::Output {
                seq,
                bytes: &[b'x'; 1024],
            }
            .encode(),
            1,
        );
        seq += 1024;
        link.parsed(1, seq, 1);
    }
    link.binary(&Frame::Output { seq, bytes: b"x" }.encode(), 1);
    link.parsed(1, seq + 1, 1);
    let acks = |effects: Vec<Effect>| {
        effects
            .into_iter()
            .filter(|effect| matches!(effect, Effect::Text(_)))
            .count()
    };
    assert_eq!(acks(effects(&mut link)), 2, "one for each 32 KiB");
    link.tick(link.deadline().expect("an acknowledgement is owed"));
    assert_eq!(
        effects(&mut link),
        [Effect::Text(format!(r#"{{"type":"ack","seq":{}}}"#, seq + 1))]
    );
}

#[test]
fn a_sleeping_session_keeps_its_screen_and_an_ended_one_takes_no_keys() {
    let (mut link, _) = attached(b"$ ");
    say(&mut link, &FromTerminal::Asleep, 1);
    assert_eq!(link.state(), State::Asleep);
    effects(&mut link);
    assert_eq!(link.type_bytes(b"\x1b[A"), Ok(()), "a keystroke wakes it");
    assert_eq!(link.type_bytes(b"b"), Ok(()), "and no more than one is needed");
    let sent: Vec<_> = effects(&mut link)
        .into_iter()
        .filter(|effect| matches!(effect, Effect::Binary(_)))
        .collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(link.state(), State::Waking);
    say(&mut link, &FromTerminal::Exited { exit: Exit::Code(0) }, 2);
    assert_eq!(link.state(), State::Exited(Exit::Code(0)));
    assert_eq!(link.type_bytes(b"x"), Err(Notice::Ended));
}

#[test]
fn messages_of_a_newer_server_and_garbage_are_survived() {
    let (mut link, _) = attached(b"$ ");
    link.text(r#"{"type":"confetti"}"#, 1);
    link.text("{", 1);
    link.binary(&[], 1);
    link.binary(&[9, 9, 9], 1);
    assert_eq!(link.state(), State::Attached);
}
