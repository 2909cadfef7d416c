//! The ejected scripts, run by two shells with stand-ins for the tools that they call.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use testing::command::chatctl;

use super::{COMPANY, eject, roll};
use crate::project::{Finished, Project, finished, peer};

const SHELLS: [&str; 2] = ["dash", "bash"];

/// What the scripts call beside the tools that they check for.
const TOOLS: [&str; 14] = [
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "mkdir",
    "mv",
    "printf",
    "rm",
    "sh",
    "sha256sum",
    "touch",
    "tr",
    "wc",
];

/// An ejected stack in a folder with spaces, and a folder of the only programs that there are.
struct Ejected {
    project: Project,
    tools: tempfile::TempDir,
}

impl Ejected {
    fn new(config: &str) -> Self {
        let project = Project::new(config);
        roll(&project);
        eject(&project, &["--out", "my own/stack"]).exits(0);
        let ejected = Self {
            project,
            tools: tempfile::tempdir().unwrap(),
        };
        for tool in TOOLS {
            ejected.installs(tool);
        }
        ejected
    }

    fn folder(&self) -> PathBuf {
        self.project.path().join("my own/stack")
    }

    /// The system's program `tool`, where it has one: `sha256sum` is Linux's.
    fn installs(&self, tool: &str) {
        if tool == "python3" {
            // The first one on the path can be a script that needs other programs.
            let python = python();
            return self.stands_in(tool, &format!("exec '{}' \"$@\"\n", python.display()));
        }
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|folder| folder.join(tool));
        if let Some(program) = found.into_iter().find(|program| program.is_file()) {
            symlink(program, self.tools.path().join(tool)).unwrap();
        }
    }

    /// A program `tool` that is the shell script `text`.
    fn stands_in(&self, tool: &str, text: &str) {
        let path = self.tools.path().join(tool);
        testing::scripts::write(&path, text);
    }

    fn log(&self) -> PathBuf {
        self.tools.path().join("log")
    }

    /// What the stand-ins were called with since the last time.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let _none = std::fs::remove_file(self.log());
        text.lines().map(str::to_owned).collect()
    }

    /// Runs `script` by its relative path from the folder above, where CDPATH leads elsewhere.
    fn run(&self, shell: &str, script: &str, variables: &[(&str, &str)]) -> Finished {
        let elsewhere = self.tools.path().join("elsewhere");
        std::fs::create_dir_all(elsewhere.join("my own/stack")).unwrap();
        let mut command = Command::new(format!("/bin/{shell}"));
        command
            .arg(format!("my own/stack/{script}"))
            .current_dir(self.project.path())
            .env_clear()
            .env("PATH", self.tools.path())
            .env("HOME", self.project.path())
            .env("CDPATH", &elsewhere)
            .env("LOG", self.log())
            .envs(variables.iter().copied());
        finished(command.output().unwrap())
    }
}

/// A cargo that fails, and leaves what an earlier build has made.
const FAILS: &str = "echo \"error: $1 is broken\" >&2\nexit 101\n";

/// A cargo that makes an executable in no time.
const MAKES: &str = "echo \"$*\" >>\"$LOG\"\nwhile [ \"$1\" != --target ]; do shift; done\n\
                     mkdir -p \"target/$2/lambda\"\necho code >\"target/$2/lambda/chat\"\n";

#[test]
fn the_build_script_packs_cargo_s_output_and_stops_at_a_failure_or_missing_tool() {
    let ejected = Ejected::new("");
    let zip = ejected.folder().join("code/CodeKey.zip");
    let before = std::fs::read(&zip).unwrap();
    for shell in SHELLS {
        std::fs::write(&zip, &before).unwrap();
        for tool in ["cargo", "zip", "python3"] {
            let _none = std::fs::remove_file(ejected.tools.path().join(tool));
        }
        let failed = ejected.run(shell, "build.sh", &[]).exits(1);
        failed.explains("build.sh: cargo is missing: install Rust");
        ejected.stands_in("cargo", FAILS);
        let failed = ejected.run(shell, "build.sh", &[]).exits(1);
        failed.explains("build.sh: zip is missing: install it, or Python 3");
        ejected.installs("python3");
        let failed = ejected.run(shell, "build.sh", &[]).exits(1);
        failed.explains("error: build is broken");
        failed.explains("build.sh: the handlers were not built; if only the target is missing");
        assert_eq!(std::fs::read(&zip).unwrap(), before, "{shell}");

        // Either program packs, and the same code makes the same zip.
        ejected.stands_in("cargo", MAKES);
        let mut zips = Vec::new();
        for packer in ["python3", "zip"] {
            ejected.installs_again(packer);
            for _ in 0..2 {
                ejected.run(shell, "build.sh", &[]).exits(0);
                zips.push(std::fs::read(&zip).unwrap());
            }
            assert_eq!(members(&zip), "bootstrap 755 code\n\n");
            assert!(zips.pop() == zips.pop(), "{shell} {packer}");
        }
        let calls = ejected.calls();
        assert!(
            calls[0].contains("--target x86_64-unknown-linux-gnu"),
            "{calls:?}"
        );
        let other = [("TARGET", "aarch64-unknown-linux-gnu")];
        ejected.run(shell, "build.sh", &other).exits(0);
        assert!(ejected.calls()[0].contains("--target aarch64-unknown-linux-gnu"));
    }
}

impl Ejected {
    fn installs_again(&self, tool: &str) {
        for other in ["zip", "python3"] {
            let _none = std::fs::remove_file(self.tools.path().join(other));
        }
        self.installs(tool);
    }
}

/// Python itself.
fn python() -> PathBuf {
    peer("CHATCTL_CFN_LINT").with_file_name("python")
}

/// Names, modes and texts in an archive, as Python reads it.
fn members(zip: &Path) -> String {
    let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nfor i in z.infolist():\n  \
                  print(i.filename, oct(i.external_attr >> 16)[-3:], z.read(i).decode())\n";
    let python = python();
    let mut command = Command::new(python);
    command.args(["-I", "-c", script]).arg(zip);
    finished(command.output().unwrap()).exits(0).stdout
}

/// A cargo that hands the build to the real one, with the profile and the target folder of these tests: what is optimised
/// takes minutes.
const QUICK: &str = r#"
[ "$1 $2 $3 $4" = "build --locked --profile lambda" ] || exit 99
shift 4
while [ "$1" != --target ]; do set -- "$@" "$1"; shift; done
to=target/$2/lambda
shift 2
[ "$1 $3 $4" = "--manifest-path --target-dir target" ] || exit 98
manifest=$2
shift 4
"$REAL_CARGO" build --locked --profile dev "$@" --manifest-path "$manifest" --target-dir "$SHARED" || exit
mkdir -p "$to"
cp "$SHARED/debug/chat" "$to/chat"
"#;

#[test]
fn the_build_script_builds_the_ejected_sources_and_a_stack_runs_with_the_result() {
    let ejected = Ejected::new("");
    ejected.stands_in("cargo", QUICK);
    let home = std::env::home_dir().unwrap();
    let of = |name: &str, folder: &str| match std::env::var(name) {
        Ok(given) => given,
        Err(_) => home.join(folder).to_str().unwrap().to_owned(),
    };
    let debug = chatctl();
    let shared = debug.ancestors().nth(2).unwrap().to_str().unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", ejected.tools.path().display());
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let (cargo_home, rustup_home) = (of("CARGO_HOME", ".cargo"), of("RUSTUP_HOME", ".rustup"));
    let flags = ["RUSTFLAGS", "RUSTUP_TOOLCHAIN"]
        .map(|name| (name, std::env::var(name)))
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.ok()?)));
    let flags: Vec<_> = flags.collect();
    let mut variables = vec![
        ("PATH", path.as_str()),
        ("REAL_CARGO", &cargo),
        ("CARGO_HOME", &cargo_home),
        ("RUSTUP_HOME", &rustup_home),
        ("SHARED", shared),
    ];
    variables.extend(flags.iter().map(|(name, value)| (*name, value.as_str())));
    let zip = ejected.folder().join("code/CodeKey.zip");
    let before = std::fs::read(&zip).unwrap();
    // A mistake in the sources ends it, and shows that they are what is built.
    let main = ejected.folder().join("handlers/lambdas/src/main.rs");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, format!("{text}\nfn mistake() -> Nothing {{}}\n")).unwrap();
    let failed = ejected.run("dash", "build.sh", &variables).exits(1);
    failed.explains("`Nothing`");
    failed.explains("build.sh: the handlers were not built");
    assert!(std::fs::read(&zip).unwrap() == before);
    std::fs::write(&main, text).unwrap();
    ejected.run("dash", "build.sh", &variables).exits(0);
    assert!(std::fs::read(&zip).unwrap() != before);
    let built = ejected.folder().join("target/zip/bootstrap");
    let words = ["deploy", "--local", "--handlers", built.to_str().unwrap()];
    ejected.project.run(&words).exits(0);
}

/// An `aws` that refuses call number `FAIL_AT`.
const AWS: &str = r#"
echo "$*" >>"$LOG"
if [ "$(wc -l <"$LOG")" -eq "$FAIL_AT" ]; then
    echo "An error occurred (AccessDenied): call $FAIL_AT" >&2
    exit 254
fi
case "$*" in *get-caller-identity*) echo 123456789012 ;; esac
"#;

#[test]
fn the_deploy_script_stops_at_the_first_failure_whichever_call_it_is() {
    let ejected = Ejected::new(&COMPANY.replace("bucket = \"our-code\"\n", ""));
    for shell in SHELLS {
        let _none = std::fs::remove_file(ejected.tools.path().join("aws"));
        let failed = ejected.run(shell, "deploy.sh", &[]).exits(1);
        failed.explains("deploy.sh: the AWS CLI is missing");
        ejected.stands_in("aws", AWS);
        ejected
            .run(shell, "deploy.sh", &[("FAIL_AT", "0")])
            .exits(0);
        let all = ejected.calls();
        let verbs: Vec<_> = all
            .iter()
            .map(|call| call.split(' ').nth(3).unwrap())
            .collect();
        let expected = [
            "describe-stacks",
            "get-caller-identity",
            "head-bucket",
            "put-object",
            "put-object",
            "deploy",
            "describe-stacks",
        ];
        assert_eq!(verbs, expected, "{shell}");
        assert!(all[3].contains(" --key ") && all[3].contains(".zip --body code/CodeKey.zip"));
        assert!(all[5].contains("cost center=chat team: 1"), "{}", all[5]);
        assert!(!all[5].contains("CertificateArn"), "{}", all[5]);
        for at in 1..=all.len() {
            let number = at.to_string();
            let failed = ejected.run(shell, "deploy.sh", &[("FAIL_AT", &number)]);
            let calls = ejected.calls();
            match verbs[at - 1] {
                // The bucket is not there yet.
                "head-bucket" => {
                    assert_eq!(failed.code, 0, "{shell}: {}", failed.stderr);
                    assert_eq!(
                        calls[at],
                        "--region eu-west-1 s3 mb s3://chat-code-123456789012-eu-west-1"
                    );
                }
                _ => {
                    assert_ne!(failed.code, 0, "{shell} {at}");
                    failed.explains("AccessDenied");
                    assert_eq!(calls.len(), at, "{shell}: {calls:?}");
                }
            }
        }
        // With a certificate, no stack need be there.
        let named = [
            ("FAIL_AT", "0"),
            ("CERTIFICATE_ARN", "arn:c"),
            ("HOSTED_ZONE_ID", "Z 1"),
        ];
        ejected.run(shell, "deploy.sh", &named).exits(0);
        let calls = ejected.calls();
        assert_eq!(calls.len(), all.len() - 1);
        assert!(
            calls[4].contains("CertificateArn=arn:c HostedZoneId=Z 1"),
            "{}",
            calls[4]
        );
        let zip = ejected.folder().join("code/CodeKeyRoll.zip");
        let away = ejected.tools.path().join("away.zip");
        std::fs::rename(&zip, &away).unwrap();
        let failed = ejected.run(shell, "deploy.sh", &named).exits(1);
        failed.explains("deploy.sh: code/CodeKeyRoll.zip is missing");
        assert!(!ejected.calls().iter().any(|call| call.contains(" deploy ")));
        std::fs::rename(&away, &zip).unwrap();
    }
}
