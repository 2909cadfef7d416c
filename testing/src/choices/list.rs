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
        config: "[auth]\nmode = \"jwt\"\nissuer = \"https://issuer.example\"\naudience = [\"chat\"]\n\
                 name-claim = \"email\"\n",
        instead_of: Some("auth"),
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "names by an own authorizer",
        group: Some("auth"),
        config: "[auth]\nhandler = \"door\"\nbinary = \"door\"\nmemory = 256\ntimeout = 5\nlog-level = \"warn\"\nenvironment = \
                 { DOORS = \"2\" }\nsecrets = { KEY = { ssm = \"/chat/key\", variable = \"BACKEND_SECRET\" } }\n\
                 reserved-concurrency = 5\npermissions = [{ actions = [\"dynamodb:GetItem\"], resources = [\"table\"] }]\n",
        instead_of: Some("auth"),
        refused_by: BACKEND_DECIDES,
        ..NOTHING
    },
    Choice {
        name: "an own authorizer in a network",
        group: Some("auth"),
        config: "[auth]\nhandler = \"door\"\nvpc = { subnets = [\"subnet-0123456789abcdef0\"], security-groups = \
                 [\"sg-0123456789abcdef0\"] }\n",
        instead_of: Some("auth"),
        needs_account: true,
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
        route: "envelope = true\nreview = \"filter\"\nreview-binary = \"filter\"\nreview-memory = 256\nreview-log-level = \"warn\"\nreview-environment = \
                { WORDS = \"spam\" }\nreview-secrets = { KEY = { ssm = \"/chat/key\", variable = \"BACKEND_SECRET\" } }\n\
                review-reserved-concurrency = 5\nreview-permissions = [{ actions = [\"dynamodb:GetItem\"], resources = \
                [\"table\"] }]\n",
        ..NOTHING
    },
    Choice {
        name: "a review in a network",
        route: "envelope = true\nreview = \"filter\"\nreview-vpc = { subnets = [\"subnet-0123456789abcdef0\"], \
                security-groups = [\"sg-0123456789abcdef0\"] }\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "settings of a handler",
        config: "[[routes]]\nkey = \"own\"\nhandler = \"own\"\nbinary = \"own\"\nreply = true\nmemory = 256\ntimeout = 5\n\
                 log-level = \"warn\"\nenvironment = { SIDES = \"6\" }\nreserved-concurrency = 5\nsecrets = { KEY = { ssm = \
                 \"/chat/key\", variable = \"BACKEND_SECRET\" } }\npermissions = [{ actions = [\"dynamodb:GetItem\"], \
                 resources = [\"table\"] }]\n",
        ..NOTHING
    },
    Choice {
        name: "a handler in a network",
        config: "[[routes]]\nkey = \"own\"\nhandler = \"own\"\nvpc = { subnets = [\"subnet-0123456789abcdef0\"], \
                 security-groups = [\"sg-0123456789abcdef0\"] }\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "backends with secrets",
        config: "[[routes]]\nkey = \"one\"\nhttp = \"https://backend.example/one\"\nsecret-header = { name = \"x-secret\", ssm = \
                 \"/chat/backend\", variable = \"BACKEND_SECRET\" }\n[[routes]]\nkey = \"two\"\nhttp = \
                 \"https://backend.example/two\"\nsecret-header = { name = \"x-secret\", secretsmanager = \"chat/backend\", \
                 json-key = \"two\", file = \"secret.txt\" }\n",
        files: &[("secret.txt", "secret\n")],
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "senders who receive their own texts",
        route: "include-sender = true\n",
        refused_by: &[("direct", "include-sender")],
        ..NOTHING
    },
    Choice {
        name: "functions in a network",
        config: "[handlers]\nvpc = { subnets = [\"subnet-0123456789abcdef0\"], security-groups = [\"sg-0123456789abcdef0\"] }\n",
        needs_account: true,
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
        name: "a name of its own with a path",
        group: Some("domain"),
        config: "[domain]\nname = \"chat.example.com\"\npath = \"team\"\ncertificate = \"arn:aws:acm:eu-west-1:123456789012:\
                 certificate/1234abcd-12ab-34cd-56ef-1234567890ab\"\nzone = false\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "a name of its own",
        group: Some("domain"),
        config: "[domain]\nname = \"chat.example.com\"\ncertificate = \"arn:aws:acm:eu-west-1:123456789012:certificate/\
                 1234abcd-12ab-34cd-56ef-1234567890ab\"\nzone = false\ndisable-default-endpoint = true\n",
        needs_account: true,
        ..NOTHING
    },
    Choice {
        name: "alarms",
        group: Some("alarms"),
        config: "[alarms]\nemail = \"ops@example.com\"\n",
        ..NOTHING
    },
    Choice {
        name: "alarms to a topic",
        group: Some("alarms"),
        config: "[alarms]\ntopic = \"arn:aws:sns:eu-west-1:123456789012:alarms\"\nfunction-errors = 2\nfunction-throttles = 3\n\
                 client-errors = 4\nexecution-errors = 6\nintegration-errors = 7\ndropped-events = 8\ntable-throttles = 9\n\
                 connections-per-minute = false\ndashboard = false\nkeep-failed-events = true\n",
        needs_account: true,
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
