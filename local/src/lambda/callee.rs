//! Parses the forms of a function's name in an Invoke request. Pure.

/// A function, as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callee {
    /// Without a qualifier.
    pub(super) arn: String,
    /// A version or an alias. Only `$LATEST` exists here.
    pub(super) qualifier: Option<String>,
}

impl Callee {
    /// Parses a name, a partial ARN (`{account}:function:{name}`) or an ARN, each with an optional `:{qualifier}`.
    ///
    /// `None` for anything else, see <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>. `home` is the
    /// Region and account for names that have none.
    pub(super) fn parse(text: &str, home: (&str, &str)) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            [
                "arn",
                partition,
                "lambda",
                region,
                account,
                "function",
                rest @ ..,
            ] if partition.starts_with("aws") => (*region, *account, rest),
            [account, "function", rest @ ..] => (home.0, *account, rest),
            ["function", rest @ ..] | rest => (home.0, home.1, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] if !qualifier.is_empty() => (*name, Some((*qualifier).to_owned())),
            _ => return None,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (!name.is_empty() && name.len() <= 64 && name.bytes().all(allowed)).then(|| Self {
            arn: format!("arn:aws:lambda:{region}:{account}:function:{name}"),
            qualifier,
        })
    }

    /// The resource for policies.
    pub(super) fn resource(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.arn),
            None => self.arn.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_may_be_named_in_every_documented_form() {
        let arn = "arn:aws:lambda:eu-central-1:123456789012:function:deliver";
        for text in [
            arn,
            "deliver",
            "function:deliver",
            "123456789012:function:deliver",
        ] {
            for (text, qualifier) in [
                (text.to_owned(), None),
                (format!("{text}:$LATEST"), Some("$LATEST".to_owned())),
            ] {
                let callee = Callee::parse(&text, ("eu-central-1", "123456789012"));
                let arn = arn.to_owned();
                assert_eq!(callee, Some(Callee { arn, qualifier }), "{text}");
            }
        }
    }

    #[test]
    fn other_names_are_refused() {
        for text in [
            "",
            ":",
            "a b",
            "a/b",
            "deliver:",
            "deliver:1:2",
            "arn:aws:dynamodb:r:a:table/deliver",
            &"x".repeat(65),
        ] {
            assert_eq!(Callee::parse(text, ("r", "a")), None, "{text}");
        }
    }
}
