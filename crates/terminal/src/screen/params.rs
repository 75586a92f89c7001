//! The numbers of a control sequence, with xterm.js's bounds: 32 parameters, 32 sub-parameters, 31 bits each.

const MOST: usize = 32;

/// Parameters of one control sequence; an absent one is 0, an absent sub-parameter is -1.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    values: [i32; MOST],
    /// Where each value's sub-parameters begin and end in `subs`.
    spans: [(u8, u8); MOST],
    subs: [i32; MOST],
    len: usize,
    sub_len: usize,
    reject: bool,
    reject_subs: bool,
    in_sub: bool,
}

impl Default for Params {
    fn default() -> Self {
        let mut params = Self {
            values: [0; MOST],
            spans: [(0, 0); MOST],
            subs: [0; MOST],
            len: 0,
            sub_len: 0,
            reject: false,
            reject_subs: false,
            in_sub: false,
        };
        params.clear();
        params
    }
}

impl Params {
    /// One parameter, 0.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.sub_len = 0;
        self.reject = false;
        self.reject_subs = false;
        self.next();
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The parameter at `index`; 0 when it is absent.
    pub(crate) fn get(&self, index: usize) -> i32 {
        if index < self.len { self.values[index] } else { 0 }
    }

    /// The parameter at `index` as a count: absent and 0 mean 1.
    pub(crate) fn count(&self, index: usize) -> usize {
        usize::try_from(self.get(index)).unwrap_or(0).max(1)
    }

    pub(crate) fn subs(&self, index: usize) -> &[i32] {
        if index >= self.len {
            return &[];
        }
        let (from, to) = self.spans[index];
        &self.subs[usize::from(from)..usize::from(to)]
    }

    /// Takes one byte of `0`-`9`, `:` or `;`.
    pub(crate) fn push(&mut self, byte: u8) {
        match byte {
            b';' => self.next(),
            b':' => self.next_sub(),
            _ => self.digit(i32::from(byte) - 48),
        }
    }

    fn next(&mut self) {
        self.in_sub = false;
        if self.len == MOST {
            self.reject = true;
            return;
        }
        self.spans[self.len] = (self.sub_len as u8, self.sub_len as u8);
        self.values[self.len] = 0;
        self.len += 1;
    }

    fn next_sub(&mut self) {
        self.in_sub = true;
        if self.reject || self.sub_len == MOST {
            self.reject_subs = true;
            return;
        }
        self.subs[self.sub_len] = -1;
        self.sub_len += 1;
        self.spans[self.len - 1].1 += 1;
    }

    fn digit(&mut self, digit: i32) {
        if self.reject || (self.in_sub && (self.reject_subs || self.sub_len == 0)) {
            return;
        }
        let value = if self.in_sub {
            &mut self.subs[self.sub_len - 1]
        } else {
            &mut self.values[self.len - 1]
        };
        *value = if *value == -1 {
            digit
        } else {
            value.saturating_mul(10).saturating_add(digit)
        };
    }
}
