//! The S-expression of the input names that went into an archive: `"a"` for one text, `("a" "b")` for a merge, nested as
//! the merges were.
//!
//! Within quotes, `\"` is a quote, `\\` a backslash, `\n`, `\r` and `\t` a line feed, carriage return and tab, and
//! `\u{1f}` any other control character. So a lineage is one line whatever the names hold, and every name comes back.

use std::fmt;
use std::str::{Chars, FromStr};

/// How deep merges may nest in a text that is read: more than any history, less than what would overflow the stack.
const MAX_DEPTH: usize = 10_000;

/// Where an archive came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lineage {
    /// One text, by its name.
    Text(String),
    /// A merge of these, in order.
    Merge(Vec<Lineage>),
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With a stack of its own, so that depth is bounded by memory and not by the thread.
        let mut todo = vec![Piece::Whole(self)];
        while let Some(piece) = todo.pop() {
            match piece {
                Piece::Whole(Self::Text(name)) => write_name(f, name)?,
                Piece::Whole(Self::Merge(parts)) => {
                    f.write_str("(")?;
                    todo.push(Piece::Close);
                    for (at, part) in parts.iter().enumerate().rev() {
                        todo.push(Piece::Whole(part));
                        if at > 0 {
                            todo.push(Piece::Space);
                        }
                    }
                }
                Piece::Space => f.write_str(" ")?,
                Piece::Close => f.write_str(")")?,
            }
        }
        Ok(())
    }
}

enum Piece<'a> {
    Whole(&'a Lineage),
    Space,
    Close,
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in name.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            // The two separators end a line for some readers although they are no control characters.
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => {
                write!(f, "\\u{{{:x}}}", u32::from(c))?;
            }
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

impl FromStr for Lineage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut chars = text.chars();
        let mut open: Vec<Vec<Self>> = Vec::new();
        let mut whole = None;
        loop {
            let at = text.len() - chars.as_str().len();
            let done = match chars.next() {
                None => break,
                Some(' ' | '\n' | '\t' | '\r') => continue,
                Some('(') if whole.is_none() && open.len() < MAX_DEPTH => {
                    open.push(Vec::new());
                    continue;
                }
                Some(')') => Self::Merge(open.pop().ok_or_else(|| unexpected(')', at))?),
                Some('"') if whole.is_none() => Self::Text(read_name(&mut chars)?),
                Some(other) => return Err(unexpected(other, at)),
            };
            match open.last_mut() {
                Some(parts) => parts.push(done),
                None => whole = Some(done),
            }
        }
        match whole {
            Some(whole) if open.is_empty() => Ok(whole),
            _ => Err("the lineage ends too early".to_owned()),
        }
    }
}

fn unexpected(found: char, at: usize) -> String {
    format!("the lineage has an unexpected {found:?} at byte {at}")
}

fn read_name(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut name = String::new();
    loop {
        match chars.next() {
            None => return Err("the lineage ends within a name".to_owned()),
            Some('"') => return Ok(name),
            Some('\\') => name.push(read_escape(chars)?),
            Some(c) => name.push(c),
        }
    }
}

fn read_escape(chars: &mut Chars<'_>) -> Result<char, String> {
    match chars.next() {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\')) => Ok(c),
        Some('u') => {
            let digits = chars.as_str().strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (digits, rest) = digits.ok_or("the lineage has an escape without its braces")?;
            *chars = rest.chars();
            let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
            code.ok_or_else(|| format!("the lineage has \\u{{{digits}}}, which is no character"))
        }
        other => Err(format!("the lineage has an escape of {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(name: &str) -> Lineage {
        Lineage::Text(name.to_owned())
    }

    #[test]
    fn has_the_form_of_the_specification() {
        assert_eq!(text("a").to_string(), r#""a""#);
        assert_eq!(Lineage::Merge(vec![text("a"), text("b")]).to_string(), r#"("a" "b")"#);
        let nested = Lineage::Merge(vec![Lineage::Merge(vec![text("a"), text("b")]), text("c")]);
        assert_eq!(nested.to_string(), r#"(("a" "b") "c")"#);
    }

    #[test]
    fn escapes_keep_it_on_one_line() {
        let odd = text("a\"b\\c\nd\re\tf\u{0}g\u{2028}h");
        assert_eq!(odd.to_string(), r#""a\"b\\c\nd\re\tf\u{0}g\u{2028}h""#);
        assert_eq!(odd.to_string().parse(), Ok(odd));
    }

    #[test]
    fn what_is_none_is_refused() {
        for wrong in [
            "",
            "(",
            ")",
            "a",
            "\"a",
            "\"a\" \"b\"",
            "(\"a\"",
            "\"\\x\"",
            "\"\\u{d800}\"",
            "\"\\u41\"",
            "() ()",
        ] {
            assert!(wrong.parse::<Lineage>().is_err(), "{wrong:?}");
        }
        assert!("(".repeat(100_000).parse::<Lineage>().is_err());
    }

    fn any_lineage() -> impl Strategy<Value = Lineage> {
        let leaf = any::<String>().prop_map(Lineage::Text);
        leaf.prop_recursive(4, 20, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Lineage::Merge))
    }

    proptest! {
        #[test]
        fn comes_back_whatever_the_names(lineage in any_lineage()) {
            let line = lineage.to_string();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(line.parse(), Ok(lineage));
        }
    }
}
