//! The task that owns a terminal: it carries messages and bytes between the core, the program and the viewers.

use super::{Request, Status};
use crate::attachment::{Attachment, ClientMessage, Messages, Outbox, Taken};
use crate::core::Core;
use crate::pty::{Program, Signal, exit_of};
use crate::tap::Tap;
use domain::host::Attach;
use domain::wire::Exit;
use pty_process::OwnedReadPty;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// The most bytes read at once.
pub(super) const READ: usize = 64 * 1024;
/// Messages that may wait for one viewer.
const MESSAGES: usize = 64;
/// The most viewers of one terminal.
const MOST_VIEWERS: usize = 512;
/// After its end, a program's last words are waited for so long when something else still holds its PTY.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// See the module.
pub(super) struct Task {
    pub(super) core: Core,
    pub(super) program: Program,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) heard: mpsc::Receiver<(u64, ClientMessage)>,
    /// Where attachments' own words go; handed out with each.
    pub(super) clients: mpsc::Sender<(u64, ClientMessage)>,
    pub(super) publish: watch::Sender<Status>,
    pub(super) wake: Arc<Notify>,
    pub(super) buffer: Vec<u8>,
    /// How the program itself ended.
    pub(super) ended: Option<Exit>,
    /// Nothing more can be read.
    pub(super) drained: bool,
    pub(super) drain_until: Option<Instant>,
    pub(super) kill_at: Option<Instant>,
    pub(super) tap: Option<Tap>,
}

/// What a task has to deal with.
enum Event {
    Request(Option<Request>),
    Heard(u64, ClientMessage),
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Ended(io::Result<std::process::ExitStatus>),
    Due,
}

impl Task {
    pub(super) async fn run(mut self) {
        loop {
            let event = self.next().await;
            let now = Instant::now();
            match event {
                Event::Request(None | Some(Request::Close)) => break,
                Event::Request(Some(request)) => self.answer(request, now),
                Event::Heard(id, message) => {
                    self.core.hear(id, message, now.into_std());
                    // What else has come already needs no further round.
                    for _ in 0..32 {
                        let Ok((id, message)) = self.heard.try_recv() else {
                            break;
                        };
                        self.core.hear(id, message, now.into_std());
                    }
                }
                Event::Read(Ok(n)) if n > 0 => {
                    self.core.output(&self.buffer[..n], now.into_std());
                    // After the viewers: nobody waits for it.
                    if let Some(tap) = &mut self.tap {
                        tap.output(&self.buffer[..n]);
                    }
                    self.drain_until = self.ended.map(|_| now + LAST_WORDS);
                }
                // The last one who held the other side has closed it: EIO is how Linux says so.
                Event::Read(_) => self.drained = true,
                Event::Wrote(Ok(n)) => self.core.wrote(n),
                Event::Wrote(Err(_)) => self.core.input.clear(),
                Event::Ended(status) => {
                    self.ended = Some(status.map_or(Exit::Code(-1), exit_of));
                    self.program.control.reaped = true;
                    self.drain_until = Some(now + LAST_WORDS);
                }
                Event::Due => self.do_due(now),
            }
            self.settle(now);
        }
        self.program.control.signal_all(Signal::HangUp);
        self.program.control.signal_all(Signal::Kill);
        self.core.detach_all();
        let _ = self.publish.send_if_modified(|status| self.core.report(status));
    }

    async fn next(&mut self) -> Event {
        let now = Instant::now();
        let exited = self.core.has_exited();
        let reads = !self.drained && !exited && !self.core.is_paused(now.into_std());
        let writes = !exited && !self.core.input.is_empty();
        let due = [
            self.core.due(now.into_std()).map(Instant::from_std),
            self.kill_at,
            self.drain_until,
        ];
        let due = due.into_iter().flatten().min();
        tokio::select! {
            request = self.requests.recv() => Event::Request(request),
            Some((id, message)) = self.heard.recv() => Event::Heard(id, message),
            wrote = self.program.writer.write(self.core.input.next()), if writes => Event::Wrote(wrote),
            status = self.program.child.wait(), if self.ended.is_none() => Event::Ended(status),
            read = read(&mut self.program.reader, &mut self.buffer), if reads => Event::Read(read),
            () = self.wake.notified() => Event::Due,
            () = sleep_until(due.unwrap_or(now)), if due.is_some() => Event::Due,
        }
    }

    fn answer(&mut self, request: Request, now: Instant) {
        match request {
            Request::Attach(attach, reply) => {
                if let Some(attachment) = self.attach(attach, now) {
                    // Whoever asked may have gone meanwhile: the attachment is dropped with the answer, and noticed.
                    let _ = reply.send(attachment);
                }
            }
            Request::Resize(size) => self.core.want_size(size, now.into_std()),
            Request::Signal(signal) => self.program.control.signal(signal),
            Request::Write(bytes, reply) => {
                let _ = reply.send(self.core.type_for_api(&bytes, now.into_std()));
            }
            Request::LastScreen(history, reply) => {
                let _ = reply.send(self.core.last_screen(history));
            }
            Request::Stop(grace) => {
                if !self.core.has_exited() {
                    self.program.control.signal_all(Signal::Terminate);
                    self.program.control.signal_all(Signal::HangUp);
                    self.kill_at = Some(now + grace);
                }
            }
            Request::Close => {}
        }
    }

    fn attach(&mut self, attach: Attach, now: Instant) -> Option<Attachment> {
        if self.core.viewers_count() >= MOST_VIEWERS {
            return None;
        }
        let (sender, receiver) = mpsc::channel(MESSAGES);
        let taken = Arc::new(Taken {
            bytes: AtomicU64::new(0),
            wake: Arc::clone(&self.wake),
        });
        let id = self.core.attach(attach, sender, Arc::clone(&taken), now.into_std());
        let outbox = Outbox {
            id,
            sender: self.clients.clone(),
        };
        Some(Attachment {
            id,
            messages: Messages { receiver, taken },
            outbox,
        })
    }

    fn do_due(&mut self, now: Instant) {
        if self.kill_at.is_some_and(|at| now >= at) {
            self.kill_at = None;
            self.program.control.signal_all(Signal::Kill);
        }
        if self.drain_until.is_some_and(|at| now >= at) {
            self.drain_until = None;
            self.drained = true;
        }
        self.core.tick(now.into_std());
    }

    /// Carries out what the core has decided, and tells whoever watches.
    fn settle(&mut self, now: Instant) {
        if let Some(size) = self.core.resize.take() {
            if let Some(tap) = &mut self.tap {
                tap.resized(size);
            }
            let size = pty_process::Size::new(size.rows, size.cols);
            if let Err(error) = self.program.writer.resize(size) {
                tracing::debug!(%error, "a PTY takes no size");
            }
        }
        if let Some(exit) = self.ended
            && self.drained
            && !self.core.has_exited()
        {
            self.kill_at = None;
            self.drain_until = None;
            // What the program left behind in its foreground group goes with its terminal.
            self.program.control.signal(Signal::HangUp);
            self.core.exited(exit, now.into_std());
            self.tap = None;
        }
        self.publish.send_if_modified(|status| self.core.report(status));
    }
}

/// Reads what there is, at least one byte, with as few wake-ups as possible: a PTY hands out 4 KiB at a time.
async fn read(reader: &mut OwnedReadPty, buffer: &mut [u8]) -> io::Result<usize> {
    let mut buffer = ReadBuf::new(buffer);
    std::future::poll_fn(|context| {
        loop {
            let before = buffer.filled().len();
            if buffer.remaining() == 0 {
                return Poll::Ready(Ok(before));
            }
            match Pin::new(&mut *reader).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() > before => {}
                Poll::Ready(result) if before == 0 => return Poll::Ready(result.map(|()| 0)),
                Poll::Pending if before == 0 => return Poll::Pending,
                // What came first counts first; an end is found again.
                _ => return Poll::Ready(Ok(before)),
            }
        }
    })
    .await
}
