//! Function code that is updated directly.

use super::*;
use crate::engine::fake::asset;
use crate::engine::hotswap::hotswap;
use crate::engine::target::{Asset, FunctionCode, Functions};

/// Functions of which `refusing` takes no new code, and `newer` has it already.
struct Deployed {
    refusing: &'static str,
    newer: &'static str,
}

impl Functions for Deployed {
    async fn code(&self, function: &str) -> Result<FunctionCode, TargetError> {
        let digest = if function == self.newer { "AB" } else { "00" };
        Ok(FunctionCode {
            digest: digest.into(),
            trouble: None,
        })
    }

    async fn replace_code(&self, function: &str, _asset: &Asset) -> Result<(), TargetError> {
        if function != self.refusing {
            return Ok(());
        }
        let message = format!("could not update the code of function {function}");
        Err(TargetError::new(ErrorKind::Denied, message).with_hint("have the permission"))
    }
}

/// Swaps the code of A, B and C; returns what was reported and how it ended.
async fn swapped(refusing: &'static str, newer: &'static str) -> String {
    let cloud = FakeCloud::with("CREATE_COMPLETE");
    *cloud.resources.borrow_mut() = ["A", "B", "C"]
        .map(|id| Resource {
            logical_id: id.into(),
            physical_id: id.into(),
            resource_type: "AWS::Lambda::Function".into(),
        })
        .into();
    let code = ["A", "B", "C"]
        .map(|id| (id.to_owned(), asset("ab")))
        .into();
    let functions = Deployed { refusing, newer };
    let mut transcript = Transcript::default();
    let stacks = CloudStacks::new(cloud);
    let outcome = match hotswap(&stacks, &functions, &name(), &code, &mut transcript).await {
        Ok(()) => "done".to_owned(),
        Err(error) => format!(
            "error: {error}\nhint: {}",
            error.hint.as_deref().unwrap_or_default()
        ),
    };
    format!("{}{outcome}\n", transcript.lines)
}

#[tokio::test]
async fn only_functions_with_other_code_are_swapped() {
    expect![[r#"
        started Deploy
        finished Deploy: new code in 2 of 3 functions, bypassing CloudFormation
        done
    "#]]
    .assert_eq(&swapped("nobody", "B").await);
}

#[tokio::test]
async fn a_refusal_says_how_many_others_have_the_new_code_already() {
    expect![[r#"
        started Deploy
        error: could not update the code of function B; 2 of 3 functions have the new code already
        hint: have the permission; then the same command again puts it into the rest
    "#]]
    .assert_eq(&swapped("B", "nobody").await);
}
