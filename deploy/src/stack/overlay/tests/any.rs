//! Overlays with values of any kind, anywhere.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Every property of the default template, by resource.
fn properties() -> Vec<(String, String, Value)> {
    let template = render(&settings(""));
    let all = template.resources().flat_map(|(id, resource)| {
        let properties = resource["Properties"].as_object().unwrap().clone();
        properties
            .into_iter()
            .map(|(name, value)| (id.to_owned(), name, value))
    });
    all.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn saying_what_chatctl_says_changes_nothing(picked in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let all = properties();
        let mut document = json!({ "Resources": {} });
        for index in picked {
            let (id, name, value) = index.get(&all);
            document["Resources"][id]["Properties"][name] = value.clone();
        }
        prop_assert_eq!(accepted("", &document.to_string()), render(&settings("")));
    }

    #[test]
    fn a_value_of_any_kind_anywhere_is_merged_or_refused_and_never_more_than_said(
        index in any::<prop::sample::Index>(),
        value in prop_oneof![Just(json!(null)), Just(json!("x")), Just(json!([])), Just(json!({"Ref": "Api"})), Just(json!({"x": 1}))],
    ) {
        let all = properties();
        let (id, name, _) = index.get(&all);
        let text = json!({ "Resources": { id: { "Properties": { name: value } } } }).to_string();
        match with("", &text) {
            Err(error) => prop_assert!(error.to_string().starts_with("extra.yaml:1:")),
            Ok(settings) => {
                let before = render(&self::settings(""));
                for ((id_before, before), (id_after, after)) in before.resources().zip(render(&settings).resources()) {
                    prop_assert_eq!(id_before, id_after);
                    let mut after = after.clone();
                    if id_before == id {
                        after["Properties"][name] = before["Properties"][name].clone();
                    }
                    prop_assert_eq!(before, &after);
                }
            }
        }
    }
}
