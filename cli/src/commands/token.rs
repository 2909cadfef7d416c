//! `chatctl token`

use std::time::Duration;

use serde_json::json;

use super::tokens::{MAX_LIFETIME, lifetime, right, signer};
use super::{Context, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::Output;
use chat_protocol::auth::RIGHTS;
use chatctl_deploy::config::names::PersonName;
use chatctl_deploy::keys::NewToken;

/// Make a token that proves a name, for a stack whose `[auth] mode` is `token`
///
/// Only the token is printed on stdout, so that a command can take it:
/// -H "authorization: Bearer $(chatctl token --as Tom)". A token that was handed out stays good until it
/// expires, or until the key that signed it is retired and the stack deployed again.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
pub(super) struct TokenArgs {
    /// The name that it proves
    #[arg(long = "as", value_name = "NAME")]
    name: PersonName,
    /// The only friend that its holder may write to [default: any]
    #[arg(long, value_name = "NAME")]
    to: Option<PersonName>,
    /// The only room that its holder may enter [default: any]
    #[arg(long, value_name = "NAME")]
    room: Option<PersonName>,
    /// For how long it is good: a number and s, m, h or d, 30d at most
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = lifetime)]
    expires: Duration,
    /// What its holder may do, such as send,moderate [default: send]
    #[arg(long, value_name = "RIGHTS", value_delimiter = ',', value_parser = right)]
    can: Option<Vec<String>>,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for TokenArgs {
    async fn run(self, context: &Context) -> Result<(), CommandError> {
        debug_assert!(self.expires <= MAX_LIFETIME);
        let terminal = context.terminal;
        let settings = self.stack.settings(None, None)?;
        let signer = signer(&settings)?;
        for right in self.can.iter().flatten() {
            if !RIGHTS.contains(&right.as_str()) {
                terminal.warn(&format!(
                    "chatctl's own functions give the right `{right}` no meaning; they know {}",
                    RIGHTS.join(" and ")
                ));
            }
        }
        let minted = signer.mint(&NewToken {
            name: &self.name,
            to: self.to.as_ref(),
            room: self.room.as_ref(),
            can: self.can.clone(),
            lifetime: self.expires,
        })?;
        match terminal.output {
            Output::Json => terminal.result_json(&json!({
                "type": "result", "token": minted.token.secret(), "expiresAt": minted.expires_at, "kid": signer.id(),
            })),
            Output::Text => terminal.result(minted.token.secret()),
        }
        Ok(())
    }
}
