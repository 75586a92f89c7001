//! Keystrokes on their way to the program: each exactly once, and never more than a bound.

use std::collections::VecDeque;

/// The most bytes that wait for a program that does not read.
pub(crate) const MOST_INPUT: usize = 256 * 1024;
/// Clients whose offsets are remembered; the one that was quiet longest is forgotten first.
const MOST_CLIENTS: usize = 256;

/// What waits for the program, and how far each client's input has come.
#[derive(Debug, Default)]
pub(crate) struct Input {
    queue: VecDeque<u8>,
    /// What `queue` is made of, oldest first.
    segments: VecDeque<Segment>,
    /// The client heard from last is at the end.
    clients: VecDeque<Client>,
}

#[derive(Debug)]
struct Segment {
    /// `None` is our own: answers to queries, prompts by API.
    client: Option<String>,
    /// The client's offset after these bytes.
    end: u64,
    len: usize,
}

#[derive(Debug)]
struct Client {
    id: String,
    /// Taken into the queue up to here.
    taken: u64,
    /// Written to the program (or refused for good) up to here.
    written: u64,
    fresh: bool,
}

/// What became of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It waits for the program, as far as it was new.
    Queued,
    /// Nothing of it was new.
    Known,
    /// There is no room: send it again from what was acknowledged.
    Full,
    /// It begins after what was taken last.
    Gap,
}

impl Input {
    /// Up to where a client's input has been written.
    pub(crate) fn written(&self, client: &str) -> u64 {
        self.clients
            .iter()
            .find(|known| known.id == client)
            .map_or(0, |known| known.written)
    }

    fn client(&mut self, id: &str) -> &mut Client {
        let known = self
            .clients
            .iter()
            .position(|known| known.id == id)
            .and_then(|at| self.clients.remove(at));
        if self.clients.len() >= MOST_CLIENTS {
            self.clients.pop_front();
        }
        let client = known.unwrap_or_else(|| Client {
            id: String::from(id),
            taken: 0,
            written: 0,
            fresh: true,
        });
        self.clients.push_back(client);
        let last = self.clients.len() - 1;
        &mut self.clients[last]
    }

    /// Takes what is new of a client's bytes, the first of which is number `at`.
    pub(crate) fn take(&mut self, id: &str, at: u64, bytes: &[u8]) -> Taken {
        let room = MOST_INPUT.saturating_sub(self.queue.len());
        let client = self.client(id);
        if client.fresh {
            // Whoever is heard of for the first time may have typed before, to a terminal that has forgotten.
            client.fresh = false;
            client.taken = at;
            client.written = at;
        }
        if at > client.taken {
            return Taken::Gap;
        }
        let known = usize::try_from(client.taken - at).unwrap_or(usize::MAX);
        let new = bytes.get(known..).unwrap_or_default();
        if new.is_empty() {
            return Taken::Known;
        }
        if new.len() > room {
            return Taken::Full;
        }
        client.taken += new.len() as u64;
        let end = client.taken;
        self.queue.extend(new);
        self.segments.push_back(Segment {
            client: Some(String::from(id)),
            end,
            len: new.len(),
        });
        Taken::Queued
    }

    /// Counts a client's bytes as done without writing them: they were refused, and must not come again.
    pub(crate) fn refuse(&mut self, id: &str, at: u64, len: usize) -> u64 {
        let client = self.client(id);
        client.fresh = false;
        let end = at + len as u64;
        // What was taken before these is still on its way and acknowledged by itself.
        if client.taken == client.written {
            client.written = client.written.max(end);
        }
        client.taken = client.taken.max(end);
        client.written
    }

    /// Takes bytes of our own; false when there is no room.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > MOST_INPUT.saturating_sub(self.queue.len()) {
            return false;
        }
        if !bytes.is_empty() {
            self.queue.extend(bytes);
            self.segments.push_back(Segment {
                client: None,
                end: 0,
                len: bytes.len(),
            });
        }
        true
    }

    /// What to write next; empty when nothing waits.
    pub(crate) fn next(&self) -> &[u8] {
        self.queue.as_slices().0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The program took `n` bytes; returns which clients' input that acknowledges, and up to where.
    pub(crate) fn wrote(&mut self, mut n: usize) -> Vec<(String, u64)> {
        self.queue.drain(..n);
        let mut acks: Vec<(String, u64)> = Vec::new();
        while n > 0 {
            let Some(segment) = self.segments.front_mut() else {
                break;
            };
            let part = segment.len.min(n);
            segment.len -= part;
            n -= part;
            if let Some(id) = &segment.client {
                let at = segment.end - segment.len as u64;
                if let Some(client) = self.clients.iter_mut().find(|client| client.id == *id) {
                    client.written = client.written.max(at);
                }
                match acks.iter_mut().find(|(known, _)| known == id) {
                    Some((_, to)) => *to = at,
                    None => acks.push((id.clone(), at)),
                }
            }
            if segment.len == 0 {
                self.segments.pop_front();
            }
        }
        acks
    }

    /// Forgets what waits: nobody will read it.
    pub(crate) fn clear(&mut self) {
        let waiting = self.queue.len();
        self.wrote(waiting);
    }
}
