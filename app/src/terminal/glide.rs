//! Scrolling by touch: what follows the finger, and what goes on for a while when it leaves.

/// A scroll under way; distances in CSS pixels, times in milliseconds.
#[derive(Debug, Default)]
pub struct Glide {
    at: f64,
    when: f64,
    /// Pixels a millisecond.
    speed: f64,
    /// Pixels that did not make a whole line yet.
    rest: f64,
}

/// Slower than this is standing still.
const STILL: f64 = 0.02;
/// What remains of the speed after one millisecond: a flick runs for about a second.
const FRICTION: f64 = 0.9965;

impl Glide {
    /// A finger was put down.
    pub fn begin(&mut self, at: f64, when: f64) {
        *self = Self {
            at,
            when,
            speed: 0.0,
            rest: 0.0,
        };
    }

    /// The finger moved; how many lines of this height that scrolls (down the history is positive).
    pub fn drag(&mut self, at: f64, when: f64, line: f64) -> i32 {
        let (moved, passed) = (self.at - at, (when - self.when).max(1.0));
        // Smoothed, because the last event before a finger leaves is often a tiny one.
        self.speed = 0.6 * moved / passed + 0.4 * self.speed;
        (self.at, self.when) = (at, when);
        self.lines(moved, line)
    }

    /// The finger left; whether it goes on.
    pub fn release(&mut self, when: f64) -> bool {
        // A finger that rested before it left did not flick.
        if when - self.when > 60.0 {
            self.speed = 0.0;
        }
        self.when = when;
        self.speed.abs() > STILL
    }

    /// A frame later: how many lines it went on, or nothing when it has stopped.
    pub fn frame(&mut self, when: f64, line: f64) -> Option<i32> {
        let passed = (when - self.when).clamp(0.0, 100.0);
        self.when = when;
        self.speed *= FRICTION.powf(passed);
        (self.speed.abs() > STILL).then(|| self.lines(self.speed * passed, line))
    }

    fn lines(&mut self, pixels: f64, line: f64) -> i32 {
        self.rest += pixels / line.max(1.0);
        let whole = self.rest.trunc();
        self.rest -= whole;
        whole as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_moves_add_up_to_lines() {
        let mut glide = Glide::default();
        glide.begin(100.0, 0.0);
        let lines: i32 = (1..=40)
            .map(|step| glide.drag(100.0 - f64::from(step), f64::from(step) * 16.0, 20.0))
            .sum();
        assert_eq!(lines, 2);
    }

    #[test]
    fn a_flick_goes_on_and_comes_to_rest() {
        let mut glide = Glide::default();
        glide.begin(500.0, 0.0);
        glide.drag(460.0, 16.0, 20.0);
        assert!(glide.release(20.0));
        let mut when = 20.0;
        let mut lines = 0;
        while let Some(more) = glide.frame(when, 20.0) {
            lines += more;
            when += 16.0;
            assert!(when < 5_000.0, "it must come to rest");
        }
        assert!(lines > 5, "{lines}");
    }

    #[test]
    fn a_finger_that_rests_before_it_leaves_does_not_flick() {
        let mut glide = Glide::default();
        glide.begin(500.0, 0.0);
        glide.drag(400.0, 16.0, 20.0);
        assert!(!glide.release(500.0));
    }
}
