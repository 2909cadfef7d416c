//! What `chat-protocol` says, no other product source spells out. The texts are read from its sources, so that a new one is
//! covered by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chat_protocol::{Field, history, table, variable};

use super::{is_test, root, sources};

/// What is no constant of the protocol: a member that serde names, beginnings of texts, and part of one.
const BESIDE: [&str; 6] = [
    "includeSender\":",
    "\"AUTH_",
    "\"TokenExpired",
    "\"NotAllowed",
    "\"TooManyMessages",
    "friend is not reachable",
];

/// Codes that AWS's own APIs have, too. They count as words.
const ALSO_AWS: [&str; 1] = [history::NOT_FOUND];

/// What the protocol says.
#[derive(Default)]
struct Agreed {
    /// Texts, and the module of each.
    texts: Vec<(String, String)>,
    /// The words of each enumeration.
    enumerations: Vec<Vec<String>>,
    /// Large numbers, as code has them.
    numbers: Vec<String>,
}

impl Agreed {
    fn read() -> Self {
        let mut agreed = Self::default();
        for file in sources(&root().join("protocol/src")) {
            let module = file.file_stem().unwrap().to_str().unwrap();
            agreed.add(module, &std::fs::read_to_string(&file).unwrap());
        }
        agreed
    }

    fn add(&mut self, module: &str, source: &str) {
        let code = code(source);
        for constant in code.join("\n").split("const ").skip(1) {
            let value = constant.split_once('=').map_or("", |(_, value)| value);
            let value = value.split(';').next().unwrap().trim();
            let text = value.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            if let Some(text) = text.filter(|_| constant.contains(": &str")) {
                self.texts.push((module.to_owned(), text.trim().to_owned()));
            }
            self.numbers.extend(large(value));
        }
        // A `match`, or the fields of a table of kinds.
        let of_match = |line: &str| line.split_once("=> \"").map(|(_, word)| word.to_owned());
        let of_table = |line: &str| line.trim().strip_prefix("word: \"").map(str::to_owned);
        let word = |rest: String| rest.strip_suffix("\",").map(str::to_owned);
        let arms = code.split(|line| of_match(line).is_none());
        let mut enumerations: Vec<Vec<_>> = arms
            .map(|arms| arms.iter().filter_map(|line| of_match(line)))
            .map(|words| words.filter_map(word).collect())
            .collect();
        let words = code.iter().filter_map(|line| of_table(line));
        enumerations.push(words.filter_map(word).collect());
        enumerations.retain(|words| words.len() > 1);
        let words = enumerations.iter().flatten();
        let texts = words.filter(|word| !is_word(word));
        let texts = texts.map(|word| (module.to_owned(), word.clone()));
        self.texts.extend(texts);
        self.enumerations.extend(enumerations);
    }

    /// The texts that `source` spells out.
    fn spelled_in(&self, source: &str, is_product: bool) -> Vec<String> {
        let code = code(source);
        let modules = modules_of(&code.join("\n"));
        let mut found = Vec::new();
        let names = Field::ALL.map(|field| format!("\"{}", field.name()));
        for line in &code {
            let mut exact = BESIDE.into_iter().chain(names.iter().map(String::as_str));
            let mut numbers = self.numbers.iter().map(String::as_str);
            let mut texts = self.texts.iter().filter(|(module, text)| {
                let is_whole = || line.contains(&format!("\"{text}\""));
                line.contains(text)
                    && match is_word(text) {
                        // Attributes take literals only.
                        true => {
                            let is_attribute = line.trim_start().starts_with("#[");
                            is_product && modules.contains(module) && !is_attribute && is_whole()
                        }
                        // The floors of the benchmarks are raw requests to DynamoDB.
                        false => {
                            let is_covered = is_product || module != "table";
                            is_covered
                                && (is_whole() || literals(line).any(|literal| has(literal, text)))
                        }
                    }
            });
            let text = texts.next().map(|(_, text)| text.as_str());
            let exact = exact.find(|text| line.contains(text));
            let number = numbers.find(|number| line.contains(number));
            found.extend(exact.or(text).or(number).map(str::to_owned));
        }
        let lines = code
            .windows(code.len().clamp(1, 3))
            .map(|lines| lines.join("\n"));
        for lines in lines.filter(|_| is_product) {
            let is_spelled = |words: &&Vec<String>| {
                let distinct: BTreeSet<_> = words.iter().collect();
                let has = |word: &&&String| lines.contains(&format!("\"{word}\""));
                let found = distinct.iter().filter(has).count();
                found > 1 && 2 * found >= distinct.len()
            };
            found.extend(
                self.enumerations
                    .iter()
                    .find(is_spelled)
                    .map(|it| it.join(", ")),
            );
        }
        found
    }
}

/// The lines of `source` without comments and tests.
fn code(source: &str) -> Vec<&str> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect()
}

/// A product of plain numbers, as code has it, if it is so large that it says which limit it is.
fn large(expression: &str) -> Option<String> {
    let factors = expression.split('*').map(|it| it.trim().replace('_', ""));
    let factors: Result<Vec<u64>, _> = factors.map(|it| it.parse()).collect();
    let number: u64 = factors.ok()?.iter().product();
    let digits = number.to_string();
    let (thousands, rest) = digits.split_at(digits.len().checked_sub(3)?);
    (10_000 < number && number < 1_000_000).then(|| format!("{thousands}_{rest}"))
}

/// Whether `text` may stand for something else: one plain word, or one character. Such a text counts where it is all of a
/// literal, in files that are about its module.
fn is_word(text: &str) -> bool {
    let word = text.trim_end_matches(':');
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    is_plain || text.chars().count() == 1 || ALSO_AWS.contains(&text)
}

/// The modules of the protocol that `code` is about: it imports them as such, or several of their items.
fn modules_of(code: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = |text: &str| -> Vec<String> {
        let names = text.split(|c| !is_name(c)).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect()
    };
    let mut items: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut modules = BTreeSet::new();
    for path in code.split("chat_protocol::").skip(1) {
        let list = |text: &str| names(text.split('}').next().unwrap());
        if let Some(all) = path.strip_prefix('{') {
            modules.extend(list(all));
            continue;
        }
        let (module, rest) = path.split_at(path.find(|c| !is_name(c)).unwrap_or(path.len()));
        let Some(rest) = rest.strip_prefix("::") else {
            modules.insert(module.to_owned());
            continue;
        };
        let found = match rest.strip_prefix('{') {
            Some(all) => list(all),
            None => names(rest).into_iter().take(1).collect(),
        };
        items.entry(module.to_owned()).or_default().extend(found);
    }
    let about = items
        .into_iter()
        .filter(|(_, items)| items.contains("self") || items.len() > 1);
    modules.extend(about.map(|(module, _)| module));
    modules
}

/// The texts between the quotation marks of `line`.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// Whether `literal` has `text`, and not as part of a longer name.
fn has(literal: &str, text: &str) -> bool {
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let (begins, ends) = (is_name(text.chars().next()), is_name(text.chars().last()));
    literal.match_indices(text).any(|(at, _)| {
        let before = literal[..at].chars().last();
        let after = literal[at + text.len()..].chars().next();
        !(begins && is_name(before) || ends && is_name(after))
    })
}

/// The templates, which are data, may say it, too; a test compares them.
#[test]
fn no_product_source_beside_the_protocol_spells_it_out() {
    let agreed = Agreed::read();
    let mut spelled = Vec::new();
    for package in ["bench", "cli", "deploy", "lambdas", "sdk"] {
        for file in sources(&root().join(package).join("src")) {
            if is_test(&file) {
                continue;
            }
            let source = std::fs::read_to_string(&file).unwrap();
            let found = agreed.spelled_in(&source, package != "bench");
            let name = file.strip_prefix(root()).unwrap_or(Path::new("")).display();
            spelled.extend(found.iter().map(|text| format!("{name}: {text}")));
        }
    }
    assert!(spelled.is_empty(), "use chat-protocol's: {spelled:#?}");
}

#[test]
fn every_text_of_the_protocol_is_read_from_its_sources() {
    let agreed = Agreed::read();
    let has = |module: &str, text: &str| {
        let known = (module.to_owned(), text.to_owned());
        assert!(agreed.texts.contains(&known), "{module}: {text}");
    };
    for name in variable::ALL {
        has("variable", name);
    }
    for text in [table::PARTITION, table::EXPIRES_AT, table::ALONE, "L#"] {
        has("table", text);
    }
    has("history", history::EXACT);
    has("auth", chat_protocol::auth::KEYS_FILE);
    has("name", chat_protocol::name::PUNCTUATION.trim());
    has("lib", chat_protocol::FRIEND_NOT_REACHABLE);
    for number in ["32_768", "131_072"] {
        assert!(agreed.numbers.iter().any(|it| it == number), "{number}");
    }
    for word in ["required", "friend,room", "jwt", "kick", "refuse", "msgto"] {
        let mut words = agreed.enumerations.iter().flatten();
        assert!(words.any(|it| it == word), "{word}");
    }
}

#[test]
fn a_text_that_is_spelled_out_is_found() {
    let agreed = Agreed::read();
    let about_table = "use chat_protocol::table;\n";
    let about_history = "use chat_protocol::history::{self, Page};\n";
    for (source, is_found) in [
        (r#"let name = "AUTH_MODE";"#.to_owned(), true),
        (r#"let limit = 32_768;"#.to_owned(), true),
        (r#"filter("expires_at > :now")"#.to_owned(), true),
        (r##"let item = r#"{"expires_at":1}"#;"##.to_owned(), true),
        (r#"format!("L#{connection}")"#.to_owned(), true),
        (r#"let index = "friend,room";"#.to_owned(), true),
        (
            "match it {\nFriends => \"required\",\nName => \"optional\",\n}".to_owned(),
            true,
        ),
        (
            r#"{ "enum": ["claimed", "token", "jwt"] }"#.to_owned(),
            true,
        ),
        (r#"{ "token": token }"#.to_owned(), false),
        (r#"json!({ "limit": 1 })"#.to_owned(), false),
        (format!("{about_history}json!({{ \"limit\": 1 }})"), true),
        (format!("{about_table}text(\"pk\", partition)"), true),
        (
            format!("{about_table}let attempt = \"find a room\";"),
            false,
        ),
        (r#"json!({ "required": ["rate"] })"#.to_owned(), false),
        (r#"println!("PREVIEWS")"#.to_owned(), false),
    ] {
        let found = agreed.spelled_in(&source, true);
        assert_eq!(!found.is_empty(), is_found, "{source}: {found:?}");
    }
}
