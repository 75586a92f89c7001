//! The rules of a terminal, one by one, without a program and without waiting.

use super::rig::{Client, Got, Rig, person};
use crate::view::BEHIND;
use domain::host::Attach;
use domain::wire::{CREDIT, Colors, Exit, FromClient, FromTerminal, Size, Viewer};

fn watcher(name: &str) -> Attach {
    Attach {
        may_type: false,
        ..person(name)
    }
}

fn drivers(viewers: &[Viewer]) -> Vec<&str> {
    viewers
        .iter()
        .filter(|viewer| viewer.driver)
        .map(|viewer| viewer.name.as_str())
        .collect()
}

fn refusals(client: &mut Client) -> Vec<String> {
    client
        .texts()
        .into_iter()
        .filter_map(|text| {
            if let FromTerminal::Refused { code, .. } = text {
                Some(code)
            } else {
                None
            }
        })
        .collect()
}

/// Acknowledges everything that came.
fn follow(rig: &mut Rig, client: &mut Client) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let (bytes, end) = client.output();
        let Some(end) = end else { return all };
        all.extend_from_slice(&bytes);
        rig.say(client, FromClient::Ack { seq: end });
    }
}

#[test]
fn attaching_gives_the_screen_and_then_exactly_what_follows() {
    let mut rig = Rig::new();
    rig.output("before ä");
    let mut client = rig.attach(person("ada"));
    let got = client.got();
    let Got::Text(FromTerminal::Attached {
        attachment,
        epoch,
        seq,
        snapshot,
        driver,
        may_type,
        input,
        ..
    }) = &got[0]
    else {
        panic!("{got:?}")
    };
    assert_eq!(
        (*attachment, *epoch, *seq, *snapshot, *driver, *may_type, *input),
        (client.id, 7, 9, true, true, true, 0)
    );
    let Got::Snapshot(9, size, ansi) = &got[1] else {
        panic!("{got:?}")
    };
    assert_eq!(*size, Size::default());
    assert!(ansi.contains("before ä"), "{ansi}");
    rig.output("after");
    assert_eq!(client.got(), [Got::Output(9, b"after".to_vec())]);
}

#[test]
fn half_a_character_waits_for_its_other_half() {
    let mut rig = Rig::new();
    rig.output([b'a', 0xf0, 0x9f]);
    let mut client = rig.attach(person("ada"));
    assert!(client.got().iter().any(|got| matches!(got, Got::Snapshot(1, ..))));
    rig.output([0x91]);
    assert!(client.got().is_empty());
    rig.output([0x8d, b'b']);
    assert_eq!(client.got(), [Got::Output(1, "👍b".as_bytes().to_vec())]);
}

#[test]
fn whoever_holds_output_gets_only_what_is_missing_unless_the_epoch_or_the_size_changed() {
    let mut rig = Rig::new();
    rig.output("0123456789");
    let again = |since, epoch| Attach {
        since: Some(since),
        epoch: Some(epoch),
        ..person("ada")
    };
    let mut client = rig.attach(again(4, 7));
    assert!(client.got().contains(&Got::Output(4, b"456789".to_vec())));
    for (since, epoch) in [(4, 6), (11, 7)] {
        let mut client = rig.attach(again(since, epoch));
        assert!(
            client.got().iter().any(|got| matches!(got, Got::Snapshot(10, ..))),
            "since {since} of epoch {epoch}"
        );
    }
    rig.core.want_size(Size { cols: 40, rows: 10 }, rig.now);
    rig.pass(100);
    let mut client = rig.attach(again(4, 7));
    assert!(
        client
            .got()
            .iter()
            .any(|got| matches!(got, Got::Snapshot(10, Size { cols: 40, rows: 10 }, _)))
    );
}

#[test]
fn input_is_written_once_however_often_it_is_sent() {
    let mut rig = Rig::new();
    let mut client = rig.attach(person("ada"));
    rig.type_at(&client, 0, "hello");
    rig.type_at(&client, 0, "hello");
    rig.type_at(&client, 3, "lo world");
    assert_eq!(rig.read_input(), "hello world");
    rig.type_at(&client, 0, "hello world");
    assert_eq!(rig.read_input(), "");
    let acks: Vec<u64> = client
        .texts()
        .iter()
        .filter_map(|text| {
            if let FromTerminal::InputAck { at } = text {
                Some(*at)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(acks.last(), Some(&11), "{acks:?}");
    rig.type_at(&client, 20, "too far");
    assert_eq!(refusals(&mut client), ["input-gap"]);
    let mut again = rig.attach(person("ada"));
    assert!(matches!(again.texts()[0], FromTerminal::Attached { input: 11, .. }));
}

#[test]
fn input_for_a_program_that_does_not_read_is_bounded_and_nothing_of_it_is_lost() {
    let mut rig = Rig::new();
    let mut client = rig.attach(person("ada"));
    let chunk = "x".repeat(32 * 1024);
    let mut at = 0;
    loop {
        rig.type_at(&client, at, &chunk);
        if refusals(&mut client) == ["input-full"] {
            break;
        }
        at += chunk.len() as u64;
        assert!(at <= 10_000_000, "input is not bounded");
    }
    assert_eq!(rig.read_input().len() as u64, at);
    rig.type_at(&client, at, "more");
    assert_eq!(rig.read_input(), "more");
}

#[test]
fn a_viewer_that_may_not_type_is_refused_here_and_not_by_the_page() {
    let mut rig = Rig::new();
    let _driver = rig.attach(person("ada"));
    let mut bob = rig.attach(watcher("bob"));
    rig.type_at(&bob, 0, "rm -rf\r");
    rig.say(&bob, FromClient::TakeControl);
    assert_eq!(refusals(&mut bob), ["read-only", "read-only"]);
    assert_eq!(rig.read_input(), "");
    assert_eq!(drivers(&rig.core.status().viewers), ["ada"]);
}

#[test]
fn the_drive_moves_by_taking_it_or_when_it_was_idle_and_is_shared_by_one_person() {
    let mut rig = Rig::new();
    let ada = rig.attach(person("ada"));
    let mut bob = rig.attach(person("bob"));
    rig.type_at(&ada, 0, "a");
    rig.type_at(&bob, 0, "b");
    assert_eq!(refusals(&mut bob), ["not-driver"]);
    let second = rig.attach(Attach {
        client: String::from("phone"),
        ..person("ada")
    });
    rig.type_at(&second, 0, "A");
    assert_eq!(rig.read_input(), "aA");
    assert_eq!(drivers(&rig.core.status().viewers), ["ada", "ada"]);

    rig.say(&bob, FromClient::TakeControl);
    assert_eq!(drivers(&rig.core.status().viewers), ["bob"]);
    // What was refused before was consumed: it does not come again.
    rig.type_at(&bob, 1, "c");
    assert_eq!(rig.read_input(), "c");

    rig.pass(29_000);
    rig.type_at(&ada, 1, "d");
    assert_eq!(rig.read_input(), "", "the drive is bob's");
    rig.pass(2_000);
    rig.type_at(&ada, 2, "e");
    assert_eq!(rig.read_input(), "e", "an idle drive falls to whoever types");
    assert_eq!(drivers(&rig.core.status().viewers), ["ada", "ada"]);

    rig.say(&ada, FromClient::ReleaseControl);
    assert!(drivers(&rig.core.status().viewers).is_empty());
    rig.type_at(&bob, 2, "f");
    assert_eq!(rig.read_input(), "f");
}

const ASK: &str = "\x1b]11;?\x07";
const DARK: &str = "\x1b]11;rgb:0d0d/0f0f/1313\x07";
const LIGHT: &str = "\x1b]11;rgb:fcfc/fcfc/fdfd\x07";

fn light() -> FromClient {
    FromClient::Colors {
        colors: Colors {
            foreground: [0x23, 0x28, 0x33],
            background: [0xfc, 0xfc, 0xfd],
            cursor: [0x3b, 0x50, 0xc8],
        },
    }
}

fn asked(rig: &mut Rig) -> String {
    rig.output(ASK);
    rig.pass(100);
    rig.read_input()
}

#[test]
fn a_program_is_told_the_colours_of_the_page_that_drives() {
    let mut rig = Rig::new();
    assert_eq!(asked(&mut rig), DARK, "nobody has said anything");
    let ann = rig.attach(person("ann"));
    let bob = rig.attach(person("bob"));
    rig.say(&bob, light());
    assert_eq!(asked(&mut rig), DARK, "who watches changes nothing");
    rig.say(&ann, light());
    assert_eq!(asked(&mut rig), LIGHT);
    let colors = Colors::default();
    rig.say(&ann, FromClient::Colors { colors });
    assert_eq!(asked(&mut rig), DARK, "the theme was changed");
    rig.say(&bob, FromClient::TakeControl);
    assert_eq!(asked(&mut rig), LIGHT, "what bob had said counts now");
    rig.core.detach(bob.id);
    rig.core.detach(ann.id);
    assert_eq!(asked(&mut rig), LIGHT, "without a driver, the last one's");
    assert!(rig.core.status().colors.is_light());
}

#[test]
fn the_colours_of_a_second_window_of_the_driver_count_when_it_goes_on_alone() {
    let mut rig = Rig::new();
    let desk = rig.attach(person("ann"));
    let phone = rig.attach(person("ann"));
    rig.say(&phone, light());
    assert_eq!(asked(&mut rig), DARK);
    rig.core.detach(desk.id);
    assert_eq!(asked(&mut rig), LIGHT);
}

#[test]
fn a_program_that_wants_to_hear_of_it_is_told_when_dark_becomes_light() {
    let mut rig = Rig::new();
    let ann = rig.attach(person("ann"));
    rig.say(&ann, light());
    assert_eq!(rig.read_input(), "", "nobody wants to hear of it yet");
    let colors = Colors::default();
    rig.say(&ann, FromClient::Colors { colors });
    rig.output("\x1b[?2031h");
    rig.say(&ann, light());
    assert_eq!(rig.read_input(), "\x1b[?997;2n");
    rig.say(&ann, light());
    assert_eq!(rig.read_input(), "", "nothing has changed");
}

#[test]
fn a_driver_that_comes_back_drives_again_and_others_do_not_inherit() {
    let mut rig = Rig::new();
    let ada = rig.attach(person("ada"));
    let bob = rig.attach(person("bob"));
    rig.core.detach(ada.id);
    assert!(drivers(&rig.core.status().viewers).is_empty());
    let ada = rig.attach(person("ada"));
    assert_eq!(drivers(&rig.core.status().viewers), ["ada"]);
    rig.core.detach(ada.id);
    // The only one left that may: its window counts as soon as it says so.
    rig.say(&bob, FromClient::Resize { cols: 50, rows: 20 });
    assert_eq!(drivers(&rig.core.status().viewers), ["bob"]);
}

#[test]
fn only_the_drivers_size_counts_and_a_sliding_keyboard_is_one_resize() {
    let mut rig = Rig::new();
    let ada = rig.attach(person("ada"));
    let mut bob = rig.attach(watcher("bob"));
    rig.say(&bob, FromClient::Resize { cols: 20, rows: 5 });
    rig.pass(500);
    assert_eq!(rig.core.resize.take(), None);
    for rows in (10..24).rev() {
        rig.say(&ada, FromClient::Resize { cols: 100, rows });
        rig.pass(20);
        assert_eq!(rig.core.resize.take(), None, "still sliding");
    }
    rig.pass(100);
    assert_eq!(rig.core.resize.take(), Some(Size { cols: 100, rows: 10 }));
    let resized: Vec<_> = bob
        .texts()
        .into_iter()
        .filter(|text| matches!(text, FromTerminal::Resized { .. }))
        .collect();
    assert_eq!(
        resized,
        [FromTerminal::Resized {
            size: Size { cols: 100, rows: 10 }
        }]
    );
    rig.core.detach(bob.id);
    let carol = rig.attach(person("carol"));
    rig.say(&carol, FromClient::Resize { cols: 30, rows: 30 });
    rig.core.detach(ada.id);
    rig.pass(500);
    assert_eq!(rig.core.resize.take(), None, "coming and going changes no size");
}

#[test]
fn no_more_than_the_credit_is_under_way_and_acknowledging_gives_more() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    follow(&mut rig, &mut ada);
    let flood = "plain text\r\n".repeat(40_000);
    let mut sent = Vec::new();
    for part in flood.as_bytes().chunks(8192) {
        assert!(
            !rig.core.is_paused(rig.now) || sent.len() as u64 >= CREDIT - 40_000,
            "paused too early"
        );
        if rig.core.is_paused(rig.now) {
            break;
        }
        rig.output(part);
        let (bytes, _) = ada.output();
        sent.extend_from_slice(&bytes);
    }
    assert!(
        rig.core.is_paused(rig.now),
        "a driver that does not follow holds the program back"
    );
    assert!(sent.len() as u64 <= CREDIT);
    rig.say(&ada, FromClient::Ack { seq: sent.len() as u64 });
    sent.extend(follow(&mut rig, &mut ada));
    rig.pass(50);
    sent.extend(follow(&mut rig, &mut ada));
    assert!(!rig.core.is_paused(rig.now));
    assert_eq!(sent, &flood.as_bytes()[..sent.len()]);
    assert_eq!(sent.len() as u64, rig.core.status().seq);
}

#[test]
fn a_stalled_driver_holds_nobody_up_for_long() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    while !rig.core.is_paused(rig.now) {
        rig.output("flood\r\n".repeat(1000));
        // It takes messages off the wire, and its page parses nothing.
        ada.got();
    }
    rig.pass(4_000);
    assert!(rig.core.is_paused(rig.now));
    rig.pass(2_000);
    assert!(!rig.core.is_paused(rig.now));
    rig.output("the end".repeat(100_000));
    assert!(!rig.core.is_paused(rig.now), "it is a viewer that is behind now");
}

#[test]
fn a_viewer_that_falls_behind_gets_a_fresh_screen_and_never_the_backlog() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    let mut bob = rig.attach(watcher("bob"));
    follow(&mut rig, &mut ada);
    bob.got();
    let mut seen = 0;
    for i in 0..3000 {
        rig.output(format!("line {i} {}\r\n", "x".repeat(300)));
        seen += follow(&mut rig, &mut ada).len();
        bob.got();
        rig.pass(1);
    }
    rig.pass(100);
    seen += follow(&mut rig, &mut ada).len();
    assert_eq!(seen as u64, rig.core.status().seq, "the reader notices nothing");
    // Bob acknowledges what he got at last, which is far less than was written.
    let sent = CREDIT;
    assert!(rig.core.status().seq > sent + BEHIND);
    let mut fresh = None;
    for seq in (0..=sent).rev().take(40_000) {
        rig.say(&bob, FromClient::Ack { seq });
        if let Some(Got::Snapshot(seq, _, ansi)) = bob.got().into_iter().next() {
            fresh = Some((seq, ansi));
            break;
        }
    }
    let (seq, ansi) = fresh.expect("a fresh screen");
    assert_eq!(seq, rig.core.status().seq);
    assert!(ansi.contains("line 2999"));
    assert!(ansi.len() < 100 * 1024, "{} bytes", ansi.len());
}

#[test]
fn an_echo_goes_at_once_and_a_flood_of_small_writes_is_joined() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    follow(&mut rig, &mut ada);
    rig.pass(1000);
    let mut frames = 0;
    for _ in 0..1000 {
        rig.output("spin");
        rig.pass(1);
        for got in ada.got() {
            if let Got::Output(seq, bytes) = got {
                frames += 1;
                rig.say(
                    &ada,
                    FromClient::Ack {
                        seq: seq + bytes.len() as u64,
                    },
                );
            }
        }
    }
    assert!((55..=65).contains(&frames), "{frames} frames in a second");
    rig.type_at(&ada, 0, "k");
    ada.got();
    rig.output("k");
    assert!(
        ada.got()
            .iter()
            .any(|got| matches!(got, Got::Output(_, bytes) if bytes.ends_with(b"k"))),
        "the echo waits"
    );
}

#[test]
fn the_title_the_viewers_and_the_exit_are_told() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    rig.output("\x1b]2;building\x07");
    assert!(ada.texts().contains(&FromTerminal::Title {
        title: String::from("building")
    }));
    let bob = rig.attach(watcher("bob"));
    let texts = ada.texts();
    assert!(
        matches!(texts.last(), Some(FromTerminal::Viewers { viewers }) if viewers.len() == 2),
        "{texts:?}"
    );
    rig.core.detach(bob.id);
    rig.output("last words");
    rig.core.exited(Exit::Signal(9), rig.now);
    let got = ada.got();
    let [.., Got::Output(_, bytes), Got::Text(exited)] = got.as_slice() else {
        panic!("{got:?}")
    };
    assert!(bytes.ends_with(b"last words"));
    assert_eq!(*exited, FromTerminal::Exited { exit: Exit::Signal(9) });
    rig.type_at(&ada, 0, "x");
    assert_eq!(refusals(&mut ada), ["exited"]);
    let mut late = rig.attach(person("carol"));
    let got = late.got();
    assert!(
        got.iter()
            .any(|got| matches!(got, Got::Snapshot(_, _, ansi) if ansi.contains("last words")))
    );
    assert!(
        got.contains(&Got::Text(FromTerminal::Exited { exit: Exit::Signal(9) })),
        "{got:?}"
    );
}

#[test]
fn queries_are_answered_to_the_program_and_to_nobody_else() {
    let mut rig = Rig::new();
    let mut ada = rig.attach(person("ada"));
    ada.got();
    rig.output("plain\r\n\x1b[6n");
    assert_eq!(rig.read_input(), "\x1b[2;1R");
    assert!(ada.texts().is_empty(), "our own input is nobody's to acknowledge");
    let _late = rig.attach(person("bob"));
    assert_eq!(rig.read_input(), "");
}

#[test]
fn a_plain_viewer_sees_raw_bytes_and_types_raw_bytes() {
    let mut rig = Rig::new();
    rig.output("before");
    let mut ada = rig.attach(Attach {
        plain: true,
        ..person("ada")
    });
    let got = ada.got();
    assert!(
        matches!(got.as_slice(), [Got::Raw(ansi)] if String::from_utf8_lossy(ansi).contains("before")),
        "{got:?}"
    );
    rig.output("after");
    assert_eq!(ada.got(), [Got::Raw(b"after".to_vec())]);
    rig.core
        .hear(ada.id, crate::ClientMessage::Binary("ls\r".into()), rig.now);
    assert_eq!(rig.read_input(), "ls\r");
}

#[test]
fn more_history_comes_when_it_is_asked_for() {
    let mut rig = Rig::new();
    for i in 0..400 {
        rig.output(format!("line {i}\r\n"));
    }
    let mut ada = rig.attach(Attach {
        history: 10,
        ..person("ada")
    });
    let first = ada.got();
    assert!(
        !first
            .iter()
            .any(|got| matches!(got, Got::Snapshot(_, _, ansi) if ansi.contains("line 200\r")))
    );
    rig.say(&ada, FromClient::Snapshot { history: 1000 });
    assert!(
        ada.got()
            .iter()
            .any(|got| matches!(got, Got::Snapshot(_, _, ansi) if ansi.contains("line 0\r")))
    );
}
