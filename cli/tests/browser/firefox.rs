//! Firefox without a screen, steered by WebDriver BiDi, for which it needs no driver.

use std::process::{Command, Stdio};

use testing::running::{Running, lines};

use crate::bidi::{Connection, Context, Session};
use crate::project::{TIMEOUT, peer};
use crate::window::Window;

/// What is not to happen during tests; what remote control recommends, Firefox sets itself.
const PREFERENCES: &str = r#"
user_pref("remote.active-protocols", 1);
user_pref("app.normandy.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.startup.page", 0);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
"#;

/// A browser with a profile of its own.
pub(crate) struct Firefox {
    _process: Running,
    session: Session,
    _profile: tempfile::TempDir,
}

impl Firefox {
    pub(crate) fn start() -> Self {
        let program = peer("CHATCTL_FIREFOX");
        let profile = tempfile::tempdir().unwrap();
        std::fs::write(profile.path().join("user.js"), PREFERENCES).unwrap();
        let mut command = Command::new(&program);
        command
            .args(["--headless", "--no-remote", "--remote-debugging-port=0"])
            .arg("--profile")
            .arg(profile.path())
            .env("HOME", profile.path())
            .env("XDG_CACHE_HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // The package that the tests install lies in a folder of its own, as if that were the root.
        if let Some(root) = program.ancestors().nth(4)
            && root.join("pins.sha256").exists()
        {
            let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
            let libraries = libraries.map(|folder| root.join(folder));
            let fonts = profile.path().join("fonts.conf");
            let folder = root.join("usr/share/fonts");
            let text = format!(
                "<fontconfig><dir>{}</dir><dir>/usr/share/fonts</dir><cachedir>{}</cachedir></fontconfig>",
                folder.display(),
                profile.path().display()
            );
            std::fs::write(&fonts, text).unwrap();
            command
                .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap())
                .env("FONTCONFIG_FILE", fonts);
        }
        let mut process = Running::start(&mut command);
        let lines = lines(process.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            match lines.recv_timeout(TIMEOUT) {
                Ok(line) => match line.strip_prefix("WebDriver BiDi listening on ") {
                    Some(url) => break url.to_owned(),
                    None => said.push_str(&format!("\n{line}")),
                },
                Err(error) => panic!("Firefox opened no port for BiDi ({error}); it said:{said}"),
            }
        };
        Self {
            _process: process,
            session: Connection::open(&format!("{url}/session")),
            _profile: profile,
        }
    }

    /// A new window before it shows anything.
    pub(crate) fn blank(&mut self) -> Window {
        Window::from_firefox(Context::new(&self.session))
    }
}
