//! Steps of a JSONPath, as [RFC 9535](https://www.rfc-editor.org/rfc/rfc9535) writes it.

use std::fmt;

/// The step to a member of an object: `.name`, or `['a name']` where the short form does not have its characters.
#[derive(Clone, Copy, Debug)]
pub struct Member<'n>(pub &'n str);

impl fmt::Display for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        if name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit()) {
            return write!(f, ".{name}");
        }
        f.write_str("['")?;
        for c in name.chars() {
            match c {
                '\'' | '\\' => write!(f, "\\{c}")?,
                // Also those that RFC 9535 allows as they are: a path may end up on a terminal.
                _ if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                _ => write!(f, "{c}")?,
            }
        }
        f.write_str("']")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_step() {
        for (name, step) in [
            ("name", ".name"),
            ("_1", "._1"),
            ("1", "['1']"),
            ("", "['']"),
            ("a b", "['a b']"),
            ("é", "['é']"),
            ("\"", "['\"']"),
            ("it's", r"['it\'s']"),
            (r"\", r"['\\']"),
            ("\n\u{7f}\u{9b}", r"['\u000a\u007f\u009b']"),
        ] {
            assert_eq!(Member(name).to_string(), step);
        }
    }
}
