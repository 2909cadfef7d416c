//! Runs a local stack inside this process, for `dev`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use chatctl_local::{Clock, LocalStack, Observer, Options, StackNotice};

pub use chatctl_local::StackRequest as Request;

use super::assets::located;
use super::records;
use super::secrets::References;
use crate::config::names::StackName;
use crate::engine::{Deployment, ErrorKind, TargetError};
use crate::packaging::{Built, Executable};
use crate::stack::Template;
use crate::stack::logs::LogEntry;

/// What `stack` runs when `template` is deployed with `executables`; `copy_of` returns where the executable with a digest lies.
pub fn request(
    stack: &StackName,
    template: Template,
    executables: &Built<Executable>,
    references: References,
    copy_of: impl Fn(&str) -> PathBuf,
) -> Request {
    let code = executables
        .iter()
        .map(|(parameter, executable)| (parameter.clone(), located(executable)));
    let deployment = Deployment::new(stack.clone(), template, code.collect());
    let request = records::Request {
        references,
        ..records::Request::new(&deployment, copy_of)
    };
    request.of_stack(stack.as_ref())
}

/// A running stack.
#[derive(Debug)]
pub struct Foreground(LocalStack);

/// A notice of a running stack.
#[derive(Debug)]
pub enum Reported {
    /// A function wrote a line.
    Log(LogEntry),
    /// The template or a function misbehaves.
    Warning(String),
}

/// Starts `request` on `port`; tables are kept in memory. Limits pass `clock_speed` times faster. Zip files are
/// unpacked into `scratch`, which the caller removes. `tell` is called on the runtime's thread.
///
/// # Errors
/// The template, its parameters or its code are invalid, or the port is taken.
pub async fn start(
    request: Request,
    port: u16,
    clock_speed: NonZeroU32,
    scratch: PathBuf,
    tell: impl Fn(Reported) + Send + Sync + 'static,
) -> Result<Foreground, TargetError> {
    super::open_files::allow_many();
    let observer = Observer::new(move |notice| match notice {
        StackNotice::Log(line) => tell(Reported::Log(super::logs::entry(&line))),
        StackNotice::Warning(text) => tell(Reported::Warning(text)),
        other => super::guard_processes(&other),
    });
    let options = Options::default()
        .with_port(port)
        .with_clock(Clock::faster(clock_speed))
        .with_scratch(Some(scratch));
    let stack = LocalStack::start(request, options, observer).await;
    stack.map(Foreground).map_err(|error| refused(&error))
}

impl Foreground {
    /// `ws://127.0.0.1:PORT/STAGE`
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Updates the stack to `request`; connections and tables stay where they can.
    ///
    /// # Errors
    /// The request is refused. The stack keeps running unchanged, unless the error names what did change.
    pub async fn update(&self, request: Request) -> Result<(), TargetError> {
        match self.0.update(request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    /// Serves the web client with `settings` at `/` from now on.
    pub fn show_page(&self, settings: &serde_json::Value) {
        self.0.show_page(Some(super::page::filled_in(settings)));
    }

    /// Stops every process and listener that was started.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

fn refused(error: &dyn std::error::Error) -> TargetError {
    TargetError {
        source: error.source().map(|source| source.to_string().into()),
        ..TargetError::new(ErrorKind::Usage, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Settings};
    use crate::local::template_here;
    use crate::stack::render::parameter;

    #[test]
    fn every_function_runs_its_copy_and_every_parameter_of_code_has_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
        let executable = Executable {
            name: "handlers".into(),
            path: "built/chat".into(),
            digest: "d1".into(),
            size: 1,
        };
        let request = request(
            &settings.stack,
            template_here(&settings).template,
            &[(parameter::CODE_KEY.to_owned(), executable)].into(),
            References::default(),
            |digest| PathBuf::from("copies").join(digest),
        );
        assert!(request.code.len() > 1, "{request:?}");
        let copy = PathBuf::from("copies/d1");
        assert!(request.code.values().all(|path| *path == copy));
        let named = [
            parameter::CODE_KEY,
            parameter::CODE_BUCKET,
            parameter::ARCHITECTURE,
        ];
        for parameter in named {
            assert!(request.parameters.contains_key(parameter), "{parameter}");
        }
    }
}
