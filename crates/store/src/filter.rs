//! The conditions of a question that depend on who asks for what.

use crate::db::{Value, values};
use domain::policy::Seeing;
use engine::ports::{Scope, Visible};
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// How many words of a search count, and how many characters.
const WORDS: usize = 12;
const SEARCH: usize = 200;

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

    /// What a caller may see, by the columns `org` and `owner`; `others` tells which rows of other owners are shared, and
    /// `peers` which a policy can show.
    pub(crate) fn of_visible(visible: &Visible, others: &'static str, peers: &'static str) -> Self {
        let mut filter = Self::of_scope(&visible.scope);
        if let Some(person) = &visible.only {
            match &visible.scope {
                Scope::Org(org) => match visible.peers {
                    Seeing::Own => filter.and(format!("(owner = ? OR {others})"), values![person]),
                    Seeing::Groups => filter.and(
                        format!(
                            "(owner = ? OR {others} OR ({peers} AND owner IN (SELECT b.person FROM member_groups a \
                             JOIN member_groups b ON b.org = a.org AND b.name = a.name WHERE a.org = ? AND a.person = ?)))"
                        ),
                        values![person, org, person],
                    ),
                    Seeing::Org => filter.and(format!("(owner = ? OR {others} OR {peers})"), values![person]),
                },
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

    /// Every word of `search` is found in one of `columns`, which are in lower case.
    pub(crate) fn search(&mut self, columns: &[&'static str], search: &str) {
        let search: String = search.chars().take(SEARCH).collect::<String>().to_lowercase();
        let any: Vec<_> = columns
            .iter()
            .map(|column| format!("{column} LIKE ? ESCAPE '\\'"))
            .collect();
        let any = format!("({})", any.join(" OR "));
        for word in search.split_whitespace().take(WORDS) {
            let pattern = pattern(word);
            self.and(any.clone(), columns.iter().map(|_| Value::from(&pattern)).collect());
        }
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
        self.select_with(what, Vec::new(), end, at_the_end)
    }

    /// The same where `what` has values of its own.
    pub(crate) fn select_with(
        self,
        what: &str,
        of_what: Vec<Value>,
        end: &str,
        at_the_end: Vec<Value>,
    ) -> (SqlStr, Vec<Value>) {
        let (conditions, held) = self.into_parts();
        let mut values = of_what;
        values.extend(held);
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

/// `%word%`, with what `LIKE` reads as more than itself taken literally.
fn pattern(word: &str) -> String {
    format!("%{}%", escaped(word))
}

/// The same letters, as `LIKE … ESCAPE '\'` takes them literally.
pub(crate) fn escaped(word: &str) -> String {
    let mut escaped = String::new();
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
