//! Takes snapshots for the differential test against xterm.js: one process for all recordings.
//!
//! Reads jobs from stdin until it ends: `u16 cols, u16 rows, u32 history, u32 cuts, u32 bytes`, the cut points as `u32` in
//! rising order, then the recording; all numbers big-endian. For each cut it writes `u32 seq, u32 bytes` and the snapshot:
//! what follows it in the recording begins at `seq`.

use domain::wire::Size;
use std::io::{Read, Write};
use terminal::screen::Screen;

fn main() -> anyhow::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut head = [0; 16];
    while input.read_exact(&mut head).is_ok() {
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let size = Size {
            cols: u16::from_be_bytes([head[0], head[1]]),
            rows: u16::from_be_bytes([head[2], head[3]]),
        };
        let (history, cuts, bytes) = (number(4), number(8), number(12));
        let mut points = vec![0; cuts as usize * 4];
        input.read_exact(&mut points)?;
        let mut recording = vec![0; bytes as usize];
        input.read_exact(&mut recording)?;
        let mut screen = Screen::new(size, history);
        let mut fed = 0;
        for cut in points.chunks_exact(4) {
            let cut = u32::from_be_bytes([cut[0], cut[1], cut[2], cut[3]]) as usize;
            screen.feed(&recording[fed..cut]);
            screen.take_replies();
            fed = cut;
            let snapshot = screen.snapshot(history as usize, usize::MAX);
            output.write_all(&((cut - screen.incomplete()) as u32).to_be_bytes())?;
            output.write_all(&(snapshot.len() as u32).to_be_bytes())?;
            output.write_all(&snapshot)?;
        }
        output.flush()?;
    }
    Ok(())
}
