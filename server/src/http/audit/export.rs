//! The audit as a file, read and sent a page at a time: what it needs does not grow with it.

use super::{AuditItem, AuditQuery};
use crate::{
    doors::Doors,
    http::{
        extract::{Me, Query},
        openapi::Problem,
        problem::{Answer, Refused},
        spend,
    },
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{
    Caller,
    audit::{Ask, Trail},
    page::LIMIT_MAX,
};
use engine::Engine;
use futures::stream;
use http::header;
use serde::Deserialize;
use utoipa::IntoParams;

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// For spreadsheets.
    Csv,
    /// One JSON object a line.
    #[default]
    Jsonl,
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// Which entries, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// `csv` or `jsonl` (without a word).
    #[serde(default)]
    #[param(value_type = Option<String>)]
    format: Format,
    /// As in the list, like all that follow.
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    request: String,
    #[serde(default)]
    org: String,
    #[serde(default)]
    fleet: bool,
}

/// Exports the audit, newest first, as CSV or JSON lines. Cells that a spreadsheet would take for a formula begin with an
/// apostrophe. An export is itself an entry.
#[utoipa::path(
    get, path = "/api/v1/audit/export", tag = "audit", operation_id = "export_audit", params(ExportQuery),
    responses(
        (status = 200, description = "The entries, as a stream.", content(
            (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 429, body = Problem),
    ),
    extensions(("x-permit" = json!("see-audit"))),
)]
pub(super) async fn export(
    State(doors): State<Doors>,
    Me(caller): Me,
    Query(query): Query<ExportQuery>,
) -> Answer<Response> {
    spend(&doors, &caller.person)?;
    let ExportQuery {
        format,
        actor,
        action,
        target,
        from,
        until,
        request,
        org,
        fleet,
    } = query;
    let query = AuditQuery {
        actor,
        action,
        target,
        from,
        until,
        request,
        org,
        fleet,
        cursor: None,
        limit: LIMIT_MAX,
    };
    let ask = query.into_ask()?;
    // The first page before the answer, so that a refusal is one.
    let first = doors
        .engine()
        .export_audit(&caller, ask.clone(), format.as_str())
        .await?;
    let kind = match format {
        Format::Csv => "text/csv; charset=utf-8; header=present",
        Format::Jsonl => "application/x-ndjson",
    };
    let name = format!("attachment; filename=\"audit.{}\"", format.as_str());
    let rest = Rest {
        engine: doors.engine().clone(),
        caller,
        ask,
        format,
        page: Some(first),
    };
    let head = (format == Format::Csv).then(|| Ok(Bytes::from(format!("{}\r\n", COLUMNS.join(",")))));
    let pages = stream::try_unfold(rest, Rest::next);
    let body = Body::from_stream(futures::StreamExt::chain(stream::iter(head), pages));
    Ok((
        [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &name)],
        body,
    )
        .into_response())
}

/// What is still to be sent.
struct Rest {
    engine: Engine,
    caller: Caller,
    ask: Ask,
    format: Format,
    /// The page to send next; `None` at the end.
    page: Option<Trail>,
}

impl Rest {
    /// One page as text, and what comes after it. The next is read only when the reader has taken this one.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, std::io::Error> {
        let Some(Trail { lines, next }) = self.page.take() else {
            return Ok(None);
        };
        let mut text = String::new();
        for line in lines {
            let item = AuditItem::from(line);
            match self.format {
                Format::Csv => text.push_str(&row(&item)),
                Format::Jsonl => text.push_str(&serde_json::to_string(&item)?),
            }
            text.push_str(if self.format == Format::Csv { "\r\n" } else { "\n" });
        }
        if next.is_some() {
            self.ask.cursor = next;
            let page = self.engine.audit(&self.caller, self.ask.clone()).await;
            // The answer has begun: all that is left is to break it off, so that nobody takes a part for the whole.
            self.page = Some(page.map_err(|error| {
                let refused = Refused::from(error);
                std::io::Error::other(refused.detail().to_owned())
            })?);
        }
        Ok(Some((Bytes::from(text), self)))
    }
}

const COLUMNS: [&str; 15] = [
    "at", "org", "actor", "role", "via", "address", "action", "target", "detail", "request", "person", "position",
    "number", "previous", "hash",
];

fn row(item: &AuditItem) -> String {
    let optional = |text: &Option<String>| cell(text.as_deref().unwrap_or_default());
    let cells: [String; COLUMNS.len()] = [
        cell(&item.at),
        cell(&item.org),
        cell(&item.actor),
        optional(&item.role),
        cell(&item.via),
        optional(&item.address),
        cell(&item.action),
        cell(&item.target),
        cell(&item.detail.to_string()),
        optional(&item.request),
        optional(&item.person),
        item.position.to_string(),
        item.chain.number.to_string(),
        cell(&item.chain.previous),
        cell(&item.chain.hash),
    ];
    cells.join(",")
}

/// One cell (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe: a name that somebody chose
/// is not run on the desk of who reads it.
fn cell(text: &str) -> String {
    let formula = text
        .trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\r', '\n', ';']) || text.starts_with(' ') || text.ends_with(' ') {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        for (text, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("  =1", "\"'  =1\""),
            ("\t=1", "\"'\t=1\""),
            ("\u{feff}=1", "\"'\u{feff}=1\""),
            ("＝1", "\"'＝1\""),
            ("{\"a\":1}", "\"{\"\"a\"\":1}\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
