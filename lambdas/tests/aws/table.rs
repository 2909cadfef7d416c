//! A DynamoDB on its own thread, as long as a test needs it.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_dynamodb::{Client, config};
use chat_lambdas::aws::{Clients, DynamoStore, Timeouts};
use chat_lambdas::environment::{Identity, TableAddress};
use chat_lambdas::runtime::Trace;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) const TABLE: &str = "connections";

pub(crate) struct LocalTable {
    /// The store of the handlers.
    pub(crate) store: DynamoStore,
    /// For operations that no handler may do: creating the table and reading all of it.
    pub(crate) client: Client,
    pub(crate) endpoint: String,
    /// Dropping it stops the server.
    _running: oneshot::Sender<()>,
}

impl LocalTable {
    pub(crate) async fn start() -> Self {
        let (address, running) = serve();
        let endpoint = format!("http://{}", address.await.expect("the server listens"));
        let address = TableAddress {
            name: TABLE.to_owned(),
            endpoint: Some(endpoint.clone()),
        };
        let clients = Clients::new(identity(), Trace::default(), &[Some(&endpoint)]);
        let client = client(&endpoint);
        create_table(&client).await;
        Self {
            store: clients.table(address, Timeouts::TABLE),
            client,
            endpoint,
            _running: running,
        }
    }
}

pub(crate) fn identity() -> Identity {
    Identity {
        region: "eu-central-1".to_owned(),
        access_key_id: "local".to_owned(),
        secret_access_key: "local".to_owned(),
        session_token: Some("local".to_owned()),
    }
}

fn serve() -> (oneshot::Receiver<std::net::SocketAddr>, oneshot::Sender<()>) {
    let (announce, address) = oneshot::channel();
    let (running, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let local = listener.local_addr().expect("it is bound");
            announce.send(local).expect("the test waits for it");
            let database = dynoxide::Database::memory().expect("an empty database");
            let until = async move {
                // Nothing is ever sent: it ends when the sender is dropped.
                stopped.await.unwrap_or_default();
            };
            let served = dynoxide::server::serve_with_shutdown(listener, database, until).await;
            served.expect("the server ends in peace");
        });
    });
    (address, running)
}

fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(config::BehaviorVersion::latest())
        .region(config::Region::new("eu-central-1"))
        .credentials_provider(config::Credentials::new(
            "local", "local", None, None, "test",
        ))
        .http_client(http)
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

async fn create_table(client: &Client) {
    let mut create = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest);
    for (attribute, key) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder()
            .attribute_name(attribute)
            .key_type(key);
        create = create
            .attribute_definitions(definition.build().expect("complete"))
            .key_schema(element.build().expect("complete"));
    }
    create.send().await.expect("the table is made");
}
