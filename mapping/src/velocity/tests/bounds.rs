//! What ends a rendering, and what its errors have of the inputs.

use std::cell::Cell;

use serde_json::json;

use super::{check_faults, render_with};
use crate::velocity::{Inputs, MAX_TEMPLATE_BYTES, Template};

#[test]
fn everything_is_bounded() {
    let thousand = "#foreach($i in [1..1000])";
    check_faults(&[
        ("#foreach($i in [0..1000])#end", "API Gateway allows 1000"),
        (
            &format!("{}x{}", thousand.repeat(3), "#end".repeat(3)),
            "too much",
        ),
        (
            &format!("#set($s = 'xxxxxxxxxx'){thousand}#set($s = \"$s$s\")#end"),
            "",
        ),
        (
            &format!("#set($l = [1]){thousand}#set($l = [$l, $l])#end"),
            "",
        ),
        (
            &format!("#set($l = [1]){thousand}#set($l = [$l])#end"),
            "lie within one another",
        ),
        (
            &format!("#set($l = []){thousand}#set($x = $l.add($l))#end$l"),
            "",
        ),
        (&"#if(true)".repeat(5000), "lie within one another"),
        (
            &format!("#set($x = {})", "(".repeat(5000)),
            "lie within one another",
        ),
        (
            &format!("#set($x = {}1)", "!".repeat(5000)),
            "lie within one another",
        ),
        (
            &format!("#set($x = 1{})", "+1".repeat(5000)),
            "operators in a row",
        ),
        (
            &format!("$x{}", "[$x".repeat(5000)),
            "lie within one another",
        ),
        (&" ".repeat(MAX_TEMPLATE_BYTES + 1), "300 KB"),
    ]);
}

#[test]
fn a_time_that_is_over_ends_every_kind_of_work() {
    let thousand = "#foreach($i in [1..1000])";
    let long = "x".repeat(100_000);
    let body = json!({ "list": vec![0; 2000], "text": long }).to_string();
    let inputs = Inputs::new(&body);
    let loops = |rounds: usize| format!("#foreach($i in [1..{rounds}])").repeat(2) + "x#end#end";
    for template in [
        &loops(1000),
        &format!("{thousand}$input.body#end"),
        &format!("{thousand}#set($l = $input.path('$.list'))#end"),
        &format!("#set($s = $input.path('$.text')){thousand}#set($s = \"$s$s\")#end"),
        &format!("#set($l = [1..1000]){thousand}#set($found = $l.contains(0))#end"),
        &format!("{thousand}#set($m = $input.path('$.text').matches('x+'))#end"),
    ] {
        let template = Template::parse(template).expect("a template");
        for questions in [0, 2] {
            let asked = Cell::new(0);
            let is_over = || asked.replace(asked.get() + 1) >= questions;
            let fault = template.render(&inputs, &is_over).expect_err("no time");
            assert_eq!(fault.reason, "the template takes too long");
            assert_eq!(asked.get(), questions + 1, "it ends at once");
        }
        assert!(template.render_in_passing(&inputs, &|| true).is_none());
    }
    let asked = Cell::new(0);
    let is_over = || asked.replace(asked.get() + 1) > 10_000;
    let template = Template::parse(&loops(400)).expect("a template");
    let text = template.render(&inputs, &is_over).expect("enough time");
    assert_eq!(text.len(), 160_000);
    assert!((300..1_000).contains(&asked.get()), "{}", asked.get());
    let few = Template::parse("$input.path('$.list[0]')").expect("a template");
    let few = few.render_in_passing(&Inputs::new(r#"{"list":[7]}"#), &|| true);
    assert_eq!(
        few,
        Some(Ok("7".to_owned())),
        "it is done before it is asked"
    );
}

#[test]
fn faults_quote_nothing_of_the_inputs() {
    let body = json!({
        "n": 7_301_944, "l": [1], "path": "$.a[7301944", "empty": "$.7301944..", "class": "\\p{7301944}",
        "open": "[\\P{7301944", "behind": "(?<!7301944)", "back": "(7301944)\\1", "text": "7301944", "json": "{7301944",
    });
    for (template, expected) in [
        (
            "$input.path('$.l').get($n)",
            "the list of 1 has no such element",
        ),
        (
            "$input.path('$.l').get($text)",
            "by a number, not by a text",
        ),
        (
            "$input.path('$.l').subList($n, $n)",
            "the list of 1 has no such part",
        ),
        ("$input.path($path)", "the path has a bracket"),
        ("$input.json($empty)", "the path needs a name after `..`"),
        ("$input.json($n)", ""),
        (
            "$text.matches($class)",
            r"not supported: a class in `\p{…}`",
        ),
        ("$text.split($open)", r"not supported: a class in `\p{…}`"),
        ("$text.replaceAll($behind, '')", "not supported: `(?<!`"),
        (
            "$text.replaceAll($back, '')",
            "not supported: a back reference",
        ),
        (
            "$text.replaceFirst('4', '$9')",
            "names a group that does not exist",
        ),
        ("$text.charAt($n)", "the text has no such character"),
        (
            "$text.substring($n, $n)",
            "the text of 7 characters has no such part",
        ),
        ("$util.parseJson($json)", "this is no JSON"),
        ("$util.base64Decode($path)", "not base64: the byte at 0"),
        (
            "#set($x = $text - $n)",
            "cannot calculate with a text and a number",
        ),
        ("#foreach($x in $text)#end", "not a text"),
    ] {
        let set = body.as_object().expect("a map").keys();
        let set: String = set
            .map(|name| format!("#set(${name} = $input.path('$.{name}'))"))
            .collect();
        match render_with(&format!("{set}{template}"), &body.to_string()) {
            Ok(text) => assert!(
                expected.is_empty() && !text.is_empty(),
                "{template}: {text}"
            ),
            Err(fault) => {
                assert!(
                    !expected.is_empty() && fault.contains(expected),
                    "{template}: {fault}"
                );
                assert!(!fault.contains("7301944"), "{template}: {fault}");
            }
        }
    }
}
