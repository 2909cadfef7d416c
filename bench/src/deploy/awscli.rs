//! A round by AWS's own command line, with the same template and the same bytes in the same kind of bucket. It polls at
//! once and then every 5 or 30 seconds.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::rounds::{Part, Step};
use super::{Bench, DeployBenchError, part};

const TOOL: &str = "aws";
const STACK: &str = "by-aws";
const BUCKET: &str = "by-aws-code";

impl Bench<'_> {
    /// From the first deployment to the teardown.
    pub(super) async fn awscli_round(
        &self,
        [first, second, _]: &[PathBuf; 3],
    ) -> Result<Vec<Part>, DeployBenchError> {
        let template = self.folder.join("template.json");
        let rendered = self.rendered().await?;
        std::fs::write(&template, rendered.to_string())
            .map_err(DeployBenchError::system("write the template"))?;
        let zips = [self.zip(first).await?, self.zip(second).await?];
        let mut parts = Vec::new();
        for (step, zip) in [
            (Step::First, &zips[0]),
            (Step::NoChange, &zips[0]),
            (Step::Code, &zips[1]),
        ] {
            next_second().await;
            let mut commands = Vec::new();
            if step == Step::First {
                commands.push(words(&format!("s3 mb s3://{BUCKET}")));
            }
            let key = zip.file_name().unwrap_or_default().to_string_lossy();
            let (zip, template) = (zip.display(), template.display());
            commands.push(words(&format!("s3 cp {zip} s3://{BUCKET}/{key}")));
            commands.push(words(&format!(
                "cloudformation deploy --stack-name {STACK} --template-file {template} \
                 --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset \
                 --parameter-overrides CodeBucket={BUCKET} CodeKey={key} Architecture={}",
                architecture()
            )));
            parts.push(self.aws(step, &commands).await?);
        }
        let commands = [
            format!("cloudformation delete-stack --stack-name {STACK}"),
            format!("cloudformation wait stack-delete-complete --stack-name {STACK}"),
            format!("s3 rb s3://{BUCKET} --force"),
        ];
        parts.push(
            self.aws(Step::Teardown, &commands.map(|line| words(&line)))
                .await?,
        );
        Ok(parts)
    }

    async fn aws(&self, step: Step, commands: &[Vec<String>]) -> Result<Part, DeployBenchError> {
        let (mut took, mut requests) = (Duration::ZERO, 0);
        for command in commands {
            let words: Vec<_> = command.iter().map(String::as_str).collect();
            let measured = self.run(&self.args.aws, &words).await?;
            took += measured.took;
            requests += measured.requests;
        }
        Ok(part(TOOL, step, took, requests))
    }

    /// The zip for Lambda, packed by Python, outside every measured time.
    async fn zip(&self, handlers: &Path) -> Result<PathBuf, DeployBenchError> {
        let zip = handlers.with_extension("zip");
        if zip.exists() {
            return Ok(zip);
        }
        let folder = handlers.with_extension("folder");
        let failed = || DeployBenchError::system("pack the handlers");
        std::fs::create_dir_all(&folder).map_err(failed())?;
        let bootstrap = folder.join("bootstrap");
        std::fs::copy(handlers, &bootstrap).map_err(failed())?;
        let (to, from) = (zip.to_string_lossy(), bootstrap.to_string_lossy());
        let words = ["-m", "zipfile", "-c", &to, &from];
        self.run(Path::new("python3"), &words).await?;
        Ok(zip)
    }
}

/// Its change sets are named after the second, and duplicate names are refused. Outside every measured time.
async fn next_second() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let into = now.map_or(0, |now| now.subsec_millis());
    tokio::time::sleep(Duration::from_millis(1_001 - u64::from(into))).await;
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// By Lambda's name.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x86_64",
    }
}
