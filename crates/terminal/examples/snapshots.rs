//! Takes snapshots for the differential test against xterm.js: one process for all recordings.
//!
//! Reads jobs from stdin until it ends: `u16 cols, u16 rows, u32 history, u32 cuts, u32 bytes, u32 resizes`, the cut points as `u32` in
//! rising order, then the recording; all numbers big-endian. For each cut it writes `u32 seq, u32 bytes` and the snapshot:
//! what follows it in the recording begins at `seq`. With `u32 resizes` more than 0, the job is another one: the cut points
//! are followed by as many sizes (`u16 cols, u16 rows`), and each snapshot is of the screen at the cut after that resize.

use domain::wire::Size;
use std::io::{Read, Write};
use terminal::screen::Screen;

fn main() -> anyhow::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let mut head = [0; 20];
    while input.read_exact(&mut head).is_ok() {
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let size = Size {
            cols: u16::from_be_bytes([head[0], head[1]]),
            rows: u16::from_be_bytes([head[2], head[3]]),
        };
        let (history, cuts, bytes, resizes) = (number(4), number(8), number(12), number(16));
        let mut points = vec![0; cuts as usize * 4];
        input.read_exact(&mut points)?;
        let mut sizes = vec![0; resizes as usize * 4];
        input.read_exact(&mut sizes)?;
        let mut recording = vec![0; bytes as usize];
        input.read_exact(&mut recording)?;
        let mut screen = Screen::new(size, history);
        let mut fed = 0;
        for (index, cut) in points.chunks_exact(4).enumerate() {
            let cut = u32::from_be_bytes([cut[0], cut[1], cut[2], cut[3]]) as usize;
            screen.feed(&recording[fed..cut]);
            screen.take_replies();
            fed = cut;
            let mut snapshot = screen.snapshot(history as usize, usize::MAX);
            if let Some([c0, c1, r0, r1]) = sizes.get(index * 4..index * 4 + 4) {
                // A screen cannot be resized back: another one, made like a viewer's, is.
                let mut resized = Screen::new(size, history);
                resized.feed(&recording[..cut]);
                resized.resize(Size {
                    cols: u16::from_be_bytes([*c0, *c1]),
                    rows: u16::from_be_bytes([*r0, *r1]),
                });
                snapshot = resized.snapshot(history as usize, usize::MAX);
            }
            output.write_all(&((cut - screen.incomplete()) as u32).to_be_bytes())?;
            output.write_all(&(snapshot.len() as u32).to_be_bytes())?;
            output.write_all(&snapshot)?;
        }
        output.flush()?;
    }
    Ok(())
}
