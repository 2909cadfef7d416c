//! Keys and tokens as their users meet them: `chatctl keys`, `chatctl token`, and what other libraries make of both.

mod cognito;
mod interop;
mod kept;
mod oidc;
mod pages;
mod requests;
mod rights;
mod stack;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use chat_identity::{Claims, InvalidToken, KeySet, Rules, Verifier};
use serde_json::{Value, json};

use crate::project::{Finished, Project, finished};

pub(crate) const TOKEN_MODE: &str = "[auth]\nmode = \"token\"\n";

/// A user with a project and a folder for private keys.
pub(crate) struct Owner {
    pub(crate) project: Project,
}

impl Owner {
    /// Of a project whose `chatctl.toml` says `config`.
    pub(crate) fn new(config: &str) -> Self {
        let project = Project::new(config);
        Self { project }
    }

    /// The same with a key.
    pub(crate) fn with_key(config: &str) -> Self {
        let owner = Self::new(config);
        owner.done(&["keys", "new"]);
        owner
    }

    pub(crate) fn settings_folder(&self) -> PathBuf {
        self.project.path().join("settings")
    }

    /// `command` as this user runs it.
    pub(crate) fn own(&self, mut command: Command) -> Command {
        for name in ["CHATCTL_PRIVATE_KEY", "CHATCTL_TOKEN"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.settings_folder());
        command
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.own(self.project.command(words))
    }

    pub(crate) fn run(&self, words: &[&str]) -> Finished {
        finished(self.command(words).output().unwrap())
    }

    /// Runs what must succeed; answers its stdout without the last line break.
    #[track_caller]
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert_eq!(done.code, 0, "{words:?}: {}", done.stderr);
        done.stdout.trim_end().to_owned()
    }

    /// Runs what must fail for a reason of the user's, with nothing on stdout; answers what it says.
    #[track_caller]
    fn refused(&self, words: &[&str]) -> String {
        let refused = self.run(words);
        let (code, stdout) = (refused.code, refused.stdout.as_str());
        assert_eq!((code, stdout), (2, ""), "{words:?}: {}", refused.stderr);
        refused.stderr
    }

    fn private_key(&self, id: &str) -> PathBuf {
        let keys = self.settings_folder().join("chatctl/keys");
        keys.join(format!("{id}.json"))
    }

    fn public_keys(&self) -> Vec<u8> {
        std::fs::read(self.project.path().join("chatctl.keys.json")).unwrap()
    }

    /// What a stack named `stack` with this project's keys makes of `token`.
    fn verified(&self, token: &str, stack: &str) -> Result<Claims, InvalidToken> {
        let keys = KeySet::from_json(&self.public_keys()).unwrap();
        let rules = Rules {
            audience: vec![stack.to_owned()],
            ..Rules::default()
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Verifier::new(keys, rules).verify(token, now.as_secs())
    }
}

#[test]
fn a_key_is_made_once_and_its_tokens_say_what_was_asked_for() {
    let owner = Owner::new(TOKEN_MODE);
    let id = owner.done(&["keys", "new"]);
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    let file = owner.private_key(&id);
    assert_eq!(mode(file.clone()), 0o600);
    assert_eq!(mode(file.parent().unwrap().to_owned()), 0o700);
    let token = owner.done(&[
        "token",
        "--as",
        "Tom",
        "--to",
        "Jerry",
        "--room",
        "tea",
        "--expires",
        "90s",
        "--can",
        "send,moderate",
    ]);
    let claims = owner.verified(&token, "chat").unwrap();
    assert_eq!(claims.name, "Tom");
    assert_eq!(claims.to.as_deref().unwrap(), ["Jerry"]);
    assert_eq!(claims.rooms.as_deref().unwrap(), ["tea"]);
    assert_eq!(claims.can.as_deref().unwrap(), ["send", "moderate"]);
    assert_eq!(claims.all["iss"], "chatctl");
    let issued = claims.all["iat"].as_u64().unwrap();
    assert_eq!(claims.expires_at, issued + 90);
    let plain = owner.done(&["token", "--as", "Ann Lee"]);
    let claims = owner.verified(&plain, "chat").unwrap();
    assert_eq!((claims.to, claims.rooms, claims.can), (None, None, None));
    let other = owner.done(&["token", "--as", "Tom", "--stack", "other"]);
    assert!(owner.verified(&other, "other").is_ok());
    assert_eq!(owner.verified(&other, "chat"), Err(InvalidToken::Audience));
    let reported = owner.done(&["token", "--as", "Tom", "--output", "json"]);
    let reported: Value = serde_json::from_str(&reported).unwrap();
    assert_eq!(reported["kid"], id.as_str());
    owner
        .verified(reported["token"].as_str().unwrap(), "chat")
        .unwrap();
}

#[test]
fn what_cannot_be_a_token_is_refused_with_the_remedy() {
    let owner = Owner::new(TOKEN_MODE);
    let reported = owner.refused(&["token", "--as", "Tom"]);
    assert!(reported.contains("`chatctl keys new`"), "{reported}");
    owner.done(&["keys", "new"]);
    for words in [
        &["--as", "Tom", "--expires", "31d"][..],
        &["--as", "Tom", "--expires", "100y"],
        &["--as", "Tom", "--expires", "0"],
        &["--as", "Tom", "--expires", "0s"],
        &["--as", "Tom", "--expires", "-1h"],
        &["--as", ""],
        &["--as", "Tom", "--to", "Jerry/.."],
        &["--as", "Tom", "--room", " "],
        &["--as", "Tom", "--expires", "12"],
        &["--as", "Tom\n"],
        &["--as", "Tom", "--can", "se d"],
        &[],
    ] {
        let refused = owner.run(&[&["token"], words].concat());
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (2, ""),
            "{words:?}"
        );
    }
    owner.project.configure("");
    let reported = owner.refused(&["token", "--as", "Tom"]);
    assert!(reported.contains("names are claims"), "{reported}");
    assert!(reported.contains("mode = \"token\""), "{reported}");
    owner.project.configure(
        "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = [\"chat\"]\n",
    );
    let reported = owner.refused(&["token", "--as", "Tom"]);
    assert!(reported.contains("https://issuer.example"), "{reported}");
}

#[test]
fn a_rotation_leaves_no_moment_in_which_tokens_are_refused() {
    let owner = Owner::with_key(TOKEN_MODE);
    let listed = || -> Vec<Value> {
        let reported = owner.done(&["keys", "list", "--output", "json"]);
        let reported: Value = serde_json::from_str(&reported).unwrap();
        reported["keys"].as_array().unwrap().clone()
    };
    let old = listed()[0]["kid"].as_str().unwrap().to_owned();
    let new = owner.done(&["keys", "new"]);
    let signs: Vec<_> = listed().iter().map(|key| key["signs"].clone()).collect();
    assert_eq!(
        signs,
        [json!(true), json!(false)],
        "the stack does not know the new one yet"
    );
    let token = owner.done(&["token", "--as", "Tom"]);
    let reported = owner.run(&["keys", "retire", &old[..6]]);
    assert_eq!(reported.stdout.trim_end(), old);
    reported.explains("stays in");
    reported.explains("chatctl deploy");
    assert!(owner.private_key(&old).exists());
    assert_eq!(listed()[0]["signs"], true);
    assert_eq!(listed()[0]["kid"], new.as_str());
    assert!(matches!(
        owner.verified(&token, "chat"),
        Err(InvalidToken::UnknownKey(_))
    ));
    owner.done(&["keys", "retire", &new, "--delete-private"]);
    assert!(!owner.private_key(&new).exists());
    let reported = owner.refused(&["keys", "retire", &new]);
    assert!(reported.contains("no key with the id"), "{reported}");
}

#[test]
fn the_private_key_is_in_nothing_that_is_printed_rendered_or_committed() {
    let owner = Owner::with_key(TOKEN_MODE);
    let id = owner.done(&["keys", "list", "--output", "json"]);
    let id: Value = serde_json::from_str(&id).unwrap();
    let id = id["keys"][0]["kid"].as_str().unwrap().to_owned();
    let secret = std::fs::read_to_string(owner.private_key(&id)).unwrap();
    let jwk: Value = serde_json::from_str(&secret).unwrap();
    let seed = jwk["d"].as_str().unwrap();
    let mut said = String::new();
    for words in [
        &["keys", "list"][..],
        &["token", "--as", "Tom"],
        &["token", "--as", "Tom", "--output", "json"],
        &["render"],
        &["render", "--format", "json"],
        &["keys", "new", "--output", "json"],
        &["keys", "add", owner.private_key(&id).to_str().unwrap()],
        &["keys", "retire", &id, "--output", "json"],
    ] {
        let run = owner.run(words);
        said += &(run.stdout + &run.stderr);
    }
    said += &String::from_utf8(owner.public_keys()).unwrap();
    assert!(said.contains(&id) && !said.contains(seed), "{said}");
}

#[test]
fn a_private_file_that_others_could_have_read_is_not_used() {
    let owner = Owner::new(TOKEN_MODE);
    let id = owner.done(&["keys", "new"]);
    let file = owner.private_key(&id);
    let change = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    change(0o644);
    for words in [&["token", "--as", "Tom"][..], &["keys", "list"]] {
        let reported = owner.refused(words);
        assert!(reported.contains("chmod 600"), "{reported}");
    }
    change(0o600);
    owner.done(&["token", "--as", "Tom"]);
    let folder = file.parent().unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let reported = owner.refused(&["keys", "new"]);
    assert!(reported.contains("chmod 700"), "{reported}");
}

#[test]
fn a_machine_without_files_takes_the_private_key_from_its_environment() {
    let owner = Owner::new(TOKEN_MODE);
    let id = owner.done(&["keys", "new"]);
    let secret = std::fs::read_to_string(owner.private_key(&id)).unwrap();
    let with = |secret: &str| {
        let mut command = owner.project.command(&["token", "--as", "Tom"]);
        command
            .env_remove("HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env("CHATCTL_PRIVATE_KEY", secret);
        finished(command.output().unwrap())
    };
    let made = with(&secret);
    assert_eq!(made.code, 0, "{}", made.stderr);
    owner.verified(made.stdout.trim_end(), "chat").unwrap();
    let jwk: Value = serde_json::from_str(&secret).unwrap();
    let seed = jwk["d"].as_str().unwrap();
    let twice = secret.repeat(2);
    let other = secret.replace("Ed25519", "Ed448");
    for wrong in [&secret[..40], seed, " ", "{}", "null", &twice, &other] {
        let refused = with(wrong);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
        refused.explains("CHATCTL_PRIVATE_KEY");
        assert!(!refused.stderr.contains(seed), "{}", refused.stderr);
    }
    // A key that the stack does not have would make tokens that it refuses.
    let stranger = Owner::with_key(TOKEN_MODE);
    let other = stranger.done(&["keys", "new"]);
    let refused = with(&std::fs::read_to_string(stranger.private_key(&other)).unwrap());
    assert_eq!(refused.code, 2);
    refused.explains("has no public part in");
    let nowhere = with("");
    assert_eq!(nowhere.code, 2);
    nowhere.explains("HOME");
}

#[test]
fn a_backend_s_public_key_is_added_and_its_private_one_is_not() {
    let owner = Owner::new(TOKEN_MODE);
    let path = |name: &str| owner.project.path().join(name);
    let openssl = |words: &[&str]| {
        let made = Command::new("openssl")
            .args(words)
            .current_dir(owner.project.path())
            .output()
            .expect("the tests need openssl");
        assert!(made.status.success(), "{made:?}");
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "private.pem"]);
    openssl(&[
        "pkey",
        "-in",
        "private.pem",
        "-pubout",
        "-out",
        "public.pem",
    ]);
    let reported = owner.refused(&["keys", "add", "private.pem"]);
    assert!(
        reported.contains("private key") && reported.contains("-pubout"),
        "{reported}"
    );
    assert!(!path("chatctl.keys.json").exists());
    let id = owner.done(&["keys", "add", "public.pem", "--id", "backend"]);
    assert_eq!(id, "backend");
    let listed = owner.done(&["keys", "list"]);
    assert_eq!(listed, "backend  EdDSA  no private part here");
    assert_eq!(
        owner.done(&["keys", "add", "public.pem", "--id", "backend"]),
        "backend"
    );
    let reported = owner.refused(&["keys", "add", "missing.pem"]);
    assert!(
        reported.contains("could not read the key in missing.pem"),
        "{reported}"
    );
    let reported = owner.refused(&["keys", "add", "."]);
    assert!(reported.contains("folder"), "{reported}");
    let mut command = owner.command(&["keys", "add", "-"]);
    command.stdin(std::fs::File::open(path("public.pem")).unwrap());
    let again = finished(command.output().unwrap());
    // Without `--id` it would be the same key under another id.
    assert_eq!(again.code, 2);
    again.explains("the same key is there already");
}
