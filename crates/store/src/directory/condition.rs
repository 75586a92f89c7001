//! A directory's filter as a condition of a question. Nothing in it is ever NULL: turned around, it finds the others.

use crate::{
    db::{Value, values},
    filter::escaped,
};
use domain::{
    Timestamp,
    scim::{Condition, Field, Needle, Of, Op},
};

/// The condition, with `?` for each of its values. Of users by `members m` and `directory_users d`, of groups by
/// `directory_groups g`.
pub(super) fn sql(of: Of, condition: &Condition, now: Timestamp) -> (String, Vec<Value>) {
    match condition {
        Condition::Always(truth) => ((if *truth { "1 = 1" } else { "1 = 0" }).to_owned(), Vec::new()),
        Condition::All(all) => joined(of, all, " AND ", now),
        Condition::Any(any) => joined(of, any, " OR ", now),
        Condition::Not(one) => {
            let (sql, values) = sql(of, one, now);
            (format!("NOT ({sql})"), values)
        }
        Condition::Present(field) => match field {
            Field::Active | Field::Primary => ("1 = 1".to_owned(), Vec::new()),
            Field::Group => (format!("{IN_GROUPS})"), Vec::new()),
            Field::Member => (format!("{WITH_MEMBERS})"), Vec::new()),
            _ => (format!("{} IS NOT NULL", column(of, *field)), Vec::new()),
        },
        Condition::Is(field, op, needle) => compare(of, *field, *op, needle, now),
    }
}

const IN_GROUPS: &str = "EXISTS (SELECT 1 FROM member_groups x JOIN directory_groups h ON h.org = x.org AND h.name = x.name \
    WHERE x.org = m.org AND x.person = m.person AND x.by_directory = 1";
const WITH_MEMBERS: &str = "EXISTS (SELECT 1 FROM member_groups x WHERE x.org = g.org AND x.name = g.name \
    AND x.by_directory = 1";

fn joined(of: Of, all: &[Condition], glue: &str, now: Timestamp) -> (String, Vec<Value>) {
    let (mut texts, mut values) = (Vec::new(), Vec::new());
    for one in all {
        let (text, more) = sql(of, one, now);
        texts.push(text);
        values.extend(more);
    }
    (format!("({})", texts.join(glue)), values)
}

fn compare(of: Of, field: Field, op: Op, needle: &Needle, now: Timestamp) -> (String, Vec<Value>) {
    match (field, needle) {
        (Field::Active, Needle::Truth(truth)) => {
            let not = if (op == Op::Eq) == *truth { "" } else { "NOT " };
            let sql = format!("{not}(m.status = 'active' AND (m.ends_at IS NULL OR m.ends_at > ?))");
            (sql, values![now])
        }
        (Field::Primary, Needle::Truth(truth)) => {
            let sign = if (op == Op::Eq) == *truth { "=" } else { "<>" };
            (format!("COALESCE(d.email_primary, 1) {sign} 1"), Vec::new())
        }
        (Field::Group, Needle::Text(id)) => (format!("{IN_GROUPS} AND h.id = ?)"), values![id]),
        (Field::Member, Needle::Text(id)) => (format!("{WITH_MEMBERS} AND x.person = ?)"), values![id]),
        (_, Needle::At(at)) => (format!("{} {} ?", column(of, field), sign(op)), values![*at]),
        (_, Needle::Text(text)) => {
            let column = column(of, field);
            let escaped = || escaped(text);
            match op {
                Op::Ne => (format!("({column} IS NULL OR {column} <> ?)"), values![text]),
                Op::Co => like(column, format!("%{}%", escaped())),
                Op::Sw => like(column, format!("{}%", escaped())),
                Op::Ew => like(column, format!("%{}", escaped())),
                _ => (format!("({column} IS NOT NULL AND {column} = ?)"), values![text]),
            }
        }
        (_, Needle::Truth(_)) => ("1 = 0".to_owned(), Vec::new()),
    }
}

fn like(column: &str, pattern: String) -> (String, Vec<Value>) {
    (
        format!("({column} IS NOT NULL AND {column} LIKE ? ESCAPE '\\')"),
        values![pattern],
    )
}

const fn sign(op: Op) -> &'static str {
    match op {
        Op::Ne => "<>",
        Op::Gt => ">",
        Op::Ge => ">=",
        Op::Lt => "<",
        Op::Le => "<=",
        Op::Eq | Op::Co | Op::Sw | Op::Ew => "=",
    }
}

const fn column(of: Of, field: Field) -> &'static str {
    match (of, field) {
        (Of::Users, Field::ExternalId) => "d.external_id",
        (Of::Users, Field::UserName) => "COALESCE(d.user_name_key, m.email_key)",
        (Of::Users, Field::Email) => "m.email_key",
        // Of whom the directory has said nothing, the name that is shown.
        (Of::Users, Field::Name) => "CASE WHEN d.person IS NULL THEN m.name_key ELSE d.display_name_key END",
        (Of::Users, Field::Formatted) => "d.formatted_key",
        (Of::Users, Field::Created) => "m.created_at",
        (Of::Users, Field::Changed) => "COALESCE(d.changed_at, m.created_at)",
        (Of::Users, _) => "m.person",
        (Of::Groups, Field::ExternalId) => "g.external_id",
        (Of::Groups, Field::Name) => "g.name_key",
        (Of::Groups, Field::Created) => "g.created_at",
        (Of::Groups, Field::Changed) => "g.changed_at",
        (Of::Groups, _) => "g.id",
    }
}
