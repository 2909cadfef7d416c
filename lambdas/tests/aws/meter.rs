//! Counts the requests to a table, and DynamoDB's charges for them.

use std::sync::{Arc, Mutex};

use chat_protocol::cost::Units;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::stub::read_request;

/// A proxy between the adapters and a table, which adds the request for the consumed capacity.
pub(crate) struct Meter {
    pub(crate) endpoint: String,
    seen: Arc<Mutex<Vec<(String, f64)>>>,
    server: JoinHandle<()>,
}

impl Meter {
    pub(crate) async fn before(table: &str) -> Self {
        let table = table.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("it listens");
                tokio::spawn(pass_on(socket, table.clone(), Arc::clone(&sink)));
            }
        });
        Self {
            endpoint: format!("http://{address}"),
            seen,
            server,
        }
    }

    /// The units of the requests since the last call.
    pub(crate) fn units(&self) -> Units {
        let seen = std::mem::take(&mut *self.seen.lock().expect("no holder of this lock panics"));
        let units = seen.into_iter().map(|(operation, units)| {
            match operation == "Query" || operation == "GetItem" {
                true => Units {
                    reads: units,
                    writes: 0.0,
                },
                false => Units {
                    reads: 0.0,
                    writes: units,
                },
            }
        });
        units.fold(Units::default(), |all, one| all + one)
    }

    /// The requests since the last call: `2 Query 1.5`, for instance, are two queries and one and a half units in
    /// total.
    pub(crate) fn bill(&self) -> String {
        let seen = std::mem::take(&mut *self.seen.lock().expect("no holder of this lock panics"));
        let mut bill = std::collections::BTreeMap::<_, (usize, f64)>::new();
        for (operation, units) in seen {
            let entry = bill.entry(operation).or_default();
            *entry = (entry.0 + 1, entry.1 + units);
        }
        let lines = bill
            .iter()
            .map(|(operation, (count, units))| format!("{count} {operation} {units}"));
        lines.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass_on(mut client: TcpStream, table: String, seen: Arc<Mutex<Vec<(String, f64)>>>) {
    let mut server = TcpStream::connect(table).await.expect("the table listens");
    while let Some(request) = read_request(&mut client).await {
        let (head, body) = request.split_once("\r\n\r\n").expect("a whole request");
        let mut body: Value = serde_json::from_str(body).expect("JSON");
        body["ReturnConsumedCapacity"] = json!("TOTAL");
        let body = body.to_string();
        let headers = head
            .lines()
            .filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
        let head = headers.collect::<Vec<_>>().join("\r\n");
        let length = body.len();
        let request = format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}");
        server
            .write_all(request.as_bytes())
            .await
            .expect("the table reads");

        let response = read_request(&mut server).await.expect("the table answers");
        let (_, answer) = response.split_once("\r\n\r\n").expect("a whole answer");
        let answer: Value = serde_json::from_str(answer).expect("JSON");
        let units = answer["ConsumedCapacity"]["CapacityUnits"].as_f64();
        // A write whose condition does not hold consumes what it would have written, one unit at least
        // (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html).
        let kind = answer["__type"].as_str().unwrap_or_default();
        let is_failed_condition = kind.ends_with("ConditionalCheckFailedException");
        let units = units.or(is_failed_condition.then_some(1.0));
        let operation = head.split("DynamoDB_20120810.").nth(1).expect("a target");
        let operation = operation.lines().next().unwrap_or_default().to_owned();
        let units = units.unwrap_or_else(|| panic!("{operation} has a price: {answer}"));
        seen.lock()
            .expect("no holder of this lock panics")
            .push((operation, units));
        if client.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}
