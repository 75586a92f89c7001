//! Where the server may send a browser after it signed in.

/// The longest path that is followed.
const LONGEST: usize = 2000;

/// Whether `path` stays on this origin: a browser reads `//host` and `/\host` as another site, and drops tabs and line
/// ends before it looks.
pub fn is_safe_redirect(path: &str) -> bool {
    path.len() <= LONGEST
        && path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_this_origin() {
        for safe in [
            "/",
            "/sessions",
            "/sessions?sort=name#top",
            "/a//b",
            "/@me",
            "/%2F%2Fevil",
            "/wörter",
        ] {
            assert!(is_safe_redirect(safe), "{safe:?}");
        }
        for unsafe_ in [
            "",
            "sessions",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /sessions",
            "/ /evil.example",
            "/x\r\nSet-Cookie: a=b",
            "https://evil.example/",
            "https:evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            &format!("/{}", "a".repeat(2000)),
        ] {
            assert!(!is_safe_redirect(unsafe_), "{unsafe_:?}");
        }
    }
}
