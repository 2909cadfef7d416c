//! What AWS answers when nothing goes wrong.

use base64::Engine as _;
use serde_json::json;

use crate::cloud::State;
use crate::request::Request;
use crate::s3;
use crate::stack::{ChangeSet, Design, Stack};
use crate::wire::Answer;

/// Does what is asked for.
pub(crate) fn answer(state: &mut State, request: &Request) -> Answer {
    let name = request.name();
    if request
        .header("content-type")
        .starts_with("application/x-www-form")
    {
        return cloudformation(state, request);
    }
    match name.as_str() {
        "FilterLogEvents" => {
            let event = json!({"eventId": "1", "timestamp": 1, "logStreamName": "s", "message": "{\"message\":\"hello\"}"});
            in_json(&json!({"events": [event]}))
        }
        "GET account settings" => in_json(&json!({"AccountLimit": {"ConcurrentExecutions": 1000}})),
        "DescribeTable" => in_json(&json!({"Table": {"ItemCount": 3}})),
        "GET function configuration" => function(state, request, None),
        "PUT function code" => function(state, request, request.json()["S3Key"].as_str()),
        "GET stage" => match &mut state.stage_says {
            Some((words, left)) if *left > 0 => {
                *left -= 1;
                in_json(&json!({"stageName": "v1", "lastDeploymentStatusMessage": words}))
            }
            _ => in_json(&json!({"stageName": "v1"})),
        },
        "GET API" => in_json(&json!({"apiId": "chat-Api", "apiEndpoint": "wss://chat"})),
        _ => s3::answer(state, request),
    }
}

/// What AWS says when it does not do it, in the protocol of the service.
pub(crate) fn refusal(request: &Request, status: u16, code: &str, message: &str) -> Answer {
    let is_json = !request.header("x-amz-target").is_empty()
        || request.path.starts_with("/2015-03-31/")
        || request.path.starts_with("/2016-08-19/")
        || request.path.starts_with("/v2/apis/");
    if is_json {
        let body = json!({"__type": code, "code": code, "message": message});
        return Answer {
            status,
            ..in_json(&body)
        };
    }
    if request
        .header("content-type")
        .starts_with("application/x-www-form")
    {
        let error = format!(
            "<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        return xml(status, format!("<ErrorResponse>{error}</ErrorResponse>"));
    }
    let (status, code) = match code {
        "Throttling" => (503, "SlowDown"),
        other => (status, other),
    };
    xml(
        status,
        format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    )
}

fn in_json(value: &serde_json::Value) -> Answer {
    Answer {
        status: 200,
        etag: false,
        kind: "application/json",
        body: value.to_string(),
    }
}

/// An answer of the services that speak XML.
pub(crate) fn xml(status: u16, body: String) -> Answer {
    Answer {
        status,
        etag: false,
        kind: "text/xml",
        body,
    }
}

fn function(state: &mut State, request: &Request, new: Option<&str>) -> Answer {
    let name = request.path.split('/').nth(3).unwrap();
    let id = name.strip_prefix("chat-").unwrap_or(name);
    let is_there = |key: &str| {
        state
            .bucket
            .as_ref()
            .is_some_and(|objects| objects.contains(key))
    };
    let Some(stack) = &mut state.stack else {
        return refusal(
            request,
            404,
            "ResourceNotFoundException",
            "no such function",
        );
    };
    if let Some(key) = new {
        if !is_there(key) {
            return refusal(request, 400, "InvalidParameterValueException", "NoSuchKey");
        }
        stack.code.insert(id.to_owned(), key.to_owned());
        state.is_begun = true;
    }
    let Some(key) = stack.code.get(id) else {
        return refusal(
            request,
            404,
            "ResourceNotFoundException",
            "no such function",
        );
    };
    let digest: Vec<u8> = (0..key.len() / 2)
        .map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let digest = base64::engine::general_purpose::STANDARD.encode(digest);
    in_json(&json!({
        "FunctionName": name, "CodeSha256": digest, "State": "Active", "LastUpdateStatus": "Successful",
    }))
}

fn cloudformation(state: &mut State, request: &Request) -> Answer {
    let form = request.form();
    let action = form["Action"].as_str();
    let result = match action {
        "GetCallerIdentity" => {
            let partition = state.partition.unwrap_or("aws");
            Ok(format!(
                "<Account>123456789012</Account><Arn>arn:{partition}:iam::123456789012:user/ann</Arn>"
            ))
        }
        "CreateChangeSet" => create_change_set(state, &form),
        "DescribeStacks" if !form.contains_key("StackName") => {
            let stacks: String = state.stack.iter().map(described).collect();
            Ok(format!("<Stacks>{stacks}</Stacks>"))
        }
        _ => of_stack(state, action, &form),
    };
    match result {
        Ok(members) => xml(
            200,
            format!(
                "<{action}Response><{action}Result>{members}</{action}Result></{action}Response>"
            ),
        ),
        Err((code, message)) => refusal(request, 400, code, message),
    }
}

type Form = std::collections::BTreeMap<String, String>;
type Refused = (&'static str, &'static str);

fn create_change_set(state: &mut State, form: &Form) -> Result<String, Refused> {
    let template = match form.get("TemplateBody") {
        Some(body) if body.len() > 51_200 => {
            return Err(("ValidationError", "the template is longer than 51200"));
        }
        Some(body) => serde_json::from_str(body).unwrap(),
        None => {
            let key = form["TemplateURL"].rsplit('/').next().unwrap();
            let is_there = state.bucket.iter().flatten().any(|object| object == key);
            let missing = "S3 error: The specified key does not exist.";
            let stored = state.templates.get(key).filter(|_| is_there);
            stored.cloned().ok_or(("ValidationError", missing))?
        }
    };
    let stack = state.stack.get_or_insert_with(|| {
        state.made += 1;
        Stack::shell(&form["StackName"], state.made)
    });
    let member = |number: usize, name: &str| {
        form.get(&format!("Parameters.member.{number}.{name}"))
            .cloned()
    };
    let parameters = (1..).map_while(|number| {
        let key = member(number, "ParameterKey")?;
        let old = stack.design.parameters.get(&key).cloned();
        Some((
            key,
            member(number, "ParameterValue").or(old).unwrap_or_default(),
        ))
    });
    let design = Design {
        parameters: parameters.collect(),
        template,
    };
    let name = form["ChangeSetName"].clone();
    stack.change_sets.push(ChangeSet {
        name: name.clone(),
        design,
        is_executed: false,
    });
    Ok(format!(
        "<Id>{}</Id><StackId>{}</StackId>",
        arn(&name),
        stack.id
    ))
}

fn arn(change_set: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:123456789012:changeSet/{change_set}/1")
}

fn of_stack(state: &mut State, action: &str, form: &Form) -> Result<String, Refused> {
    let missing = ("ValidationError", "Stack with id chat does not exist");
    let named = form.get("StackName");
    let found = state.stack.as_mut().filter(|stack| {
        // One that is gone is found by its id alone.
        let is_id = named.is_none_or(|name| *name == stack.id);
        is_id || stack.status != "DELETE_COMPLETE"
    });
    let Some(stack) = found else {
        return Err(missing);
    };
    if action == "DescribeStacks" {
        stack.step();
        let is_id = named.is_some_and(|name| *name == stack.id);
        if stack.status == "DELETE_COMPLETE" {
            let gone = state.stack.take().unwrap();
            return if is_id {
                Ok(format!("<Stacks>{}</Stacks>", described(&gone)))
            } else {
                Err(missing)
            };
        }
        return Ok(format!("<Stacks>{}</Stacks>", described(stack)));
    }
    let token = form.get("ClientRequestToken").cloned().unwrap_or_default();
    let wanted = form.get("ChangeSetName").cloned().unwrap_or_default();
    let set = stack
        .change_sets
        .iter()
        .find(|set| set.name == wanted || arn(&set.name) == wanted)
        .cloned();
    let no_set = ("ChangeSetNotFound", "ChangeSet does not exist");
    match action {
        "GetTemplate" => {
            let text = stack
                .design
                .template
                .to_string()
                .replace('&', "&amp;")
                .replace('<', "&lt;");
            Ok(format!("<TemplateBody>{text}</TemplateBody>"))
        }
        "ListStackResources" => {
            let resources = stack.design.resources().into_iter().map(|(id, kind)| {
                format!(
                    "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>chat-{id}</PhysicalResourceId>\
                     <ResourceType>{kind}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
                )
            });
            let resources: String = resources.collect();
            Ok(format!(
                "<StackResourceSummaries>{resources}</StackResourceSummaries>"
            ))
        }
        "ListChangeSets" => {
            let sets = stack.change_sets.iter();
            let sets: String = sets
                .map(|set| {
                    format!(
                        "<member><ChangeSetName>{}</ChangeSetName></member>",
                        set.name
                    )
                })
                .collect();
            Ok(format!("<Summaries>{sets}</Summaries>"))
        }
        "DescribeChangeSet" => set.ok_or(no_set).map(|set| change_set(stack, &set)),
        "DescribeEvents" => Ok("<OperationEvents></OperationEvents>".into()),
        "DeleteChangeSet" => {
            let set = set.ok_or(no_set)?;
            stack.change_sets.retain(|other| other.name != set.name);
            Ok(String::new())
        }
        "ExecuteChangeSet" => {
            let set = set.ok_or(no_set)?;
            let objects = state.bucket.clone().unwrap_or_default();
            let failures = state.failures.pop_front().unwrap_or_default();
            match stack.execute(&set.name, &token, &objects, &failures) {
                true => {
                    state.is_begun = true;
                    Ok(String::new())
                }
                false => Err((
                    "InvalidChangeSetStatus",
                    "it cannot be executed in its current status",
                )),
            }
        }
        "DeleteStack" => {
            state.is_begun |= stack.status != "REVIEW_IN_PROGRESS";
            stack.delete(&token);
            Ok(String::new())
        }
        "DescribeStackEvents" => Ok(events(stack)),
        other => panic!("nobody has taught this AWS {other}"),
    }
}

fn change_set(stack: &Stack, set: &ChangeSet) -> String {
    let is_same = set.design == stack.design;
    let (status, execution, reason) = match (set.is_executed, is_same) {
        (true, _) => ("CREATE_COMPLETE", "EXECUTE_COMPLETE", ""),
        (false, true) => (
            "FAILED",
            "UNAVAILABLE",
            "The submitted information didn't contain changes.",
        ),
        (false, false) => ("CREATE_COMPLETE", "AVAILABLE", ""),
    };
    format!(
        "<ChangeSetId>{}</ChangeSetId><StackId>{}</StackId><Status>{status}</Status>\
         <ExecutionStatus>{execution}</ExecutionStatus><StatusReason>{reason}</StatusReason><Changes></Changes>",
        arn(&set.name),
        stack.id
    )
}

fn described(stack: &Stack) -> String {
    let parameters = stack.design.parameters.iter();
    let parameters: String = parameters
        .map(|(key, value)| {
            format!("<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>")
        })
        .collect();
    format!(
        "<member><StackName>{}</StackName><StackId>{}</StackId><StackStatus>{}</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime><Parameters>{parameters}</Parameters><Outputs><member>\
         <OutputKey>Url</OutputKey><OutputValue>wss://chat/v1</OutputValue></member></Outputs></member>",
        stack.name, stack.id, stack.status
    )
}

/// The newest first.
fn events(stack: &Stack) -> String {
    let events = stack.events.iter().rev().map(|event| {
        let reason = event.reason.iter();
        let reason: String = reason
            .map(|reason| format!("<ResourceStatusReason>{reason}</ResourceStatusReason>"))
            .collect();
        format!(
            "<member><EventId>{}</EventId><StackId>{}</StackId><StackName>{}</StackName>\
             <LogicalResourceId>{}</LogicalResourceId><ResourceType>{}</ResourceType>\
             <ResourceStatus>{}</ResourceStatus>{reason}<ClientRequestToken>{}</ClientRequestToken>\
             <Timestamp>2026-01-01T00:00:00Z</Timestamp></member>",
            event.id, stack.id, stack.name, event.logical_id, event.kind, event.status, event.token
        )
    });
    format!("<StackEvents>{}</StackEvents>", events.collect::<String>())
}
