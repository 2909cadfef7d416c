//! Refusals, and how often a request is sent again.

use aws_config::timeout::TimeoutConfig;
use expect_test::expect;

use super::super::super::stub::refusal;
use super::*;

/// A status, a code, and a message as it is in XML.
const REFUSALS: &str = r#"
    400 ValidationError | Stack with id chat does not exist
    400 ValidationError | No updates are to be performed.
    400 ValidationError | Rate exceeded
    400 AlreadyExistsException | Stack [chat] already exists
    400 TokenAlreadyExistsException | token
    400 InsufficientCapabilitiesException | Requires capabilities : [CAPABILITY_NAMED_IAM]
    400 LimitExceededException | limit
    404 ChangeSetNotFound | ChangeSet [c] does not exist
    400 InvalidChangeSetStatus | status
    409 OperationInProgressException | busy
    400 Throttling | Rate exceeded
    400 ThrottlingException | slow &amp; slower
    400 RequestLimitExceeded | slow
    400 RequestThrottled | slow
    400 TooManyRequestsException | slow
    400 PriorRequestNotComplete | slow
    429 Odd | slow
    503 SlowDown | slow
    503 ServiceUnavailable | later
    500 InternalFailure | oops
    500 InternalError |
    502 Odd | bad gateway
    504 Odd | gateway timeout
    400 RequestTimeout | slow
    400 RequestTimeoutException | slow
    400 InternalError | oops
    403 AccessDenied | User: arn:aws:iam::1:user/ann is not authorized to perform: cloudformation:DescribeStacks on resource: x
    403 ExpiredToken | The security token included in the request is expired
    403 InvalidClientTokenId | The security token included in the request is invalid.
    403 SignatureDoesNotMatch | The request signature we calculated does not match
    400 RequestExpired | Request has expired
    403 RequestTimeTooSkewed | skew
    403 OptInRequired | The AWS Access Key Id needs a subscription for the service
    400 FromTheFuture | a &lt;new&gt; &#65;&#10;error
    400  | a message without a code
    400 Codeonly |
"#;

#[tokio::test]
async fn refusals_are_explained_and_transient_ones_are_tried_again() {
    let config = patient().await;
    let mut text = String::new();
    for row in REFUSALS
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
    {
        let (status, rest) = row.split_once(' ').unwrap();
        let (code, message) = rest.split_once('|').unwrap();
        let (status, code) = (status.parse().unwrap(), code.trim());
        let answer = refusal(status, code, message.trim());
        text += &format!("{status} {code}: {}", outcome(&config, answer).await);
    }
    expect![[r#"
        400 ValidationError: 1 None
        400 ValidationError: 1 Unexpected: could not describe stack `chat` | ValidationError: No updates are to be performed.
        400 ValidationError: 1 Unreachable: could not describe stack `chat` | ValidationError: Rate exceeded | hint: AWS throttled the request, even after several re
        400 AlreadyExistsException: 1 Unexpected: could not describe stack `chat` | AlreadyExistsException: Stack [chat] already exists
        400 TokenAlreadyExistsException: 1 Unexpected: could not describe stack `chat` | TokenAlreadyExistsException: token
        400 InsufficientCapabilitiesException: 1 Unexpected: could not describe stack `chat` | InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]
        400 LimitExceededException: 3 Unexpected: could not describe stack `chat` | LimitExceededException: limit
        404 ChangeSetNotFound: 1 None
        400 InvalidChangeSetStatus: 1 Unexpected: could not describe stack `chat` | InvalidChangeSetStatus: status
        409 OperationInProgressException: 1 Unexpected: could not describe stack `chat` | OperationInProgressException: busy
        400 Throttling: 3 Unreachable: could not describe stack `chat` | Throttling: Rate exceeded | hint: AWS throttled the request, even after several re
        400 ThrottlingException: 3 Unreachable: could not describe stack `chat` | ThrottlingException: slow & slower | hint: AWS throttled the request, even after several re
        400 RequestLimitExceeded: 3 Unreachable: could not describe stack `chat` | RequestLimitExceeded: slow | hint: AWS throttled the request, even after several re
        400 RequestThrottled: 3 Unreachable: could not describe stack `chat` | RequestThrottled: slow | hint: AWS throttled the request, even after several re
        400 TooManyRequestsException: 3 Unreachable: could not describe stack `chat` | TooManyRequestsException: slow | hint: AWS throttled the request, even after several re
        400 PriorRequestNotComplete: 3 Unexpected: could not describe stack `chat` | PriorRequestNotComplete: slow
        429 Odd: 1 Unexpected: could not describe stack `chat` | Odd: slow
        503 SlowDown: 3 Unreachable: could not describe stack `chat` | SlowDown: slow | hint: AWS throttled the request, even after several re
        503 ServiceUnavailable: 3 Unreachable: could not describe stack `chat` | ServiceUnavailable: later | hint: AWS had an internal error, even after several re
        500 InternalFailure: 3 Unreachable: could not describe stack `chat` | InternalFailure: oops | hint: AWS had an internal error, even after several re
        500 InternalError: 3 Unreachable: could not describe stack `chat` | InternalError | hint: AWS had an internal error, even after several re
        502 Odd: 3 Unexpected: could not describe stack `chat` | Odd: bad gateway
        504 Odd: 3 Unexpected: could not describe stack `chat` | Odd: gateway timeout
        400 RequestTimeout: 3 Unexpected: could not describe stack `chat` | RequestTimeout: slow
        400 RequestTimeoutException: 3 Unexpected: could not describe stack `chat` | RequestTimeoutException: slow
        400 InternalError: 1 Unreachable: could not describe stack `chat` | InternalError: oops | hint: AWS had an internal error, even after several re
        403 AccessDenied: 1 Denied: could not describe stack `chat` | AccessDenied: User: arn:aws:iam::1:user/ann is not authorized to perform: cloudformation:DescribeStacks on resource: x | hint: the identity lacks the permission cloudformation
        403 ExpiredToken: 1 Denied: could not describe stack `chat` | ExpiredToken: The security token included in the request is expired | hint: the credentials have expired: renew them (`aws s
        403 InvalidClientTokenId: 1 Denied: could not describe stack `chat` | InvalidClientTokenId: The security token included in the request is invalid. | hint: AWS does not recognise this access key here: it 
        403 SignatureDoesNotMatch: 1 Denied: could not describe stack `chat` | SignatureDoesNotMatch: The request signature we calculated does not match | hint: the secret access key does not belong to this ac
        400 RequestExpired: 1 Denied: could not describe stack `chat` | RequestExpired: Request has expired | hint: this machine's clock differs from AWS's by more 
        403 RequestTimeTooSkewed: 1 Denied: could not describe stack `chat` | RequestTimeTooSkewed: skew | hint: this machine's clock differs from AWS's by more 
        403 OptInRequired: 1 Denied: could not describe stack `chat` | OptInRequired: The AWS Access Key Id needs a subscription for the service | hint: the account is not registered for this service y
        400 FromTheFuture: 1 Unexpected: could not describe stack `chat` | FromTheFuture: a <new> A ␊ error
        400 : 1 Unexpected: could not describe stack `chat` | : a message without a code
        400 Codeonly: 1 Unexpected: could not describe stack `chat` | Codeonly
    "#]].assert_eq(&text);
}

/// A status and a body.
const ODD_REFUSALS: &str = r#"
    400 <?xml version="1.0"?>⏎<ErrorResponse xmlns="http://x/">⏎ <Error>⏎  <Type>Sender</Type>⏎  <Code>A</Code>⏎  <Message>m</Message>⏎ <Detail/></Error>⏎ <RequestId>r</RequestId>⏎</ErrorResponse>
    400 <ErrorResponse><Error><Message>m</Message><Code>A</Code></Error></ErrorResponse>
    400 <ErrorResponse><Error><Code><![CDATA[A]]></Code><Message><![CDATA[m]]></Message></Error></ErrorResponse>
    400 <ErrorResponse><Error><Code>A<x/></Code></Error></ErrorResponse>
    400 <ErrorResponse><Error><Code><x/>A</Code></Error></ErrorResponse>
    400 <ErrorResponse><Errors><Error><Code>A</Code></Error></Errors></ErrorResponse>
    400 <Response><Errors><Error><Code>A</Code></Error></Errors></Response>
    400 <Other><Error><Code>A</Code><Message>m</Message></Error></Other>
    400 <Error><Code>A</Code><Message>m</Message></Error>
    400 <ErrorResponse/>
    400 <ErrorResponse><Error><Code>A</Code><Message>m
    400 <ErrorResponse><Error><Code>A
    400 {"__type":"A","message":"m"}
    400 not XML
    400 
    403 
    404 
    429 
    500 
    503 busy
    503 <html><body>busy</body></html>
    403 <html><body>log in</body></html>
    200 <html><body>log in</body></html>
    301 
    204 
"#;

#[tokio::test]
async fn odd_refusals_are_explained() {
    let config = patient().await;
    let mut text = String::new();
    for row in ODD_REFUSALS
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
    {
        let (status, body) = row.split_once(' ').unwrap_or((row, ""));
        let answer = (status.parse().unwrap(), body.replace('⏎', "\n"));
        text += &format!("{row}\n  {}", outcome(&config, answer).await);
    }
    expect![[r#"
        400 <?xml version="1.0"?>⏎<ErrorResponse xmlns="http://x/">⏎ <Error>⏎  <Type>Sender</Type>⏎  <Code>A</Code>⏎  <Message>m</Message>⏎ <Detail/></Error>⏎ <RequestId>r</RequestId>⏎</ErrorResponse>
          1 Unexpected: could not describe stack `chat` | A: m
        400 <ErrorResponse><Error><Message>m</Message><Code>A</Code></Error></ErrorResponse>
          1 Unexpected: could not describe stack `chat` | A: m
        400 <ErrorResponse><Error><Code><![CDATA[A]]></Code><Message><![CDATA[m]]></Message></Error></ErrorResponse>
          1 Unexpected: could not describe stack `chat` | 
        400 <ErrorResponse><Error><Code>A<x/></Code></Error></ErrorResponse>
          1 Unexpected: could not describe stack `chat` | 
        400 <ErrorResponse><Error><Code><x/>A</Code></Error></ErrorResponse>
          1 Unexpected: could not describe stack `chat` | 
        400 <ErrorResponse><Errors><Error><Code>A</Code></Error></Errors></ErrorResponse>
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400 <Response><Errors><Error><Code>A</Code></Error></Errors></Response>
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400 <Other><Error><Code>A</Code><Message>m</Message></Error></Other>
          1 Unexpected: could not describe stack `chat` | A: m
        400 <Error><Code>A</Code><Message>m</Message></Error>
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400 <ErrorResponse/>
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400 <ErrorResponse><Error><Code>A</Code><Message>m
          1 Unexpected: could not describe stack `chat` | A: m
        400 <ErrorResponse><Error><Code>A
          1 Unexpected: could not describe stack `chat` | A
        400 {"__type":"A","message":"m"}
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400 not XML
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        400
          1 Unexpected: could not describe stack `chat` | HTTP status 400
        403
          1 Denied: could not describe stack `chat` | HTTP status 403 | hint: the identity lacks the permission cloudformation
        404
          1 None
        429
          1 Unreachable: could not describe stack `chat` | HTTP status 429 | hint: AWS throttled the request, even after several re
        500
          3 Unreachable: could not describe stack `chat` | HTTP status 500 | hint: AWS had an internal error, even after several re
        503 busy
          3 Unreachable: could not describe stack `chat` | HTTP status 503 | hint: AWS throttled the request, even after several re
        503 <html><body>busy</body></html>
          3 Unreachable: could not describe stack `chat` | HTTP status 503 | hint: AWS throttled the request, even after several re
        403 <html><body>log in</body></html>
          1 Unreachable: could not describe stack `chat` | the response is a web page, with HTTP status 403 | hint: something between here and AWS responded with a 
        200 <html><body>log in</body></html>
          1 Unreachable: could not describe stack `chat` | the response is a web page, with HTTP status 200 | hint: something between here and AWS responded with a 
        301
          1 Unexpected: could not describe stack `chat` | HTTP status 301
        204
          1 Unreachable: could not describe stack `chat` | HTTP status 204 | hint: the response is incomplete or not AWS's; somethi
    "#]].assert_eq(&text);
}

/// The error of each method of the adapter that AWS refuses, with its attempt and the permission.
#[tokio::test]
async fn each_refused_request_says_what_was_attempted() {
    let (cloud, _) = cloud(vec![refusal(403, "AccessDenied", "no")]).await;
    let shown = [
        shown(cloud.stack("chat").await),
        shown(cloud.stacks().await),
        shown(cloud.template("chat").await),
        shown(cloud.resources("chat").await),
        shown(cloud.change_sets("chat").await),
        shown(cloud.create_change_set(&request()).await),
        shown(cloud.change_set(&ids()).await),
        shown(cloud.findings(&ids()).await),
        shown(cloud.delete_change_set(&ids()).await),
        shown(cloud.execute_change_set(&ids(), "t").await),
        shown(
            cloud
                .delete_stack("arn:s", "t", &[], DeployMode::Express)
                .await,
        ),
        shown(cloud.recent_events("arn:s").await),
        shown(cloud.protect("chat", true).await),
    ];
    expect![[r#"
        Denied: could not describe stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not list the stacks of this account and Region | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not read the template of stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not list the resources of stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not list the change sets of stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not compute the change of stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not read the changes of the change set | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not read the findings of the change set's validation | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not withdraw the change set | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not execute the change set | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not delete the stack | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not read the stack's events | AccessDenied: no | hint: the identity lacks the permission cloudformation
        Denied: could not change the termination protection of stack `chat` | AccessDenied: no | hint: the identity lacks the permission cloudformation"#]].assert_eq(&shown.join("\n"));
}

#[tokio::test]
async fn silence_and_broken_connections_are_tried_again() {
    use std::convert::Infallible;
    use std::io::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::Full;
    use hyper::body::{Bytes, Incoming};
    use hyper::{Request, Response};
    use testing::http::Server;

    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let silent = Server::start(move |_: Request<Incoming>, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    })
    .await;
    let counted = count.clone();
    let closing = Server::start(move |_: Request<Incoming>, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Err::<Response<Full<Bytes>>, _>(Error::other("closed")))
    })
    .await;
    let read = TimeoutConfig::builder().read_timeout(Duration::from_millis(100));
    let attempt = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(100));
    let operation = TimeoutConfig::builder().operation_timeout(Duration::from_millis(100));
    let patient = patient().await;
    let mut text = String::new();
    for (name, address, timeouts) in [
        ("read", silent.address, read),
        ("attempt", silent.address, attempt),
        ("operation", silent.address, operation),
        ("closed", closing.address, TimeoutConfig::builder()),
    ] {
        let config = patient
            .clone()
            .into_builder()
            .endpoint_url(format!("http://{address}"))
            .timeout_config(timeouts.build())
            .build();
        let client = Cloud::new(&config, "eu-west-1", &Default::default());
        count.store(0, Ordering::Relaxed);
        let described = shown(client.stack("chat").await);
        let attempts = count.load(Ordering::Relaxed);
        writeln!(text, "{name}: {attempts} {described}").unwrap();
    }
    expect![[r#"
        read: 3 Unreachable: could not describe stack `chat` | timed out | hint: AWS did not respond in time, even after several 
        attempt: 3 Unreachable: could not describe stack `chat` | no response came in time | hint: AWS did not respond in time, even after several 
        operation: 1 Unreachable: could not describe stack `chat` | no response came in time | hint: AWS did not respond in time, even after several 
        closed: 3 Unreachable: could not describe stack `chat` | connection closed before message completed | hint: check the network and the Region's name, then tr
    "#]].assert_eq(&text);
}
