//! SGR: how a sequence of numbers changes the pen, quirks of xterm.js included.

use super::cell::{
    BLINK, BOLD, COLOR, COLOR_MODE, DIM, EXTENDED, INVERSE, INVISIBLE, ITALIC, OVERLINE, P16, P256, Pen, RGB, STRIKE,
    UNDERLINE,
};
use super::extra::{Extra, Extras};
use super::params::Params;

/// Gives the pen this underline or link.
pub(crate) fn set_extra(pen: &mut Pen, extras: &mut Extras, change: impl FnOnce(&mut Extra)) {
    let mut extra = extras.extras.get(pen.extra).cloned().unwrap_or_default();
    change(&mut extra);
    pen.bg &= !EXTENDED;
    if !extra.is_empty() {
        pen.bg |= EXTENDED;
    }
    pen.extra = if extra == Extra::default() {
        0
    } else {
        extras.extras.put(extra)
    };
}

/// Applies one SGR sequence.
pub(crate) fn apply(pen: &mut Pen, extras: &mut Extras, params: &Params) {
    let mut index = 0;
    while index < params.len() {
        let value = params.get(index);
        match value {
            0 => {
                pen.fg = 0;
                pen.bg = 0;
                if pen.extra != 0 {
                    set_extra(pen, extras, |extra| {
                        extra.underline = 0;
                        extra.underline_color = 0;
                    });
                }
            }
            1 => pen.fg |= BOLD,
            2 => pen.bg |= DIM,
            3 => pen.bg |= ITALIC,
            4 => underline(pen, extras, params.subs(index).first().copied().unwrap_or(1)),
            5 => pen.fg |= BLINK,
            7 => pen.fg |= INVERSE,
            8 => pen.fg |= INVISIBLE,
            9 => pen.fg |= STRIKE,
            21 => underline(pen, extras, 2),
            22 => {
                pen.fg &= !BOLD;
                pen.bg &= !DIM;
            }
            23 => pen.bg &= !ITALIC,
            24 => underline(pen, extras, 0),
            25 => pen.fg &= !BLINK,
            27 => pen.fg &= !INVERSE,
            28 => pen.fg &= !INVISIBLE,
            29 => pen.fg &= !STRIKE,
            30..=37 => paint(&mut pen.fg, P16 | (value - 30) as u32),
            40..=47 => paint(&mut pen.bg, P16 | (value - 40) as u32),
            90..=97 => paint(&mut pen.fg, P16 | (value - 90) as u32 | 8),
            100..=107 => paint(&mut pen.bg, P16 | (value - 100) as u32 | 8),
            39 => paint(&mut pen.fg, 0),
            49 => paint(&mut pen.bg, 0),
            38 | 48 | 58 => index += color(pen, extras, params, index),
            53 => pen.bg |= OVERLINE,
            55 => pen.bg &= !OVERLINE,
            // xterm.js stores -1 here, which reads as white.
            59 => set_extra(pen, extras, |extra| extra.underline_color = COLOR),
            _ => {}
        }
        index += 1;
    }
}

fn paint(side: &mut u32, color: u32) {
    *side = (*side & !COLOR) | color;
}

fn underline(pen: &mut Pen, extras: &mut Extras, style: i32) {
    let style = if (0..=5).contains(&style) { style as u8 } else { 1 };
    pen.fg |= UNDERLINE;
    if style == 0 {
        pen.fg &= !UNDERLINE;
    }
    if style != 0 || pen.extra != 0 {
        set_extra(pen, extras, |extra| extra.underline = style);
    }
}

/// Reads a colour in any of its spellings; returns how many further parameters it took.
fn color(pen: &mut Pen, extras: &mut Extras, params: &Params, at: usize) -> usize {
    // Target, mode, (colour space), up to three values.
    let mut read = [0, 0, -1, 0, 0, 0];
    let mut space = 0;
    let mut advance = 0;
    loop {
        read[advance + space] = params.get(at + advance);
        let subs = params.subs(at + advance);
        if !subs.is_empty() {
            for (i, sub) in subs.iter().enumerate() {
                if read[1] == 5 {
                    space = 1;
                }
                let Some(slot) = read.get_mut(advance + i + 1 + space) else {
                    break;
                };
                *slot = *sub;
            }
            break;
        }
        if (read[1] == 5 && advance + space >= 2) || (read[1] == 2 && advance + space >= 5) {
            break;
        }
        if read[1] != 0 {
            space = 1;
        }
        advance += 1;
        if advance + at >= params.len() || advance + space >= read.len() {
            break;
        }
    }
    let part = |index: usize| {
        if read[index] == -1 {
            0
        } else {
            (read[index] & 0xff) as u32
        }
    };
    let color = match read[1] {
        2 => RGB | (part(3) << 16) | (part(4) << 8) | part(5),
        5 => P256 | part(3),
        _ => return advance,
    };
    match read[0] {
        38 => paint(&mut pen.fg, color),
        48 => paint(&mut pen.bg, color),
        _ => {
            // Alone it does not make the pen a rare one.
            let extended = pen.bg & EXTENDED;
            set_extra(pen, extras, |extra| extra.underline_color = color);
            pen.bg = (pen.bg & !EXTENDED) | extended;
        }
    }
    debug_assert_ne!(color & COLOR_MODE, 0, "a colour has a mode");
    advance
}
