//! Operating system commands: titles, colours, hyperlinks.

use super::extra::Link;
use super::sgr::set_extra;
use super::{MOST_TITLE, Model};
use std::sync::Arc;

/// The longest address of a hyperlink; a longer one is no link.
const MOST_URI: usize = 2083;
/// The deepest stack of titles.
const MOST_TITLES: usize = 10;
/// Indexes of the special colours in [`Model::colors`].
pub(super) const SPECIAL: u16 = 256;

impl Model {
    pub(super) fn command(&mut self, data: &[u8], bell: bool) {
        let digits = data.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = data.split_at(digits);
        let rest = match rest.split_first() {
            Some((b';', rest)) => rest,
            None => rest,
            _ => return,
        };
        let number = std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse::<u16>().ok());
        let text = String::from_utf8_lossy(rest);
        match number {
            Some(0 | 2) => self.set_title(&text),
            Some(4) => self.indexed_colors(&text, bell),
            Some(8) => self.hyperlink(&text),
            Some(number @ 10..=12) => self.special_colors(&text, SPECIAL + number - 10, bell),
            Some(104) if text.is_empty() => self.colors.retain(|index, _| *index >= SPECIAL),
            Some(104) => {
                for index in text.split(';').filter_map(|index| index.parse::<u16>().ok()) {
                    if index < SPECIAL {
                        self.colors.remove(&index);
                    }
                }
            }
            Some(number @ 110..=112) => {
                self.colors.remove(&(SPECIAL + number - 110));
            }
            _ => {}
        }
    }

    fn set_title(&mut self, title: &str) {
        self.title = title
            .chars()
            .filter(|character| !character.is_control())
            .take(MOST_TITLE)
            .collect();
    }

    pub(super) fn push_title(&mut self) {
        if self.titles.len() == MOST_TITLES {
            self.titles.remove(0);
        }
        self.titles.push(self.title.clone());
    }

    pub(super) fn pop_title(&mut self) {
        if let Some(title) = self.titles.pop() {
            self.title = title;
        }
    }

    fn hyperlink(&mut self, text: &str) {
        let Some((params, uri)) = text.split_once(';') else {
            return;
        };
        if uri.is_empty() {
            if params.trim().is_empty() && self.pen.extra != 0 {
                set_extra(&mut self.pen, &mut self.extras, |extra| extra.link = None);
            }
            return;
        }
        let link = (uri.len() <= MOST_URI && !self.extras.extras.is_full()).then(|| {
            let id = params
                .trim()
                .split(':')
                .find_map(|param| param.strip_prefix("id="))
                .filter(|id| !id.is_empty());
            self.links += 1;
            Arc::new(Link {
                id: id.map(String::from).ok_or(self.links),
                uri: String::from(uri),
            })
        });
        set_extra(&mut self.pen, &mut self.extras, |extra| extra.link = link);
    }

    fn indexed_colors(&mut self, text: &str, bell: bool) {
        let mut slots = text.split(';');
        while let (Some(index), Some(spec)) = (slots.next(), slots.next()) {
            let Some(index) = index.parse::<u16>().ok().filter(|index| *index < SPECIAL) else {
                continue;
            };
            if spec == "?" {
                self.report_color(index, bell);
            } else if let Some(color) = parse_color(spec) {
                self.colors.insert(index, color);
            }
        }
    }

    fn special_colors(&mut self, text: &str, first: u16, bell: bool) {
        for (index, spec) in (first..SPECIAL + 3).zip(text.split(';')) {
            if spec == "?" {
                self.report_color(index, bell);
            } else if let Some(color) = parse_color(spec) {
                self.colors.insert(index, color);
            }
        }
    }
}

/// Reads `rgb:r/g/b` and `#rgb` with one to four digits for each part.
fn parse_color(spec: &str) -> Option<[u8; 3]> {
    let part = |digits: &str| -> Option<u8> {
        let most = (1u32 << (4 * digits.len())) - 1;
        Some((u32::from_str_radix(digits, 16).ok()? * 255 / most) as u8)
    };
    let hex = |digits: &str| (1..=4).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if let Some(parts) = spec.strip_prefix("rgb:") {
        let mut parts = parts.split('/').filter(|digits| hex(digits));
        let color = [part(parts.next()?)?, part(parts.next()?)?, part(parts.next()?)?];
        return parts.next().is_none().then_some(color);
    }
    let digits = spec.strip_prefix('#')?;
    let each = digits.len() / 3;
    if digits.len() % 3 != 0 || !(1..=4).contains(&each) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    // Here one digit is the high one, unlike above.
    let part = |at: usize| u8::from_str_radix(&format!("{:0<2}", &digits[at * each..][..each.min(2)]), 16).ok();
    Some([part(0)?, part(1)?, part(2)?])
}
