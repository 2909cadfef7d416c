//! What must be right before anything is changed: every problem is reported at once.

pub use super::target_error::chain;
use super::target_error::{ErrorKind, TargetError};

/// One thing that was looked at.
#[derive(Debug)]
pub struct Check {
    /// What was looked at, in one word or two.
    pub subject: &'static str,
    /// What was found, in a few words.
    pub outcome: Result<String, TargetError>,
    /// What the reader should know although it keeps no deployment back.
    pub caution: Option<String>,
    /// What was found is for those who ask for it, and no part of a deployment's chain.
    is_aside: bool,
}

impl Check {
    /// A check of `subject` that counts for a deployment.
    pub fn new(subject: &'static str, outcome: Result<String, TargetError>) -> Self {
        Self {
            subject,
            outcome,
            caution: None,
            is_aside: false,
        }
    }

    /// One that can only warn.
    pub fn aside(subject: &'static str, found: String, caution: Option<String>) -> Self {
        Self {
            caution,
            is_aside: true,
            ..Self::new(subject, Ok(found))
        }
    }
}

/// All problems among `checks` as one error; their findings on one line when there is none.
///
/// The error's kind is that of the first refusal by the target, else that of the first problem.
///
/// # Errors
/// When anything is wrong.
pub fn judge(checks: Vec<Check>) -> Result<String, TargetError> {
    let (passed, failed): (Vec<_>, Vec<_>) =
        checks.into_iter().partition(|check| check.outcome.is_ok());
    let mut problems: Vec<(&str, TargetError)> = failed
        .into_iter()
        .filter_map(|check| Some((check.subject, check.outcome.err()?)))
        .collect();
    if problems.is_empty() {
        let reported = passed.into_iter().filter(|check| !check.is_aside);
        let found = reported.filter_map(|check| check.outcome.ok());
        return Ok(found.collect::<Vec<_>>().join(", "));
    }
    if problems.len() == 1 {
        return Err(problems.remove(0).1);
    }
    let denied = problems
        .iter()
        .find(|(_, error)| error.kind == ErrorKind::Denied);
    let refusal = denied
        .or(problems.first())
        .map_or(ErrorKind::Usage, |(_, error)| error.kind);
    let mut message = format!(
        "{} things stand in the way; nothing was touched",
        problems.len()
    );
    for (subject, error) in &problems {
        let chain = chain(error).replace('\n', "\n      ");
        message.push_str(&format!("\n  {subject}: {chain}"));
        if let Some(hint) = &error.hint {
            message.push_str(&format!("\n    {hint}"));
        }
    }
    Err(TargetError::new(refusal, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn wrong(kind: ErrorKind, message: &str) -> Result<String, TargetError> {
        Err(TargetError::new(kind, message).with_hint("do this"))
    }

    #[test]
    fn all_problems_are_reported_at_once_and_a_denial_decides_the_exit_code() {
        let error = judge(vec![
            Check::new("cargo-lambda", wrong(ErrorKind::Usage, "it is missing")),
            Check::new("region", Ok("eu-west-1".into())),
            Check::new("credentials", wrong(ErrorKind::Denied, "they expired")),
        ])
        .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied);
        expect![[r#"
            2 things stand in the way; nothing was touched
              cargo-lambda: it is missing
                do this
              credentials: they expired
                do this"#]]
        .assert_eq(&error.to_string());
    }

    #[test]
    fn a_single_problem_speaks_for_itself() {
        let error = judge(vec![Check::new("x", wrong(ErrorKind::Usage, "no"))]).unwrap_err();
        assert_eq!(
            (error.to_string(), error.hint),
            ("no".into(), Some("do this".into()))
        );
    }

    #[test]
    fn without_problems_the_findings_are_one_line() {
        let checks = vec![
            Check::new("a", Ok("x".into())),
            Check::new("b", Ok("y".into())),
            Check::aside("c", "z".into(), Some("beware".into())),
        ];
        assert_eq!(judge(checks).unwrap(), "x, y");
    }
}
