//! Properties of the screen model: nothing breaks it, nothing fills the memory, and a snapshot is the screen.

use domain::wire::Size;
use proptest::collection::vec;
use proptest::prelude::*;
use terminal::screen::{MOST_HISTORY_BYTES, MOST_TITLE, Screen};

/// Something that a program may write, more likely to mean something than random bytes.
fn token() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        Just(String::new()),
        (0u32..12).prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| n.to_string())
    ];
    let numbers = vec(number, 0..4).prop_map(|numbers| numbers.join(";"));
    let csi = (
        prop_oneof![4 => Just(""), 1 => Just("?"), 1 => Just(">"), 1 => Just("<"), 1 => Just("=")],
        numbers,
        prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("$"), 1 => Just("'"), 1 => Just("!"), 1 => Just("\"")],
        0x40u8..0x7f,
    )
        .prop_map(|(prefix, numbers, middle, last)| {
            format!("\x1b[{prefix}{numbers}{middle}{}", char::from(last)).into_bytes()
        });
    let mode = (
        prop_oneof![Just("?"), Just("")],
        prop::sample::select(vec![
            1, 4, 6, 7, 12, 20, 25, 45, 47, 66, 1000, 1004, 1006, 1047, 1048, 1049, 2004, 2026,
        ]),
        prop::bool::ANY,
    )
        .prop_map(|(prefix, mode, on)| format!("\x1b[{prefix}{mode}{}", if on { 'h' } else { 'l' }).into_bytes());
    let sgr = vec(prop_oneof![0u32..110, 0u32..300], 0..6).prop_map(|values| {
        format!(
            "\x1b[{}m",
            values.iter().map(u32::to_string).collect::<Vec<_>>().join(";")
        )
        .into_bytes()
    });
    let osc = (
        prop::sample::select(vec![0, 2, 4, 8, 10, 11, 52, 104, 1337]),
        "[ -~ä👍]{0,40}",
        prop::bool::ANY,
    )
        .prop_map(|(number, text, bell)| {
            format!("\x1b]{number};{text}{}", if bell { "\x07" } else { "\x1b\\" }).into_bytes()
        });
    prop_oneof![
        6 => "[ -~]{0,60}".prop_map(String::into_bytes),
        3 => "[ a-z世界👍🏽é\u{301}\u{200d}אب]{0,20}".prop_map(String::into_bytes),
        3 => Just(b"\r\n".to_vec()),
        2 => Just(b"\n".to_vec()),
        2 => vec(0u8..32, 1..3),
        4 => csi,
        2 => mode,
        2 => sgr,
        1 => osc,
        1 => (0x20u8..0x7f).prop_map(|last| vec![0x1b, last]),
        1 => Just(b"\x1bP1;2q#0~~@@\x1b\\".to_vec()),
        1 => vec(any::<u8>(), 0..12),
    ]
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![(2u16..20, 1u16..8), (2u16..=500, 1u16..=300)].prop_map(|(cols, rows)| Size { cols, rows })
}

/// Output, and sizes in between.
fn session() -> impl Strategy<Value = Vec<(Vec<u8>, Option<Size>)>> {
    vec(
        (
            vec(token(), 0..12).prop_map(|tokens| tokens.concat()),
            prop::option::weighted(0.2, size()),
        ),
        0..14,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn nothing_a_program_writes_breaks_the_screen(first in size(), session in session(), lines in 0u32..200) {
        let mut screen = Screen::new(first, lines);
        for (bytes, resize) in &session {
            screen.feed(bytes);
            if let Some(size) = resize {
                screen.resize(*size);
            }
            prop_assert!(screen.title().chars().count() <= MOST_TITLE);
            prop_assert!(screen.history_len() <= lines as usize);
            prop_assert!(screen.take_replies().len() <= 20 * 1024);
        }
        // What a snapshot shows can be shown again.
        let snapshot = screen.snapshot(lines as usize, MOST_HISTORY_BYTES);
        let mut again = Screen::new(screen.size(), lines);
        again.feed(&snapshot);
        again.snapshot(lines as usize, MOST_HISTORY_BYTES);
    }

    #[test]
    fn random_bytes_do_not_break_the_screen(first in size(), bytes in vec(any::<u8>(), 0..4000), second in size()) {
        let mut screen = Screen::new(first, 50);
        screen.feed(&bytes);
        screen.resize(second);
        screen.feed(&bytes);
        screen.snapshot(50, MOST_HISTORY_BYTES);
    }

    #[test]
    fn where_output_is_cut_makes_no_difference(size in size(), session in vec(token(), 0..60), cuts in vec(any::<prop::sample::Index>(), 0..20)) {
        let bytes = session.concat();
        let mut whole = Screen::new(size, 100);
        whole.feed(&bytes);
        let mut parts = Screen::new(size, 100);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        let mut from = 0;
        for place in places.into_iter().chain([bytes.len()]) {
            parts.feed(&bytes[from..place]);
            from = place;
        }
        prop_assert_eq!(text(&whole), text(&parts));
        prop_assert_eq!(whole.take_replies(), parts.take_replies());
    }

    #[test]
    fn a_snapshot_of_what_a_snapshot_shows_is_the_same(size in size(), session in vec(token(), 0..60)) {
        // With one row nothing can be wrapped before the first, and a screen without a line above cannot continue one.
        let mut screen = Screen::new(Size { rows: size.rows.max(2), ..size }, 100);
        screen.feed(&session.concat());
        let first = screen.snapshot(100, MOST_HISTORY_BYTES);
        let mut again = Screen::new(screen.size(), 100);
        again.feed(&first);
        let second = again.snapshot(100, MOST_HISTORY_BYTES);
        let mut third = Screen::new(screen.size(), 100);
        third.feed(&second);
        prop_assert_eq!(text(&third), text(&again));
    }
}

fn text(screen: &Screen) -> String {
    String::from_utf8_lossy(&screen.snapshot(100, MOST_HISTORY_BYTES)).into_owned()
}

#[test]
fn floods_of_titles_links_and_marks_take_no_memory() {
    let mut screen = Screen::new(Size { cols: 200, rows: 50 }, 1000);
    let long = "x".repeat(100_000_000);
    screen.feed(b"\x1b]2;");
    screen.feed(long.as_bytes());
    screen.feed(b"\x07");
    assert_eq!(screen.title(), "", "a title of 100 MB is none");
    for i in 0..20_000 {
        screen.feed(
            format!(
                "\x1b]8;;https://example.test/{i}{}\x1b\\link\x1b]8;;\x1b\\",
                "y".repeat(1000)
            )
            .as_bytes(),
        );
    }
    screen.feed("e".as_bytes());
    screen.feed("\u{301}".repeat(1_000_000).as_bytes());
    screen.feed(b"\x1b[2147483647b\x1b[2147483647I\x1b[2147483647S\x1b[2147483647L\x1b[99999999999999C");
    let snapshot = screen.snapshot(usize::MAX, MOST_HISTORY_BYTES);
    assert!(snapshot.len() < 24 * 1024 * 1024, "{} bytes", snapshot.len());
}

#[test]
fn history_is_bounded_in_lines_and_bytes() {
    let mut screen = Screen::new(Size { cols: 500, rows: 10 }, 100_000);
    for i in 0..50_000 {
        screen.feed(format!("{i} {}\r\n", "wide history ".repeat(38)).as_bytes());
    }
    let snapshot = screen.snapshot(usize::MAX, usize::MAX);
    assert!(
        snapshot.len() <= MOST_HISTORY_BYTES + 100_000,
        "{} bytes",
        snapshot.len()
    );
    assert!(screen.history_len() > 7_000, "{} lines", screen.history_len());
}

#[test]
fn queries_are_answered_once_and_not_by_a_snapshot() {
    let mut screen = Screen::new(Size { cols: 90, rows: 30 }, 100);
    screen.feed(b"ab\x1b[c\x1b[>c\x1b[5n\x1b[6n\x1b[?6n\x1b[?2004$p\x1b[4$p\x1b[?u\x1b[>5u\x1b[?u\x1b[18t\x1b[>q\x1b]11;?\x07\x1b]4;1;?\x1b\\\x1bP$qr\x1b\\");
    let replies = String::from_utf8(screen.take_replies()).expect("text");
    let expected = "\x1b[?1;2c\x1b[>0;276;0c\x1b[0n\x1b[1;3R\x1b[?1;3R\x1b[?2004;2$y\x1b[4;2$y\x1b[8;30;90t\
                    \x1bP>|xterm.js(6.0.0)\x1b\\\x1b]11;rgb:0d0d/0f0f/1313\x07\x1b]4;1;rgb:cccc/0000/0000\x1b\\\x1bP1$r1;30r\x1b\\";
    assert_eq!(replies, expected);
    assert!(screen.take_replies().is_empty());
    let mut again = Screen::new(screen.size(), 100);
    again.feed(&screen.snapshot(100, MOST_HISTORY_BYTES));
    assert!(again.take_replies().is_empty(), "a snapshot asks nothing");
}

#[test]
fn the_title_is_kept_pushed_and_popped() {
    let mut screen = Screen::new(Size::default(), 0);
    screen.feed("\x1b]0;äußerst\x07\x1b[22;0t\x1b]2;vim\x1b\\".as_bytes());
    assert_eq!(screen.title(), "vim");
    screen.feed(b"\x1b[23;0t");
    assert_eq!(screen.title(), "äußerst");
    screen.feed(format!("\x1b]2;{}\x07", "é".repeat(400)).as_bytes());
    assert_eq!(screen.title().chars().count(), MOST_TITLE);
}
