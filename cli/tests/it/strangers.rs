//! What others have written reaches no terminal as anything but text: configs, paths, profiles, templates, file names,
//! AWS's answers, logs, compilers and chats.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Stdio};

use rustix::termios::Winsize;

use crate::project::{Project, finished, handlers};
use crate::pty;

/// It sets the title, rings, clears the screen, hides what follows, does so again by single characters, and turns the
/// direction of writing around.
const EVIL: &str =
    "\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[8;45mx\u{9b}2J\u{90}\u{202e}y\u{200b}z\u{7f}";

/// What is seen of it.
const SEEN: &str = "␛]0;pwned␇␛[2J␛[8;45mx�2J��y�z␡";

/// [`EVIL`] inside a basic string of TOML or a double-quoted one of YAML.
fn quoted() -> String {
    EVIL.chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect()
}

/// What `command` writes to a terminal of 80 columns, until it ends.
fn at_a_terminal(command: Command) -> String {
    at_a_terminal_of(80, command)
}

/// The same with so many columns; a terminal without a set size has 0 of them.
fn at_a_terminal_of(columns: u16, mut command: Command) -> String {
    let (mut master, slave) = pty::open();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&master, size).unwrap();
    let mut child = command
        .stdout(Stdio::from(slave.try_clone().unwrap()))
        .stderr(Stdio::from(slave))
        .spawn()
        .unwrap();
    // It holds the terminal's other end open.
    drop(command);
    let mut bytes = Vec::new();
    // The end of a terminal is an error.
    master.read_to_end(&mut bytes).ok();
    child.wait().unwrap();
    String::from_utf8(bytes).expect("nothing but UTF-8 is printed")
}

/// Runs the command twice, without and with colours and bars, and makes sure that nothing of [`EVIL`] came through and
/// that `seen` did; answers what the first run printed.
#[track_caller]
fn check(command: impl Fn() -> Command, seen: &str) -> String {
    let mut plain = command();
    plain.env("NO_COLOR", "1").env("TERM", "dumb");
    let plain = at_a_terminal(plain);
    let text = plain.replace("\r\n", "\n");
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(seen), "no {seen:?} in {plain:?}");
    let harmful = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{200b}".contains(c);
    assert!(!text.contains(harmful), "{plain:?}");
    let mut coloured = command();
    coloured
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color");
    let coloured = at_a_terminal(coloured);
    for raw in [
        "\u{1b}]",
        "\u{7}",
        "\u{1b}[2J",
        "\u{1b}[8;45m",
        "\u{9b}",
        "\u{90}",
        "\u{202e}",
        "\u{7f}",
    ] {
        assert!(!coloured.contains(raw), "{raw:?} in {coloured:?}");
    }
    plain
}

#[test]
fn a_comment_in_the_config() {
    let project = Project::new(&format!("# {EVIL}\n"));
    check(|| project.command(&["status"]), SEEN);
}

#[test]
fn a_terminal_without_a_size_gets_whole_lines() {
    let project = Project::new("");
    let words = ["status", "--config", "no.toml"];
    for columns in [0, 1] {
        let reported = at_a_terminal_of(columns, project.command(&words));
        assert!(reported.contains("there is no no.toml"), "{reported}");
    }
}

#[test]
fn a_path_of_handlers_and_of_a_handler() {
    let project = Project::new(&format!("[handlers]\npath = \"{}\"\n", quoted()));
    check(|| project.command(&["deploy", "--local"]), SEEN);
    let path = format!("no/{EVIL}");
    let words = ["deploy", "--local", "--handlers", &path];
    check(|| project.command(&words), SEEN);
    project.configure(&format!(
        "[[routes]]\nkey = \"$default\"\n[[routes]]\nkey = \"roll\"\nhandler = \"{}\"\n",
        quoted()
    ));
    let path = handlers().to_str().unwrap();
    let words = ["deploy", "--local", "--handlers", path];
    check(|| project.command(&words), SEEN);
}

#[test]
fn a_profile_of_cargo() {
    let project = Project::new(&format!(
        "[handlers]\npath = \"lambdas\"\ndev-profile = \"{}\"\n",
        quoted()
    ));
    let source = project.path().join("lambdas/src");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("main.rs"), "fn main() {}\n").unwrap();
    let manifest = "[package]\nname = \"chat-lambdas\"\nedition = \"2024\"\n\
                    [[bin]]\nname = \"chat\"\npath = \"src/main.rs\"\n[workspace]\n";
    std::fs::write(project.path().join("lambdas/Cargo.toml"), manifest).unwrap();
    // Cargo leaves out what it takes for colours.
    let seen = "in profile name: `x�2J��y�z`";
    check(|| project.command(&["dev"]), seen);
}

/// A `cargo` that fails with these words.
fn cargo_that_says(project: &Project, words: &str) -> OsString {
    std::fs::write(project.path().join("words"), words).unwrap();
    let script = format!(
        "echo '{{\"reason\":\"build-finished\"}}'\ncat {}/words >&2\nexit 101",
        project.path().display()
    );
    let path = project.path().join("cargo");
    testing::scripts::write(&path, &script);
    path.into()
}

#[test]
fn a_compiler_may_use_colours_and_nothing_else() {
    let project = Project::new("[handlers]\npath = \"lambdas\"\n");
    std::fs::create_dir(project.path().join("lambdas")).unwrap();
    let manifest = "[package]\nname = \"chat-lambdas\"\n";
    std::fs::write(project.path().join("lambdas/Cargo.toml"), manifest).unwrap();
    let words = format!(
        "\u{1b}[1m\u{1b}[38;5;9mwrong\u{1b}[0m: {}",
        EVIL.replace("\u{1b}[8;45m", "")
    );
    let cargo = cargo_that_says(&project, &words);
    let command = || {
        let mut command = project.command(&["dev"]);
        command.env("CARGO", &cargo);
        command
    };
    check(command, &format!("wrong: {}", SEEN.replace("␛[8;45m", "")));
    let mut coloured = command();
    coloured
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color");
    let coloured = at_a_terminal(coloured);
    assert!(
        coloured.contains("\u{1b}[1m\u{1b}[38;5;9mwrong\u{1b}[0m: ␛]0;"),
        "{coloured:?}"
    );
}

#[test]
fn a_profile_of_aws() {
    let project = Project::new(&format!("[aws]\nprofile = \"{}\"\n", quoted()));
    let command = || {
        let mut command = project.command(&["status"]);
        command.env("HOME", project.path());
        command
    };
    check(command, SEEN);
    // And those that there are.
    std::fs::create_dir(project.path().join(".aws")).unwrap();
    let many: String = (0..5_000).map(|n| format!("[a{n}]\n")).collect();
    let file = project.path().join(".aws/credentials");
    std::fs::write(&file, format!("[0{EVIL}]\n{many}")).unwrap();
    check(command, "line 1 because: it contains a control character");
    std::fs::write(file, format!("[0\u{202e}y\u{200b}]\n{many}")).unwrap();
    let reported = check(command, "choose one of 0�y�, a0, a1,")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(reported.contains("… and 4981 more"), "{reported}");
}

#[test]
fn names_in_a_template_and_the_names_of_files() {
    let project = Project::new("");
    let template = format!(
        "Resources:\n  \"{}\":\n    Type: AWS::IAM::Role\n",
        quoted()
    );
    std::fs::write(project.path().join("t.yaml"), template).unwrap();
    check(|| project.command(&["dev", "--template", "t.yaml"]), SEEN);
    let missing = format!("{EVIL}.yaml");
    check(|| project.command(&["dev", "--template", &missing]), SEEN);
    check(|| project.command(&["status", "--config", &missing]), SEEN);
    // A name that is no UTF-8.
    let name = OsString::from_vec(b"a\x9b2J\x1bc".to_vec());
    let command = || {
        let mut command = project.command(&["status", "--config"]);
        command.arg(&name);
        command
    };
    check(command, "a�2J␛c");
}

#[test]
fn arguments_that_make_no_sense() {
    let project = Project::new("");
    check(|| project.command(&["status", "--stack", EVIL]), "0;pwned");
    check(|| project.command(&["status", EVIL]), SEEN);
    check(|| project.command(&[&format!("--{EVIL}")]), SEEN);
    check(|| project.command(&["chat", "--wait", EVIL]), SEEN);
    let long = "é".repeat(50_000);
    let reported = check(|| project.command(&["status", &long]), "more characters)");
    assert!(reported.len() < 5_000);
    let command = || {
        let mut command = project.command(&["status"]);
        command.env("CHATCTL_STACK", EVIL);
        command
    };
    check(command, "0;pwned");
}

#[test]
fn the_folder_that_it_runs_in() {
    let project = Project::new("");
    let folder = project.path().join(EVIL);
    std::fs::create_dir(&folder).unwrap();
    let command = || {
        let mut command = project.command(&["status", "--config"]);
        command
            .arg(folder.join("chatctl.toml"))
            .current_dir(&folder);
        command
    };
    check(command, SEEN);
}

#[test]
fn an_answer_of_aws() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _gone = stream.and_then(refuse);
        }
    });
    let project = Project::new("");
    let command = |words: &[&str]| {
        let mut command = project.command(words);
        command
            .env("AWS_ENDPOINT_URL", &address)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-west-1")
            .env("HOME", project.path());
        command
    };
    check(|| command(&["outputs"]), "AWS: �2J��y�z");
    // A script gets the very text, and still nothing that a terminal obeys.
    let json = finished(command(&["outputs", "--output", "json"]).output().unwrap()).stdout;
    assert!(!json.trim_end().contains(char::is_control), "{json:?}");
    assert!(json.contains(r"AWS: \u009b2J"), "{json}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["message"].as_str().unwrap().contains("AWS: \u{9b}2J"));
}

/// Answers a request as CloudFormation does, with a message that XML can carry.
fn refuse(mut stream: std::net::TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                <Message>AWS: \u{9b}2J\u{90}\u{202e}y\u{200b}z</Message></Error></ErrorResponse>";
    write!(
        stream,
        "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn a_log() {
    let project = Project::new("");
    let logs = project.state().join("logs");
    std::fs::create_dir_all(&logs).unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    let line = format!("{} s function {EVIL}\n", now.as_millis());
    std::fs::write(logs.join(format!("F{EVIL}.log")), line).unwrap();
    check(
        || project.command(&["logs", "--local"]),
        &format!(" {SEEN}"),
    );
    let unknown = ["logs", "--local", "--function", "x"];
    check(|| project.command(&unknown), &format!("`F{SEEN}`"));
    let json = project.run(&["logs", "--local", "--output", "json"]);
    assert!(
        !json.stdout.trim_end().contains(char::is_control),
        "{:?}",
        json.stdout
    );
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["message"], EVIL);
}

#[test]
fn a_text_of_a_chat_where_only_the_output_is_a_terminal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut socket = tokio_tungstenite::tungstenite::accept(stream.unwrap()).unwrap();
            socket.send(EVIL.into()).unwrap();
            // Until it leaves.
            while socket.read().is_ok() {}
        }
    });
    let project = Project::new("");
    let words = ["chat", "--url", &url, "--wait", "0.5"];
    check(|| project.command(&words), SEEN);
    // In a pipe the text is what it is.
    assert_eq!(project.run(&words).stdout, format!("{EVIL}\n"));
}

#[test]
fn a_rendering_is_exact_in_a_pipe_and_printable_on_a_terminal() {
    let url = "https://example.com/\u{9b}2J\u{202e}";
    let config = format!("[[routes]]\nkey = \"$default\"\nhttp = \"{url}\"\n");
    let project = Project::new(&config);
    for format in ["yaml", "json"] {
        let words = ["render", "--format", format];
        let seen = match format {
            "yaml" => r"https://example.com/\x9B2J�",
            _ => r"https://example.com/\u009b2J\u202e",
        };
        check(|| project.command(&words), seen);
        let piped = project.run(&words).stdout;
        let template: serde_json::Value = match format {
            "yaml" => serde_saphyr::from_str(&piped).unwrap(),
            _ => serde_json::from_str(&piped).unwrap(),
        };
        let integration = &template["Resources"]["DefaultHttpIntegration"];
        assert_eq!(integration["Properties"]["IntegrationUri"], url);
    }
}

#[test]
fn a_template_with_90000_wrong_keys_is_refused_in_a_screenful() {
    let project = Project::new("");
    let mut file = File::create(project.path().join("t.yaml")).unwrap();
    writeln!(file, "Resources:").unwrap();
    for n in 0..400 {
        writeln!(file, "  R{n}:\n    Type: AWS::IAM::Role\n    Properties:").unwrap();
        for key in 0..20 {
            writeln!(file, "      Wrong{key}: x").unwrap();
        }
    }
    let reported = project.run(&["dev", "--template", "t.yaml"]);
    assert_eq!(reported.code, 2, "{}", reported.stderr);
    reported.explains(" more");
    assert!(
        reported.stderr.lines().count() < 30 && reported.stderr.len() < 5_000,
        "{}",
        reported.stderr
    );
}
