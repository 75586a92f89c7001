//! The conditions of a question that depend on who asks for what.

use crate::db::{Value, values};
use engine::ports::{Scope, Visible};
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// Conditions that must all hold, and their values. It begins with whose things are asked for.
///
/// The text is only ever made of the program's own words, in which `?` stands for the next value; what people write
/// is a value.
#[derive(Clone)]
pub(crate) struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    /// What belongs to a scope, by the column `org`.
    pub(crate) fn of_scope(scope: &Scope) -> Self {
        let mut filter = Self {
            conditions: Vec::new(),
            values: Vec::new(),
        };
        if let Scope::Org(org) = scope {
            filter.and("org = ?", values![org]);
        }
        filter
    }

    /// What a caller may see, by the columns `org` and `owner`; `others` tells which rows of other owners are shared.
    pub(crate) fn of_visible(visible: &Visible, others: &'static str) -> Self {
        let mut filter = Self::of_scope(&visible.scope);
        if let Some(person) = &visible.only {
            match visible.scope {
                Scope::Org(_) => filter.and(format!("(owner = ? OR {others})"), values![person]),
                // Shared means: with the members of its Organization. In the whole fleet those are not everybody.
                Scope::Fleet => filter.and(
                    format!("(owner = ? OR (({others}) AND org IN (SELECT org FROM members WHERE person = ?)))"),
                    values![person, person],
                ),
            }
        }
        filter
    }

    /// Another condition.
    pub(crate) fn and(&mut self, condition: impl Into<String>, values: Vec<Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    /// All conditions of another filter too.
    pub(crate) fn append(&mut self, other: Self) {
        self.conditions.extend(other.conditions);
        self.values.extend(other.values);
    }

    /// ` WHERE …`, or nothing, with `?` for each of its values.
    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        let all = if self.conditions.is_empty() { "" } else { " WHERE " };
        (format!("{all}{}", self.conditions.join(" AND ")), self.values)
    }

    /// `SELECT what WHERE … end`, with `?` numbered through, and its values.
    pub(crate) fn select(self, what: &str, end: &str, at_the_end: Vec<Value>) -> (SqlStr, Vec<Value>) {
        let (conditions, mut values) = self.into_parts();
        values.extend(at_the_end);
        (numbered(&format!("SELECT {what}{conditions} {end}")), values)
    }
}

/// The same statement with `$1`, `$2`, … for each `?`.
pub(crate) fn numbered(text: &str) -> SqlStr {
    let mut pieces = text.split('?');
    let mut sql = pieces.next().unwrap_or_default().to_owned();
    for (number, piece) in (1..).zip(pieces) {
        sql.push_str(&format!("${number}{piece}"));
    }
    AssertSqlSafe(sql).into_sql_str()
}

/// `?, ?, ?`: a place for each of `count` values.
pub(crate) fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}
