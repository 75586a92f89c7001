//! Filters (RFC 7644, 3.4.2.2): read without recursion beyond a bound, and asked of small objects.

use super::{member, truth};
use crate::Problem;
use serde_json::Value;

/// The longest filter, in bytes.
pub const FILTER_MAX: usize = 4096;
/// So many comparisons may be in one filter.
pub const TERMS_MAX: usize = 50;
/// So deep may its brackets be.
pub const DEPTH_MAX: usize = 10;

/// A filter, taken apart. Names of attributes are in lower case, without the core schemas' prefix.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// `userName eq "ada"`; the value is a text, a number, a truth or null.
    Compare {
        attribute: String,
        op: Op,
        value: Value,
    },
    /// `externalId pr`
    Present(String),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// `emails[type eq "work"]`
    Within {
        attribute: String,
        filter: Box<Self>,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Op {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "co" => Self::Co,
            "sw" => Self::Sw,
            "ew" => Self::Ew,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }
}

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > FILTER_MAX {
            return Err(wrong(format!("A filter has at most {FILTER_MAX} bytes.")));
        }
        let mut reader = Reader::new(text);
        let filter = reader.any()?;
        reader.end()?;
        Ok(filter)
    }

    /// Whether an object is one that is meant. Texts are compared without regard to case; what cannot be compared does
    /// not match.
    pub fn matches(&self, object: &Value) -> bool {
        match self {
            Self::Compare { attribute, op, value } => {
                let held = at(object, attribute).unwrap_or(&Value::Null);
                compare(held, *op, value)
            }
            Self::Present(attribute) => at(object, attribute).is_some_and(|held| !held.is_null()),
            Self::And(all) => all.iter().all(|filter| filter.matches(object)),
            Self::Or(any) => any.iter().any(|filter| filter.matches(object)),
            Self::Not(filter) => !filter.matches(object),
            Self::Within { attribute, filter } => match at(object, attribute) {
                Some(Value::Array(list)) => list.iter().any(|item| filter.matches(item)),
                Some(item) => filter.matches(item),
                None => false,
            },
        }
    }
}

fn at<'v>(object: &'v Value, attribute: &str) -> Option<&'v Value> {
    attribute.split('.').try_fold(object, member)
}

fn compare(held: &Value, op: Op, wanted: &Value) -> bool {
    if let (Some(held), Some(wanted)) = (truth(held), truth(wanted)) {
        return match op {
            Op::Eq => held == wanted,
            Op::Ne => held != wanted,
            _ => false,
        };
    }
    let (Some(a), Some(b)) = (held.as_str(), wanted.as_str()) else {
        return match op {
            Op::Eq => held == wanted,
            Op::Ne => held != wanted,
            _ => false,
        };
    };
    let (held, wanted) = (a.to_lowercase(), b.to_lowercase());
    match op {
        Op::Eq => held == wanted,
        Op::Ne => held != wanted,
        Op::Co => held.contains(&wanted),
        Op::Sw => held.starts_with(&wanted),
        Op::Ew => held.ends_with(&wanted),
        Op::Gt => held > wanted,
        Op::Ge => held >= wanted,
        Op::Lt => held < wanted,
        Op::Le => held <= wanted,
    }
}

pub(super) fn wrong(detail: impl Into<String>) -> Problem {
    Problem::new("invalidFilter", detail)
}

/// The core schemas, before whose attributes their name may stand.
const CORE: [&str; 2] = [
    "urn:ietf:params:scim:schemas:core:2.0:user:",
    "urn:ietf:params:scim:schemas:core:2.0:group:",
];

/// An attribute's name as it is compared: in lower case, without its core schema.
pub(super) fn attribute(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let core = CORE.iter().find_map(|core| name.strip_prefix(core));
    core.map_or_else(|| name.clone(), str::to_owned)
}

/// Reads along a text.
pub(super) struct Reader<'t> {
    rest: &'t str,
    terms: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            rest: text.trim(),
            terms: 0,
            depth: 0,
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Problem> {
        if self.rest.trim().is_empty() {
            return Ok(());
        }
        let rest: String = self.rest.trim().chars().take(40).collect();
        Err(wrong(format!("The filter cannot be read from here on: {rest}")))
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    pub(super) fn any(&mut self) -> Result<Filter, Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(wrong(format!("A filter's brackets are at most {DEPTH_MAX} deep.")));
        }
        let mut any = vec![self.all()?];
        while self.takes_word("or") {
            any.push(self.all()?);
        }
        self.depth -= 1;
        Ok(one_or(any, Filter::Or))
    }

    fn all(&mut self) -> Result<Filter, Problem> {
        let mut all = vec![self.term()?];
        while self.takes_word("and") {
            all.push(self.term()?);
        }
        Ok(one_or(all, Filter::And))
    }

    fn term(&mut self) -> Result<Filter, Problem> {
        if self.takes('(') {
            return self.bracketed(')');
        }
        let before = self.rest;
        if self.takes_word("not") {
            if self.takes('(') {
                return Ok(Filter::Not(Box::new(self.bracketed(')')?)));
            }
            self.rest = before;
        }
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(wrong(format!("A filter has at most {TERMS_MAX} comparisons.")));
        }
        let attribute = self.attribute()?;
        if self.takes('[') {
            let filter = Box::new(self.bracketed(']')?);
            return Ok(Filter::Within { attribute, filter });
        }
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(attribute));
        }
        let Some(op) = Op::from_word(word) else {
            let shown: String = word.chars().take(40).collect();
            return Err(wrong(format!(
                "{shown:?} compares nothing: use eq, ne, co, sw, ew, gt, ge, lt, le or pr."
            )));
        };
        let value = self.value()?;
        Ok(Filter::Compare { attribute, op, value })
    }

    fn bracketed(&mut self, end: char) -> Result<Filter, Problem> {
        let filter = self.any()?;
        if !self.takes(end) {
            return Err(wrong(format!("A {end} is missing.")));
        }
        Ok(filter)
    }

    pub(super) fn attribute(&mut self) -> Result<String, Problem> {
        let name = self.word();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '$');
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with('.') || name.ends_with('.') {
            let shown: String = name.chars().take(40).collect();
            return Err(wrong(format!("{shown:?} is not the name of an attribute.")));
        }
        Ok(attribute(name))
    }

    /// A text in quotes, a number, a truth or null, as in JSON.
    fn value(&mut self) -> Result<Value, Problem> {
        self.rest = self.rest.trim_start();
        let length = match self.rest.strip_prefix('"') {
            Some(text) => 1 + quoted(text).ok_or_else(|| wrong("A text in the filter has no end."))?,
            None => self.rest.find([' ', ')', ']', '\t']).unwrap_or(self.rest.len()),
        };
        let (value, rest) = self.rest.split_at(length);
        // True and False, as some directories write them.
        let read = match value.to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => serde_json::from_str(value).ok(),
        };
        let shown: String = value.chars().take(40).collect();
        let read = read.filter(|value: &Value| !value.is_object() && !value.is_array());
        self.rest = rest;
        read.ok_or_else(|| wrong(format!("{shown:?} is not a value: write texts in double quotes.")))
    }

    pub(super) fn takes(&mut self, mark: char) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        if self.word().eq_ignore_ascii_case(wanted) {
            return true;
        }
        self.rest = before;
        false
    }

    fn word(&mut self) -> &'t str {
        let text = self.rest.trim_start();
        let end = text
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"'))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }
}

/// Where a text that has begun ends, its last quote included.
fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.len() {
        1 => filters.remove(0),
        _ => many(filters),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn eq(attribute: &str, value: Value) -> Filter {
        Filter::Compare {
            attribute: attribute.to_owned(),
            op: Op::Eq,
            value,
        }
    }

    #[test]
    fn filters_are_read_as_the_standard_writes_them() {
        let cases = [
            (r#"userName eq "bjensen""#, eq("username", json!("bjensen"))),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName Eq "x""#,
                eq("username", json!("x")),
            ),
            (r#"title pr"#, Filter::Present("title".to_owned())),
            (r#"active eq true"#, eq("active", json!(true))),
            (r#"active eq False"#, eq("active", json!(false))),
            (
                r#"userType eq "a" and (b eq "x" or c eq "y")"#,
                Filter::And(vec![
                    eq("usertype", json!("a")),
                    Filter::Or(vec![eq("b", json!("x")), eq("c", json!("y"))]),
                ]),
            ),
            (
                r#"a eq "1" or b eq "2" and c eq "3""#,
                Filter::Or(vec![
                    eq("a", json!("1")),
                    Filter::And(vec![eq("b", json!("2")), eq("c", json!("3"))]),
                ]),
            ),
            (r#"not (a eq "1")"#, Filter::Not(Box::new(eq("a", json!("1"))))),
            (
                r#"emails[type eq "work" and value eq "a\"b)@c"]"#,
                Filter::Within {
                    attribute: "emails".to_owned(),
                    filter: Box::new(Filter::And(vec![
                        eq("type", json!("work")),
                        eq("value", json!("a\"b)@c")),
                    ])),
                },
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(Filter::parse(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_a_sentence() {
        let deep = format!("{}a pr{}", "(".repeat(60), ")".repeat(60));
        let many = vec!["a pr"; 60].join(" and ");
        let long = format!("a eq \"{}\"", "x".repeat(5000));
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq ada",
            "userName is \"ada\"",
            "userName eq \"ada",
            "(userName pr",
            "userName pr)",
            "userName pr and",
            "emails[type pr",
            "eq \"x\"",
            "a eq {\"b\":1}",
            &deep,
            &many,
            &long,
        ] {
            assert_eq!(Filter::parse(text).expect_err(text).code, "invalidFilter", "{text}");
        }
    }

    #[test]
    fn an_object_is_meant_or_not() {
        let email = json!({ "type": "work", "primary": true, "value": "Ada@Acme.test" });
        for (text, meant) in [
            (r#"type eq "Work""#, true),
            (r#"primary eq "True""#, true),
            (r#"primary eq false"#, false),
            (r#"value co "acme""#, true),
            (r#"value sw "ada" and value ew ".test""#, true),
            (r#"not (type eq "home")"#, true),
            (r#"display pr or type pr"#, true),
            (r#"type eq 5"#, false),
        ] {
            assert_eq!(Filter::parse(text).expect(text).matches(&email), meant, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_makes_it_panic(text in ".{0,200}") {
            let _ = Filter::parse(&text);
        }

        #[test]
        fn nothing_made_of_its_own_words_makes_it_panic(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("("), Just(")"), Just("["), Just("]"), Just("not"), Just("and"), Just("or"), Just("eq"), Just("pr"),
                    Just("\""), Just("\\"), Just("a.b"), Just("\"x\""), Just("true"), Just("ü"), Just("5e9")
                ], 0..40)
        ) {
            for glue in ["", " "] {
                if let Ok(filter) = Filter::parse(&words.join(glue)) {
                    filter.matches(&json!({ "a": { "b": "x" } }));
                }
            }
        }

        #[test]
        fn a_text_is_found_again_whatever_is_in_it(text in ".{0,60}") {
            let quoted = serde_json::to_string(&text).expect("JSON");
            let filter = Filter::parse(&format!("userName eq {quoted}")).expect("a filter");
            prop_assert_eq!(filter, eq("username", json!(text)));
        }
    }
}
