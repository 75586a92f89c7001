//! Whatever a program writes, and whatever sizes come in between: no panic, bounded memory, and a snapshot that can be shown.
#![no_main]

use domain::wire::Size;
use libfuzzer_sys::fuzz_target;
use terminal::screen::{MOST_HISTORY_BYTES, MOST_TITLE, Screen};

fuzz_target!(|data: &[u8]| {
    let mut screen = Screen::new(Size { cols: 20, rows: 6 }, 50);
    // 0xff is in no UTF-8: it and two bytes after it are a new size.
    let mut parts = data.split(|byte| *byte == 0xff);
    screen.feed(parts.next().unwrap_or_default());
    for part in parts {
        let (size, output) = part.split_at(part.len().min(2));
        if let [cols, rows] = size {
            screen.resize(Size { cols: u16::from(*cols), rows: u16::from(*rows) });
        }
        screen.feed(output);
    }
    assert!(screen.title().chars().count() <= MOST_TITLE);
    screen.take_replies();
    let snapshot = screen.snapshot(50, MOST_HISTORY_BYTES);
    let mut again = Screen::new(screen.size(), 50);
    again.feed(&snapshot);
    assert!(again.take_replies().is_empty(), "a snapshot asks nothing");
});
