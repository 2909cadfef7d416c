//! What a stack needs that is to be deployed without chatctl: its template, a script for the AWS CLI, and a page about both.

use std::collections::BTreeMap;

use super::Template;
use super::capability::named_by_hand;
use super::quota::MAX_INLINE;
use super::render::parameter;
use crate::config::{Architecture, Settings};

const DEPLOY: &str = include_str!("deploy.sh");
const BUILD: &str = include_str!("build.sh");
const README: &str = include_str!("README.md");

/// The folder of the zips.
pub const CODE: &str = "code";

/// The folder of the handlers' sources.
pub const HANDLERS: &str = "handlers";

/// What is ejected.
#[derive(Debug)]
pub struct Ejected<'a> {
    /// The config.
    pub settings: &'a Settings,
    /// The template as `deploy` sends it.
    pub template: &'a Template,
    /// The Region that it is for; empty if none is set.
    pub region: &'a str,
    /// The processor of each zip, by the template's parameter for its key.
    pub code: BTreeMap<String, Architecture>,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EjectedFile {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub text: String,
    /// Whether it is a program.
    pub is_program: bool,
}

impl Ejected<'_> {
    /// The files beside the code.
    pub fn files(&self) -> Vec<EjectedFile> {
        let template = self.template.to_yaml();
        let file = |name, text, is_program| EjectedFile {
            name,
            text,
            is_program,
        };
        let mut files = vec![
            file("README.md", self.filled(README, &template), false),
            file("deploy.sh", self.filled(DEPLOY, &template), true),
        ];
        if self.code.contains_key(parameter::CODE_KEY) {
            files.push(file("build.sh", self.filled(BUILD, &template), true));
        }
        files.push(file("template.yaml", template, false));
        files
    }

    /// `text` with every `@NAME@` replaced.
    fn filled(&self, text: &str, template: &str) -> String {
        let text = match self.code.is_empty() {
            true => without(text, "CODE"),
            false => text.replace("#CODE ", "").replace("#CODE\n", "\n"),
        };
        let mut text = text;
        for (mark, is_there) in [
            ("OWN", self.code.contains_key(parameter::CODE_KEY)),
            ("NAME", self.asks_for(parameter::CERTIFICATE)),
            ("ZONE", self.asks_for(parameter::HOSTED_ZONE)),
        ] {
            text = match is_there {
                true => text.replace(&format!("#{mark} "), ""),
                false => without(&text, mark),
            };
        }
        let architecture = self
            .code
            .values()
            .next()
            .copied()
            .unwrap_or(Architecture::X86_64);
        text.replace("@STACK@", self.settings.stack.as_ref())
            .replace("@REGION@", self.region)
            .replace("@TARGET@", target(architecture))
            .replace(
                "@WHICH@",
                self.bucket()
                    .map_or("one is made for this stack", |_| "it is the one of `[aws]`"),
            )
            .replace("@BUCKET@", self.bucket().unwrap_or_default())
            .replace("@ENCRYPTED@", &self.encrypted())
            .replace("@PUT@", &self.put())
            .replace("@OPTIONS@", &self.options(architecture, template))
    }

    /// Whether the template has the parameter `name`.
    fn asks_for(&self, name: &str) -> bool {
        !self.template.document()["Parameters"][name].is_null()
    }

    /// The config's bucket.
    fn bucket(&self) -> Option<&str> {
        self.settings.aws.rules.bucket.as_ref().map(AsRef::as_ref)
    }

    /// The options of `aws s3api put-object` for the config's key.
    fn encrypted(&self) -> String {
        let key = self.settings.aws.rules.kms_key.as_ref();
        key.map_or_else(String::new, |key| {
            let key = shell_words::quote(key.as_ref());
            format!(" --server-side-encryption aws:kms --ssekms-key-id {key}")
        })
    }

    /// The lines that put the zips into the bucket. A substitution such as `key=$(put …)` would go on after a failure in
    /// bash.
    fn put(&self) -> String {
        let code = self.code.keys().enumerate();
        let lines = code.map(|(at, name)| format!("put {name}\nkey{at}=$key"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The options of `aws cloudformation deploy`, a line each.
    fn options(&self, architecture: Architecture, template: &str) -> String {
        let rules = &self.settings.aws.rules;
        let quoted = |text: &str| shell_words::quote(text).into_owned();
        let capability = match named_by_hand(self.template).is_empty() {
            true => "CAPABILITY_IAM",
            false => "CAPABILITY_NAMED_IAM",
        };
        let mut lines = vec![format!("--capabilities {capability}")];
        let mut values = vec![format!("StageName={}", self.settings.stage)];
        if !self.code.is_empty() {
            values.push("\"CodeBucket=$bucket\"".to_owned());
            values.push(format!("Architecture={}", architecture.word()));
            let keys = self.code.keys().enumerate();
            values.extend(keys.map(|(at, name)| format!("\"{name}=$key{at}\"")));
            if template.len() > MAX_INLINE {
                let key = rules
                    .kms_key
                    .as_ref()
                    .map(AsRef::as_ref)
                    .map(|key| format!(" --kms-key-id {}", quoted(key)));
                let bucket = "--s3-bucket \"$bucket\" --s3-prefix templates";
                lines.push(format!("{bucket}{}", key.unwrap_or_default()));
            }
        }
        for (parameter, variable) in [
            (parameter::CERTIFICATE, "CERTIFICATE_ARN"),
            (parameter::HOSTED_ZONE, "HOSTED_ZONE_ID"),
        ] {
            if self.asks_for(parameter) {
                values.push(format!("${{{variable}:+\"{parameter}=${variable}\"}}"));
            }
        }
        lines.push(format!("--parameter-overrides {}", values.join(" ")));
        if let Some(role) = &rules.role_arn {
            lines.push(format!("--role-arn {}", quoted(role.as_ref())));
        }
        if !rules.tags.is_empty() {
            let tags = rules.tags.iter();
            let tags: Vec<_> = tags
                .map(|(key, value)| quoted(&format!("{key}={value}")))
                .collect();
            lines.push(format!("--tags {}", tags.join(" ")));
        }
        if !rules.notification_arns.is_empty() {
            let topics = rules.notification_arns.iter();
            let topics: Vec<_> = topics.map(|topic| quoted(topic.as_ref())).collect();
            lines.push(format!("--notification-arns {}", topics.join(" ")));
        }
        lines.join(" \\\n    ")
    }
}

/// `text` without the lines that begin with `#WORD`.
fn without(text: &str, word: &str) -> String {
    let mark = format!("#{word}");
    let kept = text.lines().filter(|line| !line.starts_with(&mark));
    kept.map(|line| format!("{line}\n")).collect()
}

/// Rust's name of the processor, with Linux.
fn target(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;
    use crate::stack::render::render_for_aws;
    use expect_test::expect;

    fn files(toml: &str, code: &[&str]) -> Vec<EjectedFile> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("chatctl.toml"), toml).unwrap();
        let settings = Settings::load(folder.path(), Overrides::default()).unwrap();
        let code = code.iter();
        Ejected {
            template: &render_for_aws(&settings),
            settings: &settings,
            region: "eu-west-1",
            code: code
                .map(|name| ((*name).to_owned(), Architecture::Arm64))
                .collect(),
        }
        .files()
    }

    fn text<'a>(files: &'a [EjectedFile], name: &str) -> &'a str {
        &files.iter().find(|file| file.name == name).unwrap().text
    }

    #[test]
    fn the_script_has_the_stack_its_code_and_the_rules_of_the_account() {
        let rules =
            "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/x\"\ntags = { team = \"a b\" }\n";
        let files = files(rules, &["CodeKey", "CodeKeyRoll"]);
        let script = text(&files, "deploy.sh");
        let (_, end) = script.split_once("key0=").unwrap();
        expect![[r#"
            $key
            put CodeKeyRoll
            key1=$key

            aws --region "$region" cloudformation deploy --stack-name "$stack" --template-file template.yaml \
                --no-fail-on-empty-changeset \
                --capabilities CAPABILITY_IAM \
                --parameter-overrides StageName=v1 "CodeBucket=$bucket" Architecture=arm64 "CodeKey=$key0" "CodeKeyRoll=$key1" \
                --role-arn arn:aws:iam::123456789012:role/x \
                --tags 'team=a b' \
                "$@"
            aws --region "$region" cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs' --output table
        "#]]
        .assert_eq(end);
        for EjectedFile { name, text, .. } in &files {
            for left in [
                "@PUT",
                "@OPTIONS",
                "@STACK",
                "@REGION",
                "@TARGET",
                "@BUCKET",
                "@WHICH",
                "@ENCRYPTED",
                "#CODE",
                "#OWN",
                "#NAME",
                "#ZONE",
            ] {
                assert!(!text.contains(left), "{name} has {left}");
            }
        }
        assert!(text(&files, "README.md").lines().count() <= 30);
    }

    #[test]
    fn what_only_a_deployment_has_is_asked_for_and_the_account_s_bucket_and_key_are_used() {
        let toml = "[aws]\nbucket = \"our-code\"\nkms-key = \"arn:aws:kms:eu-west-1:123456789012:key/x\"\n\
                    [domain]\nname = \"chat.example.com\"\n";
        let files = files(toml, &["CodeKey"]);
        let script = text(&files, "deploy.sh");
        for part in [
            "CERTIFICATE_ARN is the certificate",
            "if [ -z \"${CERTIFICATE_ARN:-}\" ]",
            " ${CERTIFICATE_ARN:+\"CertificateArn=$CERTIFICATE_ARN\"} ${HOSTED_ZONE_ID:+\"HostedZoneId=$HOSTED_ZONE_ID\"} \\\n",
            "bucket=${CODE_BUCKET:-our-code}\n",
            "Without it, it is the one of `[aws]`.\n",
            "\"$account\" --server-side-encryption aws:kms --ssekms-key-id arn:aws:kms:eu-west-1:123456789012:key/x >/dev/null",
        ] {
            assert!(script.contains(part), "no {part} in {script}");
        }
        assert!(
            !self::files("", &["CodeKey"])[1]
                .text
                .contains("CERTIFICATE")
        );
    }

    #[test]
    fn a_stack_without_functions_has_no_bucket_and_nothing_to_build() {
        let http = "http = \"https://b.example\"\n";
        let routes = ["$connect", "$disconnect", "$default"];
        let toml = routes
            .map(|key| format!("[[routes]]\nkey = \"{key}\"\n{http}"))
            .concat();
        let files = files(&toml, &[]);
        let script = text(&files, "deploy.sh");
        assert!(
            !script.contains("bucket") && !script.contains("s3"),
            "{script}"
        );
        assert!(!files.iter().any(|file| file.name == "build.sh"));
        assert!(!text(&files, "README.md").contains("build.sh"));
    }
}
