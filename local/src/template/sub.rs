//! Parses the string of an `Fn::Sub`:
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>.

/// A part of the string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Goes into the result unchanged.
    Literal(&'a str),
    /// `${!Name}`, which yields `${Name}`.
    Escaped(&'a str),
    /// `${Name}` or `${Resource.Attribute}`.
    Reference(&'a str),
}

/// Splits `text` into pieces.
///
/// An unclosed `${` is a literal. An `Err` is the problem with a name.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, (name, after))) = rest
        .split_once("${")
        .and_then(|(b, a)| Some((b, a.split_once('}')?)))
    {
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        pieces.push(match name.strip_prefix('!') {
            Some(escaped) => Piece::Escaped(escaped),
            None if is_name(name) => Piece::Reference(name),
            None => {
                return Err(format!(
                    "`${{{name}}}` is not a variable name: letters, digits, `_`, `.` and `:` are allowed; \
                     for a literal `${{` write `${{!`"
                ));
            }
        });
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    Ok(pieces)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::Piece::{Escaped, Literal, Reference};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn literals_references_and_escapes_are_distinguished() {
        let text = "a${AWS::Region}${Table.Arn}b${!x y}$c${";
        let expected = [
            Literal("a"),
            Reference("AWS::Region"),
            Reference("Table.Arn"),
            Literal("b"),
            Escaped("x y"),
            Literal("$c${"),
        ];
        assert_eq!(pieces(text).unwrap(), expected);
    }

    #[test]
    fn a_name_with_other_characters_is_refused() {
        assert!(
            pieces("${a b}")
                .unwrap_err()
                .starts_with("`${a b}` is not a variable name")
        );
        assert!(pieces("${}").is_err());
    }

    proptest! {
        #[test]
        fn the_joined_pieces_are_the_text(text in "([a-z}$ {]|\\$\\{!?[A-Z.]{0,3}\\})*") {
            if let Ok(pieces) = pieces(&text) {
                let together: String = pieces.iter().map(|piece| match piece {
                    Literal(text) => (*text).to_owned(),
                    Escaped(name) => format!("${{!{name}}}"),
                    Reference(name) => format!("${{{name}}}"),
                }).collect();
                prop_assert_eq!(together, text);
            }
        }
    }
}
