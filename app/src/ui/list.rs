//! What every list has: the field to search it, the line below it, and rows that are chosen together. Plain functions:
//! a generic component would be compiled anew for every list.

use super::{Glyph, icon};
use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

/// The search field of a list, sent with its form; `/` leads to it.
pub fn find(label: &'static str, placeholder: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="input-with-icon search">
            {icon(Glyph::Search)}
            <input
                class="input"
                type="search"
                name="q"
                data-find=""
                aria-label=label
                placeholder=placeholder
                maxlength="200"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                value=value
            />
            <kbd class="kbd" aria-hidden="true">"/"</kbd>
        </div>
    }
}

/// The line below a list: how many there are, and the ways to its other pages.
pub fn under(count: String, first: Option<String>, next: Option<String>) -> impl IntoView {
    view! {
        <div class="under">
            <span class="spring"></span>
            <p class="meta">{count}</p>
            {first.map(|first| view! { <a class="btn btn-small" href=first>"First page"</a> })}
            {next.map(|next| view! { <a class="btn btn-small" href=next>"Next page"</a> })}
        </div>
    }
}

/// What a list says where nothing fits the search and the filters.
pub fn nothing_fits(head: &'static str, said: &'static str, all: String, way: &'static str) -> AnyView {
    view! {
        <section class="card empty">
            {icon(Glyph::Search)} <h3>{head}</h3> <p>{said}</p>
            <a class="btn" href=all>{way}</a>
        </section>
    }
    .into_any()
}

/// The rows of a list that are chosen. What is chosen stays so while the list changes on its own.
#[derive(Clone, Copy)]
pub struct Chosen {
    ids: RwSignal<Vec<String>>,
    /// The ids of the page that is shown, in its order.
    page: StoredValue<Vec<String>>,
    /// Where a range begins.
    from: StoredValue<Option<String>>,
}

impl Chosen {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            ids: RwSignal::new(Vec::new()),
            page: StoredValue::new(Vec::new()),
            from: StoredValue::new(None),
        }
    }

    /// Another page is shown: what is not on it is not chosen any more, for nobody would see it.
    pub fn shows(self, page: Vec<String>) {
        if self.ids.with_untracked(|ids| ids.iter().any(|id| !page.contains(id))) {
            self.ids.update(|ids| ids.retain(|id| page.contains(id)));
        }
        self.page.set_value(page);
    }

    /// Those that are chosen.
    pub fn get(self) -> Vec<String> {
        self.ids.get()
    }

    /// How many are.
    pub fn count(self) -> usize {
        self.ids.with(Vec::len)
    }

    /// Chooses nothing.
    pub fn clear(self) {
        self.ids.set(Vec::new());
    }

    fn set(self, wanted: &[String], on: bool) {
        self.ids.update(|ids| {
            ids.retain(|id| !wanted.contains(id));
            if on {
                ids.extend_from_slice(wanted);
            }
        });
    }

    /// The box of one row, in a form's field of this name. With Shift it takes all rows since the last one.
    pub fn tick(self, name: &'static str, id: String, label: String) -> impl IntoView {
        let (own, value) = (id.clone(), id.clone());
        let on_click = move |event: ev::MouseEvent| {
            let on = is_checked(&event);
            let from = self.from.get_value().filter(|_| event.shift_key());
            let range = self.page.with_value(|page| {
                let at = |id: &String| page.iter().position(|other| other == id);
                let (one, other) = (at(&id)?, at(&from?)?);
                Some(page[one.min(other)..=one.max(other)].to_vec())
            });
            self.set(&range.unwrap_or_else(|| vec![id.clone()]), on);
            self.from.set_value(Some(id.clone()));
        };
        view! {
            <label class="tick">
                <input
                    type="checkbox"
                    name=name
                    value=value
                    aria-label=label
                    data-tick=""
                    prop:checked=move || self.ids.with(|ids| ids.contains(&own))
                    on:click=on_click
                />
            </label>
        }
    }

    /// The box for the whole page; without scripts there is none.
    pub fn tick_all(self) -> impl IntoView {
        let all = move || {
            let chosen = self.count();
            chosen > 0 && self.page.with_value(|page| page.len() == chosen)
        };
        let on_click = move |event: ev::MouseEvent| {
            let page = self.page.get_value();
            self.set(&page, is_checked(&event));
        };
        view! {
            <label class="tick tick-all">
                <input type="checkbox" aria-label="All on this page" prop:checked=all on:click=on_click />
            </label>
        }
    }
}

fn is_checked(event: &ev::MouseEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok());
    target.is_some_and(|target| target.checked())
}

/// The value of the button that sent a form.
pub fn sent_by(event: &ev::SubmitEvent) -> String {
    let button = event.submitter();
    button
        .and_then(|button| button.get_attribute("value"))
        .unwrap_or_default()
}
