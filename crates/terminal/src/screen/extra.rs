//! What few cells have: underline styles and colours, hyperlinks, and texts of several characters. Cells hold an index;
//! tables are swept when they have grown, so no output can make them larger than the screen.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Entries below which a table is not swept.
const SWEEP: usize = 1024;
/// The most bytes of one cell's text; further marks are left out.
const MOST_TEXT: usize = 64;

/// Rare attributes of a pen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extra {
    /// 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
    pub(crate) underline: u8,
    /// A colour as in a cell, 0 is the text's own.
    pub(crate) underline_color: u32,
    pub(crate) link: Option<Arc<Link>>,
}

impl Extra {
    pub(crate) fn is_empty(&self) -> bool {
        self.underline == 0 && self.link.is_none()
    }
}

/// A hyperlink (OSC 8).
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    /// What the program calls it, and a number of ours where it gave no name: two such links are never the same.
    pub(crate) id: Result<String, u64>,
    pub(crate) uri: String,
}

/// Values by index, each once.
#[derive(Debug)]
pub(crate) struct Table<T> {
    values: Vec<Option<T>>,
    indexes: HashMap<T, u32>,
    free: Vec<u32>,
    sweep_at: usize,
}

impl<T: Clone + Eq + Hash> Table<T> {
    pub(crate) fn new() -> Self {
        Self {
            values: vec![None],
            indexes: HashMap::new(),
            free: Vec::new(),
            sweep_at: SWEEP,
        }
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.values.get(index as usize)?.as_ref()
    }

    pub(crate) fn put(&mut self, value: T) -> u32 {
        if let Some(&index) = self.indexes.get(&value) {
            return index;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.values.push(None);
            (self.values.len() - 1) as u32
        });
        self.values[index as usize] = Some(value.clone());
        self.indexes.insert(value, index);
        index
    }

    /// Whether it is time to [`Table::sweep`].
    pub(crate) fn is_full(&self) -> bool {
        self.indexes.len() >= self.sweep_at
    }

    /// Forgets all values but those at `used`.
    pub(crate) fn sweep(&mut self, used: impl Iterator<Item = u32>) {
        let mut keep = vec![false; self.values.len()];
        for index in used {
            if let Some(keep) = keep.get_mut(index as usize) {
                *keep = true;
            }
        }
        for (index, keep) in keep.into_iter().enumerate() {
            if !keep && let Some(value) = self.values[index].take() {
                self.indexes.remove(&value);
                self.free.push(index as u32);
            }
        }
        self.sweep_at = SWEEP.max(self.indexes.len() * 2);
    }
}

/// The tables of one screen.
#[derive(Debug)]
pub(crate) struct Extras {
    pub(crate) extras: Table<Extra>,
    pub(crate) texts: Table<Box<str>>,
}

impl Extras {
    pub(crate) fn new() -> Self {
        Self {
            extras: Table::new(),
            texts: Table::new(),
        }
    }

    /// The index of the text at `index` (or of `first`) with `character` added.
    pub(crate) fn join(&mut self, index: Option<u32>, first: Option<char>, character: char) -> u32 {
        let mut text = match index {
            Some(index) => self.texts.get(index).map(|text| text.to_string()).unwrap_or_default(),
            None => first.map(String::from).unwrap_or_default(),
        };
        if text.len() + character.len_utf8() <= MOST_TEXT {
            text.push(character);
        }
        self.texts.put(text.into_boxed_str())
    }
}
