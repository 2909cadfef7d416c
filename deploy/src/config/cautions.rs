//! What a deployment to AWS exposes, in the user's words.

use chat_protocol::Mode;

use super::Settings;
use super::alarms::Receiver;
use super::route::{Backend, Purpose};

impl Settings {
    /// Warnings for the question before a deployment to AWS, one line each.
    pub fn cautions(&self) -> Vec<String> {
        let mut in_clear: Vec<_> = self
            .backends()
            .filter(|(_, backend)| backend.url.is_in_clear())
            .map(|(_, backend)| backend)
            .collect();
        // One warning for each address. A leaked secret is worse than leaked messages, so the backend with the secret
        // is kept.
        in_clear.sort_by_key(|backend| (backend.url.origin(), backend.secret.is_none()));
        in_clear.dedup_by_key(|backend| backend.url.origin());
        let line = |backend: &Backend| {
            let what = match &backend.secret {
                Some(secret) => format!("messages and the header `{}`", secret.name),
                None => "messages".to_owned(),
            };
            format!(
                "{what} travel to {} unencrypted: give it an https address",
                backend.url.origin()
            )
        };
        let in_clear = in_clear.into_iter().map(line);
        let uncounted = self.uncounted();
        let of_names = self.unproven_names().into_iter();
        let of_routes = self.forgeable().into_iter().chain(uncounted);
        let of_alarms = self.unconfirmed();
        of_names
            .chain(of_routes)
            .chain(in_clear)
            .chain(of_alarms)
            .collect()
    }

    /// What has to happen before alarms arrive.
    fn unconfirmed(&self) -> Option<String> {
        match &self.aws.alarms.as_ref()?.receiver {
            Receiver::Email(address) => Some(format!(
                "alarms reach {} once that address has confirmed the mail that SNS sends to it",
                address.as_ref()
            )),
            Receiver::Topic(_) => None,
        }
    }

    /// What the config asks for and one machine does not have, as one line.
    pub fn without_effect_here(&self) -> Option<String> {
        let asked = [
            ("`[domain]`", self.aws.domain.is_some()),
            ("`[alarms]`", self.aws.alarms.is_some()),
            ("`access` under `[logs]`", self.aws.has_access_logs),
        ];
        let asked: Vec<_> = asked.iter().filter(|(_, is_asked)| *is_asked).collect();
        let verb = match asked.len() {
            0 => return None,
            1 => "has",
            _ => "have",
        };
        let names: Vec<_> = asked.iter().map(|(name, _)| *name).collect();
        Some(format!(
            "{} {verb} no effect on one machine: the endpoint stays on loopback, and the logs are files",
            names.join(" and ")
        ))
    }

    /// The routes that `messages-per-second` does not reach, because no function counts their messages.
    fn uncounted(&self) -> Option<String> {
        self.limits.messages_per_second?;
        let routes = self.routes.iter();
        let backends: Vec<_> = routes
            .filter(|route| matches!(route.purpose, Purpose::Http { .. }))
            .map(|route| format!("`{}`", route.key))
            .collect();
        (!backends.is_empty()).then(|| {
            format!(
                "`messages-per-second` does not limit {}, which lead to a backend without a function that could count",
                backends.join(", ")
            )
        })
    }

    /// Where some routes have envelopes and others post what was sent, the text of the others can be an envelope.
    fn forgeable(&self) -> Option<String> {
        let people = || {
            let routes = self.routes.iter();
            routes.filter_map(|route| Some((route, route.purpose.rule()?)))
        };
        let (plain, _) = people().find(|(_, rule)| !rule.envelope)?;
        let (enveloped, _) = people().find(|(_, rule)| rule.envelope)?;
        Some(format!(
            "a text to the route `{}` can look like a message of another sender on the route `{}`, because it arrives as it was \
             sent: give both `envelope = true`",
            plain.key, enveloped.key
        ))
    }

    /// What names are worth where nothing proves them. Where `$connect` leads to a backend, the backend decides.
    fn unproven_names(&self) -> Option<String> {
        let is_ours = self.has_own_functions() && self.auth.mode() == Mode::Claimed;
        let mut rules = self.routes.iter().filter_map(|route| route.purpose.rule());
        let reads = match rules.any(|rule| rule.history.is_some()) {
            true => ", reads what was said to it before, and deletes what was said under it",
            false => "",
        };
        is_ours.then(|| {
            format!(
                "any client that has the address can connect under any name, and receives what is sent to that name{reads}: \
                 `mode = \"token\"` under `[auth]` requires a token (`chatctl keys new` makes the key that signs them)"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FILE_NAME, Overrides, Settings};

    fn cautions(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let settings = Settings::load(folder.path(), Overrides::default());
        settings.unwrap().cautions()
    }

    #[test]
    fn envelopes_that_a_text_of_another_route_can_forge_are_said_with_both_routes() {
        let token = "[auth]\nmode = \"token\"\n";
        let route = |key: &str, more: &str| format!("[[routes]]\nkey = \"{key}\"\n{more}");
        let envelope = "envelope = true\n";
        let forgeable = [token, &route("a", envelope), &route("b", "")].concat();
        let reported = cautions(&forgeable);
        assert_eq!(reported.len(), 1);
        assert!(
            reported[0].contains("`b`") && reported[0].contains("`a`"),
            "{reported:?}"
        );
        for safe in [
            [token, &route("a", envelope), &route("b", envelope)].concat(),
            [token, &route("a", ""), &route("b", "")].concat(),
            [
                token,
                &route("a", envelope),
                &route("b", "http = \"https://x.example\"\n"),
            ]
            .concat(),
        ] {
            assert_eq!(cautions(&safe), [""; 0], "{safe}");
        }
    }

    #[test]
    fn names_that_nothing_proves_are_said_with_the_line_that_changes_it() {
        let reported = cautions("");
        assert_eq!(reported.len(), 1);
        assert!(reported[0].contains("under any name"), "{reported:?}");
        assert!(reported[0].contains("`mode = \"token\"`"), "{reported:?}");
        assert!(!reported[0].contains("said to it before"), "{reported:?}");
        let kept = cautions("[[routes]]\nkey = \"say\"\nenvelope = true\nhistory = \"7d\"\n");
        assert!(
            kept[0].contains("reads what was said to it before"),
            "{kept:?}"
        );
        let jwt = "[auth]\nmode = \"jwt\"\nissuer = \"https://i.example\"\naudience = [\"chat\"]\n";
        for proven in ["[auth]\nmode = \"token\"\n", jwt] {
            assert_eq!(cautions(proven), [""; 0], "{proven}");
        }
        let backend = "http = \"https://backend.example\"\n";
        let lifecycle = ["$connect", "$disconnect", "$default"]
            .map(|key| format!("[[routes]]\nkey = \"{key}\"\n{backend}"));
        assert_eq!(cautions(&lifecycle.concat()), [""; 0]);
    }
}
