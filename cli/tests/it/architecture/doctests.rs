//! Each public function of `chat-sdk` shows in its documentation how it is called and what follows: by an example that
//! runs and asserts.

use super::{is_test, root, sources};

/// The faults in the documentation of `source`, with their lines.
fn faults(source: &str) -> Vec<String> {
    let (mut docs, mut is_attribute) = (Vec::new(), false);
    let mut found = Vec::new();
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    for (at, line) in lines.iter().enumerate() {
        let doc = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        if let Some(doc) = doc {
            docs.push(doc.trim());
            continue;
        }
        is_attribute = is_attribute || line.starts_with("#[");
        if is_attribute {
            is_attribute = !line.ends_with(']');
            continue;
        }
        let blocks = blocks(&std::mem::take(&mut docs));
        let mut fault = |what: &str| found.push(format!("{}: {line}: {what}", at + 1));
        if blocks.iter().any(|it| it.runs() && !it.asserts()) {
            fault("its example asserts nothing");
        }
        if is_public_function(line) {
            let head: Vec<_> = lines[at..].iter().take_while(|it| **it != "{").collect();
            let head = head.iter().map(|it| **it).collect::<Vec<_>>().join(" ");
            // A function that only ends with its process cannot run in an example.
            let is_main = head.split('{').next().unwrap().contains("-> ExitCode");
            if !blocks.iter().any(|it| it.runs() || is_main) {
                fault("it has no example that runs");
            }
        }
        let exported = line.strip_prefix("pub use chat_");
        if exported.is_some_and(|it| !is_error(it)) {
            fault("what another crate documents has no example here");
        }
    }
    found
}

/// A block of code in a documentation.
struct Block<'a> {
    kind: &'a str,
    code: String,
}

impl Block<'_> {
    fn runs(&self) -> bool {
        self.kind.is_empty()
    }

    fn asserts(&self) -> bool {
        ["assert!(", "assert_eq!(", "assert_ne!("]
            .iter()
            .any(|it| self.code.contains(it))
    }
}

fn blocks<'a>(docs: &[&'a str]) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut is_code = false;
    for line in docs {
        match line.strip_prefix("```") {
            Some(kind) => {
                is_code = !is_code;
                if is_code {
                    let code = String::new();
                    blocks.push(Block { kind, code });
                }
            }
            None if is_code => blocks.last_mut().unwrap().code.push_str(line),
            None => {}
        }
    }
    blocks
}

fn is_public_function(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("pub ") else {
        return false;
    };
    let words = rest.split_whitespace();
    let first = words
        .into_iter()
        .find(|word| !["const", "async", "unsafe"].contains(word));
    first == Some("fn")
}

/// Errors are exported with the functions that return them; they have no methods of their own.
fn is_error(path: &str) -> bool {
    let name = path.trim_end_matches(';').rsplit("::").next().unwrap();
    name.ends_with("Error") || name.starts_with("Invalid")
}

#[test]
fn the_guard_of_examples_finds_what_is_planted() {
    let planted = "
        //! # Crate
        //! ```no_run
        //! run();
        //! ```

        pub use chat_protocol::Handshake;
        pub use chat_lambdas::store::StoreError;

        /// Undocumented.
        pub fn bare() {}

        /// ```
        /// silent();
        /// ```
        #[expect(
            clippy::all,
            reason = \"planted\"
        )]
        pub async fn silent() {}

        /// ```no_run
        /// assert!(still());
        /// ```
        pub const fn still() -> bool {

        /// ```
        /// assert_eq!(good(), 1);
        /// ```
        #[must_use]
        pub fn good() -> u8 {

        /// ```no_run
        /// run();
        /// ```
        pub fn run() -> ExitCode {

        pub(crate) fn own() {}

        #[cfg(test)]\nmod tests {
            pub fn helper() {}
        }";
    let found = faults(planted);
    let found: Vec<_> = found
        .iter()
        .map(|it| it.split_once(": ").unwrap().1)
        .collect();
    assert_eq!(
        found,
        [
            "pub use chat_protocol::Handshake;: what another crate documents has no example here",
            "pub fn bare() {}: it has no example that runs",
            "pub async fn silent() {}: its example asserts nothing",
            "pub const fn still() -> bool {: it has no example that runs",
        ]
    );
}

#[test]
fn each_public_function_of_the_sdk_has_an_example_that_asserts() {
    let mut found = Vec::new();
    let mut functions = 0;
    for file in sources(&root().join("sdk/src")) {
        let path = file.strip_prefix(root()).unwrap();
        if is_test(path) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        functions += text
            .lines()
            .filter(|it| is_public_function(it.trim()))
            .count();
        let faults = faults(&text);
        found.extend(
            faults
                .into_iter()
                .map(|it| format!("{}:{it}", path.display())),
        );
    }
    assert!(functions > 50, "only {functions} functions are read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}
