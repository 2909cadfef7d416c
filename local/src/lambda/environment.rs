//! The environment of a function's process.
//!
//! Names and values are those of <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>. The
//! endpoint variables that lead AWS's SDKs to this machine are added, unless the template sets them itself.

use std::collections::BTreeMap;

use super::runnable::Runnable;

/// The complete environment. Nothing is inherited.
pub(crate) fn environment(
    runnable: &Runnable,
    log_stream: &str,
    runtime_api: &str,
) -> BTreeMap<String, String> {
    let Runnable {
        function,
        code,
        environment,
        ..
    } = runnable;
    let key = &environment.access_key;
    let root = code.root.to_string_lossy().into_owned();
    let mut variables = BTreeMap::from(
        [
            ("LANG", "en_US.UTF-8"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
            ("TZ", ":UTC"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let endpoints = environment.endpoints.iter();
    variables.extend(endpoints.map(|(name, address)| ((*name).to_owned(), address.clone())));
    variables.extend(function.environment.clone());
    variables.extend(
        [
            ("_HANDLER", function.handler.as_str()),
            ("AWS_ACCESS_KEY_ID", &key.id),
            ("AWS_DEFAULT_REGION", &environment.region),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                &function.memory_size.to_string(),
            ),
            ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &function.log_group),
            ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
            ("AWS_LAMBDA_RUNTIME_API", runtime_api),
            ("AWS_REGION", &environment.region),
            ("AWS_SECRET_ACCESS_KEY", &key.secret),
            ("AWS_SESSION_TOKEN", &key.session_token),
            ("LAMBDA_RUNTIME_DIR", &root),
            ("LAMBDA_TASK_ROOT", &root),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    variables
}
