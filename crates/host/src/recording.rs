//! The recording of a terminal: what came out of it, masked, with its sizes and never what was typed, as an asciicast
//! (version 2, which every player of today reads: times count from the head, so what is added after a crash fits).
//!
//! A line is written whole and after the one before it; one that a crash has cut is dropped when the file is opened again,
//! and by [`whole`] where it is read. The file lies among the host's own things, which no program of the session reaches.

use crate::mask::{Mask, Masker};
use domain::wire::Size;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use terminal::tap::{Tapped, Tapping};
use tokio::sync::watch;

/// A recording that is longer, in bytes, forgets its first half, and says so.
pub const MOST: u64 = 32 * 1024 * 1024;
/// What is written at once, about.
const AT_ONCE: usize = 256 * 1024;
/// Players pass over a longer silence, in seconds: a session may sleep for a week.
const SILENCE: f32 = 3.0;
/// Output is gathered for so long before it is written: nobody waits for it.
const GATHER: Duration = Duration::from_millis(20);
/// When nothing has come for so long, what is held back because it may begin a value is written.
const IDLE: Duration = Duration::from_secs(1);
/// Pieces of output that are taken at once.
const PIECES: usize = 64;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u8,
    width: u16,
    height: u16,
    /// Seconds since the Unix epoch, from which all times count.
    timestamp: u64,
    #[serde(default)]
    idle_time_limit: f32,
    #[serde(default)]
    title: String,
}

/// A recording that is being written.
pub struct Recording {
    path: PathBuf,
    file: File,
    head: Head,
    length: u64,
    /// The time of the last line, in microseconds after the head's.
    last: u64,
    masker: Masker,
    /// The beginning of a letter that is not whole yet.
    letter: Vec<u8>,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    most: u64,
}

impl Recording {
    /// Begins a recording, or goes on with the one that is there.
    pub fn open(path: PathBuf, title: &str, size: Size, mask: Arc<Mask>) -> io::Result<Self> {
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)?;
        let known = read_head(&mut file)?;
        let goes_on = known.is_some();
        let now = SystemTime::now();
        let head = known.unwrap_or_else(|| Head {
            version: 2,
            width: size.cols,
            height: size.rows,
            timestamp: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            idle_time_limit: SILENCE,
            title: mask.text(title),
        });
        let (length, last) = if goes_on { end(&file)? } else { (0, 0) };
        file.set_len(length)?;
        let mut recording = Self {
            path,
            file,
            head,
            length,
            last,
            masker: Masker::new(mask),
            letter: Vec::new(),
            lines: Vec::new(),
            most: MOST,
        };
        if goes_on {
            recording.line(now, "m", "goes on");
            recording.line(now, "r", &format!("{}x{}", size.cols, size.rows));
            // Another program begins, on a clear screen.
            recording.line(now, "o", "\x1bc");
        } else {
            serde_json::to_writer(&mut recording.lines, &recording.head)?;
            recording.lines.push(b'\n');
        }
        recording.flush()?;
        Ok(recording)
    }

    fn take(&mut self, taken: Vec<(SystemTime, Tapped)>) -> io::Result<()> {
        for (at, what) in taken {
            match what {
                Tapped::Output(bytes) => {
                    let mut masked = Vec::with_capacity(bytes.len());
                    self.masker.push(&bytes, &mut masked);
                    self.output(at, &masked);
                }
                Tapped::Resized(size) => self.line(at, "r", &format!("{}x{}", size.cols, size.rows)),
                Tapped::Lost(bytes) => self.line(at, "m", &format!("{bytes} bytes are missing")),
            }
            if self.lines.len() >= AT_ONCE {
                self.flush()?;
            }
        }
        self.flush()
    }

    fn rest(&mut self) -> io::Result<()> {
        let mut masked = Vec::new();
        self.masker.idle(&mut masked);
        self.output(SystemTime::now(), &masked);
        self.flush()
    }

    fn end(mut self) -> io::Result<()> {
        let mut masked = Vec::new();
        self.masker.finish(&mut masked);
        self.output(SystemTime::now(), &masked);
        self.flush()
    }

    /// Adds output. A letter that is cut waits for its rest; what is no letter is replaced, as a terminal does.
    fn output(&mut self, at: SystemTime, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut text = std::mem::take(&mut self.letter);
        text.extend_from_slice(bytes);
        if let Err(error) = std::str::from_utf8(&text)
            && error.error_len().is_none()
        {
            self.letter = text.split_off(error.valid_up_to());
        }
        // A cut letter in the middle has been seen with what follows it: it is none.
        self.line(at, "o", &String::from_utf8_lossy(&text));
    }

    fn line(&mut self, at: SystemTime, kind: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let base = UNIX_EPOCH + Duration::from_secs(self.head.timestamp);
        let since = at.duration_since(base).unwrap_or_default().as_micros();
        // A clock that was set back must not make a recording that runs backwards.
        self.last = u64::try_from(since).unwrap_or(u64::MAX).max(self.last);
        let (seconds, micros) = (self.last / 1_000_000, self.last % 1_000_000);
        // Numbers and text always have a form.
        let text = serde_json::to_string(text).unwrap_or_default();
        let line = format!("[{seconds}.{micros:06}, \"{kind}\", {text}]\n");
        self.lines.extend_from_slice(line.as_bytes());
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.lines)?;
        self.length += self.lines.len() as u64;
        self.lines.clear();
        self.lines.shrink_to(AT_ONCE);
        if self.length > self.most {
            self.forget_first()?;
        }
        Ok(())
    }

    /// Keeps the newer half: what is written meanwhile is in neither, so a reader finds the old file or the new one.
    fn forget_first(&mut self) -> io::Result<()> {
        let mut from = self.length - self.most / 2;
        let mut block = vec![0; 64 * 1024];
        loop {
            let count = self.file.read_at(&mut block, from)?;
            match block[..count].iter().position(|byte| *byte == b'\n') {
                Some(place) => {
                    from += place as u64 + 1;
                    break;
                }
                None if count == 0 => break,
                None => from += count as u64,
            }
        }
        let forgotten = from >> 20;
        let beside = self.path.with_extension("cast.new");
        let _ = std::fs::remove_file(&beside);
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        serde_json::to_writer(&mut file, &self.head)?;
        let mut first = [0; 64];
        let count = self.file.read_at(&mut first, from)?;
        let at = time_of(&first[..count]).unwrap_or(self.last);
        let (seconds, micros) = (at / 1_000_000, at % 1_000_000);
        let note = format!("The first {forgotten} MiB were forgotten: a recording has a bound.");
        let said = serde_json::to_string(&format!("\x1bc{note}\r\n"))?;
        let note = serde_json::to_string(&note)?;
        write!(
            file,
            "\n[{seconds}.{micros:06}, \"m\", {note}]\n[{seconds}.{micros:06}, \"o\", {said}]\n"
        )?;
        self.file.seek(SeekFrom::Start(from))?;
        io::copy(&mut self.file, &mut file)?;
        std::fs::rename(&beside, &self.path)?;
        self.length = file.metadata()?.len();
        self.file = file;
        Ok(())
    }
}

/// Writes what the terminal tells until it has ended. `recorded` says so for as long as it does.
pub async fn keep(
    mut recording: Recording,
    mut tapping: Tapping,
    mut masks: watch::Receiver<Arc<Mask>>,
    recorded: Arc<AtomicBool>,
) {
    let mut is_resting = false;
    let ended = loop {
        let mut taken = Vec::new();
        let more = match is_resting {
            true => tapping.take(&mut taken, PIECES).await,
            false => match tokio::time::timeout(IDLE, tapping.take(&mut taken, PIECES)).await {
                Ok(more) => more,
                Err(_) => {
                    is_resting = true;
                    match off(recording, Recording::rest).await {
                        Ok(same) => recording = same,
                        Err(error) => break Err(error),
                    }
                    continue;
                }
            },
        };
        if !more {
            break aside(move || recording.end()).await;
        }
        is_resting = false;
        tokio::time::sleep(GATHER).await;
        // What has come meanwhile; that nothing will come any more is told again.
        let _ = tokio::time::timeout(Duration::ZERO, tapping.take(&mut taken, PIECES)).await;
        if masks.has_changed().unwrap_or_default() {
            recording.masker.change(masks.borrow_and_update().clone());
        }
        match off(recording, move |recording| recording.take(taken)).await {
            Ok(same) => recording = same,
            Err(error) => break Err(error),
        }
    };
    recorded.store(false, Ordering::Relaxed);
    if let Err(error) = ended {
        tracing::error!(%error, "the recording of a terminal has ended before the terminal");
    }
}

/// Does something to a recording where waiting for a disk holds up nobody.
async fn off(
    mut recording: Recording,
    what: impl FnOnce(&mut Recording) -> io::Result<()> + Send + 'static,
) -> io::Result<Recording> {
    aside(move || what(&mut recording).map(|()| recording)).await
}

async fn aside<T: Send + 'static>(what: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(what).await.map_err(io::Error::other)?
}

/// Opens a recording to read it; how many bytes of it are whole lines.
pub fn whole(path: &Path) -> io::Result<Option<(File, u64)>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let (length, _) = end(&file)?;
    file.rewind()?;
    Ok((length > 0).then_some((file, length)))
}

fn read_head(file: &mut File) -> io::Result<Option<Head>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(4096).read_to_end(&mut bytes)?;
    let line = bytes.iter().position(|byte| *byte == b'\n').map(|end| &bytes[..end]);
    let head = line.and_then(|line| serde_json::from_slice::<Head>(line).ok());
    Ok(head.filter(|head| head.version == 2))
}

/// Where the last whole line ends, and its time.
fn end(file: &File) -> io::Result<(u64, u64)> {
    let length = file.metadata()?.len();
    let (mut from, mut bytes) = (length, Vec::new());
    loop {
        let ends: Vec<_> = (0..bytes.len())
            .rev()
            .filter(|place| bytes[*place] == b'\n')
            .take(2)
            .collect();
        if let [last, before] = ends[..] {
            return Ok((
                from + last as u64 + 1,
                time_of(&bytes[before + 1..]).unwrap_or_default(),
            ));
        }
        if from == 0 {
            return Ok((ends.first().map_or(0, |last| *last as u64 + 1), 0));
        }
        let step = from.min(64 * 1024 + bytes.len() as u64);
        let mut more = vec![0; step as usize];
        file.read_exact_at(&mut more, from - step)?;
        more.extend_from_slice(&bytes);
        (from, bytes) = (from - step, more);
    }
}

/// The time at the beginning of a line, in microseconds.
fn time_of(line: &[u8]) -> Option<u64> {
    let number = line.strip_prefix(b"[")?.split(|byte| *byte == b',').next()?;
    let seconds: f64 = std::str::from_utf8(number).ok()?.trim().parse().ok()?;
    Some((seconds * 1_000_000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use domain::secret::Value;
    use serde_json::Value as Json;
    use std::os::unix::fs::PermissionsExt;

    const SIZE: Size = Size { cols: 80, rows: 24 };

    fn mask(value: &str) -> Arc<Mask> {
        Arc::new(Mask::of(&[Value::new(value)]))
    }

    fn out(bytes: &[u8]) -> (SystemTime, Tapped) {
        (SystemTime::now(), Tapped::Output(Bytes::copy_from_slice(bytes)))
    }

    /// The head, and every line after it; each of them is whole.
    fn read(path: &Path) -> (Json, Vec<(f64, String, String)>) {
        let (mut file, length) = whole(path).expect("reads").expect("is there");
        let mut text = String::new();
        Read::by_ref(&mut file)
            .take(length)
            .read_to_string(&mut text)
            .expect("text");
        let mut lines = text.lines();
        let head = serde_json::from_str(lines.next().expect("a head")).expect("JSON");
        let lines: Vec<(f64, String, String)> = lines.map(|line| serde_json::from_str(line).expect("a line")).collect();
        assert!(lines.is_sorted_by(|one, other| one.0 <= other.0), "time goes on");
        (head, lines)
    }

    fn shown(lines: &[(f64, String, String)]) -> String {
        let output = lines.iter().filter(|(_, kind, _)| kind == "o");
        output.map(|(_, _, text)| text.as_str()).collect()
    }

    #[test]
    fn what_comes_out_is_written_masked_with_letters_whole_and_sizes_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.cast");
        let mut recording = Recording::open(path.clone(), "Agent", SIZE, mask("s3cret")).expect("opens");
        let letters = "ä\u{1f600}".as_bytes();
        let size = Tapped::Resized(Size { cols: 100, rows: 30 });
        let taken = vec![
            out(b"say s3c"),
            out(b"ret\r\n"),
            out(&letters[..3]),
            (SystemTime::now(), size),
            out(&letters[3..]),
            out(b"\xff!"),
            (SystemTime::now(), Tapped::Lost(7)),
        ];
        recording.take(taken).expect("written");
        recording.end().expect("ends");
        let (head, lines) = read(&path);
        assert_eq!(
            (&head["version"], &head["width"], &head["height"]),
            (&2.into(), &80.into(), &24.into())
        );
        assert_eq!(shown(&lines), "say ********\r\nä\u{1f600}\u{fffd}!");
        let others: Vec<_> = lines.iter().filter(|(_, kind, _)| kind != "o").collect();
        assert_eq!((others[0].1.as_str(), others[0].2.as_str()), ("r", "100x30"));
        assert_eq!(
            (others[1].1.as_str(), others[1].2.as_str()),
            ("m", "7 bytes are missing")
        );
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_line_that_a_crash_has_cut_is_dropped_and_the_recording_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.cast");
        let mut recording = Recording::open(path.clone(), "Agent", SIZE, Arc::default()).expect("opens");
        recording
            .take(vec![out(b"one"), out(&b"x".repeat(200_000))])
            .expect("written");
        let whole_length = std::fs::metadata(&path).expect("there").len();
        for cut in [whole_length - 1, whole_length - 150_000, whole_length - 199_990] {
            let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opens");
            file.set_len(cut).expect("cut");
            assert_eq!(shown(&read(&path).1), "one", "readers pass it over");
            let mut again =
                Recording::open(path.clone(), "Agent", Size { cols: 90, rows: 20 }, Arc::default()).expect("opens");
            again.take(vec![out(b"two")]).expect("written");
            let (head, lines) = read(&path);
            assert_eq!(shown(&lines), "one\x1bctwo");
            assert_eq!(head["width"], 80);
            assert!(lines.iter().any(|(_, kind, text)| kind == "r" && text == "90x20"));
            // As it was, for the next cut.
            std::fs::remove_file(&path).expect("gone");
            let mut anew = Recording::open(path.clone(), "Agent", SIZE, Arc::default()).expect("opens");
            anew.take(vec![out(b"one"), out(&b"x".repeat(200_000))])
                .expect("written");
        }
        std::fs::write(&path, b"{\"version\": 2, \"wid").expect("written");
        assert!(whole(&path).expect("reads").is_none(), "a head that was cut is none");
        Recording::open(path.clone(), "Agent", SIZE, Arc::default()).expect("begins anew");
        assert_eq!(read(&path).1.len(), 0);
    }

    #[test]
    fn a_recording_has_a_bound_and_says_what_it_has_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent.cast");
        let mut recording = Recording::open(path.clone(), "Agent", SIZE, Arc::default()).expect("opens");
        recording.most = 3 << 20;
        for number in 0..200 {
            let line = format!("<{number}>{}\r\n", "x".repeat(50_000));
            recording.take(vec![out(line.as_bytes())]).expect("written");
            assert!(std::fs::metadata(&path).expect("there").len() <= 3 << 20);
        }
        let (_, lines) = read(&path);
        let text = shown(&lines);
        assert!(
            text.starts_with("\x1bcThe first ") && text.contains("MiB were forgotten"),
            "{}",
            &text[..60]
        );
        assert!(text.contains("<199>") && text.contains("<190>") && !text.contains("<1>"));
        assert!(lines[0].1 == "m");
        assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 1);
    }
}
