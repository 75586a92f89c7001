//! Paths of a change (RFC 7644, figure 7): `active`, `name.familyName`, `members[value eq "1"]`,
//! `emails[type eq "work"].value`.

use super::filter::{FILTER_MAX, Filter, Reader};
use crate::Problem;

/// Where in a resource something changes. Names are in lower case, without the core schemas' prefix; an attribute of an
/// extension keeps its whole name.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub attribute: String,
    /// Which values of an attribute that has several.
    pub filter: Option<Filter>,
    pub sub: Option<String>,
}

impl Path {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = || {
            let shown: String = text.chars().take(80).collect();
            Problem::new("invalidPath", format!("{shown:?} is not the path of an attribute."))
        };
        if text.len() > FILTER_MAX {
            return Err(wrong());
        }
        let mut reader = Reader::new(text);
        let name = reader.attribute().map_err(|_| wrong())?;
        let is_extension = name.starts_with("urn:");
        let (attribute, mut sub) = match name.split_once('.') {
            Some((attribute, sub)) if !is_extension => (attribute.to_owned(), Some(sub.to_owned())),
            _ => (name, None),
        };
        let mut filter = None;
        if reader.takes('[') {
            if sub.is_some() {
                return Err(wrong());
            }
            filter = Some(reader.any().map_err(|_| wrong())?);
            if !reader.takes(']') {
                return Err(wrong());
            }
            sub = match reader.rest().strip_prefix('.') {
                Some(sub) if !sub.is_empty() && sub.chars().all(|c| c.is_ascii_alphanumeric() || c == '$') => {
                    Some(sub.to_ascii_lowercase())
                }
                None if reader.rest().is_empty() => None,
                _ => return Err(wrong()),
            };
        } else if !reader.rest().is_empty() {
            return Err(wrong());
        }
        Ok(Self { attribute, filter, sub })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_read_as_directories_write_them() {
        let read = |text: &str| {
            let path = Path::parse(text).expect(text);
            (path.attribute, path.filter.is_some(), path.sub)
        };
        let sub = |name: &str| Some(name.to_owned());
        assert_eq!(read("active"), ("active".to_owned(), false, None));
        assert_eq!(read("name.familyName"), ("name".to_owned(), false, sub("familyname")));
        assert_eq!(
            read("emails[type eq \"work\"].value"),
            ("emails".to_owned(), true, sub("value"))
        );
        assert_eq!(read("members[value eq \"a]b\"]"), ("members".to_owned(), true, None));
        let department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        assert_eq!(read(department), (department.to_ascii_lowercase(), false, None));
        assert_eq!(
            read("urn:ietf:params:scim:schemas:core:2.0:User:name.givenName"),
            ("name".to_owned(), false, sub("givenname"))
        );
        for wrong in [
            "",
            "a b",
            "members[",
            "members[value eq]",
            "a[b pr].",
            "a.b[c pr]",
            "a[b pr]c",
            "\u{0}",
        ] {
            assert_eq!(Path::parse(wrong).expect_err(wrong).code, "invalidPath", "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_makes_it_panic(text in ".{0,200}", inner in ".{0,60}") {
            let _ = Path::parse(&text);
            let _ = Path::parse(&format!("members[{inner}].{text}"));
        }
    }
}
