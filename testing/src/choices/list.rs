//! The options.

/// One choice of an option.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Its name in messages.
    pub name: &'static str,
    /// Choices of one group exclude each other. A choice without one goes with all others.
    pub group: Option<&'static str>,
    /// Merged into the example's config. Routes are added to its routes.
    pub config: &'static str,
    /// Merged into each route that passes messages to people.
    pub route: &'static str,
    /// The table of the example that it takes the place of.
    pub instead_of: Option<&'static str>,
    /// Files beside the config: names and texts.
    pub files: &'static [(&'static str, &'static str)],
    /// Whether it names what an account must have already.
    pub needs_account: bool,
    /// The examples that refuse it, each with a part of the reason.
    pub refused_by: &'static [(&'static str, &'static str)],
}

const NOTHING: Choice = Choice {
    name: "",
    group: None,
    config: "",
    route: "",
    instead_of: None,
    files: &[],
    needs_account: false,
    refused_by: &[],
};

const BACKEND_DECIDES: &[(&str, &str)] = &[("http-backend", "$connect")];

/// The file with a key that signs tokens, beside each config that asks for tokens. Its private half is nowhere.
pub(super) const KEYS: (&str, &str) = (
    "chatctl.keys.json",
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","alg":"EdDSA","use":"sig"}]}"#,
);

const OVERLAY: &[(&str, &str)] = &[(
    "extra.yaml",
    "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      KmsMasterKeyId: alias/aws/sqs\n  Stage:\n    \
     Properties:\n      Tags: { team: chat }\n  Api:\n    Properties:\n      Description: !Sub 'Of ${AWS::StackName}'\n\
     Outputs:\n  QueueUrl:\n    Value: !Ref Queue\n",
)];

/// Every choice.
pub const CHOICES: &[Choice] = &[
    Choice {
        name: "the stage's name and limits",
        group: Some("throttle"),
        config: "[stage]\nname = \"beta\"\nthrottle = { rate = 5, burst = 10 }\n",
        ..NOTHING
    },
    Choice {
        name: "no limits of the stage",
        group: Some("throttle"),
        config: "[stage]\nthrottle = false\n",
        ..NOTHING
    },
    Choice {
        name: "claimed names",
        group: Some("auth"),
        config: "[auth]\nmode = \"claimed\"\n",
        instead_of: Some("auth"),
        refused_by: &[("team-chat", "moderate")],
        ..NOTHING
    },
    Choice {
        name: "names by tokens",
        group: Some("auth"),
        config: "[auth]\nmode = \"token\"\n",
        instead_of: Some("auth"),
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "names by an issuer",
        group: Some("auth"),
        config: "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = [\"chat\"]\n",
        instead_of: Some("auth"),
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "names by an own authorizer",
        group: Some("auth"),
        config: "[auth]\nhandler = \"door\"\n",
        instead_of: Some("auth"),
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "origins",
        config: "[auth]\norigins = [\"https://chat.example\"]\n",
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "messages per second",
        config: "[limits]\nmessages-per-second = 5\n",
        refused_by: &[("http-backend", "messages-per-second")],
        ..NOTHING
    },
    Choice {
        name: "connections per name",
        config: "[limits]\nconnections-per-name = 10\n",
        refused_by: &[("http-backend", "connections-per-name")],
        ..NOTHING
    },
    Choice {
        name: "members of a room",
        config: "[limits]\nroom-size = 500\n",
        refused_by: &[("http-backend", "room-size"), ("direct", "room-size")],
        ..NOTHING
    },
    Choice {
        name: "the logs' days",
        config: "[logs]\nretention-days = 30\n",
        ..NOTHING
    },
    Choice {
        name: "envelopes",
        route: "envelope = true\n",
        ..NOTHING
    },
    Choice {
        name: "history",
        config: "[[routes]]\nkey = \"history\"\nanswers = \"history\"\n[[routes]]\nkey = \"delete\"\nanswers = \"delete\"\n",
        route: "envelope = true\nhistory = \"7d\"\n",
        refused_by: &[("http-backend", "$connect")],
        ..NOTHING
    },
    Choice {
        name: "a review",
        route: "envelope = true\nreview = \"filter\"\nreview-fallback = \"allow\"\nreview-timeout = \"1s\"\n",
        ..NOTHING
    },
    Choice {
        name: "settings of a review",
        route: "envelope = true\nreview = \"filter\"\nreview-memory = 256\nreview-log-level = \"warn\"\nreview-environment = \
                { WORDS = \"spam\" }\nreview-secrets = { KEY = { ssm = \"/chat/key\", variable = \"BACKEND_SECRET\" } }\n\
                review-reserved-concurrency = 5\nreview-permissions = [{ actions = [\"dynamodb:GetItem\"], resources = \
                [\"table\"] }]\n",
        ..NOTHING
    },
    Choice {
        name: "settings of functions",
        config: "[handlers]\nmemory = 256\nlog-level = \"warn\"\n",
        ..NOTHING
    },
    Choice {
        name: "short texts",
        route: "text = \"words\"\nmax-text-bytes = 1000\n",
        ..NOTHING
    },
    Choice {
        name: "announcements",
        group: Some("who"),
        config: "[[routes]]\nkey = \"who\"\nanswers = \"who\"\nannounce = true\n",
        refused_by: &[("http-backend", "$connect"), ("direct", "room")],
        ..NOTHING
    },
    Choice {
        name: "who is there",
        group: Some("who"),
        config: "[[routes]]\nkey = \"who\"\nanswers = \"who\"\n",
        refused_by: &[("http-backend", "$connect"), ("direct", "room")],
        ..NOTHING
    },
    Choice {
        name: "a boundary",
        config: "[aws]\npermissions-boundary = \"arn:aws:iam::123456789012:policy/bounds/chats\"\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "a path of roles",
        config: "[aws]\nrole-path = \"/chats/\"\n",
        ..NOTHING
    },
    Choice {
        name: "a role of CloudFormation's",
        config: "[aws]\nrole-arn = \"arn:aws:iam::123456789012:role/cloudformation\"\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "an own bucket",
        config: "[aws]\nbucket = \"my-code\"\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "an own key",
        config: "[aws]\nkms-key = \"arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab\"\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "tags",
        config: "[aws]\ntags = { team = \"chat\" }\n",
        ..NOTHING
    },
    Choice {
        name: "topics",
        config: "[aws]\nnotification-arns = [\"arn:aws:sns:eu-west-1:123456789012:stacks\"]\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "a name of its own",
        config: "[domain]\nname = \"chat.example.com\"\ncertificate = \"arn:aws:acm:eu-west-1:123456789012:certificate/\
                 1234abcd-12ab-34cd-56ef-1234567890ab\"\nzone = false\ndisable-default-endpoint = true\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "alarms",
        config: "[alarms]\nemail = \"ops@example.com\"\n",
        ..NOTHING
    },
    Choice {
        name: "access logs",
        config: "[logs]\naccess = true\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "an overlay",
        config: "[template]\noverlay = \"extra.yaml\"\n",
        files: OVERLAY,
        ..NOTHING
    },
];
