//! An HTTP backend that a test controls and that records its requests, and templates that use it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::world::{World, within};

/// A request to the backend.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The number of its connection, counted from 0.
    pub(crate) connection: usize,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// The backend's response.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    /// The time before it responds.
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
        }
    }
}

type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A backend on its own port.
#[derive(Clone)]
pub(crate) struct Backend {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
    seen: watch::Sender<Vec<Seen>>,
}

impl Backend {
    /// Responds to every request with status 200 and `{}` by default.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script: Script = Arc::new(|_| Reply::new(200, "{}"));
        let backend = Self {
            port: listener.local_addr().unwrap().port(),
            script: Arc::new(Mutex::new(script)),
            seen: watch::Sender::default(),
        };
        let served = backend.clone();
        tokio::spawn(testing::http::serve(
            listener,
            move |request, connection| {
                let backend = served.clone();
                async move { backend.respond(request, connection).await }
            },
        ));
        backend
    }

    /// Sets its responses from now on.
    pub(crate) fn on(&self, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// The `index`th request, once it has come.
    pub(crate) async fn request(&self, index: usize) -> Seen {
        let mut seen = self.seen.subscribe();
        let list = within(seen.wait_for(|list| list.len() > index))
            .await
            .unwrap();
        list[index].clone()
    }

    /// The number of requests so far.
    pub(crate) fn count(&self) -> usize {
        self.seen.borrow().len()
    }

    async fn respond(
        &self,
        request: Request<Incoming>,
        connection: usize,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let seen = Seen {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            connection,
        };
        let script = Arc::clone(&self.script.lock().unwrap());
        let reply = script(&seen);
        self.seen.send_modify(|list| list.push(seen));
        tokio::time::sleep(reply.delay).await;
        let mut response = Response::builder().status(reply.status);
        for (name, value) in reply.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::new(reply.body.into())).unwrap())
    }

    /// An integration `id` that sends to `path` here, with more `properties`.
    pub(crate) fn http(&self, id: &str, kind: &str, path: &str, properties: &str) -> String {
        let port = self.port;
        format!(
            "
  {id}:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: {kind}
      IntegrationMethod: POST
      IntegrationUri: http://127.0.0.1:{port}{path}
{properties}"
        )
    }
}

/// A MOCK integration `id` with more `properties`.
pub(crate) fn mock(id: &str, properties: &str) -> String {
    format!(
        "
  {id}:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: MOCK
{properties}"
    )
}

/// The integration response `key` of `integration`, with more `properties`.
pub(crate) fn response(integration: &str, key: &str, properties: &str) -> String {
    let id: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    format!(
        "
  {integration}Response{id}:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref {integration}
      IntegrationResponseKey: {key}
{properties}"
    )
}

/// A one-way route to `integration`, with more `properties`.
pub(crate) fn route(id: &str, key: &str, integration: &str, properties: &str) -> String {
    format!(
        "
  {id}:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: {key}
      Target: !Sub integrations/${{{integration}}}
{properties}"
    )
}

/// A route whose responses go back to the sender.
pub(crate) fn two_way(id: &str, key: &str, integration: &str) -> String {
    let route = route(
        id,
        key,
        integration,
        "      RouteResponseSelectionExpression: $default",
    );
    format!(
        "{route}
  {id}Answer:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {{ ApiId: !Ref Api, RouteId: !Ref {id}, RouteResponseKey: $default }}
"
    )
}

/// Runs a stack of these resources.
pub(crate) async fn world_of(resources: &[String]) -> World {
    World::with_template(&template(resources)).await
}

/// A template of these resources, with an API that selects by `action` and a stage `v1`.
pub(crate) fn template(resources: &[String]) -> String {
    let resources = resources.concat();
    format!(
        "Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {{ Name: test, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {{ ApiId: !Ref Api, StageName: v1, AutoDeploy: true, StageVariables: {{ room: lobby, where: there }} }}
{resources}"
    )
}
