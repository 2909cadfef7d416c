//! What sits between chatctl and the emulator, passes everything on, and changes what a test asks for.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::{Method, Request, Response};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use testing::emulator::{self, forward};
use testing::http::serve;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::service_models::recorded;

type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;
type Which = Box<dyn Fn(&str) -> bool + Send>;

/// What is kept from going on when a request is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The emulator does not get the request.
    Request,
    /// The emulator has done what was asked, and its answer is lost.
    Answer,
}

/// A request that is to be held.
struct Hold {
    which: Which,
    part: Part,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// A request that is held for as long as this lives.
pub(crate) struct Held {
    reached: oneshot::Receiver<()>,
    _release: oneshot::Sender<()>,
}

impl Held {
    /// Waits until the request has been made.
    pub(crate) async fn reached(&mut self) {
        let waiting = tokio::time::timeout(Duration::from_secs(120), &mut self.reached);
        waiting
            .await
            .expect("the request is made")
            .expect("the proxy runs");
    }
}

/// What is to be changed.
#[derive(Default)]
struct Wishes {
    /// Done to the template of every change set.
    edit: Option<Edit>,
    /// An action, a status, a body, and how many more times to answer with it.
    answers: Vec<(&'static str, u16, String, usize)>,
    holds: Vec<Hold>,
    /// With this action the time of the credentials is over.
    expired_with: Option<&'static str>,
    /// A resource, a property's path and its value before, which the emulator leaves out of change sets.
    values: Vec<(String, String, String)>,
    /// What the record of every stage complains of.
    complaint: Option<&'static str>,
    asked: Vec<String>,
    /// Everything that came, for the judge of requests.
    requests: Vec<Value>,
    /// With each action that was asked for.
    bodies: Vec<(String, String)>,
    /// What was asked for and refused because the asker may not.
    denied: Vec<String>,
}

pub(crate) struct Between {
    pub(crate) url: String,
    wishes: Arc<Mutex<Wishes>>,
}

impl Between {
    /// In front of an emulator that will be started yet.
    pub(crate) async fn bind() -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let wishes = Arc::default();
        (Self { url, wishes }, listener)
    }

    /// From now on passes on to the emulator on `port` what comes in.
    pub(crate) fn serve(&self, listener: TcpListener, port: u16) {
        let shared = self.wishes.clone();
        let answer = move |request, _connection| pass(request, port, shared.clone());
        tokio::spawn(serve(listener, answer));
    }

    /// What each request for `action` said.
    pub(crate) fn bodies(&self, action: &str) -> Vec<String> {
        let wishes = self.wishes.lock().unwrap();
        let bodies = wishes.bodies.iter().filter(|(asked, _)| asked == action);
        bodies.map(|(_, body)| body.clone()).collect()
    }

    /// From now on, `edit` is done to every template that passes.
    pub(crate) fn edit_templates(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.wishes.lock().unwrap().edit = Some(Box::new(edit));
    }

    pub(crate) fn leave_templates_alone(&self) {
        self.wishes.lock().unwrap().edit = None;
    }

    /// The next `times` requests for `action` are refused with `code`, as CloudFormation and STS put it.
    pub(crate) fn refuse(&self, action: &'static str, times: usize, code: &str, message: &str) {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        self.wishes
            .lock()
            .unwrap()
            .answers
            .push((action, 400, body, times));
    }

    /// Requests for `action` are refused no longer.
    pub(crate) fn allow(&self, action: &str) {
        let mut wishes = self.wishes.lock().unwrap();
        wishes.answers.retain(|(refused, ..)| *refused != action);
    }

    /// After the next request for `action` the credentials have expired.
    pub(crate) fn expire_with(&self, action: &'static str) {
        let mut wishes = self.wishes.lock().unwrap();
        wishes.asked.clear();
        wishes.expired_with = Some(action);
    }

    /// They are renewed.
    pub(crate) fn renew(&self) {
        self.wishes.lock().unwrap().expired_with = None;
    }

    /// No request so far changed a stack or sent an object.
    #[track_caller]
    pub(crate) fn only_looked(&self) {
        let changing = ["CreateChangeSet", "ExecuteChangeSet", "DeleteStack"];
        let asked = self.asked();
        let changes =
            |action: &String| changing.contains(&action.as_str()) || action.starts_with("PUT");
        assert!(!asked.iter().any(changes), "{asked:?}");
    }

    /// The next request for `action` is answered with `members`, which only AWS would.
    pub(crate) fn answer(&self, action: &'static str, members: &str) {
        let body = format!(
            "<{action}Response><{action}Result>{members}</{action}Result></{action}Response>"
        );
        let mut wishes = self.wishes.lock().unwrap();
        wishes.answers.push((action, 200, body, 1));
    }

    /// The next request that `which` fits is held, by its name in [`Between::asked`].
    pub(crate) fn hold(&self, part: Part, which: impl Fn(&str) -> bool + Send + 'static) -> Held {
        let (reach, reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        self.wishes.lock().unwrap().holds.push(Hold {
            which: Box::new(which),
            part,
            reached: reach,
            released,
        });
        Held {
            reached,
            _release: release,
        }
    }

    /// Every change set that is described has the value that `path` of `resource` had before, as AWS does where the
    /// property is deleted and the emulator does not.
    pub(crate) fn tell_value_before(&self, resource: &str, path: &str, value: &str) {
        let reported = (resource.to_owned(), path.to_owned(), value.to_owned());
        self.wishes.lock().unwrap().values.push(reported);
    }

    /// From now on the record of every stage says `words` of its last automatic deployment.
    pub(crate) fn complain_of_stages(&self, words: &'static str) {
        self.wishes.lock().unwrap().complaint = Some(words);
    }

    /// What was asked for and refused because the asker may not, also by functions.
    pub(crate) fn denied(&self) -> Vec<String> {
        self.wishes.lock().unwrap().denied.clone()
    }

    /// Everything that was asked so far, as the judge of requests reads it.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.wishes.lock().unwrap().requests.clone()
    }

    /// The actions that were asked for, and `METHOD /path` where there is no action.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.wishes.lock().unwrap().asked.clone()
    }
}

/// As CloudFormation says it.
const EXPIRED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>The security token \
                       included in the request is expired</Message></Error></ErrorResponse>";

async fn pass(
    request: Request<Incoming>,
    port: u16,
    wishes: Arc<Mutex<Wishes>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut parts, body) = request.into_parts();
    let mut body = body.collect().await.unwrap().to_bytes();
    let name = emulator::name(&Request::from_parts(parts.clone(), ()), &body);
    let hold = {
        let mut wishes = wishes.lock().unwrap();
        wishes.requests.push(recorded(&parts, &body));
        let until = wishes.expired_with;
        if until.is_some_and(|action| wishes.asked.iter().any(|asked| asked == action)) {
            let response = Response::builder().status(403);
            return Ok(response.body(Full::new(Bytes::from(EXPIRED))).unwrap());
        }
        wishes.asked.push(name.clone());
        if !name.starts_with("PUT ") {
            let body = String::from_utf8_lossy(&body).into_owned();
            wishes.bodies.push((name.clone(), body));
        }
        let prepared = wishes
            .answers
            .iter_mut()
            .find(|(wanted, .., times)| name == *wanted && *times > 0);
        if let Some((_, status, body, times)) = prepared {
            *times -= 1;
            let response = Response::builder().status(*status);
            return Ok(response.body(Full::new(Bytes::from(body.clone()))).unwrap());
        }
        if let ("CreateChangeSet", Some(edit)) = (name.as_str(), &wishes.edit) {
            body = edited(&body, edit).into();
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
        }
        // A template that is too large for a request.
        if let (true, Some(edit)) = (is_template(&name), &wishes.edit) {
            let mut template = serde_json::from_slice(&body).unwrap();
            edit(&mut template);
            body = template.to_string().into();
            parts.headers.insert(CONTENT_LENGTH, body.len().into());
            let digest = Sha256::digest(&body);
            let checksum = base64::engine::general_purpose::STANDARD.encode(digest);
            parts
                .headers
                .insert("x-amz-checksum-sha256", checksum.parse().unwrap());
            parts.headers.remove("x-amz-content-sha256");
        }
        let held = wishes.holds.iter().position(|hold| (hold.which)(&name));
        held.map(|at| wishes.holds.remove(at))
    };
    let request = Request::from_parts(parts, Full::new(body));
    let response = match hold {
        None => forward(port, request).await.unwrap(),
        Some(hold) => {
            let answer = match hold.part {
                Part::Request => None,
                Part::Answer => Some(forward(port, request).await.unwrap()),
            };
            // Not every test waits until it is reached.
            let _unreceived = hold.reached.send(());
            // Its release is not announced: the holder just goes.
            let _gone = hold.released.await;
            let gone = Response::builder().status(503).body(Bytes::new());
            answer.unwrap_or_else(|| gone.unwrap())
        }
    };
    let (mut parts, mut body) = response.into_parts();
    if name == "DescribeChangeSet" {
        body = with_values(&body, &wishes.lock().unwrap().values).into();
        parts.headers.remove(CONTENT_LENGTH);
    }
    let complaint = wishes.lock().unwrap().complaint;
    if let Some(words) = complaint.filter(|_| name.starts_with("GET ") && name.contains("/stages/"))
    {
        let mut stage: Value = serde_json::from_slice(&body).unwrap();
        stage["lastDeploymentStatusMessage"] = words.into();
        body = stage.to_string().into();
        parts.headers.remove(CONTENT_LENGTH);
    }
    if String::from_utf8_lossy(&body).contains("not authorized to perform") {
        wishes.lock().unwrap().denied.push(name);
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Whether a request of this name publishes a template.
fn is_template(name: &str) -> bool {
    let path = name.strip_prefix("PUT ").unwrap_or_default();
    path.ends_with(".json") && !path.contains("/uses/")
}

fn edited(body: &Bytes, edit: &Edit) -> String {
    let text = std::str::from_utf8(body).unwrap();
    let pairs = text.split('&').map(|pair| {
        let Some(encoded) = pair.strip_prefix("TemplateBody=") else {
            return pair.to_owned();
        };
        let template = percent_decode_str(encoded).decode_utf8().unwrap();
        let mut template = serde_json::from_str(&template).unwrap();
        edit(&mut template);
        format!(
            "TemplateBody={}",
            utf8_percent_encode(&template.to_string(), NON_ALPHANUMERIC)
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The change set `body` with the values before that it leaves out.
fn with_values(body: &Bytes, values: &[(String, String, String)]) -> String {
    let mut text = String::from_utf8(body.to_vec()).unwrap();
    for (resource, path, value) in values {
        let name = path.rsplit('/').next().unwrap_or_default();
        let resource = format!("<LogicalResourceId>{resource}</LogicalResourceId>");
        let property = format!("<Name>{name}</Name>");
        let found = text.find(&resource).and_then(|from| {
            let at = text[from..].find(&property)?;
            Some(from + at + property.len())
        });
        if let Some(at) = found {
            let reported = format!("<Path>{path}</Path><BeforeValue>{value}</BeforeValue>");
            text.insert_str(at, &reported);
        }
    }
    text
}

/// How often the emulator is asked again that failed by its own fault.
const ATTEMPTS: usize = 10;

/// Asks the emulator itself for `target`, as the operator, in DynamoDB's and CloudWatch Logs' protocol.
///
/// The emulator looks at whose access key it is, and not at the operator's signature.
pub(crate) async fn ask(port: u16, service: &str, target: &str, body: &Value) -> Value {
    ask_in(emulator::REGION, port, service, target, body).await
}

/// The same in another region than the emulator's own.
pub(crate) async fn ask_in(
    region: &str,
    port: u16,
    service: &str,
    target: &str,
    body: &Value,
) -> Value {
    let credential = format!("test/20260101/{region}/{service}/aws4_request");
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature=0"
    );
    let request = || {
        Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", format!("127.0.0.1:{port}"))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", &authorization)
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap()
    };
    let mut response = forward(port, request()).await.unwrap();
    for _ in 0..ATTEMPTS {
        // The emulator stumbles when what it lists grows at that moment.
        if response.status().as_u16() < 500 {
            break;
        }
        response = forward(port, request()).await.unwrap();
    }
    let text = String::from_utf8_lossy(response.body());
    assert!(response.status().is_success(), "{target}: {text}");
    serde_json::from_str(&text).unwrap()
}
