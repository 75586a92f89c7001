//! The keyboard: a few keys that lead everywhere, and the sheet that tells of them. Keys typed into a field or into a
//! terminal belong to it.

use crate::{layout::Above, ui::Dialog};
use leptos::prelude::*;

/// What the sheet tells.
const SHEET: [(&str, &[&str]); 10] = [
    ("Search and commands", &["Ctrl", "K"]),
    ("Sessions", &["g", "s"]),
    ("Agents", &["g", "a"]),
    ("Usage", &["g", "u"]),
    ("New session", &["n"]),
    ("Find in the list", &["/"]),
    ("Down and up in the list", &["j", "k"]),
    ("Choose the row", &["x"]),
    ("This sheet", &["?"]),
    ("Close what is on top", &["Esc"]),
];

/// Listens to the keys of the whole page, in the browser.
pub fn listen(above: Above) {
    #[cfg(feature = "hydrate")]
    browser::listen(above);
    #[cfg(not(feature = "hydrate"))]
    let _ = above;
}

/// The sheet behind `?`.
#[component]
#[must_use]
pub fn KeySheet() -> impl IntoView {
    let above = expect_context::<Above>();
    view! {
        <Dialog title="Keyboard" back="/" on_close=Callback::new(move |()| above.keys.set(false))>
            <dl class="keys">
                {SHEET
                    .iter()
                    .map(|(what, keys)| {
                        view! {
                            <dt>{*what}</dt>
                            <dd>{keys.iter().map(|key| view! { <kbd class="kbd">{*key}</kbd> }).collect_view()}</dd>
                        }
                    })
                    .collect_view()}
            </dl>
            <p class="meta">"On a Mac, Cmd stands for Ctrl. In a terminal all keys go to the terminal."</p>
        </Dialog>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use super::Above;
    use leptos::{ev::KeyboardEvent, prelude::*};
    use leptos_router::{NavigateOptions, hooks::use_navigate};
    use wasm_bindgen::JsCast;
    use web_sys::{Element, HtmlElement, HtmlInputElement};

    /// The second key of `g s` comes within this many milliseconds.
    const CHORD: f64 = 1200.0;

    pub(super) fn listen(above: Above) {
        let navigate = use_navigate();
        let chord = StoredValue::new(None::<f64>);
        let handle = window_event_listener(leptos::ev::keydown, move |event: KeyboardEvent| {
            let key = event.key();
            let command = event.ctrl_key() || event.meta_key();
            if command && key.eq_ignore_ascii_case("k") && !event.shift_key() && !event.alt_key() {
                // Ctrl-K is a key of the shell; Cmd-K is not.
                if event.meta_key() || !in_terminal(&event) {
                    event.prevent_default();
                    above.palette.update(|open| *open = !*open);
                }
                return;
            }
            if command || event.alt_key() || event.default_prevented() || typing(&event) || dialog_open() {
                return;
            }
            let after_g = chord.get_value().is_some_and(|at| event.time_stamp() - at < CHORD);
            chord.set_value(None);
            let way = match (after_g, key.as_str()) {
                (true, "s") => "/",
                (true, "a") => "/agents",
                (true, "u") => "/usage",
                (false, "n") => "/new",
                (false, "g") => {
                    chord.set_value(Some(event.time_stamp()));
                    return;
                }
                (false, "j" | "k") => {
                    step(key == "j");
                    return;
                }
                (false, "x") => {
                    tick();
                    return;
                }
                (false, "?") => {
                    event.prevent_default();
                    above.keys.set(true);
                    return;
                }
                (false, "/") => {
                    if let Some(field) = find::<HtmlInputElement>("[data-find]") {
                        event.prevent_default();
                        _ = field.focus();
                        field.select();
                    } else {
                        event.prevent_default();
                        above.palette.set(true);
                    }
                    return;
                }
                (false, "Escape") => {
                    close_menu();
                    return;
                }
                _ => return,
            };
            event.prevent_default();
            navigate(way, NavigateOptions::default());
        });
        on_cleanup(move || handle.remove());
        // A menu closes when something else is pressed.
        let outside = window_event_listener(leptos::ev::click, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let Ok(menus) = document().query_selector_all("details.menu[open]") else {
                return;
            };
            for index in 0..menus.length() {
                let Some(menu) = menus.item(index).and_then(|node| node.dyn_into::<Element>().ok()) else {
                    continue;
                };
                let on_item = target
                    .as_ref()
                    .is_some_and(|target| target.closest(".item").ok().flatten().is_some());
                if on_item || !menu.contains(target.as_deref()) {
                    _ = menu.remove_attribute("open");
                }
            }
        });
        on_cleanup(move || outside.remove());
    }

    fn element(event: &KeyboardEvent) -> Option<HtmlElement> {
        event.target()?.dyn_into().ok()
    }

    fn in_terminal(event: &KeyboardEvent) -> bool {
        element(event).is_some_and(|element| element.closest(".term").ok().flatten().is_some())
    }

    fn typing(event: &KeyboardEvent) -> bool {
        in_terminal(event)
            || element(event).is_some_and(|element| {
                let boxed = element.has_attribute("data-tick");
                (matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") && !boxed)
                    || element.is_content_editable()
            })
    }

    fn dialog_open() -> bool {
        find::<Element>("dialog[open]").is_some()
    }

    /// The row that has the focus, and all rows of the page's list.
    fn rows() -> Option<(Option<u32>, web_sys::NodeList)> {
        let rows = document().query_selector_all(".list-card tbody tr").ok()?;
        let focused = document()
            .active_element()
            .and_then(|element| element.closest("tr").ok().flatten());
        let at = (0..rows.length()).find(|&index| {
            let row = rows.item(index);
            row.is_some_and(|row| row.is_same_node(focused.as_ref().map(AsRef::as_ref)))
        });
        Some((at, rows))
    }

    /// Gives the focus to the next row of the list, or the one before.
    fn step(down: bool) {
        let Some((at, rows)) = rows() else { return };
        let next = match (at, down) {
            (None, _) => 0,
            (Some(at), true) => at + 1,
            (Some(at), false) => at.saturating_sub(1),
        };
        let link = rows
            .item(next)
            .and_then(|row| row.dyn_into::<Element>().ok()?.query_selector(".open").ok()?);
        if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
            _ = link.focus();
        }
    }

    /// Ticks the row that has the focus, or takes the tick away.
    fn tick() {
        let Some((at, rows)) = rows() else { return };
        let ticked = at
            .and_then(|at| rows.item(at))
            .and_then(|row| row.dyn_into::<Element>().ok()?.query_selector("[data-tick]").ok()?);
        if let Some(ticked) = ticked.and_then(|ticked| ticked.dyn_into::<HtmlElement>().ok()) {
            ticked.click();
        }
    }

    fn close_menu() {
        let Some(menu) = find::<Element>("details.menu[open]") else {
            return;
        };
        _ = menu.remove_attribute("open");
        if let Some(summary) = menu
            .query_selector("summary")
            .ok()
            .flatten()
            .and_then(|node| node.dyn_into::<HtmlElement>().ok())
        {
            _ = summary.focus();
        }
    }

    fn find<T: JsCast>(selector: &str) -> Option<T> {
        document().query_selector(selector).ok().flatten()?.dyn_into().ok()
    }
}
