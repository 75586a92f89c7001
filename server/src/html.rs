//! The few pages that need no application: signing in, answering a device, the API's description. Plain HTML, no script.

use crate::{doors::Doors, headers::PLAIN_POLICY};
use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};
use std::borrow::Cow;

/// The looks of these pages, by the console's own tokens; without its sheet they are still readable.
const LOOKS: &str = "\
    .plain{box-sizing:border-box;margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:26rem;line-height:1.5}\
    .plain.prose{max-width:56rem}.plain h1{font-size:1.35rem;font-weight:600;margin:0 0 .75rem}\
    .plain h2{font-size:1.1rem;font-weight:600;margin:2.5rem 0 .5rem}.plain h3{font-size:.95rem;font-weight:600;margin:1.75rem 0 .25rem}\
    .plain p{margin:.5rem 0}.plain ul{margin:.5rem 0;padding-left:1.25rem;list-style:disc}\
    .plain a{color:var(--color-accent-ink,LinkText);text-decoration:underline}\
    .plain code{font-family:var(--font-mono,monospace);font-size:.9em;overflow-wrap:anywhere}\
    .plain table{width:100%;border-collapse:collapse;font-size:.9rem}\
    .plain th,.plain td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-top:1px solid var(--color-line,#8884);font-weight:400}\
    .plain .faint{color:var(--color-soft,inherit)}\
    .plain form{display:flex;flex-direction:column;gap:.75rem;margin-top:1.25rem}\
    .plain label{display:flex;flex-direction:column;gap:.35rem;font-size:.9rem}\
    .plain input{font:inherit;padding:.6rem .75rem;min-height:44px;box-sizing:border-box;border:1px solid var(--color-edge,#888);border-radius:.5rem;background:var(--color-sunken,Field);color:inherit}\
    .plain button{font:inherit;font-weight:600;min-height:44px;padding:.6rem 1rem;border:0;border-radius:.5rem;background:var(--color-accent,#3b5bdb);color:var(--color-on-accent,#fff);cursor:pointer}\
    .plain button.other{background:none;color:inherit;border:1px solid var(--color-edge,#888)}\
    .plain summary{cursor:pointer;min-height:44px;align-content:center;margin-top:1rem;color:var(--color-soft,inherit)}\
    .plain a.button{display:block;text-align:center;font-weight:600;box-sizing:border-box;min-height:44px;padding:.6rem 1rem;border-radius:.5rem;text-decoration:none;background:var(--color-accent,#3b5bdb);color:var(--color-on-accent,#fff)}\
    .plain :is(a,input,button,summary):focus-visible{outline:2px solid var(--color-accent-ink,Highlight);outline-offset:2px}\
    .plain [role=alert]{border-left:3px solid var(--color-failed,#c00);padding:.25rem 0 .25rem .75rem}";

/// A whole page around `body`, which is markup already.
pub(crate) fn page(doors: &Doors, status: StatusCode, title: &str, class: &str, body: &str) -> Response {
    let sheet = doors.site().addresses().url("app.css");
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · Sandbox</title><link rel=\"stylesheet\" href=\"{}\"><style>{LOOKS}</style></head>\
         <body><main class=\"plain {}\">{body}</main></body></html>",
        escaped(title),
        escaped(&sheet),
        escaped(class),
    );
    (status, [(header::CONTENT_SECURITY_POLICY, PLAIN_POLICY)], Html(html)).into_response()
}

/// Text as it may stand between tags and in quoted attributes.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    Cow::Owned(out)
}
