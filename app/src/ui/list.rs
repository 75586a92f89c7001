//! What every list has: the field to search it, the line below it, and rows that are chosen together. Plain functions:
//! a generic component would be compiled anew for every list.

use super::{Glyph, icon};
use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;

/// How long typing rests before the list follows it.
const PAUSE: core::time::Duration = core::time::Duration::from_millis(220);

/// Reads a field of a form by its name.
pub type Field<'a> = &'a dyn Fn(&str) -> String;

/// A form whose list follows it as it changes: what is wanted is in the address. Without scripts it is sent by its button.
#[derive(Clone, Copy)]
pub struct Follow {
    form: NodeRef<leptos::html::Form>,
    /// Goes to what the form asks for.
    go: Callback<()>,
    waiting: StoredValue<u32>,
}

impl Follow {
    /// `to` reads the fields, and gives the address of what they ask for where that is not what is shown.
    pub fn new(to: impl Fn(Field<'_>) -> Option<String> + Send + Sync + 'static) -> Self {
        let form = NodeRef::<leptos::html::Form>::new();
        let navigate = use_navigate();
        let go = Callback::new(move |()| {
            let Some(form) = form.get_untracked() else { return };
            let field = |name: &str| value_of(&form, name).unwrap_or_default();
            if let Some(address) = to(&field) {
                let options = NavigateOptions {
                    replace: true,
                    scroll: false,
                    ..NavigateOptions::default()
                };
                navigate(&address, options);
            }
        });
        Self {
            form,
            go,
            waiting: StoredValue::new(0),
        }
    }

    /// Follows at once.
    pub fn now(self) {
        self.go.run(());
    }

    /// Follows when nothing more is typed for a moment.
    pub fn later(self) {
        let number = self.waiting.get_value() + 1;
        self.waiting.set_value(number);
        set_timeout(
            move || {
                if self.waiting.try_get_value() == Some(number) {
                    self.now();
                }
            },
            PAUSE,
        );
    }
}

/// The value of a field of a form.
pub fn value_of(form: &web_sys::HtmlFormElement, name: &str) -> Option<String> {
    let element = form.elements().named_item(name)?;
    let element: &wasm_bindgen::JsValue = element.as_ref();
    js_sys::Reflect::get(element, &"value".into()).ok()?.as_string()
}

/// The form above a list, around its fields.
pub fn filters(action: &'static str, follow: Follow, fields: impl IntoView + 'static) -> AnyView {
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        follow.now();
    };
    view! {
        <form class="filters" role="search" method="get" action=action node_ref=follow.form on:submit=on_submit>
            {fields.into_any()}
            <noscript>
                <button class="btn" type="submit">"Apply"</button>
            </noscript>
        </form>
    }
    .into_any()
}

/// The search field of a list; `/` leads to it.
pub fn find(
    label: &'static str,
    placeholder: &'static str,
    name: &'static str,
    value: Signal<String>,
    follow: Follow,
) -> AnyView {
    view! {
        <div class="input-with-icon search">
            {icon(Glyph::Search)}
            <input
                class="input"
                type="search"
                name=name
                data-find=""
                aria-label=label
                placeholder=placeholder
                maxlength="200"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                value=value.get_untracked()
                prop:value=value
                on:input=move |_| follow.later()
            />
            <kbd class="kbd" aria-hidden="true">"/"</kbd>
        </div>
    }
    .into_any()
}

/// One of a few, by a field's value and its word; the first is what holds when nothing is said.
pub fn choice(
    label: &'static str,
    name: &'static str,
    options: Vec<(String, String)>,
    value: Signal<String>,
    follow: Follow,
) -> AnyView {
    let options = options
        .into_iter()
        .map(|(option, word)| {
            let own = option.clone();
            view! { <option value=option selected=move || value.with(|value| *value == own)>{word}</option> }
        })
        .collect_view();
    view! {
        <select class="input" name=name aria-label=label on:change=move |_| follow.now()>
            {options}
        </select>
    }
    .into_any()
}

/// Options of [`choice`].
pub fn options<const N: usize>(all: [(&str, &str); N]) -> Vec<(String, String)> {
    all.map(|(value, word)| (value.to_owned(), word.to_owned())).to_vec()
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
    /// The id of the form that the boxes belong to, where they do not stand in it.
    form: Option<&'static str>,
}

impl Chosen {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            ids: RwSignal::new(Vec::new()),
            page: StoredValue::new(Vec::new()),
            from: StoredValue::new(None),
            form: None,
        }
    }

    /// Nothing yet, with boxes of a form that they do not stand in: forms cannot stand in each other.
    pub fn of_form(form: &'static str) -> Self {
        Self {
            form: Some(form),
            ..Self::new()
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
                    form=self.form
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

/// The value of a field of the form that was sent.
pub fn value_in(event: &ev::SubmitEvent, name: &str) -> Option<String> {
    let form = event.target()?.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    value_of(&form, name)
}

/// The value of the button that sent a form.
pub fn sent_by(event: &ev::SubmitEvent) -> String {
    let button = event.submitter();
    button
        .and_then(|button| button.get_attribute("value"))
        .unwrap_or_default()
}
