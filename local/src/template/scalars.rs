//! Unquoted scalars of YAML 1.1, as CloudFormation prints them: <https://yaml.org/type/>. Pure.
//!
//! CloudFormation reads YAML 1.1
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html>), where `yes` is true and a
//! number that begins with zero is octal; users measured both (<https://github.com/aws/aws-cli/issues/5245>,
//! <https://ljmc.bearblog.dev/yaml-booleans-in-cloudformation-templates/>,
//! <https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/745>). Dates and single letters stay
//! strings.

/// The string for an unquoted `text`.
pub(super) fn canonical(text: &str) -> String {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => "true".to_owned(),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            "false".to_owned()
        }
        _ => number(text).unwrap_or_else(|| text.to_owned()),
    }
}

/// The number that `text` is in YAML 1.1, in decimal; `None` if it is not one, or stays as written.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let plain = digits.replace('_', "");
    let is_all = |digits: &str, radix: u32| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    let whole = |digits: &str, radix: u32| {
        is_all(digits, radix).then(|| i128::from_str_radix(digits, radix).ok())?
    };
    let value = if let Some(hex) = plain.strip_prefix("0x") {
        whole(hex, 16)?
    } else if let Some(binary) = plain.strip_prefix("0b") {
        whole(binary, 2)?
    } else if let Some(octal) = plain.strip_prefix('0').filter(|rest| is_all(rest, 8)) {
        whole(octal, 8)?
    } else if is_all(&plain, 10) && plain.len() > 1 && plain.starts_with('0') {
        // It is not octal, so it is read as a fraction: 012345678901 becomes 1.2345678901E10.
        return Some(format!("{sign}{}", as_java(plain.parse().ok()?)));
    } else if is_all(&plain, 10) {
        whole(&plain, 10)?
    } else if digits.contains(':') {
        sexagesimal(&plain)?
    } else {
        let (before, after) = plain.split_once('.')?;
        let is_fraction = is_all(before, 10) && (after.is_empty() || is_all(after, 10));
        let value: f64 = is_fraction.then(|| plain.parse().ok())??;
        return Some(format!("{sign}{}", as_java(value)));
    };
    Some(format!("{sign}{value}"))
}

/// `1:30` is ninety: each part but the first is at most 59.
fn sexagesimal(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    if first.starts_with('0') || !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    parts.try_fold(first.parse().ok()?, |value: i128, part| {
        let is_part =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: i128 = is_part.then(|| part.parse().ok())??;
        (part < 60).then(|| value.checked_mul(60)?.checked_add(part))?
    })
}

/// As Java prints it: with a digit after the point, and from ten million on with an exponent.
fn as_java(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e7).contains(&value) {
        let text = format!("{value:E}");
        let (mantissa, exponent) = text.split_once('E').unwrap_or((&text, "0"));
        let point = if mantissa.contains('.') { "" } else { ".0" };
        return format!("{mantissa}{point}E{exponent}");
    }
    let text = value.to_string();
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn scalars_are_converted_as_in_cloudformation() {
        for (written, expected) in [
            ("yes", "true"),
            ("ON", "true"),
            ("No", "false"),
            ("off", "false"),
            ("True", "true"),
            ("y", "y"),
            ("N", "N"),
            ("yES", "yES"),
            ("10", "10"),
            ("0", "0"),
            ("-7", "-7"),
            ("+7", "7"),
            ("1_000", "1000"),
            ("011", "9"),
            ("012345670123", "1402433619"),
            ("012345678901", "1.2345678901E10"),
            ("123456789012", "123456789012"),
            ("0x1F", "31"),
            ("0b101", "5"),
            ("1:30", "90"),
            ("22:22", "1342"),
            ("1.10", "1.1"),
            ("1.0", "1.0"),
            ("2012-10-17", "2012-10-17"),
            ("127.0.0.1", "127.0.0.1"),
            ("arn:aws:x", "arn:aws:x"),
            ("10:99", "10:99"),
            ("1e3", "1e3"),
            ("nodejs20.x", "nodejs20.x"),
            ("3am", "3am"),
            ("-", "-"),
            ("", ""),
        ] {
            assert_eq!(canonical(written), expected, "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9a-fxo_:.]{0,40}") {
            let _any = canonical(&text);
        }
    }
}
