/// When to try again, when to ask whether anybody is there, and when to believe that nobody is. Times are milliseconds
/// of a clock that does not jump.
#[derive(Debug)]
pub(super) struct Patience {
    seed: u64,
    /// Failures in a row.
    failures: u32,
    attached_at: Option<u64>,
    hurried_at: Option<u64>,
    retry_at: Option<u64>,
    give_up_at: Option<u64>,
    ping_at: Option<u64>,
    /// The number of a ping that has not been answered.
    asked: Option<u64>,
    ack_at: Option<u64>,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Reconnect,
    GiveUp,
    Ping(u64),
    Ack,
}

const FIRST_RETRY: u64 = 250;
const LAST_RETRY: u64 = 15_000;
/// For a socket to open and a terminal to say hello.
const GREETING: u64 = 10_000;
const PING_EVERY: u64 = 10_000;
/// With [`PING_EVERY`] a half-open socket is found within 30 s.
const PONG_WITHIN: u64 = 18_000;
/// When the browser has just come back, a living socket answers soon and a dead one should not be waited for.
const PONG_SOON: u64 = 3_000;
/// A connection that held this long was a good one: the next failure is a first failure.
const HELD_WELL: u64 = 5_000;
/// A server that keeps saying "come back at once" is not obeyed more often than this.
const HURRY_EVERY: u64 = 1_000;
/// How long a small acknowledgement may wait for company.
const ACK_WITHIN: u64 = 100;

impl Patience {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            seed: seed | 1,
            failures: 0,
            attached_at: None,
            hurried_at: None,
            retry_at: None,
            give_up_at: None,
            ping_at: None,
            asked: None,
            ack_at: None,
        }
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        [self.retry_at, self.give_up_at, self.ping_at, self.ack_at]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn due(&mut self, now: u64) -> Option<Due> {
        let passed = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if passed(self.give_up_at) {
            return Some(Due::GiveUp);
        }
        if passed(self.retry_at) {
            return Some(Due::Reconnect);
        }
        if passed(self.ack_at) {
            return Some(Due::Ack);
        }
        if passed(self.ping_at) {
            return Some(Due::Ping(self.ask(now, PONG_WITHIN)));
        }
        None
    }

    /// A socket is being opened, or is open and silent.
    pub(super) const fn wait_for_greeting(&mut self, now: u64) {
        self.rest();
        self.give_up_at = Some(now + GREETING);
    }

    pub(super) const fn attached(&mut self, now: u64) {
        self.rest();
        self.attached_at = Some(now);
        self.ping_at = Some(now + PING_EVERY);
    }

    /// Something came: the other side lives, so the next question can wait.
    pub(super) fn heard(&mut self, now: u64) {
        if self.ping_at.is_some() {
            self.ping_at = Some(now + PING_EVERY);
        }
        if self.asked.take().is_some() {
            self.give_up_at = None;
        }
    }

    pub(super) fn answered(&mut self, _number: u64, now: u64) {
        self.heard(now);
    }

    /// Asks for a sign of life now; returns the ping's number.
    pub(super) fn ask_now(&mut self, now: u64) -> u64 {
        self.ask(now, PONG_SOON)
    }

    fn ask(&mut self, now: u64, within: u64) -> u64 {
        self.asked = Some(now);
        let by = now + within;
        self.give_up_at = Some(self.give_up_at.map_or(by, |at| at.min(by)));
        self.ping_at = Some(now + PING_EVERY);
        now
    }

    pub(super) fn acknowledge_soon(&mut self, now: u64) {
        self.ack_at.get_or_insert(now + ACK_WITHIN);
    }

    pub(super) const fn acknowledged(&mut self) {
        self.ack_at = None;
    }

    /// The connection was lost: when to try again.
    pub(super) fn lost(&mut self, now: u64) {
        let held_well = self
            .attached_at
            .take()
            .is_some_and(|at| now.saturating_sub(at) >= HELD_WELL);
        self.rest();
        self.failures = if held_well { 1 } else { self.failures.saturating_add(1) };
        let longest = (FIRST_RETRY << self.failures.saturating_sub(1).min(8)).min(LAST_RETRY);
        // Between half and all of it, so that a thousand browsers do not return in the same instant.
        self.retry_at = Some(now + longest / 2 + self.random() % (longest / 2 + 1));
    }

    /// Whether a request to come back at once may be followed.
    pub(super) fn may_hurry(&mut self, now: u64) -> bool {
        let may = self.hurried_at.is_none_or(|at| now.saturating_sub(at) >= HURRY_EVERY);
        if may {
            self.hurried_at = Some(now);
            self.failures = 0;
        }
        may
    }

    pub(super) const fn begin_anew(&mut self) {
        self.failures = 0;
    }

    /// Nothing is due.
    pub(super) const fn rest(&mut self) {
        (self.retry_at, self.give_up_at, self.ping_at) = (None, None, None);
        (self.asked, self.ack_at) = (None, None);
    }

    const fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_stops_trying_and_never_waits_longer_than_fifteen_seconds() {
        let mut patience = Patience::new(7);
        let mut waits = Vec::new();
        for _ in 0..1000 {
            patience.lost(0);
            waits.push(patience.deadline().expect("there is always a next try"));
        }
        assert!((125..=250).contains(&waits[0]), "{}", waits[0]);
        assert!(waits.iter().all(|wait| *wait <= LAST_RETRY));
        assert!(waits[20..].iter().all(|wait| *wait >= LAST_RETRY / 2));
        let distinct: std::collections::BTreeSet<_> = waits[20..].iter().collect();
        assert!(distinct.len() > 500, "waits are spread");
    }

    #[test]
    fn a_silent_socket_is_given_up_within_thirty_seconds() {
        let mut patience = Patience::new(1);
        patience.attached(0);
        assert_eq!(patience.due(9_999), None);
        assert_eq!(patience.due(10_000), Some(Due::Ping(10_000)));
        assert_eq!(
            patience.due(20_000),
            Some(Due::Ping(20_000)),
            "it asks again before it gives up"
        );
        assert_eq!(patience.due(28_000), Some(Due::GiveUp));
    }

    #[test]
    fn any_sign_of_life_is_an_answer() {
        let mut patience = Patience::new(1);
        patience.attached(0);
        assert_eq!(patience.due(10_000), Some(Due::Ping(10_000)));
        patience.heard(11_000);
        assert_eq!(patience.deadline(), Some(21_000));
    }

    #[test]
    fn a_server_that_says_come_back_for_ever_is_not_obeyed_for_ever() {
        let mut patience = Patience::new(1);
        assert!(patience.may_hurry(0));
        assert!(!patience.may_hurry(10));
        assert!(patience.may_hurry(1_000));
    }
}
