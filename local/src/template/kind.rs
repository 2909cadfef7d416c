//! The types that a parameter can have.

/// A parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    TextList,
    NumberList,
}

impl Kind {
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "String" => Ok(Self::Text),
            "Number" => Ok(Self::Number),
            "CommaDelimitedList" => Ok(Self::TextList),
            "List<Number>" => Ok(Self::NumberList),
            _ if name.starts_with("AWS::") || name.starts_with("List<AWS::") => Err(format!(
                "its type `{name}` is looked up in an AWS account, which the local target does not have; use String and set a value"
            )),
            _ => Err(format!(
                "its type `{name}` is not one of String, Number, CommaDelimitedList, List<Number>"
            )),
        }
    }

    pub(super) fn items(self, value: &str) -> Vec<&str> {
        match self {
            Self::Text => vec![value],
            Self::Number => vec![value.trim()],
            Self::TextList | Self::NumberList => value.split(',').map(str::trim).collect(),
        }
    }
}
