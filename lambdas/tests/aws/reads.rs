//! The requested consistency of reads. No database on this machine is ever stale, so the requests are checked.

use chat_lambdas::aws::{Clients, DynamoStore, Timeouts};
use chat_lambdas::environment::TableAddress;
use chat_lambdas::runtime::Trace;
use chat_lambdas::session::{ConnectionId, Name, Room};
use chat_lambdas::shard::Shard;
use chat_lambdas::store::{ConnectionStore as _, Page, Read};

use crate::stub::{Reply, Stub};
use crate::table::{TABLE, identity};

#[tokio::test]
async fn a_session_is_always_read_consistently() {
    let (stub, store) = empty_table().await;
    let session = store.session_of(&ConnectionId::new("c"), 0).await.unwrap();
    assert_eq!(session, None);
    assert!(only(&stub).contains(r#""ConsistentRead":true"#));
}

#[tokio::test]
async fn connections_are_read_with_the_requested_consistency() {
    for (read, asked) in [
        (Read::Eventual, r#""ConsistentRead":false"#),
        (Read::Consistent, r#""ConsistentRead":true"#),
    ] {
        let (stub, store) = empty_table().await;
        let tom = Name::parse("Tom").unwrap();
        let devices = store.connections_of(&tom, 0, read).await.unwrap();
        assert_eq!(devices, []);
        assert!(only(&stub).contains(asked), "{read:?}: {}", only(&stub));
    }
}

#[tokio::test]
async fn members_are_always_read_consistently_and_in_pages() {
    let (stub, store) = empty_table().await;
    let [shard, ..] = Shard::all();
    let page = store
        .members(&Room::default(), shard, 0, None)
        .await
        .unwrap();
    assert_eq!(page, Page::default());
    assert!(
        only(&stub).contains(r#""ConsistentRead":true"#),
        "{}",
        only(&stub)
    );
    assert!(only(&stub).contains(r#""Limit":320"#), "{}", only(&stub));
    assert!(only(&stub).contains("R#everybody#0"), "{}", only(&stub));
}

fn only(stub: &Stub) -> String {
    let requests = stub.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].clone()
}

async fn empty_table() -> (Stub, DynamoStore) {
    let stub = Stub::start(Reply::With {
        status: 200,
        error_type: None,
        body: "{}",
    })
    .await;
    let address = TableAddress {
        name: TABLE.to_owned(),
        endpoint: Some(stub.endpoint.clone()),
    };
    let clients = Clients::new(identity(), Trace::default(), &[Some(&stub.endpoint)]);
    (stub, clients.table(address, Timeouts::TABLE))
}
