//! Icons, drawn for this console on a grid of sixteen.

use leptos::prelude::*;

/// What an icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    Sessions,
    Agents,
    Usage,
    Settings,
    About,
    Audit,
    Plus,
    Search,
    More,
    Down,
    Right,
    Back,
    Close,
    Copy,
    Check,
    Warning,
    Pencil,
    Share,
    Pause,
    Play,
    Again,
    Trash,
    Panel,
    Leave,
    Sun,
    Moon,
    Desk,
    Download,
    Command,
    Busy,
    Org,
    Fleet,
    Key,
}

impl Glyph {
    const fn path(self) -> &'static str {
        match self {
            Self::Sessions => {
                "M2.5 3h11a.5.5 0 0 1 .5.5v9a.5.5 0 0 1-.5.5h-11a.5.5 0 0 1-.5-.5v-9a.5.5 0 0 1 .5-.5zM4.75 6l2 2-2 2M8.5 10.25h2.75"
            }
            Self::Agents => "M8 1.75l5.5 3.1v6.3L8 14.25l-5.5-3.1v-6.3zM8 8l5.3-3M8 8v6M8 8L2.7 5",
            Self::Usage => "M2.5 13.5h11M4.25 11V8M8 11V3.5M11.75 11V6",
            Self::Settings => "M2 5h6.5M12 5h2M2 11h2M7.5 11H14M10.25 3.25v3.5M5.75 9.25v3.5",
            Self::About => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.5V11M8 5.1v.1",
            Self::Org => {
                "M3 14V3.5a.5.5 0 0 1 .5-.5h6a.5.5 0 0 1 .5.5V14M10 7h2.5a.5.5 0 0 1 .5.5V14M2 14h12M5.25 5.75h2.5M5.25 8.25h2.5M5.25 10.75h2.5"
            }
            Self::Fleet => "M8 2l5.5 2.75L8 7.5 2.5 4.75zM2.5 8L8 10.75 13.5 8M2.5 11.25L8 14l5.5-2.75",
            Self::Audit => {
                "M3.5 2h9a.5.5 0 0 1 .5.5v11a.5.5 0 0 1-.5.5h-9a.5.5 0 0 1-.5-.5v-11a.5.5 0 0 1 .5-.5zM5.5 5.25h5M5.5 8h5M5.5 10.75h2.5"
            }
            Self::Plus => "M8 3v10M3 8h10",
            Self::Search => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
            Self::More => "M3.25 7.75h.5v.5h-.5zM7.75 7.75h.5v.5h-.5zM12.25 7.75h.5v.5h-.5z",
            Self::Down => "M4 6l4 4 4-4",
            Self::Right => "M6 4l4 4-4 4",
            Self::Back => "M10 3.5L5.5 8l4.5 4.5",
            Self::Close => "M4 4l8 8M12 4l-8 8",
            Self::Copy => {
                "M6 5.5h6.5a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.5H6a.5.5 0 0 1-.5-.5V6a.5.5 0 0 1 .5-.5zM10.5 3.25V3a.5.5 0 0 0-.5-.5H3.5A.5.5 0 0 0 3 3v7a.5.5 0 0 0 .5.5"
            }
            Self::Check => "M3 8.5l3.5 3.5L13 4.5",
            Self::Warning => "M8 2.5l6 10.75H2zM8 6.5v3M8 11.4v.1",
            Self::Pencil => "M3 13l.6-2.8 7.3-7.3 2.2 2.2-7.3 7.3zM9.4 4.4l2.2 2.2",
            Self::Share => {
                "M6 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5zM2 13.25c.2-2.3 1.8-3.5 4-3.5s3.8 1.2 4 3.5M11 3.25a2.1 2.1 0 0 1 0 4.1M12 10.1c1.2.4 1.9 1.5 2 3.15"
            }
            Self::Pause => "M5.5 3.5v9M10.5 3.5v9",
            Self::Play => "M5 3.25v9.5L12.5 8z",
            Self::Again => "M13 8a5 5 0 1 1-1.6-3.7M13.25 2v3h-3",
            Self::Trash => {
                "M3 4.5h10M6.25 4.5V3a.5.5 0 0 1 .5-.5h2.5a.5.5 0 0 1 .5.5v1.5M4.25 4.5l.5 8.5a.5.5 0 0 0 .5.5h5.5a.5.5 0 0 0 .5-.5l.5-8.5"
            }
            Self::Panel => {
                "M2.5 3h11a.5.5 0 0 1 .5.5v9a.5.5 0 0 1-.5.5h-11a.5.5 0 0 1-.5-.5v-9a.5.5 0 0 1 .5-.5zM10 3v10"
            }
            Self::Leave => "M9.5 2.5h-6a.5.5 0 0 0-.5.5v10a.5.5 0 0 0 .5.5h6M7 8h7M11.5 5.25L14.25 8l-2.75 2.75",
            Self::Sun => {
                "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"
            }
            Self::Moon => "M13.5 9.5A5.75 5.75 0 0 1 6.5 2.5a5.75 5.75 0 1 0 7 7z",
            Self::Desk => {
                "M2.5 3h11a.5.5 0 0 1 .5.5v7a.5.5 0 0 1-.5.5h-11a.5.5 0 0 1-.5-.5v-7a.5.5 0 0 1 .5-.5zM5.5 13.5h5M8 11v2.5"
            }
            Self::Download => "M8 2.5v7.5M4.75 7L8 10.25 11.25 7M3 13.5h10",
            Self::Command => {
                "M6 6V4.25A1.75 1.75 0 1 0 4.25 6zM6 6h4M6 6v4M10 6V4.25A1.75 1.75 0 1 1 11.75 6zM10 6v4M6 10v1.75A1.75 1.75 0 1 1 4.25 10zM6 10h4M10 10h1.75A1.75 1.75 0 1 1 10 11.75z"
            }
            Self::Key => "M9.75 9.5a3.75 3.75 0 1 0-3.6-2.7L2 10.95V14h3v-1.75h1.75V10.5h1.6zM10.75 5.2v.1",
            Self::Busy => "M8 2a6 6 0 1 1-6 6",
        }
    }
}

/// An icon beside a word that says the same; alone it needs a label on what holds it.
pub fn icon(glyph: Glyph) -> impl IntoView + use<> {
    let class = if glyph == Glyph::Busy { "icon spin" } else { "icon" };
    view! {
        <svg class=class viewBox="0 0 16 16" aria-hidden="true">
            <path d=glyph.path()></path>
        </svg>
    }
}

/// The mark of the console: a prompt in a box.
#[component]
#[must_use]
pub fn Logo() -> impl IntoView {
    view! {
        <svg viewBox="0 0 24 24" aria-hidden="true">
            <rect class="fill-accent" x="1" y="1" width="22" height="22" rx="6"></rect>
            <path
                class="stroke-on-accent"
                d="M7 8l4 4-4 4M12.5 16.5H17"
                fill="none"
                stroke-width="2.25"
                stroke-linecap="round"
                stroke-linejoin="round"
            ></path>
        </svg>
    }
}
