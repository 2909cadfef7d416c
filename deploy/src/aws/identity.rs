//! The identity of the credentials.

use aws_config::SdkConfig;

use super::error::refused;
use super::requests::Named;
use crate::engine::TargetError;

/// An account and an identity in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// The ARN of the user or the role's session.
    pub arn: String,
}

impl Identity {
    /// The end of the ARN, its most specific part: `user/ann`, `assumed-role/deployer/ann`.
    pub fn short(&self) -> &str {
        self.arn.splitn(6, ':').nth(5).unwrap_or(&self.arn)
    }
}

pub(super) async fn identity(config: &SdkConfig) -> Result<Identity, TargetError> {
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(Named);
    let answer = aws_sdk_sts::Client::from_conf(config.build())
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| {
            refused(
                "sts:GetCallerIdentity",
                "read the identity of the credentials",
                error,
            )
        })?;
    Ok(Identity {
        account: answer.account.unwrap_or_default(),
        arn: answer.arn.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_names_the_user_or_role() {
        let identity = |arn: &str| Identity {
            account: String::new(),
            arn: arn.into(),
        };
        let role = identity("arn:aws:sts::1:assumed-role/deployer/ann");
        assert_eq!(role.short(), "assumed-role/deployer/ann");
        assert_eq!(identity("odd").short(), "odd");
    }
}
