//! `chatctl keys`

use std::io::Read;
use std::path::PathBuf;

use serde_json::json;

use super::{Context, Run, StackArgs};
use crate::error::CommandError;
use crate::terminal::{Output, Terminal};
use chat_protocol::Mode;
use chatctl_deploy::config::Settings;
use chatctl_deploy::engine::{ErrorKind, TargetError, reading};
use chatctl_deploy::keys::{
    Added, KeyState, PrivateKeyFolder, PrivateKeyLocation, PublicKey, PublicKeyFile, new_key,
    public_keys, states,
};

/// Make, list, add and retire the keys that a stack accepts tokens by
///
/// The public keys lie in chatctl.keys.json beside the config, which belongs into version control; a deployment takes
/// them to the stack. The private part of a key stays in a file that only you can read, in ~/.config/chatctl/keys.
#[derive(Debug, clap::Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    New(NewArgs),
    List(ListArgs),
    Add(AddArgs),
    Retire(RetireArgs),
}

/// Make a key pair (Ed25519): the public part for the stack, the private part for you alone
///
/// With a second key, rotate without a gap: deploy, so that the stack accepts both; retire the old one, from when on the
/// new one signs; deploy again once the old one's tokens have expired.
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
struct NewArgs {
    #[command(flatten)]
    stack: StackArgs,
}

/// List the keys: id, algorithm, where the private part is, which one signs
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
struct ListArgs {
    #[command(flatten)]
    stack: StackArgs,
}

/// Add the public key of a backend that makes tokens of its own: JWK, JWK Set or PEM
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
struct AddArgs {
    /// The file with the public key; `-` reads stdin
    file: PathBuf,
    /// The key's id, which tokens name in `kid` [default: that of the JWK, else its thumbprint]
    #[arg(long, value_name = "KID", allow_hyphen_values = true)]
    id: Option<String>,
    #[command(flatten)]
    stack: StackArgs,
}

/// Remove a key, so that its tokens are refused from the next deployment on
#[derive(Debug, clap::Args)]
#[command(after_help = crate::commands::waits::AT_ONCE)]
struct RetireArgs {
    /// The key's id, or the beginning of it that no other key has
    #[arg(allow_hyphen_values = true)]
    kid: String,
    /// Delete its private part, too
    #[arg(long)]
    delete_private: bool,
    #[command(flatten)]
    stack: StackArgs,
}

impl Run for KeysArgs {
    const ENDS_ANYWHERE: bool = true;

    async fn run(self, context: &Context) -> Result<(), CommandError> {
        let terminal = context.terminal;
        match self.verb {
            Verb::New(args) => new(terminal, &args.stack.settings(None, None)?),
            Verb::List(args) => list(terminal, &args.stack.settings(None, None)?),
            Verb::Add(args) => {
                let settings = args.stack.settings(None, None)?;
                add(terminal, &settings, &args).await
            }
            Verb::Retire(args) => {
                let settings = args.stack.settings(None, None)?;
                retire(terminal, &settings, &args)
            }
        }
    }
}

fn new(terminal: Terminal, settings: &Settings) -> Result<(), CommandError> {
    let mut file = PublicKeyFile::load_to_change(&settings.folder)?;
    let folder = PrivateKeyFolder::make_for_user()?;
    let made = new_key(&mut file, &folder)?;
    let id = made.public.id();
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result", "kid": id, "alg": made.public.algorithm().name(),
            "publicKeys": file.path(), "privateKey": made.private,
        }));
        return Ok(());
    }
    terminal.result(id);
    terminal.say(&format!(
        "The public part is in {}; commit it.\nThe private part is in {}; only you can read it. Keep it so: \
         it makes tokens for any name.",
        file.path().display(),
        made.private.display()
    ));
    if file.keys().len() > 1 {
        terminal.hint(
            "An older key goes on signing until it is retired: deploy first, then `chatctl keys retire KID`",
        );
    }
    effective(terminal, settings, "accepts its tokens");
    Ok(())
}

/// Says when a change of the keys begins to count.
fn effective(terminal: Terminal, settings: &Settings, what: &str) {
    match settings.auth.mode() {
        Mode::Token => terminal.hint(&format!(
            "The stack {what} from its next deployment on: `chatctl deploy`"
        )),
        Mode::Claimed | Mode::Jwt | Mode::Handler => terminal.hint(
            "The stack does not ask for tokens of these keys: set `mode = \"token\"` under `[auth]` in chatctl.toml",
        ),
    }
}

fn list(terminal: Terminal, settings: &Settings) -> Result<(), CommandError> {
    let file = PublicKeyFile::load(&settings.folder)?;
    let states = states(&file)?;
    if terminal.output == Output::Json {
        let rows: Vec<_> = states
            .iter()
            .map(|state| {
                json!({
                    "kid": state.public.id(),
                    "alg": state.public.algorithm().name(),
                    "thumbprint": state.public.thumbprint(),
                    "privateKey": state.private.as_ref().map(place),
                    "signs": state.signs,
                })
            })
            .collect();
        terminal.result_json(&json!({"type": "result", "file": file.path(), "keys": rows}));
        return Ok(());
    }
    for state in &states {
        terminal.result_line(&line(state));
    }
    if states.is_empty() {
        terminal.say(&format!("there is no key in {}", file.path().display()));
        terminal.hint("`chatctl keys new` makes one, `chatctl keys add FILE` adds a backend's");
    } else if !states.iter().any(|state| state.signs) {
        terminal.hint(
            "No private part is here, so `chatctl token` cannot make tokens: `chatctl keys new` makes a key of your own",
        );
    }
    Ok(())
}

fn place(place: &PrivateKeyLocation) -> String {
    match place {
        PrivateKeyLocation::File(path) => path.display().to_string(),
        PrivateKeyLocation::Environment => format!("${}", chatctl_deploy::keys::VARIABLE),
    }
}

fn line(state: &KeyState<'_>) -> String {
    let private = match &state.private {
        Some(here) => format!("private part: {}", place(here)),
        None => "no private part here".to_owned(),
    };
    let signs = if state.signs { ", signs" } else { "" };
    let (id, algorithm) = (state.public.id(), state.public.algorithm().name());
    format!("{id}  {algorithm}  {private}{signs}")
}

async fn add(terminal: Terminal, settings: &Settings, args: &AddArgs) -> Result<(), CommandError> {
    let (text, source) = given(args).await?;
    let keys = public_keys(&text, &source, args.id.as_deref())?;
    let mut file = PublicKeyFile::load_to_change(&settings.folder)?;
    let outcome = file.add_all(&keys)?;
    if terminal.output == Output::Json {
        let rows: Vec<_> = keys.iter().zip(&outcome).map(added_json).collect();
        terminal.result_json(&json!({"type": "result", "publicKeys": file.path(), "keys": rows}));
        return Ok(());
    }
    for (key, added) in keys.iter().zip(&outcome) {
        terminal.result(key.id());
        terminal.say(&match added {
            Added::New => format!(
                "Added to {}. Tokens are signed by {} and name the key in `kid`, the stack `{}` in `aud`, the person in `sub`.",
                file.path().display(),
                key.algorithm().name(),
                settings.stack
            ),
            Added::AlreadyThere => "It is there already.".to_owned(),
        });
    }
    effective(terminal, settings, "accepts its tokens");
    Ok(())
}

fn added_json((key, added): (&PublicKey, &Added)) -> serde_json::Value {
    json!({"kid": key.id(), "alg": key.algorithm().name(), "added": *added == Added::New})
}

/// More than any set of keys has.
const MAX_GIVEN: u64 = 1 << 20;

/// What was handed over, and what errors call it.
async fn given(args: &AddArgs) -> Result<(String, String), CommandError> {
    let failed = |source: std::io::Error, name: &str| TargetError {
        source: Some(Box::new(source)),
        ..TargetError::new(
            ErrorKind::Usage,
            format!("could not read the key in {name}"),
        )
        .with_hint("give a file with a public key, as JWK or PEM")
    };
    let name = args.file.display().to_string();
    if name != "-" {
        let bytes = reading::read(&args.file, MAX_GIVEN)
            .await
            .map_err(|error| failed(error, &name))?;
        return Ok((String::from_utf8_lossy(&bytes).into_owned(), name));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(MAX_GIVEN).read_to_end(&mut bytes);
    read.map_err(|error| failed(error, "stdin"))?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), "stdin".into()))
}

fn retire(terminal: Terminal, settings: &Settings, args: &RetireArgs) -> Result<(), CommandError> {
    let mut file = PublicKeyFile::load_to_change(&settings.folder)?;
    let key = file.find(&args.kid)?.clone();
    // A folder that cannot be used is refused before anything is changed.
    let folder = PrivateKeyFolder::for_user();
    let folder = match args.delete_private {
        true => folder?,
        false => folder.ok().flatten(),
    };
    file.retire(key.id())?;
    let private = folder
        .as_ref()
        .and_then(|folder| folder.file(key.id()))
        .filter(|path| path.symlink_metadata().is_ok());
    let deleted = match &folder {
        Some(folder) if args.delete_private => folder.delete(key.id())?,
        _ => false,
    };
    let left = file.keys().len();
    if terminal.output == Output::Json {
        terminal.result_json(&json!({
            "type": "result", "kid": key.id(), "keysLeft": left,
            "privateKey": private.filter(|_| !deleted), "privateKeyDeleted": deleted,
        }));
        return Ok(());
    }
    terminal.result(key.id());
    terminal.say(&format!("Removed from {}.", file.path().display()));
    match private {
        Some(path) if deleted => terminal.say(&format!("Deleted {}.", path.display())),
        Some(path) => terminal.say(&format!("Its private part stays in {}.", path.display())),
        None => {}
    }
    if left == 0 {
        terminal.warn("no key is left: a deployment needs one (`chatctl keys new`)");
    } else {
        effective(terminal, settings, "refuses its tokens");
    }
    Ok(())
}
