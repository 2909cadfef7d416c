use super::*;

fn message(id: &str) -> String {
    format!(
        r#"{{"type":"message","id":"{id}","route":"say","from":"Ann","room":"tea","text":"{id}","at":"x"}}"#
    )
}

fn page(reference: &str, ids: &[&str], more: bool) -> String {
    let entries: Vec<_> = ids.iter().map(|id| message(id)).collect();
    format!(
        r#"{{"type":"history","room":"tea","entries":[{}],"more":{more},"ref":"{reference}"}}"#,
        entries.join(",")
    )
}

fn ids(taken: &Taken) -> Vec<String> {
    let id = |frame: &String| {
        let head: Head = serde_json::from_str(frame).unwrap();
        head.id.unwrap()
    };
    taken.shown.iter().map(id).collect()
}

fn kept() -> HistoryReader {
    HistoryReader::new("history".into(), None, true)
}

#[test]
fn the_last_page_comes_before_what_arrived_meanwhile_and_nothing_twice() {
    let mut kept = kept();
    assert_eq!(kept.opened(), r#"{"action":"history","ref":"history-1"}"#);
    assert_eq!(kept.take(message("5")), Taken::default());
    let taken = kept.take(page("history-1", &["3", "4"], true));
    assert_eq!(ids(&taken), ["3", "4", "5"]);
    assert_eq!(kept.take(message("5")), Taken::default());
    assert_eq!(ids(&kept.take(message("6"))), ["6"]);
}

#[test]
fn what_was_missed_is_read_page_by_page_also_over_a_connection_that_ends_between() {
    let mut kept = kept();
    kept.opened();
    kept.take(page("history-1", &["1"], false));
    let asked = kept.opened();
    assert!(
        asked.contains(r#""after":"1""#) && !asked.contains("exact"),
        "{asked}"
    );
    let taken = kept.take(page("history-2", &["1", "2"], true));
    assert_eq!(ids(&taken), ["2"]);
    let asked = taken.request.unwrap();
    assert!(asked.contains(r#""after":"2","exact":true"#), "{asked}");
    // A message that is newer than what is missing says nothing about it.
    kept.take(message("9"));
    let asked = kept.opened();
    assert!(asked.contains(r#""after":"2""#), "{asked}");
    let taken = kept.take(page("history-4", &["2", "3", "9"], false));
    assert_eq!(ids(&taken), ["3", "9"], "what waits is shown once");
    let asked = kept.opened();
    assert!(asked.contains(r#""after":"9""#), "{asked}");
}

#[test]
fn older_pages_are_read_on_demand_until_there_are_no_more() {
    let mut kept = kept();
    assert_eq!(kept.older(), None);
    kept.opened();
    kept.take(page("history-1", &["5", "6"], true));
    assert!(kept.older().unwrap().contains(r#""before":"5""#));
    assert_eq!(kept.older(), None, "one is under way");
    assert_eq!(ids(&kept.take(message("7"))), ["7"]);
    let taken = kept.take(page("history-2", &["4"], false));
    assert_eq!(
        (ids(&taken), taken.note.as_deref()),
        (vec!["4".to_owned()], Some("one earlier message"))
    );
    assert_eq!(kept.older(), None);
}

#[test]
fn an_error_or_silence_holds_nothing_back() {
    let mut kept = kept();
    kept.opened();
    kept.take(message("5"));
    let error = r#"{"error":"BadMember","message":"why","route":"history","ref":"history-1"}"#;
    let taken = kept.take(error.into());
    assert_eq!(ids(&taken), ["5"]);
    assert!(taken.note.unwrap().ends_with(": why"));
    kept.opened();
    kept.take(message("6"));
    assert!(kept.deadline().is_some());
    assert_eq!(ids(&kept.give_up()), ["6"]);
    assert!(kept.deadline().is_none());
}

#[test]
fn own_messages_are_not_shown_again_by_a_page_of_what_was_missed() {
    let mut kept = kept();
    kept.opened();
    kept.take(page("history-1", &["1"], false));
    let mark = kept.mark("m".into());
    kept.opened();
    let own = message("2").replace(
        r#","at""#,
        &format!(r#","attributes":{{"ref":"{mark}"}},"at""#),
    );
    let taken = kept.take(page("history-2", &[], false).replace("[]", &format!("[{own}]")));
    assert_eq!(taken, Taken::default());
}

#[test]
fn a_pipe_shows_what_it_missed_and_not_what_was_before_it() {
    let mut kept = HistoryReader::new("history".into(), Some("Bob".into()), false);
    let asked = kept.opened();
    assert!(
        asked.contains(r#""limit":1"#) && asked.contains(r#""with":"Bob""#),
        "{asked}"
    );
    assert_eq!(kept.take(page("history-1", &["1"], true)), Taken::default());
    kept.opened();
    assert_eq!(
        ids(&kept.take(page("history-2", &["1", "2"], false))),
        ["2"]
    );
}
