mod bounds;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const BODY: &str = r#"{"name":"Tom","n":3,"list":[{"id":1},{"id":2}],"map":{"a":1,"b":[{"c":5}]},"none":null,"yes":true}"#;

fn render_with(template: &str, body: &str) -> Result<String, String> {
    let context = json!({
        "connectionId": "JC1dgf9yoAMCK-g=",
        "connectedAt": 5,
        "identity": { "sourceIp": "127.0.0.1" },
        "authorizer": { "principalId": "Tom" },
    });
    let parameters = json!({
        "path": {},
        "querystring": { "room": "lobby" },
        "header": { "X-Token": "secret" },
    });
    let variables = Map::from_iter([("host".to_owned(), Value::from("example.com"))]);
    let inputs = Inputs::new(body)
        .with_context(&context)
        .with_parameters(&parameters)
        .with_stage_variables(&variables);
    let rendered =
        Template::parse(template).and_then(|template| template.render(&inputs, &|| false));
    rendered.map_err(|fault| fault.to_string())
}

fn render(template: &str) -> String {
    render_with(template, BODY).unwrap_or_else(|fault| panic!("{template}: {fault}"))
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(render(template), *expected, "{template}");
    }
}

#[track_caller]
fn check_faults(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        let fault = render_with(template, BODY).expect_err(template);
        let template: String = template.chars().take(80).collect();
        assert!(fault.contains(expected), "{template}: {fault}");
    }
}

#[test]
fn variables_of_api_gateway_print_their_values() {
    check(&[
        ("$context.connectionId", "JC1dgf9yoAMCK-g="),
        ("${context.connectedAt}!", "5!"),
        ("$context.identity.sourceIp.", "127.0.0.1."),
        ("$context.authorizer.principalId", "Tom"),
        ("[$context.authorizer.none]", "[]"),
        ("$stageVariables.host", "example.com"),
        ("${stageVariables['host']}", "example.com"),
        ("[$stageVariables.none]", "[]"),
        (
            "$input.params('room')/$input.params('x-token')",
            "lobby/secret",
        ),
        ("#if($input.params('none') == '')empty#end", "empty"),
        ("$input.params().header.X-Token", "secret"),
        ("$input.params().querystring.get('room')", "lobby"),
    ]);
}

#[test]
fn the_body_is_seen_raw_as_json_and_as_values() {
    check(&[
        ("$input.body", BODY),
        ("$input.json('$')", BODY),
        ("$input.json('$.name')", "\"Tom\""),
        ("$input.path('$.name')", "Tom"),
        ("$input.json('$.missing')", "\"\""),
        ("[$input.path('$.missing')]", "[]"),
        ("$input.path('$.map')", r#"{a=1, b=[{"c":5}]}"#),
        ("$input.path('$.list')", r#"[{"id":1},{"id":2}]"#),
        ("$input.path('$').list[1].id", "2"),
        (
            "$input.path('$.list').size() $input.path('$.list').count()",
            "2 2",
        ),
    ]);
    assert_eq!(render_with("$input.body", "").unwrap(), "{}");
    assert_eq!(render_with("$input.json('$')", "hi").unwrap(), "\"hi\"");
    assert_eq!(render_with("$input.path('$')", "hi").unwrap(), "hi");
}

#[test]
fn unknown_variables_print_as_written_unless_they_are_quiet() {
    check(&[
        (
            "$unknown.member and $!unknown and $!{unknown}.",
            "$unknown.member and  and .",
        ),
        (
            "costs 5$ or $5, # and #1 and a#b",
            "costs 5$ or $5, # and #1 and a#b",
        ),
        (
            r"\$context.stage \\$context.connectedAt \n",
            r"$context.stage \5 \n",
        ),
    ]);
}

#[test]
fn set_if_and_foreach_work_as_in_velocity() {
    check(&[
        ("#set($a = 2)#set ( $b = $a + 3 )$b", "5"),
        ("#set($m = {\"k\": [1, 'x']})$m.k[1] $m", "x {k=[1,\"x\"]}"),
        (
            "#set($m = {})#set($m.a = 1)#set($m['b'] = 2)$m",
            "{a=1, b=2}",
        ),
        (
            "#set($l = [1])#set($done = $l.add(2))#set($l[0] = 9)$l $done",
            "[9,2] true",
        ),
        ("#if($input.path('$.yes'))a#{else}b#end", "a"),
        ("#if($none)a#elseif(1 > 2)b#{else}c#end", "c"),
        (
            "#foreach($x in $input.path('$.list'))$x.id#if($foreach.hasNext),#end#end",
            "1,2",
        ),
        (
            "#foreach($i in [1..3])$foreach.index$foreach.count$i #end$!i$!foreach",
            "011 122 233 ",
        ),
        (
            "#set($m = {'a': 1})#foreach($e in $m.entrySet())$e.key=$e.value#end",
            "a=1",
        ),
        (
            "#set($m = {'a': 1})#foreach($k in $m.keySet())$k#end#foreach($v in $m)$v#end",
            "a1",
        ),
        ("#foreach($i in [1..9])#if($i == 3)#break#end$i#end.", "12."),
        ("a#stop b", "a"),
        (
            "a## to the end\nb#* between *#c#[[ $x #if ]]#",
            "abc $x #if ",
        ),
        ("#if(true)\n  x\n#end\ny", "  x\ny"),
        (
            "#set($x = 'Tom')\"$x says ${x}s\" #set($y = \"<$x>\")$y",
            "\"Tom says Toms\" <Tom>",
        ),
        ("#set($x = 'it''s $x')$x", "it's $x"),
    ]);
}

#[test]
fn operators_bind_as_usual() {
    check(&[
        ("#set($x = 1 + 2 * 3 - 8 / 2 % 3)$x", "6"),
        ("#set($x = (1 + 2) * 3)$x #set($y = 1.5 + 1)$y", "9 2.5"),
        ("#if(1 < 2 && 2 <= 2 && !(3 > 4) || false)yes#end", "yes"),
        (
            "#if(1 lt 2 and 2 ge 2 and not (1 eq 2) or 1 ne 1)yes#end",
            "yes",
        ),
        (
            "#if('a' == \"a\" && 1 == 1.0 && $none == $null)yes#end",
            "yes",
        ),
        ("#set($x = 'n' + 1 + 2)$x", "n12"),
    ]);
}

#[test]
fn texts_have_the_methods_from_java() {
    check(&[
        (
            "#set($t = ' Hello ')$t.trim().toLowerCase()$t.trim().toUpperCase().length()",
            "hello5",
        ),
        ("#set($t = 'a,b,,')$t.split(',')", r#"["a","b"]"#),
        (
            "#set($t = 'a.b')$t.replace('.', '-')$t.replaceAll('(a).', '$1_')",
            "a-ba_b",
        ),
        (
            "#set($t = 'abc')$t.substring(1)$t.substring(0, 1)$t.indexOf('c')$t.indexOf('x')",
            "bca2-1",
        ),
        (
            "#set($t = 'abc')$t.contains('b')$t.startsWith('b')$t.matches('[a-c]+')$t.equals('abc')",
            "truefalsetruetrue",
        ),
        ("$input.path('$').toString().contains('Tom')", "true"),
    ]);
}

#[test]
fn util_functions_do_as_documented() {
    check(&[
        (
            r#"$util.escapeJavaScript('a"b''c\d/é')"#,
            r#"a\"b\'c\\d\/\u00E9"#,
        ),
        (
            "$util.urlEncode('a b&c')$util.urlDecode('a+b%26')",
            "a+b%26ca b&",
        ),
        (
            "$util.base64Encode('hi')$util.base64Decode('aGk=')",
            "aGk=hi",
        ),
        ("$util.parseJson('{\"a\":{\"b\":[7]}}').a.b[0]", "7"),
    ]);
}

#[test]
fn escaped_text_with_its_quotes_put_right_is_json() {
    let template = r#"{"text":"$util.escapeJavaScript($input.body).replaceAll("\\'","'")"}"#;
    let text = "it's \"quoted\"\n\\ and 🦀";
    let rendered = render_with(template, text).unwrap();
    let value: Value = serde_json::from_str(&rendered).unwrap();
    assert_eq!(value["text"], text);
}

#[test]
fn faults_say_what_and_where() {
    check_faults(&[
        (
            "a\n  $util.nothing(1)",
            "line 2, column 9: `$util` has no function `nothing`",
        ),
        (
            "$input.frob()",
            "line 1, column 8: `$input` has no function",
        ),
        ("$input", "`$input` has body"),
        ("#include('x')", "does not know the directive `#include`"),
        ("#if(true)", "this `#if` has no `#end`"),
        ("#end", "`#end` has no #if"),
        ("#set($context.x = 1)", "`$context` cannot be set"),
        ("#set($x = )", "a value is missing before `)`"),
        ("#set($x = foo)", "`foo` is no value"),
        ("#set($x = 'a)", "a closing quote is missing"),
        ("${context.stage", "`}` is missing at the end"),
        ("$input.path('$[?(@.x)]')", "bracket"),
        (
            "$input.path('$.name').frob()",
            "a text has no method `frob`",
        ),
        ("#set($x = 1 / 0)", "a division by zero"),
        ("$util.parseJson('{')", "this is no JSON"),
        (
            "$input.path('$.name').replaceAll('(?=a)', '')",
            "is not supported",
        ),
    ]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(template in ".{0,200}", body in ".{0,50}") {
        let _any = render_with(&template, &body);
    }

    #[test]
    fn no_mixture_of_its_own_words_makes_it_panic(
        words in proptest::collection::vec(prop::sample::select(vec![
            "#if(", "#end", "#else", "#elseif(", "#foreach($x in ", "#set(", "$x", "$!{x", "}", ")", "(", "[", "]", "{",
            ".add(", ".put('a', ", "$input", ".json('$.a", "')", "$util.escapeJavaScript(", "..", "1", "'", "\"", "\\",
            "+", "==", "&&", "!", ",", ":", " ", "\n", "é", "=", ".split('", ".substring(", "$context", "9999", "-",
        ]), 0..40)
    ) {
        let _any = render_with(&words.concat(), BODY);
    }
}
