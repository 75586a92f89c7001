//! How the terminal lies in its place: our own size fills it; another window's size is shown whole, scaled and
//! letterboxed.

use super::{screen::Screen, timer::Timer};
use domain::wire::Size;
use std::cell::Cell;
use web_sys::HtmlElement;

/// The arrangement of one pane.
pub struct Arrange {
    host: HtmlElement,
    /// The font size that the person likes, and the one that is used to show what is.
    preferred: Cell<f64>,
    used: Cell<f64>,
    /// The size that would fill the place at the preferred font.
    wanted: Cell<Option<Size>>,
    measuring: Timer,
    settling: Timer,
}

/// Sizes change in bursts (a dragged edge, a keyboard that slides in): only the last one counts.
const BURST: u64 = 120;
/// How long the host may take to give the terminal the size that was asked for.
const SETTLE: u64 = 350;
/// Smaller than this nobody reads: the pane is panned instead.
const SMALLEST: f64 = 6.0;
/// What xterm.js keeps free for its scrollbar.
const SCROLLBAR: f64 = 14.0;

impl Arrange {
    pub fn new(host: HtmlElement) -> Self {
        Self {
            host,
            preferred: Cell::new(13.0),
            used: Cell::new(13.0),
            wanted: Cell::new(None),
            measuring: Timer::default(),
            settling: Timer::default(),
        }
    }

    /// The place.
    pub const fn host(&self) -> &HtmlElement {
        &self.host
    }

    /// The person likes this font size; the terminal has it now.
    pub fn prefer(&self, font: f64) {
        if self.preferred.replace(font) != font {
            self.used.set(font);
        }
    }

    /// Calls after the present burst of changes.
    pub fn soon(&self, measure: impl FnOnce() + 'static) {
        self.measuring.after(BURST, measure);
    }

    /// Calls when sizes had time to settle.
    pub fn settle(&self, scale: impl FnOnce() + 'static) {
        self.settling.after(SETTLE, scale);
    }

    /// The size that fills the place. `exactly` gives the terminal the preferred font to find out (it is about to have
    /// that size); otherwise it is reckoned, so that nothing that is shown moves.
    pub fn measure(&self, screen: &Screen, exactly: bool) -> Option<Size> {
        if exactly {
            self.use_font(screen, self.preferred.get());
        }
        let size = if self.used.get() == self.preferred.get() {
            screen.room()
        } else {
            self.reckon(screen)
        };
        if size.is_some() {
            self.wanted.set(size);
        }
        size
    }

    /// Chooses the font so that the terminal is shown whole; true when its size is the one that fills the place.
    pub fn scale(&self, screen: &Screen) -> bool {
        let fits = self.wanted.get().is_none_or(|wanted| wanted == screen.size());
        let font = if fits {
            Some(self.preferred.get())
        } else {
            self.font_for(screen)
        };
        if let Some(font) = font {
            self.use_font(screen, font);
        }
        // Without a scale of its own it fills the place from the corner, otherwise it is framed in the middle.
        let _ = self.host.toggle_attribute_with_force("data-framed", !fits);
        fits
    }

    fn use_font(&self, screen: &Screen, font: f64) {
        if self.used.replace(font) != font {
            screen.terminal().set("fontSize", font);
        }
    }

    fn font_for(&self, screen: &Screen) -> Option<f64> {
        let (width, height) = screen.cell()?;
        let size = screen.size();
        let (across, down) = self.place();
        let scale = (across / (width * f64::from(size.cols))).min(down / (height * f64::from(size.rows)));
        let font = (self.used.get() * scale * 4.0).floor() / 4.0;
        Some(font.clamp(SMALLEST, self.preferred.get().max(SMALLEST)))
    }

    fn reckon(&self, screen: &Screen) -> Option<Size> {
        let (width, height) = screen.cell()?;
        let scale = self.preferred.get() / self.used.get();
        let (across, down) = self.place();
        let size = Size::clamped((across / (width * scale)) as u16, (down / (height * scale)) as u16);
        (across > 0.0 && down > 0.0).then_some(size)
    }

    fn place(&self) -> (f64, f64) {
        (
            f64::from(self.host.client_width()) - SCROLLBAR - 8.0,
            f64::from(self.host.client_height()) - 8.0,
        )
    }
}
