//! All functions of the chat in one binary. The Handler property selects one.

use std::process::ExitCode;

use chat_lambdas::environment::Environment;
use chat_lambdas::log::{Log, reasons};
use chat_lambdas::serve::serve;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let environment = Environment::new(&|variable| std::env::var(variable).ok());
    let log = Log::to_stdout(environment.log_level());
    match serve(environment, log.clone()).await {
        Ok(never) => match never {},
        Err(error) => {
            log.error("function stopped", [("reason", reasons(&error).into())]);
            ExitCode::FAILURE
        }
    }
}
