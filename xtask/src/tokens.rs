//! The tokens of Rust that say what a module imports: names, `::` and punctuation. Texts, comments, lifetimes and
//! everything that only tests have are left out.

/// The tokens of `source`.
pub(super) fn tokens(source: &str) -> Vec<String> {
    without_tests(&all(source))
}

/// The same with what only tests have.
pub(super) fn all(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let is_in_name = |c: &char| c.is_alphanumeric() || *c == '_';
    let past = |from: usize, end: &str| {
        let end: Vec<char> = end.chars().collect();
        let rest = &chars[from.min(chars.len())..];
        let there = rest.windows(end.len()).position(|it| it == end);
        there.map_or(chars.len(), |there| from + there + end.len())
    };
    while at < chars.len() {
        let next = chars.get(at + 1);
        match chars[at] {
            '/' if next == Some(&'/') => at = past(at, "\n"),
            '/' if next == Some(&'*') => at = past(at, "*/"),
            '"' => {
                at += 1;
                while at < chars.len() && chars[at] != '"' {
                    at += if chars[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
            }
            '\'' if next == Some(&'\\') => at = past(at + 3, "'"),
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 3,
            '\'' => {
                at += 1 + chars[at + 1..]
                    .iter()
                    .take_while(|it| is_in_name(it))
                    .count()
            }
            ':' if next == Some(&':') => {
                found.push("::".to_owned());
                at += 2;
            }
            c if is_in_name(&c) => {
                let name: String = chars[at..].iter().take_while(|it| is_in_name(it)).collect();
                at += name.chars().count();
                let hashes = chars[at..].iter().take_while(|it| **it == '#').count();
                let is_raw =
                    ["r", "br"].contains(&name.as_str()) && chars.get(at + hashes) == Some(&'"');
                match is_raw {
                    true => at = past(at + hashes + 1, &format!("\"{}", "#".repeat(hashes))),
                    false => found.push(name),
                }
            }
            c => {
                if !c.is_whitespace() {
                    found.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    found
}

fn without_tests(tokens: &[String]) -> Vec<String> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let end = attribute(&tokens[at..]);
        if !end.is_some_and(|end| is_for_tests(&tokens[at..at + end])) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        while let Some(end) = attribute(&tokens[at..]) {
            at += end;
        }
        at += item(&tokens[at..]);
    }
    kept
}

/// The length of the attribute that begins here, if one does.
fn attribute(tokens: &[String]) -> Option<usize> {
    (tokens.first()? == "#" && tokens.get(1)? == "[").then_some(())?;
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        match token.as_str() {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => return false,
        }
        depth == 0
    });
    end.map(|end| end + 1)
}

/// Whether it is `cfg(test)`, or `any` or `all` of that and others.
fn is_for_tests(attribute: &[String]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token == word);
    attribute[2] == "cfg" && has("test") && !has("not")
}

/// The length of the item, the field, the argument or the statement that begins here.
fn item(tokens: &[String]) -> usize {
    const ITEMS: [&str; 13] = [
        "async",
        "const",
        "enum",
        "extern",
        "fn",
        "impl",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "use",
    ];
    let first = tokens.iter().find(|token| {
        let is_visibility = ["pub", "(", ")", "crate", "super", "in", "::"];
        !is_visibility.contains(&token.as_str())
    });
    let is_item = first.is_some_and(|token| ITEMS.contains(&token.as_str()));
    let is_use = first.is_some_and(|token| token == "use");
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        let is_end = match token.as_str() {
            ";" => depth == 0,
            "," => depth == 0 && !is_item,
            "}" => depth == 0 && !is_use,
            _ => false,
        };
        if depth < 0 {
            return at;
        }
        if is_end {
            return at + 1;
        }
    }
    tokens.len()
}
